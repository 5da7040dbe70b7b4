//! Where the programs are that others wrote.

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
};

/// The backend `name`, from the directory that `CCXRAY_TEST_BACKENDS` names, or from where
/// `tests/scripts/get-backends.sh` puts it. Panics, naming the command to run, if it is not there.
pub fn backend(name: &str) -> PathBuf {
    let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join(".cache/bin");
    let dir = std::env::var_os("CCXRAY_TEST_BACKENDS").map_or_else(default, PathBuf::from);
    let path = dir.join(name);
    assert!(path.is_file(), "no {}; run `tests/scripts/get-backends.sh` first", path.display());
    path
}

/// A port that was free a moment ago, for programs that cannot choose one and say which.
pub(super) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    listener.local_addr().expect("a bound listener has an address").port()
}
