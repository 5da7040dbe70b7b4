//! Both daemons with a demonstration, by one command, until Ctrl-C. Nothing leaves the machine: the exporter has no
//! consent, and the demonstration's provider is a part of this program.
#![expect(clippy::print_stdout, reason = "this program talks to the person who started it")]

mod build;
mod daemon;
mod demo;
mod figures;
mod show;
mod stop;

use std::{path::PathBuf, process::ExitCode};

use clap::Parser;

/// What went wrong, as a sentence for the person at the terminal.
type Failed = Box<dyn std::error::Error>;

/// Builds and starts ccxray-proxy and ccxray-exporter, shows them at work, and stops them on Ctrl-C.
#[derive(Debug, Parser)]
struct Options {
    /// Keep state here, instead of in a fresh directory that is removed at the end.
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let options = Options::parse();
    let result = match build::daemons() {
        Ok(()) => show::show(options.state_dir).await,
        Err(error) => Err(error),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("quickstart: {error}");
            ExitCode::FAILURE
        }
    }
}
