//! Where to, and what goes along.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use ccxray_shared::json::{FileProblems, Place, Problem};
use hyper::header::HeaderName;

use super::Parties;
use crate::{
    consent::{
        config::{
            Settings,
            settings::{Located, check_address},
            shown::{ExpandError, Shown},
            template,
        },
        lookup::Stated,
        reason::Reason,
    },
    deliver::{
        Destination,
        destination::{DestinationError, metrics_address},
        secret::SecretValue,
    },
};

/// Where to, and what goes along.
pub(super) struct Target {
    pub(super) destination: Destination,
    pub(super) attributes: BTreeMap<String, Shown>,
    pub(super) files: BTreeSet<PathBuf>,
}

impl Parties<'_> {
    pub(super) fn environments_target(&self) -> Result<Target, Reason> {
        let environment = self.environment;
        let misconfigured = |error: &DestinationError| Reason::Environment(error.to_string());
        let destination = environment.destination.as_ref().map_err(misconfigured)?;
        let destination = destination.clone().ok_or(Reason::NoEndpoint)?;
        let attributes = environment.attributes.iter();
        let attributes = attributes.map(|(key, value)| (key.clone(), Shown::open(value))).collect();
        Ok(Target { destination, attributes, files: BTreeSet::new() })
    }

    pub(super) fn target(&self, file: &Stated) -> Result<Target, Reason> {
        let own = self.own.unwrap_or(file);
        let destination = self.files_target(file, own).map_err(|problem| broken(&file.path, problem))?;
        Ok(Target { destination, attributes: BTreeMap::new(), files: BTreeSet::from([file.path.clone()]) })
    }

    /// The destination that `file` names, which is the user's `own` or may use only what that one allows.
    pub(super) fn files_target(&self, file: &Stated, own: &Stated) -> Result<Destination, Problem> {
        let Some(located) = &file.settings.endpoint else {
            return Err(Problem::new(Place::default(), "otel", "this names no endpoint"));
        };
        let is_own = self.own.is_some_and(|own| own.path == file.path);
        let address = if is_own { self.expand(located)? } else { Shown::open(&located.text) };
        let headers = &file.settings.headers;
        let check = |address: &str| check_address(address, !headers.is_empty());
        let mut endpoint = check(address.expose()).map_err(|what| located.problem(what))?;
        if address.shown() != address.expose() {
            endpoint = endpoint.masked(metrics_address(address.shown()));
        }
        let headers = headers.iter().map(|(name, value)| {
            if !is_own {
                check_allowed(value, &own.settings, self.own.is_some())?;
            }
            self.header(name, value)
        });
        let headers = headers.collect::<Result<_, _>>()?;
        Destination::at(endpoint, headers, &|name: &str| (self.variables)(name))
            .map_err(|error| located.problem(error.to_string()))
    }

    fn header(&self, name: &HeaderName, value: &Located) -> Result<(HeaderName, SecretValue), Problem> {
        let expanded = self.expand(value)?;
        let secret = SecretValue::new(expanded.expose().as_bytes());
        let secret = secret
            .ok_or_else(|| value.problem("this is no header's value once its variables are resolved"))?;
        Ok((name.clone(), secret))
    }

    pub(super) fn expand(&self, value: &Located) -> Result<Shown, Problem> {
        Shown::expand(&value.text, self.variables).map_err(|error| match error {
            ExpandError::Unset(name) => value.problem(format!(
                "${{{name}}} is not set in the exporter's environment; set it, or remove it here"
            )),
            ExpandError::Broken => value.problem("`${` begins no variable"),
        })
    }

    pub(super) fn add_own_attributes(&self, target: &mut Target) -> Result<(), Reason> {
        let Some(own) = self.own else { return Ok(()) };
        for (key, value) in &own.settings.attributes {
            let value = self.expand(value).map_err(|problem| broken(&own.path, problem))?;
            target.attributes.insert(key.clone(), value);
        }
        Ok(())
    }
}

/// A project's header may use only variables that the user's own file names.
fn check_allowed(value: &Located, own: &Settings, has_own: bool) -> Result<(), Problem> {
    let is_allowed = |name: &str| has_own && own.allow_env.contains(name) && !template::is_provider_key(name);
    match template::variables(&value.text).find(|name| !is_allowed(name)) {
        None => Ok(()),
        Some(name) => Err(value.problem(format!(
            "${{{name}}} is used by a project; if it may have it, add it to `allow_env` in the .ccxray.user.json of your \
             home directory"
        ))),
    }
}

pub(super) fn broken(path: &Path, problem: Problem) -> Reason {
    Reason::Broken(FileProblems::one(path, problem).to_string())
}
