//! One daemon, from its start to its end.

use std::{
    fs::{self, File},
    net::TcpListener,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use ccxray_shared::daemon::ready::Ready;
use ccxray_tests::daemons::binary;
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};

use crate::{Failed, stop::Stop};

const READY_WITHIN: Duration = Duration::from_secs(20);
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// A daemon that is ready. Killed if it is dropped before it is stopped.
pub(crate) struct Daemon {
    name: &'static str,
    child: Child,
    log: PathBuf,
    /// Where it listens.
    pub(crate) address: String,
}

impl Daemon {
    /// Starts `name` with these arguments and waits until it is ready. Its log and its ready file go to `scratch`.
    pub(crate) async fn start(
        name: &'static str,
        arguments: &[&str],
        scratch: &Path,
    ) -> Result<Self, Failed> {
        let log = scratch.join(format!("{name}.log"));
        let ready = scratch.join(format!("{name}.ready"));
        let child = command(name, arguments, &ready, &log)?
            .spawn()
            .map_err(|error| format!("failed to start {name}: {error}"))?;
        let mut daemon = Self { name, child, log, address: String::new() };
        daemon.address = daemon.ready(&ready).await?;
        Ok(daemon)
    }

    async fn ready(&mut self, file: &Path) -> Result<String, Failed> {
        let deadline = Instant::now() + READY_WITHIN;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait()? {
                return Err(self.ended_early(&status.to_string()));
            }
            if let Some(address) = first_address(file) {
                return Ok(address);
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        Err(self.ended_early(&format!("not ready after {READY_WITHIN:?}")))
    }

    /// Waits for an end that nobody asked for, and says what happened.
    pub(crate) async fn died(&mut self) -> Failed {
        let status = match self.child.wait().await {
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        };
        self.ended_early(&status)
    }

    fn ended_early(&self, how: &str) -> Failed {
        let said = fs::read_to_string(&self.log).unwrap_or_default();
        format!("{} did not stay up ({how}); it said:\n{}", self.name, said.trim_end()).into()
    }

    /// Asks it to end and waits for that. A second Ctrl-C kills it.
    pub(crate) async fn stop(mut self, stop: &mut Stop) -> Result<(), Failed> {
        if let Some(pid) = self.child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)) {
            kill_process(pid, Signal::TERM)?;
        }
        let status = tokio::select! {
            status = self.child.wait() => status?,
            () = stop.asked() => {
                self.child.kill().await?;
                return Err(format!("{} was killed before it had finished", self.name).into());
            }
        };
        if status.success() {
            println!("{} stopped", self.name);
            return Ok(());
        }
        Err(self.ended_early(&status.to_string()))
    }
}

fn command(name: &str, arguments: &[&str], ready: &Path, log: &Path) -> Result<Command, Failed> {
    let log = File::create(log).map_err(|error| format!("failed to make {}: {error}", log.display()))?;
    let mut command = Command::new(binary(name));
    command.args(arguments).arg("--ready-file").arg(ready);
    // Neither consent nor a destination comes from where this program was started.
    for (variable, _) in std::env::vars_os() {
        let name = variable.to_string_lossy();
        if name.starts_with("OTEL_") || name.starts_with("CCXRAY_") {
            command.env_remove(&variable);
        }
    }
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).kill_on_drop(true);
    // The terminal's Ctrl-C is this program's, which then ends the daemons in their order.
    command.process_group(0);
    Ok(command)
}

fn first_address(ready: &Path) -> Option<String> {
    let ready: Ready = serde_json::from_slice(&fs::read(ready).ok()?).ok()?;
    ready.addresses.into_iter().next()
}

/// The address that the documentation names, or one with a free port if that is taken.
pub(crate) fn free_or_any(address: &str) -> &str {
    if TcpListener::bind(address).is_ok() { address } else { "127.0.0.1:0" }
}
