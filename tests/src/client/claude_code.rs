//! The real Claude Code, offline but for the base URL that it is given.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::daemons::{Process, State};

/// Where `tests/scripts/get-clients.sh` puts it. Panics, naming the command to run, if it is not there.
fn program() -> PathBuf {
    let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join(".cache/clients");
    let dir = std::env::var_os("CCXRAY_TEST_CLIENTS").map_or_else(default, PathBuf::from);
    let path = dir.join("node_modules/.bin/claude");
    assert!(path.exists(), "no {}; run `tests/scripts/get-clients.sh` first", path.display());
    path
}

/// Lets the real client hold one conversation, in a scratch project with a README, and returns what it printed.
/// It may use the tools Bash and Read. Panics if it fails.
pub async fn claude_code(state: &State, base_url: &str, prompt: &str) -> String {
    let project = state.root().join("project");
    fs::create_dir_all(&project).expect("the scratch directory can be written");
    fs::write(project.join("README.md"), "# A scratch project\n")
        .expect("the scratch directory can be written");
    let mut command = Command::new(program());
    command.current_dir(&project).args(["--print", prompt, "--model", "claude-opus-4-8"]);
    command.args(["--allowedTools", "Bash,Read"]);
    let variables = [
        ("ANTHROPIC_BASE_URL", base_url),
        ("ANTHROPIC_API_KEY", "sk-ant-made-up"),
        ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1"),
        ("DISABLE_AUTOUPDATER", "1"),
        ("DISABLE_ERROR_REPORTING", "1"),
        ("DISABLE_TELEMETRY", "1"),
    ];
    let mut process = Process::start(command, state.root(), &variables.map(|(n, v)| (n.into(), v.into())));
    let status = process.ended().await;
    assert!(status.success(), "Claude Code ended with {status}:\n{}", process.said());
    process.said()
}
