//! The exporter's commands for people: `status`, `preview`, `metrics list`.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use ccxray_tests::{
    canary::Canaries,
    client::{Ask, Client},
    collector::{Collector, totals_of},
    daemons::{Exporter, Proxy, State, binary},
    eventually,
    truth::{COVERED, SUM, Series, Totals, expected, from_upstream},
    upstream::{Message, Upstream, Usage, script},
};
use serde_json::Value;

const OPUS: &str = "claude-opus-4-8";

/// A state directory, an upstream, and a proxy between them.
struct World {
    state: State,
    upstream: Upstream,
    proxy: Proxy,
}

impl World {
    async fn new() -> Self {
        let answer = Message::of(OPUS).text("Hello").usage(Usage::sample(1)).streamed();
        let upstream = Upstream::start(script::always(answer)).await;
        let state = State::new();
        let proxy = Proxy::start(&state, &upstream.url()).await;
        Self { state, upstream, proxy }
    }

    async fn asks(&self, requests: u64, text: &str) {
        let client = Client::new(&self.proxy.url());
        for _ in 0..requests {
            assert_eq!(client.ask(&Ask::simple(text)).await.status, 200);
        }
    }

    fn truth(&self) -> Totals {
        expected(&from_upstream(&self.upstream.served()))
    }

    /// Waits until the proxy has written down this many exchanges.
    async fn has_spooled(&self, entries: usize) {
        eventually("the spool to hold the exchanges", || {
            (ccxray_tests::spool::Spool::read(&self.state.dir()).len() == entries).then_some(())
        })
        .await;
    }
}

/// What a command came to.
struct Said {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Said {
    fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}", self.stdout))
    }
}

fn exporter(state: &State, arguments: &[&str], variables: &[(&str, &str)]) -> Said {
    let mut command = Command::new(binary("ccxray-exporter"));
    command.args(arguments).env_clear().env("HOME", state.home()).envs(variables.iter().copied());
    let Output { status, stdout, stderr } = command.output().expect("the exporter can be started");
    let text = |bytes| String::from_utf8(bytes).expect("commands speak UTF-8");
    Said { code: status.code().expect("it ended by itself"), stdout: text(stdout), stderr: text(stderr) }
}

/// A command on the world's state directory.
fn on(state: &State, arguments: &[&str], variables: &[(&str, &str)]) -> Said {
    let dir = state.dir().display().to_string();
    exporter(state, &[arguments, &["--state-dir", &dir]].concat(), variables)
}

/// Every file below `dir` with its bytes.
fn files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir).expect("the directory can be listed") {
        let path = entry.expect("the directory can be listed").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.insert(path.clone(), fs::read(&path).expect("the file can be read"));
        }
    }
    found
}

/// The newest value of each series of a request in OTLP/JSON that the truth covers.
fn totals_in(request: &Value) -> Totals {
    let mut newest: BTreeMap<Series, (u64, i128)> = BTreeMap::new();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    for resource in list(&request["resourceMetrics"]) {
        for metric in list(&resource["scopeMetrics"]).iter().flat_map(|scope| list(&scope["metrics"])) {
            for kind in ["sum", "histogram"] {
                for point in list(&metric[kind]["dataPoints"]) {
                    let time = integer(&point["timeUnixNano"]);
                    let value = newest.entry(series(&metric, &point)).or_default();
                    let time = u64::try_from(time).expect("a time");
                    *value = (*value).max((time, amount(&point)));
                    if let Some(sum) = point["sum"].as_f64() {
                        let series = series(&metric, &point);
                        let series = series.renamed(&format!("{}{SUM}", series.metric()));
                        let value = newest.entry(series).or_default();
                        #[expect(clippy::cast_possible_truncation, reason = "the covered ones are whole")]
                        let sum = sum as i128;
                        *value = (*value).max((time, sum));
                    }
                }
            }
        }
    }
    newest.into_iter().map(|(series, (_, value))| (series, value)).collect::<Totals>().only(COVERED)
}

fn series(metric: &Value, point: &Value) -> Series {
    let attributes = point["attributes"].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let pairs = attributes.iter().map(|pair| (text(&pair["key"]), text(&pair["value"]["stringValue"])));
    Series::new(metric["name"].as_str().expect("a metric has a name"), pairs)
}

