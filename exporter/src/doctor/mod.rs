//! `doctor`: everything that could keep figures from being made or sent, each with why and what to do.
//!
//! It only looks. [`check`]: what a check comes to. [`machine`]: state, spool, key, the programs that run. [`consent`]: files,
//! trust, environment, and what they come to for a project. `connect`: whether destinations answer.

pub mod check;
mod connect;
mod consent;
mod machine;

use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

use ccxray_shared::{UnixMillis, state_dir::StateDir};

use self::check::{Check, render};
use crate::cli::DoctorOptions;

/// Needs attention.
const ATTENTION: u8 = 3;

/// Prints the checks. Exit code 0 if all is well, 3 if something needs attention, 1 if nothing can be checked.
#[expect(clippy::print_stderr, reason = "this is a command's talk")]
pub fn run(options: &DoctorOptions) -> ExitCode {
    let state_dir = match StateDir::resolve(options.state_dir.clone()) {
        Ok(state_dir) => state_dir,
        Err(error) => {
            eprintln!("ccxray-exporter: {error}");
            return ExitCode::FAILURE;
        }
    };
    let checks = checks(options, &state_dir);
    // Whoever reads it may have gone.
    let _ = io::stdout().write_all(render(&checks).as_bytes());
    if checks.iter().any(Check::needs_attention) { ExitCode::from(ATTENTION) } else { ExitCode::SUCCESS }
}

fn checks(options: &DoctorOptions, state_dir: &StateDir) -> Vec<Check> {
    let dirs = if options.dirs.is_empty() { vec![PathBuf::from(".")] } else { options.dirs.clone() };
    let mut checks = machine::checks(state_dir, UnixMillis::now());
    let (found, consents) = consent::checks(state_dir, options.tier, &dirs);
    checks.extend(found);
    if let Some(consents) = consents.filter(|_| options.connect) {
        checks.extend(connect::checks(consents.grants()));
    }
    checks
}
