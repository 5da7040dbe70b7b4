//! The daemon, from its options to its end.
//!
//! The engine has a thread of its own; everything that talks to a socket is on one tokio runtime beside it. They meet
//! in two places only: the engine's commands, and the snapshots that it hands over.

pub mod consent;
mod local_data;
pub mod lock;
mod signals;

use std::{
    io,
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
    thread::JoinHandle,
    time::{Duration, Instant},
};

use ccxray_shared::{
    UnixMillis,
    daemon::{
        guard::Guard,
        ready::{Ready, WriteReadyError},
    },
    private::{self, PrivateDirError},
    state_dir::{NoHomeError, StateDir},
};
use tokio::{runtime, sync::watch};

use self::{consent::Consent, local_data::EngineData, lock::LockError};
use crate::{
    checkpoint::{Loaded, State, Store, StoreError},
    classify::price_table::{ParsePricesError, PriceTable},
    cli::{Local, RunOptions},
    deliver::{
        self, CutId, FailureLog, FromWorker, Snapshot, WorkerHandle, destination::DestinationError,
        failure_log::OpenLogError, tls::TlsError,
    },
    engine::{Command, Commands, Core, CoreOptions, Engine, EngineOptions, random_bits},
    local::{self, server::BindError},
    source::{self, Source},
};

/// How long a stop may take in all.
const STOP_TIMEOUT: Duration = Duration::from_secs(2);

