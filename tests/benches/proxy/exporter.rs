//! Whether the forwarding notices how the exporter does.
//!
//! One proxy serves all cases in turns, because two processes of the same program differ by some percent from each other.

use std::{fs, path::Path, process::Command};

use ccxray_tests::{
    daemons::{Process, State},
    eventually,
};

use crate::{
    content::{Answer, Request},
    peer::Kind,
    statistics::{median, median_interval},
    upstream::Upstream,
    work::{Cost, Turn},
};

/// How likely it may be that chance alone makes one of the nine cells of the table say that something was seen.
const DOUBT: f64 = 0.05;
/// How many clients ask, and how often each in a round.
const CLIENTS: usize = 4;
const TIMES: usize = 150;

/// What has become of the exporter.
#[derive(Clone, Copy)]
enum Case {
    /// There never was one.
    Absent,
    /// It was killed.
    Dead,
    /// It has been stopped, and has not been told so.
    Hung,
}

/// The first is what the others are compared with. The second is the same: it shows what the comparison makes of no
/// difference.
const CASES: [Case; 4] = [Case::Absent, Case::Absent, Case::Dead, Case::Hung];

/// Compares the cases, and prints what was found.
pub(crate) async fn compare(proxy: &Kind, program: &Path, rounds: usize) {
    let answer = Answer::json();
    let upstream = Upstream::start(answer.clone());
    let peer = proxy.start(upstream.address(), false).await;
    let mut turn = Turn::new(peer, &Request::short(false), CLIENTS, &answer).await;
    let mut costs = CASES.map(|_| Cost::of(proxy));
    for round in 0..rounds {
        for step in 0..CASES.len() {
            // In another order each time.
            let case = (round + step) % CASES.len();
            let exporter = CASES[case].bring_about(turn.peer().state(), program).await;
            turn.take(TIMES, None).await;
            turn.take(TIMES, Some(&mut costs[case])).await;
            drop(exporter);
        }
    }
    print(&costs);
    turn.end().await;
}

fn print([absent, others @ ..]: &[Cost; 4]) {
    println!("| exporter | CPU per request | latency p50 | latency p99 |\n| --- | --- | --- | --- |");
    for (name, other) in ["absent (control)", "dead", "hung"].iter().zip(others) {
        let cell = |of: fn(&Cost) -> &Vec<f64>| difference(of(absent), of(other));
        println!(
            "| {name} | {} | {} | {} |",
            cell(|cost| &cost.cpu),
            cell(|cost| &cost.latency),
            cell(|cost| &cost.late)
        );
    }
}

impl Case {
    async fn bring_about(self, state: &State, program: &Path) -> Option<Process> {
        match self {
            Self::Absent => {
                forget(&state.dir());
                None
            }
            Self::Dead => {
                let mut exporter = run(state, program).await;
                exporter.kill();
                Some(exporter)
            }
            Self::Hung => {
                let exporter = run(state, program).await;
                exporter.hang();
                Some(exporter)
            }
        }
    }
}

/// Removes what exporters have left behind.
fn forget(state: &Path) {
    let _ = fs::remove_dir_all(state.join("exporter"));
}

/// An exporter that is ready.
async fn run(state: &State, program: &Path) -> Process {
    let ready = state.root().join("exporter.ready");
    let _ = fs::remove_file(&ready);
    let mut command = Command::new(program);
    command.arg("run").arg("--state-dir").arg(state.dir()).args([
        "--local",
        "127.0.0.1:0",
        "--interval",
        "1s",
    ]);
    command.arg("--ready-file").arg(&ready);
    let exporter = Process::start(command, state.root(), &[]);
    eventually("the exporter to be ready", || ready.is_file().then_some(())).await;
    exporter
}

/// By how much the second is dearer than the first, round by round.
fn difference(first: &[f64], second: &[f64]) -> String {
    let percent: Vec<f64> =
        first.iter().zip(second).map(|(first, second)| 100.0 * (second / first - 1.0)).collect();
    let (low, high) = median_interval(&percent, DOUBT / 9.0);
    let verdict = if low <= 0.0 && high >= 0.0 { "none seen" } else { "**seen**" };
    format!("{verdict}: {:+.1} % ({low:+.1} … {high:+.1})", median(&percent))
}
