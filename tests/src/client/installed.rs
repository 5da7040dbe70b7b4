//! The real agents, where `tests/scripts/get-clients.sh` puts them.

use std::path::{Path, PathBuf};

/// The agent `name`, if this machine has it.
pub(super) fn program(name: &str) -> Option<PathBuf> {
    let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join(".cache/clients");
    let dir = std::env::var_os("CCXRAY_TEST_CLIENTS").map_or_else(default, PathBuf::from).join(name);
    let path = dir.join("node_modules/.bin").join(name);
    (dir.join(".stamp").is_file() && path.exists()).then_some(path)
}

/// Whether this machine has the agent `name`; says so, loudly, if not.
pub fn installed(name: &str) -> bool {
    let found = program(name).is_some();
    if !found {
        eprintln!("SKIPPED: no real {name} on this machine; `tests/scripts/get-clients.sh` installs it");
    }
    found
}
