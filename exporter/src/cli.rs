//! The command line.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use ccxray_shared::daemon::{
    log::LogFormat,
    page::{CompletionsOptions, ManOptions},
    units::parse_duration,
};
use clap::{Args, Parser, Subcommand, builder::FalseyValueParser};

use crate::push::options::PushOptions;

/// Turns the spool of ccxray-proxy into metrics and pushes them over OTLP, if you have consented.
#[derive(Debug, Parser)]
#[command(name = "ccxray-exporter", version)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the exporter
    Run(Box<RunOptions>),
    /// Say how the exporter is doing; works when it is not running, too
    Status(StatusOptions),
    /// Print the exact next request of each destination as OTLP/JSON, one object after another; nothing is sent
    Preview(PreviewOptions),
    /// What is measured
    #[command(subcommand)]
    Metrics(MetricsCommand),
    /// What of the agents' and providers' traffic is not understood
    #[command(subcommand)]
    Parser(ParserCommand),
    /// Send the totals once, to a Prometheus Pushgateway or to VictoriaMetrics; that you say so is the consent
    ///
    /// Sent is what the local page shows; nothing, if exchanges in it are stamped to stay out of every destination,
    /// because their part cannot be taken out of a sum.
    Push(PushOptions),
    /// Write a configuration file, the project's or your own; asks for what is not given
    Init(InitOptions),
    /// Trust a project's .ccxray.json as it is now; without that it has no effect
    Trust(TrustOptions),
    /// Trust a project no longer
    Untrust(UntrustOptions),
    /// Check everything that could keep figures from being made or sent, with why and what to do
    Doctor(DoctorOptions),
    /// Print completions for a shell
    Completions(CompletionsOptions),
    /// Print a man page
    Man(ManOptions),
}

/// How the exporter runs. Every option can be given as an environment variable too.
#[derive(Clone, Debug, Args)]
#[expect(clippy::doc_markdown, reason = "the comments are the help text")]
pub struct RunOptions {
    /// Where the spool and the state lie [default: the platform's directory for state]
    #[arg(long, value_name = "DIR", env = "CCXRAY_STATE_DIR")]
    pub state_dir: Option<PathBuf>,
    /// The address of the local page and of /metrics, on loopback, or `off`
    #[arg(long, value_name = "ADDR", env = "CCXRAY_LOCAL", default_value = "127.0.0.1:9464")]
    pub local: Local,
    /// Your consent for the destination of OTEL_EXPORTER_OTLP_ENDPOINT, and the highest tier for all others: 0 sends nothing,
    /// 1 is anonymous, 2 named [default: nothing goes there, and the others are as the files say]
    #[arg(long, value_name = "N", env = "CCXRAY_OTEL_TIER", value_parser = clap::value_parser!(u8).range(0..=2))]
    pub tier: Option<u8>,
    /// The length of a window [default: OTEL_METRIC_EXPORT_INTERVAL, or 60s]
    #[arg(long, value_name = "TIME", env = "CCXRAY_INTERVAL", value_parser = parse_duration)]
    pub interval: Option<Duration>,
    /// What was recorded while the exporter was away for longer than this is withheld
    #[arg(long, value_name = "TIME", env = "CCXRAY_RESUME_GRACE", value_parser = parse_duration, default_value = "5m")]
    pub resume_grace: Duration,
    /// Send what has been counted when SIGTERM comes, for up to two seconds; without it, nothing is sent from then on
    #[arg(long, env = "CCXRAY_FLUSH_ON_STOP", value_parser = FalseyValueParser::new())]
    pub flush_on_stop: bool,
    /// A price table instead of the built-in one, of the same form
    #[arg(long, value_name = "FILE", env = "CCXRAY_PRICES")]
    pub prices: Option<PathBuf>,
    /// Rules of your own: a file here takes the place of the built-in one of its name (`tools.json`, `mcp.json` …)
    #[arg(long, value_name = "DIR", env = "CCXRAY_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
    /// Written once the exporter is ready: its process id and where it listens, as JSON
    #[arg(long, value_name = "FILE", env = "CCXRAY_READY_FILE")]
    pub ready_file: Option<PathBuf>,
    /// How log lines on stderr look
    #[arg(long, value_name = "FORMAT", env = "CCXRAY_LOG_FORMAT", value_enum, default_value_t)]
    pub log: LogFormat,
}

/// How `status` speaks.
#[derive(Clone, Debug, Args)]
pub struct StatusOptions {
    /// Where the spool and the state lie [default: the platform's directory for state]
    #[arg(long, value_name = "DIR", env = "CCXRAY_STATE_DIR")]
    pub state_dir: Option<PathBuf>,
    /// As JSON; with --watch, one object per line
    #[arg(long)]
    pub json: bool,
    /// Say it again every two seconds, until Ctrl-C
    #[arg(long)]
    pub watch: bool,
    /// Say how old the rules in here are [default: those of the exporter that runs or ran]
    #[arg(long, value_name = "DIR", env = "CCXRAY_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
}

