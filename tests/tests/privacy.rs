//! Secrets in every place of the traffic that can hold one: none of them is found anywhere afterwards.

use ccxray_tests::{
    World,
    canary::Canaries,
    client::{Ask, Client, SESSION},
    daemons::Exporter,
    eventually,
    upstream::{Answer, Encoding, Message, Usage, script::in_order},
    wire::Break,
};
use serde_json::json;

const OPUS: &str = "claude-opus-4-8";

/// An answer with a secret in each of its free texts and ids.
fn telling(canaries: &Canaries) -> Message {
    Message::of(OPUS)
        .id(&format!("msg_{}", canaries.mint("message-id")))
        .thinking(&canaries.mint("thinking"))
        .text(&canaries.mint("text"))
        .tool("Bash", json!({"command": format!("rm -rf /home/{}", canaries.mint("command"))}))
        .tool("Write", json!({"file_path": canaries.mint("path"), "content": canaries.mint("file")}))
        .usage(Usage::sample(1))
}

/// A request with a secret in each of its header values, its query, its texts and its ids.
fn asking(canaries: &Canaries) -> Ask {
    let messages = json!([
        {"role": "user", "content": [{"type": "text", "text": canaries.mint("prompt")}]},
        {"role": "system", "content": canaries.mint("reminder")},
        {"role": "assistant", "content": [
            {"type": "tool_use", "id": canaries.mint("call-id"), "name": "Bash", "input": {"command": canaries.mint("input")}},
        ]},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": canaries.mint("result-id"), "is_error": true,
             "content": canaries.mint("result")},
        ]},
    ]);
    let session = format!("{}-{}", &SESSION[..8], canaries.mint("session"));
    let secret = |place| format!("Bearer {}", canaries.mint(place));
    Ask::turn(&session, OPUS, &messages)
        .target(&format!("/v1/messages?beta=true&key={}", canaries.mint("query")))
        .header("authorization", &secret("authorization"))
        .header("x-api-key", &canaries.mint("api-key"))
        .header("x-goog-api-key", &canaries.mint("other-api-key"))
        .header("cookie", &canaries.mint("cookie"))
        .header("user-agent", &format!("claude-cli/2.1.197 ({})", canaries.mint("user-agent")))
        .header("anthropic-beta", &canaries.mint("beta"))
        .header("x-claude-code-agent-id", &canaries.mint("agent-id"))
        .header("x-custom", &canaries.mint("custom"))
}

fn answers(canaries: &Canaries) -> Vec<Answer> {
    let with_headers = |answer: Answer| {
        answer
            .header("request-id", &canaries.mint("request-id"))
            .header("set-cookie", &canaries.mint("set-cookie"))
    };
    [
        telling(canaries).streamed(),
        telling(canaries).streamed().encoded(Encoding::Gzip),
        telling(canaries).whole().encoded(Encoding::Zstd),
        telling(canaries).streamed().cut_after_pieces(5, Break::Fin),
        telling(canaries).streamed().fails_in_stream_after(5, "api_error", &canaries.mint("in-stream-error")),
        Answer::error(400, "invalid_request_error", &canaries.mint("error")),
        Answer::error(401, "authentication_error", &canaries.mint("credentials-error")),
        Answer::error(500, &format!("no type at all {}", canaries.mint("error-type")), "wrong"),
        Answer::html_bad_gateway(),
    ]
    .map(with_headers)
    .into()
}

/// What the world shows to those who may look: the local page, and what `status` prints.
async fn shown(world: &World) -> Vec<u8> {
    let page = Client::new(&world.exporter.url());
    let mut shown = Vec::new();
    for path in ["/", "/metrics", "/-/healthy", "/-/ready"] {
        let answered = page.ask(&Ask::get(path)).await;
        assert_eq!(answered.status, 200, "{path}");
        shown.extend(answered.body);
        shown.extend(format!("{:?}", answered.headers).into_bytes());
    }
    shown.extend(Exporter::command(&world.state, &["status"]).into_bytes());
    shown
}

#[tokio::test]
async fn no_secret_of_the_traffic_is_kept_shown_or_sent() {
    let canaries = Canaries::default();
    let answers = answers(&canaries);
    let asks: Vec<_> = answers.iter().map(|_| asking(&canaries)).collect();
    let world = World::start_logging(in_order(answers), "trace").await;
    for ask in &asks {
        world.client.fresh().ask(ask).await;
    }
    // One that the proxy refuses at its own door, and one that it does not know.
    let refused = asking(&canaries).header("origin", &format!("https://{}.example", canaries.mint("origin")));
    world.client.ask(&refused).await;
    world.client.fresh().ask(&asking(&canaries).target(&format!("/{}", canaries.mint("target")))).await;

    // The secrets were really there, and the traffic was really counted.
    let seen: Vec<u8> =
        world.upstream.served().iter().flat_map(|served| served.request.body.clone()).collect();
    assert!(canaries.found_in(&seen).len() >= asks.len() * 6);
    eventually("the collector to count the traffic", || {
        (world.collector.totals().sum("ccxray.requests_total") >= asks.len() as i128).then_some(())
    })
    .await;

    assert_eq!(canaries.found_in(&shown(&world).await), Vec::<String>::new(), "on the page or in `status`");
    for push in world.collector.received() {
        assert_eq!(canaries.found_in(&push.plain), Vec::<String>::new(), "in a push");
        let head = format!("{} {:?}", push.request.target, push.request.headers);
        assert_eq!(canaries.found_in(head.as_bytes()), Vec::<String>::new(), "in the head of a push");
    }
    assert_eq!(canaries.found_below(world.state.root()), Vec::<String>::new(), "in spool, state or logs");
}
