//! OpenAI's Responses, as far as Codex needs them.

mod asks;
mod refusals;
mod response;
mod socket;

pub use asks::{Asks, metadata_of};
pub(super) use refusals::{not_found, upgrade_refused};
pub(super) use response::streamed;
pub use socket::{over_websocket, response};
