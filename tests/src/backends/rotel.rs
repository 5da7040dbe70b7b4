//! Rotel: a real OpenTelemetry collector, which prints every point that it was given.

use std::process::Command;

use super::{backend, find::free_port, printed};
use crate::{
    collector::totals_of,
    daemons::{Process, State},
    eventually,
    truth::Totals,
};

/// A running collector that throws all points away after printing them.
#[derive(Debug)]
pub struct Rotel {
    process: Process,
    address: String,
}

impl Rotel {
    /// Starts one and waits until it listens.
    pub async fn start(state: &State) -> Self {
        let address = format!("127.0.0.1:{}", free_port());
        let mut command = Command::new(backend("rotel-agent"));
        command.args(["start", "--otlp-http-endpoint", &address]);
        command.args(["--otlp-grpc-endpoint", &format!("127.0.0.1:{}", free_port())]);
        command.args([
            "--exporter",
            "blackhole",
            "--debug-log",
            "metrics",
            "--debug-log-verbosity",
            "detailed",
        ]);
        let mut process = Process::start(command, state.root(), &[]);
        eventually("rotel to listen", || {
            process.assert_alive();
            std::net::TcpStream::connect(&address).ok()
        })
        .await;
        Self { process, address }
    }

    /// The base URL for OTLP.
    pub fn otlp(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The last value of each series that the truth covers, from what it has printed so far.
    pub fn totals(&self) -> Totals {
        totals_of(printed::points(&self.process.said()))
    }
}
