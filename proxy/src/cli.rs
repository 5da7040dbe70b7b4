//! The command line.

use std::{ffi::OsString, path::PathBuf, time::Duration};

use ccxray_shared::{
    daemon::{
        log::LogFormat,
        page::{CompletionsOptions, ManOptions},
        units::{parse_duration, parse_size},
    },
    spool::fsync::Fsync,
};
use clap::{Args, Parser, Subcommand, builder::FalseyValueParser};

use crate::{
    launch::{address::ProxyAddress, shell::Shell},
    listen::address::ListenAddress,
    route::upstream::Upstream,
};

/// Forwards a coding agent's traffic untouched and leaves one entry per exchange in a local spool.
#[derive(Debug, Parser)]
#[command(name = "ccxray-proxy", version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: ServeOptions,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the proxy (also without this word)
    Serve(Box<ServeOptions>),
    /// Start an agent that uses the running proxy: claude, codex, gemini, or any program that reads the variables
    Run(LaunchOptions),
    /// Print the variables that make agents use the proxy, for a shell to read: eval "$(ccxray-proxy env)"
    Env(EnvOptions),
    /// Print completions for a shell
    Completions(CompletionsOptions),
    /// Print a man page
    Man(ManOptions),
}

impl Cli {
    /// What to do; without a word, to serve.
    pub fn into_command(self) -> Command {
        self.command.unwrap_or_else(|| Command::Serve(Box::new(self.serve)))
    }
}

/// How an agent is led to the proxy.
#[derive(Clone, Debug, Args)]
pub struct LeadOptions {
    /// The project that the requests belong to [default: the current directory]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// The highest tier at which these requests may count; 0 keeps them on this machine
    #[arg(long, value_name = "N", env = "CCXRAY_TIER", value_parser = clap::value_parser!(u8).range(0..=2))]
    pub tier: Option<u8>,
    /// Where the proxy is
    #[arg(long, value_name = "URL", env = "CCXRAY_PROXY", default_value = "http://127.0.0.1:5588")]
    pub proxy: ProxyAddress,
}

/// How an agent is started.
#[derive(Clone, Debug, Args)]
pub struct LaunchOptions {
    #[command(flatten)]
    #[expect(
        missing_docs,
        reason = "the type says it, and clap would take it for the command's description"
    )]
    pub lead: LeadOptions,
    /// The program
    #[arg(value_name = "PROGRAM")]
    pub program: OsString,
    /// Its arguments
    #[arg(value_name = "ARGS", trailing_var_arg = true, allow_hyphen_values = true)]
    pub arguments: Vec<OsString>,
}

/// What `env` prints.
#[derive(Clone, Debug, Args)]
pub struct EnvOptions {
    #[command(flatten)]
    #[expect(
        missing_docs,
        reason = "the type says it, and clap would take it for the command's description"
    )]
    pub lead: LeadOptions,
    /// The shell's language
    #[arg(long, value_enum, default_value_t)]
    pub shell: Shell,
}