/// Why the daemon does not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// No place for the state.
    #[error(transparent)]
    NoHome(#[from] NoHomeError),
    /// The state's directory is not fit.
    #[error(transparent)]
    Directory(#[from] PrivateDirError),
    /// Another exporter works there.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The destination's configuration.
    #[error(transparent)]
    Destination(#[from] DestinationError),
    /// The certificates.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The price table could not be read.
    #[error("failed to read the price table `{path}`")]
    ReadPrices {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The price table is not one.
    #[error("price table `{path}`")]
    Prices {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: ParsePricesError,
    },
    /// What was remembered cannot be used.
    #[error(transparent)]
    Checkpoint(#[from] StoreError),
    /// The failure log cannot be written.
    #[error(transparent)]
    FailureLog(#[from] OpenLogError),
    /// The local page has no address.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// Nobody would learn that it is ready.
    #[error(transparent)]
    Ready(#[from] WriteReadyError),
    /// The system refused something.
    #[error("failed to start")]
    System(#[from] io::Error),
}

impl RunError {
    /// 75 if another instance is at work, 78 if the configuration must be changed first, otherwise 1.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Lock(LockError::Held { .. }) => ExitCode::from(75),
            Self::NoHome(_)
            | Self::Destination(_)
            | Self::Tls(_)
            | Self::ReadPrices { .. }
            | Self::Prices { .. } => ExitCode::from(78),
            Self::Lock(LockError::Io { .. })
            | Self::Directory(_)
            | Self::Checkpoint(_)
            | Self::FailureLog(_)
            | Self::Bind(_)
            | Self::Ready(_)
            | Self::System(_) => ExitCode::FAILURE,
        }
    }
}

/// Runs the exporter until a signal ends it.
pub fn run(options: &RunOptions) -> Result<(), RunError> {
    let state_dir = StateDir::resolve(options.state_dir.clone())?;
    let env = |name: &str| std::env::var(name).ok();
    let consent = Consent::from_env(options.tier, &env)?;
    let prices = prices(options)?;
    for dir in [state_dir.spool(), state_dir.exporter()] {
        private::ensure_dir(&dir)?;
    }
    let _lock = lock::acquire(&state_dir.exporter())?;
    let core_options = CoreOptions {
        interval: consent::interval(options.interval, &env),
        resume_grace: options.resume_grace,
        destination: consent.key(),
        prices,
    };
    let (core, source) = resume(&state_dir, core_options)?;
    consent.announce();
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let served = runtime.block_on(serve(options, &state_dir, &consent, core, source));
    runtime.shutdown_timeout(Duration::ZERO);
    served
}

fn prices(options: &RunOptions) -> Result<PriceTable, RunError> {
    let Some(path) = &options.prices else { return Ok(PriceTable::embedded()) };
    let text = std::fs::read_to_string(path)
        .map_err(|source| RunError::ReadPrices { path: path.clone(), source })?;
    PriceTable::parse(&text).map_err(|source| RunError::Prices { path: path.clone(), source })
}

/// What the last run left, or a beginning.
fn resume(state_dir: &StateDir, options: CoreOptions) -> Result<(Core, Source), RunError> {
    let spool = state_dir.spool();
    let read_on = |state: State| (Source::resume(&spool, state.streams.clone()), Some(state));
    let (source, state) = match Store::new(&state_dir.exporter()).load()? {
        Loaded::Fresh => (Source::begin(&spool), None),
        Loaded::Current(state) => read_on(*state),
        Loaded::Previous(state, error) => {
            tracing::warn!("{error}; going on from the one before");
            read_on(*state)
        }
        Loaded::Damaged(error) => {
            tracing::error!("{error}, and so is the one before; both are put aside, and counting starts anew");
            // Nobody knows what of the spool had been counted: it is not counted again.
            let mut source = Source::begin(&spool);
            source.skip_to_end()?;
            (source, None)
        }
    };
    Ok((Core::start(options, state, UnixMillis::now(), random_bits), source))
}

/// Everything that runs beside the engine.
async fn serve(
    options: &RunOptions,
    state_dir: &StateDir,
    consent: &Consent,
    core: Core,
    source: Source,
) -> Result<(), RunError> {
    let signals = signals::Signals::listen()?;
    let local = match options.local {
        Local::Off => None,
        Local::At(address) => Some(local::bind(address, Guard::default()).await?),
    };
    let addresses = local.iter().map(|server| server.address().to_string()).collect();
    let (commands, orders) = Commands::new();
    let (acked, acks) = watch::channel(CutId(0));
    let health = core.health().unwrap_or_default();
    let worker = match consent.destination() {
        None => None,
        Some(destination) => {
            let commands = commands.clone();
            let events = move |event| report(&commands, &acked, event);
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
    let engine = Engine::new(EngineOptions {
        state_dir: state_dir.clone(),
        core,
        source,
        deliver: deliver_to(worker.clone(), offered),
    });
    let engine = std::thread::Builder::new().name("engine".to_owned()).spawn(move || engine.run(&orders))?;
    if let Some(server) = local {
        tracing::info!("local page on http://{}/", server.address());
        tokio::spawn(server.serve(EngineData::new(commands.clone(), vitals, consent.summary())));
    }
    if let Some(path) = &options.ready_file {
        Ready::here(addresses).write(path)?;
    }
    signals.stop().await;
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
        }
        FromWorker::Health(health) => commands.send(Command::Health(health)),
        FromWorker::Dropped { snapshots } => {
            tracing::warn!(snapshots, "snapshots were dropped; later ones hold what they held");
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

/// Everything that has to come to an end.
struct Stop {
    commands: Commands,
    engine: JoinHandle<()>,
    worker: Option<Arc<WorkerHandle>>,
    acks: watch::Receiver<CutId>,
    last_offer: watch::Receiver<CutId>,
}

impl Stop {
    /// Ends within [`STOP_TIMEOUT`]. Without `flush` nothing is sent any more, and what is under way is broken off,
    /// before anything else happens.
    async fn carry_out(mut self, flush: bool) {
        let deadline = Instant::now() + STOP_TIMEOUT;
        let abort = |worker: &Option<Arc<WorkerHandle>>| {
            if let Some(worker) = worker {
                worker.abort();
            }
        };
        if !flush {
            abort(&self.worker);
        }
        self.commands.send(Command::Stop { flush });
        let engine = self.engine;
        let ended = tokio::task::spawn_blocking(move || engine.join());
        match tokio::time::timeout_at(deadline.into(), ended).await {
            Ok(Ok(Ok(()))) => {}
            Ok(_) => tracing::error!("the engine ended by a panic; the last checkpoint stays"),
            Err(_) => tracing::warn!("the engine did not end in time; the last checkpoint stays"),
        }
        if flush && self.worker.is_some() {
            let last = *self.last_offer.borrow_and_update();
            let acked = self.acks.wait_for(|&acked| acked >= last);
            if !matches!(tokio::time::timeout_at(deadline.into(), acked).await, Ok(Ok(_))) {
                tracing::warn!(
                    "the last snapshot was not acknowledged in time; its totals are in the checkpoint"
                );
            }
            abort(&self.worker);
        }
    }
}
