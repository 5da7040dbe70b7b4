use std::{fs, time::Instant};

use ccxray_shared::{
    Entry, Name,
    entry::{Class, Outcome, Parse, Provider, Route, Seq},
    line::{Line, Stats},
    segment::SegmentId,
    spool::{Writer, WriterOptions},
};

use super::*;

const NOTHING: [u64; 0] = [];

fn writer(dir: &Path, stream: u64) -> Writer {
    let options = WriterOptions::new(Name::from_wire("0.1.0"), Name::from_wire("install"));
    Writer::open(dir, StreamId::from_bits(stream), options).unwrap()
}

pub(crate) fn entry(ended_at: u64) -> Entry<'static> {
    Entry {
        id: Name::from_wire("x"),
        seq: Seq(0),
        started_at: UnixMillis(ended_at - 1),
        ended_at: UnixMillis(ended_at),
        provider: Provider::Anthropic,
        upstream: Name::from_wire("anthropic"),
        route: Route::Messages,
        class: Class::Turn,
        rules_version: 1,
        status: Some(200),
        outcome: Outcome::Complete,
        latency_ms: 1,
        first_content_ms: None,
        streamed: false,
        terminal: None,
        request_bytes: 0,
        response_bytes: 0,
        client: None,
        model: None,
        model_served: None,
        usage: None,
        stop_reason: None,
        error: None,
        tools: None,
        results: None,
        skills: vec![],
        session: None,
        agent: None,
        compaction: None,
        context: None,
        permission_mode: None,
        rate_limits: Vec::new(),
        request_digest: None,
        repeats: 0,
        retry: false,
        dir: None,
        dir_source: None,
        stated_dir: None,
        tier_cap: None,
        agent_otel: false,
        parse: Parse::Ok,
        notes: Vec::new(),
    }
}

fn write(writer: &mut Writer, times: &[u64]) {
    for &time in times {
        writer.stage_entry(entry(time), UnixMillis(time));
    }
    writer.commit(UnixMillis(1), Instant::now()).unwrap();
}

fn take(source: &mut Source) {
    let (id, line) = source.advance().unwrap();
    source.recycle(id, line);
}

fn read_all(source: &mut Source) -> Vec<u64> {
    let mut times = Vec::new();
    source.refresh().unwrap();
    while let Some((_, time)) = source.peek() {
        take(source);
        times.push(time.0);
    }
    times
}

#[test]
fn streams_are_merged_by_the_time_of_their_entries() {
    let dir = tempfile::tempdir().unwrap();
    write(&mut writer(dir.path(), 1), &[10, 30, 50]);
    write(&mut writer(dir.path(), 2), &[20, 40]);
    let mut source = Source::begin(dir.path());
    assert_eq!(read_all(&mut source), [10, 20, 30, 40, 50]);
    assert_eq!(source.take_findings(), []);
    assert_eq!(source.lag_bytes(), 0);
}

#[test]
fn reading_resumes_where_it_was_left() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = writer(dir.path(), 1);
    write(&mut writer, &[10, 20]);
    let mut source = Source::begin(dir.path());
    source.refresh().unwrap();
    take(&mut source);
    assert_eq!(source.peek().unwrap().1, UnixMillis(20), "read ahead, but not taken");
    let mut resumed = Source::resume(dir.path(), source.positions());
    write(&mut writer, &[30]);
    assert_eq!(read_all(&mut resumed), [20, 30]);
    assert_eq!(resumed.take_findings(), []);
}

#[test]
fn a_segment_that_was_removed_unread_is_a_counted_loss() {
    let dir = tempfile::tempdir().unwrap();
    let mut options = WriterOptions::new(Name::from_wire("0.1.0"), Name::from_wire("install"));
    options.max_segment = 1;
    let stream = StreamId::from_bits(1);
    let mut writer = Writer::open(dir.path(), stream, options).unwrap();
    write(&mut writer, &[10]);
    let mut source = Source::begin(dir.path());
    assert_eq!(read_all(&mut source), [10]);
    write(&mut writer, &[20, 25]);
    write(&mut writer, &[30]);
    fs::remove_file(dir.path().join(SegmentId { stream, sequence: Sequence(1) }.to_string())).unwrap();
    assert_eq!(read_all(&mut source), [30]);
    assert_eq!(source.take_findings(), [Finding::Lost { reason: Loss::Expired, entries: 2 }]);
}

#[test]
fn a_segment_begun_by_a_dying_writer_after_the_directory_was_listed_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let mut options = WriterOptions::new(Name::from_wire("0.1.0"), Name::from_wire("install"));
    options.max_segment = 1;
    let stream = StreamId::from_bits(1);
    let mut writer = Writer::open(dir.path(), stream, options).unwrap();
    write(&mut writer, &[10]);
    write(&mut writer, &[20]);
    drop(writer);
    let last = dir.path().join(SegmentId { stream, sequence: Sequence(1) }.to_string());
    let unlisted = dir.path().join("unlisted");
    fs::rename(&last, &unlisted).unwrap();
    let mut source = Source::begin(dir.path());
    assert_eq!(read_all(&mut source), [10]);
    fs::rename(&unlisted, &last).unwrap();
    assert_eq!(read_all(&mut source), [20]);
    assert_eq!(source.take_findings(), []);
}

