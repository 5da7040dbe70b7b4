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

/// The version of the rules that need text. Raised with each change of what they decide:
///
/// - of a request: its class, its agent's type and the joining of sub-agents with the calls that started them, the
///   session that a conversation begins, the stated directory, the permission mode, the skills that the user calls,
///   what set a compaction off, which tool results are failures, the MCP servers behind the tools' names;
/// - of a call: the dangerous patterns of its commands, the tools that its script calls, the skill whose instructions
///   it reads, whether it writes a file;
/// - of an error: whether its message says that the context is full.
pub const RULES_VERSION: u32 = 3;
