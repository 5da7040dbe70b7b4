//! The real agents, where `tests/scripts/get-clients.sh` puts them.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::daemons::{Process, Proxy, State, binary};

/// A proxy for HTTPS where nobody listens: what an agent asks beside its provider goes nowhere.
const NOWHERE: &str = "http://127.0.0.1:9";

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

/// Lets an agent hold one conversation in the scratch project, started as `ccxray-proxy run` starts it, and returns
/// what it printed. Panics if it fails.
pub(super) async fn converse(
    state: &State,
    proxy: &Proxy,
    (name, arguments): (&str, &[&str]),
    variables: &[(&str, &str)],
) -> String {
    let agent = program(name).expect("the test has asked whether it is installed");
    let mut command = Command::new(binary("ccxray-proxy"));
    command.args(["run", "--proxy", &proxy.url(), "--"]).arg(agent).args(arguments);
    command.current_dir(state.project());
    let variables = [&[("HTTPS_PROXY", NOWHERE)], variables].concat();
    let variables: Vec<_> = variables.iter().map(|&(n, v)| (n.into(), v.into())).collect();
    let mut process = Process::start(command, state.root(), &variables);
    let status = process.ended().await;
    assert!(status.success(), "{name} ended with {status}:\n{}", process.said());
    process.said()
}
