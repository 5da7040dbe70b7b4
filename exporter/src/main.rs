//! The exporter daemon, and the commands around it.

use std::process::ExitCode;

use ccxray_exporter::{
    cli::{Cli, Command, MetricsCommand, ParserCommand},
    doctor, init, metrics_list, parser_report, preview, push, run, status, trust,
};
use ccxray_shared::daemon::{
    log::{self, LogFormat},
    options_file, page,
};

/// The configuration must be changed first.
const CONFIGURATION: u8 = 78;

fn main() -> ExitCode {
    match options_file::parse::<Cli>(options_file::path("exporter").as_deref()) {
        Ok(cli) => carry_out(cli.command),
        Err(error) => {
            eprintln!("ccxray-exporter: {}", log::with_causes(&error));
            ExitCode::from(CONFIGURATION)
        }
    }
}

fn carry_out(command: Command) -> ExitCode {
    match command {
        Command::Run(options) => {
            log::init(options.log);
            run::end_on_panic();
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
        Command::Parser(ParserCommand::Report(options)) => parser_report::run(&options),
        Command::Push(options) => push::run(&options),
        Command::Init(options) => init::run(&options),
        Command::Trust(options) => trust::trust(&options),
        Command::Untrust(options) => trust::untrust(&options),
        Command::Doctor(options) => doctor::run(&options),
        Command::Completions(options) => printed(page::completions::<Cli>(options.shell)),
        Command::Man(options) => printed(page::man::<Cli>(options.command.as_deref())),
    }
}

fn printed(result: std::io::Result<()>) -> ExitCode {
    result.map_or_else(
        |error| {
            eprintln!("ccxray-exporter: {error}");
            ExitCode::FAILURE
        },
        |()| ExitCode::SUCCESS,
    )
}
