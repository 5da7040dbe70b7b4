//! `push`: the totals of the local page arrive at the programs that they are meant for, once, by the user's command.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    process::{Command, Output},
    thread::JoinHandle,
};

use ccxray_tests::{
    backends::{Pushgateway, VictoriaMetrics},
    client::{Ask, Client},
    daemons::{Exporter, Proxy, State, binary},
    eventually::eventually_equal,
    exposition,
    truth::{Totals, expected, from_upstream},
    upstream::{Message, Upstream, Usage, script::in_order},
};

const OPUS: &str = "claude-opus-4-8";
const CANARY: &str = "canary-71c3";

/// A state directory in which an exporter has counted two answers; what its `/metrics` said at the end, and the truth.
async fn counted() -> (State, String, Totals) {
    let state = State::new();
    let message =
        |n| Message::of(OPUS).id(&format!("msg_{n}")).usage(Usage::sample(n)).text("Hi.").streamed();
    let upstream = Upstream::start(in_order([message(1), message(2)])).await;
    let mut proxy = Proxy::start(&state, &upstream.url()).await;
    for _ in 0..2 {
        Client::new(&proxy.url()).ask(&Ask::simple("Hi")).await;
    }
    proxy.stop().await;
    let truth = expected(&from_upstream(&upstream.served()));
    let mut exporter = Exporter::without_consent().start(&state).await;
    let scrape = async || {
        let answered = Client::new(&exporter.url()).ask(&Ask::get("/metrics")).await;
        String::from_utf8(answered.body).expect("a scrape is text")
    };
    eventually_equal("everything to be counted", &truth, async || exposition::totals(&scrape().await)).await;
    let scraped = scrape().await;
    exporter.stop().await;
    (state, scraped, truth)
}

fn push(state: &State, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(binary("ccxray-exporter"));
    command.arg("push").args(arguments).arg("--state-dir").arg(state.dir());
    command.env_clear().envs(variables.iter().copied());
    command.output().expect("the exporter can be started")
}

/// Pushes and expects success; what was printed.
fn pushed(state: &State, arguments: &[&str]) -> String {
    let output = push(state, arguments, &[]);
    let said = said(&output);
    assert!(output.status.success(), "{said}");
    said
}

fn said(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes)).concat()
}

/// What a running exporter tells of itself: it is on the page, and no part of the totals.
fn is_of_itself(sample: &str) -> bool {
    let is_late = sample.starts_with("ccxray_exporter_late_total");
    !is_late && ["ccxray_exporter_", "ccxray_otel_"].iter().any(|prefix| sample.starts_with(prefix))
}

/// The samples of a scrape as a Pushgateway shows them: with the labels of the group, in its order.
fn with_labels(scrape: &str, instance: &str) -> Vec<String> {
    let mut samples: Vec<String> = Vec::new();
    for line in scrape.lines().filter(|line| line.starts_with("ccxray_") && !is_of_itself(line)) {
        let (series, value) = line.rsplit_once(' ').expect("a sample has a value");
        let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
        let mut labels: Vec<&str> =
            labels.trim_end_matches('}').split(',').filter(|l| !l.is_empty()).collect();
        let group = [format!("instance=\"{instance}\""), "job=\"ccxray\"".to_owned()];
        labels.extend(group.iter().map(String::as_str));
        labels.sort_unstable();
        samples.push(format!("{name}{{{}}} {value}", labels.join(",")));
    }
    samples.sort();
    samples
}

/// A server for one request: its address, and the request's head once it has come.
fn one_request() -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let address = listener.local_addr().expect("a bound listener has an address");
    let served = std::thread::spawn(move || {
        let (stream, _) = listener.accept().expect("the exporter connects");
        let mut stream = BufReader::new(stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert_ne!(stream.read_line(&mut head).expect("a head is text"), 0, "the head ends: {head}");
        }
        stream.get_mut().write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").expect("it is answered");
        head
    });
    (format!("http://{address}"), served)
}

#[tokio::test]
async fn a_pushgateway_shows_what_the_local_page_showed() {
    let (state, scraped, truth) = counted().await;
    let gateway = Pushgateway::start(&state).await;
    let said = pushed(&state, &["--to", gateway.url(), "--format", "pushgateway", "--instance", "mine"]);
    assert!(said.contains(&format!("PUT {}/metrics/job/ccxray/instance/mine", gateway.url())), "{said}");
    let shown = gateway.samples().await;
    assert_eq!(exposition::totals(&shown.join("\n")), truth);
    // `le` is not among the labels that are sorted alike on both sides.
    let plain = |samples: Vec<String>| -> Vec<String> {
        samples.into_iter().filter(|sample| !sample.contains("_bucket{")).collect()
    };
    assert_eq!(plain(shown), plain(with_labels(&scraped, "mine")));
}

