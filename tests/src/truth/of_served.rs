//! The facts that the upstream's ledger tells.

use super::{
    canonical,
    facts::{End, Facts, Failure, Stated},
    history::History,
    purpose::Purpose,
};
use crate::upstream::{Api, Call, Milestone, Sending, Served, play::Part};

/// How full a window is when Claude Code makes room by itself, in percent.
const FULL: u64 = 90;

/// The facts of all exchanges that the upstream saw.
pub fn from_upstream(served: &[Served]) -> Vec<Facts> {
    let mut history = History::default();
    let mut facts: Vec<Facts> = Vec::with_capacity(served.len());
    for served in served {
        let next = facts_of(served, &mut history, &facts);
        facts.push(next);
    }
    facts
}

fn facts_of(served: &Served, history: &mut History, before: &[Facts]) -> Facts {
    let request = &served.request;
    let purpose = Purpose::of(request);
    let (api, session) = (purpose.api, purpose.session.clone());
    let mut facts = Facts {
        provider: api.name().into(),
        route: purpose.route.into(),
        class: purpose.class.into(),
        status: served.status,
        end: end(served),
        streamed: served.streamed,
        failed: history.failed(api, &session, request),
        skills: history.skills(api, &session, request),
        retry: history.is_retry(&session, request),
        automatic: purpose.part == Part::Compaction
            && (purpose.says_automatic(request) || had_no_room(api, session.as_deref(), before)),
        agent: agent(&purpose, served, history),
        limits: served.limits.clone(),
        model: purpose.model,
        session: purpose.session,
        mode: purpose.mode,
        window: purpose.window,
        ..Facts::default()
    };
    for told in &served.told {
        take_in(&mut facts, told);
    }
    history.take_in(&session, served, failed(&facts));
    facts
}

fn agent(purpose: &Purpose, served: &Served, history: &History) -> String {
    let started = (purpose.part == Part::SubAgent).then(|| history.sub_agent(&served.request)).flatten();
    started.unwrap_or_else(|| purpose.agent().into())
}

/// Whether the last step of the session had more to say than the model can hear.
fn had_no_room(api: Api, session: Option<&str>, before: &[Facts]) -> bool {
    let is_step = |facts: &&Facts| facts.session.as_deref() == session && facts.class == "turn";
    api == Api::Anthropic
        && before.iter().rev().find(is_step).is_some_and(|last| {
            let refused = last.error.as_ref().is_some_and(|error| error.context_length);
            refused || last.used().is_some_and(|used| used * 100 > last.window * FULL)
        })
}

fn failed(facts: &Facts) -> bool {
    canonical::error_type(facts).is_some() || canonical::stop_reason(facts) == "incomplete"
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
        Milestone::Tool(call) => take_in_call(facts, call),
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

fn take_in_call(facts: &mut Facts, call: &Call) {
    let means = &call.means;
    facts.tools.push(call.full_name());
    facts.mcp.extend(means.mcp.iter().cloned());
    facts.skills.extend(means.skill.clone());
    facts.starts += usize::from(means.starts.is_some());
    facts.dangers.extend(means.dangers.iter().cloned());
    facts.writes += usize::from(means.writes);
}

fn end(served: &Served) -> End {
    match (served.sending, served.status) {
        // A connection that stood has turns of its own, and what breaks off with it are these.
        (Sending::Whole, _) | (_, Some(101)) => End::Complete,
        (Sending::ClientLeft, _) => End::ClientLeft,
        (Sending::BrokenOff | Sending::UnderWay, Some(_)) => End::UpstreamBroke,
        (Sending::BrokenOff | Sending::UnderWay, None) => End::NoAnswer,
    }
}
