//! Builds the daemons, in the profile that this program was built in.

use std::{path::Path, process::Command};

use crate::Failed;

/// Builds both; what cargo says is shown.
pub(crate) fn daemons() -> Result<(), Failed> {
    println!("building ccxray-proxy and ccxray-exporter …");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."));
    // The whole workspace, as `cargo run --bin quickstart` has it: other packages would mean other features, and all
    // dependencies would be compiled once more.
    cargo.args(["build", "--locked", "--quiet", "--workspace", "--bins"]);
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    let status = cargo.status().map_err(|error| format!("failed to start cargo: {error}"))?;
    if status.success() { Ok(()) } else { Err("the daemons could not be built".into()) }
}
