//! The daemon, from its options to its end.

use std::{
    io,
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use ccxray_shared::{
    daemon::{
        guard::Guard,
        ready::{Ready, WriteReadyError},
        supervisor,
    },
    spool::retention::Caps,
    state_dir::{NoHomeError, StateDir},
};
use tokio::{
    runtime::{Builder, Runtime},
    time::{interval, timeout},
};

use crate::{
    cli::ServeOptions,
    forward::{
        client,
        forwarder::Forwarder,
        tls::{self, TlsSetupError},
        tunnel::Proxies,
    },
    listen::{
        acceptor::{Acceptor, BindError},
        address::ListenAddress,
        drain::Drain,
        signals::Signals,
    },
    preflight::{self, PreflightError},
    record::{
        channel::Limits,
        gauges::ProxyGauges,
        recorder::{self, RecorderOptions},
    },
    route::upstream::Upstreams,
};

/// How many threads forward. One carries many times what agents ask for, and a second would cost each exchange more
/// than it is worth in waking and in stealing work.
const WORKERS: usize = 1;
/// How long the recorder may take to write what it has.
const RECORDER_TIMEOUT: Duration = Duration::from_secs(5);

/// Why the daemon does not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// It would run in a way that it must not.
    #[error(transparent)]
    Preflight(#[from] PreflightError),
    /// No place for the state.
    #[error(transparent)]
    NoHome(#[from] NoHomeError),
    /// No trust in anybody.
    #[error("failed to set up tls")]
    Tls(#[from] TlsSetupError),
    /// The address is taken, or not ours.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// Nobody would learn that it is ready.
    #[error(transparent)]
    Ready(#[from] WriteReadyError),
    /// The system refused something.
    #[error("failed to start")]
    System(#[from] io::Error),
}

impl ServeError {
    /// 78 if the configuration must be changed first, otherwise 1.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Preflight(_) | Self::NoHome(_) | Self::Tls(_) => ExitCode::from(78),
            Self::Bind(_) | Self::Ready(_) | Self::System(_) => ExitCode::FAILURE,
        }
    }
}

/// Runs the proxy until a signal ends it.
pub fn run(options: &ServeOptions) -> Result<(), ServeError> {
    let allows_remote = preflight::check_reach(&options.listen, options.allow_remote)?;
    let upstreams = Upstreams::with(options.upstream.iter().cloned());
    let proxies = Proxies::from_env();
    preflight::check_proxies(&proxies, &upstreams)?;
    let client = client::build(tls::client_config(&extra_roots())?, proxies, options.connect_timeout);
    let gauges = Arc::new(ProxyGauges::default());
    let runtime = Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build()?;
    let acceptors = runtime.block_on(bind(&options.listen))?;
    preflight::check_loops(&upstreams, acceptors.iter().map(Acceptor::address))?;
    let (sender, recorder) = recorder::start(recorder_options(options, allows_remote)?, gauges.clone())?;
    let guard =
        Guard { allowed_hosts: options.allow_host.clone(), allowed_origins: options.allow_origin.clone() };
    let forwarder = Arc::new(Forwarder::new(guard, upstreams, client, sender, gauges)?);
    let served = runtime.block_on(serve(options, acceptors, forwarder));
    // Whatever is still in flight is dropped here, and with it the last senders to the recorder.
    shut_down(runtime);
    if !recorder.finish(Instant::now() + RECORDER_TIMEOUT) {
        tracing::warn!("the recorder did not come to an end in time; the last entries may be missing");
    }
    served
}

fn shut_down(runtime: Runtime) {
    runtime.shutdown_timeout(Duration::from_secs(1));
}

fn extra_roots() -> Vec<(&'static str, PathBuf)> {
    let path = |variable| std::env::var_os(variable).filter(|path| !path.is_empty()).map(PathBuf::from);
    tls::EXTRA_ROOTS.into_iter().filter_map(|variable| Some((variable, path(variable)?))).collect()
}

fn recorder_options(options: &ServeOptions, drop_dirs: bool) -> Result<RecorderOptions, NoHomeError> {
    Ok(RecorderOptions {
        state_dir: StateDir::resolve(options.state_dir.clone())?,
        fsync: options.fsync,
        caps: Caps { max_size: options.spool_max_size, max_age: options.spool_max_age },
        limits: Limits::default(),
        drop_dirs,
    })
}

async fn bind(addresses: &[ListenAddress]) -> Result<Vec<Acceptor>, BindError> {
    let mut acceptors = Vec::with_capacity(addresses.len());
    for address in addresses {
        acceptors.push(Acceptor::bind(address.clone()).await?);
    }
    Ok(acceptors)
}

async fn serve(
    options: &ServeOptions,
    acceptors: Vec<Acceptor>,
    forwarder: Arc<Forwarder>,
) -> Result<(), ServeError> {
    let mut signals = Signals::take()?;
    let (drain, in_flight) = Drain::new();
    let addresses: Vec<String> = acceptors.iter().map(|acceptor| acceptor.address().plain()).collect();
    for acceptor in acceptors {
        tokio::spawn(acceptor.run(forwarder.clone(), in_flight.clone()));
    }
    drop((forwarder, in_flight));
    if let Some(path) = &options.ready_file {
        Ready::here(addresses.clone()).write(path)?;
    }
    let status = format!("listening at {}", addresses.join(", "));
    tracing::info!("{status}");
    supervisor::ready(&status);
    tokio::spawn(beat());
    signals.stop().await;
    let status = format!("stopping; exchanges in flight have {} s to end", options.drain_timeout.as_secs());
    tracing::info!("{status}");
    supervisor::stopping(&status);
    tokio::select! {
        drained = timeout(options.drain_timeout, drain.drain()) => {
            if drained.is_err() {
                tracing::warn!("{} still in flight are cut off", drain.in_flight());
            }
        }
        () = signals.stop_at_once() => tracing::warn!("told to stop again: not waiting any longer"),
    }
    Ok(())
}

/// Tells the service manager, if it wants to know, that the runtime makes progress: a task that gets its turn.
async fn beat() {
    let Some(every) = supervisor::beat_every() else { return };
    let mut ticks = interval(every);
    loop {
        ticks.tick().await;
        let told = tokio::task::spawn_blocking(supervisor::beat).await;
        debug_assert!(told.is_ok(), "telling does not panic");
    }
}