#[tokio::test]
async fn adding_keeps_what_a_pushgateway_has_replacing_does_not_and_deleting_leaves_nothing() {
    let (state, ..) = counted().await;
    let gateway = Pushgateway::start(&state).await;
    let group = format!("{}/metrics/job/ccxray/instance/mine", gateway.url());
    let foreign = Ask {
        method: "POST",
        body: "ccxray_foreign 7\n".into(),
        ..Ask::get("/metrics/job/ccxray/instance/mine")
    };
    let run = |mode| {
        let arguments =
            ["--to", gateway.url(), "--format", "pushgateway", "--instance", "mine", "--mode", mode];
        pushed(&state, &arguments)
    };
    let has_foreign =
        async || gateway.samples().await.iter().any(|sample| sample.starts_with("ccxray_foreign"));
    assert_eq!(Client::new(gateway.url()).ask(&foreign).await.status, 200);
    assert!(run("pushadd").contains(&format!("POST {group}")));
    assert!(has_foreign().await && gateway.samples().await.len() > 1);
    assert!(run("push").contains(&format!("PUT {group}")));
    assert!(!has_foreign().await && gateway.samples().await.len() > 1);
    assert!(run("delete").contains(&format!("DELETE {group}")));
    assert_eq!(gateway.samples().await, Vec::<String>::new());
}

#[tokio::test]
async fn victoria_metrics_stores_the_totals_with_the_time_that_they_are_of() {
    let (state, _, truth) = counted().await;
    let victoria = VictoriaMetrics::start(&state).await;
    let said = pushed(&state, &["--to", victoria.url(), "--format", "victoriametrics", "--instance", "mine"]);
    eventually_equal("the totals to be stored", &truth, async || victoria.totals().await).await;
    let stored = victoria.stored("ccxray_sessions_total").await.remove(0);
    assert_eq!((&stored["metric"]["job"], &stored["metric"]["instance"]), (&"ccxray".into(), &"mine".into()));
    let at: u64 = stored["timestamps"][0].as_u64().expect("a timestamp is a number");
    let time = ccxray_shared::UnixMillis(at).to_string();
    assert!(said.contains(&format!("the totals of {time}")), "{time} in {said}");
    // The same totals have the same time, whenever they are pushed.
    pushed(&state, &["--to", victoria.url(), "--format", "victoriametrics", "--instance", "mine"]);
    let again = victoria.stored("ccxray_sessions_total").await.remove(0);
    assert!(again["timestamps"].as_array().is_some_and(|all| all.iter().all(|time| *time == at)), "{again}");
}

#[tokio::test]
async fn without_totals_or_a_server_nothing_is_pushed_and_the_exit_code_says_so() {
    let empty = State::new();
    let nothing = push(&empty, &["--to", "http://127.0.0.1:9", "--format", "pushgateway"], &[]);
    assert!(
        nothing.status.code() == Some(1) && said(&nothing).contains("no totals in"),
        "{}",
        said(&nothing)
    );
    let (state, ..) = counted().await;
    let victoria = VictoriaMetrics::start(&state).await;
    let refused = push(&state, &["--to", victoria.url(), "--format", "pushgateway"], &[]);
    assert!(refused.status.code() == Some(1) && said(&refused).contains("HTTP 400"), "{}", said(&refused));
}

#[tokio::test]
async fn credentials_go_with_the_request_and_are_never_said() {
    let (state, ..) = counted().await;
    let (server, request) = one_request();
    let bearer = format!("Bearer {CANARY}");
    let variables = [("CCXRAY_PUSH_AUTHORIZATION", bearer.as_str())];
    let sent = push(&state, &["--to", &server, "--format", "pushgateway"], &variables);
    let request = request.join().expect("the server has got a request");
    assert!(request.contains(&format!("authorization: {bearer}\r\n")), "{request}");
    let plaintext = push(&state, &["--to", "http://192.0.2.1", "--format", "pushgateway"], &variables);
    assert!(plaintext.status.code() == Some(1) && said(&plaintext).contains("use https://"));
    for output in [&sent, &plaintext] {
        assert!(!said(output).contains(CANARY), "{}", said(output));
    }
}
