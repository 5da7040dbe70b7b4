//! The real Claude Code, offline but for the base URL that it is given.

use std::process::Command;

use super::installed::program;
use crate::daemons::{Process, State};

/// Lets the real client hold one conversation, in the scratch project, and returns what it printed. It may use the
/// tools Bash and Read. Panics if it fails, or, naming the command to run, if there is none.
pub async fn claude_code(state: &State, base_url: &str, prompt: &str) -> String {
    let program = program("claude").expect("no real claude; run `tests/scripts/get-clients.sh` first");
    let mut command = Command::new(program);
    command.current_dir(state.project()).args(["--print", prompt, "--model", "claude-opus-4-8"]);
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
