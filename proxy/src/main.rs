//! The proxy daemon, and the commands around it.

use std::{error::Error, process::ExitCode};

use ccxray_proxy::{
    cli::{Cli, Command},
    launch::start::{self, LaunchError},
    record::panics,
    serve,
};
use ccxray_shared::daemon::{log, page};
use clap::Parser;

fn main() -> ExitCode {
    panics::keep_panics_quiet();
    match Cli::parse().into_command() {
        Command::Serve(options) => {
            log::init(options.log);
            ended(serve::run(&options), |error| {
                tracing::error!("{}", log::with_causes(error));
                error.exit_code()
            })
        }
        Command::Run(options) => ended(start::run(&options), complain_of_launch),
        Command::Env(options) => ended(start::print_env(&options), complain_of_launch),
        Command::Completions(options) => ended(page::completions::<Cli>(options.shell), complain),
        Command::Man(options) => ended(page::man::<Cli>(options.command.as_deref()), complain),
    }
}

fn ended<T, E>(result: Result<T, E>, complain: impl FnOnce(&E) -> ExitCode) -> ExitCode {
    result.map_or_else(|error| complain(&error), |_| ExitCode::SUCCESS)
}

fn complain_of_launch(error: &LaunchError) -> ExitCode {
    complain(error);
    error.exit_code()
}

fn complain(error: &(impl Error + 'static)) -> ExitCode {
    eprintln!("ccxray-proxy: {}", log::with_causes(error));
    ExitCode::FAILURE
}
