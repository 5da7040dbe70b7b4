//! What went over the wire is what the collector's metrics say, to the last token.

use ccxray_tests::{
    World,
    client::{Ask, Client, Conversation, SESSION},
    daemons::{Exporter, Proxy},
    eventually,
    truth::{Series, Totals},
    upstream::{Answer, Call, Encoding, Gate, Message, Pace, Sending, Upstream, Usage, script::in_order},
    wire::Break,
};
use serde_json::json;

const OPUS: &str = "claude-opus-4-8";
const HAIKU: &str = "claude-haiku-4-5";

fn text(n: u64) -> Message {
    Message::of(OPUS).id(&format!("msg_{n:08x}")).thinking("Hm.").text("Here it is.").usage(Usage::sample(n))
}

fn calls(n: u64) -> Message {
    let echo = Call::new("mcp__demo__echo", json!({"text": "hello"})).mcp("demo", "echo");
    text(n).tool("Bash", json!({"command": "ls"})).call(echo)
}

async fn ask_all(world: &World, asks: usize) {
    for n in 0..asks {
        world.client.ask(&Ask::simple(&format!("Question {n}"))).await;
    }
}

#[tokio::test]
async fn a_conversation_counts_as_it_was_served_in_every_encoding() {
    let mut answers = vec![calls(0).streamed(), calls(1).whole()];
    answers.extend(Encoding::ALL.iter().zip(2..).map(|(&encoding, n)| calls(n).streamed().encoded(encoding)));
    answers.extend(Encoding::ALL.iter().zip(6..).map(|(&encoding, n)| calls(n).whole().encoded(encoding)));
    answers.push(calls(10).streamed().encoded(Encoding::Brotli).pace(Pace::Split(1)));
    answers.push(text(11).streamed());
    let steps = answers.len();
    let world = World::start(in_order(answers)).await;

    let mut conversation = Conversation::new(SESSION, OPUS);
    conversation.say("Do it.");
    for _ in 0..steps {
        let answered = world.client.ask(&conversation.ask()).await;
        conversation.take_in(&answered, "done", &["mcp__demo__echo"]);
    }
    let truth = world.truth();
    assert_eq!(truth.sum("ccxray.tool.invocations_total"), 22);
    assert_eq!(truth.sum("ccxray.sessions_total"), 1);
    world.settled().await;
}

#[tokio::test]
async fn sessions_and_models_are_told_apart() {
    let dated = "claude-haiku-4-5-20251001";
    let unpriced = "claude-of-next-year";
    let models = [OPUS, HAIKU, dated, unpriced];
    let world = World::start(in_order(
        models
            .iter()
            .zip(0..)
            .map(|(model, n)| Message::of(model).text("Yes.").usage(Usage::sample(n)).streamed()),
    ))
    .await;
    for (number, model) in models.iter().enumerate() {
        let session = format!("00000000-0000-4000-8000-00000000000{}", number / 2);
        let ask = Ask::turn(&session, model, &json!([{"role": "user", "content": "Is it?"}]));
        world.client.ask(&ask).await;
    }
    assert_eq!(world.truth().sum("ccxray.sessions_total"), 2);
    assert_eq!(world.truth().sum("ccxray.cost.unpriced_total"), 1);
    world.settled().await;
}

#[tokio::test]
async fn errors_count_by_their_kind_and_the_retry_counts_too() {
    let answers = vec![
        Answer::rate_limited(1),
        Answer::overloaded(),
        Answer::prompt_too_long(),
        Answer::error(401, "authentication_error", "invalid x-api-key"),
        Answer::error(500, "api_error", "Internal server error"),
        Answer::html_bad_gateway(),
        text(1).streamed().fails_in_stream_after(3, "overloaded_error", "Overloaded"),
        text(2).streamed().fails_in_stream_after(3, "a_new_error", "Something new"),
        text(3).streamed(),
    ];
    let asks = answers.len();
    let world = World::start(in_order(answers)).await;
    for _ in 0..asks {
        world.client.ask(&Ask::simple("The same question again")).await;
    }
    assert_eq!(world.truth().sum("ccxray.errors_total"), 8);
    world.settled().await;
}

