//! What may leave the machine, at one moment.

use std::collections::{BTreeMap, BTreeSet};

use ccxray_shared::Entry;

use super::{
    grant::Grant,
    lookup::{self, Places},
    reason::Reason,
    resolve::Coverage,
    tier::Tier,
};

/// What may leave the machine, at one moment. Pure: it answers from what was read before.
#[derive(Clone, Debug, PartialEq)]
pub struct Consents {
    grants: Vec<Grant>,
    places: Places,
    directories: BTreeMap<String, Result<Rung, Reason>>,
    server: Result<Rung, Reason>,
}

/// What becomes of one entry.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision<'c> {
    /// It counts in the pipeline of this grant.
    Count(&'c Grant),
    /// It counts on the local page only.
    Nothing(&'c Reason),
    /// Its stamp keeps it on the local page.
    StampedOut,
    /// This directory lies in a trusted place and has not been looked at: to be
    /// [explored](super::Keeper::explore), then asked again.
    Unexplored(&'c str),
}

/// What was found for each directory, on its way to a snapshot.
pub(super) struct Findings {
    pub(super) places: Places,
    pub(super) server: Result<Grant, Reason>,
    pub(super) directories: BTreeMap<String, Result<Coverage, Reason>>,
}

/// A grant and its form without a name, by their numbers, and how far up one may go.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Rung {
    granted: usize,
    anonymous: usize,
    tier: Tier,
}

/// What may be used, or why nothing may leave.
type Answer<'c> = Result<Rung, &'c Reason>;

static ODD: Reason = Reason::OddDirectory;

impl Consents {
    pub(super) fn of(findings: Findings) -> Self {
        let Findings { places, server, directories } = findings;
        let mut grants = Vec::new();
        let server = server.map(|grant| take_in(&mut grants, grant));
        let directories = directories.into_iter().map(|(dir, found)| {
            let rung = found.and_then(|coverage| match coverage {
                Coverage::Granted(grant) => Ok(take_in(&mut grants, *grant)),
                Coverage::Uncovered(cap) => {
                    server.clone().map(|rung| rung.capped(cap.unwrap_or(Tier::Named)))
                }
            });
            (dir, rung)
        });
        let directories = directories.collect();
        Self { grants, places, directories, server }
    }

    /// Everything that was granted, each pipeline once.
    pub fn grants(&self) -> &[Grant] {
        &self.grants
    }

    /// What is granted to exchanges that no file covers, or why nothing is.
    pub fn server(&self) -> Result<&Grant, &Reason> {
        self.server.as_ref().map(|rung| self.grant(*rung))
    }

    /// A line on what becomes of exchanges that no file covers, for people.
    pub fn summary(&self) -> String {
        match self.server() {
            Ok(grant) => grant.summary(),
            Err(reason) => format!("nothing leaves this machine ({reason})"),
        }
    }

    /// The directories that were asked for, with what is granted to them or why nothing is.
    pub fn directories<'c>(&'c self) -> impl Iterator<Item = (&'c str, Result<&'c Grant, &'c Reason>)> {
        let granted = |rung: &'c Result<Rung, Reason>| rung.as_ref().map(|rung| self.grant(*rung));
        self.directories.iter().map(move |(dir, rung)| (dir.as_str(), granted(rung)))
    }

    /// Whether this is the same as `before`, but for directories that have been looked at or forgotten meanwhile.
    pub fn only_adds_to(&self, before: &Self) -> bool {
        let key = |consents: &Self, rung: &Rung| consents.grants[rung.granted].key.clone();
        let same = |(dir, rung): (&String, &Result<Rung, Reason>)| match (rung, self.directories.get(dir)) {
            (_, None) => true,
            (Ok(one), Some(Ok(other))) => one.tier == other.tier && key(before, one) == key(self, other),
            (Err(one), Some(Err(other))) => one == other,
            (Ok(_) | Err(_), Some(_)) => false,
        };
        let server = |consents: &Self| consents.server().map(|grant| grant.key.clone()).map_err(Clone::clone);
        self.places == before.places && server(self) == server(before) && before.directories.iter().all(same)
    }

    /// A directory without which the same would be granted, if there is one.
    pub(super) fn spare_directory(&self) -> Option<&str> {
        let mut leads_to = BTreeSet::new();
        let mut spare = self.directories.iter().filter(|(_, rung)| match rung {
            Ok(rung) => !leads_to.insert(rung.granted),
            Err(_) => true,
        });
        spare.next().map(|(dir, _)| dir.as_str())
    }

    /// What becomes of `entry`. Of two directories the one with the lower tier decides; a stamp lowers further.
    pub fn decide<'c>(&'c self, entry: &'c Entry<'_>) -> Decision<'c> {
        self.decide_for(entry.dir.as_deref(), entry.stated_dir.as_deref(), entry.tier_cap)
    }

    /// [`decide`](Self::decide) for an entry with this directory, perhaps another one that the client states, and this
    /// highest tier.
    pub fn decide_for<'c>(
        &'c self,
        dir: Option<&'c str>,
        stated: Option<&'c str>,
        tier_cap: Option<u8>,
    ) -> Decision<'c> {
        match self.answer(dir, stated) {
            Err(unexplored) => Decision::Unexplored(unexplored),
            Ok(Err(reason)) => Decision::Nothing(reason),
            Ok(Ok(rung)) => match rung.capped(cap(tier_cap)) {
                Rung { tier: Tier::Disabled, .. } => Decision::StampedOut,
                rung => Decision::Count(self.grant(rung)),
            },
        }
    }

    /// What two directories come to, or the one that must be explored first.
    fn answer<'c>(&'c self, dir: Option<&'c str>, stated: Option<&'c str>) -> Result<Answer<'c>, &'c str> {
        let Some(dir) = dir else { return Ok(self.server.as_ref().copied()) };
        let of_dir = self.find(dir)?;
        match stated {
            None => Ok(of_dir),
            Some(stated) => Ok(lower(of_dir, self.find(stated)?)),
        }
    }

    /// Whether `dir` lies in a trusted place, so that it may be looked at.
    pub(super) fn may_explore(&self, dir: &str) -> bool {
        self.places.real(dir).is_some()
    }

    fn find<'c>(&'c self, dir: &'c str) -> Result<Answer<'c>, &'c str> {
        let Some(dir) = lookup::plain(dir) else { return Ok(Err(&ODD)) };
        match self.directories.get(dir) {
            Some(rung) => Ok(rung.as_ref().copied()),
            None if self.may_explore(dir) => Err(dir),
            None => Ok(self.server.as_ref().copied()),
        }
    }

    fn grant(&self, rung: Rung) -> &Grant {
        match rung.tier {
            Tier::Named => &self.grants[rung.granted],
            Tier::Anonymous | Tier::Disabled => &self.grants[rung.anonymous],
        }
    }
}

