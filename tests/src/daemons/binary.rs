//! Where the binaries are.

use std::path::PathBuf;

/// The program `name` of this build: it lies beside the directory of the running test. Panics, naming the command to
/// run, if it has not been built.
pub fn binary(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a process knows its program");
    let built = test.ancestors().skip(1).map(|dir| dir.join(name)).take(2).find(|path| path.is_file());
    built.unwrap_or_else(|| {
        let release = if cfg!(debug_assertions) { "" } else { " --release" };
        panic!("{name} is not built; run `cargo build{release} -p {name}` first")
    })
}
