//! What may be sent, and where: the tier and the environment's destination.
//!
//! Nothing leaves the machine unless a tier was given *and* an endpoint is configured. The environment alone never
//! raises a tier.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    deliver::{
        Destination,
        destination::{DestinationError, percent_decode, read},
    },
    pipeline::identity::{ANONYMOUS_ATTRIBUTES, PipelineKey},
};

const DEFAULT_INTERVAL: Duration = Duration::from_mins(1);

/// What the user has agreed to.
#[derive(Debug)]
pub enum Consent {
    /// Nothing is sent. The reason, for the user.
    Nothing(&'static str),
    /// Anonymous totals go to this destination.
    Anonymous {
        /// Where to.
        destination: Box<Destination>,
        /// The attributes of the user's that go along.
        attributes: BTreeMap<String, String>,
    },
}

impl Consent {
    /// The consent that `tier` and the variables of `env` make together. A destination that is misconfigured is an
    /// error only if it would be used.
    pub fn from_env(tier: u8, env: &impl Fn(&str) -> Option<String>) -> Result<Self, DestinationError> {
        if tier == 0 {
            return Ok(Self::Nothing("no tier was given"));
        }
        if read(env, "DO_NOT_TRACK").is_some_and(|value| value != "0") {
            return Ok(Self::Nothing("DO_NOT_TRACK is set"));
        }
        let Some(destination) = Destination::from_env(env)? else {
            return Ok(Self::Nothing("no endpoint is configured; set OTEL_EXPORTER_OTLP_ENDPOINT"));
        };
        if tier > 1 {
            // Tier 2 names a person, and nobody has said whom.
            tracing::warn!("tier {tier} needs an acknowledged identity; without one it counts as tier 1");
        }
        Ok(Self::Anonymous { destination: Box::new(destination), attributes: attributes(env) })
    }

    /// Where to, if anywhere.
    pub fn destination(&self) -> Option<&Destination> {
        match self {
            Self::Nothing(_) => None,
            Self::Anonymous { destination, .. } => Some(destination),
        }
    }

    /// What makes the destination's pipeline.
    pub fn key(&self) -> Option<PipelineKey> {
        match self {
            Self::Nothing(_) => None,
            Self::Anonymous { destination, attributes } => Some(PipelineKey {
                destination: Some(destination.endpoint.to_string()),
                tier: 1,
                attributes: attributes.clone(),
            }),
        }
    }

    /// One line on what is sent, for people.
    pub fn summary(&self) -> String {
        match self {
            Self::Nothing(why) => format!("nothing leaves this machine ({why})"),
            Self::Anonymous { destination, .. } => {
                format!("ccxray OTel tier: 1 (anonymous) → {}", destination.endpoint)
            }
        }
    }

    /// Says at the start what is sent.
    pub fn announce(&self) {
        tracing::info!("{}", self.summary());
    }
}

/// The length of a window: the option, else `OTEL_METRIC_EXPORT_INTERVAL` in milliseconds, else a minute.
pub fn interval(option: Option<Duration>, env: &impl Fn(&str) -> Option<String>) -> Duration {
    let variable = "OTEL_METRIC_EXPORT_INTERVAL";
    let from_env = || {
        let text = read(env, variable)?;
        let parsed = text.parse().ok().filter(|&millis| millis > 0).map(Duration::from_millis);
        if parsed.is_none() {
            tracing::warn!(
                "{variable} is `{text}`, not a number of milliseconds above 0; using {DEFAULT_INTERVAL:?}"
            );
        }
        parsed
    };
    option.filter(|interval| !interval.is_zero()).or_else(from_env).unwrap_or(DEFAULT_INTERVAL)
}

/// The attributes of `OTEL_RESOURCE_ATTRIBUTES` that name nobody; the others are left out, with a notice.
fn attributes(env: &impl Fn(&str) -> Option<String>) -> BTreeMap<String, String> {
    let list = read(env, "OTEL_RESOURCE_ATTRIBUTES").unwrap_or_default();
    let mut attributes = BTreeMap::new();
    for pair in list.split(',').filter(|pair| !pair.trim().is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let key = key.trim();
        let value = percent_decode(value.trim()).and_then(|bytes| String::from_utf8(bytes).ok());
        match value {
            Some(value) if ANONYMOUS_ATTRIBUTES.contains(&key) => {
                attributes.insert(key.to_owned(), value);
            }
            _ => tracing::warn!(
                "OTEL_RESOURCE_ATTRIBUTES: `{key}` is not sent; tier 1 sends {}",
                ANONYMOUS_ATTRIBUTES.join(", ")
            ),
        }
    }
    attributes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn consent(tier: u8, variables: &[(&str, &str)]) -> Consent {
        let env =
            |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        Consent::from_env(tier, &env).unwrap()
    }

    const ENDPOINT: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318");

    #[test]
    fn nothing_is_sent_without_a_tier_and_an_endpoint() {
        assert!(consent(0, &[ENDPOINT]).destination().is_none());
        assert!(consent(1, &[]).destination().is_none());
        assert!(consent(1, &[ENDPOINT, ("DO_NOT_TRACK", "1")]).destination().is_none());
        assert!(consent(1, &[ENDPOINT, ("OTEL_SDK_DISABLED", "true")]).destination().is_none());
        assert!(consent(1, &[ENDPOINT]).destination().is_some());
    }

    #[test]
    fn tier_2_without_an_identity_counts_as_1() {
        assert_eq!(consent(2, &[ENDPOINT]).key().unwrap().tier, 1);
    }

    #[test]
    fn only_attributes_that_name_nobody_go_along() {
        let list = "team=a%20b,host.name=secret,user.id=me,deployment.environment.name=ci";
        let key = consent(1, &[ENDPOINT, ("OTEL_RESOURCE_ATTRIBUTES", list)]).key().unwrap();
        let expected = [("deployment.environment.name", "ci"), ("team", "a b")];
        assert_eq!(key.attributes, expected.map(|(k, v)| (k.to_owned(), v.to_owned())).into());
    }

    #[test]
    fn the_interval_is_the_options_then_the_environments() {
        let env = |name: &str| (name == "OTEL_METRIC_EXPORT_INTERVAL").then(|| "5000".to_owned());
        assert_eq!(interval(Some(Duration::from_secs(1)), &env), Duration::from_secs(1));
        assert_eq!(interval(None, &env), Duration::from_secs(5));
        assert_eq!(interval(None, &|_| Some("soon".to_owned())), DEFAULT_INTERVAL);
    }
}
