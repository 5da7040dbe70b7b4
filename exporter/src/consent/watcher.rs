//! The thread that reads the files again.
//!
//! The files are small and few, and a look that finds nothing new costs microseconds. Events would come sooner, but not on
//! every file system, and not for a file that is not there yet.

use std::{
    fmt, io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};

use crossbeam_channel::{RecvTimeoutError, Sender, bounded};

use super::{Consents, Keeper};

/// How often. A lowered tier takes effect within a second, and aborting takes some of it.
pub const INTERVAL: Duration = Duration::from_millis(400);

/// Who is to know of a change.
type Changed = Arc<dyn Fn(Arc<Consents>) + Send + Sync>;

/// Keeps the consents up to date until it is dropped.
pub struct Watcher {
    keeper: Arc<Mutex<Keeper>>,
    changed: Changed,
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Watcher {
    /// Calls `changed` with what holds whenever it is something else: once for each change and in their order, on a thread
    /// of its own or on that of who [explores](Self::explore). It must not block.
    pub fn start(
        keeper: Keeper,
        changed: impl Fn(Arc<Consents>) + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let (keeper, changed): (_, Changed) = (Arc::new(Mutex::new(keeper)), Arc::new(changed));
        let (stop, stopped) = bounded::<()>(0);
        let (kept, tell) = (Arc::clone(&keeper), Arc::clone(&changed));
        let thread = thread::Builder::new().name("consent".to_owned()).spawn(move || {
            while stopped.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
                // Held while it is told, so that nobody tells of a later change before.
                let mut keeper = lock(&kept);
                if let Some(consents) = keeper.reload() {
                    tell(consents);
                }
            }
        })?;
        Ok(Self { keeper, changed, stop: Some(stop), thread: Some(thread) })
    }

    /// What holds now.
    pub fn consents(&self) -> Arc<Consents> {
        lock(&self.keeper).consents()
    }

    /// Looks at a directory of an entry. What holds from now on; it has been told.
    pub fn explore(&self, dir: &str) -> Arc<Consents> {
        let mut keeper = lock(&self.keeper);
        let before = keeper.consents();
        let consents = keeper.explore([dir]);
        if !Arc::ptr_eq(&before, &consents) {
            (self.changed)(Arc::clone(&consents));
        }
        consents
    }
}

impl fmt::Debug for Watcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watcher").field("keeper", &self.keeper).finish_non_exhaustive()
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
            told: None,
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