#[test]
fn what_was_removed_before_the_first_look_was_nobodys_to_read_but_later_it_is_a_loss() {
    let dir = tempfile::tempdir().unwrap();
    let mut options = WriterOptions::new(Name::from_wire("0.1.0"), Name::from_wire("install"));
    options.max_segment = 1;
    for stream in [1, 2].map(StreamId::from_bits) {
        let mut writer = Writer::open(dir.path(), stream, options.clone()).unwrap();
        write(&mut writer, &[10]);
        write(&mut writer, &[20]);
        fs::remove_file(dir.path().join(SegmentId { stream, sequence: FIRST }.to_string())).unwrap();
    }
    let mut first = Source::begin(dir.path());
    assert_eq!(read_all(&mut first), [20, 20]);
    assert_eq!(first.take_findings(), []);
    let mut later = Source::resume(dir.path(), []);
    assert_eq!(read_all(&mut later), [20, 20]);
    assert_eq!(later.take_findings(), [(); 2].map(|()| Finding::Lost { reason: Loss::Expired, entries: 1 }));
}

#[test]
fn a_torn_tail_of_a_dead_writer_is_one_loss_and_of_a_living_one_none() {
    use std::io::Write as _;
    let dir = tempfile::tempdir().unwrap();
    let mut writer = writer(dir.path(), 1);
    write(&mut writer, &[10]);
    let path = dir.path().join(SegmentId { stream: StreamId::from_bits(1), sequence: FIRST }.to_string());
    let mut file = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(b"{\"kind\":\"entry\",\"v\":1,").unwrap();
    let mut source = Source::begin(dir.path());
    assert_eq!(read_all(&mut source), [10]);
    assert_eq!(source.take_findings(), []);
    drop(writer);
    assert_eq!(read_all(&mut source), NOTHING);
    assert_eq!(source.take_findings(), [Finding::Lost { reason: Loss::Torn, entries: 1 }]);
    assert_eq!(read_all(&mut source), NOTHING);
    assert_eq!(source.take_findings(), []);
    let mut resumed = Source::resume(dir.path(), source.positions());
    assert_eq!(read_all(&mut resumed), NOTHING);
    assert_eq!(resumed.take_findings(), [], "a loss is counted once, over restarts too");
}

#[test]
fn a_gap_that_was_read_ahead_of_an_untaken_entry_is_reported_once_over_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = writer(dir.path(), 1);
    write(&mut writer, &[10]);
    writer.stage_loss(3, Name::from_wire("no_slot"), UnixMillis(15));
    write(&mut writer, &[20]);
    let mut source = Source::begin(dir.path());
    source.refresh().unwrap();
    take(&mut source);
    assert_eq!(source.take_findings(), [Finding::Lost { reason: Loss::Gap("no_slot".into()), entries: 3 }]);
    let mut resumed = Source::resume(dir.path(), source.positions());
    assert_eq!(read_all(&mut resumed), [20]);
    assert_eq!(resumed.take_findings(), []);
}

#[test]
fn what_is_under_way_is_the_sum_of_what_living_proxies_said_last_over_a_restart_too() {
    let dir = tempfile::tempdir().unwrap();
    let say = |writer: &mut Writer, active_exchanges| {
        writer.stage_stats(Stats { active_exchanges, ..Stats::default() });
        writer.commit(UnixMillis(1), Instant::now()).unwrap();
    };
    let (mut one, mut other) = (writer(dir.path(), 1), writer(dir.path(), 2));
    write(&mut one, &[10]);
    let mut source = Source::begin(dir.path());
    read_all(&mut source);
    assert_eq!(source.active_requests(), None, "nobody has said anything");
    say(&mut one, 4);
    say(&mut one, 3);
    say(&mut other, 2);
    read_all(&mut source);
    assert_eq!(source.active_requests(), Some(5));
    let positions = serde_json::to_string(&source.positions()).unwrap();
    let positions: Vec<StreamPosition> = serde_json::from_str(&positions).unwrap();
    let mut resumed = Source::resume(dir.path(), positions);
    drop(other);
    read_all(&mut resumed);
    assert_eq!(resumed.active_requests(), Some(3), "the dead have nothing under way");
    drop(one);
    read_all(&mut resumed);
    assert_eq!(resumed.active_requests(), None);
}

#[test]
fn a_lock_that_cannot_be_looked_at_is_the_trouble_of_its_own_stream() {
    let dir = tempfile::tempdir().unwrap();
    write(&mut writer(dir.path(), 1), &[10]);
    write(&mut writer(dir.path(), 2), &[20]);
    let lock = dir.path().join(StreamId::from_bits(1).lock_name());
    std::os::unix::fs::symlink("elsewhere", lock).unwrap();
    let mut source = Source::begin(dir.path());
    assert_eq!(read_all(&mut source), [10, 20]);
    let findings = source.take_findings();
    assert!(matches!(&findings[..], [Finding::Unreadable(what)] if what.contains(".lock")), "{findings:?}");
}

#[test]
fn damage_is_skipped_and_counted_and_the_next_line_is_read() {
    use std::io::Write as _;
    let dir = tempfile::tempdir().unwrap();
    let mut writer = writer(dir.path(), 1);
    write(&mut writer, &[10]);
    let path = dir.path().join(SegmentId { stream: StreamId::from_bits(1), sequence: FIRST }.to_string());
    let mut damage =
        b"\xff\xfe not utf-8\n{\"kind\":\"new\",\"v\":1}\n{\"kind\":\"entry\",\"v\":9}\n\0\0\0".to_vec();
    let mut next = entry(20);
    next.seq = Seq(1);
    Line::Entry(Box::new(next)).encode(&mut damage).unwrap();
    std::fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(&damage).unwrap();
    let mut source = Source::begin(dir.path());
    assert_eq!(read_all(&mut source), [10, 20]);
    let skipped = [Skipped::Malformed, Skipped::UnknownKind, Skipped::UnknownVersion].map(Finding::Skipped);
    assert_eq!(source.take_findings(), skipped);
}
