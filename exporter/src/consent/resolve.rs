//! From what everybody has said to a grant. Pure.
//!
//! `agreed`: the tier, and in whose name. `target`: where to, and what goes along.

mod agreed;
mod target;

use std::collections::BTreeMap;

use ccxray_shared::json::FileProblems;

use self::{agreed::lowest, target::Target};
use super::{
    config::{Settings, shown::Shown},
    environment::Environment,
    grant::Grant,
    lookup::{Project, Stated},
    reason::Reason,
    tier::Tier,
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
}

/// Whether the user's own file alone says enough for projects without a file.
fn covers_projects(own: &Settings) -> bool {
    own.endpoint.is_some() && own.tier.is_some()
}

#[cfg(test)]
mod tests;
