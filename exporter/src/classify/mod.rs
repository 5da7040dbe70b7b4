//! What the facts of an entry mean: canonical tokens, stop reasons and errors, known tools, prices.
//!
//! Pure: no IO, no clock. A replay with newer rules gives better numbers from the same entries.

pub mod classified;
pub mod error_type;
pub mod known_tools;
pub mod model;
pub mod price_table;
pub mod prices;
pub mod stop_reason;
pub mod tokens;
pub mod tool_name;

pub use classified::Classified;
