//! The real Claude Code holds a conversation with tool calls through the proxy, and a real database counts it.

use ccxray_tests::{
    backends::VictoriaMetrics,
    client::claude_code,
    daemons::{Exporter, Proxy, State},
    eventually::eventually_equal,
    truth::{expected, from_upstream},
    upstream::{Upstream, script},
};
use serde_json::json;

#[tokio::test]
async fn every_counter_at_a_real_database_is_what_a_real_claude_code_was_served() {
    let state = State::new();
    let calls = vec![
        ("Bash", json!({"command": "echo hello", "description": "Says hello"})),
        ("Read", json!({"file_path": state.root().join("project/README.md")})),
        ("Bash", json!({"command": "false", "description": "Fails"})),
    ];
    let upstream = Upstream::start(script::conversation(calls)).await;
    let proxy = Proxy::start(&state, &upstream.url()).await;
    let victoria = VictoriaMetrics::start(&state).await;
    let _exporter = Exporter::to(&victoria.otlp()).start(&state).await;

    for prompt in ["Look around.", "Look again."] {
        assert!(claude_code(&state, &proxy.url(), prompt).await.contains("All done."));
    }
    let truth = expected(&from_upstream(&upstream.served()));
    assert_eq!(truth.get("ccxray.tool.invocations_total{provider=anthropic,tool=Bash}"), 4);
    assert_eq!(truth.get("ccxray.stop_reason_total{reason=end_turn}"), 2);
    assert_eq!(truth.sum("ccxray.sessions_total"), 2);
    eventually_equal("the database to hold the truth", &truth, async || victoria.totals().await).await;
}
