//! The daemon, from its options to its end.
//!
//! The engine has a thread of its own; everything that talks to a socket is on one tokio runtime beside it. They meet
//! in two places only: the engine's commands, and the snapshots that it hands over.

pub mod error;
mod heartbeat;
mod local_data;
pub mod lock;
pub mod own_rules;
mod self_figures;
mod signals;
mod stop;

use std::{io, path::Path, sync::Arc, time::Duration};

use ccxray_shared::{
    UnixMillis,
    daemon::{guard::Guard, ready::Ready, supervisor},
    private,
    state_dir::StateDir,
};
use tokio::{runtime, sync::watch};

pub use self::error::RunError;
use self::{local_data::EngineData, signals::Signals, stop::Stop};
use crate::{
    checkpoint::{Loaded, State, Store},
    cli::{Local, RunOptions},
    consent::{Consents, Keeper, environment, keeper::Sources},
    deliver::{self, CutId, FailureLog, FromWorker, Snapshot, WorkerHandle, tally::Counts},
    engine::{Command, Commands, Core, CoreOptions, Engine, EngineOptions, random_bits},
    local,
    source::{self, Source},
};

/// From now on a panic on any thread ends the process. What a dead thread leaves undone nobody would notice; a service
/// manager starts the exporter again, and it goes on from its checkpoint.
pub fn end_on_panic() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        report(panic);
        std::process::exit(1);
    }));
}

/// Runs the exporter until a signal ends it.
pub fn run(options: &RunOptions) -> Result<(), RunError> {
    let state_dir = StateDir::resolve(options.state_dir.clone())?;
    let consents = Keeper::start(Sources::of_this_user(&state_dir, options.tier))?.consents();
    let prices = own_rules::take_over(options.data_dir.as_deref(), options.prices.as_deref())?;
    for dir in [state_dir.spool(), state_dir.exporter()] {
        private::ensure_dir(&dir)?;
    }
    let _lock = lock::acquire(&state_dir.exporter())?;
    let core_options = CoreOptions {
        interval: environment::interval(options.interval, &|name: &str| std::env::var(name).ok()),
        resume_grace: options.resume_grace,
        destination: consents.server().ok().map(|grant| grant.key.clone()),
        prices,
    };
    let (core, source) = resume(&state_dir, core_options)?;
    tracing::info!("{}", consents.summary());
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let served = runtime.block_on(serve(options, &state_dir, &consents, core, source));
    runtime.shutdown_timeout(Duration::ZERO);
    served
}

/// What the last run left, or a beginning.
fn resume(state_dir: &StateDir, options: CoreOptions) -> Result<(Core, Source), RunError> {
    let (source, state) = remembered(&state_dir.spool(), Store::new(&state_dir.exporter()).load()?)?;
    Ok((Core::start(options, state, UnixMillis::now(), random_bits), source))
}

/// The state to go on from, and the spool at its positions.
pub(crate) fn remembered(spool: &Path, loaded: Loaded) -> io::Result<(Source, Option<State>)> {
    let read_on = |state: State| (Source::resume(spool, state.streams.clone()), Some(state));
    Ok(match loaded {
        Loaded::Fresh => (Source::begin(spool), None),
        Loaded::Current(state) => read_on(*state),
        Loaded::Previous(state, error) => {
            tracing::warn!("{error}; going on from the one before");
            read_on(*state)
        }
        Loaded::Damaged(error) => {
            tracing::error!(
                "{error}, and so is the one before; both are put aside, and counting starts anew"
            );
            // Nobody knows what of the spool had been counted: it is not counted again.
            let mut source = Source::begin(spool);
            source.skip_to_end()?;
            (source, None)
        }
    })
}

/// Everything that runs beside the engine.
async fn serve(
    options: &RunOptions,
    state_dir: &StateDir,
    consents: &Consents,
    core: Core,
    source: Source,
) -> Result<(), RunError> {
    let signals = Signals::listen()?;
    let destination = consents.server().ok().map(|grant| &grant.destination);
    let local = match options.local {
        Local::Off => None,
        Local::At(address) => Some(local::bind(address, Guard::default()).await?),
    };
    let addresses = local.iter().map(|server| server.address().to_string()).collect();
    let (commands, orders) = Commands::new();
    let (acked, acks) = watch::channel(CutId(0));
    let health = core.health().unwrap_or_default();
    let telemetry = Arc::new(self_figures::start(destination, &core)?);
    let worker = match destination {
        None => None,
        Some(destination) => {
            let (commands, telemetry) = (commands.clone(), telemetry.clone());
            let events = move |event| {
                telemetry.observe(&event);
                report(&commands, &acked, event);
            };
            let log = FailureLog::open(&state_dir.exporter())?;
            Some(Arc::new(deliver::spawn(destination, health, events, log)?))
        }
    };
    let watch = {
        let commands = commands.clone();
        source::watch::watch(&state_dir.spool(), move || commands.wake())
    };
    let vitals = orders.vitals();
    let (offered, last_offer) = watch::channel(CutId(0));
    let mut engine = Engine::new(EngineOptions {
        state_dir: state_dir.clone(),
        core,
        source,
        deliver: deliver_to(worker.clone(), offered),
        telemetry: telemetry.clone(),
    });
    engine.remember_beginning();
    let engine = std::thread::Builder::new().name("engine".to_owned()).spawn(move || engine.run(&orders))?;
    tokio::spawn(heartbeat::beat(vitals.clone()));
    if let Some(server) = local {
        tracing::info!("local page on http://{}/", server.address());
        tokio::spawn(server.serve(EngineData::new(
            commands.clone(),
            vitals,
            telemetry.clone(),
            consents.summary(),
        )));
    }
    if let Some(path) = &options.ready_file {
        Ready::here(addresses).write(path)?;
    }
    supervisor::ready(&consents.summary());
    signals.stop().await;
    telemetry.end();
    supervisor::stopping("stopping");
    drop(watch);
    let stop = Stop { commands, engine, worker, acks, last_offer };
    stop.carry_out(options.flush_on_stop).await;
    Ok(())
}

/// Passes on what the worker reports.
fn report(commands: &Commands, acked: &watch::Sender<CutId>, event: FromWorker) {
    match event {
        FromWorker::Acked { cut, rejected: _ } => {
            acked.send_replace(cut);
            commands.send(Command::Acked(cut));
            commands.send(Command::Delivery(Counts::SUCCEEDED));
        }
        FromWorker::Failed => commands.send(Command::Delivery(Counts::FAILED)),
        FromWorker::Health(health) => commands.send(Command::Health(health)),
        FromWorker::Dropped { snapshots } => {
            tracing::warn!(snapshots, "snapshots were dropped; later ones hold what they held");
            commands.send(Command::Delivery(Counts::dropped(snapshots)));
        }
        FromWorker::Rejected { reason, points } => {
            tracing::warn!(reason = reason.as_str(), points, "the destination turned points down");
        }
    }
}

fn deliver_to(
    worker: Option<Arc<WorkerHandle>>,
    offered: watch::Sender<CutId>,
) -> Box<dyn FnMut(Snapshot) + Send> {
    Box::new(move |snapshot| {
        if let Some(worker) = &worker {
            let cut = snapshot.cut;
            worker.offer(snapshot);
            offered.send_replace(cut);
        }
    })
}
