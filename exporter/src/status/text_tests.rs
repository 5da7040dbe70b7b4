use ccxray_shared::UnixMillis;

use super::{
    super::{
        destination::Budget,
        ledger::{LedgerReport, Lost, UncertainRange, WithheldRange},
        projects::ProjectReport,
        report::{Checkpoint, Spool},
    },
    *,
};
use crate::{
    checkpoint::Writer,
    classify::price_table::Origin,
    deliver::{HealthRecord, health::State, history::Transition},
    ledger::{Damage, Why},
    measure::{Key, Metric},
    pipeline::withheld::Absence,
};

/// 2026-11-20T14:00:00Z, less so many seconds.
fn ago(seconds: u64) -> UnixMillis {
    UnixMillis(1_795_183_200_000 - seconds * 1000)
}

fn never_ran() -> Report {
    Report {
        version: "0.1.0".into(),
        state_dir: "/home/me/.local/state/ccxray".into(),
        pid: None,
        last_alive: None,
        checkpoint: Checkpoint::None,
        exporter: None,
        prices: Prices {
            origin: Origin { source: "litellm wheel 1.109.1".into(), retrieved: "2026-11-19".into() },
            age_days: Some(1),
        },
        rules: vec![rules_file("mcp.json", false, 3), rules_file("tools.json", false, 1)],
        spool: Spool { segments: 0, bytes: 0, unread_bytes: 0 },
        proxies: vec![],
        destinations: vec![],
        ledger: LedgerReport::default(),
        projects: vec![],
        configuration_problem: None,
    }
}

fn rules_file(name: &str, replaced: bool, age_days: u64) -> RulesFile {
    let version = "1.2.0".to_owned().try_into().unwrap();
    let facts = FileFacts { name: name.into(), version, verified: vec![], replaced };
    RulesFile { facts, age_days }
}

fn change(seconds: u64, from: State, to: State, cause: OutcomeKind) -> Transition {
    Transition { at: ago(seconds), from, to, cause: Some(cause) }
}

fn budget(attribute: Key, metric: Metric, used: usize, budget: usize) -> Budget {
    Budget { attribute, metric, used, budget }
}

fn troubled() -> DestinationReport {
    DestinationReport {
        endpoint: "https://otel.example/v1/metrics?***".into(),
        tier: 1,
        files: ["/code/a/.ccxray.json".into()].into(),
        attributes: [("project.name".to_owned(), "a".to_owned())].into(),
        acknowledged_at: None,
        interval_ms: Some(60_000),
        is_server: false,
        complement_mode: true,
        notices: ["`/code/a/.ccxray.json` allows tier 1; yours counts as that".to_owned()].into(),
        health: HealthRecord {
            state: State::CircuitOpen,
            since: ago(30),
            cause: Some(OutcomeKind::Retryable),
            failures: 0,
            cooldown_ms: 120_000,
            next_attempt: Some(ago(0)),
        },
        transitions: vec![
            change(400, State::Degraded, State::CircuitOpen, OutcomeKind::Retryable),
            change(31, State::CircuitOpen, State::HalfOpen, OutcomeKind::Retryable),
            change(30, State::HalfOpen, State::CircuitOpen, OutcomeKind::Retryable),
        ],
        last_hour: Counts { succeeded: 52, failed: 6, dropped: 0 },
        last_day: Counts { succeeded: 1432, failed: 6, dropped: 1 },
        last_cut: ago(60),
        series: 84,
        budgets: vec![
            budget(Key::Model, Metric::TokensInput, 3, 10),
            budget(Key::Model, Metric::LatencyMs, 4, 10),
            budget(Key::Tool, Metric::ToolInvocations, 11, 50),
        ],
        withheld: vec![Absence { from: ago(9000), until: ago(5000), entries: 12 }],
    }
}

fn project(dir: &str, standing: Standing, reason: Option<&str>) -> ProjectReport {
    ProjectReport {
        dir: dir.into(),
        last: ago(7),
        standing,
        tier: u8::from(standing == Standing::Sent),
        reason: reason.map(Into::into),
        fix: reason.map(|_| format!("ccxray-exporter trust {dir}")),
    }
}

