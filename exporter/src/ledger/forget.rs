//! What is let go when the file is written anew, so that it does not grow for ever.

use std::{collections::BTreeSet, time::Duration};

use ccxray_shared::{UnixMillis, segment::StreamId};

use super::{Ledger, Span};

/// How long something must have been at rest before it is let go: the 30 days that a spool keeps by default, and 30
/// more.
const REST: Duration = Duration::from_hours(60 * 24);

impl Ledger {
    /// Lets go of streams that are not in the spool and in which nothing has happened for long before `now`, and of
    /// what says nothing without them. `present` are the streams in the spool.
    pub(super) fn forget(&mut self, present: &BTreeSet<StreamId>, now: UnixMillis) {
        let horizon = now.before(REST);
        let (spans, uncertain, forgotten_until) = self.parts_mut();
        let reached = || spans.values().flat_map(Span::streams);
        let recent: BTreeSet<StreamId> =
            reached().filter(|(_, reached)| reached.cut >= horizon).map(|(stream, _)| stream).collect();
        let stays = |stream: StreamId| present.contains(&stream) || recent.contains(&stream);
        let gone = reached().filter(|&(stream, _)| !stays(stream)).map(|(_, reached)| reached.cut).max();
        *forgotten_until = gone.max(*forgotten_until);
        spans.values_mut().for_each(|span| span.forget(stays, horizon));
        spans.retain(|_, span| !span.is_spent(horizon));
        for loss in uncertain.extract_if(.., |loss| loss.at < horizon && !loss.upto.iter().any(|(s, _)| stays(s))) {
            *forgotten_until = Some(loss.at).max(*forgotten_until);
        }
    }
}
