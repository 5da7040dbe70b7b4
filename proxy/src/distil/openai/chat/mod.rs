//! Chat Completions.

mod answer;
mod chunk;
mod request;

pub(crate) use answer::{ChatStream, read_completion};
pub(crate) use request::read as read_chat;
