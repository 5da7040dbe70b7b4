//! The real Claude Code.

use ccxray_tests::{
    client::claude_code,
    daemons::State,
    truth::{expected, from_upstream},
    upstream::{Upstream, script},
};
use serde_json::json;

#[tokio::test]
async fn directly() {
    let state = State::new();
    let calls = vec![
        ("Bash", json!({"command": "echo hello", "description": "Says hello"})),
        ("Read", json!({"file_path": state.root().join("project/README.md")})),
    ];
    let upstream = Upstream::start(script::conversation(calls)).await;
    let said = claude_code(&state, &upstream.url(), "Look around.").await;
    eprintln!("{said}");
    for served in upstream.served() {
        eprintln!(
            "{} {} {:?} {:?}",
            served.request.method,
            served.request.target,
            served.request.session(),
            served.sending
        );
    }
    eprintln!("{:#?}", expected(&from_upstream(&upstream.served())));
    assert!(said.contains("All done."));
    panic!();
}
