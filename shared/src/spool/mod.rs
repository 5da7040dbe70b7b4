//! The spool: a directory of segments that proxies append to and exporters read.
//!
//! A proxy process owns one stream, and with it every segment of that stream; nobody else writes to them, and
//! none is changed once a later one exists. So there is nothing to agree on at run time: a reader needs a
//! listing, the bytes up to the last newline, and [`lock::is_alive`] to know whether more may come.

pub mod fsync;
pub mod layout;
pub mod lock;
mod open_segment;
pub mod reader;
pub mod retention;
mod staged;
pub mod writer;

pub use fsync::Fsync;
pub use reader::{LineReader, ReadLine};
pub use writer::{Writer, WriterOptions};
