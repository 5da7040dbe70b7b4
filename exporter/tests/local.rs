//! The local server over real sockets: who is answered, what, and for how long.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use ccxray_exporter::local::{LocalData, bind, server::BindError};
use ccxray_shared::daemon::guard::Guard;
use opentelemetry_proto::tonic::{
    collector::metrics::v1::ExportMetricsServiceRequest,
    metrics::v1::{
        Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum, metric::Data, number_data_point::Value,
    },
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

const PATIENCE: Duration = Duration::from_secs(20);

struct Figures {
    is_ready: Arc<AtomicBool>,
    is_caught_up: Arc<AtomicBool>,
}

impl LocalData for Figures {
    async fn collect(&self) -> Option<ExportMetricsServiceRequest> {
        self.is_ready.load(Ordering::Relaxed).then(totals)
    }

    fn ready(&self) -> Result<(), String> {
        if self.is_ready.load(Ordering::Relaxed) { Ok(()) } else { Err("checkpoint not loaded".into()) }
    }

    fn is_caught_up(&self) -> bool {
        self.is_caught_up.load(Ordering::Relaxed)
    }

    fn health(&self) -> String {
        "No destination: nothing leaves this machine.".into()
    }
}

fn totals() -> ExportMetricsServiceRequest {
    let metrics = vec![counter("ccxray.requests_total", 5), counter("ccxray.sessions_total", 3)];
    let scope = ScopeMetrics { metrics, ..ScopeMetrics::default() };
    let resource = ResourceMetrics { scope_metrics: vec![scope], ..ResourceMetrics::default() };
    ExportMetricsServiceRequest { resource_metrics: vec![resource] }
}

fn counter(name: &str, value: i64) -> Metric {
    let point = NumberDataPoint { value: Some(Value::AsInt(value)), ..NumberDataPoint::default() };
    let sum = Sum { data_points: vec![point], aggregation_temporality: 2, is_monotonic: true };
    Metric { name: name.into(), unit: "{thing}".into(), data: Some(Data::Sum(sum)), ..Metric::default() }
}

struct Page {
    address: SocketAddr,
    is_ready: Arc<AtomicBool>,
    is_caught_up: Arc<AtomicBool>,
}

impl Page {
    async fn start() -> Self {
        let server = bind("127.0.0.1:0".parse().unwrap(), Guard::default()).await.unwrap();
        let (is_ready, is_caught_up) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicBool::new(false)));
        let address = server.address();
        let figures = Figures { is_ready: Arc::clone(&is_ready), is_caught_up: Arc::clone(&is_caught_up) };
        tokio::spawn(server.serve(figures));
        Self { address, is_ready, is_caught_up }
    }

    async fn get(&self, path: &str) -> String {
        self.send("GET", path, &self.address.to_string(), "").await
    }

    async fn send(&self, method: &str, path: &str, host: &str, headers: &str) -> String {
        let request = format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\n{headers}\r\n");
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        timeout(PATIENCE, stream.read_to_string(&mut answer)).await.expect("an end in time").unwrap();
        answer
    }
}

fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn metrics_are_prometheus_text() {
    let answer = Page::start().await.get("/metrics").await;
    assert!(answer.contains("content-type: text/plain; version=0.0.4; charset=utf-8\r\n"), "{answer}");
    let body = "# TYPE ccxray_requests_total counter\nccxray_requests_total 5\n\
                # TYPE ccxray_sessions_total counter\nccxray_sessions_total 3\n";
    assert!(answer.ends_with(&format!("\r\n\r\n{body}")), "{answer}");
}

#[tokio::test]
async fn the_page_shows_its_figures_without_a_script_and_allows_nothing_foreign() {
    let page = Page::start().await;
    let answer = page.get("/").await;
    assert!(answer.contains("<dt>Sessions</dt><dd>3</dd>"), "{answer}");
    assert!(answer.contains("nothing leaves this machine"), "{answer}");
    assert!(answer.contains("content-security-policy: default-src 'none'; script-src 'self';"), "{answer}");
    for path in ["/page.css", "/page.js", "/charts.js", "/uplot.css", "/uplot.js", "/icon.svg"] {
        assert!(answer.contains(path));
        assert_eq!(status(&page.get(path).await), 200);
    }
}

