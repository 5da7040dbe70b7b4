//! From what everybody has said to a grant. Pure.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use ccxray_shared::json::{FileProblems, Place, Problem};
use hyper::header::HeaderName;

use super::{
    config::{
        settings::{Located, Settings, check_address},
        shown::{ExpandError, Shown},
        template,
    },
    environment::Environment,
    grant::{ENDUSER, Grant},
    lookup::{Project, Stated},
    reason::Reason,
    tier::{Tier, effective},
};
use crate::{
    deliver::{
        Destination,
        destination::{DestinationError, metrics_address},
        secret::SecretValue,
    },
    pipeline::identity::PipelineKey,
};

/// A variable of the exporter's environment; nothing if it is not set.
pub type Variables<'e> = &'e dyn Fn(&str) -> Option<String>;

/// Everybody but the project.
#[derive(Clone, Copy)]
pub struct Parties<'p> {
    /// The user's own file.
    pub own: Option<&'p Stated>,
    /// The tier of the command line.
    pub ceiling: Option<Tier>,
    /// The `OTEL_*` variables.
    pub environment: &'p Environment,
    /// All variables, for files that may use them.
    pub variables: Variables<'p>,
}

/// Who covers a project in a trusted place.
#[derive(Clone, Debug, PartialEq)]
pub enum Coverage {
    /// Its own file, or the user's.
    Granted(Box<Grant>),
    /// Nobody: it is as if it lay nowhere, but for the tier that a file in it allows at most.
    Uncovered(Option<Tier>),
}

