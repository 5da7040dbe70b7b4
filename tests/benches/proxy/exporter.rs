//! Whether the forwarding notices how the exporter does.

use std::{process::Command, time::Duration};

use ccxray_tests::daemons::{Process, State};

use crate::{
    content::{Answer, Request},
    peer::{Kind, Peer},
    statistics::{median, median_interval},
    upstream::Upstream,
    work::{Cost, Work},
};

/// How long an exporter runs before it is hung or killed, so that it has the spool open and its checkpoint written.
const RUN: Duration = Duration::from_secs(3);

/// How likely it may be that chance alone makes one of the nine cells of the table say that something was seen.
const DOUBT: f64 = 0.05;

/// What has become of the exporter.
#[derive(Clone, Copy)]
enum Exporter {
    /// There never was one.
    Absent,
    /// It was killed.
    Dead,
    /// It has been stopped, and has not been told so.
    Hung,
}

/// Compares proxies whose exporters have come to different ends with one that never had one, in turns, and prints what
/// was found. The first of the others never had one either: it shows what the comparison makes of no difference.
pub(crate) async fn compare(proxy: &Kind, program: &std::path::Path, rounds: usize) {
    let work = || Work {
        name: "",
        letter: 'x',
        request: Request::short(false),
        answer: Answer::json(),
        clients: 4,
        times: 150,
        one_core: false,
    };
    let upstream = Upstream::start(Answer::json());
    let cases = [Exporter::Absent, Exporter::Absent, Exporter::Dead, Exporter::Hung];
    let (mut peers, mut exporters) = (Vec::new(), Vec::new());
    for exporter in cases {
        let peer = proxy.start(upstream.address(), false).await;
        exporters.push(exporter.bring_about(&peer, program).await);
        peers.push(peer);
    }
    let costs = work().take_turns(peers, rounds).await;
    drop(exporters);
    let [baseline, others @ ..] = &costs[..] else { return };
    println!("| exporter | CPU per request | latency p50 | latency p99 |\n| --- | --- | --- | --- |");
    for (name, other) in ["absent (control)", "dead", "hung"].iter().zip(others) {
        let cell = |of: fn(&Cost) -> &Vec<f64>| difference(of(baseline), of(other));
        println!(
            "| {name} | {} | {} | {} |",
            cell(|cost| &cost.cpu),
            cell(|cost| &cost.latency),
            cell(|cost| &cost.late)
        );
    }
}

impl Exporter {
    async fn bring_about(self, peer: &Peer, program: &std::path::Path) -> Option<Process> {
        if matches!(self, Self::Absent) {
            return None;
        }
        let mut exporter = run(peer.state(), program);
        tokio::time::sleep(RUN).await;
        exporter.assert_alive();
        match self {
            Self::Dead => exporter.kill(),
            Self::Hung => exporter.hang(),
            Self::Absent => {}
        }
        Some(exporter)
    }
}

fn run(state: &State, program: &std::path::Path) -> Process {
    let mut command = Command::new(program);
    command.arg("run").arg("--state-dir").arg(state.dir()).args([
        "--local",
        "127.0.0.1:0",
        "--interval",
        "1s",
    ]);
    Process::start(command, state.root(), &[])
}

/// By how much the second is dearer than the first, round by round.
fn difference(first: &[f64], second: &[f64]) -> String {
    let percent: Vec<f64> =
        first.iter().zip(second).map(|(first, second)| 100.0 * (second / first - 1.0)).collect();
    let (low, high) = median_interval(&percent, DOUBT / 9.0);
    let verdict = if low <= 0.0 && high >= 0.0 { "none seen" } else { "**seen**" };
    format!("{verdict}: {:+.1} % ({low:+.1} … {high:+.1})", median(&percent))
}
