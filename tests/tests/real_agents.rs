//! Real agents of other providers, started as users start them, and a real database that counts what they were served.

use ccxray_tests::{
    backends::VictoriaMetrics,
    canary::Canaries,
    client::{codex, gemini_cli, installed},
    daemons::{Exporter, Proxy, RunningExporter, State},
    eventually::eventually_equal,
    spool::Spool,
    truth::{Totals, expected, from_upstream},
    upstream::{Upstream, gemini, openai, script::Script},
};
use serde_json::json;

/// Everything from the provider to the database, and secrets to look for.
struct Setting {
    state: State,
    upstream: Upstream,
    proxy: Proxy,
    victoria: VictoriaMetrics,
    _exporter: RunningExporter,
    canaries: Canaries,
}

impl Setting {
    async fn start(script: impl Script + 'static) -> Self {
        let state = State::new();
        let upstream = Upstream::start(script).await;
        let proxy = Proxy::start(&state, &upstream.url()).await;
        let victoria = VictoriaMetrics::start(&state).await;
        let exporter = Exporter::to(&victoria.otlp()).start(&state).await;
        Self { state, upstream, proxy, victoria, _exporter: exporter, canaries: Canaries::default() }
    }

    /// Waits until the database says what the upstream served; returns that.
    async fn settled(&self) -> Totals {
        for served in self.upstream.served() {
            println!("{:?} {:?} {:?}", served.request, served.status, served.told);
        }
        let truth = expected(&from_upstream(&self.upstream.served()));
        for (series, value) in truth.iter() { println!("{series:?} {value}"); }
        for entry in Spool::read(&self.state.dir()).entries() { println!("{entry}"); }
        let found = async || self.victoria.totals().await;
        eventually_equal("the database to hold the truth", &truth, found).await;
        truth
    }

    /// Checks that every entry bears the project and where it is from, and that nothing kept holds a secret.
    fn assert_stamped_and_secret(&self) {
        let project = self.state.project().display().to_string();
        let spool = Spool::read(&self.state.dir());
        assert_eq!(spool.len(), self.upstream.ledger().len());
        for entry in spool.entries() {
            assert_eq!((&entry["dir"], &entry["dir_source"]), (&json!(project), &json!("stamp")), "{entry}");
        }
        assert_eq!(self.canaries.found_below(&self.state.dir()), Vec::<String>::new());
        let sent = self.upstream.served().into_iter().flat_map(|served| {
            let headers = served.request.headers.into_iter().flat_map(|(_, value)| value.into_bytes());
            headers.chain(served.request.body).collect::<Vec<_>>()
        });
        let sent: Vec<u8> = sent.collect();
        assert_eq!(self.canaries.found_in(&sent).len(), self.canaries.count(), "all of them were sent");
    }
}

#[tokio::test]
async fn every_counter_at_a_real_database_is_what_a_real_codex_was_served() {
    if !installed("codex") {
        return;
    }
    let run = json!({"cmd": "cat README.md"});
    let world = Setting::start(openai::conversation(vec![("exec_command", run)])).await;
    let (key, prompt) = (world.canaries.mint("key"), world.canaries.mint("prompt"));
    let said = codex(&world.state, &world.proxy, "gpt-5.5", &key, &prompt).await;
    println!("{said}");
    assert!(said.contains("All done."), "{said}");
    let truth = world.settled().await;
    assert_eq!(truth.get("ccxray.tool.invocations_total{provider=openai,tool=exec_command}"), 1);
    assert_eq!(truth.get("ccxray.stop_reason_total{reason=tool_use}"), 1);
    assert_eq!(truth.get("ccxray.stop_reason_total{reason=end_turn}"), 1);
    assert_eq!(truth.get("ccxray.sessions_total{provider=openai}"), 1);
    world.assert_stamped_and_secret();
}

#[tokio::test]
async fn every_counter_at_a_real_database_is_what_a_real_gemini_cli_was_served() {
    if !installed("gemini") {
        return;
    }
    let world = Setting::start(gemini::conversation(vec![("read_file", json!({"file_path": "README.md"}))])).await;
    let (key, prompt) = (world.canaries.mint("key"), world.canaries.mint("prompt"));
    let said = gemini_cli(&world.state, &world.proxy, "gemini-2.5-pro", &key, &prompt).await;
    println!("{said}");
    assert!(said.contains("All done."), "{said}");
    let truth = world.settled().await;
    assert_eq!(truth.get("ccxray.tool.invocations_total{provider=gemini,tool=read_file}"), 1);
    assert_eq!(truth.get("ccxray.stop_reason_total{reason=end_turn}"), 1);
    assert_eq!(truth.get("ccxray.sessions_total{provider=gemini}"), 1);
    world.assert_stamped_and_secret();
}
