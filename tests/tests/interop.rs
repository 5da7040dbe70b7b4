//! Receivers that others wrote agree with the truth.

use ccxray_tests::{
    backends::{Rotel, VictoriaMetrics},
    client::{Ask, Client, Conversation, SESSION},
    daemons::{Exporter, Proxy, State},
    eventually::eventually_equal,
    truth::{Totals, expected, from_upstream},
    upstream::{Answer, Encoding, Message, Upstream, Usage, script::in_order},
    wire::Break,
};
use serde_json::json;

const OPUS: &str = "claude-opus-4-8";

/// Some of everything, through a proxy with its spool in `state`; what the metrics must say of it.
async fn traffic(state: &State) -> Totals {
    let message = |n: u64| Message::of(OPUS).id(&format!("msg_{n}")).usage(Usage::sample(n));
    let calls =
        |n: u64| message(n).thinking("Hm.").tool("Bash", json!({"command": "ls"})).tool("Read", json!({}));
    let upstream = Upstream::start(in_order([
        Answer::overloaded(),
        calls(1).streamed().encoded(Encoding::Gzip),
        calls(2).streamed(),
        calls(3).streamed().fails_in_stream_after(2, "overloaded_error", "Overloaded"),
        message(4).text("Done.").streamed().cut_after_pieces(3, Break::Fin),
        message(5).text("Done.").whole().encoded(Encoding::Zstd),
    ]))
    .await;
    let mut proxy = Proxy::start(state, &upstream.url()).await;
    let client = Client::new(&proxy.url());
    let mut conversation = Conversation::new(SESSION, OPUS);
    conversation.say("Do it.");
    for step in 0..6 {
        let answered = client.fresh().ask(&conversation.ask()).await;
        if (1..=2).contains(&step) {
            conversation.take_in(&answered, "done", &[]);
        }
    }
    client.ask(&Ask::simple("The script is over")).await;
    proxy.stop().await;
    expected(&from_upstream(&upstream.served()))
}

#[tokio::test]
async fn a_metrics_database_stores_what_the_upstream_served() {
    let state = State::new();
    let victoria = VictoriaMetrics::start(&state).await;
    let exporter = Exporter::to(&victoria.otlp()).start(&state).await;
    let truth = traffic(&state).await;
    eventually_equal("the database to hold the truth", &truth, async || victoria.totals().await).await;
    drop(exporter);
}

#[tokio::test]
async fn a_collector_in_its_own_words_says_what_the_upstream_served() {
    let state = State::new();
    let rotel = Rotel::start(&state).await;
    let exporter = Exporter::to(&rotel.otlp()).start(&state).await;
    let truth = traffic(&state).await;
    eventually_equal("rotel to print the truth", &truth, async || rotel.totals()).await;
    drop(exporter);
}