fn busy() -> Report {
    let prices = Origin { source: "litellm wheel 1.108.0".into(), retrieved: "2026-10-01".into() };
    Report {
        pid: Some("4711".into()),
        last_alive: Some(ago(0)),
        checkpoint: Checkpoint::Whole,
        exporter: Some(Writer {
            version: "0.0.9".into(),
            interval_ms: 60_000,
            prices: prices.clone(),
            rules: vec![],
        }),
        prices: Prices { origin: prices, age_days: Some(50) },
        rules: vec![rules_file("mcp.json", false, 93), rules_file("tools.json", true, 1)],
        spool: Spool { segments: 1, bytes: 1536, unread_bytes: 20 },
        proxies: vec![
            ProxyReport {
                version: "0.1.0".into(),
                gauges: Some(Gauges {
                    at: ago(3),
                    active_exchanges: 2,
                    connections: 1,
                    shed_copies: 0,
                    refused: 1,
                    recorder_panics: 0,
                }),
            },
            ProxyReport { version: "0.1.0".into(), gauges: None },
        ],
        destinations: vec![troubled()],
        projects: vec![
            project("/code/a", Standing::Sent, None),
            project(
                "/code/b",
                Standing::Broken,
                Some("`/code/b/.ccxray.json` has changed; read it, then run `ccxray-exporter trust` again"),
            ),
            project("/code/c", Standing::NotTrusted, Some("no tier was given")),
        ],
        ..never_ran()
    }
}

#[test]
fn before_the_first_run_there_is_little_to_say() {
    let expected = "\
exporter   not running; it never ran here
version    0.1.0
state      /home/me/.local/state/ccxray
spool      0 files, 0 B; 0 B not read yet
proxy      none runs
prices     litellm wheel 1.109.1 of 2026-11-19 (1 day old)
rules      2 files, verified 3 days ago or later
sends      nothing; no destination has consent
";
    assert_eq!(render(&never_ran()), expected);
    assert!(!never_ran().needs_attention());
}

#[test]
fn everything_there_is_to_say_fits_into_80_columns() {
    let expected = "\
exporter   running (pid 4711)
version    0.0.9 wrote the state; this is 0.1.0
state      /home/me/.local/state/ccxray
spool      1 file, 1.5 KiB; 20 B not read yet
proxy      version 0.1.0; 2 exchanges under way, 1 connection at
           2026-11-20T13:59:57.000Z
           since its start: 0 copies given up, 1 request refused, 0 panics
proxy      version 0.1.0; it has nothing to tell yet
prices     litellm wheel 1.108.0 of 2026-10-01 (50 days old)
rules      2 files, verified 93 days ago or later
           tools.json 1.2.0 is your own
hint       agents may have changed since; `ccxray-exporter parser report` says
           what is not known
sends to   https://otel.example/v1/metrics?***
tier       1 (anonymous), complement-mode: true
           project.name = a
agreed by  /code/a/.ccxray.json
note       `/code/a/.ccxray.json` allows tier 1; yours counts as that
health     circuit_open (retryable) since 2026-11-20T13:59:30.000Z
cooldown   120 s
retry      not before 2026-11-20T14:00:00.000Z
changes    2026-11-20T13:59:30.000Z half_open → circuit_open (retryable)
           2026-11-20T13:59:29.000Z circuit_open → half_open (retryable)
           2026-11-20T13:53:20.000Z degraded → circuit_open (retryable)
1 hour     52 snapshots sent, 6 attempts failed, 0 dropped
24 hours   1432 snapshots sent, 6 attempts failed, 1 dropped
totals     84 series, last snapshot 2026-11-20T13:59:00.000Z
budgets    model 4/10, tool 11/50
withheld   12 entries of 2026-11-20T11:30:00.000Z to 2026-11-20T12:36:40.000Z
projects   /code/a: tier 1
           /code/b: `/code/b/.ccxray.json` has changed; read it, then run
           `ccxray-exporter trust` again
           → ccxray-exporter trust /code/b
           /code/c: not trusted; nothing of it is read
           → ccxray-exporter trust /code/c
";
    let text = render(&busy());
    assert_eq!(text, expected);
    assert!(text.lines().all(|line| line.chars().count() <= 80));
    assert!(busy().needs_attention());
}

