//! `metrics list`: every metric there is, as text, as JSON, and as the page `exporter/METRICS.md`.
//!
//! [`listed`]: the catalogue and the exporter's own metrics as one list. [`text`], [`page`]: two ways to print it.

pub mod listed;
pub mod page;
pub mod text;

use std::{
    io::{self, Write},
    process::ExitCode,
};

use self::listed::Listed;
use crate::cli::ListOptions;

/// Prints the list.
pub fn run(options: &ListOptions) -> ExitCode {
    let all = Listed::all();
    let text = if options.json {
        // Strings, numbers and lists only: nothing in it can fail to be JSON.
        serde_json::to_string_pretty(&all).unwrap_or_default() + "\n"
    } else if options.markdown {
        page::render(&all)
    } else {
        text::render(&all)
    };
    // Whoever reads it may have gone.
    let _ = io::stdout().write_all(text.as_bytes());
    ExitCode::SUCCESS
}
