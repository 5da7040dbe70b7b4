use super::*;
use crate::consent::config::FileKind;

const OWN: &str = "/home/me/.ccxray.user.json";
const PROJECT: &str = "/code/app/.ccxray.json";
const BESIDE: &str = "/code/app/.ccxray.user.json";

fn stated(path: &str, fields: &str) -> Stated {
    let kind = if path == PROJECT { FileKind::Project } else { FileKind::Personal };
    let settings = Settings::parse(&format!("{{\"otel\":{{{fields}}}}}"), kind).unwrap();
    Stated { path: path.into(), settings }
}

/// What a case is made of; fields of the files, each absent unless given.
#[derive(Clone, Copy, Default)]
struct Case<'c> {
    project: Option<&'c str>,
    own: Option<&'c str>,
    beside: Option<&'c str>,
    ceiling: Option<u64>,
    env: &'c [(&'c str, &'c str)],
}

impl Case<'_> {
    fn with_parties<T>(&self, ask: impl FnOnce(&Parties<'_>) -> T) -> T {
        let variables =
            |name: &str| self.env.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        let own = self.own.map(|fields| stated(OWN, fields));
        let environment = Environment::read(&variables);
        let ceiling = self.ceiling.and_then(Tier::from_number);
        ask(&Parties { own: own.as_ref(), ceiling, environment: &environment, variables: &variables })
    }

    fn coverage(&self) -> Result<Coverage, Reason> {
        let project = Project {
            file: self.project.map(|fields| stated(PROJECT, fields)),
            personal: self.beside.map(|fields| stated(BESIDE, fields)).into_iter().collect(),
        };
        self.with_parties(|parties| parties.project(&project))
    }

    fn grant(&self) -> Grant {
        match self.coverage() {
            Ok(Coverage::Granted(grant)) => *grant,
            other => panic!("{other:?}"),
        }
    }

    #[expect(clippy::redundant_closure_for_method_calls, reason = "the method is bound to one lifetime")]
    fn server(&self) -> Result<Grant, Reason> {
        self.with_parties(|parties| parties.server())
    }
}

const E: &str = r#""endpoint":"https://project.example""#;

