//! Gemini's `generateContent` and `streamGenerateContent`, as Gemini CLI speaks them with an API key
//! (`/v1beta/models/…`) and after a Google log-in (`/v1internal:…`, one level deeper in both directions).
//!
//! Sources: the Gemini API reference ("Generating content", "Troubleshooting"), and what Gemini CLI 0.61.0 was seen
//! to send.

mod class;
mod content;
mod conversation;
mod error;
mod mode;
pub(super) mod request;
mod servers;
mod session;
mod stream;
mod tools;
mod usage;
mod wording;

pub use servers::Servers;
pub(super) use stream::{ContentStream, read_content};

/// The name of this parser in an entry's notes.
pub(super) const PARSER: &str = "gemini";
