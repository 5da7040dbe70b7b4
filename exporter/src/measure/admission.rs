//! Budgets: how many values of an attribute are told apart.
//!
//! A name that a client or a model can make up (a tool, a model) could make series without end. The first names
//! are admitted, up to the budget; every further one is recorded as [`OVERFLOW`](super::entry::OVERFLOW). What is
//! admitted stays so, over restarts too, and gives up its place only after 30 days without use.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use ccxray_shared::UnixMillis;
use serde::{Deserialize, Serialize};

use super::{Catalogue, Key, Metric};

/// How long of event time an admitted value keeps its place without being used.
pub const IDLE: Duration = Duration::from_hours(30 * 24);

/// Budgets in place of the catalogue's. With a budget of 0 only what is known to be a client's own is told apart.
pub type Budgets = BTreeMap<(Metric, Key), usize>;

/// The values that have a place.
#[derive(Debug, Default)]
pub struct Admissions {
    budgets: Budgets,
    places: HashMap<(Metric, Key), HashMap<Box<str>, UnixMillis>>,
}

/// One admitted value, as the checkpoint keeps it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Admitted {
    /// Where.
    pub metric: Metric,
    /// Of which attribute.
    pub key: Key,
    /// What.
    pub value: Box<str>,
    /// When it was last used, in event time.
    pub last_used: UnixMillis,
}

impl Admissions {
    /// Applies other budgets to what is admitted from now on; what has a place keeps it.
    pub fn set_budgets(&mut self, budgets: Budgets) {
        self.budgets = budgets;
    }

    /// The budgets that were applied.
    pub(crate) fn take_budgets(&mut self) -> Budgets {
        std::mem::take(&mut self.budgets)
    }

    /// The budget of an attribute, if it has one.
    fn budget(&self, metric: Metric, key: Key) -> Option<usize> {
        let budget = *Catalogue::embedded().get(metric).budgets.get(&key)?;
        Some(self.budgets.get(&(metric, key)).copied().unwrap_or(budget))
    }

    /// Whether `value` has a place among the values of `key`, or gets one now.
    pub fn admit(&mut self, metric: Metric, key: Key, value: &str, now: UnixMillis) -> bool {
        let Some(budget) = self.budget(metric, key) else { return true };
        let places = self.places.entry((metric, key)).or_default();
        if let Some(last_used) = places.get_mut(value) {
            *last_used = now.max(*last_used);
            return true;
        }
        if places.len() >= budget {
            places.retain(|_, last_used| now.since(*last_used) < IDLE);
        }
        let has_room = places.len() < budget;
        if has_room {
            places.insert(value.into(), now);
        }
        has_room
    }

    /// Notes that an admitted value is still in use.
    pub fn refresh(&mut self, metric: Metric, key: Key, value: &str, now: UnixMillis) {
        if let Some(last_used) = self.places.get_mut(&(metric, key)).and_then(|places| places.get_mut(value))
        {
            *last_used = now.max(*last_used);
        }
    }

    /// How many values have a place, and how many could.
    pub fn usage(&self) -> impl Iterator<Item = (Metric, Key, usize, usize)> {
        self.places.iter().filter_map(|(&(metric, key), places)| {
            Some((metric, key, places.len(), self.budget(metric, key)?))
        })
    }

    /// All of it, for the checkpoint.
    pub fn to_list(&self) -> Vec<Admitted> {
        let all = self.places.iter().flat_map(|(&(metric, key), places)| {
            places.iter().map(move |(value, &last_used)| Admitted {
                metric,
                key,
                value: value.clone(),
                last_used,
            })
        });
        let mut list: Vec<Admitted> = all.collect();
        list.sort();
        list
    }

    /// What the checkpoint kept.
    pub fn from_list(list: Vec<Admitted>) -> Self {
        let mut admissions = Self::default();
        for Admitted { metric, key, value, last_used } in list {
            admissions.places.entry((metric, key)).or_default().insert(value, last_used);
        }
        admissions
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: UnixMillis = UnixMillis(1_000_000);

    #[test]
    fn the_value_after_the_last_place_is_refused_and_the_admitted_stay() {
        let mut admissions = Admissions::default();
        for i in 0..10 {
            assert!(admissions.admit(Metric::TokensInput, Key::Model, &format!("m{i}"), AT));
        }
        assert!(!admissions.admit(Metric::TokensInput, Key::Model, "one-more", AT));
        assert!(admissions.admit(Metric::TokensInput, Key::Model, "m3", AT));
        assert!(admissions.admit(Metric::CostUsd, Key::Model, "one-more", AT), "budgets are per metric");
        assert!(
            admissions.admit(Metric::TokensInput, Key::Provider, "anything", AT),
            "closed sets have no budget"
        );
    }

    #[test]
    fn a_value_unused_for_30_days_gives_up_its_place() {
        let mut admissions = Admissions::default();
        for i in 0..10 {
            admissions.admit(Metric::TokensInput, Key::Model, &format!("m{i}"), AT);
        }
        let later = AT.after(IDLE);
        assert!(!admissions.admit(
            Metric::TokensInput,
            Key::Model,
            "new",
            later.before(Duration::from_millis(1))
        ));
        assert!(admissions.admit(Metric::TokensInput, Key::Model, "new", later));
    }

    #[test]
    fn admissions_survive_the_checkpoint() {
        let mut admissions = Admissions::default();
        admissions.admit(Metric::ToolInvocations, Key::Tool, "mcp__a__b", AT);
        let restored = Admissions::from_list(admissions.to_list());
        assert_eq!(restored.to_list(), admissions.to_list());
    }
}
