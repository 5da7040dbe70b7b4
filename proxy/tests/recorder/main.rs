//! The recorder with a real spool: what goes in through the taps is read back as other programs would read it.

mod entries;
mod rig;
mod trouble;
