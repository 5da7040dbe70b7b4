//! OpenAI's Responses, as far as Codex needs them.

mod asks;
mod response;
mod script;

pub use asks::{Asks, metadata_of};
pub(super) use response::streamed;
pub use script::conversation;
pub(super) use script::{not_found, upgrade_refused};
