//! Turns on a WebSocket count as they were served, and what passes on it is what passes without the proxy.

use ccxray_tests::{
    Stage, World,
    client::{SESSION, WebSocket, create, installed},
    daemons::{Proxy, State},
    eventually,
    spool::Spool,
    upstream::{
        Answer, Call, Gate, Message, Pace, Sending, Upstream, Usage,
        openai::{over_websocket, response},
        play::{Play, Step},
        script::in_order,
    },
    wire::{
        Break,
        websocket::{DEFLATE, DEFLATE_ALONE},
    },
};
use serde_json::{Value, json};

/// Where the comparisons of truth and database are left.
const DIR: &str = env!("CARGO_TARGET_TMPDIR");
const OFFER: Option<&str> = Some("permessage-deflate; client_max_window_bits");
const EXTENSIONS: [Option<&str>; 3] = [None, Some(DEFLATE), Some(DEFLATE_ALONE)];

fn message(n: u64) -> Message {
    let usage = Usage { reasoning: 17 + n, ..Usage::sample(n) };
    Message::of("gpt-5.5").id(&format!("resp_{n:016x}")).usage(usage)
}

fn says(n: u64) -> Answer {
    response(&message(n).thinking("Hm.").text("Here it is."))
}

fn calls(n: u64) -> Answer {
    let call = Call::new("exec_command", json!({"cmd": "exit 3"})).fails();
    let patch =
        Call::new("apply_patch", json!("*** Begin Patch\n*** Add File: a\n+a\n*** End Patch")).writes();
    response(&message(n).thinking("Hm.").call(call).call(patch))
}

