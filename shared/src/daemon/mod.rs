//! Habits that both daemons have in common, so that a user learns them once.

pub mod guard;
pub mod log;
pub mod ready;
pub mod units;
