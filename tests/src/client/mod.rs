//! A plain HTTP client that asks as Claude Code does, without following what it is told.

mod answered;
mod ask;
mod claude_code;
mod conversation;
mod http;

pub use answered::{Answered, End};
pub use ask::{Ask, SESSION};
pub use claude_code::claude_code;
pub use conversation::Conversation;
pub use http::{Answering, Client};