impl Parties<'_> {
    /// What may be sent of the exchanges of a project in a trusted place.
    pub fn project(&self, project: &Project) -> Result<Coverage, Reason> {
        let beside = project.personal.as_slice();
        match &project.file {
            Some(file) => self.with_file(file, beside).map(|grant| Coverage::Granted(Box::new(grant))),
            None => match self.own.filter(|own| covers_projects(&own.settings)) {
                Some(own) => self.alone(own, beside).map(|grant| Coverage::Granted(Box::new(grant))),
                None => match lowest(beside.iter()) {
                    Some((Tier::Disabled, file)) => Err(Reason::Tier0(file.path.clone())),
                    lowest => Ok(Coverage::Uncovered(lowest.map(|(tier, _)| tier))),
                },
            },
        }
    }

    /// What may be sent of exchanges that no file covers: what the command line and the environment say.
    pub fn server(&self) -> Result<Grant, Reason> {
        let asked = match self.ceiling {
            None => return Err(Reason::NoTier),
            Some(Tier::Disabled) => return Err(Reason::SwitchedOff),
            Some(tier) => tier,
        };
        let agreed = self.agree(Some(asked), None, &[])?;
        let target = self.environments_target()?;
        Ok(agreed.grant(target, None))
    }

    /// Everything that is wrong with the user's own file once its variables are looked at.
    pub fn check_own(&self) -> Result<(), FileProblems> {
        let Some(own) = self.own else { return Ok(()) };
        let settings = &own.settings;
        if settings.endpoint.is_some() {
            self.files_target(own, own).map_err(|problem| FileProblems::one(&own.path, problem))?;
        }
        for value in settings.attributes.values().chain(&settings.identity) {
            self.expand(value).map_err(|problem| FileProblems::one(&own.path, problem))?;
        }
        Ok(())
    }

    fn with_file(&self, file: &Stated, beside: &[Stated]) -> Result<Grant, Reason> {
        let agreed = self.agree(file.settings.tier, Some(file), beside)?;
        let with_endpoint = self.own.filter(|own| own.settings.endpoint.is_some());
        let mut target = match with_endpoint {
            _ if file.settings.endpoint.is_some() => self.target(file)?,
            Some(own) => self.target(own)?,
            None => Target { attributes: BTreeMap::new(), ..self.environments_target()? },
        };
        self.add_own_attributes(&mut target)?;
        let attributes = &file.settings.attributes;
        target
            .attributes
            .extend(attributes.iter().map(|(key, value)| (key.clone(), Shown::open(&value.text))));
        target.files.insert(file.path.clone());
        Ok(agreed.grant(target, Some((self.own.map(|own| &own.settings), &file.settings))))
    }

    fn alone(&self, own: &Stated, beside: &[Stated]) -> Result<Grant, Reason> {
        let agreed = self.agree(None, None, beside)?;
        let mut target = self.target(own)?;
        self.add_own_attributes(&mut target)?;
        Ok(agreed.grant(target, Some((None, &own.settings))))
    }

    /// What the tiers of `first`, the project's or the command line's, and of the person come to.
    fn agree(
        &self,
        first: Option<Tier>,
        project: Option<&Stated>,
        beside: &[Stated],
    ) -> Result<Agreed, Reason> {
        let personal = || beside.iter().chain(self.own);
        let lowest = lowest(personal());
        let Some(_) = first.or(lowest.map(|(tier, _)| tier)) else { return Err(Reason::NobodySaid) };
        let said = effective(first, lowest.map(|(tier, _)| tier));
        if said.tier == Tier::Disabled {
            let file = lowest.filter(|(tier, _)| *tier == Tier::Disabled).map(|(_, file)| file).or(project);
            return Err(file.map_or(Reason::SwitchedOff, |file| Reason::Tier0(file.path.clone())));
        }
        self.check_environment()?;
        let mut agreed = Agreed { tier: said.tier, ..Agreed::default() };
        agreed
            .files
            .extend(personal().filter(|stated| stated.settings.tier.is_some()).map(|s| s.path.clone()));
        if said.is_clamped
            && let Some(project) = project
        {
            agreed.note(format!(
                "`{}` allows tier {}; yours counts as that",
                project.path.display(),
                said.tier
            ));
        }
        if let Some(ceiling) = self.ceiling.filter(|&ceiling| ceiling < agreed.tier) {
            if ceiling == Tier::Disabled {
                return Err(Reason::SwitchedOff);
            }
            agreed.tier = ceiling;
            agreed.note(format!("the exporter was started with tier {ceiling}; more does not count"));
        }
        for stated in beside.iter().filter(|stated| !stated.settings.only_lowers_or_names()) {
            agreed.note(format!(
                "`{}`: inside a project only `enabled`, `tier`, `identity` and `opt_in_acknowledged_at` count; the rest \
                 has no effect",
                stated.path.display()
            ));
        }
        if agreed.tier == Tier::Named {
            self.name(&mut agreed, beside)?;
        }
        Ok(agreed)
    }

    /// What the environment has against sending anything.
    fn check_environment(&self) -> Result<(), Reason> {
        let says_otherwise = self.own.is_some_and(|own| own.settings.tier > Some(Tier::Disabled));
        if self.environment.do_not_track && !says_otherwise {
            return Err(Reason::DoNotTrack);
        }
        match &self.environment.is_disabled {
            Ok(false) => Ok(()),
            Ok(true) => Err(Reason::SdkDisabled),
            Err(error) => Err(Reason::Environment(error.to_string())),
        }
    }

    /// Who it is, at tier 2. Who is not named or has not acknowledged it counts at tier 1.
    fn name(&self, agreed: &mut Agreed, beside: &[Stated]) -> Result<(), Reason> {
        let personal = || beside.iter().chain(self.own);
        let identity = personal().find(|stated| stated.settings.identity.is_some());
        let acknowledged = personal().find_map(|stated| stated.settings.acknowledged_at.clone());
        if let (Some(stated), Some(_)) = (identity, &acknowledged)
            && let Some(located) = &stated.settings.identity
        {
            let is_own = self.own.is_some_and(|own| own.path == stated.path);
            if is_own || template::variables(&located.text).next().is_none() {
                let broken = |problem| broken(&stated.path, problem);
                agreed.identity = Some(self.expand(located).map_err(broken)?);
                agreed.acknowledged_at = acknowledged;
                agreed.files.insert(stated.path.clone());
                return Ok(());
            }
        }
        agreed.tier = Tier::Anonymous;
        agreed.note(
            "tier 2 needs your identity and your acknowledgement, without which it counts as tier 1; \
             `ccxray-exporter init --personal --tier 2` asks for both"
                .to_owned(),
        );
        Ok(())
    }

    fn environments_target(&self) -> Result<Target, Reason> {
        let environment = self.environment;
        let misconfigured = |error: &DestinationError| Reason::Environment(error.to_string());
        let destination = environment.destination.as_ref().map_err(misconfigured)?;
        let destination = destination.clone().ok_or(Reason::NoEndpoint)?;
        let attributes = environment.attributes.iter();
        let attributes = attributes.map(|(key, value)| (key.clone(), Shown::open(value))).collect();
        Ok(Target { destination, attributes, files: BTreeSet::new() })
    }

    fn target(&self, file: &Stated) -> Result<Target, Reason> {
        let own = self.own.unwrap_or(file);
        let destination = self.files_target(file, own).map_err(|problem| broken(&file.path, problem))?;
        Ok(Target { destination, attributes: BTreeMap::new(), files: BTreeSet::from([file.path.clone()]) })
    }

    /// The destination that `file` names, which is the user's `own` or may use only what that one allows.
    fn files_target(&self, file: &Stated, own: &Stated) -> Result<Destination, Problem> {
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

    fn expand(&self, value: &Located) -> Result<Shown, Problem> {
        Shown::expand(&value.text, self.variables).map_err(|error| match error {
            ExpandError::Unset(name) => value.problem(format!(
                "${{{name}}} is not set in the exporter's environment; set it, or remove it here"
            )),
            ExpandError::Broken => value.problem("`${` begins no variable"),
        })
    }

    fn add_own_attributes(&self, target: &mut Target) -> Result<(), Reason> {
        let Some(own) = self.own else { return Ok(()) };
        for (key, value) in &own.settings.attributes {
            let value = self.expand(value).map_err(|problem| broken(&own.path, problem))?;
            target.attributes.insert(key.clone(), value);
        }
        Ok(())
    }
}