/// Whose next request `preview` prints.
#[derive(Clone, Debug, Args)]
#[expect(clippy::doc_markdown, reason = "the comments are the help text")]
pub struct PreviewOptions {
    /// Where the spool and the state lie [default: the platform's directory for state]
    #[arg(long, value_name = "DIR", env = "CCXRAY_STATE_DIR")]
    pub state_dir: Option<PathBuf>,
    /// As if run with this tier, and with the OTEL_* variables of here [default: what the running exporter was told]
    #[arg(long, value_name = "N", env = "CCXRAY_OTEL_TIER", value_parser = clap::value_parser!(u8).range(0..=2))]
    pub tier: Option<u8>,
    /// Only the request that will hold the exchanges of this project
    #[arg(long, value_name = "DIR")]
    pub project: Option<PathBuf>,
    /// Only requests to addresses that begin so
    #[arg(long, value_name = "URL")]
    pub to: Option<String>,
    /// The length of a window [default: the running exporter's, OTEL_METRIC_EXPORT_INTERVAL, or 60s]
    #[arg(long, value_name = "TIME", env = "CCXRAY_INTERVAL", value_parser = parse_duration)]
    pub interval: Option<Duration>,
    /// As of `run`
    #[arg(long, value_name = "TIME", env = "CCXRAY_RESUME_GRACE", value_parser = parse_duration, default_value = "5m")]
    pub resume_grace: Duration,
    /// As of `run`
    #[arg(long, value_name = "FILE", env = "CCXRAY_PRICES")]
    pub prices: Option<PathBuf>,
    /// As of `run`
    #[arg(long, value_name = "DIR", env = "CCXRAY_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
}

/// What to trust.
#[derive(Clone, Debug, Args)]
pub struct TrustOptions {
    /// The project, or a directory in it [default: the current directory]
    #[arg(value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// List what is trusted instead
    #[arg(long, conflicts_with = "dir")]
    pub list: bool,
    /// Where the spool and the state lie [default: the platform's directory for state]
    #[arg(long, value_name = "DIR", env = "CCXRAY_STATE_DIR")]
    pub state_dir: Option<PathBuf>,
}

/// What to trust no longer.
#[derive(Clone, Debug, Args)]
pub struct UntrustOptions {
    /// The project, or a directory in it [default: the current directory]
    #[arg(value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Where the spool and the state lie [default: the platform's directory for state]
    #[arg(long, value_name = "DIR", env = "CCXRAY_STATE_DIR")]
    pub state_dir: Option<PathBuf>,
}

/// What `init` writes.
#[derive(Clone, Debug, Default, Args)]
pub struct InitOptions {
    /// Your own file, in your home directory, or with --dir in a project, instead of the project's file
    #[arg(long)]
    pub personal: bool,
    /// The project, or a directory in it [default: the current directory]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// The most that may leave: 0 nothing, 1 anonymous, 2 named
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(0..=2))]
    pub tier: Option<u8>,
    /// The OTLP collector's base URL
    #[arg(long, value_name = "URL")]
    pub endpoint: Option<String>,
    /// The project's name
    #[arg(long, value_name = "NAME", conflicts_with = "personal")]
    pub project_name: Option<String>,
    /// The name under which tier 2 sends; choose it yourself
    #[arg(long, value_name = "NAME", requires = "personal")]
    pub identity: Option<String>,
    /// Agree to what would be asked: to tier 2, and to amending .gitignore
    #[arg(long)]
    pub yes: bool,
}

/// What `doctor` looks at.
#[derive(Clone, Debug, Args)]
pub struct DoctorOptions {
    /// Projects to look at [default: the current directory]
    #[arg(value_name = "DIR")]
    pub dirs: Vec<PathBuf>,
    /// Send an empty request to every destination that there is consent for
    #[arg(long)]
    pub connect: bool,
    /// Where the spool and the state lie [default: the platform's directory for state]
    #[arg(long, value_name = "DIR", env = "CCXRAY_STATE_DIR")]
    pub state_dir: Option<PathBuf>,
    /// As of `run`
    #[arg(long, value_name = "N", env = "CCXRAY_OTEL_TIER", value_parser = clap::value_parser!(u8).range(0..=2))]
    pub tier: Option<u8>,
}

/// What to say of the metrics.
#[derive(Clone, Debug, Subcommand)]
pub enum MetricsCommand {
    /// List every metric: name, kind, unit, attributes with their budgets, description
    List(ListOptions),
}

/// What to say of the parsers.
#[derive(Clone, Debug, Subcommand)]
pub enum ParserCommand {
    /// Report what was met of late that nobody knows, with the text of an issue; works when nothing runs, too
    Report(ReportOptions),
}

/// What `parser report` covers.
#[derive(Clone, Debug, Args)]
pub struct ReportOptions {
    /// Where the spool and the state lie [default: the platform's directory for state]
    #[arg(long, value_name = "DIR", env = "CCXRAY_STATE_DIR")]
    pub state_dir: Option<PathBuf>,
    /// As JSON
    #[arg(long)]
    pub json: bool,
    /// How many days back
    #[arg(long, value_name = "N", default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=3650))]
    pub days: u32,
    /// As of `run`; only the versions of the rules are told from it
    #[arg(long, value_name = "DIR", env = "CCXRAY_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
}

/// How `metrics list` speaks.
#[derive(Clone, Debug, Args)]
pub struct ListOptions {
    /// As JSON
    #[arg(long)]
    pub json: bool,
    /// As the page exporter/METRICS.md
    #[arg(long, conflicts_with = "json")]
    pub markdown: bool,
}

/// The local page's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Local {
    /// No page.
    Off,
    /// Here.
    At(SocketAddr),
}

/// Not an address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither `off` nor an address such as `127.0.0.1:9464`")]
pub struct ParseLocalError(String);

impl std::str::FromStr for Local {
    type Err = ParseLocalError;
    fn from_str(s: &str) -> Result<Self, ParseLocalError> {
        match s {
            "off" => Ok(Self::Off),
            _ => s.parse().map(Self::At).map_err(|_| ParseLocalError(s.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_page_has_an_address_or_is_off() {
        assert_eq!("off".parse(), Ok(Local::Off));
        assert_eq!("[::1]:0".parse(), Ok(Local::At("[::1]:0".parse().unwrap())));
        assert!("localhost".parse::<Local>().is_err());
    }
}
