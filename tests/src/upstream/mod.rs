//! A scripted provider: real TCP, any misbehaviour, and the truth of what it served.
//!
//! A [`Script`](script::Script) chooses an [`Answer`] for each request; an answer is a
//! [`Message`] or an error, made of pieces of which each knows what it tells the client
//! ([`Milestone`]), plus the way it is sent: encoding, pace, faults. The
//! [`Ledger`](ledger::Ledger) keeps per exchange which pieces really went out.

mod answer;
mod api;
mod call;
mod encode;
mod error;
pub mod gemini;
pub mod ledger;
mod message;
mod milestone;
pub mod openai;
mod pace;
pub mod play;
pub mod script;
mod serve;
mod server;
mod websocket;

pub use answer::{Answer, Fault};
pub use api::Api;
pub use call::{Call, Means, Started};
pub use encode::Encoding;
pub use ledger::{Sending, Served};
pub use message::{Block, Message, Usage};
pub use milestone::{Milestone, Piece};
pub use pace::{Gate, Pace};
pub use server::Upstream;
