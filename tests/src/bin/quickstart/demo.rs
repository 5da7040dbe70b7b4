//! The demonstration: a provider of our own, and a short conversation with it through the proxy.

use ccxray_tests::{
    client::{Client, Conversation},
    upstream::{Answer, Message, Upstream, Usage, script::in_order},
};
use serde_json::json;

use crate::Failed;

const MODEL: &str = "claude-opus-4-8";
const SESSION: &str = "dec0de00-0000-4000-8000-000000000000";

/// How many requests the conversation takes.
pub(crate) const REQUESTS: u8 = 3;

/// A provider that knows the answers of the conversation.
pub(crate) async fn upstream() -> Upstream {
    Upstream::start(in_order(answers())).await
}

fn answers() -> [Answer; 3] {
    let usage = |input, output, cache_read, write_5m| Usage {
        input,
        output,
        cache_read,
        write_5m,
        ..Usage::default()
    };
    let message = |id: &str, usage| Message::of(MODEL).id(id).usage(usage);
    [
        message("msg_1", usage(12, 96, 0, 14_310))
            .thinking("First the failing test, then the code.")
            .tool("Bash", json!({"command": "cargo test"}))
            .tool("mcp__demo__echo", json!({"text": "the ticket"}))
            .tool("Skill", json!({"skill": "debugging"})),
        message("msg_2", usage(9, 154, 14_310, 1_822))
            .tool("Agent", json!({"subagent_type": "Explore", "prompt": "Where is the loop?"}))
            .tool("Edit", json!({"file_path": "src/lib.rs"})),
        message("msg_3", usage(7, 61, 16_132, 310))
            .text("The test passes: the loop ended one step too early."),
    ]
    .map(|message| message.streamed())
}

/// Holds the conversation through the proxy at `address`.
pub(crate) async fn converse(address: &str) -> Result<(), Failed> {
    let client = Client::new(&format!("http://{address}/_ccxray/demo/-"));
    let mut conversation = Conversation::new(SESSION, MODEL);
    conversation.say("Why does the test fail?");
    for request in 1..=REQUESTS {
        let answered = client.ask(&conversation.ask()).await;
        if answered.status != 200 {
            let body = String::from_utf8_lossy(&answered.body);
            return Err(
                format!("request {request} of the demonstration got {}: {body}", answered.status).into()
            );
        }
        // The test fails, and so the call does.
        conversation.take_in(&answered, "done", &["Bash"]);
    }
    Ok(())
}
