//! What nobody agreed to opens no socket, asks for no name, reads no variable and looks at no file: seen from outside, by
//! the system calls of the real exporter.

use std::collections::BTreeSet;

use ccxray_tests::{
    client::Ask,
    collector::Collector,
    daemons::{Exporter, RunningExporter},
    machine::{Machine, agrees, has_requests, sends},
    trace::{Trace, Tracer},
};
use serde_json::{Value, json};

/// Nobody has this name.
const NOWHERE: &str = "http://collector.invalid:4318";

/// Short, so that many windows pass.
const WINDOW: &str = "100ms";

fn exporter() -> Exporter {
    Exporter::without_consent().interval(WINDOW)
}

/// With an endpoint in the environment, by both names.
fn told_where(exporter: Exporter) -> Exporter {
    let exporter = exporter.variable("OTEL_EXPORTER_OTLP_ENDPOINT", NOWHERE);
    exporter.variable("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", &format!("{NOWHERE}/v1/metrics"))
}

fn told_to_send(exporter: Exporter) -> Exporter {
    told_where(exporter).argument("--tier").argument("2")
}

/// A way to be at tier 0.
struct Form {
    name: &'static str,
    exporter: Exporter,
    /// What the project's file says, and whether it is trusted.
    project: Option<(Value, bool)>,
    person: Option<Value>,
    stamp: Option<&'static str>,
}

impl Form {
    fn of(name: &'static str, exporter: Exporter) -> Self {
        Self { name, exporter, project: None, person: None, stamp: None }
    }

    fn project(self, otel: Value) -> Self {
        Self { project: Some((otel, true)), ..self }
    }

    /// Starts the exporter, traced, and asks questions of which it will know.
    async fn begin(self, trace: Trace) -> Playing {
        let machine = Machine::new().await;
        let dir = machine.path("project");
        if let Some((otel, is_trusted)) = &self.project {
            machine.project("project", otel);
            if *is_trusted {
                machine.trusts(&dir);
            }
        }
        if let Some(otel) = &self.person {
            machine.person_says(otel);
        }
        let exporter = self.exporter.traced(&trace).start(&machine.state).await;
        for dir in [Some(&dir), None, Some(&dir)] {
            let ask = dir.map_or(Ask::simple("Hi"), |dir| Ask::simple("Hi").from_dir(dir));
            let ask = self.stamp.map_or(ask.clone(), |tier| ask.header("x-ccxray-tier", tier));
            machine.client.ask(&ask).await;
        }
        Playing { name: self.name, machine, exporter, trace }
    }
}

/// A form under way.
struct Playing {
    name: &'static str,
    machine: Machine,
    exporter: RunningExporter,
    trace: Trace,
}

impl Playing {
    async fn assert_silent(mut self) {
        self.exporter.stop().await;
        let calls = self.trace.ended().await;
        assert!(!calls.paths().is_empty(), "{}: it was traced", self.name);
        assert_eq!(calls.sockets(), 0, "{}: sockets", self.name);
        assert_eq!(calls.peers(), BTreeSet::new(), "{}", self.name);
        assert_eq!(calls.lookups(), Vec::<String>::new(), "{}", self.name);
    }
}

/// Every way to be at tier 0, each with as much consent around it as there can be.
fn forms() -> Vec<Form> {
    let tier_2 = || sends("project", 2, NOWHERE);
    let own = |tier: u8| {
        let mut own = agrees(tier);
        own["endpoint"] = json!(NOWHERE);
        own
    };
    let with = |mut otel: Value, key: &str, value: Value| {
        otel[key] = value;
        otel
    };
    vec![
        Form::of("nothing said", exporter()),
        Form::of("an endpoint without a tier", told_where(exporter())),
        Form::of("--tier 0", told_where(exporter()).argument("--tier").argument("0")).project(tier_2()),
        Form::of("the tier's variable", told_where(exporter()).variable("CCXRAY_OTEL_TIER", "0"))
            .project(tier_2()),
        Form::of("do not track", told_to_send(exporter()).variable("DO_NOT_TRACK", "1")).project(tier_2()),
        Form::of("the SDK is disabled", told_to_send(exporter()).variable("OTEL_SDK_DISABLED", "true")),
        Form {
            person: Some(agrees(2)),
            ..Form::of("a project's tier 0", exporter()).project(sends("project", 0, NOWHERE))
        },
        Form {
            person: Some(agrees(2)),
            ..Form::of("a project that is not enabled", exporter()).project(with(
                tier_2(),
                "enabled",
                json!(false),
            ))
        },
        Form {
            person: Some(own(0)),
            ..Form::of("a person's tier 0", told_to_send(exporter())).project(tier_2())
        },
        Form {
            person: Some(with(own(2), "enabled", json!(false))),
            ..Form::of("a person who is not enabled", told_to_send(exporter())).project(tier_2())
        },
        Form {
            person: Some(agrees(2)),
            project: Some((tier_2(), false)),
            ..Form::of("a project that nobody trusts", exporter())
        },
        Form {
            person: Some(own(2)),
            stamp: Some("0"),
            ..Form::of("a stamp of tier 0", told_to_send(exporter())).project(tier_2())
        },
    ]
}

#[tokio::test]
async fn tier_0_in_every_form_opens_no_connection_and_resolves_no_name() {
    let Some(tracer) = Tracer::new() else { return };
    let mut playing = Vec::new();
    for form in forms() {
        playing.push(form.begin(tracer.trace()).await);
    }
    // One with consent, whose windows are as long, and whose collector has a name: it shows that all would be seen.
    let (machine, collector, trace) = (Machine::new().await, Collector::start().await, tracer.trace());
    let endpoint = format!("http://localhost:{}", collector.address().port());
    let dir = machine.project("project", &sends("project", 1, &endpoint));
    machine.trusts(&dir);
    let mut consented = exporter().traced(&trace).start(&machine.state).await;
    for form in &playing {
        form.machine.has_counted(&form.exporter).await;
    }
    // An exchange is settled for seconds before it is pushed: many windows pass.
    machine.asks(&dir, 1).await;
    has_requests(&collector, 1).await;
    consented.stop().await;
    let calls = trace.ended().await;
    assert!(calls.sockets() > 0 && !calls.lookups().is_empty());
    assert!(calls.peers().contains(&collector.address().to_string()), "{:?}", calls.peers());
    assert!(calls.variables().contains("DO_NOT_TRACK"), "{:?}", calls.variables());
    for form in playing {
        form.assert_silent().await;
    }
}
