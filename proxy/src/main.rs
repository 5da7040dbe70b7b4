//! The proxy daemon, and the commands around it.

use std::{error::Error, process::ExitCode};

use ccxray_proxy::{
    cli::{Cli, Command},
    launch::start::{self, LaunchError},
    record::panics,
    serve,
};
use ccxray_shared::daemon::{log, options_file, page};

/// The configuration must be changed first.
const CONFIGURATION: u8 = 78;

fn main() -> ExitCode {
    panics::keep_panics_quiet();
    match options_file::parse::<Cli>(options_file::path("proxy").as_deref()) {
        Ok(cli) => carry_out(cli.into_command()),
        Err(error) => {
            complain(&error);
            ExitCode::from(CONFIGURATION)
        }
    }
}

fn carry_out(command: Command) -> ExitCode {
    match command {
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
