//! The approval mode of Gemini CLI, as far as the main agent's requests show it. The rules belong to
//! [`RULES_VERSION`](crate::distil::RULES_VERSION).
//!
//! Without a terminal the CLI offers only the tools that the mode allows. With one it offers all of them and asks; then
//! only plan mode shows. Tools that the settings take away look like a mode that forbids them: what is no mode's list
//! tells nothing, but a list that has lost just these three reads as `default`.

use super::{class, tools::Tools};
use crate::distil::words::Words;

/// How the system prompts begin of a CLI without a terminal.
const HEADLESS: [&str; 2] =
    ["You are a non-interactive CLI agent", "You are Gemini CLI, an autonomous CLI agent"];
/// The tool with which the model leaves plan mode, and what the system prompt says in it.
const PLAN_TOOL: &str = "exit_plan_mode";
const PLAN: &str = "# Active Approval Mode: Plan";
/// The tools that write files, and the one that runs commands.
const WRITERS: [&str; 2] = ["replace", "write_file"];
const SHELL: &str = "run_shell_command";

/// The mode; none if it does not show.
pub(super) fn shown(system: Option<&Words<'_>>, tools: &Tools<'_>) -> Option<&'static str> {
    let system = system?;
    match (tools.has(PLAN_TOOL), system.contains(PLAN)) {
        (true, true) => return Some("plan"),
        (true, false) | (false, true) => return None,
        (false, false) => {}
    }
    if tools.is_empty() || !HEADLESS.iter().any(|begin| class::begins_with(system, begin)) {
        return None;
    }
    match (WRITERS.map(|tool| tools.has(tool)), tools.has(SHELL)) {
        ([true, true], true) => Some("yolo"),
        ([true, true], false) => Some("auto_edit"),
        ([false, false], false) => Some("default"),
        _ => None,
    }
}
