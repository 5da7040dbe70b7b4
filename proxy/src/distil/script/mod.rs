//! The scripts of Codex's code mode: JavaScript that calls tools as `tools.exec_command({cmd: "…"})` or
//! `tools.mcp__server__tool(…)`. What they call is found without running them.
//!
//! Seen are calls that name the tool in the text. A script that passes `tools` on under another name hides its calls.
//!
//! - [`lexer`]: the text in tokens, without comments.
//! - [`calls`]: the calls among the tokens, and the commands given to them.

mod calls;
mod lexer;

pub(super) use calls::calls_in;