fn user(text: &str) -> Value {
    json!({"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]})
}

/// The result of the call that [`calls`] makes in the answer `n`.
fn failed(n: u64) -> Value {
    let output = "Wall time: 0.1 seconds\nProcess exited with code 3\nOutput:\n";
    json!({"type": "function_call_output", "call_id": format!("call_resp_{n:016x}_1"), "output": output})
}

async fn world(deflate: Option<&'static str>, answers: Vec<Answer>) -> World {
    World::start(over_websocket(deflate, in_order(answers))).await
}

async fn open(world: &World) -> WebSocket {
    WebSocket::open(world.proxy.address(), SESSION, OFFER).await
}

fn warm_up() -> Value {
    let mut body = create(SESSION, None, &[]);
    body["generate"] = json!(false);
    body
}

/// A warm-up and three turns, of which the second reports a failed call.
async fn conversation(socket: &mut WebSocket) {
    let warm = socket.ask(&warm_up()).await.expect("a warm-up ends well");
    let first = create(SESSION, Some(&warm), &[user("Please"), user("do it.")]);
    let called = socket.ask(&first).await.expect("a turn ends well");
    socket.ping().await;
    let second = create(SESSION, Some(&called), &[failed(1)]);
    let said = socket.ask(&second).await.expect("a turn ends well");
    socket.ask(&create(SESSION, Some(&said), &[user("Again.")])).await.expect("a turn ends well");
}

/// The entries of the spool, in the order of writing, once there are so many.
async fn entries(state: &State, count: usize) -> Vec<Value> {
    eventually("the entries", || {
        let spool = Spool::read(&state.dir());
        (spool.len() == count).then(|| spool.entries().cloned().collect())
    })
    .await
}

#[tokio::test]
async fn a_conversation_counts_as_it_was_served_compressed_or_not() {
    for deflate in EXTENSIONS {
        let world = world(deflate, vec![calls(1), says(2), says(3).pace(Pace::Split(1))]).await;
        let mut socket = open(&world).await;
        conversation(&mut socket).await;
        socket.close().await;
        let entries = entries(&world.state, 5).await;
        let classes: Vec<_> = entries.iter().map(|entry| entry["class"].as_str().unwrap()).collect();
        assert_eq!(classes, ["warm_up", "turn", "turn", "turn", "connection"]);
        let messages: Vec<_> = entries.iter().map(|entry| entry["context"]["messages"].as_u64()).collect();
        // Two, three in answer, one, two in answer, one.
        assert_eq!(messages, [None, Some(2), Some(6), Some(9), None]);
        let truth = world.truth();
        assert_eq!(
            truth.get("ccxray.requests_total{class=turn,provider=openai,route=responses,status=2xx}"),
            3
        );
        assert_eq!(truth.get("ccxray.tool.failures_total{provider=openai,tool=exec_command}"), 1);
        assert_eq!(truth.get("ccxray.permission_mode.usage_total{mode=workspace-write}"), 3);
        assert_eq!(truth.sum("ccxray.tokens.input_total"), 1_008 + 1_015 + 1_022);
        world.settled().await;
    }
}

#[tokio::test]
async fn a_connection_cut_after_any_event_counts_what_it_had_told() {
    let whole = calls(1);
    let mut answers: Vec<Answer> =
        (0..whole.pieces()).map(|pieces| whole.clone().cut_after_pieces(pieces, Break::Fin)).collect();
    // In the middle of a frame.
    answers.push(whole.clone().cut(whole.wire_len() - 20, Break::Fin));
    answers.push(whole.clone().cut(whole.head_len() + 20, Break::Rst));
    let cuts = answers.len();
    answers.push(whole);
    let world = world(Some(DEFLATE), answers).await;
    for n in 0..cuts {
        let mut socket = open(&world).await;
        assert_eq!(socket.ask(&create(SESSION, None, &[user(&n.to_string())])).await, None);
    }
    let mut socket = open(&world).await;
    assert!(socket.ask(&create(SESSION, None, &[user("0")])).await.is_some());
    socket.close().await;
    world.settled().await;
    let entries = entries(&world.state, 2 * cuts + 2).await;
    let retries: Vec<_> = entries.iter().filter(|entry| entry["retry"] == true).collect();
    assert_eq!(retries.len(), 1, "the question that was asked again");
}

#[tokio::test]
async fn a_client_that_leaves_is_no_error_and_its_turn_is_not_over() {
    let gate = Gate::closed();
    let world = world(None, vec![says(1).pace(Pace::Gated(gate.clone()))]).await;
    let mut socket = open(&world).await;
    socket.say(&create(SESSION, None, &[user("Hi")])).await;
    gate.let_through(4);
    for _ in 0..4 {
        socket.event().await.expect("the events come");
    }
    drop(socket);
    eventually("the upstream to see the client leave", || {
        let served = world.upstream.served();
        served.iter().all(|served| served.sending == Sending::ClientLeft).then_some(())
    })
    .await;
    let entries = entries(&world.state, 2).await;
    assert_eq!((&entries[0]["outcome"], &entries[0]["terminal"]), (&json!("client_abort"), &json!(false)));
    assert_eq!(entries[0]["status"], 200);
    assert_eq!(world.truth().sum("ccxray.errors_total"), 0);
}

#[tokio::test]
async fn errors_count_by_their_kind_and_the_connection_goes_on() {
    let limited = |status, kind: &str| Answer::error(status, kind, "Not now.");
    let answers = vec![limited(429, "rate_limit_exceeded"), limited(503, "server_is_overloaded"), says(1)];
    let world = world(Some(DEFLATE_ALONE), answers).await;
    let mut socket = open(&world).await;
    for _ in 0..2 {
        assert_eq!(socket.ask(&create(SESSION, None, &[user("Hi")])).await, None);
    }
    assert!(socket.ask(&create(SESSION, None, &[user("Hi")])).await.is_some());
    socket.close().await;
    let truth = world.truth();
    assert_eq!(truth.get("ccxray.errors_total{provider=openai,type=rate_limit}"), 1);
    assert_eq!(truth.get("ccxray.errors_total{provider=openai,type=overloaded}"), 1);
    assert_eq!(truth.get("ccxray.retries_total{provider=openai}"), 2);
    world.settled().await;
}

/// What a client hears and an upstream gets on one connection.
async fn passed(address: &str, upstream: &Upstream) -> (Vec<u8>, Vec<u8>) {
    let before = upstream.ledger().len();
    let mut socket = WebSocket::open(address, SESSION, OFFER).await;
    conversation(&mut socket).await;
    let came = socket.close().await;
    (came, upstream.served()[before].request.body.clone())
}

#[tokio::test]
async fn the_bytes_both_ways_are_those_of_a_direct_connection() {
    for deflate in EXTENSIONS {
        let answers = [calls(1), says(2), says(3)];
        let script = over_websocket(deflate, in_order([answers.clone(), answers].concat()));
        let (state, upstream) = (State::new(), Upstream::start(script).await);
        let proxy = Proxy::start(&state, &upstream.url()).await;
        let direct = passed(&upstream.address().to_string(), &upstream).await;
        let proxied = passed(proxy.address(), &upstream).await;
        assert!(direct.0.len().min(direct.1.len()) > 500, "{deflate:?}");
        assert!(direct == proxied, "{deflate:?}");
    }
}

#[tokio::test]
async fn a_real_codex_is_counted_on_the_websocket_that_it_prefers() {
    if !installed("codex") {
        return;
    }
    for (name, deflate) in [("plain", None), ("deflate", Some(DEFLATE))] {
        let stage = Stage::set(|_| {
            let cat = Call::new("exec_command", json!({"cmd": "cat README.md"}));
            let fails = Call::new("exec_command", json!({"cmd": "exit 3"})).fails();
            over_websocket(deflate, Play::new([Step::calls([cat]), Step::calls([fails])]))
        })
        .await;
        let agent = stage.codex("gpt-5.5").arguments(["--dangerously-bypass-approvals-and-sandbox"]);
        let said = stage.plays(agent).await;
        assert!(said.contains("All done."), "{said}");
        let totals = stage.counted(DIR, &format!("codex.websocket.{name}")).await;
        let counts = [
            ("ccxray.requests_total{class=turn,provider=openai,route=responses,status=2xx}", 3),
            ("ccxray.requests_total{class=warm_up,provider=openai,route=responses,status=2xx}", 1),
            ("ccxray.requests_total{class=connection,provider=openai,route=responses,status=1xx}", 1),
            ("ccxray.tool.invocations_total{provider=openai,tool=exec_command}", 2),
            ("ccxray.tool.failures_total{provider=openai,tool=exec_command}", 1),
            ("ccxray.sessions_total{provider=openai}", 1),
            ("ccxray.permission_mode.usage_total{mode=danger-full-access}", 3),
            ("ccxray.tokens.input_total{model=gpt-5.5,provider=openai}", 1_008 + 1_015 + 1_022),
        ];
        for (series, count) in counts {
            assert_eq!(totals.get(series), count, "{series} of {totals:#?}");
        }
    }
}

#[tokio::test]
async fn a_real_codex_whose_connection_breaks_asks_again_and_both_are_counted() {
    if !installed("codex") {
        return;
    }
    let stage = Stage::set(|_| {
        let cat = Call::new("exec_command", json!({"cmd": "cat README.md"}));
        let cut = Step::says("Half of").cut_after(4, Break::Fin);
        over_websocket(Some(DEFLATE), Play::new([Step::calls([cat]), cut]))
    })
    .await;
    let said =
        stage.plays(stage.codex("gpt-5.5").arguments(["--dangerously-bypass-approvals-and-sandbox"])).await;
    assert!(said.contains("All done."), "{said}");
    let totals = stage.counted(DIR, "codex.websocket.cut").await;
    let counts = [
        ("ccxray.requests_total{class=turn,provider=openai,route=responses,status=2xx}", 2),
        ("ccxray.requests_total{class=turn,provider=openai,route=responses,status=aborted}", 1),
        ("ccxray.requests_total{class=connection,provider=openai,route=responses,status=1xx}", 2),
        ("ccxray.retries_total{provider=openai}", 1),
        ("ccxray.aborted_total{by=upstream,provider=openai}", 1),
        ("ccxray.sessions_total{provider=openai}", 1),
    ];
    for (series, count) in counts {
        assert_eq!(totals.get(series), count, "{series} of {totals:#?}");
    }
}
