//! The facts that the upstream's ledger tells.

use super::{
    facts::{End, Facts, Failure, Stated},
    purpose::Purpose,
};
use crate::upstream::{Milestone, Sending, Served};

/// The facts of all exchanges that the upstream saw.
pub fn from_upstream(served: &[Served]) -> Vec<Facts> {
    served.iter().map(facts_of).collect()
}

fn facts_of(served: &Served) -> Facts {
    let purpose = Purpose::of(&served.request);
    let mut facts = Facts {
        provider: purpose.api.name().into(),
        route: purpose.route.into(),
        class: purpose.class.into(),
        status: served.status,
        end: end(served),
        model: purpose.model,
        session: purpose.session,
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
        Milestone::Model(model) => facts.model = Some(model.clone()),
        Milestone::Used(usage) => facts.usage = Some(Stated { usage: *usage, output: true }),
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
