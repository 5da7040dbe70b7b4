//! Full channels, disks that cannot be used, exchanges that never end.

use std::{
    fs,
    os::unix::fs::symlink,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use ccxray_proxy::record::{channel::Limits, exchange::begin, gauges::ProxyGauges, recorder::start};
use ccxray_shared::{
    entry::{Outcome, Parse, Seq},
    line::{Gap, Line, Stats},
};

use crate::rig::{EVENTS, Rig, Script, entries, fixture, lines, options, until};

fn gaps(lines: &[String]) -> Vec<Gap<'_>> {
    let gap = |line: &'_ String| match Line::decode(line.as_bytes()).unwrap() {
        Line::Gap(gap) => Some((gap.at, gap.lost, gap.reason.into_owned())),
        _ => None,
    };
    lines.iter().filter_map(gap).map(|(at, lost, reason)| Gap { at, lost, reason }).collect()
}

fn stats(lines: &[String]) -> Vec<Stats> {
    let stats = |line: &'_ String| match Line::decode(line.as_bytes()).unwrap() {
        Line::Stats(stats) => Some(stats),
        _ => None,
    };
    lines.iter().filter_map(stats).collect()
}

#[test]
fn a_copy_that_was_given_up_leaves_the_outer_facts() {
    let rig = Rig::with(|options| options.limits = Limits { bytes: 100, ..Limits::default() });
    let (request, answer) = (fixture("turn.request.json"), fixture("tools.answer.sse"));
    Script::turn(1, &request, EVENTS, &answer).run(&rig.sender);
    let (lines, _dir) = rig.finish();
    let entries = entries(&lines);
    let entry = &entries[0];
    assert_eq!((entry.parse, entry.status, entry.latency_ms), (Parse::Shed, Some(200), 20));
    assert_eq!((entry.request_bytes, entry.response_bytes), (request.len() as u64, answer.len() as u64));
    assert!(entry.usage.is_none() && entry.tools.is_none() && entry.model.is_none());
    assert!(entry.session.is_some(), "the headers were never copied in pieces");
    assert!(stats(&lines).last().unwrap().shed_copies > 0);
}

#[test]
fn half_an_answer_tells_nothing_and_the_whole_request_all() {
    let rig = Rig::with(|options| options.limits = Limits { bytes: 2000, ..Limits::default() });
    let answer = fixture("tools.answer.sse");
    let mut script = Script::turn(1, br#"{"model":"claude-opus-4-8","messages":[]}"#, EVENTS, &answer);
    script.answer = vec![&answer[..1000], &answer[1000..]];
    script.run(&rig.sender);
    let (lines, _dir) = rig.finish();
    let entries = entries(&lines);
    let entry = &entries[0];
    assert_eq!(
        (entry.parse, entry.terminal, entry.model.as_deref()),
        (Parse::Shed, None, Some("claude-opus-4-8"))
    );
    assert!(entry.usage.is_none() && entry.model_served.is_none() && entry.first_content_ms.is_none());
}

#[test]
fn exchanges_without_a_slot_are_counted_in_a_gap() {
    let rig = Rig::with(|options| options.limits = Limits { slots: 1, ..Limits::default() });
    let (request, answer) = (fixture("turn.request.json"), fixture("tools.answer.sse"));
    let slot = rig.sender.reserve().unwrap();
    for id in 0..3 {
        Script::turn(id, &request, EVENTS, &answer).run(&rig.sender);
    }
    drop(slot);
    let (lines, _dir) = rig.finish();
    let gaps = gaps(&lines);
    // The recorder may look in the middle, and then there are several.
    assert_eq!(gaps.iter().map(|gap| gap.lost).sum::<u64>(), 3);
    assert!(gaps.iter().all(|gap| &*gap.reason == "no_slot"));
    assert_eq!(entries(&lines).len(), 0);
}

#[test]
fn an_exchange_that_hangs_does_not_keep_the_recorder() {
    let rig = Rig::new();
    let answer = fixture("tools.answer.sse");
    Script::turn(1, b"{}", EVENTS, &answer).run(&rig.sender);
    let sender = rig.sender.clone();
    let slot = sender.reserve();
    let (lines, _dir) = rig.finish();
    assert_eq!(entries(&lines).len(), 1);
    assert_eq!(stats(&lines).last().unwrap().active_exchanges, 1);
    drop(slot);
    Script::turn(2, b"{}", EVENTS, &answer).run(&sender);
}

#[test]
fn a_thousand_exchanges_leave_a_thousand_entries_in_order() {
    let rig = Rig::new();
    let (request, answer) = (fixture("turn.request.json"), fixture("tools.answer.sse"));
    for id in 0..1000 {
        until(|| rig.sender.active() < 100);
        Script::turn(id, &request, EVENTS, &answer).run(&rig.sender);
    }
    let (lines, _dir) = rig.finish();
    let entries = entries(&lines);
    assert_eq!(entries.len(), 1000);
    for (i, entry) in (0..).zip(&entries) {
        assert_eq!((entry.seq, entry.parse, &*entry.id), (Seq(i), Parse::Ok, &*format!("{i:016x}")));
    }
}

#[test]
fn without_a_usable_spool_the_traffic_goes_on_and_the_gap_tells_it_later() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    fs::create_dir(dir.path().join("elsewhere")).unwrap();
    symlink(dir.path().join("elsewhere"), &state).unwrap();
    let (sender, thread) = start(options(&state), Arc::new(ProxyGauges::default())).unwrap();
    let answer = fixture("tools.answer.sse");
    Script::turn(1, b"{}", EVENTS, &answer).run(&sender);
    until(|| sender.active() == 0);
    fs::remove_file(&state).unwrap();
    // The recorder tries again every five seconds.
    until(|| state.join("key").exists());
    Script::turn(2, b"{}", EVENTS, &answer).run(&sender);
    assert!(thread.finish(Instant::now() + Duration::from_secs(10)));
    assert_eq!(fs::read_dir(dir.path().join("elsewhere")).unwrap().count(), 0);
    let lines = lines(&state.join("spool"));
    let gaps = gaps(&lines);
    assert_eq!((gaps.len(), gaps[0].lost, &*gaps[0].reason), (1, 1, "write_failed"));
    assert_eq!(entries(&lines).iter().map(|entry| entry.seq).collect::<Vec<_>>(), [Seq(0)]);
}

