//! An OTLP receiver on real TCP that keeps every request and answers as it is told.

mod history;
mod point;
mod received;
mod reply;
mod server;

pub use history::totals_of;
pub use point::{Kind, Point};
pub use received::Received;
pub use reply::Reply;
pub use server::Collector;
