//! The client's own texts that something is told by, all of them in one place.
//!
//! As Codex CLI 0.169.0 was seen to send them. They belong to [`RULES_VERSION`](crate::distil::RULES_VERSION): a change
//! here raises it.

/// How the text begins in which Codex states its surroundings.
pub(super) const SURROUNDINGS: &str = "<environment_context>";
/// What is around the directory in it.
pub(super) const DIR: (&str, &str) = ("<cwd>", "</cwd>");

/// How the text begins that asks for a summary.
pub(super) const SUMMARY_ASKED: &str = "You are performing a CONTEXT CHECKPOINT COMPACTION";
/// How the one begins that hands a summary on.
pub(super) const SUMMARY: &str = "Another language model started to solve this problem";

/// What Codex calls the part of a message that holds the instructions of a skill which the user calls for.
pub(super) const SKILL_KIND: &str = "skills.selected_skill_instructions";
/// How its text begins.
pub(super) const SKILL: &str = "<skill>";
/// What is around the skill's name in it.
pub(super) const SKILL_NAME: (&str, &str) = ("<name>", "</name>");

/// How the lines begin that state a command's exit code, before the output itself.
pub(super) const EXIT_CODE: [&str; 2] = ["Process exited with code ", "Exit code: "];
/// The line after which everything is the command's own.
pub(super) const OUTPUT: &str = "Output:";
/// How the answer begins to a call of a tool that there is not, and to a script that threw an error.
pub(super) const FAILED: [&str; 2] = ["unsupported call: ", "Script failed\n"];

/// How the lines of a patch begin that name a file.
pub(super) const PATCHED_FILE: [&str; 4] =
    ["*** Add File: ", "*** Update File: ", "*** Delete File: ", "*** Move to: "];

/// What an error's message says when the prompt does not fit into the model's window.
pub(super) const TOO_LONG: [&str; 2] = ["exceeds the context window", "maximum context length is"];
