//! The harness does what the other tests rely on: the upstream misbehaves exactly as told and keeps the truth,
//! the client sees exactly what was sent.

use ccxray_tests::{
    client::{Answered, Ask, Client, Conversation, End, SESSION},
    collector::{Collector, Reply},
    eventually,
    truth::{expected, from_upstream},
    upstream::{
        Answer, Encoding, Gate, Message, Milestone, Pace, Sending, Upstream, Usage,
        script::{self, in_order},
    },
    wire::Break,
};
use serde_json::json;

const OPUS: &str = "claude-opus-4-8";

fn message() -> Message {
    Message::of(OPUS).text("Hello, world").usage(Usage::sample(1))
}

async fn one(answer: Answer) -> (Answered, Upstream) {
    let upstream = Upstream::start(in_order([answer])).await;
    let answered = Client::new(&upstream.url()).ask(&Ask::simple("Hi")).await;
    (answered, upstream)
}

#[tokio::test]
async fn every_encoding_and_pace_delivers_the_same_message() {
    let plain = message().streamed();
    for encoding in Encoding::ALL {
        for pace in [Pace::Burst, Pace::Split(1)] {
            let answer = plain.clone().encoded(encoding).pace(pace);
            let (answered, _upstream) = one(answer.clone()).await;
            assert_eq!(answered.end, End::Clean);
            assert_eq!(answered.body, answer.body(), "{encoding:?}");
            assert_eq!(answered.decoded(), plain.body(), "{encoding:?}");
        }
    }
}

#[tokio::test]
async fn a_stream_cut_anywhere_before_its_last_byte_is_no_clean_end() {
    let answer = message().streamed();
    for after in 0..answer.wire_len() {
        let (answered, upstream) = one(answer.clone().cut(after, Break::Fin)).await;
        assert_ne!(answered.end, End::Clean, "cut after {after}");
        assert!(answer.body().starts_with(&answered.body), "cut after {after}");
        let served = upstream.served().remove(0);
        assert_eq!((served.sent, served.sending), (after, Sending::BrokenOff));
    }
}

#[tokio::test]
async fn the_ledger_holds_what_was_told_and_nothing_that_was_cut_off() {
    let answer = message().streamed();
    let (_, upstream) = one(answer.clone().cut_after_pieces(1, Break::Fin)).await;
    let told = upstream.served().remove(0).told;
    assert_eq!(told, [Milestone::Started { model: OPUS.into(), usage: Usage::sample(1) }]);

    let last_byte_missing = answer.cut(answer_len_to_terminal() - 1, Break::Fin);
    let (_, upstream) = one(last_byte_missing).await;
    assert!(!upstream.served()[0].terminal());
}

/// The bytes up to and with the last of the event that ends the stream.
fn answer_len_to_terminal() -> usize {
    message().streamed().wire_len() - "\r\n0\r\n\r\n".len()
}

#[tokio::test]
async fn a_reset_is_an_error_for_the_client() {
    let (answered, _upstream) = one(message().streamed().cut(0, Break::Rst)).await;
    assert_eq!(answered.end, End::NoAnswer);
}

#[tokio::test]
async fn a_gate_lets_out_one_piece_at_a_time_and_a_leaving_client_is_noticed() {
    let gate = Gate::closed();
    let upstream = Upstream::start(in_order([message().streamed().pace(Pace::Gated(gate.clone()))])).await;
    let client = Client::new(&upstream.url());
    let mut answering = client.begin(&Ask::simple("Hi")).await.unwrap();
    gate.let_through(1);
    answering.at_least(10).await;
    assert_eq!(upstream.served()[0].told.len(), 1);
    drop(answering);
    eventually("the upstream to see the client leave", || {
        (upstream.served()[0].sending == Sending::ClientLeft).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_conversation_has_its_tools_called_and_answered() {
    let calls = vec![("Bash", json!({"command": "echo hi"})), ("Read", json!({"file_path": "README.md"}))];
    let upstream = Upstream::start(script::conversation(calls)).await;
    let client = Client::new(&upstream.url());
    let mut conversation = Conversation::new(SESSION, OPUS);
    conversation.say("Look around.");
    let first = client.ask(&conversation.ask()).await;
    assert_eq!(first.content()[1]["input"], json!({"command": "echo hi"}));
    conversation.take_in(&first, "hi", &[]);
    let second = client.ask(&conversation.ask_whole()).await;
    assert_eq!(second.content()[0]["text"], "All done.");

    let truth = expected(&from_upstream(&upstream.served()));
    assert_eq!(truth.get("ccxray.tool.invocations_total{provider=anthropic,tool=Read}"), 1);
    assert_eq!(truth.get("ccxray.stop_reason_total{reason=tool_use}"), 1);
    assert_eq!(truth.get("ccxray.stop_reason_total{reason=end_turn}"), 1);
    assert_eq!(truth.sum("ccxray.tokens.output_total"), 214 + 217);
    assert_eq!(truth.sum("ccxray.sessions_total"), 1);
}

#[tokio::test]
async fn errors_keep_the_connection_and_the_truth() {
    let failing = message().streamed().fails_in_stream_after(2, "overloaded_error", "Overloaded");
    let upstream = Upstream::start(in_order([
        Answer::rate_limited(1),
        Answer::prompt_too_long(),
        Answer::html_bad_gateway(),
        failing,
    ]))
    .await;
    let client = Client::new(&upstream.url());
    let statuses = [429, 400, 502, 200];
    for status in statuses {
        let answered = client.ask(&Ask::simple("Hi")).await;
        assert_eq!((answered.status, answered.end), (status, End::Clean));
    }
    let truth = expected(&from_upstream(&upstream.served()));
    for kind in ["rate_limit", "context_length", "server", "overloaded"] {
        let series = format!("ccxray.errors_total{{provider=anthropic,type={kind}}}");
        assert_eq!(truth.get(&series), 1, "{series}");
    }
    assert_eq!(truth.get("ccxray.stop_reason_total{reason=error}"), 1);
    assert_eq!(truth.sum("ccxray.tokens.input_total"), 1008, "what the broken stream had told already");
}

#[tokio::test]
async fn a_collector_keeps_what_it_refuses_but_does_not_count_it_as_stored() {
    let collector = Collector::start().await;
    collector.reply(Reply::Status(503, Some(1)));
    let push = Ask { method: "POST", ..Ask::get("/v1/metrics") };
    let answered = Client::new(&collector.url()).ask(&push).await;
    assert_eq!((answered.status, answered.header("retry-after")), (503, Some("1")));
    assert_eq!((collector.count(), collector.received()[0].stored), (1, false));
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "waited 30s in vain: what never comes")]
async fn waiting_has_an_end() {
    eventually("what never comes", || None::<()>).await;
}
