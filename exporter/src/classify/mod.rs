//! What the facts of an entry mean.

pub mod price_table;
pub mod prices;
