//! Gemini's `generateContent` and its kin, as far as Gemini CLI needs them.

mod asks;
mod content;

pub(in crate::upstream) use asks::report;
pub use asks::{Asks, model_of, offers, opening_of};
pub(super) use content::{streamed, whole};