#[tokio::test]
async fn the_history_ends_with_the_figures_of_now_once_everything_has_been_read() {
    let page = Page::start().await;
    assert!(page.get("/api/history.json").await.contains("\"at\":[]"));
    page.is_caught_up.store(true, Ordering::Relaxed);
    let answer = page.get("/api/history.json").await;
    assert!(answer.contains("content-type: application/json\r\n"), "{answer}");
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    let history: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(history["requests"].as_array().unwrap().last(), Some(&5.into()));
}

#[tokio::test]
async fn readiness_is_told_apart_from_health() {
    let page = Page::start().await;
    assert_eq!((status(&page.get("/-/healthy").await), status(&page.get("/-/ready").await)), (200, 200));
    page.is_ready.store(false, Ordering::Relaxed);
    assert_eq!((status(&page.get("/-/healthy").await), status(&page.get("/metrics").await)), (200, 503));
    let answer = page.get("/-/ready").await;
    assert!(status(&answer) == 503 && answer.ends_with("not ready: checkpoint not loaded\n"), "{answer}");
    assert!(page.get("/").await.contains("The figures are being collected."));
}

#[tokio::test]
async fn other_paths_and_methods_are_refused() {
    let page = Page::start().await;
    for path in ["/favicon.ico", "/metrics/", "//", "/../metrics", "/%2e%2e/key"] {
        assert_eq!(status(&page.get(path).await), 404, "{path}");
    }
    let host = page.address.to_string();
    for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
        let answer = page.send(method, "/metrics", &host, "").await;
        assert!(status(&answer) == 405 && answer.contains("allow: GET, HEAD\r\n"), "{answer}");
    }
    let head = page.send("HEAD", "/metrics", &host, "").await;
    assert!(status(&head) == 200 && head.ends_with("\r\n\r\n"), "{head}");
}

#[tokio::test]
async fn foreign_hosts_and_web_pages_see_nothing() {
    let page = Page::start().await;
    let own = page.address.to_string();
    for (host, headers) in [
        ("evil.example", ""),
        ("127.0.0.1:1", ""),
        (own.as_str(), "origin: https://evil.example\r\n"),
        (own.as_str(), "sec-fetch-site: cross-site\r\n"),
        (own.as_str(), "host: evil.example\r\n"),
    ] {
        for path in ["/", "/metrics", "/-/healthy", "/nowhere"] {
            let answer = page.send("GET", path, host, headers).await;
            assert!(status(&answer) == 403 && !answer.contains("sessions"), "{host} {headers} {answer}");
        }
    }
}

#[tokio::test]
async fn only_loopback_is_served() {
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let refused = bind(address.parse().unwrap(), Guard::default()).await;
        assert!(matches!(refused, Err(BindError::NotLoopback { .. })), "{address}");
    }
}

#[tokio::test]
async fn an_address_in_use_is_named() {
    let page = Page::start().await;
    let error = bind(page.address, Guard::default()).await.unwrap_err().to_string();
    assert!(error.contains(&page.address.to_string()), "{error}");
}

#[tokio::test]
async fn clients_that_say_nothing_do_not_keep_others_out() {
    let page = Page::start().await;
    let mut silent = Vec::new();
    for _ in 0..40 {
        silent.push(TcpStream::connect(page.address).await.unwrap());
    }
    // More than are served at a time: the answer comes once the head timeout has freed the first ones.
    assert_eq!(status(&page.get("/-/healthy").await), 200);
    for mut stream in silent {
        assert_eq!(timeout(PATIENCE, stream.read(&mut [0; 64])).await.expect("closed").unwrap_or(0), 0);
    }
}
