//! Anthropic Messages, as Claude Code speaks it.
//!
//! Sources: Anthropic's API reference (Messages, "Streaming messages", "Errors", "Rate limits"), and what Claude
//! Code 2.1.197 was seen to send.

mod agents;
mod answer;
mod block;
mod class;
mod conversation;
mod error;
pub(super) mod head;
mod mode;
pub(super) mod request;
mod session;
mod skill;
mod stream;
mod usage;
mod wording;

pub(super) use answer::read_message;
pub(super) use stream::MessageStream;

/// The name of this parser in an entry's notes.
pub(super) const PARSER: &str = "anthropic";
