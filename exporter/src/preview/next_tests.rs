use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use ccxray_shared::{
    Name,
    segment::StreamId,
    spool::{Writer, WriterOptions},
};

use super::*;
use crate::{
    checkpoint::State,
    classify::price_table::PriceTable,
    consent::{
        Tier,
        consents::made_up::{consents, grant},
    },
    deliver::CutId,
    engine::CoreOptions,
    source::tests::entry,
};

/// The start of a window.
const T0: UnixMillis = UnixMillis(1_800_000_000_000);

fn at(seconds: u64) -> UnixMillis {
    T0.after(Duration::from_secs(seconds))
}

fn agreed() -> Consents {
    consents(Some(grant("http://127.0.0.1/v1/metrics", Tier::Anonymous, "server")), vec![])
}

fn options() -> CoreOptions {
    CoreOptions {
        interval: Duration::from_mins(1),
        resume_grace: Duration::from_mins(5),
        consents: Arc::new(agreed()),
        prices: PriceTable::embedded(),
    }
}

fn spool(dir: &Path, times: &[UnixMillis]) {
    let options = WriterOptions::new(Name::from_wire("0.1.0"), Name::from_wire("install"));
    let mut writer = Writer::open(dir, StreamId::from_bits(1), options).unwrap();
    for &time in times {
        writer.stage_entry(entry(time.0), time);
    }
    writer.commit(UnixMillis(1), Instant::now()).unwrap();
}

/// The state of an exporter that runs since `T0` and has read nothing.
fn begun() -> State {
    Core::start(options(), None, T0, || 7).to_state(vec![], T0)
}

fn preview(dir: &Path, state: State, now: UnixMillis) -> Option<Next> {
    let mut core = Core::alongside(options(), Some(state.clone()), now, || 8);
    let mut source = Source::resume(dir, state.streams);
    first(&mut core, &mut source, now)
}

fn first(core: &mut Core, source: &mut Source, now: UnixMillis) -> Option<Next> {
    requests(core, source, now, |_| Arc::new(agreed())).unwrap().into_values().next()
}

#[test]
fn it_holds_what_the_open_window_has_so_far_as_of_its_end() {
    let dir = tempfile::tempdir().unwrap();
    spool(dir.path(), &[at(10), at(20)]);
    let next = preview(dir.path(), begun(), at(30)).unwrap();
    assert_eq!(next.at, at(60));
}

#[test]
fn it_is_what_the_exporter_then_sends() {
    let dir = tempfile::tempdir().unwrap();
    spool(dir.path(), &[at(10), at(20)]);
    let next = preview(dir.path(), begun(), at(30)).unwrap();
    let mut core = Core::alongside(options(), Some(begun()), T0, || 8);
    core.advance(at(1));
    for time in [at(10), at(20)] {
        let entry = entry(time.0);
        let route = core.route(&entry).unwrap();
        core.count(&entry, entry.ended_at, route);
    }
    core.advance(at(60));
    let (_, sent) = core.take_ready().remove(0);
    assert_eq!((next.request, CutId(next.at.0)), (sent.request, sent.cut));
}

#[test]
fn of_several_windows_that_are_over_the_first_comes_next() {
    let dir = tempfile::tempdir().unwrap();
    spool(dir.path(), &[at(10), at(70), at(200)]);
    let next = preview(dir.path(), begun(), at(230)).unwrap();
    assert_eq!(next.at, at(60));
}

#[test]
fn a_destination_that_begins_now_has_nothing_to_send() {
    let dir = tempfile::tempdir().unwrap();
    spool(dir.path(), &[at(10), at(20)]);
    let mut core = Core::start(options(), None, at(30), || 8);
    assert!(first(&mut core, &mut Source::begin(dir.path()), at(30)).is_none());
}
