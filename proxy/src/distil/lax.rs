//! Fields that may be of any type.
//!
//! A derived `Deserialize` gives up on a whole object when one field is not as expected. On the wire any field may
//! change its type from one day to the next, and then only that field is unknown: [`Lax`] reads what it can and
//! passes over the rest. Objects get there with `#[derive(Deserialize)] #[serde(default)]` and [`object!`].

use std::{borrow::Cow, fmt, marker::PhantomData};

use ccxray_shared::Name;
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};

/// A value of shape `T`, or nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lax<T>(pub(super) Option<T>);

impl<T> Default for Lax<T> {
    fn default() -> Self {
        Self(None)
    }
}

/// What a [`Lax`] field may hold: each JSON type that means something for it.
pub(super) trait Shape<'de>: Sized {
    fn from_text(_text: Cow<'de, str>) -> Option<Self> {
        None
    }
    fn from_bool(_value: bool) -> Option<Self> {
        None
    }
    fn from_count(_value: u64) -> Option<Self> {
        None
    }
    fn from_negative(_value: i64) -> Option<Self> {
        None
    }
    fn from_map<A: MapAccess<'de>>(mut map: A) -> Result<Option<Self>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }
    fn from_seq<A: SeqAccess<'de>>(mut seq: A) -> Result<Option<Self>, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}

impl<'de: 'a, 'a> Shape<'de> for Cow<'a, str> {
    fn from_text(text: Cow<'de, str>) -> Option<Self> {
        Some(text)
    }
}

impl Shape<'_> for bool {
    fn from_bool(value: bool) -> Option<Self> {
        Some(value)
    }
}

impl Shape<'_> for u64 {
    fn from_count(value: u64) -> Option<Self> {
        Some(value)
    }
}

impl Shape<'_> for i64 {
    fn from_count(value: u64) -> Option<Self> {
        Self::try_from(value).ok()
    }
    fn from_negative(value: i64) -> Option<Self> {
        Some(value)
    }
}

/// A word that some write as a number.
#[derive(Debug)]
pub(super) struct Word<'a>(pub(super) Cow<'a, str>);

impl<'de: 'a, 'a> Shape<'de> for Word<'a> {
    fn from_text(text: Cow<'de, str>) -> Option<Self> {
        Some(Self(text))
    }
    fn from_count(value: u64) -> Option<Self> {
        Some(Self(value.to_string().into()))
    }
}

impl Lax<Cow<'_, str>> {
    /// A word of the wire as a name.
    pub(super) fn name(&self) -> Option<Name<'static>> {
        self.0.as_deref().map(|word| Name::from_wire(word).into_owned())
    }
}

/// A list whose elements are each lax in turn.
impl<'de, T: Shape<'de>> Shape<'de> for Vec<Lax<T>> {
    fn from_seq<A: SeqAccess<'de>>(mut seq: A) -> Result<Option<Self>, A::Error> {
        let mut list = Self::new();
        while let Some(element) = seq.next_element()? {
            list.push(element);
        }
        Ok(Some(list))
    }
}

/// Passes over the rest of a list and counts it.
pub(super) fn drain<'de, A: SeqAccess<'de>>(mut seq: A) -> Result<usize, A::Error> {
    let mut count = 0;
    while seq.next_element::<IgnoredAny>()?.is_some() {
        count += 1;
    }
    Ok(count)
}

/// Lets structs that derive `Deserialize` be the shape of a lax field.
macro_rules! object {
    ($($name:ident $(<$life:lifetime>)?),* $(,)?) => {$(
        impl<'de $(: $life, $life)?> $crate::distil::lax::Shape<'de> for $name $(<$life>)? {
            fn from_map<A: serde::de::MapAccess<'de>>(map: A) -> Result<Option<Self>, A::Error> {
                serde::Deserialize::deserialize(serde::de::value::MapAccessDeserializer::new(map)).map(Some)
            }
        }
    )*};
}
pub(super) use object;

impl<'de, T: Shape<'de>> Deserialize<'de> for Lax<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LaxVisitor(PhantomData)).map(Self)
    }
}

struct LaxVisitor<T>(PhantomData<T>);

impl<'de, T: Shape<'de>> Visitor<'de> for LaxVisitor<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }
    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Option<T>, E> {
        Ok(T::from_text(Cow::Borrowed(text)))
    }
    fn visit_str<E>(self, text: &str) -> Result<Option<T>, E> {
        Ok(T::from_text(Cow::Owned(text.to_owned())))
    }
    fn visit_bool<E>(self, value: bool) -> Result<Option<T>, E> {
        Ok(T::from_bool(value))
    }
    fn visit_u64<E>(self, value: u64) -> Result<Option<T>, E> {
        Ok(T::from_count(value))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Option<T>, E> {
        Ok(T::from_negative(value))
    }
    fn visit_f64<E>(self, _: f64) -> Result<Option<T>, E> {
        Ok(None)
    }
    fn visit_unit<E>(self) -> Result<Option<T>, E> {
        Ok(None)
    }
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Option<T>, A::Error> {
        T::from_map(map)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Option<T>, A::Error> {
        T::from_seq(seq)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize, Default, Debug, PartialEq)]
    #[serde(default)]
    struct Thing<'a> {
        #[serde(borrow)]
        name: Lax<Cow<'a, str>>,
        size: Lax<u64>,
        #[serde(borrow)]
        parts: Lax<Vec<Lax<Part<'a>>>>,
    }

    #[derive(Deserialize, Default, Debug, PartialEq)]
    #[serde(default)]
    struct Part<'a> {
        #[serde(borrow)]
        id: Lax<Cow<'a, str>>,
    }

    object!(Part<'a>);

    #[test]
    fn a_field_of_another_type_costs_only_itself() {
        let thing: Thing<'_> = serde_json::from_str(
            r#"{"name":["x"],"size":7,"parts":[{"id":"a"},3,{"id":{"b":1}},null],"new":1}"#,
        )
        .unwrap();
        let id = |id| Lax(Some(Part { id: Lax(id) }));
        let parts = vec![id(Some("a".into())), Lax(None), id(None), Lax(None)];
        assert_eq!(thing, Thing { name: Lax(None), size: Lax(Some(7)), parts: Lax(Some(parts)) });
    }

    #[test]
    fn counts_are_whole_and_not_negative() {
        for json in ["-1", "1.5", "\"1\"", "true", "null", "[1]", "{\"a\":1}"] {
            assert_eq!(serde_json::from_str::<Lax<u64>>(json).unwrap(), Lax(None), "{json}");
        }
    }
}
