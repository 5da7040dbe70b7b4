//! Something for each of many series, found without an allocation.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
};

use smallvec::SmallVec;

use super::{Labels, Metric, Series};

/// A map whose keys are hashes already.
pub(super) type HashedMap<T> = HashMap<u64, T, BuildHasherDefault<AsIs>>;

/// A map from series to `T`.
#[derive(Debug)]
pub struct SeriesTable<T> {
    /// By their hash. Two series hardly ever share one: the first is found without a further step.
    slots: HashedMap<SmallVec<[(Series, T); 1]>>,
    len: usize,
}

impl<T> Default for SeriesTable<T> {
    fn default() -> Self {
        Self { slots: HashedMap::default(), len: 0 }
    }
}

impl<T> SeriesTable<T> {
    /// What there is for this series.
    pub fn get(&self, metric: Metric, labels: &Labels<'_>) -> Option<&T> {
        let slots = self.slots.get(&labels.hash(metric))?;
        slots.iter().find(|(series, _)| series.is(metric, labels)).map(|(_, value)| value)
    }

    /// What there is for this series, to be changed.
    pub fn get_mut(&mut self, metric: Metric, labels: &Labels<'_>) -> Option<&mut T> {
        let slots = self.slots.get_mut(&labels.hash(metric))?;
        slots.iter_mut().find(|(series, _)| series.is(metric, labels)).map(|(_, value)| value)
    }

    /// Puts `value` in place of what there is for this series; whether there was nothing.
    pub fn insert(&mut self, metric: Metric, labels: &Labels<'_>, value: T) -> bool {
        let slots = self.slots.entry(labels.hash(metric)).or_default();
        if let Some((_, old)) = slots.iter_mut().find(|(series, _)| series.is(metric, labels)) {
            *old = value;
            return false;
        }
        slots.push((Series::new(metric, labels.pairs()), value));
        self.len += 1;
        true
    }

    /// Takes out what there is for this series.
    pub fn remove(&mut self, metric: Metric, labels: &Labels<'_>) -> Option<T> {
        let hash = labels.hash(metric);
        let slots = self.slots.get_mut(&hash)?;
        let place = slots.iter().position(|(series, _)| series.is(metric, labels))?;
        let (_, value) = slots.swap_remove(place);
        if slots.is_empty() {
            self.slots.remove(&hash);
        }
        self.len -= 1;
        Some(value)
    }

    /// How many series there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Lets go of all of them.
    pub fn clear(&mut self) {
        self.slots.clear();
        self.len = 0;
    }

    /// All series, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&Series, &T)> {
        self.slots.values().flatten().map(|(series, value)| (series, value))
    }
}

/// Hashes no further.
#[derive(Clone, Debug, Default)]
pub(super) struct AsIs(u64);

impl Hasher for AsIs {
    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn write(&mut self, _: &[u8]) {
        debug_assert!(false, "only hashes are keys");
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::measure::Key;

    proptest! {
        #[test]
        fn it_is_a_map(steps in prop::collection::vec((any::<bool>(), 0..3_usize, "[ab]{0,2}", any::<u8>()), 0..60)) {
            let mut table = SeriesTable::default();
            let mut model = BTreeMap::new();
            for (insert, metric, value, number) in steps {
                let metric = Metric::ALL[metric];
                let labels = Labels::of(&[(Key::Tool, &value), (Key::Provider, "anthropic")]);
                let key = Series::new(metric, labels.pairs());
                if insert {
                    prop_assert_eq!(table.insert(metric, &labels, number), model.insert(key, number).is_none());
                } else {
                    prop_assert_eq!(table.remove(metric, &labels), model.remove(&key));
                }
                prop_assert_eq!(table.get(metric, &labels), model.get(&Series::new(metric, labels.pairs())));
                prop_assert_eq!(table.len(), model.len());
            }
            let all: BTreeMap<Series, u8> = table.iter().map(|(series, number)| (series.clone(), *number)).collect();
            prop_assert_eq!(all, model);
        }
    }
}
