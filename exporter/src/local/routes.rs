//! What the local server answers.

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    HeaderMap, Method, Response, StatusCode,
    header::{
        ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue,
        REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    },
};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;

use super::{page, past::Past, prometheus, summary::Summary};

/// Where the figures come from.
pub trait LocalData: Send + Sync + 'static {
    /// The totals of this moment; `None` while there are none.
    fn collect(&self) -> impl Future<Output = Option<ExportMetricsServiceRequest>> + Send;

    /// Whether the exporter does its work: configuration loaded, spool readable, checkpoint loaded. If not, why.
    fn ready(&self) -> Result<(), String>;

    /// Whether all that had been recorded has been read. Before that the totals run through the past.
    fn is_caught_up(&self) -> bool;

    /// A sentence on how the exporter is doing, for people: destinations without their secrets, state, lag.
    fn health(&self) -> String;
}

const CSS: &str = "text/css; charset=utf-8";
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";

/// A whole answer.
pub type Answer = Response<Full<Bytes>>;

/// Answers a request that the guard has let in.
pub async fn answer(method: &Method, path: &str, data: &impl LocalData, past: &Past) -> Answer {
    if method != Method::GET && method != Method::HEAD {
        let mut refusal = text(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD are answered here\n");
        refusal.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return refusal;
    }
    match path {
        "/" => asset("text/html; charset=utf-8", page(data).await),
        "/page.css" => asset(CSS, page::STYLE),
        "/page.js" => asset(JAVASCRIPT, page::SCRIPT),
        "/charts.js" => asset(JAVASCRIPT, page::CHARTS),
        "/icon.svg" => asset("image/svg+xml", page::ICON),
        "/uplot.css" => asset(CSS, page::UPLOT_STYLE),
        "/uplot.js" => asset(JAVASCRIPT, page::UPLOT_SCRIPT),
        "/api/history.json" => asset("application/json", past.with_now(data).await),
        "/metrics" => metrics(data).await,
        "/-/healthy" => text(StatusCode::OK, "healthy\n"),
        "/-/ready" => ready(data),
        _ => text(StatusCode::NOT_FOUND, "not found; see /, /metrics, /-/healthy, /-/ready\n"),
    }
}

/// A plain answer.
pub fn text(status: StatusCode, body: impl Into<Bytes>) -> Answer {
    respond(status, "text/plain; charset=utf-8", body)
}

async fn page(data: &impl LocalData) -> String {
    let summary = data.collect().await.map(|request| Summary::of(&request));
    page::render(summary.as_ref(), &data.health(), data.ready().err().as_deref())
}

async fn metrics(data: &impl LocalData) -> Answer {
    match data.collect().await {
        Some(request) => respond(StatusCode::OK, prometheus::CONTENT_TYPE, prometheus::render(&request)),
        None => text(StatusCode::SERVICE_UNAVAILABLE, "no totals yet\n"),
    }
}

fn ready(data: &impl LocalData) -> Answer {
    match data.ready() {
        Ok(()) => text(StatusCode::OK, "ready\n"),
        Err(why) => text(StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {why}\n")),
    }
}

fn asset(content_type: &'static str, body: impl Into<Bytes>) -> Answer {
    respond(StatusCode::OK, content_type, body)
}

fn respond(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = status;
    set(answer.headers_mut(), CONTENT_TYPE, content_type);
    set(answer.headers_mut(), CACHE_CONTROL, "no-store");
    set(answer.headers_mut(), X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(answer.headers_mut(), REFERRER_POLICY, "no-referrer");
    set(answer.headers_mut(), CONTENT_SECURITY_POLICY, page::CONTENT_SECURITY_POLICY);
    answer
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    headers.insert(name, HeaderValue::from_static(value));
}
