//! The daemon, from its options to its end.
//!
//! The engine has a thread of its own, and so have the files behind the consents; everything that talks to a socket is on
//! one tokio runtime beside them. They meet in few places: the engine's commands, and its `lines` to what is agreed to and
//! to the `fleet` of workers, one per pipeline.

pub mod error;
mod fleet;
mod heartbeat;
mod lines;
mod local_data;
pub mod lock;
pub mod own_rules;
mod self_figures;
mod signals;
mod stop;

use std::{collections::BTreeSet, io, path::Path, sync::Arc, time::Duration};

use ccxray_shared::{
    UnixMillis,
    daemon::{guard::Guard, ready::Ready, supervisor},
    private,
    state_dir::StateDir,
};
use tokio::runtime;

pub use self::error::RunError;
use self::{fleet::Fleet, lines::Lines, local_data::EngineData, signals::Signals, stop::Stop};
use crate::{
    checkpoint::{Loaded, State, Store},
    cli::{Local, RunOptions},
    consent::{Consents, Keeper, Watcher, environment, keeper::Sources},
    deliver::Figures,
    engine::{Commands, Core, CoreOptions, Engine, EngineOptions, random_bits},
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
    let mut keeper = Keeper::start(Sources::of_this_user(&state_dir, options.tier))?;
    let prices = own_rules::take_over(options.data_dir.as_deref(), options.prices.as_deref())?;
    for dir in [state_dir.spool(), state_dir.exporter()] {
        private::ensure_dir(&dir)?;
    }
    let _lock = lock::acquire(&state_dir.exporter())?;
    let loaded = Store::new(&state_dir.exporter()).load()?;
    let (source, state) = remembered(&state_dir.spool(), loaded)?;
    let core_options = CoreOptions {
        interval: environment::interval(options.interval, &|name: &str| std::env::var(name).ok()),
        resume_grace: options.resume_grace,
        consents: agreed_again(&mut keeper, state.as_ref()),
        prices,
    };
    let core = Core::start(core_options, state, UnixMillis::now(), random_bits);
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let served = runtime.block_on(serve(options, &state_dir, keeper, core, source));
    runtime.shutdown_timeout(Duration::ZERO);
    served
}

/// What holds, with the directories that the last run knew looked at again, and the projects of its pipelines: one that
/// others have pushed out of mind is not to begin anew.
pub(crate) fn agreed_again(keeper: &mut Keeper, state: Option<&State>) -> Arc<Consents> {
    let Some(state) = state else { return keeper.consents() };
    let files =
        state.pipelines.iter().filter_map(|saved| saved.agreed.as_ref()).flat_map(|agreed| &agreed.files);
    let projects = files.filter_map(|file| file.parent()?.to_str());
    keeper.explore(state.directories.iter().map(|seen| seen.dir.as_str()).chain(projects))
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
    keeper: Keeper,
    core: Core,
    source: Source,
) -> Result<(), RunError> {
    let signals = Signals::listen()?;
    let local = match options.local {
        Local::Off => None,
        Local::At(address) => Some(local::bind(address, Guard::default()).await?),
    };
    let addresses = local.iter().map(|server| server.address().to_string()).collect();
    let (commands, orders) = Commands::new();
    let figures = Arc::new(Figures::new()?);
    let consents = keeper.consents();
    let in_dir = state_dir.exporter();
    let fleet = Arc::new(Fleet::new(Arc::clone(&consents), commands.clone(), figures.clone(), in_dir));
    let summary = launch(&fleet, &figures, &core, &consents)?;
    let lines = lines(keeper, &fleet, &commands)?;
    let _watch = {
        let commands = commands.clone();
        source::watch::watch(&state_dir.spool(), move || commands.wake())
    };
    let vitals = orders.vitals();
    let mut engine = Engine::new(EngineOptions {
        state_dir: state_dir.clone(),
        core,
        source,
        outlet: Box::new(lines),
        figures: figures.clone(),
    });
    engine.remember_beginning();
    let engine = std::thread::Builder::new().name("engine".to_owned()).spawn(move || engine.run(&orders))?;
    tokio::spawn(heartbeat::beat(vitals.clone()));
    if let Some(server) = local {
        tracing::info!("local page on http://{}/", server.address());
        tokio::spawn(server.serve(EngineData::new(commands.clone(), vitals, figures.clone(), fleet.clone())));
    }
    if let Some(path) = &options.ready_file {
        Ready::here(addresses).write(path)?;
    }
    supervisor::ready(&summary);
    signals.stop().await;
    figures.end();
    supervisor::stopping("stopping");
    Stop { commands, engine, fleet }.carry_out(options.flush_on_stop).await;
    Ok(())
}

/// Has every pipeline begin that is agreed to, and says so; a line on it for the page and for the service manager.
fn launch(
    fleet: &Arc<Fleet>,
    figures: &Figures,
    core: &Core,
    consents: &Consents,
) -> Result<String, RunError> {
    for exported in core.exported() {
        fleet.open(exported)?;
    }
    let summaries: BTreeSet<String> =
        core.exported().iter().map(|exported| exported.grant().summary()).collect();
    if summaries.is_empty() {
        figures.note_nothing_agreed();
        tracing::info!("{}", consents.summary());
        return Ok(consents.summary());
    }
    Ok(summaries.into_iter().collect::<Vec<_>>().join("; "))
}

/// What the engine holds of the world. What changes is known to the fleet first.
fn lines(keeper: Keeper, fleet: &Arc<Fleet>, commands: &Commands) -> Result<Lines, RunError> {
    let (tell_engine, changes) = crossbeam_channel::unbounded();
    let (first, commands) = (Arc::clone(fleet), commands.clone());
    let watcher = Watcher::start(keeper, move |consents| {
        first.agree(Arc::clone(&consents));
        // An engine that has ended does not hear it.
        let _ = tell_engine.send(consents);
        commands.wake();
    })?;
    Ok(Lines { fleet: Arc::clone(fleet), watcher, changes })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::{
        checkpoint::{Agreed, SavedPipeline},
        consent::{own::Home, trust::TrustStore},
        pipeline::{
            Pipeline,
            identity::{Identity, InstanceId, PipelineKey},
        },
    };

    #[test]
    fn a_pipelines_project_is_known_again_even_if_its_directory_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let top = dir.path().canonicalize().unwrap();
        let file = top.join("app/.ccxray.json");
        fs::create_dir(top.join("app")).unwrap();
        fs::write(&file, r#"{"otel":{"tier":1,"endpoint":"https://app.example"}}"#).unwrap();
        let own = format!(r#"{{"otel":{{"trusted_roots":["{}"]}}}}"#, top.display());
        fs::write(top.join(".ccxray.user.json"), own).unwrap();
        let mut keeper = Keeper::start(Sources {
            home: Home { home: Some(top.clone()), config: None },
            trust: TrustStore::new(&top),
            ceiling: None,
            told: None,
            variables: Box::new(|_| None),
        })
        .unwrap();
        let identity = Identity { key: PipelineKey::local(), instance: InstanceId::from_bits(1) };
        let saved = SavedPipeline::local(Pipeline::new(identity, UnixMillis(0)).to_state(), UnixMillis(0));
        let agreed = Some(Agreed { files: [file].into(), ..Agreed::default() });
        let state = State { pipelines: vec![SavedPipeline { agreed, ..saved }], ..State::default() };
        assert!(agreed_again(&mut keeper, None).grants().is_empty());
        assert_eq!(agreed_again(&mut keeper, Some(&state)).grants().len(), 1);
    }
}
