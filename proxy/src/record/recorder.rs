//! The recorder thread.

use std::{
    io,
    sync::Arc,
    thread::{self, JoinHandle},
    time::Instant,
};

use ccxray_shared::{
    spool::{fsync::Fsync, retention},
    state_dir::StateDir,
};
use crossbeam_channel::{Receiver, bounded};

use super::{
    channel::{Limits, Sender, channel},
    gauges::ProxyGauges,
};

/// What the recorder needs to know.
#[derive(Debug)]
pub struct RecorderOptions {
    /// Where the spool and the key lie.
    pub state_dir: StateDir,
    /// When what was written is made durable.
    pub fsync: Fsync,
    /// How much disk the spool may take.
    pub caps: retention::Caps,
    /// How much may be under way in the channel.
    pub limits: Limits,
    /// Whether project directories are left out, because they are those of other machines.
    pub drop_dirs: bool,
}

/// The running thread.
#[derive(Debug)]
pub struct RecorderThread {
    thread: JoinHandle<()>,
    ended: Receiver<()>,
}

/// Starts the thread.
#[expect(clippy::needless_pass_by_value, reason = "the thread keeps them")]
pub fn start(options: RecorderOptions, _gauges: Arc<ProxyGauges>) -> io::Result<(Sender, RecorderThread)> {
    let (sender, messages) = channel(options.limits);
    let (end, ended) = bounded::<()>(0);
    let thread = thread::Builder::new().name("recorder".into()).spawn(move || {
        let _end = end;
        messages.iter().for_each(drop);
    })?;
    Ok((sender, RecorderThread { thread, ended }))
}

impl RecorderThread {
    /// Waits until every sender is gone and all that they sent is written, at most until `deadline`. False if
    /// the deadline passed first.
    pub fn finish(self, deadline: Instant) -> bool {
        use crossbeam_channel::RecvTimeoutError;
        match self.ended.recv_deadline(deadline) {
            Err(RecvTimeoutError::Timeout) => false,
            Ok(()) | Err(RecvTimeoutError::Disconnected) => self.thread.join().is_ok(),
        }
    }
}