/// A count, or pico-USD.
fn amount(point: &Value) -> i128 {
    match (&point["asInt"], &point["asDouble"], &point["count"]) {
        (Value::Null, Value::Null, count) => integer(count),
        (Value::Null, double, _) => {
            #[expect(clippy::cast_possible_truncation, reason = "a few dollars in pico-USD")]
            let pico = (double.as_f64().expect("a double is a number") * 1e12).round() as i128;
            pico
        }
        (int, _, _) => integer(int),
    }
}

fn integer(value: &Value) -> i128 {
    value.as_str().expect("64-bit integers are strings").parse().expect("an integer")
}

#[test]
fn before_anything_ran_they_say_so_and_leave_nothing_behind() {
    let state = State::new();
    let status = on(&state, &["status"], &[]);
    assert_eq!(status.code, 0, "{}", status.stderr);
    assert!(status.stdout.contains("it never ran here"), "{}", status.stdout);
    assert_eq!(on(&state, &["status", "--json"], &[]).json()["pid"], Value::Null);
    let preview = on(&state, &["preview"], &[]);
    assert_eq!((preview.code, preview.stdout.as_str()), (0, ""));
    assert_eq!(preview.stderr, "nothing leaves this machine (no tier was given)\n");
    assert!(!state.dir().exists());
}

#[test]
fn the_list_of_metrics_comes_as_text_as_json_and_as_the_committed_page() {
    let state = State::new();
    let list = |option: &[&str]| exporter(&state, &[&["metrics", "list"], option].concat(), &[]);
    let (text, json, page) = (list(&[]), list(&["--json"]), list(&["--markdown"]));
    assert_eq!((text.code, json.code, page.code), (0, 0, 0));
    for metric in json.json().as_array().expect("a list") {
        let name = metric["name"].as_str().expect("a metric has a name");
        assert!(text.stdout.contains(&format!("  {name} ")), "{name}");
        assert!(page.stdout.contains(&format!("\n### `{name}`\n")), "{name}");
    }
    assert!(text.stdout.lines().all(|line| line.chars().count() <= 80));
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../exporter/METRICS.md");
    assert_eq!(page.stdout, fs::read_to_string(committed).expect("the page is there"));
}

#[tokio::test]
async fn status_tells_of_a_running_exporter_and_of_a_stopped_one() {
    let world = World::new().await;
    let collector = Collector::start().await;
    let mut running = Exporter::to(&collector.url()).start(&world.state).await;
    world.asks(3, "Hi").await;
    let report = eventually("status to show an acknowledged snapshot", || {
        let report = on(&world.state, &["status", "--json"], &[]).json();
        (report["destinations"][0]["last_hour"]["succeeded"].as_u64() >= Some(1)).then_some(report)
    })
    .await;
    assert_eq!(report["pid"], running.pid().to_string());
    assert_eq!(report["exporter"]["interval_ms"], 1000);
    assert_eq!(report["proxies"].as_array().map(Vec::len), Some(1));
    assert_eq!(report["destinations"][0]["health"]["state"], "active");
    assert_eq!(report["destinations"][0]["tier"], 1);

    let said = on(&world.state, &["status"], &[]);
    assert_eq!(said.code, 0, "{}", said.stdout);
    for line in [&format!("exporter   running (pid {})\n", running.pid()), "health     active since "] {
        assert!(said.stdout.contains(line), "{line} in {}", said.stdout);
    }
    assert!(said.stdout.lines().all(|line| line.chars().count() <= 80), "{}", said.stdout);

    running.stop().await;
    let said = on(&world.state, &["status"], &[]);
    assert_eq!(said.code, 0);
    assert!(said.stdout.contains("exporter   not running; last alive 20"), "{}", said.stdout);
}

#[tokio::test]
async fn status_needs_attention_while_the_destination_refuses() {
    let world = World::new().await;
    let collector = Collector::start().await;
    collector.reply(ccxray_tests::collector::Reply::Status(401, None));
    let _running = Exporter::to(&collector.url()).start(&world.state).await;
    world.asks(1, "Hi").await;
    let said = eventually("status to show the refusal", || {
        let said = on(&world.state, &["status"], &[]);
        (said.code == 3).then_some(said)
    })
    .await;
    assert!(said.stdout.contains("health     circuit_open (refused) since "), "{}", said.stdout);
    assert!(said.stdout.contains("active → circuit_open (refused)\n"), "{}", said.stdout);
    assert!(said.stdout.contains("cooldown   600 s\n"), "{}", said.stdout);
    assert!(said.stdout.contains("1 attempt failed"), "{}", said.stdout);
}

