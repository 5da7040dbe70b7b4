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
use serde_json::{Value, json};

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

    /// Waits until the database says what the upstream served, and returns that; checks what an agent that `said` this
    /// left behind.
    async fn counted(&self, said: &str) -> Totals {
        assert!(said.contains("All done."), "{said}");
        let truth = expected(&from_upstream(&self.upstream.served()));
        let found = async || self.victoria.totals().await;
        eventually_equal("the database to hold the truth", &truth, found).await;
        self.assert_stamped();
        self.assert_secret();
        truth
    }

    /// Checks that every entry is of the project, by the launcher's word.
    fn assert_stamped(&self) {
        let project = json!(self.state.project());
        let spool = Spool::read(&self.state.dir());
        assert_eq!(spool.len(), self.upstream.ledger().len());
        for entry in spool.entries() {
            assert_eq!((&entry["dir"], &entry["dir_source"]), (&project, &json!("stamp")), "{entry}");
        }
    }

    /// Checks that each secret reached the provider, and that none of them was kept.
    fn assert_secret(&self) {
        let mut sent = Vec::new();
        for served in self.upstream.served() {
            sent.extend(served.request.headers.into_iter().flat_map(|(_, value)| value.into_bytes()));
            sent.extend(served.request.body);
        }
        assert_eq!(self.canaries.found_in(&sent).len(), self.canaries.count());
        assert_eq!(self.canaries.found_below(&self.state.dir()), Vec::<String>::new());
    }
}

/// What the database counts when Codex has held a conversation with `model` in which it calls this tool once.
async fn codex_calls(model: &str, tool: &'static str, input: Value) -> Totals {
    let world = Setting::start(openai::conversation(vec![(tool, input)])).await;
    let (key, prompt) = (world.canaries.mint("key"), world.canaries.mint("prompt"));
    let said = codex(&world.state, &world.proxy, model, &key, &prompt).await;
    world.counted(&said).await
}

/// What the database counts when Gemini CLI has held a conversation with `model` in which it reads a file.
async fn gemini_reads(model: &str) -> Totals {
    let call = ("read_file", json!({"file_path": "README.md"}));
    let world = Setting::start(gemini::conversation(vec![call])).await;
    let (key, prompt) = (world.canaries.mint("key"), world.canaries.mint("prompt"));
    let said = gemini_cli(&world.state, &world.proxy, model, &key, &prompt).await;
    world.counted(&said).await
}

fn assert_counts(totals: &Totals, counts: &[(&str, i128)]) {
    for (series, count) in counts {
        assert_eq!(totals.get(series), *count, "{series} of {totals:#?}");
    }
}

#[tokio::test]
async fn every_counter_at_a_real_database_is_what_a_real_codex_was_served() {
    if !installed("codex") {
        return;
    }
    let totals = codex_calls("gpt-5.5", "exec_command", json!({"cmd": "cat README.md"})).await;
    let counts = [
        ("ccxray.requests_total{class=turn,provider=openai,route=responses,status=2xx}", 2),
        ("ccxray.tool.invocations_total{provider=openai,tool=exec_command}", 1),
        ("ccxray.stop_reason_total{reason=tool_use}", 1),
        ("ccxray.stop_reason_total{reason=end_turn}", 1),
        ("ccxray.sessions_total{provider=openai}", 1),
        ("ccxray.tokens.input_total{model=gpt-5.5,provider=openai}", 1_008 + 1_015),
        ("ccxray.tokens.cache_read_total{model=gpt-5.5,provider=openai}", 9_024 + 9_035),
        ("ccxray.tokens.cache_creation_total{model=gpt-5.5,provider=openai}", 472 + 490),
        ("ccxray.tokens.output_total{model=gpt-5.5,provider=openai}", 214 + 217),
        ("ccxray.tokens.reasoning_total{model=gpt-5.5,provider=openai}", 18 + 19),
        // 2023 × 5 + 18059 × 0.5 + 962 × 5 + 431 × 30 millionths of a dollar.
        ("ccxray.cost.usd_total{model=gpt-5.5,provider=openai}", 36_884_500_000),
        // WebSocket, which was refused.
        ("ccxray.requests_total{class=other,provider=openai,route=responses,status=4xx}", 1),
        ("ccxray.errors_total{provider=openai,type=other}", 1),
    ];
    assert_counts(&totals, &counts);
}

#[tokio::test]
async fn a_real_codex_that_writes_scripts_is_counted_as_well() {
    if !installed("codex") {
        return;
    }
    let script = r#"text(JSON.stringify(await tools.exec_command({cmd: "cat README.md"})));"#;
    let totals = codex_calls("gpt-6.1-sol", "exec", json!(script)).await;
    let counts = [
        ("ccxray.tool.invocations_total{provider=openai,tool=exec}", 1),
        ("ccxray.stop_reason_total{reason=tool_use}", 1),
        // 2023 × 2 + 18059 × 0.1 + 962 × 2.5 + 431 × 10 millionths of a dollar.
        ("ccxray.cost.usd_total{model=gpt-6.1-sol,provider=openai}", 12_566_900_000),
    ];
    assert_counts(&totals, &counts);
}

#[tokio::test]
async fn every_counter_at_a_real_database_is_what_a_real_gemini_cli_was_served() {
    if !installed("gemini") {
        return;
    }
    let totals = gemini_reads("gemini-2.5-pro").await;
    let counts = [
        ("ccxray.requests_total{class=turn,provider=gemini,route=stream_generate_content,status=2xx}", 2),
        ("ccxray.tool.invocations_total{provider=gemini,tool=read_file}", 1),
        ("ccxray.stop_reason_total{reason=tool_use}", 1),
        ("ccxray.stop_reason_total{reason=end_turn}", 1),
        ("ccxray.sessions_total{provider=gemini}", 1),
        ("ccxray.tokens.input_total{model=gemini-2.5-pro,provider=gemini}", 1_008 + 1_015),
        ("ccxray.tokens.cache_read_total{model=gemini-2.5-pro,provider=gemini}", 9_024 + 9_035),
        ("ccxray.tokens.output_total{model=gemini-2.5-pro,provider=gemini}", 214 + 217),
        ("ccxray.tokens.reasoning_total{model=gemini-2.5-pro,provider=gemini}", 18 + 19),
        // 2023 × 1.25 + 18059 × 0.125 + 431 × 10 millionths of a dollar.
        ("ccxray.cost.usd_total{model=gemini-2.5-pro,provider=gemini}", 9_096_125_000),
    ];
    assert_counts(&totals, &counts);
}

#[tokio::test]
async fn a_real_gemini_cli_that_asks_which_model_to_ask_is_counted_as_well() {
    if !installed("gemini") {
        return;
    }
    let totals = gemini_reads("auto").await;
    let counts = [
        ("ccxray.requests_total{class=helper,provider=gemini,route=generate_content,status=2xx}", 1),
        ("ccxray.requests_total{class=turn,provider=gemini,route=stream_generate_content,status=2xx}", 2),
        ("ccxray.sessions_total{provider=gemini}", 1),
        // 1008 × 0.3 + 9024 × 0.03 + 214 × 2.5 millionths of a dollar.
        ("ccxray.cost.usd_total{model=gemini-3.5-flash-lite,provider=gemini}", 1_108_120_000),
        // 2037 × 0.75 + 18081 × 0.075 + 437 × 3.75 millionths of a dollar.
        ("ccxray.cost.usd_total{model=gemini-3.8-flash,provider=gemini}", 4_522_575_000),
    ];
    assert_counts(&totals, &counts);
}
