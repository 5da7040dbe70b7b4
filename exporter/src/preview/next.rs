//! What the next requests will hold.

use std::{collections::BTreeMap, io, sync::Arc};

use ccxray_shared::{Entry, UnixMillis};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;

use crate::{
    consent::Consents,
    engine::{Core, Lack, PipelineId, Route, SETTLING, random_bits},
    source::{Finding, Source},
};

/// The next request of a pipeline and the time that it speaks of.
#[derive(Debug)]
pub struct Next {
    /// The end of the window that it closes.
    pub at: UnixMillis,
    /// What will be sent.
    pub request: ExportMetricsServiceRequest,
}

/// The first request of each pipeline that `core` makes once it has read on in `source`: of a window that is over already,
/// or of the open one at its end, with what is known at `now`. A pipeline that will have nothing to say has none.
/// `explore` looks at a directory, and says what then holds.
pub fn requests(
    core: &mut Core,
    source: &mut Source,
    now: UnixMillis,
    mut explore: impl FnMut(&str) -> Arc<Consents>,
) -> io::Result<BTreeMap<PipelineId, Next>> {
    source.refresh()?;
    core.set_active_requests(source.active_requests());
    let settled = now.before(SETTLING);
    let mut requests = BTreeMap::new();
    while !has_all(core, &mut requests) {
        let head = source.peek();
        count_findings(core, source, now);
        let time = head.map(|(_, ended_at)| Core::event_time(ended_at, now));
        core.advance(time.unwrap_or(settled).min(settled));
        if has_all(core, &mut requests) || time.is_none_or(|time| time >= core.horizon()) {
            break;
        }
        count_next(core, source, now, &mut explore);
    }
    let mut ends: Vec<_> = core.exported().iter().map(|each| (each.window().end(), each.id())).collect();
    ends.sort_unstable();
    for (end, pipeline) in ends {
        if !requests.contains_key(&pipeline) {
            core.advance(end);
            has_all(core, &mut requests);
        }
    }
    Ok(requests)
}

/// Takes in the requests that are made by now, of each pipeline the first. Whether there is one of every pipeline.
fn has_all(core: &mut Core, requests: &mut BTreeMap<PipelineId, Next>) -> bool {
    for (pipeline, snapshot) in core.take_ready() {
        let next = Next { at: UnixMillis(snapshot.cut.0), request: snapshot.request };
        requests.entry(pipeline).or_insert(next);
    }
    core.exported().iter().all(|exported| requests.contains_key(&exported.id()))
}

fn count_next(
    core: &mut Core,
    source: &mut Source,
    now: UnixMillis,
    explore: &mut impl FnMut(&str) -> Arc<Consents>,
) {
    let Some((stream, line)) = source.advance() else { return };
    let at = Core::event_time(line.entry().ended_at, now);
    let route = route(core, line.entry(), (now, at), explore);
    core.count(line.entry(), at, route);
    source.recycle(stream, line);
}

/// Where the exporter would count an entry.
fn route(
    core: &mut Core,
    entry: &Entry<'_>,
    (now, at): (UnixMillis, UnixMillis),
    explore: &mut impl FnMut(&str) -> Arc<Consents>,
) -> Route {
    // Two directories to look at, and a pipeline that was not there.
    for _ in 0..4 {
        match core.route(entry) {
            Ok(route) => return route,
            Err(Lack::Directory(dir)) => {
                let consents = explore(dir);
                core.agree(&consents, now, random_bits);
            }
            Err(Lack::Pipeline(grant)) => {
                core.open(grant, (now, at), random_bits);
            }
        }
    }
    Route::LOCAL
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
