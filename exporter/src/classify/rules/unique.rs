//! Maps out of JSON objects in which no key stands twice.

use std::{collections::HashMap, fmt, marker::PhantomData, ops::Deref};

use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess},
};

/// A map whose text had each key once: of two rows for the same word nobody could say which one counts.
#[derive(Debug)]
pub(in crate::classify) struct UniqueMap<V>(HashMap<String, V>);

impl<V> Default for UniqueMap<V> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<V> UniqueMap<V> {
    pub(in crate::classify) fn into_map(self) -> HashMap<String, V> {
        self.0
    }
}

impl<V> Deref for UniqueMap<V> {
    type Target = HashMap<String, V>;
    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<'de, V: Deserialize<'de>> Deserialize<'de> for UniqueMap<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor<V>(PhantomData<V>);
        impl<'de, V: Deserialize<'de>> de::Visitor<'de> for Visitor<V> {
            type Value = UniqueMap<V>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut unique = HashMap::new();
                while let Some(key) = map.next_key::<String>()? {
                    if unique.contains_key(&key) {
                        return Err(de::Error::custom(format!("\"{key}\" stands here twice; delete one")));
                    }
                    unique.insert(key, map.next_value()?);
                }
                Ok(UniqueMap(unique))
            }
        }
        deserializer.deserialize_map(Visitor(PhantomData))
    }
}