#[tokio::test]
async fn a_damaged_checkpoint_needs_attention_and_is_left_as_it_is() {
    let world = World::new().await;
    let mut running = Exporter::without_consent().start(&world.state).await;
    world.asks(1, "Hi").await;
    running.stop().await;
    let checkpoint = world.state.dir().join("exporter/checkpoint");
    let previous = world.state.dir().join("exporter/checkpoint.previous");
    fs::write(&checkpoint, "nonsense").expect("the file can be written");
    let said = on(&world.state, &["status"], &[]);
    assert_eq!(said.code, 3);
    assert!(said.stdout.contains("the one before is whole"), "{}", said.stdout);
    fs::write(&previous, "nonsense").expect("the file can be written");
    let said = on(&world.state, &["status"], &[]);
    assert_eq!(said.code, 3);
    assert!(said.stdout.contains("will start anew"), "{}", said.stdout);
    assert_eq!(on(&world.state, &["status", "--json"], &[]).json()["checkpoint"]["state"], "damaged");
    assert_eq!(fs::read(&checkpoint).expect("still there"), b"nonsense");
}

#[tokio::test]
async fn the_preview_is_what_is_sent_next_and_sends_nothing_itself() {
    let world = World::new().await;
    let collector = Collector::start().await;
    let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", &*collector.url());
    let started = Exporter::to(&collector.url());
    let mut running = started.start(&world.state).await;
    world.asks(2, "Hi").await;
    eventually("the first exchanges to arrive", || (collector.totals() == world.truth()).then_some(())).await;
    running.stop().await;

    // Not read yet: the preview has to.
    world.asks(3, "Hi").await;
    world.has_spooled(5).await;
    let (connections, before) = (collector.connections(), files(&world.state.dir()));
    let preview = |interval| {
        let options = ["preview", "--tier", "1", "--interval", interval];
        let preview = on(&world.state, &options, &[endpoint]);
        assert_eq!(preview.code, 0, "{}", preview.stderr);
        totals_in(&preview.json())
    };
    assert_eq!(preview("20h"), world.truth(), "one window holds it all");
    let first_of_many = preview("1s");
    assert_eq!(collector.connections(), connections);
    assert!(files(&world.state.dir()) == before, "a preview changes no file");

    let count = collector.count();
    let _running = started.start(&world.state).await;
    let next = eventually("the next snapshot", || {
        let pushes = collector.received().split_off(count);
        let is_snapshot = |totals: &Totals| !totals.is_empty();
        pushes.iter().map(|push| totals_of(push.points())).find(is_snapshot)
    })
    .await;
    assert_eq!(next, first_of_many);
}

#[tokio::test]
async fn the_preview_beside_a_running_exporter_knows_what_that_was_told() {
    let world = World::new().await;
    let collector = Collector::start().await;
    let _running = Exporter::to(&collector.url()).start(&world.state).await;
    world.asks(2, "Hi").await;
    world.has_spooled(2).await;
    let preview = eventually("the preview to hold what was asked", || {
        let preview = on(&world.state, &["preview"], &[]);
        (!preview.stdout.is_empty() && totals_in(&preview.json()) == world.truth()).then_some(preview)
    })
    .await;
    let expected =
        format!("POST {}/v1/metrics (tier 1), as the running exporter was told\n", collector.url());
    assert!(preview.stderr.starts_with(&expected), "{}", preview.stderr);
}

#[tokio::test]
async fn a_destination_that_is_new_is_sent_nothing_of_what_was_before() {
    let world = World::new().await;
    world.asks(1, "Hi").await;
    world.has_spooled(1).await;
    let variables = [("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")];
    let preview = on(&world.state, &["preview", "--tier", "1"], &variables);
    assert_eq!((preview.code, preview.stdout.as_str()), (0, ""));
    assert!(preview.stderr.contains("nothing to send: "), "{}", preview.stderr);
    assert!(!world.state.dir().join("exporter").exists());
}

#[tokio::test]
async fn a_destination_that_cannot_be_is_a_matter_of_configuration() {
    let state = State::new();
    let variables = [("OTEL_EXPORTER_OTLP_ENDPOINT", "http://user:secret@127.0.0.1:9")];
    let preview = on(&state, &["preview", "--tier", "1"], &variables);
    assert_eq!(preview.code, 78);
    assert!(!preview.stderr.contains("secret"), "{}", preview.stderr);
}

