//! `run` and `env`.

use std::{
    convert::Infallible,
    env,
    ffi::OsString,
    io::{self, Write},
    os::unix::process::CommandExt,
    process::{Command, ExitCode},
};

use super::{
    agent::Agent,
    probe::{self, ProbeError},
    stamps::{self, DirError},
};
use crate::{
    cli::{EnvOptions, LaunchOptions},
    route::prefix::MalformedStampError,
};

/// No agent was started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LaunchError {
    /// The project directory.
    #[error(transparent)]
    Dir(#[from] DirError),
    /// A stamp that the proxy would not take.
    #[error(transparent)]
    Stamp(#[from] MalformedStampError),
    /// No proxy to go through.
    #[error(transparent)]
    Probe(#[from] ProbeError),
    /// No such program, or none that can be started.
    #[error("failed to start `{}`", program.display())]
    Exec {
        /// Which.
        program: OsString,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Nobody reads what is written.
    #[error("failed to write to stdout")]
    Write(#[source] io::Error),
}

impl LaunchError {
    /// What a shell says of a program that is not there (127) or cannot be started (126), otherwise 1.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Exec { source, .. } if source.kind() == io::ErrorKind::NotFound => ExitCode::from(127),
            Self::Exec { .. } => ExitCode::from(126),
            Self::Dir(_) | Self::Stamp(_) | Self::Probe(_) | Self::Write(_) => ExitCode::FAILURE,
        }
    }
}

/// Becomes the agent: the process stays the same, so that the terminal, signals and the exit code are the agent's own.
/// Returns only if that fails.
pub fn run(options: &LaunchOptions) -> Result<Infallible, LaunchError> {
    let (program, arguments) = (&options.program, &options.arguments);
    let stamps = stamps::stamps(&options.lead)?;
    let guidance = Agent::of(program).guidance(&options.lead.proxy, &stamps, &environment)?;
    probe::probe(&options.lead.proxy)?;
    let source =
        Command::new(program).args(guidance.arguments).args(arguments).envs(guidance.variables).exec();
    Err(LaunchError::Exec { program: program.clone(), source })
}

/// Prints what leads agents here, for a shell to read.
pub fn print_env(options: &EnvOptions) -> Result<(), LaunchError> {
    let stamps = stamps::stamps(&options.lead)?;
    let guidance = |agent: Agent| agent.guidance(&options.lead.proxy, &stamps, &environment);
    let lines = options.shell.lines(&guidance(Agent::Other)?, &guidance(Agent::Codex)?);
    io::stdout().write_all(lines.as_bytes()).map_err(LaunchError::Write)
}

fn environment(name: &str) -> Option<String> {
    env::var(name).ok()
}