impl Rung {
    fn capped(self, cap: Tier) -> Self {
        Self { tier: self.tier.min(cap), ..self }
    }
}

/// Takes in a grant, and its form without a name.
fn take_in(grants: &mut Vec<Grant>, grant: Grant) -> Rung {
    let tier = grant.tier;
    let without_name = (tier == Tier::Named).then(|| grant.anonymous());
    let granted = add(grants, grant);
    let anonymous = without_name.map_or(granted, |grant| add(grants, grant));
    Rung { granted, anonymous, tier }
}

/// Adds a grant; two of the same pipeline become one.
fn add(grants: &mut Vec<Grant>, grant: Grant) -> usize {
    if let Some(same) = grants.iter().position(|known| known.key == grant.key) {
        grants[same].merge(grant);
        return same;
    }
    grants.push(grant);
    grants.len() - 1
}

/// The lower of what the stamp and the client's word come to. Where to, the stamp says; how far, the lower one.
fn lower<'c>(stamp: Answer<'c>, stated: Answer<'c>) -> Answer<'c> {
    Ok(stamp?.capped(stated?.tier))
}

/// A cap of a newer proxy, which we do not know, is none of the tiers that we know of: it keeps everything here.
fn cap(tier_cap: Option<u8>) -> Tier {
    tier_cap.map_or(Tier::Named, |cap| Tier::from_number(cap.into()).unwrap_or(Tier::Disabled))
}

#[cfg(test)]
pub(crate) mod made_up;
#[cfg(test)]
mod tests;
