//! Somebody's machine: a proxy, projects with their files, and the person's own file.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use crate::{
    client::{Ask, Client},
    collector::Collector,
    daemons::{Exporter, Proxy, RunningExporter, State},
    eventually::{eventually, eventually_equal},
    exposition,
    truth::{expected, from_upstream},
    upstream::{Message, Upstream, Usage, script::always},
};

/// The name that the person goes by.
pub const NAME: &str = "somebody@example.com";

/// The requests that are counted, as a series.
const REQUESTS: &str = "ccxray.requests_total{class=turn,provider=anthropic,route=messages,status=2xx}";

/// A machine with a proxy, on which projects lie.
#[derive(Debug)]
pub struct Machine {
    /// Where everything is.
    pub state: State,
    /// The provider, which answers each question alike.
    pub upstream: Upstream,
    /// A client of the proxy.
    pub client: Client,
    _proxy: Proxy,
}

impl Machine {
    /// One on which nobody has said anything yet.
    pub async fn new() -> Self {
        let state = State::new();
        let answer = Message::of("claude-opus-4-8").text("Yes.").usage(Usage::sample(1)).streamed();
        let upstream = Upstream::start(always(answer)).await;
        let proxy = Proxy::start(&state, &upstream.url()).await;
        let client = Client::new(&proxy.url());
        Self { state, upstream, client, _proxy: proxy }
    }

    /// Where this lies, without symlinks.
    pub fn path(&self, below: &str) -> PathBuf {
        self.state.root().canonicalize().expect("it is there").join(below)
    }

    /// Makes a project whose file says this below `otel`. Its directory.
    pub fn project(&self, name: &str, otel: &Value) -> PathBuf {
        let dir = self.path(name);
        fs::create_dir_all(&dir).expect("the scratch directory can be written");
        write(&dir.join(".ccxray.json"), otel);
        dir
    }

    /// Trusts the project in this directory, as it is now.
    pub fn trusts(&self, dir: &Path) {
        let said = Exporter::command(&self.state, &["trust", dir.to_str().expect("a plain path")]);
        assert!(said.contains("trusted"), "{said}");
    }

    /// Makes a project with this tier, which sends to this collector, and trusts it. Its directory.
    pub fn trusted(&self, name: &str, tier: u8, collector: &Collector) -> PathBuf {
        let dir = self.project(name, &sends(name, tier, &collector.url()));
        self.trusts(&dir);
        dir
    }

    /// Writes the person's own file, with this below `otel`.
    pub fn person_says(&self, otel: &Value) {
        write(&self.state.home().join(".ccxray.user.json"), otel);
    }

    /// Asks so many questions, stamped with this directory.
    pub async fn asks(&self, dir: &Path, times: usize) {
        for n in 0..times {
            self.client.ask(&Ask::simple(&format!("Question {n}")).from_dir(dir)).await;
        }
    }

    /// Waits until the local page has counted all that the upstream served.
    pub async fn has_counted(&self, exporter: &RunningExporter) {
        let truth = expected(&from_upstream(&self.upstream.served()));
        let client = Client::new(&exporter.url());
        let scrape = async || {
            let answered = client.ask(&Ask::get("/metrics")).await;
            exposition::totals(&String::from_utf8_lossy(&answered.body))
        };
        eventually_equal("the local page to count the traffic", &truth, scrape).await;
    }
}

/// What a project's file says below `otel` to send as much as this tier allows to this endpoint.
pub fn sends(project: &str, tier: u8, endpoint: &str) -> Value {
    json!({"tier": tier, "endpoint": endpoint, "resource_attributes": {"project.name": project}})
}

/// What a person's own file says below `otel` to agree to this tier. At tier 2 he agrees to be named.
pub fn agrees(tier: u8) -> Value {
    json!({"tier": tier, "identity": NAME, "opt_in_acknowledged_at": "2026-11-20T10:00:00Z"})
}

/// Waits until the collector has been told of this many requests, or more.
pub async fn has_requests(collector: &Collector, requests: i128) {
    eventually("the collector to have the requests", || {
        (collector.totals().get(REQUESTS) >= requests).then_some(())
    })
    .await;
}

/// Waits until so many pushes more have come.
pub async fn pushes_on(collector: &Collector, pushes: usize) {
    let before = collector.count();
    eventually("more pushes", || (collector.count() >= before + pushes).then_some(())).await;
}

/// The distinct values of an attribute of the resource in all that was pushed.
pub fn resources(collector: &Collector, name: &str) -> Vec<Option<String>> {
    let mut values: Vec<_> = collector.received().iter().map(|push| push.resource(name)).collect();
    values.sort();
    values.dedup();
    values
}

/// Puts a whole file in the place of another, so that nobody reads half of it.
fn write(path: &Path, otel: &Value) {
    let new = path.with_extension("new");
    fs::write(&new, json!({"otel": otel}).to_string())
        .and_then(|()| fs::rename(new, path))
        .expect("the scratch directory can be written");
}
