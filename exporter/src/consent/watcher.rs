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
        let mut told = lock(&kept).consents();
        let thread = thread::Builder::new().name("consent".to_owned()).spawn(move || {
            while stopped.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
                let now = {
                    let mut keeper = lock(&kept);
                    keeper.reload();
                    keeper.consents()
                };
                // Somebody who explored a directory may have been the first to see a change.
                if !Arc::ptr_eq(&now, &told) {
                    told = Arc::clone(&now);
                    changed(now);
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

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use ccxray_shared::state_dir::StateDir;

    use super::*;
    use crate::consent::{Decision, Tier, keeper::Sources, own::Home, trust::TrustStore};

    /// Long enough for a machine that has much to do.
    const PATIENCE: Duration = Duration::from_secs(30);

    fn keeper(top: &Path) -> Keeper {
        let state_dir = StateDir::resolve(Some(top.join("state"))).unwrap();
        Keeper::start(Sources {
            home: Home { home: Some(top.to_owned()), config: None },
            trust: TrustStore::new(&state_dir.exporter()),
            ceiling: Some(Tier::Anonymous),
            variables: Box::new(|name| {
                (name == "OTEL_EXPORTER_OTLP_ENDPOINT").then(|| "https://otel.example".to_owned())
            }),
        })
        .unwrap()
    }

    #[test]
    fn whoever_watches_is_told_of_every_change_also_of_one_that_exploring_found() {
        let dir = tempfile::tempdir().unwrap();
        let top = dir.path().canonicalize().unwrap();
        let say = |tier: u8| {
            let roots = top.display();
            let text = format!(r#"{{"otel":{{"tier":{tier},"trusted_roots":["{roots}"]}}}}"#);
            fs::write(top.join("new"), text).unwrap();
            fs::rename(top.join("new"), top.join(".ccxray.user.json")).unwrap();
        };
        say(1);
        let (tell, told) = crossbeam_channel::unbounded();
        let watcher = Watcher::start(keeper(&top), move |consents| tell.send(consents).unwrap()).unwrap();
        assert!(watcher.consents().server().is_ok());
        say(0);
        assert!(told.recv_timeout(PATIENCE).unwrap().server().is_err());
        say(1);
        let explored = watcher.explore(top.to_str().unwrap());
        assert!(matches!(explored.decide_for(top.to_str(), None, None), Decision::Count(_)));
        assert_eq!(*told.recv_timeout(PATIENCE).unwrap(), *explored);
        drop(watcher);
        assert!(told.recv().is_err(), "it has ended");
    }
}