#[test]
fn a_damaged_checkpoint_is_said_and_needs_attention() {
    let problem =
        "checkpoint `/home/me/.local/state/ccxray/exporter/checkpoint` is damaged: its length is wrong";
    let report = Report { checkpoint: Checkpoint::Previous { problem: problem.into() }, ..never_ran() };
    let text = render(&report);
    let said = "
attention  checkpoint `/home/me/.local/state/ccxray/exporter/checkpoint` is
           damaged: its length is wrong; the one before is whole
";
    assert!(text.contains(said), "{text}");
    assert!(text.starts_with("exporter   not running\n"), "{text}");
    assert!(report.needs_attention());
}

#[test]
fn what_is_withheld_or_uncertain_is_said_once() {
    let mut report = busy();
    let range = |from| WithheldRange {
        from,
        until: ago(5_000),
        destination: "https://old.example/v1/metrics".into(),
        tier: 1,
        why: Why::Absence,
    };
    report.ledger.withheld = vec![range(ago(100_000)), range(report.destinations[0].withheld[0].from)];
    let uncertain = |why| UncertainRange { until: ago(200_000), why };
    report.ledger.uncertain = vec![uncertain(Lost::Forgotten), uncertain(Lost::Records)];
    let text = render(&report);
    let said = "
withheld   what ended from 2026-11-19T10:13:20.000Z to 2026-11-20T12:36:40.000Z,
           of https://old.example/v1/metrics
uncertain  what was recorded until 2026-11-18T06:26:40.000Z; what left the spool
           long ago is not known any more
uncertain  what was recorded until 2026-11-18T06:26:40.000Z; records of what was
           sent were lost
";
    assert!(text.contains(said), "{text}");
    assert!(!never_ran().needs_attention());
}

#[test]
fn a_ledger_that_is_damaged_or_cannot_be_written_needs_attention() {
    let damaged = LedgerReport { damage: Some(Damage::Lost), ..LedgerReport::default() };
    let unwritten = LedgerReport { problem: Some("the disk is full".into()), ..LedgerReport::default() };
    for (ledger, said) in [
        (damaged, "attention  the export ledger is damaged: whatever may have been sent is\n"),
        (unwritten, "attention  the disk is full; nothing is sent until it can be\n"),
    ] {
        let report = Report { ledger, ..never_ran() };
        assert!(render(&report).contains(said), "{}", render(&report));
        assert!(report.needs_attention());
    }
}

#[test]
fn the_json_has_the_same_facts() {
    let json = serde_json::to_value(busy()).unwrap();
    assert_eq!(json["checkpoint"]["state"], "whole");
    assert_eq!(json["exporter"]["prices"]["retrieved"], "2026-10-01");
    assert_eq!(json["prices"]["age_days"], 50);
    assert_eq!(json["rules"][1]["name"], "tools.json");
    assert_eq!(json["rules"][1]["age_days"], 1);
    assert_eq!(json["proxies"][0]["gauges"]["refused"], 1);
    assert_eq!(json["proxies"][1]["gauges"], serde_json::Value::Null);
    assert_eq!(json["destinations"][0]["transitions"][2]["to"], "circuit_open");
    assert_eq!(json["destinations"][0]["last_day"]["succeeded"], 1432);
    assert_eq!(json["destinations"][0]["budgets"][2]["attribute"], "tool");
}

#[test]
fn sizes_are_written_with_one_decimal() {
    assert_eq!(size(0), "0 B");
    assert_eq!(size(1536), "1.5 KiB");
    assert_eq!(size((1 << 20) - 1), "1023.9 KiB");
    assert_eq!(size(16 << 20), "16.0 MiB");
}
