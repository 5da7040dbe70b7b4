//! The client's own texts that something is told by, all of them in one place.
//!
//! As Gemini CLI 0.61.0 was seen to send them. They belong to [`RULES_VERSION`](crate::distil::RULES_VERSION): a change
//! here raises it.

/// How the system prompts of the main agent begin.
pub(super) const MAIN: [&str; 3] =
    ["You are Gemini CLI", "You are a non-interactive CLI agent", "You are an interactive CLI agent"];
/// How those begin of a CLI without a terminal.
pub(super) const HEADLESS: [&str; 2] =
    ["You are a non-interactive CLI agent", "You are Gemini CLI, an autonomous CLI agent"];
/// What they say in plan mode.
pub(super) const PLAN: &str = "# Active Approval Mode: Plan";
/// How the system prompt of a sub-agent begins. The generalist has the main agent's.
pub(super) const INVESTIGATOR: &str = "You are **Codebase Investigator**";

/// What the system prompt of a compression says.
pub(super) const SUMMARY_ASKS: &str = "distilling chat history into a structured XML <state_snapshot>";
/// How the text of its second call begins, which checks the first one's work.
pub(super) const SUMMARY_CHECK: &str = "Critically evaluate the <state_snapshot>";

/// How the client's first text begins, in which it describes the session.
pub(super) const SESSION_CONTEXT: &str = "<session_context>";
/// The line above the directories in it, and how the line of each begins.
pub(super) const DIRS: &str = "- **Workspace Directories:**";
pub(super) const DIR: &str = "  - ";
/// How the text behind it begins when a summary has taken the place of the conversation's beginning.
pub(super) const SUMMARY: &str = "<state_snapshot>";

/// How the line begins that states a command's exit code.
pub(super) const EXIT_CODE: &str = "Exit Code: ";
/// How many lines the client adds to a command's output at most; that one is among them.
pub(super) const CLOSING_LINES: usize = 6;

/// What an error's message says when the prompt does not fit into the model's window.
pub(super) const TOO_LONG: &str = "exceeds the maximum number of tokens";
