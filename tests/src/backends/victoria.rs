//! VictoriaMetrics: a real metrics database that takes OTLP and gives every stored sample back.

use std::process::Command;

use serde_json::Value;

use super::{backend, find::free_port};
use crate::{
    client::{Ask, Client},
    daemons::{Process, State},
    eventually, exposition,
    truth::{Series, Totals},
};

/// A running database with a store of its own.
#[derive(Debug)]
pub struct VictoriaMetrics {
    _process: Process,
    base: String,
    client: Client,
}

impl VictoriaMetrics {
    /// Starts one and waits until it serves.
    pub async fn start(state: &State) -> Self {
        let base = format!("http://127.0.0.1:{}", free_port());
        let mut command = Command::new(backend("victoria-metrics"));
        command
            .arg("-opentelemetry.usePrometheusNaming")
            .arg(format!("-httpListenAddr={}", base.trim_start_matches("http://")))
            .arg(format!("-storageDataPath={}", state.root().join("victoria").display()));
        let mut process = Process::start(command, state.root(), &[]);
        let address = base.trim_start_matches("http://").to_owned();
        eventually("VictoriaMetrics to listen", || {
            process.assert_alive();
            std::net::TcpStream::connect(&address).ok()
        })
        .await;
        let client = Client::new(&base);
        Self { _process: process, base, client }
    }

    /// The base URL for OTLP.
    pub fn otlp(&self) -> String {
        format!("{}/opentelemetry", self.base)
    }

    /// Its address.
    pub fn url(&self) -> &str {
        &self.base
    }

    /// What it stored of the series that `selector` selects, a JSON object each, with labels, values and timestamps.
    pub async fn stored(&self, selector: &str) -> Vec<Value> {
        // Samples become readable some seconds after they were stored, unless asked for at once.
        self.client.ask(&Ask::get("/internal/force_flush")).await;
        let answered = self.client.ask(&Ask::get(&format!("/api/v1/export?match[]={selector}"))).await;
        assert_eq!(answered.status, 200, "the export of VictoriaMetrics");
        let text = String::from_utf8(answered.body).expect("the export is text");
        text.lines().map(|line| serde_json::from_str(line).expect("each line of it is JSON")).collect()
    }

    /// The last value of each series that the truth covers, added up over instances.
    pub async fn totals(&self) -> Totals {
        let series = self.stored("%7B__name__%3D~%22ccxray.*%22%7D").await;
        series.iter().filter_map(last_value).collect()
    }
}

/// The series of an exported line and its last value, if the truth covers it.
fn last_value(line: &Value) -> Option<(Series, i128)> {
    let labels = line["metric"].as_object().expect("a line has labels");
    let name = labels["__name__"].as_str().expect("a series has a name");
    let labels = labels.iter().filter_map(|(label, value)| Some((label.as_str(), value.as_str()?)));
    let values = line["values"].as_array().expect("a line has values");
    let value = values.last().and_then(Value::as_f64).expect("a value is a number");
    exposition::covered(name, labels, value)
}