/// A tier, and who made it.
struct Agreed {
    tier: Tier,
    identity: Option<Shown>,
    acknowledged_at: Option<String>,
    files: BTreeSet<PathBuf>,
    notices: BTreeSet<String>,
}

impl Default for Agreed {
    fn default() -> Self {
        Self {
            tier: Tier::Disabled,
            identity: None,
            acknowledged_at: None,
            files: BTreeSet::new(),
            notices: BTreeSet::new(),
        }
    }
}

/// Where to, and what goes along.
struct Target {
    destination: Destination,
    attributes: BTreeMap<String, Shown>,
    files: BTreeSet<PathBuf>,
}

impl Agreed {
    fn note(&mut self, notice: String) {
        self.notices.insert(notice);
    }

    /// The grant; of the settings, those of the second file go before those of the first.
    fn grant(self, target: Target, settings: Option<(Option<&Settings>, &Settings)>) -> Grant {
        let Target { destination, mut attributes, mut files } = target;
        files.extend(self.files);
        if let Some(identity) = self.identity {
            attributes.insert(ENDUSER.to_owned(), identity);
        }
        let layers: Vec<&Settings> =
            settings.into_iter().flat_map(|(first, second)| first.into_iter().chain([second])).collect();
        let last = |found: fn(&Settings) -> bool| layers.iter().rev().find(|settings| found(settings));
        Grant {
            key: PipelineKey {
                destination: Some(destination.endpoint.name()),
                tier: self.tier.number(),
                attributes: attributes
                    .iter()
                    .map(|(key, value)| (key.clone(), value.expose().to_owned()))
                    .collect(),
            },
            tier: self.tier,
            destination,
            shown: attributes.iter().map(|(key, value)| (key.clone(), value.shown().to_owned())).collect(),
            interval: last(|settings| settings.interval.is_some()).and_then(|settings| settings.interval),
            budgets: layers.iter().flat_map(|settings| settings.budgets.clone()).collect(),
            promote: last(|settings| !settings.promote.is_empty())
                .map(|s| s.promote.clone())
                .unwrap_or_default(),
            files,
            acknowledged_at: self.acknowledged_at,
            notices: self.notices,
            is_standby: false,
        }
    }
}

/// Whether the user's own file alone says enough for projects without a file.
fn covers_projects(own: &Settings) -> bool {
    own.endpoint.is_some() && own.tier.is_some()
}

/// The lowest tier that one of these files states, and that file.
fn lowest<'s>(files: impl Iterator<Item = &'s Stated>) -> Option<(Tier, &'s Stated)> {
    files.filter_map(|file| Some((file.settings.tier?, file))).min_by_key(|(tier, _)| *tier)
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

fn broken(path: &Path, problem: Problem) -> Reason {
    Reason::Broken(FileProblems::one(path, problem).to_string())
}

#[cfg(test)]
mod tests;
