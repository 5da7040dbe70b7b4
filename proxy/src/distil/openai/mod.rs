//! OpenAI Responses, as Codex speaks it, and Chat Completions.
//!
//! Sources: OpenAI's API reference (Responses and its streaming events, Chat Completions, "Error codes", "Rate
//! limits"), and what Codex CLI 0.169.0 was seen to send.
//!
//! - `head`, `metadata`: what Codex says about itself, in headers and in a JSON text.
//! - `request`, `input`: a Responses request and its items; `outcome`: which of its tool results failed; `skills`: those
//!   that the user calls for.
//! - `item`, `response`, `stream`: a Responses answer; `effects`: what its calls do.
//! - `socket`: what is different over a WebSocket.
//! - `chat`: Chat Completions.
//! - `error`, `usage`: what both have in common.
//! - `wording`: the texts that something is told by.

mod chat;
mod effects;
mod error;
pub(super) mod head;
mod input;
mod item;
mod metadata;
mod outcome;
mod request;
mod response;
mod skills;
pub(crate) mod socket;
mod stream;
mod usage;
mod wording;

pub(super) use chat::{ChatStream, read_chat, read_completion};
pub(super) use request::read as read_request;
pub(super) use response::read_response;
pub(crate) use stream::ResponseStream;

/// The name of this parser in an entry's notes.
pub(super) const PARSER: &str = "openai";
