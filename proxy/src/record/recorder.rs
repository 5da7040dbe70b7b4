//! The recorder thread: takes the copies of all exchanges and leaves one entry for each in the spool.
//!
//! It is on nobody's path. When it is slow, copies are given up; when the disk is, entries are lost and counted;
//! when a parser panics, one entry says so.

use std::{
    convert::Infallible,
    io,
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
    channel::{Limits, Sender, channel},
    exchange::Message,
    exchanges::Exchanges,
    gauges::ProxyGauges,
    spooling::{Place, Spooling},
    stats::Gauging,
    summary::Dirs,
};

/// Staged bytes that are written without waiting for a pause in the traffic.
const BATCH: usize = 64 * 1024;
/// Messages that are taken in a row before the clock is looked at.
const BURST: usize = 1024;
/// How long to look away before the next burst. Whoever sends meanwhile has nobody to wake, and what comes
/// close together is written together.
const PAUSE: Duration = Duration::from_millis(10);
/// The same while there is so much traffic that what waits takes memory.
const SHORT_PAUSE: Duration = Duration::from_millis(1);
/// So many messages in a burst are much traffic.
const MUCH: usize = 32;

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
    exchanges: Exchanges,
    spooling: Spooling,
    gauging: Gauging,
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
        let dirs = if options.drop_dirs { Dirs::Drop } else { Dirs::Keep };
        let place = Place { state_dir: options.state_dir, fsync: options.fsync, caps: options.caps };
        Ok(Self {
            sender,
            exchanges: Exchanges::new(Key::from_bytes(bits), dirs),
            spooling: Spooling::new(place, at),
            gauging: Gauging::new(gauges, at),
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
        let mut pause = SHORT_PAUSE;
        loop {
            match stop.recv_timeout(pause) {
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return false,
                Ok(never) => match never {},
            }
            pause = match self.burst(messages, BURST) {
                0 => return true,
                taken if taken < MUCH => PAUSE,
                _ => SHORT_PAUSE,
            };
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
        if let Some(stats) = self.gauging.if_changed(&self.sender, self.exchanges.panics(), now) {
            self.spooling.stage_stats(stats);
        }
        self.spooling.commit(now, Instant::now());
        self.spooling.sync(Instant::now());
    }

    /// Writes what is staged and does what is due.
    fn settle(&mut self) {
        let (now, at) = (UnixMillis::now(), Instant::now());
        if let Some(key) = self.spooling.tick(now, at) {
            self.exchanges.use_key(key);
        }
        let without_slot = self.sender.refusals().without_slot;
        self.spooling.lose(without_slot - self.without_slot, "no_slot");
        self.without_slot = without_slot;
        if let Some(stats) = self.gauging.if_due(&self.sender, self.exchanges.panics(), now, at) {
            self.spooling.stage_stats(stats);
        }
        self.spooling.commit(now, at);
    }

    fn take(&mut self, message: Message) {
        let spooling = &mut self.spooling;
        self.exchanges.take(message, &mut |entry| spooling.stage(entry, UnixMillis::now()));
    }
}