#[test]
fn all_sixteen_pairs_of_files_do_as_the_table_says() {
    // In the user's own place an endpoint stands too, so that the file alone is enough.
    const ROWS: [(i8, [u8; 4]); 4] =
        [(-1, [0, 0, 1, 2]), (0, [0, 0, 0, 0]), (1, [1, 0, 1, 1]), (2, [1, 0, 1, 2])];
    for (project, row) in ROWS {
        for (personal, expected) in (-1i8..).zip(row) {
            let project_file = format!(r#"{E},"tier":{project}"#);
            let own_file = format!(
                r#""endpoint":"https://own.example","tier":{personal},"identity":"me","opt_in_acknowledged_at":"2026-11-20T10:00:00Z""#
            );
            let case = Case {
                project: (project >= 0).then_some(&*project_file),
                own: (personal >= 0).then_some(&*own_file),
                ..Case::default()
            };
            let tier = match case.coverage() {
                Ok(Coverage::Granted(grant)) => {
                    assert_eq!(grant.key.attributes.contains_key("enduser.id"), expected == 2);
                    assert_eq!(
                        grant.notices.len(),
                        usize::from(personal > project && project > 0 || (project, personal) == (2, -1))
                    );
                    grant.key.tier
                }
                Ok(Coverage::Uncovered(_)) | Err(Reason::Tier0(_)) => 0,
                Err(other) => panic!("{other}"),
            };
            assert_eq!(tier, expected, "project {project}, personal {personal}");
        }
    }
}

#[test]
fn tier_1_sends_three_attributes_at_most_and_tier_2_the_name_too() {
    let project = format!(r#"{E},"tier":2,"resource_attributes":{{"project.name":"app","team":"a"}}"#);
    let own = r#""tier":2,"identity":"me","opt_in_acknowledged_at":"2026-11-20T10:00:00Z","resource_attributes":{"team":"mine","deployment.environment.name":"laptop"}"#;
    let named = Case { project: Some(&project), own: Some(own), ..Case::default() }.grant();
    let expected = [
        ("deployment.environment.name", "laptop"),
        ("enduser.id", "me"),
        ("project.name", "app"),
        ("team", "a"),
    ];
    assert_eq!(named.key.attributes, expected.map(|(k, v)| (k.to_owned(), v.to_owned())).into());
    assert_eq!(named.acknowledged_at.as_deref(), Some("2026-11-20T10:00:00Z"));
    let anonymous = named.anonymous();
    assert!(
        !anonymous.key.attributes.contains_key("enduser.id") && !anonymous.shown.contains_key("enduser.id")
    );
    assert_eq!((anonymous.key.tier, anonymous.is_standby, anonymous.acknowledged_at), (1, true, None));
}

#[test]
fn tier_2_without_a_name_or_an_acknowledgement_counts_as_1_with_a_hint() {
    for own in [
        r#""tier":2"#,
        r#""tier":2,"identity":"me""#,
        r#""tier":2,"opt_in_acknowledged_at":"2026-11-20T10:00:00Z""#,
    ] {
        let grant =
            Case { project: Some(&format!(r#"{E},"tier":2"#)), own: Some(own), ..Case::default() }.grant();
        assert_eq!((grant.key.tier, grant.key.attributes.len()), (1, 0), "{own}");
        assert!(grant.notices.iter().any(|notice| notice.contains("init --personal --tier 2")));
    }
}

#[test]
fn a_personal_file_in_a_project_can_only_lower_or_name() {
    let beside = r#""tier":2,"identity":"me","opt_in_acknowledged_at":"2026-11-20T10:00:00Z","endpoint":"https://evil.example","headers":{"authorization":"Bearer ${GITHUB_TOKEN}"},"allow_env":["GITHUB_TOKEN"],"trusted_roots":["/somewhere"],"interval":"1s","resource_attributes":{"team":"evil"},"cardinality_overrides":{"ccxray.tool.invocations_total":{"tool":9}}"#;
    let project = format!(r#"{E},"tier":2,"interval":"30s""#);
    let case = Case {
        project: Some(&project),
        beside: Some(beside),
        env: &[("GITHUB_TOKEN", "canary")],
        ..Case::default()
    };
    let grant = case.grant();
    assert_eq!(grant.destination.endpoint.to_string(), "https://project.example/v1/metrics");
    assert!(grant.destination.headers.is_empty() && grant.budgets.is_empty());
    assert_eq!(grant.interval, Some(std::time::Duration::from_secs(30)));
    assert_eq!(grant.key.attributes.keys().collect::<Vec<_>>(), ["enduser.id"]);
    assert!(grant.notices.iter().any(|notice| notice.contains("the rest has no effect")));
    let without_tier = Case { project: Some(E), ..case };
    assert_eq!(without_tier.coverage(), Err(Reason::NobodySaid), "it begins nothing");
    let own = Some(r#""tier":1"#);
    assert_eq!(Case { own, ..without_tier }.grant().key.tier, 1, "the person's own file does");
    let lowered = Case { beside: Some(r#""tier":0"#), ..case };
    assert_eq!(lowered.coverage(), Err(Reason::Tier0(BESIDE.into())));
    let alone = Case { project: None, ..case };
    assert_eq!(alone.coverage(), Ok(Coverage::Uncovered(Some(Tier::Named))), "it covers nothing by itself");
    let uses_variable = Case {
        beside: Some(
            r#""tier":2,"identity":"${GITHUB_TOKEN}","opt_in_acknowledged_at":"2026-11-20T10:00:00Z""#,
        ),
        ..case
    };
    assert_eq!(uses_variable.grant().key.tier, 1);
}

#[test]
fn a_personal_file_in_a_project_goes_no_higher_than_the_users_own() {
    let beside = r#""tier":2,"identity":"me","opt_in_acknowledged_at":"2026-11-20T10:00:00Z""#;
    let grant = Case {
        project: Some(&format!(r#"{E},"tier":2"#)),
        own: Some(r#""tier":1"#),
        beside: Some(beside),
        ..Case::default()
    }
    .grant();
    assert_eq!(grant.key.tier, 1);
}

#[test]
fn nobody_else_acknowledges_for_the_users_own_name() {
    let project = format!(r#"{E},"tier":2"#);
    let beside = r#""tier":2,"opt_in_acknowledged_at":"2026-11-20T10:00:00Z""#;
    let own = r#""identity":"canary""#;
    let grant =
        Case { project: Some(&project), own: Some(own), beside: Some(beside), ..Case::default() }.grant();
    assert_eq!((grant.key.tier, grant.key.attributes.len()), (1, 0));
    let own = r#""opt_in_acknowledged_at":"2026-11-20T10:00:00Z""#;
    let beside = r#""identity":"me""#;
    let grant =
        Case { project: Some(&project), own: Some(own), beside: Some(beside), ..Case::default() }.grant();
    assert_eq!(grant.key.attributes["enduser.id"], "me");
}

#[test]
fn endpoint_and_headers_come_from_one_place() {
    let env = [
        ("TOKEN", "0123456789abcdefghij"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://env.example"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-env=1"),
    ];
    let own = r#""endpoint":"https://own.example","tier":1,"headers":{"authorization":"Bearer ${TOKEN}"}"#;
    let tier = r#""tier":1"#;
    let with_endpoint = format!("{E},{tier}");
    let to = |project, own| {
        let grant = Case { project, own, env: &env, ..Case::default() }.grant();
        let headers: Vec<_> = grant.destination.headers.iter().map(|(name, _)| name.to_string()).collect();
        (grant.destination.endpoint.to_string(), headers.join(","))
    };
    let at = |host: &str, headers: &str| (format!("https://{host}.example/v1/metrics"), headers.to_owned());
    assert_eq!(to(Some(&with_endpoint), Some(own)), at("project", ""));
    assert_eq!(to(Some(tier), Some(own)), at("own", "authorization"));
    assert_eq!(to(None, Some(own)), at("own", "authorization"));
    assert_eq!(to(Some(tier), None), at("env", "x-env"));
    let nowhere = Case { project: Some(tier), ..Case::default() };
    assert_eq!(nowhere.coverage(), Err(Reason::NoEndpoint));
}

#[test]
fn a_project_gets_the_variables_that_the_user_allows_and_no_others() {
    let project = format!(r#"{E},"tier":1,"headers":{{"authorization":"Bearer ${{TOKEN}}"}}"#);
    let env = [("TOKEN", "canary-0123456789")];
    let allowed =
        Case { project: Some(&project), own: Some(r#""allow_env":["TOKEN"]"#), env: &env, ..Case::default() };
    let grant = allowed.grant();
    assert_eq!(grant.destination.headers[0].1.expose(), "Bearer canary-0123456789");
    assert!(!format!("{grant:?}").contains("canary"), "{grant:?}");
    for own in [None, Some(r#""allow_env":["OTHER"]"#)] {
        let Err(Reason::Broken(text)) = Case { own, ..allowed }.coverage() else { panic!() };
        assert!(text.starts_with("/code/app/.ccxray.json:1:") && text.contains("allow_env"), "{text}");
    }
    let Err(Reason::Broken(text)) = Case { env: &[], ..allowed }.coverage() else { panic!() };
    assert_eq!(
        text,
        "/code/app/.ccxray.json:1:83: otel.headers.authorization: ${TOKEN} is not set in the exporter's environment; set it, \
         or remove it here"
    );
}

#[test]
fn no_variable_is_read_that_is_not_allowed() {
    use std::cell::RefCell;
    let read = RefCell::new(Vec::new());
    let variables = |name: &str| {
        read.borrow_mut().push(name.to_owned());
        None
    };
    let project = Project {
        file: Some(stated(PROJECT, &format!(r#"{E},"tier":1,"headers":{{"x-a":"${{GITHUB_TOKEN}}"}}"#))),
        personal: vec![],
    };
    let environment = Environment::read(&|_| None);
    let parties = Parties { own: None, ceiling: None, environment: &environment, variables: &variables };
    assert!(parties.project(&project).is_err());
    assert_eq!(*read.borrow(), Vec::<String>::new());
}

#[test]
fn what_comes_from_a_variable_is_masked_and_still_makes_another_pipeline() {
    let own = r#""endpoint":"https://${TENANT}.example/otlp","tier":2,"identity":"${WHO}","opt_in_acknowledged_at":"2026-11-20T10:00:00Z""#;
    let of = |tenant| {
        Case { own: Some(own), env: &[("TENANT", tenant), ("WHO", "canary-me")], ..Case::default() }.grant()
    };
    let (one, two) = (of("canary-one"), of("canary-two"));
    assert_eq!(one.summary(), "ccxray OTel tier: 2 (named) → https://***.example/otlp/v1/metrics");
    assert_eq!(one.shown["enduser.id"], "***");
    assert_eq!(one.key.attributes["enduser.id"], "canary-me");
    assert_ne!(one.key, two.key);
    assert!(!format!("{one:?}{two:?}").contains("canary"), "{one:?}");
}

#[test]
fn an_address_from_variables_is_checked_once_it_is_known() {
    let own = r#""endpoint":"${WHERE}","tier":1,"headers":{"x-a":"b"}"#;
    let of = |address| Case { own: Some(own), env: &[("WHERE", address)], ..Case::default() }.coverage();
    assert!(of("https://otel.example").is_ok() && of("http://127.0.0.1:4318").is_ok());
    for address in ["http://otel.example", "otel.example", "https://me:canary@otel.example"] {
        let Err(Reason::Broken(text)) = of(address) else { panic!("{address}") };
        assert!(
            text.starts_with("/home/me/.ccxray.user.json:1:21: otel.endpoint: ") && !text.contains("canary"),
            "{text}"
        );
    }
}

#[test]
fn the_environment_never_raises_a_tier() {
    let env = [("OTEL_EXPORTER_OTLP_ENDPOINT", "https://env.example")];
    assert_eq!(Case { env: &env, ..Case::default() }.server(), Err(Reason::NoTier));
    assert_eq!(Case { env: &env, ceiling: Some(0), ..Case::default() }.server(), Err(Reason::SwitchedOff));
    let said = Case { project: Some(""), own: Some(""), env: &env, ..Case::default() };
    assert_eq!(said.coverage(), Err(Reason::NobodySaid));
    assert_eq!(Case { env: &env, ceiling: Some(1), ..Case::default() }.server().unwrap().key.tier, 1);
}

#[test]
fn the_environment_can_switch_everything_off() {
    let project = format!(r#"{E},"tier":1"#);
    for (name, value, expected) in [
        ("OTEL_SDK_DISABLED", "true", Reason::SdkDisabled),
        ("OTEL_METRICS_EXPORTER", "none", Reason::SdkDisabled),
        ("DO_NOT_TRACK", "1", Reason::DoNotTrack),
    ] {
        let env = [(name, value), ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://env.example")];
        let case = Case { project: Some(&project), env: &env, ceiling: Some(1), ..Case::default() };
        assert_eq!(case.coverage(), Err(expected.clone()), "{name}");
        assert_eq!(case.server(), Err(expected), "{name}");
    }
    let env = [("DO_NOT_TRACK", "1")];
    let says_otherwise =
        Case { project: Some(&project), own: Some(r#""tier":1"#), env: &env, ..Case::default() };
    assert_eq!(says_otherwise.grant().key.tier, 1);
    let says_nothing =
        Case { own: Some(r#""identity":"me""#), beside: Some(r#""tier":1"#), ..says_otherwise };
    assert_eq!(says_nothing.coverage(), Err(Reason::DoNotTrack));
}

#[test]
fn the_command_lines_tier_is_a_ceiling() {
    let env = [("OTEL_EXPORTER_OTLP_ENDPOINT", "https://env.example")];
    let named = r#""tier":2,"identity":"me","opt_in_acknowledged_at":"2026-11-20T10:00:00Z""#;
    let server = |ceiling, own| Case { own, ceiling: Some(ceiling), env: &env, ..Case::default() }.server();
    assert_eq!(server(2, Some(named)).unwrap().key.attributes["enduser.id"], "me");
    assert_eq!(server(1, Some(named)).unwrap().key.tier, 1);
    assert_eq!(server(2, None).unwrap().key.tier, 1);
    assert_eq!(server(2, Some(r#""tier":0"#)), Err(Reason::Tier0(OWN.into())));
    let project = format!(r#"{E},"tier":2"#);
    let clamped = Case { project: Some(&project), own: Some(named), ceiling: Some(1), ..Case::default() };
    assert_eq!(clamped.grant().key.tier, 1);
    assert_eq!(Case { ceiling: Some(0), ..clamped }.coverage(), Err(Reason::SwitchedOff));
}

#[test]
fn a_projects_name_comes_from_its_file_only() {
    let env = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://env.example"),
        ("OTEL_RESOURCE_ATTRIBUTES", "project.name=shell,team=shell"),
    ];
    let grant = Case { project: Some(r#""tier":1"#), env: &env, ..Case::default() }.grant();
    assert!(grant.key.attributes.is_empty(), "{:?}", grant.key);
    let server = Case { ceiling: Some(1), env: &env, ..Case::default() }.server().unwrap();
    assert_eq!(server.key.attributes["project.name"], "shell");
}

#[test]
fn the_environment_says_how_requests_are_sent() {
    let env = [("OTEL_EXPORTER_OTLP_COMPRESSION", "none"), ("OTEL_EXPORTER_OTLP_TIMEOUT", "1500")];
    let project = format!(r#"{E},"tier":1"#);
    let grant = Case { project: Some(&project), env: &env, ..Case::default() }.grant();
    assert_eq!(grant.destination.timeout, std::time::Duration::from_millis(1500));
    assert_eq!(grant.destination.compression, crate::deliver::payload::Compression::None);
}

#[test]
fn the_projects_budgets_go_before_the_users() {
    use crate::measure::{Key, Metric};
    let budgets =
        |n| format!(r#""cardinality_overrides":{{"ccxray.tool.invocations_total":{{"tool":{n}}}}}"#);
    let project = format!(r#"{E},"tier":1,"promote":["team"],{}"#, budgets(3));
    let own = format!(r#""interval":"10s",{}"#, budgets(9));
    let grant = Case { project: Some(&project), own: Some(&own), ..Case::default() }.grant();
    assert_eq!(grant.budgets[&(Metric::ToolInvocations, Key::Tool)], 3);
    assert_eq!(
        (grant.interval, grant.promote),
        (Some(std::time::Duration::from_secs(10)), vec!["team".to_owned()])
    );
}

#[test]
#[expect(clippy::redundant_closure_for_method_calls, reason = "the method is bound to one lifetime")]
fn what_the_users_own_file_needs_is_looked_at_at_the_start() {
    let own = r#""endpoint":"https://own.example","headers":{"authorization":"Bearer ${TOKEN}"}"#;
    let checked =
        |env| Case { own: Some(own), env, ..Case::default() }.with_parties(|parties| parties.check_own());
    assert_eq!(checked(&[("TOKEN", "x")]), Ok(()));
    let problems = checked(&[]).unwrap_err().to_string();
    assert!(
        problems
            .starts_with("/home/me/.ccxray.user.json:1:70: otel.headers.authorization: ${TOKEN} is not set"),
        "{problems}"
    );
}
