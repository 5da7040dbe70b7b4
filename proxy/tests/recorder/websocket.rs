//! What the entries of a WebSocket and of the turns on it say.

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use bytes::Bytes;
use ccxray_proxy::record::{
    exchange::{RequestTap, ResponseHead, ResponseTap, begin},
    noted::noted,
};
use ccxray_shared::{
    Entry,
    entry::{Class, Outcome, Parse, Provider, Route},
};
use flate2::{Compress, Compression, FlushCompress};
use hyper::StatusCode;
use serde_json::{Value, json};

use crate::rig::{JSON, Rig, STARTED_AT, Script, entries, headers, lines, until};

const STALE: &str =
    r#"{"session_id":"CANARY-session","request_kind":"prewarm","turn_id":"","sandbox_mode":"read-only"}"#;
const DEFLATE: (&str, &str) = ("sec-websocket-extensions", "permessage-deflate; server_no_context_takeover");

/// A frame; the client's are masked.
fn frame(first: u8, payload: &[u8], mask: Option<[u8; 4]>) -> Vec<u8> {
    let length = u16::try_from(payload.len()).unwrap().to_be_bytes();
    let masked = if mask.is_some() { 0x80 } else { 0 };
    let mut frame = vec![first, 0x7e | masked, length[0], length[1]];
    frame.extend(mask.into_iter().flatten());
    let mask = mask.unwrap_or_default();
    frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

/// Something that happens on a connection.
type How = fn(&mut Line);

/// What passes on one connection: by hand, in steps of 10 ms, cut into pieces of so many bytes.
struct Line {
    request: RequestTap,
    response: ResponseTap,
    now: Instant,
    cut: usize,
    deflate: Option<[Compress; 2]>,
}

impl Line {
    fn open(rig: &Rig, id: u64) -> Self {
        Self::open_with(rig, id, usize::MAX, &[])
    }

    fn open_with(rig: &Rig, id: u64, cut: usize, extensions: &[(&'static str, &'static str)]) -> Self {
        let mut script = Script::turn(id, b"", JSON, b"").in_language(Provider::OpenAi, Route::Responses);
        script.request_headers = headers(&[
            ("upgrade", "websocket"),
            ("session-id", "CANARY-session"),
            ("thread-id", "CANARY-session"),
            ("x-codex-turn-metadata", STALE),
        ]);
        let now = Instant::now();
        let (request, mut response) = begin(&rig.sender, script.opening(now));
        let headers = noted(&headers(extensions));
        response.head(ResponseHead { status: StatusCode::SWITCHING_PROTOCOLS, headers });
        let compress = || Compress::new(Compression::default(), false);
        let deflate = (!extensions.is_empty()).then(|| [compress(), compress()]);
        Self { request, response, now, cut, deflate }
    }

    fn payload(&mut self, side: usize, text: &str) -> (u8, Vec<u8>) {
        let Some(deflate) = &mut self.deflate else { return (0x81, text.as_bytes().to_vec()) };
        let mut compressed = Vec::with_capacity(text.len() + 100);
        deflate[side].compress_vec(text.as_bytes(), &mut compressed, FlushCompress::Sync).unwrap();
        compressed.truncate(compressed.len() - 4);
        if side == 1 {
            deflate[1].reset();
        }
        (0xc1, compressed)
    }

    fn up(&mut self, bytes: &[u8]) {
        self.now += Duration::from_millis(10);
        for piece in bytes.chunks(self.cut) {
            self.request.chunk(&Bytes::copy_from_slice(piece), self.now);
        }
    }

    fn down(&mut self, bytes: &[u8]) {
        self.now += Duration::from_millis(10);
        for piece in bytes.chunks(self.cut) {
            self.response.chunk(&Bytes::copy_from_slice(piece), self.now);
        }
    }

    /// The client says this; how many bytes that is on the wire.
    fn ask(&mut self, body: &Value) -> u64 {
        let (first, payload) = self.payload(0, &body.to_string());
        let frame = frame(first, &payload, Some([1, 2, 3, 4]));
        self.up(&frame);
        frame.len() as u64
    }

    fn tell(&mut self, event: &Value) -> u64 {
        let (first, payload) = self.payload(1, &event.to_string());
        let frame = frame(first, &payload, None);
        self.down(&frame);
        frame.len() as u64
    }

    /// The response `id` with these items; how many bytes that is on the wire.
    fn answer(&mut self, id: &str, items: &[Value]) -> u64 {
        let mut bytes = self.tell(&created(id));
        for (index, item) in items.iter().enumerate() {
            bytes +=
                self.tell(&json!({"type": "response.output_item.done", "output_index": index, "item": item}));
        }
        bytes + self.tell(&completed(id))
    }

    fn end(self, outcome: Outcome) {
        self.response.finish(outcome, self.now + Duration::from_millis(10));
    }
}

fn created(id: &str) -> Value {
    json!({"type": "response.created", "response": {"id": id, "model": "gpt-5.5-2026-01-01"}})
}

fn completed(id: &str) -> Value {
    let usage = json!({"input_tokens": 100, "output_tokens": 7, "total_tokens": 107});
    json!({"type": "response.completed", "response": {"id": id, "model": "gpt-5.5-2026-01-01",
        "status": "completed", "output": null, "usage": usage}})
}

/// A request as Codex sends it.
fn create(previous: Option<&str>, input: &[Value]) -> Value {
    let turn = r#"{"session_id":"CANARY-session","thread_source":"user","request_kind":"turn","sandbox_mode":"workspace-write","workspaces":{"/home/dev/shop":{}}}"#;
    json!({"type": "response.create", "model": "gpt-5.5", "previous_response_id": previous, "input": input,
        "client_metadata": {"session_id": "CANARY-session", "x-codex-turn-metadata": turn}})
}

fn user(text: &str) -> Value {
    json!({"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]})
}

fn call(id: &str) -> Value {
    json!({"type": "function_call", "call_id": id, "name": "exec_command", "arguments": "{}"})
}

fn failed(id: &str) -> Value {
    json!({"type": "function_call_output", "call_id": id, "output": "Process exited with code 2\nOutput:\nCANARY"})
}

/// The entries that these lines leave, which hold no text.
fn check(rig: Rig, check: impl FnOnce(&[Entry<'_>])) {
    let (lines, _dir) = rig.finish();
    assert!(lines.iter().all(|line| !line.contains("CANARY")), "{lines:#?}");
    let entries = entries(&lines);
    let ids: HashSet<_> = entries.iter().map(|entry| entry.id.as_str()).collect();
    assert_eq!(ids.len(), entries.len(), "each has an id of its own");
    check(&entries);
}

/// A warm-up, a turn that calls a tool, and one with its result: the bytes of each.
fn conversation(line: &mut Line) -> [(u64, u64); 3] {
    let mut warm_up = create(None, &[]);
    warm_up["generate"] = json!(false);
    let first = (line.ask(&warm_up), line.answer("r1", &[]));
    line.tell(&json!({"type": "codex.rate_limits"}));
    let asked = line.ask(&create(Some("r1"), &[user("CANARY"), user("CANARY")]));
    let second = (asked, line.answer("r2", &[json!({"type": "reasoning"}), call("c1")]));
    line.up(&frame(0x89, b"ping", Some([9, 9, 9, 9])));
    line.down(&frame(0x8a, b"ping", None));
    line.ask(&json!({"type": "response.processed"}));
    let third = (line.ask(&create(Some("r2"), &[failed("c1")])), line.answer("r3", &[user("bye")]));
    [first, second, third]
}

fn check_conversation(entries: &[Entry<'_>], bytes: [(u64, u64); 3]) {
    let classes: Vec<_> = entries.iter().map(|entry| entry.class).collect();
    assert_eq!(classes, [Class::WarmUp, Class::Turn, Class::Turn, Class::Connection]);
    for (entry, (up, down)) in entries.iter().zip(bytes) {
        assert_eq!((entry.status, entry.outcome, entry.parse), (Some(200), Outcome::Complete, Parse::Ok));
        assert_eq!((entry.streamed, entry.terminal, entry.retry), (true, Some(true), false));
        assert_eq!((entry.request_bytes, entry.response_bytes), (up, down));
        assert_eq!(entry.usage.as_ref().unwrap().counts.input_tokens, Some(100));
        assert_eq!(entry.model_served.as_deref(), Some("gpt-5.5-2026-01-01"));
        assert_eq!(entry.permission_mode.as_deref(), Some("workspace-write"));
        assert_eq!(entry.agent.as_ref().unwrap().kind.as_deref(), Some("main"));
        assert_eq!(entry.dir.as_deref(), Some("/home/dev/shop"));
        assert!(entry.session.is_some());
        assert_eq!(entry.session, entries[0].session);
    }
    // Asked at 10, 60 and 140 ms; answered in three and four steps, of which the third has the first content.
    let times: Vec<_> = entries[..3].iter().map(|entry| (entry.started_at, entry.latency_ms)).collect();
    let at = |after| STARTED_AT.after(Duration::from_millis(after));
    assert_eq!(times, [(at(10), 20), (at(50), 40), (at(130), 30)]);
    let messages: Vec<_> =
        entries.iter().map(|entry| entry.context.map(|context| context.messages)).collect();
    assert_eq!(messages, [Some(0), Some(2), Some(5), None]);
    assert_eq!(entries[1].tools.as_ref().unwrap().calls[0].name.as_str(), "exec_command");
    let results = entries[2].results.as_ref().unwrap();
    assert_eq!((results.count, results.failed), (1, 1));
    assert_eq!(results.failed_tools[0].as_str(), "exec_command");
}

#[test]
fn each_request_for_a_response_is_an_entry_and_so_is_the_connection() {
    let rig = Rig::new();
    let mut line = Line::open(&rig, 1);
    let bytes = conversation(&mut line);
    line.up(&frame(0x88, &[3, 232], Some([0; 4])));
    line.end(Outcome::Complete);
    check(rig, |entries| {
        check_conversation(entries, bytes);
        let connection = &entries[3];
        assert_eq!((connection.status, connection.outcome), (Some(101), Outcome::Complete));
        assert_eq!((connection.parse, &connection.usage, connection.terminal), (Parse::Ok, &None, None));
        assert!(connection.request_bytes > bytes.iter().map(|bytes| bytes.0).sum());
        assert!(connection.response_bytes > bytes.iter().map(|bytes| bytes.1).sum());
        assert_eq!(connection.session, entries[0].session);
    });
}

#[test]
fn compressed_or_not_and_however_it_is_cut_it_is_the_same() {
    for (cut, extensions) in [(1, &[][..]), (1, &[DEFLATE]), (1000, &[DEFLATE])] {
        let rig = Rig::new();
        let mut line = Line::open_with(&rig, 1, cut, extensions);
        let bytes = conversation(&mut line);
        line.end(Outcome::Complete);
        check(rig, |entries| check_conversation(entries, bytes));
    }
}

#[test]
fn the_first_content_is_told_from_the_request_on() {
    let rig = Rig::new();
    let mut line = Line::open(&rig, 1);
    for id in ["r1", "r2"] {
        line.ask(&create(None, &[user(id)]));
        line.tell(&created(id));
        line.tell(&json!({"type": "response.output_text.delta", "delta": "CANARY"}));
        line.tell(&completed(id));
    }
    line.end(Outcome::Complete);
    check(rig, |entries| {
        assert!(
            entries[..2].iter().all(|entry| entry.first_content_ms == Some(20) && entry.latency_ms == 30)
        );
    });
}

#[test]
fn what_a_turn_does_not_say_is_known_from_those_before_it() {
    let rig = Rig::new();
    let mut line = Line::open(&rig, 1);
    let mut bare = create(None, &[user("CANARY")]);
    bare.as_object_mut().unwrap().remove("client_metadata");
    for body in [&bare, &create(None, &[]), &bare] {
        line.ask(body);
        line.answer("r", &[]);
    }
    line.end(Outcome::Complete);
    check(rig, |entries| {
        assert!(entries.iter().all(|entry| entry.session == entries[0].session && entry.session.is_some()));
        let modes: Vec<_> = entries.iter().map(|entry| entry.permission_mode.as_deref().unwrap()).collect();
        // The connection's own is that of its headers.
        assert_eq!(modes, ["read-only", "workspace-write", "workspace-write", "read-only"]);
        let dirs: Vec<_> = entries[..3].iter().map(|entry| entry.dir.is_some()).collect();
        assert_eq!(dirs, [false, true, true]);
    });
}

#[test]
fn a_turn_that_breaks_off_says_who_left_and_the_next_attempt_is_a_retry() {
    let rig = Rig::new();
    let body = create(None, &[user("CANARY")]);
    let ends: [(How, Outcome, Outcome); 6] = [
        (|_| {}, Outcome::UpstreamAbort, Outcome::UpstreamAbort),
        (|_| {}, Outcome::ClientAbort, Outcome::ClientAbort),
        (|line| line.up(&frame(0x88, &[], Some([0; 4]))), Outcome::Complete, Outcome::ClientAbort),
        (|line| line.down(&frame(0x88, &[], None)), Outcome::Complete, Outcome::UpstreamAbort),
        (|line| line.request.end(), Outcome::Complete, Outcome::ClientAbort),
        (|line| line.response.upstream_ended(), Outcome::ClientAbort, Outcome::UpstreamAbort),
    ];
    for (id, (how, outcome, _)) in ends.into_iter().enumerate() {
        let mut line = Line::open(&rig, id as u64);
        line.ask(&body);
        line.tell(&created("r"));
        how(&mut line);
        line.end(outcome);
    }
    let mut line = Line::open(&rig, 99);
    for _ in 0..2 {
        line.ask(&body);
        line.answer("r", &[]);
    }
    line.end(Outcome::Complete);
    check(rig, |entries| {
        for (pair, (_, _, left)) in entries.chunks(2).zip(ends) {
            assert_eq!((pair[0].class, pair[1].class), (Class::Turn, Class::Connection));
            assert_eq!((pair[0].outcome, pair[0].terminal, pair[0].parse), (left, Some(false), Parse::Ok));
        }
        let turns: Vec<_> = entries.iter().filter(|entry| entry.class == Class::Turn).collect();
        let attempts: Vec<_> = turns.iter().map(|entry| (entry.repeats, entry.retry)).collect();
        let again = (1..7).map(|repeats| (repeats, true));
        assert_eq!(attempts, [(0, false)].into_iter().chain(again).chain([(7, false)]).collect::<Vec<_>>());
    });
}

#[test]
fn a_turn_that_is_sent_again_whole_is_a_retry_and_its_results_count_once() {
    let rig = Rig::new();
    let mut line = Line::open(&rig, 1);
    line.ask(&create(None, &[user("CANARY")]));
    line.answer("r1", &[call("c1")]);
    line.ask(&create(Some("r1"), &[failed("c1")]));
    line.tell(&created("r2"));
    line.end(Outcome::UpstreamAbort);
    let mut line = Line::open(&rig, 2);
    let mut whole = create(None, &[user("CANARY"), call("c1"), failed("c1")]);
    whole["client_metadata"]["x-codex-ws-stream-request-start-ms"] = json!("1");
    line.ask(&whole);
    line.answer("r2", &[]);
    line.end(Outcome::Complete);
    check(rig, |entries| {
        let turns: Vec<_> = entries.iter().filter(|entry| entry.class == Class::Turn).collect();
        let told = turns.iter().map(|turn| {
            let results = turn.results.as_ref().map(|results| results.failed);
            (turn.retry, turn.context.unwrap().messages, results)
        });
        assert_eq!(told.collect::<Vec<_>>(), [(false, 1, None), (false, 3, Some(1)), (true, 3, None)]);
    });
}

#[test]
fn a_turn_whose_end_is_missed_does_not_get_the_answer_to_the_next() {
    let rig = Rig::new();
    let mut line = Line::open(&rig, 1);
    line.ask(&create(None, &[user("one")]));
    line.tell(&created("r1"));
    line.ask(&create(None, &[user("two")]));
    line.answer("r2", &[call("c1")]);
    line.ask(&create(Some("r2"), &[failed("c1")]));
    line.answer("r3", &[]);
    line.end(Outcome::Complete);
    check(rig, |entries| {
        let told = entries.iter().map(|entry| (entry.outcome, entry.terminal, entry.tools.is_some()));
        let (missed, whole) = (Outcome::Unknown, Outcome::Complete);
        let expected = [
            (missed, Some(false), false),
            (whole, Some(true), true),
            (whole, Some(true), false),
            (whole, None, false),
        ];
        assert_eq!(told.collect::<Vec<_>>(), expected);
        assert_eq!(entries[2].context.unwrap().messages, 3, "a question, a call and its result");
        assert!(entries[0].usage.is_none() && entries[1].usage.is_some());
    });
}

#[test]
fn a_turn_without_any_answer_has_no_status() {
    let rig = Rig::new();
    let mut line = Line::open(&rig, 1);
    line.ask(&create(None, &[]));
    line.end(Outcome::UpstreamAbort);
    check(rig, |entries| {
        let turn = &entries[0];
        assert_eq!((turn.status, turn.outcome, turn.terminal), (None, Outcome::UpstreamUnreachable, None));
        assert_eq!((turn.response_bytes, turn.streamed), (0, false));
    });
}

#[test]
fn an_error_instead_of_a_response_has_its_status_and_one_within_it_does_not() {
    let rig = Rig::new();
    let error = json!({"type": "error", "status": 429,
        "error": {"type": "tokens", "code": "rate_limit_exceeded", "message": "CANARY"}});
    let mut line = Line::open(&rig, 1);
    line.ask(&create(None, &[]));
    line.tell(&error);
    line.ask(&create(None, &[]));
    line.tell(&created("r"));
    line.tell(&error);
    line.end(Outcome::Complete);
    check(rig, |entries| {
        let told = |entry: &Entry<'_>| {
            let error = entry.error.as_ref().unwrap();
            assert_eq!(error.code.as_deref(), Some("rate_limit_exceeded"));
            (entry.status, error.in_stream, entry.streamed, entry.terminal, entry.retry)
        };
        assert_eq!(told(&entries[0]), (Some(429), false, false, None, false));
        assert_eq!(told(&entries[1]), (Some(200), true, true, Some(false), true));
        assert!(entries.iter().all(|entry| entry.outcome == Outcome::Complete && entry.parse == Parse::Ok));
    });
}

#[test]
fn from_a_copy_that_was_given_up_on_nothing_more_is_told() {
    let rig = Rig::with(|options| options.limits.bytes = 2_000);
    let mut line = Line::open_with(&rig, 1, usize::MAX, &[]);
    line.ask(&create(None, &[user("CANARY")]));
    line.answer("r1", &[]);
    line.ask(&create(None, &[user("CANARY again")]));
    line.tell(&created("r2"));
    line.down(&[0; 3_000]);
    line.answer("r2", &[]);
    line.now += Duration::from_hours(1);
    line.end(Outcome::Complete);
    let mut other = Line::open(&rig, 2);
    other.ask(&create(None, &[]));
    other.answer("r3", &[]);
    other.end(Outcome::Complete);
    check(rig, |entries| {
        let parses: Vec<_> = entries.iter().map(|entry| (entry.class, entry.parse)).collect();
        let (turn, connection) = (Class::Turn, Class::Connection);
        let expected = [
            (turn, Parse::Ok),
            (turn, Parse::Shed),
            (connection, Parse::Shed),
            (turn, Parse::Ok),
            (connection, Parse::Ok),
        ];
        assert_eq!(parses, expected);
        let shed = &entries[1];
        assert_eq!((&shed.usage, shed.model.as_deref(), shed.latency_ms), (&None, Some("gpt-5.5"), 10));
    });
}

/// The entry of another exchange says that the recorder has seen what came before it.
fn recorder_has_come_so_far(rig: &Rig, id: u64) {
    Script::turn(id, b"", JSON, b"").in_language(Provider::OpenAi, Route::Other).run(&rig.sender);
    let (spool, id) = (rig.dir.path().join("state/spool"), format!("{id:016x}"));
    until(|| spool.is_dir() && lines(&spool).iter().any(|line| line.contains(&id)));
}

#[test]
fn a_message_whose_end_has_not_come_counts_against_the_memory() {
    let message = create(None, &[user(&"x".repeat(1_000))]).to_string();
    let whole = frame(0x81, message.as_bytes(), Some([0; 4]));
    let begun = frame(0x01, message.as_bytes(), Some([0; 4]));
    for (first, parse) in [(whole, Parse::Ok), (begun, Parse::Shed)] {
        let rig = Rig::with(|options| options.limits.bytes = 2_000);
        let mut line = Line::open(&rig, 1);
        line.up(&first);
        recorder_has_come_so_far(&rig, 2);
        line.up(&first);
        line.end(Outcome::Complete);
        check(rig, |entries| assert_eq!(entries.last().unwrap().parse, parse));
    }
}

#[test]
fn pieces_that_end_in_the_middle_of_a_message_count_until_that_message_is_whole() {
    let text = json!({"type": "response.processed", "x": "x".repeat(600)}).to_string();
    let message = frame(0x81, text.as_bytes(), Some([0; 4]));
    let (head, tail) = message.split_at(300);
    let rig = Rig::with(|options| options.limits.bytes = 4_000);
    let mut line = Line::open(&rig, 1);
    line.up(head);
    // Never is all that was said whole, and in all it is four times what may be held.
    for id in 2..25 {
        line.up(&[tail, head].concat());
        recorder_has_come_so_far(&rig, id);
    }
    line.up(tail);
    line.end(Outcome::Complete);
    check(rig, |entries| assert_eq!(entries.last().unwrap().parse, Parse::Ok));
}

#[test]
fn a_connection_that_cannot_be_read_says_so_and_nothing_else() {
    let rig = Rig::new();
    let unknown = ("sec-websocket-extensions", "permessage-CANARY");
    let mut line = Line::open_with(&rig, 1, usize::MAX, &[unknown]);
    line.ask(&create(None, &[]));
    line.end(Outcome::Complete);
    let mut line = Line::open(&rig, 2);
    line.ask(&create(None, &[]));
    line.down(&[0xff; 40]);
    line.answer("r", &[]);
    line.end(Outcome::Complete);
    check(rig, |entries| {
        let notes = entries.iter().map(|entry| {
            let notes = entry.notes.iter().map(|note| (note.parser.to_string(), note.reason.to_string()));
            (entry.class, entry.parse, notes.collect::<Vec<_>>())
        });
        let note = |reason: &str| vec![("websocket".to_owned(), reason.to_owned())];
        let expected = [
            (Class::Connection, Parse::Partial, note("unknown_extension")),
            (Class::Turn, Parse::Partial, note("bad_frame")),
            (Class::Connection, Parse::Partial, note("bad_frame")),
        ];
        assert_eq!(notes.collect::<Vec<_>>(), expected);
    });
}

#[test]
fn messages_that_are_not_understood_are_noted() {
    let rig = Rig::new();
    let mut line = Line::open(&rig, 1);
    line.up(&frame(0x81, b"CANARY", Some([0; 4])));
    line.up(&frame(0x82, b"CANARY", Some([0; 4])));
    line.ask(&create(None, &[]));
    line.down(&frame(0x81, b"CANARY", None));
    line.down(&frame(0x82, b"CANARY", None));
    line.answer("r", &[]);
    line.end(Outcome::Complete);
    check(rig, |entries| {
        let reasons =
            |entry: &Entry<'_>| entry.notes.iter().map(|note| note.reason.to_string()).collect::<Vec<_>>();
        assert_eq!(reasons(&entries[0]), ["bad_message_json", "binary_message"]);
        assert_eq!(reasons(&entries[1]), ["bad_message_json", "binary_message"]);
        assert!(entries[0].usage.is_some());
    });
}

#[test]
fn no_more_turns_than_a_few_are_awaited_at_once() {
    let rig = Rig::new();
    let mut line = Line::open(&rig, 1);
    for _ in 0..20 {
        line.ask(&create(None, &[]));
    }
    line.end(Outcome::UpstreamAbort);
    check(rig, |entries| {
        assert_eq!(entries.len(), 17);
        let note = &entries[16].notes[0];
        assert_eq!((note.reason.as_str(), note.count), ("too_many_at_once", 4));
    });
}

#[test]
fn an_upgrade_of_another_operation_is_one_entry_and_so_is_a_declined_one() {
    let rig = Rig::new();
    let mut other =
        Script::turn(1, b"<question>", JSON, b"<answer>").in_language(Provider::OpenAi, Route::Other);
    other.status = 101;
    other.request_headers = headers(&[("upgrade", "websocket")]);
    other.run(&rig.sender);
    let mut declined = Script::turn(2, b"", JSON, b"").in_language(Provider::OpenAi, Route::Responses);
    declined.status = 426;
    declined.request_headers = headers(&[("upgrade", "websocket")]);
    declined.run(&rig.sender);
    check(rig, |entries| {
        let told: Vec<_> = entries.iter().map(|entry| (entry.class, entry.status, entry.parse)).collect();
        assert_eq!(told, [(Class::Other, Some(101), Parse::Ok), (Class::Connection, Some(426), Parse::Ok)]);
    });
}
