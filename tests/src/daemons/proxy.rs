//! A running `ccxray-proxy`.

use std::{
    ops::{Deref, DerefMut},
    process::Command,
};

use super::{
    Process, State, binary,
    process::{fresh_path, ready},
};

/// The proxy, ready.
#[derive(Debug)]
pub struct Proxy {
    process: Process,
    address: String,
}

impl Proxy {
    /// Starts one on a free port, before this upstream, whichever provider is asked.
    pub async fn start(state: &State, upstream: &str) -> Self {
        Self::start_with(state, upstream, "127.0.0.1:0", &[]).await
    }

    /// Starts one that listens at `listen`, with these environment variables.
    pub async fn start_with(
        state: &State,
        upstream: &str,
        listen: &str,
        variables: &[(String, String)],
    ) -> Self {
        let file = fresh_path(state.root(), "proxy", "ready");
        let mut command = Command::new(binary("ccxray-proxy"));
        command.args(["serve", "--listen", listen]);
        for provider in ["anthropic", "openai", "gemini"] {
            command.args(["--upstream", &format!("{provider}={upstream}")]);
        }
        command.arg("--state-dir").arg(state.dir()).arg("--ready-file").arg(&file);
        let mut process = Process::start(command, state.root(), variables);
        let address = ready(&mut process, &file).await.swap_remove(0);
        Self { process, address }
    }

    /// Its base URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where it listens, as `ip:port`.
    pub fn address(&self) -> &str {
        &self.address
    }
}

impl Deref for Proxy {
    type Target = Process;
    fn deref(&self) -> &Process {
        &self.process
    }
}

impl DerefMut for Proxy {
    fn deref_mut(&mut self) -> &mut Process {
        &mut self.process
    }
}
