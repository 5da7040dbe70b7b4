//! Whose next request it is: the running exporter's, or that of one that is started now.

use std::{fmt::Write as _, time::Duration};

use ccxray_shared::{UnixMillis, state_dir::StateDir};

use crate::{
    checkpoint::{State, Store},
    cli::PreviewOptions,
    consent::{Grant, Keeper, Reason, environment, keeper::Sources},
    deliver::{Destination, payload::Compression},
    engine::{Core, CoreOptions, random_bits},
    pipeline::identity::PipelineKey,
    preview::PreviewError,
    run::{lock, own_rules, remembered},
    source::Source,
};

/// An exporter as it stands now, with nothing around it.
#[derive(Debug)]
pub struct Subject {
    /// Its windows and pipelines.
    pub core: Core,
    /// The spool, at its positions.
    pub source: Source,
    about: String,
}

impl Subject {
    /// Without a tier in `options` it is the running exporter with what it has consent for; else one that is started
    /// at `now` with `options`, or that was started with them.
    pub fn find(
        options: &PreviewOptions,
        state_dir: &StateDir,
        now: UnixMillis,
    ) -> Result<Self, PreviewError> {
        let consents = Keeper::start(Sources::of_this_user(state_dir, options.tier))?.consents();
        let prices = own_rules::take_over(options.data_dir.as_deref(), options.prices.as_deref())?;
        let is_running = lock::holder(&state_dir.exporter()).is_some();
        let spool = state_dir.spool();
        let loaded = Store::new(&state_dir.exporter()).peek()?;
        let (source, state) =
            remembered(&spool, loaded).map_err(|source| PreviewError::Spool { dir: spool, source })?;
        let running = state.as_ref().filter(|_| is_running);
        let sent = running.filter(|_| options.tier.is_none()).and_then(sent_to);
        let about = match &sent {
            Some(key) => about_key(key),
            None => about_consent(consents.server()),
        };
        let interval = running.filter(|_| options.interval.is_none()).and_then(interval_of);
        let core_options = CoreOptions {
            interval: interval.unwrap_or_else(|| {
                environment::interval(options.interval, &|name: &str| std::env::var(name).ok())
            }),
            resume_grace: options.resume_grace,
            destination: sent.or_else(|| consents.server().ok().map(|grant| grant.key.clone())),
            prices,
        };
        let core = if is_running {
            Core::alongside(core_options, state, now, random_bits)
        } else {
            Core::start(core_options, state, now, random_bits)
        };
        Ok(Self { core, source, about })
    }

    /// Where the request will go, for people, a line each; of the headers only the names.
    pub fn about(&self) -> &str {
        &self.about
    }
}

fn sent_to(state: &State) -> Option<PipelineKey> {
    let mut keys = state.pipelines.iter().map(|saved| &saved.state.identity.key);
    keys.find(|key| key.destination.is_some()).cloned()
}

fn interval_of(state: &State) -> Option<Duration> {
    state.writer.as_ref().map(|writer| Duration::from_millis(writer.interval_ms))
}

fn about_key(key: &PipelineKey) -> String {
    let endpoint = key.destination.as_deref().unwrap_or_default();
    format!("POST {endpoint} (tier {}), as the running exporter was told\n", key.tier)
}

fn about_consent(granted: Result<&Grant, &Reason>) -> String {
    let grant = match granted {
        Ok(grant) => grant,
        Err(reason) => return format!("nothing leaves this machine ({reason})\n"),
    };
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
    use crate::consent::{Environment, Tier, resolve::Parties};

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

    fn granted(ceiling: Option<Tier>) -> Result<Grant, Reason> {
        let environment = Environment::read(&env);
        Parties { own: None, ceiling, environment: &environment, variables: &env }.server()
    }

    #[test]
    fn the_destination_is_told_without_its_secrets() {
        let about = about_consent(granted(Some(Tier::Anonymous)).as_ref());
        let expected = "\
POST https://otel.example/v1/metrics?*** (tier 1)
content-type: application/x-protobuf
content-encoding: gzip
authorization: ***
x-scope: ***
";
        assert_eq!(about, expected);
    }

    #[test]
    fn without_consent_it_says_why_nothing_is_sent() {
        let about = about_consent(granted(None).as_ref());
        assert_eq!(about, "nothing leaves this machine (no tier was given)\n");
    }
}
