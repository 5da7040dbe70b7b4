//! The entry of a finished exchange.

use std::{
    borrow::Cow,
    time::{Duration, Instant},
};

use ccxray_shared::{
    Entry, Name,
    entry::{DirSource, Parse, Seq},
};

use super::{
    assembly::RequestSide,
    exchange::{Closing, Opening},
};
use crate::distil::{RULES_VERSION, answer::AnswerFacts, rate_limits};

/// The longest project directory that is written down. A longer one is left out: cut, it would name another.
const MAX_DIR: usize = 4096;

/// Where the directories of an entry come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dirs {
    /// They are written down.
    Keep,
    /// They are dropped: the proxy serves other machines.
    Drop,
}

/// Puts together what is known of an exchange. `failed`: a parser panicked.
pub(super) fn entry(
    closing: &Closing,
    request: RequestSide,
    answer: AnswerFacts,
    dirs: Dirs,
    failed: bool,
) -> Entry<'_> {
    let opening = &*closing.opening;
    let latency = closing.ended.saturating_duration_since(opening.started);
    let RequestSide { facts, digest, repeats, retry } = request;
    let (dir, dir_source, stated_dir) = directories(opening, facts.stated_dir, dirs);
    let mut notes = facts.notes;
    notes.append(answer.notes);
    Entry {
        id: Name::from_string(format!("{:016x}", opening.id.0)),
        seq: Seq::default(),
        started_at: opening.started_at,
        ended_at: opening.started_at.after(latency),
        provider: opening.provider,
        upstream: Name::from_wire(&opening.upstream),
        route: opening.route,
        class: facts.class,
        rules_version: RULES_VERSION,
        status: closing.head.as_ref().map(|head| head.status.as_u16()),
        outcome: closing.outcome,
        latency_ms: millis(latency),
        first_content_ms: answer.first_content.map(|at| since(opening, at)),
        streamed: answer.streamed,
        terminal: answer.terminal,
        request_bytes: closing.request_bytes,
        response_bytes: closing.response_bytes,
        client: facts.client,
        model: facts.model,
        model_served: answer.model_served,
        usage: answer.usage,
        stop_reason: answer.stop_reason,
        error: answer.error,
        tools: answer.tools,
        results: facts.results,
        skills: facts.skills,
        session: facts.session,
        agent: facts.agent,
        compaction: facts.compaction,
        context: facts.context,
        permission_mode: facts.permission_mode,
        rate_limits: closing.head.as_ref().map_or_else(Vec::new, |head| rate_limits(&head.headers)),
        request_digest: digest,
        repeats,
        retry,
        dir,
        dir_source,
        stated_dir,
        tier_cap: opening.attribution.tier_cap,
        agent_otel: opening.attribution.agent_otel,
        parse: match (failed, closing.shed) {
            (true, _) => Parse::Error,
            (false, true) => Parse::Shed,
            (false, false) => notes.parse(),
        },
        notes: notes.into_list(),
    }
}

type Dir<'a> = Option<Cow<'a, str>>;

/// The project directory, where it is from, and what the client states beside a stamp that says another.
fn directories(
    opening: &Opening,
    stated: Option<String>,
    dirs: Dirs,
) -> (Dir<'_>, Option<DirSource>, Dir<'_>) {
    if dirs == Dirs::Drop {
        return (None, None, None);
    }
    let stamp = opening.attribution.dir.as_deref().filter(|dir| dir.len() <= MAX_DIR);
    let stated = stated.filter(|dir| dir.len() <= MAX_DIR);
    match (stamp, stated) {
        (Some(stamp), stated) => {
            let other = stated.filter(|stated| stated != stamp);
            (Some(stamp.into()), Some(DirSource::Stamp), other.map(Cow::Owned))
        }
        (None, Some(stated)) => (Some(stated.into()), Some(DirSource::Stated), None),
        (None, None) => (None, None, None),
    }
}

fn since(opening: &Opening, at: Instant) -> u64 {
    millis(at.saturating_duration_since(opening.started))
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
