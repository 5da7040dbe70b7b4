//! The proxy cannot be told from the way without it: not by the bytes, not by how an answer ends, and not by
//! anything that happens to the exporter.

use ccxray_tests::{
    client::{Answered, Ask, Client, End, SESSION},
    collector::Collector,
    daemons::{Exporter, Proxy, State},
    eventually,
    spool::Spool,
    upstream::{
        Answer, Encoding, Gate, Message, Pace, Sending, Upstream, Usage,
        script::{always, in_order},
    },
    wire::{Break, Request},
};
use serde_json::json;

const OPUS: &str = "claude-opus-4-8";

fn message() -> Message {
    Message::of(OPUS).text("Hello, wörld").tool("Bash", json!({"command": "ls"})).usage(Usage::sample(1))
}

/// What a client has and what the upstream saw, for each answer, with a fresh connection each.
async fn exchanges(base: &str, upstream: &Upstream, count: usize) -> Vec<(Answered, Request)> {
    let before = upstream.ledger().len();
    let client = Client::new(base);
    let mut answers = Vec::new();
    for n in 0..count {
        answers.push(client.fresh().ask(&Ask::simple(&format!("Question {n}"))).await);
    }
    let requests = upstream.served().into_iter().skip(before).map(|served| served.request);
    answers.into_iter().map(sorted).zip(requests.map(without_way)).collect()
}

fn sorted(mut answered: Answered) -> Answered {
    answered.headers.sort();
    answered
}

/// Each way to the upstream has its own name for it.
fn without_way(mut request: Request) -> Request {
    request.headers.retain(|(name, _)| name != "host");
    request.headers.sort();
    request
}

/// The same exchanges without and with the proxy.
async fn both_ways(answers: Vec<Answer>) -> Vec<[(Answered, Request); 2]> {
    let (state, count) = (State::new(), answers.len());
    let upstream = Upstream::start(in_order([answers.clone(), answers].concat())).await;
    let proxy = Proxy::start(&state, &upstream.url()).await;
    let direct = exchanges(&upstream.url(), &upstream, count).await;
    let proxied = exchanges(&proxy.url(), &upstream, count).await;
    assert_eq!((direct.len(), proxied.len()), (count, count), "each request came to the upstream once");
    direct.into_iter().zip(proxied).map(|(direct, proxied)| [direct, proxied]).collect()
}

#[tokio::test]
async fn whole_answers_and_their_requests_are_the_same_with_and_without_the_proxy() {
    let (stream, whole) = (message().streamed(), message().whole());
    let mut answers = vec![
        stream.clone().pace(Pace::Split(1)),
        stream.clone().without_terminal(),
        stream.clone().fails_in_stream_after(3, "overloaded_error", "Overloaded"),
        Answer::rate_limited(7),
        Answer::prompt_too_long(),
        Answer::overloaded(),
        Answer::html_bad_gateway(),
        Answer::token_count(17),
        whole.clone().header("request-id", "req_1").header("x-unknown", "a").header("x-unknown", "b"),
    ];
    for encoding in [Encoding::Identity].into_iter().chain(Encoding::ALL) {
        answers.extend([stream.clone().encoded(encoding), whole.clone().encoded(encoding)]);
    }
    for [direct, proxied] in both_ways(answers).await {
        assert_eq!(direct, proxied);
        assert_eq!(direct.0.end, End::Clean);
    }
}

#[tokio::test]
async fn a_stream_cut_at_any_byte_is_an_error_and_never_a_clean_end() {
    let answer = Message::of(OPUS).text("Hi").usage(Usage::sample(1)).streamed();
    let head = answer.head_len();
    let cuts = (0..answer.wire_len()).map(|after| answer.clone().cut(after, Break::Fin)).collect();
    for (after, [(direct, _), (proxied, _)]) in both_ways(cuts).await.into_iter().enumerate() {
        if after < head {
            assert_eq!((direct.end, proxied.status), (End::NoAnswer, 502), "cut after {after}");
        } else {
            assert_eq!(proxied.end, End::Broken, "cut after {after}");
            assert_eq!(direct, proxied, "cut after {after}");
        }
    }
}

#[tokio::test]
async fn an_answer_with_a_length_cut_at_any_byte_is_an_error_and_never_a_clean_end() {
    let answer = Message::of(OPUS).text("Hi").usage(Usage::sample(1)).whole();
    let cuts =
        (answer.head_len()..answer.wire_len()).map(|after| answer.clone().cut(after, Break::Fin)).collect();
    for [(direct, _), (proxied, _)] in both_ways(cuts).await {
        assert_eq!(proxied.end, End::Broken);
        assert_eq!(direct, proxied);
    }
}

