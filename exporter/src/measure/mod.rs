//! From a classified entry to totals, by the catalogue: measurements, budgets, the accumulation of a window by
//! the OpenTelemetry SDK, and the sums over all windows.

pub mod admission;
pub mod catalogue;
pub mod entry;
pub mod labels;
pub mod meter;
pub mod series;
pub mod series_table;
pub mod sessions;
pub(crate) mod shared_reader;
mod short_text;
pub mod totals;

pub use catalogue::{Catalogue, Kind, Metric, MetricDef};
pub use entry::{Sink, measure};
pub use labels::Labels;
pub use series::{Key, Series};
pub use series_table::SeriesTable;
