//! The thread that reads the files again.
//!
//! The files are small and few, and a look that finds nothing new costs microseconds. Events would come sooner, but not on
//! every file system, and not for a file that is not there yet.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};

use crossbeam_channel::{RecvTimeoutError, Sender, bounded};

use super::{Consents, Keeper};

/// How often. A lowered tier takes effect within a second, and aborting takes some of it.
pub const INTERVAL: Duration = Duration::from_millis(400);

/// Keeps the consents up to date until it is dropped.
#[derive(Debug)]
pub struct Watcher {
    keeper: Arc<Mutex<Keeper>>,
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Watcher {
    /// Calls `changed`, on a thread of its own, with what holds whenever it is something else.
    pub fn start(keeper: Keeper, changed: impl Fn(Arc<Consents>) + Send + 'static) -> io::Result<Self> {
        let keeper = Arc::new(Mutex::new(keeper));
        let (stop, stopped) = bounded::<()>(0);
        let kept = Arc::clone(&keeper);
        let thread = thread::Builder::new().name("consent".to_owned()).spawn(move || {
            while stopped.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
                let new = lock(&kept).reload();
                if let Some(consents) = new {
                    changed(consents);
                }
            }
        })?;
        Ok(Self { keeper, stop: Some(stop), thread: Some(thread) })
    }

    /// What holds now.
    pub fn consents(&self) -> Arc<Consents> {
        lock(&self.keeper).consents()
    }

    /// Looks at a directory of an entry. What holds from now on.
    pub fn explore(&self, dir: &str) -> Arc<Consents> {
        lock(&self.keeper).explore(dir)
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // It ends by itself; if it has panicked, the process is ending already.
            let _ = thread.join();
        }
    }
}

fn lock(keeper: &Mutex<Keeper>) -> MutexGuard<'_, Keeper> {
    keeper.lock().unwrap_or_else(PoisonError::into_inner)
}
