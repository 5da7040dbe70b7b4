use super::{
    rules::{is_rfc_3339, is_root},
    *,
};

fn complaints(text: &str, kind: FileKind) -> Vec<String> {
    let problems = Settings::parse(text, kind).err().unwrap_or_default();
    let file = std::path::Path::new(kind.file_name());
    problems.iter().map(|problem| problem.at(file).to_string()).collect()
}

fn otel(fields: &str) -> String {
    format!("{{\"otel\":{{{fields}}}}}")
}

#[test]
fn a_whole_file_is_understood() {
    let text = r#"{"otel": {
        "enabled": true, "tier": 2, "endpoint": "https://otel.example", "protocol": "http/protobuf",
        "headers": {"Authorization": "Bearer ${TOKEN}", "x-scope-orgid": "7"},
        "resource_attributes": {"team": "a", "deployment.environment.name": "ci"},
        "cardinality_overrides": {"ccxray.tool.invocations_total": {"tool": 5}},
        "interval": "30s", "promote": ["team"], "identity": "me", "opt_in_acknowledged_at": "2026-11-20T10:00:00.000Z",
        "allow_env": ["TOKEN"], "trusted_roots": ["~/work", "/srv/code"]
    }}"#;
    let settings = Settings::parse(text, FileKind::Personal).unwrap();
    assert_eq!(settings.tier, Some(Tier::Named));
    assert_eq!(settings.endpoint.unwrap().text, "https://otel.example");
    assert_eq!(settings.headers[0].1.text, "Bearer ${TOKEN}");
    assert_eq!(settings.attributes["team"].text, "a");
    assert_eq!(settings.budgets[&(Metric::ToolInvocations, Key::Tool)], 5);
    assert_eq!(settings.interval, Some(Duration::from_secs(30)));
    assert_eq!(settings.promote, ["team"]);
    assert_eq!(settings.trusted_roots, ["~/work", "/srv/code"]);
}

