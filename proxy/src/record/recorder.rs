//! The recorder thread: takes the copies of all exchanges and leaves one entry for each in the spool.
//!
//! It is on nobody's path. When it is slow, copies are given up; when the disk is, entries are lost and counted;
//! when a parser panics, one entry says so.

use std::{
    collections::HashMap,
    convert::Infallible,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use ccxray_shared::{
    UnixMillis,
    key::Key,
    spool::{Fsync, retention},
    state_dir::StateDir,
};
use crossbeam_channel::{Receiver, RecvTimeoutError, bounded, select};

use super::{
    assembly::{Assembly, Following, RequestSide, Shared},
    channel::{Limits, Sender, channel},
    exchange::{Closing, ExchangeId, Message},
    gauges::ProxyGauges,
    spooling::{Place, Spooling},
    stats::Gauging,
    summary::{self, Dirs},
};
use crate::distil::{answer::AnswerFacts, request::Memory};

/// Staged bytes that are written without waiting for a pause in the traffic.
const BATCH: usize = 64 * 1024;
/// Messages that are taken in a row before the clock is looked at.
const BURST: usize = 1024;
/// How long to look away before the next burst. Whoever sends meanwhile has nobody to wake, and what comes
/// close together is written together.
const PAUSE: Duration = Duration::from_millis(1);

/// How the recorder works.
#[derive(Clone, Debug)]
pub struct RecorderOptions {
    /// Where the key and the spool are.
    pub state_dir: StateDir,
    /// When what was written is made durable.
    pub fsync: Fsync,
    /// The bounds on the disk.
    pub caps: retention::Caps,
    /// The bounds on what is under way.
    pub limits: Limits,
    /// Whether project directories are left out of the entries.
    pub drop_dirs: bool,
}

/// The running recorder. Dropped without [`finish`](Self::finish), it still ends, but nobody waits for it.
#[derive(Debug)]
pub struct RecorderThread {
    stop: crossbeam_channel::Sender<Infallible>,
    done: Receiver<Infallible>,
    thread: JoinHandle<()>,
}

/// Starts the recorder. A disk that cannot be used does not make this fail: the recorder says so once a minute,
/// lets the traffic go unrecorded and keeps trying.
pub fn start(options: RecorderOptions, gauges: Arc<ProxyGauges>) -> io::Result<(Sender, RecorderThread)> {
    let (sender, messages) = channel(options.limits);
    let (stop, stopped) = bounded(0);
    let (alive, done) = bounded::<Infallible>(0);
    let recorder = Recorder::new(options, gauges, sender.clone())?;
    let thread = thread::Builder::new().name("recorder".to_owned()).spawn(move || {
        let _alive = alive;
        recorder.run(&messages, &stopped);
    })?;
    Ok((sender, RecorderThread { stop, done, thread }))
}

impl RecorderThread {
    /// Takes what is in the channel, writes it, makes it durable and ends the thread, even if exchanges are still
    /// under way; they leave no entry. False if the deadline passed first, or the thread had died.
    pub fn finish(self, deadline: Instant) -> bool {
        drop(self.stop);
        match self.done.recv_deadline(deadline) {
            Err(RecvTimeoutError::Disconnected) => self.thread.join().is_ok(),
            Err(RecvTimeoutError::Timeout) => false,
            Ok(never) => match never {},
        }
    }
}

struct Recorder {
    sender: Sender,
    exchanges: HashMap<ExchangeId, Assembly>,
    shared: Shared,
    dirs: Dirs,
    spooling: Spooling,
    gauging: Gauging,
    panics: u64,
    without_slot: u64,
}

/// Why the recorder looks up.
enum Wake {
    Message(Message),
    Timer,
    Stop,
}

impl Recorder {
    fn new(options: RecorderOptions, gauges: Arc<ProxyGauges>, sender: Sender) -> io::Result<Self> {
        let at = Instant::now();
        // Until the install's key can be read, hashes are made with one that nobody has.
        let mut bits = [0; 32];
        getrandom::fill(&mut bits)?;
        let place = Place { state_dir: options.state_dir, fsync: options.fsync, caps: options.caps };
        Ok(Self {
            sender,
            exchanges: HashMap::new(),
            shared: Shared { key: Key::from_bytes(bits), memory: Memory::default() },
            dirs: if options.drop_dirs { Dirs::Drop } else { Dirs::Keep },
            spooling: Spooling::new(place, at),
            gauging: Gauging::new(gauges, at),
            panics: 0,
            without_slot: 0,
        })
    }

    fn run(mut self, messages: &Receiver<Message>, stop: &Receiver<Infallible>) {
        loop {
            self.settle();
            let running = match self.wait(messages, stop) {
                Wake::Message(message) => {
                    self.take(message);
                    self.follow_traffic(messages, stop)
                }
                Wake::Timer => true,
                Wake::Stop => false,
            };
            if !running {
                return self.end(messages);
            }
        }
    }

    fn wait(&self, messages: &Receiver<Message>, stop: &Receiver<Infallible>) -> Wake {
        let due = self.spooling.due().min(self.gauging.due());
        select! {
            recv(messages) -> message => message.map_or(Wake::Stop, Wake::Message),
            recv(stop) -> _ => Wake::Stop,
            default(due.saturating_duration_since(Instant::now())) => Wake::Timer,
        }
    }

    /// Takes burst after burst until the channel is found empty; false if the recorder is to end.
    fn follow_traffic(&mut self, messages: &Receiver<Message>, stop: &Receiver<Infallible>) -> bool {
        loop {
            match stop.recv_timeout(PAUSE) {
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return false,
                Ok(never) => match never {},
            }
            if self.burst(messages, BURST) == 0 {
                return true;
            }
            self.settle();
        }
    }

    /// Takes what is in the channel, at most `most` messages, and says how many there were.
    fn burst(&mut self, messages: &Receiver<Message>, most: usize) -> usize {
        for taken in 0..most {
            let Ok(message) = messages.try_recv() else { return taken };
            self.take(message);
            if self.spooling.staged_len() >= BATCH {
                self.spooling.commit(UnixMillis::now(), Instant::now());
            }
        }
        most
    }

    fn end(mut self, messages: &Receiver<Message>) {
        self.burst(messages, messages.len());
        self.settle();
        let now = UnixMillis::now();
        if let Some(stats) = self.gauging.if_changed(&self.sender, self.panics, now) {
            self.spooling.stage_stats(stats);
        }
        self.spooling.commit(now, Instant::now());
        self.spooling.sync(Instant::now());
    }

    /// Writes what is staged and does what is due.
    fn settle(&mut self) {
        let (now, at) = (UnixMillis::now(), Instant::now());
        if let Some(key) = self.spooling.tick(now, at) {
            self.shared.key = key;
        }
        let without_slot = self.sender.refusals().without_slot;
        self.spooling.lose(without_slot - self.without_slot, "no_slot");
        self.without_slot = without_slot;
        if let Some(stats) = self.gauging.if_due(&self.sender, self.panics, now, at) {
            self.spooling.stage_stats(stats);
        }
        self.spooling.commit(now, at);
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::RequestChunk(opening, chunk, mut permit) => {
                permit.received();
                self.guarded(opening.id, |exchange, _| exchange.request_chunk(&opening, chunk, permit));
            }
            Message::RequestEnd(opening, mut permit) => {
                permit.received();
                self.guarded(opening.id, |exchange, shared| exchange.request_end(&opening, shared));
            }
            Message::ResponseHead(opening, head, mut permit) => {
                permit.received();
                self.guarded(opening.id, |exchange, _| exchange.response_head(&opening, &head));
            }
            Message::ResponseChunk(opening, chunk, at, mut permit) => {
                permit.received();
                self.guarded(opening.id, |exchange, _| exchange.response_chunk(&chunk, at));
            }
            Message::Finish(closing, slot) => {
                self.finish(&closing);
                drop(slot);
            }
        }
    }

    /// Lets `step` work on an exchange. If it panics, the exchange has failed: its entry will say no more than
    /// what the forwarding side knows.
    fn guarded(&mut self, id: ExchangeId, step: impl FnOnce(&mut Following, &mut Shared)) {
        let assembly = self.exchanges.entry(id).or_default();
        let Assembly::Following(following) = assembly else { return };
        let shared = &mut self.shared;
        if catch_unwind(AssertUnwindSafe(|| step(following, shared))).is_err() {
            *assembly = Assembly::Failed;
            self.panics += 1;
        }
    }

    fn finish(&mut self, closing: &Closing) {
        let known = match self.exchanges.remove(&closing.opening.id).unwrap_or_default() {
            Assembly::Following(following) => self.finished(*following, closing),
            Assembly::Failed => None,
        };
        let failed = known.is_none();
        let (request, answer) =
            known.unwrap_or_else(|| (RequestSide::unread(&closing.opening), AnswerFacts::default()));
        let entry = summary::entry(closing, request, answer, self.dirs, failed);
        self.spooling.stage(entry, UnixMillis::now());
    }

    fn finished(&mut self, following: Following, closing: &Closing) -> Option<(RequestSide, AnswerFacts)> {
        let shared = &mut self.shared;
        let finished = catch_unwind(AssertUnwindSafe(|| following.finish(closing, shared)));
        self.panics += u64::from(finished.is_err());
        finished.ok()
    }
}