#[tokio::test]
async fn a_reset_stream_is_an_error_and_what_came_of_it_is_right() {
    let answer = message().streamed();
    let cuts =
        (0..answer.wire_len()).step_by(97).map(|after| answer.clone().cut(after, Break::Rst)).collect();
    for [_, (proxied, _)] in both_ways(cuts).await {
        if proxied.status != 502 {
            assert_ne!(proxied.end, End::Clean);
            assert!(answer.body().starts_with(&proxied.body));
        }
    }
}

#[tokio::test]
async fn each_piece_passes_as_it_comes_and_a_leaving_client_stops_the_upstream() {
    let (state, gate) = (State::new(), Gate::closed());
    let answer = message().streamed().pace(Pace::Gated(gate.clone()));
    let upstream = Upstream::start(always(answer.clone())).await;
    let proxy = Proxy::start(&state, &upstream.url()).await;
    let mut answering =
        Client::new(&proxy.url()).begin(&Ask::simple("Hi")).await.expect("the head comes at once");
    for pieces in 1..answer.pieces() {
        // The next piece is still behind the gate: what has passed can only be here because nothing waits for more.
        gate.let_through(1);
        answering.at_least(answer.body_of_first(pieces).len()).await;
    }
    drop(answering);
    eventually("the upstream to see the client leave", || {
        (upstream.served()[0].sending == Sending::ClientLeft).then_some(())
    })
    .await;
}

/// How many exchanges each state of the exporter is tried with.
const ROUNDS: usize = 40;

fn varied() -> Vec<Answer> {
    let stream = message().streamed();
    let kinds = [
        stream.clone(),
        stream.clone().encoded(Encoding::Gzip),
        message().whole().encoded(Encoding::Brotli),
        Answer::overloaded(),
        stream.clone().cut_after_pieces(3, Break::Fin),
    ];
    kinds.into_iter().cycle().take(ROUNDS).collect()
}

#[tokio::test]
async fn an_exporter_that_runs_hangs_was_killed_or_never_was_makes_no_difference_to_any_answer() {
    let state = State::new();
    let upstream = Upstream::start(in_order(std::iter::repeat_n(varied(), 5).flatten())).await;
    let proxy = Proxy::start(&state, &upstream.url()).await;
    let direct = exchanges(&upstream.url(), &upstream, ROUNDS).await;
    let absent = exchanges(&proxy.url(), &upstream, ROUNDS).await;
    let collector = Collector::start().await;
    let mut exporter = Exporter::to(&collector.url()).start(&state).await;
    let running = exchanges(&proxy.url(), &upstream, ROUNDS).await;
    exporter.hang();
    let hung = exchanges(&proxy.url(), &upstream, ROUNDS).await;
    exporter.wake();
    exporter.kill();
    let killed = exchanges(&proxy.url(), &upstream, ROUNDS).await;
    for (name, found) in [("absent", absent), ("running", running), ("hung", hung), ("killed", killed)] {
        assert_eq!(direct, found, "the exporter {name}");
    }
}

#[tokio::test]
async fn a_spool_that_cannot_be_used_makes_no_difference_to_any_answer() {
    let state = State::new();
    std::fs::create_dir_all(state.dir()).expect("the scratch directory can be written");
    std::os::unix::fs::symlink(state.home(), state.dir().join("spool")).expect("a symlink can be made");
    let upstream = Upstream::start(in_order([varied(), varied()].concat())).await;
    let proxy = Proxy::start(&state, &upstream.url()).await;
    let direct = exchanges(&upstream.url(), &upstream, ROUNDS).await;
    assert_eq!(direct, exchanges(&proxy.url(), &upstream, ROUNDS).await);
    assert!(Spool::read(&state.dir()).is_empty(), "nothing is written through a symlink");
}

#[tokio::test]
async fn a_proxy_that_is_told_to_stop_lets_answers_under_way_come_to_their_end() {
    let (state, gate) = (State::new(), Gate::closed());
    let answer = message().streamed().pace(Pace::Gated(gate.clone()));
    let upstream = Upstream::start(always(answer.clone())).await;
    let mut proxy = Proxy::start(&state, &upstream.url()).await;
    let client = Client::new(&proxy.url());
    let mut answering = client.begin(&Ask::simple("Hi")).await.expect("the head comes at once");
    gate.let_through(1);
    answering.at_least(1).await;
    proxy.terminate();
    let address = proxy.address().to_owned();
    eventually("the proxy to take no more connections", || {
        std::net::TcpStream::connect(&address).is_err().then_some(())
    })
    .await;
    gate.open();
    let answered = answering.rest().await;
    assert_eq!((answered.end, answered.body), (End::Clean, answer.body()));
    assert!(proxy.ended().await.success());
    let spool = Spool::read(&state.dir());
    let entry = spool.entries().next().expect("its entry was written before the end");
    assert_eq!((entry["outcome"].as_str(), entry["terminal"].as_bool()), (Some("complete"), Some(true)));
    assert_eq!(
        entry["session"].as_str().map(|hash| hash == SESSION),
        Some(false),
        "the session is a keyed hash"
    );
}
