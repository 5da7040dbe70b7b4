//! What the metrics must be.
//!
//! [`facts`] are taken from the upstream's ledger ([`of_served`]) or from the spool ([`of_spool`]), and
//! [`totals`] turns them into the values of the series, with [`prices`] given by hand. Nothing here uses the
//! product's code.

mod canonical;
pub mod facts;
mod history;
mod mode;
mod of_served;
mod of_spool;
pub mod prices;
mod purpose;
mod results;
mod series;
mod skills;
mod totals;
mod window;

pub use facts::Facts;
pub use of_served::from_upstream;
pub use of_spool::from_spool;
pub use prices::pico;
pub use series::{Series, Totals};
pub use totals::{COVERED, SUM, expected};
