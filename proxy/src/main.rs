//! The proxy daemon.

use std::process::ExitCode;

use ccxray_proxy::{cli::Cli, record::panics, serve};
use ccxray_shared::daemon::log;
use clap::Parser;

fn main() -> ExitCode {
    let options = Cli::parse().options();
    log::init(options.log);
    panics::keep_panics_quiet();
    match serve::run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{}", log::with_causes(&error));
            error.exit_code()
        }
    }
}
