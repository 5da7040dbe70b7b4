//! A Prometheus Pushgateway: keeps what it was pushed, and shows it to whoever scrapes it.

use std::process::Command;

use super::{backend, find::free_port};
use crate::{
    client::{Ask, Client},
    daemons::{Process, State},
    eventually,
};

/// A running Pushgateway with nothing in it.
#[derive(Debug)]
pub struct Pushgateway {
    _process: Process,
    base: String,
}

impl Pushgateway {
    /// Starts one and waits until it serves.
    pub async fn start(state: &State) -> Self {
        let address = format!("127.0.0.1:{}", free_port());
        let mut command = Command::new(backend("prometheus-pushgateway"));
        command.arg(format!("--web.listen-address={address}"));
        let mut process = Process::start(command, state.root(), &[]);
        eventually("the Pushgateway to listen", || {
            process.assert_alive();
            std::net::TcpStream::connect(&address).ok()
        })
        .await;
        Self { _process: process, base: format!("http://{address}") }
    }

    /// Its address.
    pub fn url(&self) -> &str {
        &self.base
    }

    /// What it shows of ours, a line per sample, in alphabetical order.
    pub async fn samples(&self) -> Vec<String> {
        let answered = Client::new(&self.base).ask(&Ask::get("/metrics")).await;
        assert_eq!(answered.status, 200, "the scrape of the Pushgateway");
        let text = String::from_utf8(answered.decoded()).expect("a scrape is text");
        let mut samples: Vec<_> =
            text.lines().filter(|line| line.starts_with("ccxray_")).map(str::to_owned).collect();
        samples.sort();
        samples
    }
}