#[cfg(test)]
mod tests {
    use ccxray_shared::entry::{Outcome, Provider, Route};
    use hyper::HeaderMap;

    use super::*;
    use crate::{record::exchange::Opening, route::stamp::Attribution};

    fn closing(id: u64) -> Closing {
        let opening = Opening {
            id: ExchangeId(id),
            started_at: UnixMillis(1),
            started: Instant::now(),
            provider: Provider::Anthropic,
            upstream: "anthropic".into(),
            route: Route::Messages,
            path_model: None,
            headers: HeaderMap::new(),
            attribution: Attribution::default(),
        };
        Closing {
            ended: opening.started,
            opening: Arc::new(opening),
            head: None,
            outcome: Outcome::Complete,
            request_bytes: 5,
            response_bytes: 6,
            shed: false,
        }
    }

    #[test]
    fn a_panic_in_a_parser_costs_the_facts_of_one_exchange() {
        let dir = tempfile::tempdir().unwrap();
        let options = RecorderOptions {
            state_dir: StateDir::resolve(Some(dir.path().join("state"))).unwrap(),
            fsync: Fsync::None,
            caps: retention::Caps::default(),
            limits: Limits::default(),
            drop_dirs: false,
        };
        let (sender, messages) = channel(options.limits);
        let mut recorder = Recorder::new(options, Arc::new(ProxyGauges::default()), sender).unwrap();
        recorder.settle();
        recorder.guarded(ExchangeId(1), |_, _| panic!("a parser's mistake"));
        recorder.guarded(ExchangeId(1), |_, _| unreachable!("a failed exchange is left alone"));
        recorder.finish(&closing(1));
        recorder.finish(&closing(2));
        recorder.end(&messages);
        let spool = dir.path().join("state/spool");
        let segment = std::fs::read_dir(&spool).unwrap().next().unwrap().unwrap();
        let text = std::fs::read_to_string(segment.path()).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert!(
            lines[1].contains(r#""parse":"error""#) && lines[1].contains(r#""response_bytes":6"#),
            "{text}"
        );
        assert!(lines[2].contains(r#""parse":"ok""#), "{text}");
        assert!(lines[3].contains(r#""recorder_panics":1"#), "{text}");
    }
}
