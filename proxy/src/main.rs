//! The proxy daemon.

use std::process::ExitCode;

use ccxray_proxy::{cli::Cli, serve};
use clap::Parser;

fn main() -> ExitCode {
    let options = Cli::parse().options();
    ccxray_shared::daemon::log::init(options.log);
    match serve::run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{}", error.with_causes());
            error.exit_code()
        }
    }
}
