//! `status`: how the exporter is doing, from what lies on the disk, so that it can be asked when nothing runs.
//!
//! - [`report`], [`destination`], [`projects`], [`proxies`], [`rules`]: what it says, as data; `--json` prints it.
//! - [`text`]: the same for people. `columns`: on 80 columns.
//! - `watch`: over and over.

pub(crate) mod columns;
pub mod destination;
pub mod projects;
pub mod proxies;
pub mod report;
pub mod rules;
pub mod text;
mod watch;

use std::{
    io::{self, IsTerminal, Write},
    process::ExitCode,
};

use ccxray_shared::{UnixMillis, daemon::log::with_causes, state_dir::StateDir};

use self::{report::Report, rules::RulesFile, watch::Watch};
use crate::{cli::StatusOptions, run::own_rules};

/// Needs attention.
const ATTENTION: u8 = 3;
/// Files of the user's own must be changed first.
const CONFIGURATION: u8 = 78;

/// Prints the status. Exit code 0 if all is well, 3 if something needs attention, 1 if it cannot be said, 78 if
/// the user's own rules are none.
#[expect(clippy::print_stderr, reason = "this is a command's talk")]
pub fn run(options: &StatusOptions) -> ExitCode {
    if let Err(error) = own_rules::take_over(options.data_dir.as_deref(), None) {
        eprintln!("ccxray-exporter: {}", with_causes(&error));
        return ExitCode::from(CONFIGURATION);
    }
    let mut out = io::stdout().lock();
    let watch = if out.is_terminal() { Watch::Redrawn } else { Watch::Repeated };
    loop {
        let report = match look(options) {
            Ok(report) => report,
            Err(error) => {
                eprintln!("ccxray-exporter: {error}");
                return ExitCode::FAILURE;
            }
        };
        let text = print(&report, options);
        if !options.watch {
            // Whoever reads it may have gone.
            let _ = out.write_all(text.as_bytes());
            return code(&report);
        }
        if watch.show(&text, options.json, &mut out).is_err() {
            return code(&report);
        }
        std::thread::sleep(watch::INTERVAL);
    }
}

fn look(options: &StatusOptions) -> Result<Report, String> {
    let state_dir = StateDir::resolve(options.state_dir.clone()).map_err(|error| error.to_string())?;
    let now = UnixMillis::now();
    let report = Report::of(&state_dir, now).map_err(|error| with_causes(&error))?;
    Ok(if options.data_dir.is_some() { Report { rules: RulesFile::here(now), ..report } } else { report })
}

fn print(report: &Report, options: &StatusOptions) -> String {
    let json = match (options.json, options.watch) {
        (false, _) => return text::render(report),
        (true, false) => serde_json::to_string_pretty(report),
        (true, true) => serde_json::to_string(report),
    };
    // Names and numbers only: nothing in a report can fail to be JSON.
    json.unwrap_or_default() + "\n"
}

fn code(report: &Report) -> ExitCode {
    if report.needs_attention() { ExitCode::from(ATTENTION) } else { ExitCode::SUCCESS }
}
