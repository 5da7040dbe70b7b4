//! `parser report`: what was met of late that nobody knows, from the drift log, so that it can be asked when nothing
//! runs.
//!
//! - [`report`]: what it says, as data; `--json` prints it.
//! - [`text`]: the same for people. [`issue`]: the same for those who can teach the rules something.

pub mod issue;
pub mod report;
pub mod text;

use std::{
    io::{self, Write},
    process::ExitCode,
    time::Duration,
};

use ccxray_shared::{UnixMillis, daemon::log::with_causes, state_dir::StateDir};

use self::report::Report;
use crate::{
    cli::ReportOptions,
    drift::log,
    run::own_rules,
    status::{self, rules::RulesFile},
};

/// The user's own rules must be changed first.
const CONFIGURATION: u8 = 78;

/// Prints the report. Exit code 0, also if there is nothing to report; 1 if the log cannot be read, 78 if the user's
/// own rules are none.
#[expect(clippy::print_stderr, reason = "this is a command's talk")]
pub fn run(options: &ReportOptions) -> ExitCode {
    if let Err(error) = own_rules::take_over(options.data_dir.as_deref(), None) {
        eprintln!("ccxray-exporter: {}", with_causes(&error));
        return ExitCode::from(CONFIGURATION);
    }
    match look(options) {
        Ok(report) => {
            let text = if options.json { json(&report) } else { text::render(&report) };
            // Whoever reads it may have gone.
            let _ = io::stdout().write_all(text.as_bytes());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("ccxray-exporter: {error}");
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stderr, reason = "this is a command's talk")]
fn look(options: &ReportOptions) -> Result<Report, String> {
    let state_dir = StateDir::resolve(options.state_dir.clone()).map_err(|error| error.to_string())?;
    if !state_dir.exporter().exists() {
        eprintln!(
            "ccxray-exporter: no exporter has run with the state directory `{}`",
            state_dir.path().display()
        );
    }
    let logs = log::read(&state_dir.exporter()).map_err(|error| {
        format!("failed to read the drift log in `{}`: {error}", state_dir.exporter().display())
    })?;
    let until = UnixMillis::now();
    let since = until.before(Duration::from_hours(24) * options.days);
    Ok(Report::of(&logs, since, until, rules(options, &state_dir, until)))
}

/// Those of `--data-dir`; else those that the exporter runs or ran with, if it can be asked.
fn rules(options: &ReportOptions, state_dir: &StateDir, now: UnixMillis) -> Vec<RulesFile> {
    let told = status::report::Report::of(state_dir, now).ok().filter(|_| options.data_dir.is_none());
    told.map_or_else(|| RulesFile::here(now), |status| status.rules)
}

fn json(report: &Report) -> String {
    // Names and numbers only: nothing in a report can fail to be JSON.
    serde_json::to_string_pretty(report).unwrap_or_default() + "\n"
}
