//! The tier that everybody has agreed to, and in whose name.

use std::{collections::BTreeSet, path::PathBuf};

use super::{
    Parties,
    target::{Target, broken},
};
use crate::{
    consent::{
        config::{Settings, settings::Located, shown::Shown, template},
        grant::{ENDUSER, Grant},
        lookup::Stated,
        reason::Reason,
        tier::{Tier, effective},
    },
    pipeline::identity::PipelineKey,
};

/// A tier, and who made it.
pub(super) struct Agreed {
    pub(super) tier: Tier,
    pub(super) identity: Option<Shown>,
    pub(super) acknowledged_at: Option<String>,
    pub(super) files: BTreeSet<PathBuf>,
    pub(super) notices: BTreeSet<String>,
}

impl Agreed {
    fn at(tier: Tier) -> Self {
        let (files, notices) = (BTreeSet::new(), BTreeSet::new());
        Self { tier, identity: None, acknowledged_at: None, files, notices }
    }

    fn note(&mut self, notice: String) {
        self.notices.insert(notice);
    }

    /// The grant; of the settings, those of the second file go before those of the first.
    pub(super) fn grant(self, target: Target, settings: Option<(Option<&Settings>, &Settings)>) -> Grant {
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

impl Parties<'_> {
    /// What the tiers of `first`, the project's or the command line's, and of the person come to.
    pub(super) fn agree(
        &self,
        first: Option<Tier>,
        project: Option<&Stated>,
        beside: &[Stated],
    ) -> Result<Agreed, Reason> {
        let personal = || beside.iter().chain(self.own);
        let lowest = lowest(personal());
        let own = self.own.and_then(|own| own.settings.tier);
        if first.or(own).is_none() && lowest.is_none_or(|(tier, _)| tier > Tier::Disabled) {
            // A personal file in a project only lowers what somebody else has said.
            return Err(Reason::NobodySaid);
        }
        let said = effective(first, lowest.map(|(tier, _)| tier));
        if said.tier == Tier::Disabled {
            let file = lowest.filter(|(tier, _)| *tier == Tier::Disabled).map(|(_, file)| file).or(project);
            return Err(file.map_or(Reason::SwitchedOff, |file| Reason::Tier0(file.path.clone())));
        }
        self.check_environment()?;
        let tier = match self.ceiling {
            Some(Tier::Disabled) => return Err(Reason::SwitchedOff),
            Some(ceiling) => said.tier.min(ceiling),
            None => said.tier,
        };
        let mut agreed = Agreed::at(tier);
        let stating = personal().filter(|stated| stated.settings.tier.is_some());
        agreed.files.extend(stating.map(|stated| stated.path.clone()));
        if let Some(project) = project.filter(|_| said.is_clamped) {
            agreed.note(format!(
                "`{}` allows tier {}; yours counts as that",
                project.path.display(),
                said.tier
            ));
        }
        if tier < said.tier {
            agreed.note(format!("the exporter was started with tier {tier}; more does not count"));
        }
        for stated in beside.iter().filter(|stated| !stated.settings.only_lowers_or_names()) {
            agreed.note(without_effect(stated));
        }
        match tier {
            Tier::Named => self.name(agreed, beside),
            Tier::Anonymous | Tier::Disabled => Ok(agreed),
        }
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
    fn name(&self, mut agreed: Agreed, beside: &[Stated]) -> Result<Agreed, Reason> {
        let mut named = beside.iter().chain(self.own).filter_map(|stated| self.named(stated));
        let Some((stated, identity, acknowledged_at)) = named.next() else {
            agreed.tier = Tier::Anonymous;
            agreed.note(UNNAMED.to_owned());
            return Ok(agreed);
        };
        agreed.identity = Some(self.expand(identity).map_err(|problem| broken(&stated.path, problem))?);
        agreed.acknowledged_at = Some(acknowledged_at.to_owned());
        agreed.files.insert(stated.path.clone());
        Ok(agreed)
    }

    /// The identity in a file and the acknowledgement that goes with it: of the same file, or of the user's own. A file in
    /// a project cannot acknowledge for the name in the user's own, and uses no variables.
    fn named<'s>(&'s self, stated: &'s Stated) -> Option<(&'s Stated, &'s Located, &'s str)> {
        let identity = stated.settings.identity.as_ref()?;
        let is_own = self.own.is_some_and(|own| own.path == stated.path);
        let has_variable = template::variables(&identity.text).next().is_some();
        let mut sources = [Some(stated), self.own].into_iter().flatten();
        let acknowledged_at = sources.find_map(|file| file.settings.acknowledged_at.as_deref())?;
        (is_own || !has_variable).then_some((stated, identity, acknowledged_at))
    }
}

const UNNAMED: &str = "tier 2 needs your identity and your acknowledgement, without which it counts as tier 1; `ccxray-exporter \
                       init --personal --tier 2` asks for both";

fn without_effect(stated: &Stated) -> String {
    let file = stated.path.display();
    format!(
        "`{file}`: inside a project only `enabled`, `tier`, `identity` and `opt_in_acknowledged_at` count; the rest has no \
         effect"
    )
}

/// The lowest tier that one of these files states, and that file.
pub(super) fn lowest<'s>(files: impl Iterator<Item = &'s Stated>) -> Option<(Tier, &'s Stated)> {
    files.filter_map(|file| Some((file.settings.tier?, file))).min_by_key(|(tier, _)| *tier)
}
