//! A hint that the spool has changed.
//!
//! The watch only makes the exporter look sooner; it looks every second anyhow, because events can be lost, queues
//! can overflow, and some file systems have no events at all.

use std::path::Path;

use notify::{RecommendedWatcher, RecursiveMode, Watcher};

/// A watch that ends when dropped.
#[derive(Debug)]
pub struct Watch {
    _watcher: RecommendedWatcher,
}

/// Calls `wake` whenever something in `dir` changes. `None`, with a word in the log, where watching is not possible.
pub fn watch(dir: &Path, wake: impl Fn() + Send + 'static) -> Option<Watch> {
    let started = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        if event.is_ok_and(|event| event.kind.is_modify() || event.kind.is_create() || event.kind.is_remove())
        {
            wake();
        }
    });
    let watching = started.and_then(|mut watcher| {
        watcher.watch(dir, RecursiveMode::NonRecursive)?;
        Ok(Watch { _watcher: watcher })
    });
    watching
        .inspect_err(|error| tracing::info!(%error, "cannot watch the spool; it is looked at every second"))
        .ok()
}
