//! What `push` is asked to do.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Where `push` sends the totals, and how.
#[derive(Clone, Debug, Args)]
#[expect(clippy::doc_markdown, reason = "the comments are the help text")]
pub struct PushOptions {
    /// The server's address, for example http://127.0.0.1:9091; the path of its interface is added
    ///
    /// Credentials do not belong into it: the environment variable CCXRAY_PUSH_AUTHORIZATION, if it is set, is sent
    /// as the Authorization header, over https or to this machine only.
    #[arg(long, value_name = "URL")]
    pub to: String,
    /// What kind of server it is
    #[arg(long, value_enum)]
    pub format: Format,
    /// What becomes of what the server has under this job and instance; all but `push` need a Pushgateway
    #[arg(long, value_enum, default_value_t = Mode::Push)]
    pub mode: Mode,
    /// The label `job`
    #[arg(long, value_name = "NAME", default_value = "ccxray")]
    pub job: String,
    /// The label `instance` [default: the random id of this state directory's totals]
    #[arg(long, value_name = "NAME")]
    pub instance: Option<String>,
    /// Where the state lies [default: the platform's directory for state]
    #[arg(long, value_name = "DIR", env = "CCXRAY_STATE_DIR")]
    pub state_dir: Option<PathBuf>,
}

/// A kind of server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A Prometheus Pushgateway, which keeps the last values
    Pushgateway,
    /// A VictoriaMetrics, which stores them with the time that they are of
    #[value(name = "victoriametrics")]
    VictoriaMetrics,
}

/// What becomes of what the server has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    /// Replaced, all of it
    Push,
    /// Replaced where a metric has the same name
    #[value(name = "pushadd")]
    PushAdd,
    /// Removed; no totals are sent
    Delete,
}
