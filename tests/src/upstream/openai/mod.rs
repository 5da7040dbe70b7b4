//! OpenAI's Responses, as far as Codex needs them.

mod asks;
mod response;
mod script;

pub use asks::Asks;
pub use script::conversation;
