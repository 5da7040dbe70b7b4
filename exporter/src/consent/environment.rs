//! The environment's word: `OTEL_*` and `DO_NOT_TRACK`. It never raises a tier.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    deliver::{
        Destination,
        destination::{DestinationError, is_disabled, percent_decode, read},
    },
    pipeline::identity::ANONYMOUS_ATTRIBUTES,
};

const DEFAULT_INTERVAL: Duration = Duration::from_mins(1);

/// What the environment says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    /// Whether nothing is to be sent unless the person's own file says otherwise.
    pub do_not_track: bool,
    /// Whether OpenTelemetry is switched off, or why that cannot be told.
    pub is_disabled: Result<bool, DestinationError>,
    /// The destination, if one is named; a mistake in it matters only if it would be used.
    pub destination: Result<Option<Destination>, DestinationError>,
    /// The attributes that go along to that destination.
    pub attributes: BTreeMap<String, String>,
    /// Attributes that do not, because tier 1 does not allow them.
    pub ignored: Vec<String>,
}

impl Environment {
    /// Reads the variables that `env` knows.
    pub fn read(env: &dyn Fn(&str) -> Option<String>) -> Self {
        let env = &|name: &str| env(name);
        let (attributes, ignored) = attributes(&read(env, "OTEL_RESOURCE_ATTRIBUTES").unwrap_or_default());
        Self {
            do_not_track: read(env, "DO_NOT_TRACK").is_some_and(|value| value != "0" && value != "false"),
            is_disabled: is_disabled(env),
            destination: Destination::from_env(env),
            attributes,
            ignored,
        }
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

/// The attributes in `list` that name nobody, and the names of the others.
fn attributes(list: &str) -> (BTreeMap<String, String>, Vec<String>) {
    let mut attributes = BTreeMap::new();
    let mut ignored = Vec::new();
    for pair in list.split(',').filter(|pair| !pair.trim().is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let key = key.trim();
        let value = percent_decode(value.trim()).and_then(|bytes| String::from_utf8(bytes).ok());
        match value {
            Some(value) if ANONYMOUS_ATTRIBUTES.contains(&key) => {
                attributes.insert(key.to_owned(), value);
            }
            _ => ignored.push(key.to_owned()),
        }
    }
    (attributes, ignored)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        Environment::read(&|name| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn only_attributes_that_name_nobody_go_along() {
        let list =
            "team=a%20b,host.name=secret,user.id=me,deployment.environment.name=ci,enduser.id=me,team=%zz";
        let environment = environment(&[("OTEL_RESOURCE_ATTRIBUTES", list)]);
        let expected = [("deployment.environment.name", "ci"), ("team", "a b")];
        assert_eq!(environment.attributes, expected.map(|(k, v)| (k.to_owned(), v.to_owned())).into());
        assert_eq!(environment.ignored, ["host.name", "user.id", "enduser.id", "team"]);
    }

    #[test]
    fn to_be_tracked_or_not_is_said_by_a_word_that_is_not_0() {
        assert!(environment(&[("DO_NOT_TRACK", "1")]).do_not_track);
        for value in ["", "0", "false"] {
            assert!(!environment(&[("DO_NOT_TRACK", value)]).do_not_track, "{value}");
        }
    }

    #[test]
    fn the_interval_is_the_options_then_the_environments() {
        let env = |name: &str| (name == "OTEL_METRIC_EXPORT_INTERVAL").then(|| "5000".to_owned());
        assert_eq!(interval(Some(Duration::from_secs(1)), &env), Duration::from_secs(1));
        assert_eq!(interval(None, &env), Duration::from_secs(5));
        assert_eq!(interval(None, &|_| Some("soon".to_owned())), DEFAULT_INTERVAL);
    }
}