#[test]
fn what_is_switched_off_is_at_tier_0() {
    let tier = |fields| Settings::parse(&otel(fields), FileKind::Project).unwrap().tier;
    assert_eq!(tier(r#""enabled":false,"tier":2"#), Some(Tier::Disabled));
    assert_eq!(tier(r#""enabled":true"#), None);
    assert_eq!(tier(r#""tier":1"#), Some(Tier::Anonymous));
}

#[test]
fn mistakes_in_a_projects_file_are_told_with_place_key_and_fix() {
    for (fields, expected) in [
        (
            r#""endpoint":"https://evil.example/${GITHUB_TOKEN}""#,
            ".ccxray.json:1:21: otel.endpoint: ${GITHUB_TOKEN} is not resolved here: in a project's file, variables work in \
             header values only",
        ),
        (
            r#""endpoint":"https://x.example","headers":{"x-api-key":"${ANTHROPIC_API_KEY}"}"#,
            ".ccxray.json:1:64: otel.headers.x-api-key: ${ANTHROPIC_API_KEY} is the agent's own credential, which no \
             destination gets",
        ),
        (
            r#""endpoint":"https://x.example","headers":{"authorization":"Bearer 1234567890abcdefghijk"}"#,
            ".ccxray.json:1:68: otel.headers.authorization: this looks like credentials; put it into a variable and write \
             ${NAME}",
        ),
        (
            r#""endpoint":"https://x.example","headers":{"x-honeycomb-team":"hunter2"}"#,
            ".ccxray.json:1:71: otel.headers.x-honeycomb-team: a credential belongs into a variable; write ${NAME}",
        ),
        (
            r#""headers":{"x-a":"b"}"#,
            ".ccxray.json:1:27: otel.headers.x-a: headers go to the endpoint of the same file, which names none",
        ),
        (
            r#""endpoint":"http://otel.example","headers":{"x-a":"b"}"#,
            ".ccxray.json:1:21: otel.endpoint: this is http:// to another machine, but headers or a query go with it; use \
             https://",
        ),
        (
            r#""endpoint":"otel.example:4318""#,
            ".ccxray.json:1:21: otel.endpoint: this is not an http:// or https:// address; write, for example, \
             http://localhost:4318",
        ),
        (
            r#""endpoint":"https://x.example","headers":{"x-a":"${A"}"#,
            ".ccxray.json:1:58: otel.headers.x-a: `${` begins no variable; write ${NAME}, or $$ for a dollar sign",
        ),
        (
            r#""endpoint":"https://x.example","headers":{"content-type":"text/plain"}"#,
            ".ccxray.json:1:67: otel.headers.content-type: the exporter sets this header itself; remove it",
        ),
        (
            r#""interval":"10ms""#,
            ".ccxray.json:1:21: otel.interval: this is no interval; write one from `1s` to `1h`, for example `60s`",
        ),
        (
            r#""cardinality_overrides":{"ccxray.request_total":{"model":1}}"#,
            ".ccxray.json:1:35: otel.cardinality_overrides.ccxray.request_total: unknown metric; did you mean \
             `ccxray.requests_total`?",
        ),
        (
            r#""resource_attributes":{"team":"a\u001b[2J"}"#,
            ".ccxray.json:1:40: otel.resource_attributes.team: this holds a control character; remove it",
        ),
    ] {
        assert_eq!(complaints(&otel(fields), FileKind::Project), [expected], "{fields}");
    }
}

#[test]
fn mistakes_in_a_personal_file_are_told_with_place_key_and_fix() {
    for (fields, expected) in [
        (
            r#""allow_env":["GITHUB_TOKEN","OPENAI_API_KEY"]"#,
            ".ccxray.user.json:1:38: otel.allow_env[1]: the agent's own credentials are never given to a project's \
             destination",
        ),
        (
            r#""allow_env":["A-B"]"#,
            ".ccxray.user.json:1:23: otel.allow_env[0]: this is not a variable's name",
        ),
        (
            r#""trusted_roots":["code/../.."]"#,
            ".ccxray.user.json:1:27: otel.trusted_roots[0]: this is no directory to trust; write an absolute path or one \
             below ~/, without `..`",
        ),
        (
            r#""opt_in_acknowledged_at":"yesterday""#,
            ".ccxray.user.json:1:35: otel.opt_in_acknowledged_at: this is no time; write one such as \
             `2026-01-31T12:00:00Z`, or let `ccxray-exporter init` do it",
        ),
        (
            r#""identity":"sk-ant-REDACTED-example-key-0123""#,
            ".ccxray.user.json:1:21: otel.identity: this looks like an API token; put it into a variable and write ${NAME}",
        ),
    ] {
        assert_eq!(complaints(&otel(fields), FileKind::Personal), [expected], "{fields}");
    }
}

#[test]
fn no_complaint_repeats_a_secret() {
    let canary = "ghp_canary0123456789canary0123456789ABCD";
    for fields in [
        format!(r#""endpoint":"https://x.example","headers":{{"x-a":"{canary}"}}"#),
        format!(r#""endpoint":"https://user:{canary}@x.example""#),
        format!(r#""protocol":"{canary}""#),
        format!(r#""interval":"{canary}""#),
    ] {
        let complaints = complaints(&otel(&fields), FileKind::Personal);
        assert!(!complaints.is_empty() && !complaints.concat().contains("canary"), "{complaints:?}");
    }
}

#[test]
fn the_roots_of_trust_are_plain_directories() {
    for root in ["/srv/code", "~/work", "~"] {
        assert!(is_root(root), "{root}");
    }
    for root in ["", "/", "work", "~work", "/a/../b", "~/..", "/./a"] {
        assert!(!is_root(root), "{root}");
    }
}

#[test]
fn times_are_those_of_rfc_3339() {
    for time in ["2026-11-20T10:00:00Z", "2026-11-20T10:00:00.123Z", "2026-11-20T10:00:00+01:00"] {
        assert!(is_rfc_3339(time), "{time}");
    }
    for time in [
        "",
        "2026-11-20",
        "2026-11-20T10:00:00",
        "2026-11-20 10:00:00Z",
        "2026-11-20T10:00:00.Z",
        "x026-11-20T10:00:00Z",
    ] {
        assert!(!is_rfc_3339(time), "{time}");
    }
}
