//! The export ledger: which entries may have left this machine, and towards whom.
//!
//! A replay sends what was never sent, so it must never be told so of something that was. Whatever the file has been
//! through, the answer errs to that side: an entry of which the ledger cannot tell is *uncertain*.
//!
//! - [`record`], [`positions`]: what it says, record by record. [`mod@line`]: a record as a line.
//! - [`model`], [`span`]: what all records together say of an entry; pure. `forget`: what is let go after a while.
//! - [`mod@due`]: what a running exporter has to write down before it sends; pure.
//! - [`Mark`]: what the checkpoint knows of it, so that a loss is noticed.
//! - [`mod@file`]: the file, its lock, its compaction. `spool_end`: how far the spool goes, for when the ledger is lost.
//!
//! `exporter/LEDGER.md` has the format.

mod due;
pub mod file;
mod forget;
pub mod line;
mod mark;
pub mod model;
pub mod positions;
pub mod record;
pub mod span;
mod spool_end;

#[cfg(test)]
mod model_tests;
#[cfg(test)]
mod tests;

pub use self::{
    due::{Attempt, Holding, due},
    file::{LedgerError, LedgerFile, peek},
    line::Number,
    mark::Mark,
    model::{Damage, Ledger, Place, Standing},
    positions::Positions,
    record::{Author, Begun, PipelineHash, Record, SpanId, Uncertain, Why, Withheld},
    span::Span,
};
