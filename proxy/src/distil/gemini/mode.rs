//! The approval mode of Gemini CLI, as far as the main agent's requests show it.
//!
//! Without a terminal the CLI offers only the tools that the mode allows. With one it offers all of them and asks; then
//! only plan mode shows. Tools that the settings take away look like a mode that forbids them: what is no mode's list
//! tells nothing, but a list that has lost just these three reads as `default`.

use super::{
    class,
    tools::Tools,
    wording::{HEADLESS, PLAN},
};
use crate::distil::words::Words;

/// The tool with which the model leaves plan mode.
const PLAN_TOOL: &str = "exit_plan_mode";
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
