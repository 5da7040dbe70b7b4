//! Whose next requests they are: the running exporter's, or those of one that is started now.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    io,
    time::Duration,
};

use ccxray_shared::{UnixMillis, state_dir::StateDir};

use super::next::{self, Next};
use crate::{
    checkpoint::{SavedPipeline, State, Store},
    cli::PreviewOptions,
    consent::{Decision, Grant, Keeper, Tier, environment, keeper::Sources},
    deliver::{Destination, endpoint::Endpoint, payload::Compression},
    engine::{Core, CoreOptions, Exported, PipelineId, random_bits},
    pipeline::identity::PipelineKey,
    preview::PreviewError,
    run::{agreed_again, lock, own_rules, remembered},
    source::Source,
};

/// An exporter as it stands now, with nothing around it.
#[derive(Debug)]
pub struct Subject {
    core: Core,
    source: Source,
    keeper: Keeper,
    /// What the running exporter was told, which nobody else knows the headers of.
    told: Option<PipelineKey>,
}

impl Subject {
    /// Without a tier in `options` it is the running exporter with what it has consent for; else one that is started
    /// at `now` with `options`, or that was started with them.
    pub fn find(
        options: &PreviewOptions,
        state_dir: &StateDir,
        now: UnixMillis,
    ) -> Result<Self, PreviewError> {
        let is_running = lock::holder(&state_dir.exporter()).is_some();
        let spool = state_dir.spool();
        let loaded = Store::new(&state_dir.exporter()).peek()?;
        let (source, state) =
            remembered(&spool, loaded).map_err(|source| PreviewError::Spool { dir: spool, source })?;
        let running = state.as_ref().filter(|_| is_running);
        let told = running.filter(|_| options.tier.is_none()).and_then(told);
        let told_key = told.as_ref().map(|grant| grant.key.clone());
        let mut keeper = Keeper::start(Sources { told, ..Sources::of_this_user(state_dir, options.tier) })?;
        let prices = own_rules::take_over(options.data_dir.as_deref(), options.prices.as_deref())?;
        agreed_again(&mut keeper, state.as_ref());
        let consents = keeper.explore(project(options).as_deref());
        let interval = running.filter(|_| options.interval.is_none()).and_then(interval_of);
        let core_options = CoreOptions {
            interval: interval.unwrap_or_else(|| {
                environment::interval(options.interval, &|name: &str| std::env::var(name).ok())
            }),
            resume_grace: options.resume_grace,
            consents,
            prices,
        };
        let core = if is_running {
            Core::alongside(core_options, state, now, random_bits)
        } else {
            Core::start(core_options, state, now, random_bits)
        };
        Ok(Self { core, source, keeper, told: told_key })
    }

    /// The next request of each pipeline that has something to say.
    pub fn next_requests(&mut self, now: UnixMillis) -> io::Result<BTreeMap<PipelineId, Next>> {
        let Self { core, source, keeper, .. } = self;
        next::requests(core, source, now, |dir| keeper.explore([dir]))
    }

    /// The pipelines that `options` asks for, or why there is none.
    pub fn wanted(&self, options: &PreviewOptions) -> Result<Vec<&Exported>, String> {
        let consents = self.keeper.consents();
        let mut wanted: Vec<&Exported> = self.core.exported().iter().collect();
        if let Some(dir) = project(options) {
            let key = match consents.decide_for(Some(&dir), None, None) {
                Decision::Count(grant) => &grant.key,
                Decision::Nothing(reason) => return Err(format!("nothing leaves this machine ({reason})")),
                Decision::StampedOut | Decision::Unexplored(_) => {
                    return Err("nothing leaves this machine (the directory cannot be looked at)".to_owned());
                }
            };
            wanted.retain(|exported| exported.grant().key == *key);
        }
        if let Some(to) = &options.to {
            wanted.retain(|exported| exported.grant().destination.endpoint.to_string().starts_with(to));
            if wanted.is_empty() {
                let there_are =
                    self.core.exported().iter().map(|each| each.grant().destination.endpoint.to_string());
                let there_are = there_are.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(", ");
                return Err(format!("nothing goes to {to}; the destinations are: {there_are}"));
            }
        }
        if wanted.is_empty() { Err(consents.summary()) } else { Ok(wanted) }
    }

