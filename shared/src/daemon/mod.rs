//! Habits that both daemons have in common, so that a user learns them once.

pub mod guard;
pub mod log;
pub mod options_file;
pub mod page;
pub mod ready;
pub mod supervisor;
pub mod tls;
pub mod units;