#[test]
fn directories_are_dropped_where_the_proxy_serves_others() {
    let rig = Rig::with(|options| options.drop_dirs = true);
    let (request, answer) = (fixture("turn.request.json"), fixture("tools.answer.sse"));
    Script::turn(1, &request, EVENTS, &answer).run(&rig.sender);
    let (lines, _dir) = rig.finish();
    assert!(!lines.concat().contains("/home/dev"));
    assert_eq!(entries(&lines)[0].dir, None);
}

#[test]
fn a_tap_that_is_dropped_is_a_client_that_left() {
    let rig = Rig::new();
    let (request, mut answer) = begin(&rig.sender, Script::turn(7, b"", EVENTS, b"").opening(Instant::now()));
    request.chunk(&Bytes::from_static(b"{\"model\":\"claude-"), Instant::now());
    drop(request);
    answer.chunk(&Bytes::from_static(b"data: lost"), Instant::now());
    drop(answer);
    let (lines, _dir) = rig.finish();
    let entries = entries(&lines);
    assert_eq!(entries[0].outcome, Outcome::ClientAbort);
    assert_eq!((entries[0].request_bytes, entries[0].status), (17, None));
}

#[test]
fn the_oldest_segments_go_when_the_spool_is_full() {
    const MAX: u64 = 256 * 1024;
    let rig = Rig::with(|options| options.caps.max_size = MAX);
    let (request, answer) = (fixture("turn.request.json"), fixture("tools.answer.sse"));
    for id in 0..1000 {
        until(|| rig.sender.active() < 20);
        Script::turn(id, &request, EVENTS, &answer).run(&rig.sender);
    }
    let (lines, _dir) = rig.finish();
    let entries = entries(&lines);
    assert_eq!(entries.last().unwrap().seq, Seq(999));
    assert!(entries[0].seq > Seq(0), "something had to go");
    let kept: u64 = lines.iter().map(|line| line.len() as u64 + 1).sum();
    // Between two looks a segment and a batch may come on top.
    assert!(kept > MAX / 2 && kept < 2 * MAX, "{kept}");
}

#[test]
fn a_spool_that_vanished_is_made_anew_and_the_gap_tells_what_was_lost() {
    let rig = Rig::with(|options| options.caps.max_size = 256 * 1024);
    let spool = rig.dir.path().join("state/spool");
    let (request, answer) = (fixture("turn.request.json"), fixture("tools.answer.sse"));
    // A file in it shows that it has been opened, not only made.
    until(|| fs::read_dir(&spool).is_ok_and(|mut files| files.next().is_some()));
    fs::rename(&spool, rig.dir.path().join("moved")).unwrap();
    for id in 0..300 {
        until(|| rig.sender.active() < 20);
        Script::turn(id, &request, EVENTS, &answer).run(&rig.sender);
    }
    let (anew, dir) = rig.finish();
    let moved = lines(&dir.path().join("moved"));
    let lost: u64 = gaps(&anew).iter().map(|gap| gap.lost).sum();
    assert_eq!(entries(&moved).len() + entries(&anew).len() + usize::try_from(lost).unwrap(), 300);
    assert!(!entries(&anew).is_empty() && lost > 0);
}

#[test]
fn what_comes_of_a_request_after_its_exchange_is_freed_at_once() {
    let rig = Rig::with(|options| options.limits = Limits { bytes: 4000, ..Limits::default() });
    for id in 0..3 {
        let opening = Script::turn(id, b"", EVENTS, b"").opening(Instant::now());
        let (request, answer) = begin(&rig.sender, opening);
        answer.finish(Outcome::Complete, Instant::now());
        until(|| rig.sender.active() == 0);
        request.chunk(&Bytes::from(vec![b'x'; 3000]), Instant::now());
        request.end();
    }
    assert_eq!(rig.sender.refusals().shed, 0);
    let (lines, _dir) = rig.finish();
    assert_eq!(entries(&lines).len(), 3);
}