    /// Where the request will go, for people, a line each; of the headers only the names.
    pub fn about(&self, exported: &Exported) -> String {
        let grant = exported.grant();
        if self.told.as_ref() == Some(&grant.key) {
            let (endpoint, tier) = (&grant.destination.endpoint, grant.key.tier);
            return format!("POST {endpoint} (tier {tier}), as the running exporter was told\n");
        }
        about(grant)
    }
}

/// The project that is asked for, as entries name it.
fn project(options: &PreviewOptions) -> Option<String> {
    let dir = options.project.as_ref()?;
    let dir = dir.canonicalize().or_else(|_| std::path::absolute(dir)).ok()?;
    Some(dir.to_str()?.to_owned())
}

/// What the running exporter was told of exchanges that no file covers: its command line and environment are not ours.
fn told(state: &State) -> Option<Grant> {
    let exported = || state.pipelines.iter().filter(|saved| saved.state.identity.key.destination.is_some());
    let server = exported().find(|saved| match &saved.agreed {
        Some(agreed) => agreed.is_server,
        // An early build knew no others.
        None => true,
    });
    server.and_then(granted)
}

fn granted(saved: &SavedPipeline) -> Option<Grant> {
    let key = saved.state.identity.key.clone();
    let endpoint = saved.agreed.as_ref().map(|agreed| agreed.endpoint.clone()).or(key.destination.clone())?;
    let shown =
        saved.agreed.as_ref().map_or_else(|| key.attributes.clone(), |agreed| agreed.attributes.clone());
    let destination = Destination {
        endpoint: Endpoint::read(&endpoint).ok()?,
        headers: Vec::new(),
        compression: Compression::Gzip,
        timeout: Duration::ZERO,
        extra_ca: None,
    };
    Some(Grant {
        tier: Tier::from_number(key.tier.into())?,
        destination,
        shown,
        interval: None,
        budgets: BTreeMap::new(),
        promote: Vec::new(),
        files: BTreeSet::new(),
        acknowledged_at: None,
        notices: BTreeSet::new(),
        is_standby: false,
        key,
    })
}

fn interval_of(state: &State) -> Option<Duration> {
    state.writer.as_ref().map(|writer| Duration::from_millis(writer.interval_ms))
}

fn about(grant: &Grant) -> String {
    let Destination { endpoint, headers, compression, .. } = &grant.destination;
    let mut about =
        format!("POST {endpoint} (tier {})\ncontent-type: application/x-protobuf\n", grant.key.tier);
    match compression {
        Compression::Gzip => about.push_str("content-encoding: gzip\n"),
        Compression::None => {}
    }
    for (name, value) in headers {
        // A secret is written as ***.
        let _ = writeln!(about, "{name}: {value:?}");
    }
    about
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::consent::{Environment, resolve::Parties};

    const QUERY: &str = "canary-query";
    const HEADER: &str = "canary-header";

    fn env(name: &str) -> Option<String> {
        match name {
            "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT" => {
                Some(format!("https://otel.example/v1/metrics?key={QUERY}"))
            }
            "OTEL_EXPORTER_OTLP_HEADERS" => Some(format!("authorization=Bearer {HEADER},x-scope=team")),
            _ => None,
        }
    }

    fn granted() -> Grant {
        let environment = Environment::read(&env);
        let ceiling = Some(Tier::Anonymous);
        Parties { own: None, ceiling, environment: &environment, variables: &env }.server().unwrap()
    }

    #[test]
    fn the_destination_is_told_without_its_secrets() {
        let about = about(&granted());
        let expected = "\
POST https://otel.example/v1/metrics?*** (tier 1)
content-type: application/x-protobuf
content-encoding: gzip
authorization: ***
x-scope: ***
";
        assert_eq!(about, expected);
    }
}
