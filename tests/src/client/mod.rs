//! A plain HTTP client that asks as Claude Code does, without following what it is told; and the real agents.

mod answered;
mod ask;
mod claude_code;
mod codex;
mod conversation;
mod gemini_cli;
mod http;
mod installed;

pub use answered::{Answered, End};
pub use ask::{Ask, SESSION};
pub use claude_code::claude_code;
pub use codex::codex;
pub use conversation::Conversation;
pub use gemini_cli::gemini_cli;
pub use http::{Answering, Client};
pub use installed::installed;
