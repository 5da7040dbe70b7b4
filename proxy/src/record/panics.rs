//! What a panic may say.

use std::panic;

use tracing::error;

/// Has every panic of the process tell where it was, and nothing else: a panic's message may quote the text that
/// was being parsed, and no such text may reach a log.
pub fn keep_panics_quiet() {
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        error!(place = place.as_deref().unwrap_or("unknown"), "panic");
    }));
}
