//! What nobody knows is sampled while the exporter runs and told by `parser report`; rules of the user's own teach it.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use ccxray_tests::{
    client::{Ask, Client},
    daemons::{Exporter, Local, Proxy, State, binary},
    eventually,
    spool::Spool,
    upstream::{Message, Upstream, Usage, script},
};
use serde_json::{Value, json};

/// A tool that no client ships.
const UNKNOWN: &str = "Levitate";

/// Exit code, stdout, stderr of the exporter's command.
fn said(state: &State, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(binary("ccxray-exporter"));
    command.args(arguments).arg("--state-dir").arg(state.dir()).env_clear().env("HOME", state.home());
    let Output { status, stdout, stderr } = command.output().expect("the exporter can be started");
    let text = |bytes| String::from_utf8(bytes).expect("commands speak UTF-8");
    (status.code(), text(stdout), text(stderr))
}

fn report(state: &State) -> Value {
    let (code, stdout, stderr) = said(state, &["parser", "report", "--json"]);
    assert_eq!(code, Some(0), "{stderr}");
    serde_json::from_str(&stdout).expect("the report is JSON")
}

/// Each unknown tool and how often it was met.
fn unknown_tools(report: &Value) -> Vec<(String, u64)> {
    let categories = report["categories"].as_array().expect("a list");
    let tools = categories.iter().filter(|category| category["category"] == "unknown_tool");
    let things = tools.flat_map(|category| category["things"].as_array().expect("a list"));
    things
        .map(|thing| {
            (thing["about"].as_str().expect("a name").to_owned(), thing["count"].as_u64().expect("a count"))
        })
        .collect()
}

/// A proxy to an upstream whose model calls an unknown tool.
async fn proxy(state: &State) -> (Upstream, Proxy) {
    let answer = Message::of("claude-opus-4-8").tool(UNKNOWN, json!({"height": 3})).usage(Usage::sample(1));
    let upstream = Upstream::start(script::always(answer.streamed())).await;
    let proxy = Proxy::start(state, &upstream.url()).await;
    (upstream, proxy)
}

async fn ask(state: &State, proxy: &Proxy, requests: usize) {
    let before = Spool::read(&state.dir()).len();
    let client = Client::new(&proxy.url());
    for _ in 0..requests {
        assert_eq!(client.ask(&Ask::simple("Rise")).await.status, 200);
    }
    eventually("the spool to hold the exchanges", || {
        (Spool::read(&state.dir()).len() == before + requests).then_some(())
    })
    .await;
}

/// Waits until a checkpoint holds all that is in the spool.
async fn all_is_read(state: &State) {
    eventually("the exporter to have read the spool", || {
        let (_, status, _) = said(state, &["status", "--json"]);
        let status: Value = serde_json::from_str(&status).expect("the status is JSON");
        (status["spool"]["unread_bytes"] == 0).then_some(())
    })
    .await;
}

fn own_rules(dir: &Path, name: &str, text: &str) -> String {
    fs::create_dir_all(dir).expect("the directory can be made");
    fs::write(dir.join(name), text).expect("the file can be written");
    dir.display().to_string()
}

fn tools_with(tool: &str) -> String {
    json!({
        "version": "9.9.9",
        "last_verified_against": [{"client": "Test", "version": "1", "on": "2026-11-20"}],
        "rules": {"anthropic": [tool], "openai": [], "gemini": []},
        "examples": [{"provider": "anthropic", "tool": tool, "known": true}],
    })
    .to_string()
}

#[test]
fn where_nothing_ran_there_is_nothing_to_report() {
    let state = State::new();
    let (code, stdout, stderr) = said(&state, &["parser", "report"]);
    assert_eq!(code, Some(0));
    assert!(stderr.contains("no exporter has run with the state directory"), "{stderr}");
    assert!(stdout.ends_with("\nNothing was met that is not known.\n"), "{stdout}");
    assert!(!state.dir().exists());
}

#[tokio::test]
async fn an_unknown_tool_is_sampled_at_once_and_counted_in_full_when_the_exporter_stops() {
    let state = State::new();
    let (_upstream, proxy) = proxy(&state).await;
    let mut running = Exporter::without_consent().local(Local::Off).start(&state).await;
    ask(&state, &proxy, 1).await;
    eventually("the unknown tool to be reported", || {
        (unknown_tools(&report(&state)) == [(UNKNOWN.to_owned(), 1)]).then_some(())
    })
    .await;
    ask(&state, &proxy, 2).await;
    all_is_read(&state).await;
    running.stop().await;
    let report = report(&state);
    assert_eq!(unknown_tools(&report), [(UNKNOWN.to_owned(), 3)]);
    assert_eq!(report["categories"][0]["latest"][0]["proxy_version"], env!("CARGO_PKG_VERSION"));

    let issue = report["issue"].as_str().expect("an issue's text");
    assert!(issue.contains("| unknown_tool | anthropic | `Levitate` | 3 |"), "{issue}");
    assert!(issue.contains("| tools.json | 1."), "{issue}");
    let root = state.root().display().to_string();
    assert!(!issue.contains(&root) && !issue.contains("height"), "{issue}");
    let (_, text, _) = said(&state, &["parser", "report"]);
    assert!(text.contains("| unknown_tool | anthropic | `Levitate` | 3 |"), "{text}");
}

#[tokio::test]
async fn rules_of_the_users_own_teach_a_tool() {
    let state = State::new();
    let (_upstream, proxy) = proxy(&state).await;
    let dir = own_rules(&state.root().join("rules"), "tools.json", &tools_with(UNKNOWN));
    let mut running = Exporter::without_consent()
        .local(Local::Off)
        .argument("--data-dir")
        .argument(&dir)
        .start(&state)
        .await;
    ask(&state, &proxy, 1).await;
    all_is_read(&state).await;
    running.stop().await;
    ask(&state, &proxy, 1).await;
    assert_eq!(report(&state)["categories"], json!([]));
    let (_, status, _) = said(&state, &["status"]);
    assert!(status.contains("           tools.json 9.9.9 is your own\n"), "{status}");

    let mut running = Exporter::without_consent().local(Local::Off).start(&state).await;
    eventually("the built-in rules not to know it", || {
        (unknown_tools(&report(&state)) == [(UNKNOWN.to_owned(), 1)]).then_some(())
    })
    .await;
    running.stop().await;
}

#[test]
fn rules_that_are_none_are_refused_with_the_place_wherever_they_are_given() {
    let state = State::new();
    let broken = tools_with(UNKNOWN).replace("\"known\":true", "\"known\":false");
    let dir = own_rules(&state.root().join("rules"), "tools.json", &broken);
    for command in [&["run"][..], &["status"], &["preview"], &["parser", "report"]] {
        let (code, stdout, stderr) = said(&state, &[command, &["--data-dir", &dir]].concat());
        assert_eq!((code, stdout.as_str()), (Some(78), ""), "{command:?}: {stderr}");
        let place = format!("{dir}/tools.json:1:");
        assert!(stderr.contains(&place) && stderr.contains("the example expects false"), "{stderr}");
    }
}
