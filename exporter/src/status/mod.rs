//! `status`: how the exporter is doing, from what lies on the disk, so that it can be asked when nothing runs.

pub mod report;
mod text;

use std::process::ExitCode;

use ccxray_shared::{daemon::log::with_causes, state_dir::StateDir};

use self::report::Report;
use crate::cli::StatusOptions;

/// Needs attention.
const ATTENTION: u8 = 3;

/// Prints the status. Exit code 0 if all is well, 3 if something needs attention, 1 if it cannot be said.
#[expect(clippy::print_stdout, clippy::print_stderr, reason = "this is a command's output")]
pub fn run(options: &StatusOptions) -> ExitCode {
    let report = StateDir::resolve(options.state_dir.clone())
        .map_err(|error| error.to_string())
        .and_then(|state_dir| Report::of(&state_dir).map_err(|error| with_causes(&error)));
    let report = match report {
        Ok(report) => report,
        Err(error) => {
            eprintln!("ccxray-exporter: {error}");
            return ExitCode::FAILURE;
        }
    };
    if options.json {
        println!("{}", serde_json::to_string_pretty(&report).unwrap_or_default());
    } else {
        print!("{}", text::render(&report));
    }
    if report.needs_attention() { ExitCode::from(ATTENTION) } else { ExitCode::SUCCESS }
}
