//! What must not be there.

use std::{path::Path, process::Command};

/// The crates that end up in the program `package`, by name.
fn crates_in(package: &str) -> Vec<String> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let output = Command::new(env!("CARGO"))
        .current_dir(workspace)
        .args(["tree", "--locked", "--offline", "--edges", "normal", "--prefix", "none", "--format", "{p}"])
        .args(["--package", package])
        .output()
        .expect("cargo can be started");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).expect("crates have names in ASCII");
    tree.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

fn foreign_to_the_proxy(name: &str) -> bool {
    name.starts_with("opentelemetry") || name.starts_with("prost") || name == "ccxray-exporter"
}

#[test]
fn the_proxy_links_nothing_that_could_push_metrics() {
    let crates = crates_in("ccxray-proxy");
    assert!(crates.iter().any(|name| name == "hyper"), "the tree was read: {crates:?}");
    let foreign: Vec<_> = crates.iter().filter(|name| foreign_to_the_proxy(name)).collect();
    assert!(foreign.is_empty(), "{foreign:?}");
}

#[test]
fn the_exporter_does_not_link_the_proxy() {
    let crates = crates_in("ccxray-exporter");
    assert!(crates.iter().any(|name| foreign_to_the_proxy(name)), "the tree was read: {crates:?}");
    assert!(!crates.iter().any(|name| name == "ccxray-proxy"), "{crates:?}");
}
