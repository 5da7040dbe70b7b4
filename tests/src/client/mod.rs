//! A plain HTTP client that asks as Claude Code does, without following what it is told; and the real agents.

mod agent;
mod answered;
mod ask;
mod conversation;
mod http;
mod installed;
mod project;
mod websocket;

pub use agent::Agent;
pub use answered::{Answered, End};
pub use ask::{Ask, SESSION};
pub use conversation::Conversation;
pub use http::{Answering, Client};
pub use installed::installed;
pub use project::Project;
pub use websocket::{WebSocket, create};