#[tokio::test]
async fn no_command_shows_a_secret() {
    let world = World::new().await;
    let canaries = Canaries::default();
    let collector = Collector::start().await;
    let endpoint = format!("{}/v1/metrics?key={}", collector.url(), canaries.mint("query"));
    let headers = format!("authorization=Bearer {},x-scope=team", canaries.mint("header"));
    let name = canaries.mint("name");
    let variables = [
        ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", &*endpoint),
        ("OTEL_EXPORTER_OTLP_HEADERS", &*headers),
        ("MY_NAME", &*name),
    ];
    let own =
        r#"{"otel":{"tier":2,"identity":"${MY_NAME}","opt_in_acknowledged_at":"2026-11-20T10:00:00Z"}}"#;
    fs::write(world.state.home().join(".ccxray.user.json"), own).expect("the home directory can be written");
    let exporter = Exporter::without_consent().argument("--tier").argument("2");
    let exporter = variables.iter().fold(exporter, |exporter, (name, value)| exporter.variable(name, value));
    let mut running = exporter.start(&world.state).await;
    world.asks(2, &canaries.mint("prompt")).await;
    eventually("the exchanges to arrive", || (collector.totals() == world.truth()).then_some(())).await;

    let commands: [&[&str]; 7] = [
        &["status"],
        &["status", "--json"],
        &["preview"],
        &["preview", "--tier", "1"],
        &["preview", "--tier", "2"],
        &["preview", "--tier", "1", "--interval", "1s"],
        &["preview", "--tier", "0"],
    ];
    let search = |when: &str| {
        for arguments in commands {
            let said = on(&world.state, arguments, &variables);
            assert_eq!(said.code, 0, "{when}: {arguments:?}: {}", said.stderr);
            let found = canaries.found_in((said.stdout.clone() + &said.stderr).as_bytes());
            assert!(found.is_empty(), "{when}: {arguments:?}: {found:?}");
        }
    };
    search("running");
    for arguments in [&["preview"][..], &["preview", "--tier", "2"]] {
        let said = on(&world.state, arguments, &variables).stdout;
        assert!(said.contains("enduser.id"), "{arguments:?} is of the pipeline with the name: {said}");
    }
    let talk = on(&world.state, &["preview", "--tier", "1"], &variables).stderr;
    assert!(talk.contains("/v1/metrics?*** (tier 1)\n"), "{talk}");
    assert!(talk.contains("\nauthorization: ***\nx-scope: ***\n"), "{talk}");
    running.stop().await;
    search("stopped");
}

#[tokio::test]
async fn what_the_exporter_tells_of_itself_is_on_the_page_and_pushed_and_names_nobody() {
    let world = World::new().await;
    let collector = Collector::start().await;
    let running = Exporter::to(&collector.url()).start(&world.state).await;
    world.asks(2, "Hi").await;
    let pushed = eventually("the exporter's own figures", || {
        let entries = |push: &ccxray_tests::collector::Received| {
            let points = push.points();
            points
                .iter()
                .find(|point| point.series.as_str() == "ccxray.exporter.entries_total{kind=entry}")
                .is_some_and(|point| point.value == 2)
        };
        collector.received().into_iter().find(entries)
    })
    .await;
    let launches = pushed.points().into_iter().find(|p| p.series.metric() == "ccxray.otel.tier_distribution");
    assert_eq!(launches.expect("launches").series.as_str(), "ccxray.otel.tier_distribution{tier=1}");
    let resource = pushed.metrics.resource_metrics[0].resource.clone().unwrap_or_default();
    let mut keys: Vec<_> = resource.attributes.iter().map(|attribute| attribute.key.as_str()).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["ccxray.source", "service.instance.id", "service.name", "service.version"]);
    let instance = pushed.points().remove(0).instance;
    assert!(collector.points().iter().all(|point| point.instance == instance), "one resource for both");

    let metrics = Client::new(&running.url()).ask(&Ask::get("/metrics")).await;
    let text = String::from_utf8(metrics.body.clone()).expect("text");
    for line in [
        "ccxray_exporter_entries_total{kind=\"entry\"} 2\n",
        "ccxray_otel_state{state=\"active\"} 1\n",
        "ccxray_exporter_lag_bytes 0\n",
        "ccxray_requests_total{",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
    assert_eq!(text.matches("\ntarget_info{").count(), 1, "{text}");
}
