//! A running `ccxray-exporter`.

use std::{
    ops::{Deref, DerefMut},
    process::Command,
};

use super::{
    Process, State, binary,
    process::{fresh_path, ready},
};
use crate::trace::Trace;

/// Whether the exporter has a local page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Local {
    /// On a free port.
    On,
    /// Not at all.
    Off,
}

/// How an exporter is to be started.
#[derive(Clone, Debug)]
pub struct Exporter {
    arguments: Vec<String>,
    variables: Vec<(String, String)>,
    local: Local,
    interval: String,
    trace: Option<Trace>,
}

/// The exporter, ready.
#[derive(Debug)]
pub struct RunningExporter {
    process: Process,
    addresses: Vec<String>,
}

impl Exporter {
    /// One that pushes to this OTLP endpoint (the base URL), with its user's consent, every second.
    pub fn to(endpoint: &str) -> Self {
        Self::without_consent()
            .argument("--tier")
            .argument("1")
            .variable("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
    }

    /// One that nobody has consented to.
    pub fn without_consent() -> Self {
        Self { arguments: vec![], variables: vec![], local: Local::On, interval: "1s".into(), trace: None }
    }

    /// With this argument.
    #[must_use]
    pub fn argument(mut self, argument: &str) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// With this environment variable.
    #[must_use]
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.into(), value.into()));
        self
    }

    /// With windows of this length.
    #[must_use]
    pub fn interval(self, interval: &str) -> Self {
        Self { interval: interval.into(), ..self }
    }

    /// With or without a local page.
    #[must_use]
    pub fn local(self, local: Local) -> Self {
        Self { local, ..self }
    }

    /// With its system calls traced.
    #[must_use]
    pub fn traced(self, trace: &Trace) -> Self {
        Self { trace: Some(trace.clone()), ..self }
    }

    /// Starts it.
    pub async fn start(&self, state: &State) -> RunningExporter {
        let file = fresh_path(state.root(), "exporter", "ready");
        let program = binary("ccxray-exporter");
        let mut command =
            self.trace.as_ref().map_or_else(|| Command::new(&program), |trace| trace.command(&program));
        let local = if self.local == Local::On { "127.0.0.1:0" } else { "off" };
        command.arg("run").arg("--state-dir").arg(state.dir()).args(["--local", local]).args(&self.arguments);
        command.args(["--interval", &self.interval]).arg("--ready-file").arg(&file);
        let mut process = Process::start(command, state.root(), &self.variables);
        let addresses = ready(&mut process, &file).await;
        RunningExporter { process, addresses }
    }

    /// With the tier that its command line states, and the endpoint that its environment names.
    #[must_use]
    pub fn server(self, endpoint: &str) -> Self {
        self.argument("--tier").argument("2").variable("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
    }

    /// What `ccxray-exporter <arguments> --state-dir …` prints on both outputs.
    pub fn command(state: &State, arguments: &[&str]) -> String {
        let mut command = Command::new(binary("ccxray-exporter"));
        command.args(arguments).arg("--state-dir").arg(state.dir()).env_clear().env("HOME", state.home());
        let output = command.output().expect("the exporter can be started");
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat()
    }
}

impl RunningExporter {
    /// The base URL of its local page. Panics if it has none.
    pub fn url(&self) -> String {
        format!("http://{}", self.addresses.first().expect("the exporter was started with a local page"))
    }
}

impl Deref for RunningExporter {
    type Target = Process;
    fn deref(&self) -> &Process {
        &self.process
    }
}

impl DerefMut for RunningExporter {
    fn deref_mut(&mut self) -> &mut Process {
        &mut self.process
    }
}
