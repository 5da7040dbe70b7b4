//! The recorder with a real spool: what goes in through the taps is read back as other programs would read it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on shall say where")]

mod entries;
mod fixtures;
mod gemini;
mod openai;
mod rig;
mod trouble;
mod websocket;