/// How the proxy runs. Every option can be given as an environment variable too; lists are separated by commas
/// there.
#[derive(Clone, Debug, Args)]
pub struct ServeOptions {
    /// Where to listen: `IP:PORT`, `[IPv6]:PORT` or `unix:/PATH`; may be repeated
    #[arg(
        long,
        value_name = "ADDR",
        env = "CCXRAY_LISTEN",
        value_delimiter = ',',
        default_value = "127.0.0.1:5588"
    )]
    pub listen: Vec<ListenAddress>,
    /// An upstream beside or in place of the built-in anthropic, openai, chatgpt and gemini; may be repeated
    #[arg(long, value_name = "NAME=URL", env = "CCXRAY_UPSTREAM", value_delimiter = ',')]
    pub upstream: Vec<Upstream>,
    /// Where the spool and the key lie [default: the platform's directory for state]
    #[arg(long, value_name = "DIR", env = "CCXRAY_STATE_DIR")]
    pub state_dir: Option<PathBuf>,
    /// Written once the proxy is ready: its process id and where it listens, as JSON
    #[arg(long, value_name = "FILE", env = "CCXRAY_READY_FILE")]
    pub ready_file: Option<PathBuf>,
    /// The most disk that the spool may take; the oldest segments go first
    #[arg(long, value_name = "SIZE", env = "CCXRAY_SPOOL_MAX_SIZE", value_parser = parse_size, default_value = "1GiB")]
    pub spool_max_size: u64,
    /// How long a segment of the spool is kept
    #[arg(long, value_name = "TIME", env = "CCXRAY_SPOOL_MAX_AGE", value_parser = parse_duration, default_value = "30d")]
    pub spool_max_age: Duration,
    /// When the spool is made durable: every=TIME, each or none
    #[arg(long, value_name = "POLICY", env = "CCXRAY_FSYNC", default_value = "every=1s")]
    pub fsync: Fsync,
    /// How long exchanges may go on after SIGTERM
    #[arg(long, value_name = "TIME", env = "CCXRAY_DRAIN_TIMEOUT", value_parser = parse_duration, default_value = "30s")]
    pub drain_timeout: Duration,
    /// How long a connection to an upstream may take, TLS included
    #[arg(long, value_name = "TIME", env = "CCXRAY_CONNECT_TIMEOUT", value_parser = parse_duration, default_value = "10s")]
    pub connect_timeout: Duration,
    /// Allow addresses that other machines can reach: whoever can reach them can use the proxy
    #[arg(long, env = "CCXRAY_ALLOW_REMOTE", value_parser = FalseyValueParser::new())]
    pub allow_remote: bool,
    /// A web page's origin whose requests are let in; may be repeated
    #[arg(long, value_name = "ORIGIN", env = "CCXRAY_ALLOW_ORIGIN", value_delimiter = ',')]
    pub allow_origin: Vec<String>,
    /// A name beside localhost under which clients may address the proxy; may be repeated
    #[arg(long, value_name = "HOST", env = "CCXRAY_ALLOW_HOST", value_delimiter = ',')]
    pub allow_host: Vec<String>,
    /// How log lines on stderr look
    #[arg(long, value_name = "FORMAT", env = "CCXRAY_LOG_FORMAT", value_enum, default_value_t)]
    pub log: LogFormat,
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
    fn the_word_serve_may_be_left_out() {
        let options = |args: &[&str]| match Cli::try_parse_from(args).unwrap().into_command() {
            Command::Serve(options) => *options,
            other => panic!("{other:?}"),
        };
        for args in [
            &["ccxray-proxy", "--listen", "127.0.0.1:0", "--fsync", "each"][..],
            &["ccxray-proxy", "serve", "--listen", "127.0.0.1:0", "--fsync", "each"][..],
        ] {
            let options = options(args);
            assert_eq!(options.listen, ["127.0.0.1:0".parse().unwrap()]);
            assert_eq!((options.fsync, options.drain_timeout), (Fsync::Each, Duration::from_secs(30)));
        }
    }

    #[test]
    fn what_follows_the_program_is_its_own() {
        let line = ["ccxray-proxy", "run", "--tier", "0", "--", "claude", "-p", "--dir", "hi"];
        let Command::Run(options) = Cli::try_parse_from(line).unwrap().into_command() else { panic!() };
        assert_eq!((options.lead.tier, options.lead.dir), (Some(0), None));
        assert_eq!(
            (options.program, options.arguments),
            ("claude".into(), ["-p", "--dir", "hi"].map(Into::into).into())
        );
    }

    #[test]
    fn every_option_has_its_environment_variable() {
        let command = Cli::command();
        for option in command.get_arguments().filter(|a| !matches!(a.get_id().as_str(), "help" | "version")) {
            let variable = option.get_env().unwrap_or_default().to_string_lossy();
            assert!(variable.starts_with("CCXRAY_"), "{}", option.get_id());
        }
    }
}
