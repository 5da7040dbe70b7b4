//! What the next request will hold.

use std::io;

use ccxray_shared::UnixMillis;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;

use crate::{
    deliver::Snapshot,
    engine::{Core, SETTLING},
    source::{Finding, Source},
};

/// The next request and the time that it speaks of.
#[derive(Debug)]
pub struct Next {
    /// The end of the window that it closes.
    pub at: UnixMillis,
    /// What will be sent.
    pub request: ExportMetricsServiceRequest,
}

/// The first request that `core` makes once it has read on in `source`: of a window that is over already, or of the
/// open one at its end, with what is known at `now`. `None` if there will be nothing to say.
pub fn request(core: &mut Core, source: &mut Source, now: UnixMillis) -> io::Result<Option<Next>> {
    source.refresh()?;
    core.set_active_requests(source.active_requests());
    let settled = now.before(SETTLING);
    while core.ready() == 0 {
        let head = source.peek();
        count_findings(core, source, now);
        let time = head.map(|(_, ended_at)| Core::event_time(ended_at, now));
        core.advance(time.unwrap_or(settled).min(settled));
        if core.ready() > 0 || time.is_none_or(|time| time >= core.window().end()) {
            break;
        }
        count_next(core, source);
    }
    if core.ready() == 0 {
        core.advance(core.window().end());
    }
    Ok(core
        .take_ready()
        .into_iter()
        .next()
        .map(|Snapshot { cut, request }| Next { at: UnixMillis(cut.0), request }))
}

fn count_next(core: &mut Core, source: &mut Source) {
    let Some((stream, line)) = source.advance() else { return };
    core.count(line.entry());
    source.recycle(stream, line);
}

fn count_findings(core: &mut Core, source: &mut Source, now: UnixMillis) {
    for finding in source.take_findings() {
        match finding {
            Finding::Lost { reason, entries } => core.count_loss(reason.as_str(), entries, now),
            Finding::Stats(_) => core.set_active_requests(source.active_requests()),
            Finding::Skipped(_) | Finding::Unreadable(_) => {}
        }
    }
}

#[cfg(test)]
#[path = "next_tests.rs"]
mod tests;
