//! The exporter daemon, and the commands around it.

use std::process::ExitCode;

use ccxray_exporter::{
    cli::{Cli, Command, MetricsCommand},
    metrics_list, preview, run, status,
};
use ccxray_shared::daemon::log::{self, LogFormat};
use clap::Parser;

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Run(options) => {
            log::init(options.log);
            match run::run(&options) {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => {
                    tracing::error!("{}", log::with_causes(&error));
                    error.exit_code()
                }
            }
        }
        Command::Status(options) => status::run(&options),
        Command::Preview(options) => {
            log::init(LogFormat::Text);
            preview::run(&options)
        }
        Command::Metrics(MetricsCommand::List(options)) => metrics_list::run(&options),
    }
}