#[tokio::test]
async fn broken_answers_count_what_they_had_told() {
    let whole = calls(1).streamed();
    let before_the_end = whole.pieces() - 1;
    let answers = vec![
        // Before any of the head, within it, behind it.
        whole.clone().cut(0, Break::Fin),
        whole.clone().cut(20, Break::Rst),
        whole.clone().cut_after_pieces(0, Break::Fin),
        // With the input told; with content; with the output told; all but the last event.
        whole.clone().cut_after_pieces(1, Break::Fin),
        whole.clone().cut_after_pieces(2, Break::Fin),
        whole.clone().cut_after_pieces(before_the_end, Break::Fin),
        whole.clone().without_terminal(),
        whole.clone().encoded(Encoding::Gzip).cut_after_pieces(before_the_end, Break::Fin),
        whole,
    ];
    let asks = answers.len();
    let world = World::start(in_order(answers)).await;
    for n in 0..asks {
        // A broken connection is not used again.
        world.client.fresh().ask(&Ask::simple(&format!("Question {n}"))).await;
    }
    assert_eq!(world.truth().sum("ccxray.invariants.sse_truncated_total"), 6);
    world.settled().await;
}

#[tokio::test]
async fn other_stop_reasons_count_under_their_names() {
    let reasons = ["max_tokens", "refusal", "stop_sequence", "pause_turn", "model_context_window_exceeded"];
    let world = World::start(in_order(
        reasons.iter().zip(0..).map(|(reason, n)| text(n).stop_reason(reason).streamed()),
    ))
    .await;
    ask_all(&world, reasons.len()).await;
    assert_eq!(world.truth().get("ccxray.stop_reason_total{reason=context_window}"), 1);
    world.settled().await;
}

#[tokio::test]
async fn probes_and_token_counts_are_requests_that_cost_nothing() {
    let world =
        World::start(in_order([Answer::json(&json!({})), Answer::token_count(4_321), text(1).streamed()]))
            .await;
    world.client.ask(&Ask::probe()).await;
    world.client.ask(&Ask::token_count(SESSION, OPUS, "How long is this?")).await;
    ask_all(&world, 1).await;
    assert_eq!(world.truth().sum("ccxray.tokens.input_total"), 1_008);
    world.settled().await;
}

#[tokio::test]
async fn a_client_that_leaves_is_no_error_and_pays_what_it_was_told() {
    let gate = Gate::closed();
    let world = World::start(in_order([text(1).streamed().pace(Pace::Gated(gate.clone()))])).await;
    let mut answering = world.client.begin(&Ask::simple("Hi")).await.expect("the head comes at once");
    gate.let_through(3);
    let told = text(1).streamed().body_of_first(3).len();
    answering.at_least(told).await;
    drop(answering);
    let aborted = "ccxray.requests_total{class=turn,provider=anthropic,route=messages,status=aborted}";
    eventually("the upstream to see the client leave", || {
        (world.upstream.served()[0].sending == Sending::ClientLeft).then_some(())
    })
    .await;
    assert_eq!(world.truth().get(aborted), 1);
    assert_eq!(world.truth().sum("ccxray.errors_total"), 0);
    world.settled().await;
}

#[tokio::test]
async fn an_upstream_that_is_not_there_is_unreachable() {
    let mut world = World::start(in_order([])).await;
    let gone = Upstream::start(in_order([])).await.url();
    world.proxy = Proxy::start(&world.state, &gone).await;
    let answered = Client::new(&world.proxy.url()).ask(&Ask::simple("Anybody?")).await;
    assert_eq!(answered.status, 502);
    let request =
        [("provider", "anthropic"), ("route", "messages"), ("class", "turn"), ("status", "unreachable")];
    let truth: Totals = [
        (Series::new("ccxray.requests_total", request), 1),
        (Series::new("ccxray.errors_total", [("provider", "anthropic"), ("type", "connection")]), 1),
        (Series::new("ccxray.sessions_total", [("provider", "anthropic")]), 1),
    ]
    .into_iter()
    .collect();
    world.settled_at(&truth).await;
}

#[tokio::test]
async fn an_exporter_that_comes_back_goes_on_where_it_was() {
    let mut world = World::start(in_order((0..3).map(|n| text(n).streamed()))).await;
    ask_all(&world, 1).await;
    world.settled().await;
    world.exporter.stop().await;
    ask_all(&world, 1).await;
    world.exporter = Exporter::to(&world.collector.url()).start(&world.state).await;
    ask_all(&world, 1).await;
    world.settled().await;
    let mut instances: Vec<_> = world.collector.points().into_iter().map(|point| point.instance).collect();
    instances.dedup();
    assert_eq!(instances.len(), 1, "it is the same instance as before");
}

#[tokio::test]
async fn two_proxies_share_one_spool() {
    let mut world = World::start(in_order((0..20).map(|n| calls(n).streamed()))).await;
    let second = Proxy::start(&world.state, &world.upstream.url()).await;
    let other = Client::new(&second.url());
    for n in 0..10 {
        let (ask, same) = (Ask::simple(&format!("Question {n}")), Ask::simple(&format!("Another {n}")));
        tokio::join!(world.client.ask(&ask), other.ask(&same));
    }
    world.settled().await;
    world.proxy.stop().await;
}
