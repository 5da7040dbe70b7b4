//! From bytes to facts: pure functions over what passed by, and a little bounded state per session.
//!
//! Facts are what was on the wire: numbers, names, closed words, keyed hashes. What needs the text to be decided
//! is decided here, by rules under [`RULES_VERSION`], and the text goes no further.
//!
//! - [`request`], [`answer`]: the two halves of an exchange, each handing over to its provider's parser.
//! - [`anthropic`]: Anthropic Messages, as Claude Code speaks it.
//! - [`openai`]: OpenAI Responses and Chat Completions, as Codex and others speak them.
//! - [`gemini`]: the Gemini API, as Gemini CLI speaks it.
//! - [`sse`], [`objects`]: the framing of a stream of events, and of an array that comes piece by piece.
//! - [`shell`]: what a shell command would do, by the names of dangerous patterns.
//! - [`script`]: the scripts in which Codex calls its tools.
//! - [`memory`]: what is remembered of a session from one exchange to the next.

pub mod answer;
pub mod anthropic;
mod calls;
mod client;
pub mod dialect;
pub mod gemini;
mod lax;
mod learnt;
pub mod memory;
pub mod notes;
pub mod objects;
pub mod openai;
mod rate_limits;
pub mod recent;
pub mod repeats;
pub mod request;
mod results;
mod script;
pub mod shell;
pub mod sse;
pub mod stream;
pub mod turns;
mod words;

pub use rate_limits::rate_limits;

/// The version of the rules that need text: request classes, agent types and the joining of sub-agents with the calls
/// that started them, the stated directory, permission modes, skills called by the user, what set a compaction off,
/// dangerous patterns of shell commands, the tools that a script calls, the words of an error message that stand for a full context, the exit codes
/// in a tool's result. Raised with each change of what they decide.
pub const RULES_VERSION: u32 = 3;
