//! What the facts of an entry mean: canonical tokens, stop reasons and errors, agents and modes, known tools and MCP
//! servers, context windows, prices; and where an entry is not as expected.
//!
//! Pure: no IO, no clock. A replay with newer rules gives better numbers from the same entries.

pub mod agent_type;
pub mod classified;
pub mod context_window;
pub mod date;
pub mod drift;
pub mod error_type;
pub mod known_tools;
pub mod mcp;
pub mod model;
mod notes;
pub mod permission;
pub mod price_table;
pub mod prices;
pub mod rules;
mod skill;
pub mod stop_reason;
pub mod subagent;
pub mod tokens;
pub mod tool_name;

pub use classified::Classified;
pub use rules::Rules;
