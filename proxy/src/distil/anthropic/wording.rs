//! The client's own texts that something is told by, all of them in one place.
//!
//! As Claude Code 2.1.197 was seen to send them, and checked against the texts in Claude Code 2.1.329. They belong
//! to [`RULES_VERSION`](crate::distil::RULES_VERSION): a change here raises it.

/// A line of the role's prompt, behind which the client states its working directory.
pub(super) const STATED_DIR: &str = " - Primary working directory: ";

/// How the main agent's role prompt begins.
pub(super) const MAIN: &str = "You are an interactive agent that helps users";

/// How the role prompts of the client's own sub-agents begin, and the type that each stands for.
pub(super) const SUB_AGENTS: [(&str, &str); 3] = [
    ("You are an agent for Claude Code", "general-purpose"),
    ("You are a file search specialist for Claude Code", "explore"),
    ("You are a software architect and planning specialist", "plan"),
];

/// How the text block that asks for a summary of the conversation begins.
pub(super) const SUMMARY_BEGINS: &str = "CRITICAL: Respond with TEXT ONLY";
/// What it has in it, whichever part of the conversation it is about; older clients begin with this.
pub(super) const SUMMARY_ASKS: &str = "Your task is to create a detailed summary of ";

/// How the only text of the helper begins that reads a fetched page.
pub(super) const FETCHED_PAGE: &str = "Web page content:";
/// How the last text of other helpers begins: the label of a group of calls, the recap for a user who was away.
pub(super) const HELPERS: [&str; 2] = [
    "Write a short summary label describing what these tool calls accomplished",
    "The user stepped away and is coming back. Recap in ",
];

/// The only text of a request that finds out whether there is quota.
pub(super) const QUOTA: &str = "quota";

/// What is around a text that the client adds to a user's message.
pub(super) const REMINDER: (&str, &str) = ("<system-reminder>", "</system-reminder>");
/// How the one of these begins that holds the user's memory files.
pub(super) const MEMORY_FILES: &str =
    "As you answer the user's questions, you can use the following context:";

/// How the lines begin by which the client tells the model of its mode.
pub(super) const PLAN_BEGINS: [&str; 2] =
    ["Plan mode is active. The user indicated", "Plan mode still active"];
pub(super) const PLAN_ENDS: &str = "## Exited Plan Mode";
pub(super) const AUTO_BEGINS: &str = "## Auto Mode Active";
pub(super) const AUTO_ENDS: &str = "## Exited Auto Mode";
/// Each of the above has one of these in it.
pub(super) const OF_MODE: [&str; 2] = ["Plan mode ", " Mode"];

/// The result of a call that nobody was asked about: how it begins, and what it has in it.
pub(super) const NOT_ASKED: (&str, &str) =
    ("Permission to use ", "has been denied because Claude Code is running in don't ask mode");
/// The result of a call that the user has not allowed.
pub(super) const NOT_GRANTED: (&str, &str) =
    ("Claude requested permissions to ", "but you haven't granted it yet");

/// How the text block begins by which a skill or a command of the user's is called. A built-in command's block
/// begins with its name instead.
pub(super) const COMMAND: &str = "<command-message>";
/// What is around the command's name.
pub(super) const COMMAND_NAME: (&str, &str) = ("<command-name>/", "</command-name>");
/// How the text of a skill begins, which follows the call.
pub(super) const SKILL_TEXT: &str = "Base directory for this skill: ";

/// What an error's message says, in lower case, when the prompt does not fit into the model's window: as Anthropic
/// says it, in two ways, and as a cloud in between does.
pub(super) const TOO_LONG: [&str; 3] = ["prompt is too long", "exceed context limit", "input is too long"];
