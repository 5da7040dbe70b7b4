//! The facts that the upstream's ledger tells.

use serde_json::Value;

use super::facts::{End, Facts, Failure, Stated};
use crate::{
    upstream::{Milestone, Sending, Served, script::Asks},
    wire::Request,
};

/// The facts of all exchanges that the upstream saw.
pub fn from_upstream(served: &[Served]) -> Vec<Facts> {
    served.iter().map(facts_of).collect()
}

fn facts_of(served: &Served) -> Facts {
    let (route, class) = purpose(&served.request);
    let mut facts = Facts {
        route: route.into(),
        class: class.into(),
        status: served.status,
        end: end(served),
        model: served.request.model(),
        session: served.request.session(),
        streamed: served.streamed,
        ..Facts::default()
    };
    for told in &served.told {
        take_in(&mut facts, told);
    }
    facts
}

fn take_in(facts: &mut Facts, told: &Milestone) {
    match told {
        Milestone::Started { model, usage } => {
            facts.model = Some(model.clone());
            let usage = crate::upstream::Usage { output: 0, ..*usage };
            facts.usage = Some(Stated { usage, output: false });
        }
        Milestone::Content => facts.content = true,
        Milestone::Tool(name) => facts.tools.push(name.clone()),
        Milestone::Finished { stop_reason, output } => {
            facts.stop_reason = Some(stop_reason.clone());
            let stated = facts.usage.get_or_insert_default();
            stated.usage.output = *output;
            stated.output = true;
        }
        Milestone::Terminal => facts.terminal = true,
        Milestone::Failed { kind, context_length } => {
            facts.error = Some(Failure { kind: Some(kind.clone()), context_length: *context_length });
        }
    }
}

fn end(served: &Served) -> End {
    match (served.sending, served.status) {
        (Sending::Whole, _) => End::Complete,
        (Sending::ClientLeft, _) => End::ClientLeft,
        (Sending::BrokenOff | Sending::UnderWay, Some(_)) => End::UpstreamBroke,
        (Sending::BrokenOff | Sending::UnderWay, None) => End::NoAnswer,
    }
}

/// The route and the class.
fn purpose(request: &Request) -> (&'static str, &'static str) {
    match Asks::of(request) {
        Asks::Probe => ("root", "probe"),
        Asks::TokenCount => ("count_tokens", "token_count"),
        Asks::Helper if asks_for_a_title(&request.json()) => ("messages", "title"),
        Asks::Helper => ("messages", "helper"),
        Asks::Turn | Asks::TurnWithResults => ("messages", "turn"),
        Asks::Platform => ("platform", "platform"),
    }
}

fn asks_for_a_title(body: &Value) -> bool {
    body["output_config"]["format"]["schema"]["properties"]["title"].is_object()
}
