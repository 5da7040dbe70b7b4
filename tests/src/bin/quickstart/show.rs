//! The order of things: start, demonstrate, watch, stop.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use crate::{
    Failed,
    daemon::{Daemon, free_or_any},
    demo,
    figures::Figures,
    stop::Stop,
};

const COUNTED_WITHIN: Duration = Duration::from_secs(20);
const LOOK_AGAIN: Duration = Duration::from_millis(100);
const WATCH_EVERY: Duration = Duration::from_secs(1);

/// Both daemons, ready.
struct Daemons {
    proxy: Daemon,
    exporter: Daemon,
}

/// Runs it all until Ctrl-C, with state in `given` or in a directory that goes with it.
pub(crate) async fn show(given: Option<PathBuf>) -> Result<(), Failed> {
    let scratch = tempfile::Builder::new().prefix("ccxray-quickstart-").tempdir()?;
    let (state, stays) = match given {
        Some(dir) => (dir, "stays"),
        None => (scratch.path().join("state"), "is removed at the end"),
    };
    let mut stop = Stop::listen()?;
    let upstream = demo::upstream().await;
    let upstream_url = upstream.url();
    let mut daemons = tokio::select! {
        started = start(&state, scratch.path(), &upstream_url) => started?,
        () = stop.asked() => return Ok(()),
    };
    introduce(&daemons, &state, stays);
    let end = tokio::select! {
        failed = live(&mut daemons) => Err(failed),
        () = stop.asked() => Ok(()),
    };
    println!("\nstopping …");
    end.and(daemons.stop(&mut stop).await)
}

async fn start(state: &Path, scratch: &Path, upstream: &str) -> Result<Daemons, Failed> {
    let state = state.to_str().ok_or("the state directory's name is not UTF-8")?;
    let demo = format!("demo={upstream}");
    let listen = free_or_any("127.0.0.1:5588");
    let serve = ["serve", "--state-dir", state, "--listen", listen, "--upstream", &demo];
    let proxy = Daemon::start("ccxray-proxy", &serve, scratch).await?;
    let local = free_or_any("127.0.0.1:9464");
    let run = ["run", "--state-dir", state, "--local", local];
    let exporter = Daemon::start("ccxray-exporter", &run, scratch).await?;
    Ok(Daemons { proxy, exporter })
}

fn introduce(daemons: &Daemons, state: &Path, stays: &str) {
    let Daemons { proxy, exporter } = daemons;
    println!(
        "\n  local page    http://{}\n  \
           Claude Code   ANTHROPIC_BASE_URL=http://{} claude\n  \
           state         {} ({stays})\n\n\
         Nothing is sent anywhere but to the provider that the agent asks. Ctrl-C stops both daemons.\n",
        exporter.address,
        proxy.address,
        state.display(),
    );
}

/// Demonstrates and watches; returns only when something failed.
async fn live(daemons: &mut Daemons) -> Failed {
    let (proxy, exporter) = (daemons.proxy.address.clone(), daemons.exporter.address.clone());
    tokio::select! {
        failed = daemons.proxy.died() => failed,
        failed = daemons.exporter.died() => failed,
        failed = demonstrate_and_watch(&proxy, &exporter) => failed,
    }
}

async fn demonstrate_and_watch(proxy: &str, exporter: &str) -> Failed {
    let before = Figures::read(exporter).await.unwrap_or_default();
    println!("a short conversation with a made-up provider, through the proxy:");
    let counted = match demo::converse(proxy).await {
        Ok(()) => counted(exporter, &before).await,
        Err(failed) => Err(failed),
    };
    match counted {
        Ok(figures) => watch(exporter, figures).await,
        Err(failed) => failed,
    }
}

/// Waits until the exporter has counted the conversation.
async fn counted(exporter: &str, before: &Figures) -> Result<Figures, Failed> {
    let deadline = Instant::now() + COUNTED_WITHIN;
    while Instant::now() < deadline {
        match Figures::read(exporter).await {
            Some(now) if now.requests - before.requests >= f64::from(demo::REQUESTS) => return Ok(now),
            _ => tokio::time::sleep(LOOK_AGAIN).await,
        }
    }
    Err(format!("the exporter has not counted the demonstration within {COUNTED_WITHIN:?}").into())
}

/// Says the figures whenever they have changed.
async fn watch(exporter: &str, mut figures: Figures) -> ! {
    println!("  {figures}");
    loop {
        tokio::time::sleep(WATCH_EVERY).await;
        let now = Figures::read(exporter).await.unwrap_or(figures);
        if now != figures {
            println!("  {now}");
            figures = now;
        }
    }
}

impl Daemons {
    /// The proxy first, so that the exporter still reads its last entries.
    async fn stop(self, stop: &mut Stop) -> Result<(), Failed> {
        let proxy = self.proxy.stop(stop).await;
        let exporter = self.exporter.stop(stop).await;
        proxy.and(exporter)
    }
}
