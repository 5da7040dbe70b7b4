//! What is let go when the file is written anew, so that it does not grow for ever.

use std::{collections::BTreeSet, time::Duration};

use ccxray_shared::{UnixMillis, segment::StreamId};

use super::{Ledger, Span, Uncertain};

/// How long something must have been at rest before it is let go: the 30 days that a spool keeps by default, and 30
/// more.
const REST: Duration = Duration::from_hours(60 * 24);

impl Ledger {
    /// Lets go of streams that are not in the spool and in which nothing has happened for long before `now`, and of
    /// what says nothing without them. `present` are the streams in the spool.
    pub(super) fn forget(&mut self, present: &BTreeSet<StreamId>, now: UnixMillis) {
        let horizon = now.before(REST);
        let Self { spans, uncertain, forgotten_until, .. } = self;
        let reached = || spans.values().flat_map(Span::streams);
        let recent: BTreeSet<StreamId> =
            reached().filter(|(_, reached)| reached.cut >= horizon).map(|(stream, _)| stream).collect();
        let stays = |stream: StreamId| present.contains(&stream) || recent.contains(&stream);
        let gone = reached().filter(|&(stream, _)| !stays(stream)).map(|(_, reached)| reached.cut).max();
        *forgotten_until = gone.max(*forgotten_until);
        for span in spans.values_mut() {
            span.forget(stays, horizon);
        }
        spans.retain(|_, span| !span.is_spent(horizon));
        let is_past =
            |loss: &mut Uncertain| loss.at < horizon && !loss.upto.iter().any(|(stream, _)| stays(stream));
        for loss in uncertain.extract_if(.., is_past) {
            *forgotten_until = Some(loss.at).max(*forgotten_until);
        }
    }
}
