//! A recorder on a directory of its own, and exchanges to feed it with.

use std::{
    fs,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use ccxray_proxy::{
    record::{
        channel::{Limits, Sender},
        exchange::{ExchangeId, Opening, ResponseHead, begin},
        gauges::ProxyGauges,
        noted::noted,
        recorder::{RecorderOptions, RecorderThread, start},
    },
    route::stamp::Attribution,
};
use ccxray_shared::{
    UnixMillis,
    entry::{Outcome, Provider, Route},
    line::Line,
    segment::ByteOffset,
    spool::{Fsync, LineReader, ReadLine, layout, retention::Caps},
    state_dir::StateDir,
};
use hyper::{
    HeaderMap, StatusCode,
    header::{HeaderName, HeaderValue},
};

pub(crate) const SESSION: (&str, &str) = ("x-claude-code-session-id", "CANARY-session");
pub(crate) const EVENTS: (&str, &str) = ("content-type", "text/event-stream; charset=utf-8");
pub(crate) const JSON: (&str, &str) = ("content-type", "application/json");

pub(crate) const STARTED_AT: UnixMillis = UnixMillis(1_795_000_000_000);

pub(crate) struct Rig {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) sender: Sender,
    thread: RecorderThread,
}

pub(crate) fn options(state_dir: &Path) -> RecorderOptions {
    RecorderOptions {
        state_dir: StateDir::resolve(Some(state_dir.to_owned())).unwrap(),
        fsync: Fsync::default(),
        caps: Caps::default(),
        limits: Limits::default(),
        drop_dirs: false,
    }
}

impl Rig {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut RecorderOptions)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut options = options(&dir.path().join("state"));
        change(&mut options);
        let (sender, thread) = start(options, Arc::new(ProxyGauges::default())).unwrap();
        Self { dir, sender, thread }
    }

    /// Ends the recorder, and gives every line of the spool and the directory it lies in.
    pub(crate) fn finish(self) -> (Vec<String>, tempfile::TempDir) {
        assert!(self.thread.finish(Instant::now() + Duration::from_secs(10)));
        (lines(&self.dir.path().join("state/spool")), self.dir)
    }
}

/// All lines of a spool, in order.
pub(crate) fn lines(spool: &Path) -> Vec<String> {
    let mut lines = Vec::new();
    for segment in layout::list(spool).unwrap() {
        let mut reader = LineReader::open(&segment.path(spool), ByteOffset(0)).unwrap();
        while let ReadLine::Line(line, _) = reader.read_line().unwrap() {
            lines.push(String::from_utf8(line.to_vec()).unwrap());
        }
    }
    lines
}

/// The entries among `lines`.
pub(crate) fn entries(lines: &[String]) -> Vec<ccxray_shared::Entry<'_>> {
    let entry = |line: &'_ String| match Line::decode(line.as_bytes()).unwrap() {
        Line::Entry(_) => true,
        Line::Segment(_) | Line::Gap(_) | Line::Stats(_) => false,
    };
    let mut found = Vec::new();
    for line in lines.iter().filter(|line| entry(line)) {
        if let Line::Entry(entry) = Line::decode(line.as_bytes()).unwrap() {
            found.push(*entry);
        }
    }
    found
}

pub(crate) fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    let pair = |&(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value));
    pairs.iter().map(pair).collect()
}

/// An exchange, and how it goes.
pub(crate) struct Script<'a> {
    pub(crate) id: u64,
    pub(crate) provider: Provider,
    pub(crate) route: Route,
    pub(crate) path_model: Option<String>,
    pub(crate) request_headers: HeaderMap,
    pub(crate) request: &'a [u8],
    pub(crate) status: u16,
    pub(crate) answer_headers: HeaderMap,
    /// The pieces of the answer; each comes 10 ms after the one before, the first after 10 ms.
    pub(crate) answer: Vec<&'a [u8]>,
    pub(crate) outcome: Outcome,
    pub(crate) attribution: Attribution,
}

impl<'a> Script<'a> {
    /// A complete turn of Claude Code.
    pub(crate) fn turn(
        id: u64,
        request: &'a [u8],
        content: (&'static str, &'static str),
        answer: &'a [u8],
    ) -> Self {
        Self {
            id,
            provider: Provider::Anthropic,
            route: Route::Messages,
            path_model: None,
            request_headers: headers(&[SESSION]),
            request,
            status: 200,
            answer_headers: headers(&[content]),
            answer: vec![answer],
            outcome: Outcome::Complete,
            attribution: Attribution::default(),
        }
    }

    /// The same, but in another provider's language.
    pub(crate) fn in_language(mut self, provider: Provider, route: Route) -> Self {
        self.provider = provider;
        self.route = route;
        self.request_headers = headers(&[]);
        self
    }

    pub(crate) fn opening(&self, started: Instant) -> Opening {
        Opening {
            id: ExchangeId(self.id),
            started_at: STARTED_AT,
            started,
            provider: self.provider,
            upstream: self.provider.as_str().into(),
            route: self.route,
            path_model: self.path_model.clone(),
            headers: noted(&self.request_headers),
            attribution: self.attribution.clone(),
        }
    }

    /// Lets it happen.
    pub(crate) fn run(&self, sender: &Sender) {
        let started = Instant::now();
        let (request, mut answer) = begin(sender, self.opening(started));
        for piece in self.request.chunks(1000) {
            request.chunk(&Bytes::copy_from_slice(piece), started);
        }
        request.end();
        let status = StatusCode::from_u16(self.status).unwrap();
        answer.head(ResponseHead { status, headers: noted(&self.answer_headers) });
        let mut now = started;
        for piece in &self.answer {
            now += Duration::from_millis(10);
            answer.chunk(&Bytes::copy_from_slice(piece), now);
        }
        answer.finish(self.outcome, now + Duration::from_millis(10));
    }
}

/// The entries that `scripts` leave, handed to `check`. None of the texts of a fixture may be in them.
pub(crate) fn recorded(scripts: &[Script<'_>], check: impl FnOnce(&[ccxray_shared::Entry<'_>])) {
    let rig = Rig::new();
    for script in scripts {
        script.run(&rig.sender);
    }
    let (lines, _dir) = rig.finish();
    for line in &lines {
        assert!(!line.contains("CANARY"), "{line}");
    }
    let entries = entries(&lines);
    assert_eq!(entries.len(), scripts.len());
    check(&entries);
}

/// A fixture's bytes.
pub(crate) fn fixture(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)).unwrap()
}

/// Waits until `condition` holds, which it must within 20 seconds.
pub(crate) fn until(condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(Instant::now() < deadline);
        std::thread::yield_now();
    }
}
