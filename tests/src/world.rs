//! All parts together, as a user has them.

use crate::{
    client::Client,
    collector::Collector,
    daemons::{Exporter, Proxy, RunningExporter, State},
    eventually::eventually_equal,
    truth::{Totals, expected, from_upstream},
    upstream::{Upstream, script::Script},
};

/// An upstream, a proxy before it, an exporter that pushes to a collector, and a client of the proxy.
#[derive(Debug)]
pub struct World {
    /// Where the daemons keep what they keep.
    pub state: State,
    /// The provider.
    pub upstream: Upstream,
    /// The proxy.
    pub proxy: Proxy,
    /// Where the metrics go.
    pub collector: Collector,
    /// The exporter.
    pub exporter: RunningExporter,
    /// A client of the proxy.
    pub client: Client,
}

impl World {
    /// Starts everything.
    pub async fn start(script: impl Script + 'static) -> Self {
        Self::start_logging(script, "info").await
    }

    /// Starts everything, with daemons that log at this level.
    pub async fn start_logging(script: impl Script + 'static, level: &str) -> Self {
        let state = State::new();
        let upstream = Upstream::start(script).await;
        let log = ("CCXRAY_LOG".to_owned(), level.to_owned());
        let proxy =
            Proxy::start_with(&state, &upstream.url(), "127.0.0.1:0", std::slice::from_ref(&log)).await;
        let collector = Collector::start().await;
        let exporter = Exporter::to(&collector.url()).variable(&log.0, &log.1).start(&state).await;
        let client = Client::new(&proxy.url());
        Self { state, upstream, proxy, collector, exporter, client }
    }

    /// What the metrics must say by now.
    pub fn truth(&self) -> Totals {
        expected(&from_upstream(&self.upstream.served()))
    }

    /// Waits until the collector's metrics say exactly what the upstream served, and checks that they came to it
    /// soundly.
    pub async fn settled(&self) {
        self.settled_at(&self.truth()).await;
    }

    /// Waits until the collector's metrics say exactly this, and checks that they came to it soundly.
    pub async fn settled_at(&self, totals: &Totals) {
        eventually_equal("the collector's totals to be the truth", totals, async || self.collector.totals())
            .await;
        self.collector.assert_sound();
    }
}
