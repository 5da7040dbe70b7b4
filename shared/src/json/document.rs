//! JSON of which each value knows where it stands.
//!
//! `serde_json` keeps no places, but it can leave a value raw, as a part of the text: where that part begins is where the
//! value stands.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::problem::{Place, Problem, join};

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Node<'t> {
    /// Where it begins.
    pub place: Place,
    /// What it is.
    pub value: Value<'t>,
}

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'t> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number.
    Number(serde_json::Number),
    /// A text.
    String(Cow<'t, str>),
    /// A list.
    Array(Vec<Node<'t>>),
    /// Keys and their values, in the order of the text; no key twice.
    Object(Vec<Member<'t>>),
}

/// A key and its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Member<'t> {
    /// The key.
    pub key: Cow<'t, str>,
    /// Where the key stands.
    pub place: Place,
    /// Its value.
    pub node: Node<'t>,
}

impl<'t> Node<'t> {
    /// Reads `text`.
    pub fn parse(text: &'t str) -> Result<Self, Problem> {
        // Whatever comes after this is known to be JSON, and not nested deeper than serde_json allows.
        serde_json::from_str::<serde_json::Value>(text).map_err(|error| {
            let place = Place { line: error.line().max(1), column: error.column().max(1) };
            Problem::new(place, "", format!("this is not JSON: {}", without_place(&error)))
        })?;
        node(text, text.trim_start(), "")
    }

    /// The value of `key`; none if this is no object or has no such key.
    pub fn get(&self, key: &str) -> Option<&Self> {
        match &self.value {
            Value::Object(members) => members.iter().find(|m| m.key == key).map(|m| &m.node),
            _ => None,
        }
    }

    /// The members; none if this is no object.
    pub fn members(&self) -> &[Member<'t>] {
        match &self.value {
            Value::Object(members) => members,
            _ => &[],
        }
    }

    /// The elements; none if this is no list.
    pub fn elements(&self) -> &[Self] {
        match &self.value {
            Value::Array(elements) => elements,
            _ => &[],
        }
    }

    /// The text, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }
}

/// `serde_json`'s words without the place, which is told beside them.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or(&text).to_owned()
}

/// The value that `part` of `text` is.
fn node<'t>(text: &'t str, part: &'t str, path: &str) -> Result<Node<'t>, Problem> {
    let place = place_of(text, part);
    let broken = |error: serde_json::Error| Problem::new(place, path, without_place(&error));
    let value = match part.as_bytes().first() {
        Some(b'{') => Value::Object(members(text, serde_json::from_str(part).map_err(broken)?, path)?),
        Some(b'[') => {
            let parts: Vec<&RawValue> = serde_json::from_str(part).map_err(broken)?;
            let elements = parts.iter().enumerate();
            let elements = elements.map(|(i, raw)| node(text, raw.get(), &format!("{path}[{i}]")));
            Value::Array(elements.collect::<Result<_, _>>()?)
        }
        Some(b'"') => Value::String(serde_json::from_str::<Text<'_>>(part).map_err(broken)?.0),
        Some(b't') => Value::Bool(true),
        Some(b'f') => Value::Bool(false),
        Some(b'n') => Value::Null,
        _ => Value::Number(serde_json::from_str(part).map_err(broken)?),
    };
    Ok(Node { place, value })
}

fn members<'t>(text: &'t str, raw: RawMembers<'t>, path: &str) -> Result<Vec<Member<'t>>, Problem> {
    let mut members: Vec<Member<'t>> = Vec::with_capacity(raw.0.len());
    for (Text(key), part) in raw.0 {
        let path = join(path, &key);
        let node = node(text, part.get(), &path)?;
        // A key with an escape in it is no part of the text; its value stands close by.
        let place = match &key {
            Cow::Borrowed(key) => place_of(text, key).back_over_quote(),
            Cow::Owned(_) => node.place,
        };
        if members.iter().any(|member| member.key == key) {
            return Err(Problem::new(place, path, "this key is there twice; remove one"));
        }
        members.push(Member { key, place, node });
    }
    Ok(members)
}

impl Place {
    /// The place of the quote before a text.
    fn back_over_quote(self) -> Self {
        Self { column: self.column.saturating_sub(1).max(1), ..self }
    }
}

/// Where `part`, which lies in `text`, begins.
fn place_of(text: &str, part: &str) -> Place {
    Place::of(text, (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize))
}

/// A text, borrowed if it can be.
#[derive(Deserialize)]
struct Text<'t>(#[serde(borrow)] Cow<'t, str>);

/// The members of an object, in their order, also those that are there twice.
struct RawMembers<'t>(Vec<(Text<'t>, &'t RawValue)>);

impl<'de> Deserialize<'de> for RawMembers<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = RawMembers<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry().map_err(A::Error::custom)? {
                    members.push(member);
                }
                Ok(RawMembers(members))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(line: usize, column: usize) -> Place {
        Place { line, column }
    }

    #[test]
    fn every_key_and_value_knows_its_place() {
        let text = "\n{\n  \"otel\": {\"tier\": 1,\n \"headers\" : [true, null]}}";
        let root = Node::parse(text).unwrap();
        assert_eq!(root.place, place(2, 1));
        let otel = &root.members()[0];
        assert_eq!((otel.place, otel.node.place), (place(3, 3), place(3, 11)));
        assert_eq!(otel.node.get("tier").unwrap().place, place(3, 20));
        let headers = otel.node.get("headers").unwrap();
        assert_eq!((headers.elements()[0].place, headers.elements()[1].place), (place(4, 15), place(4, 21)));
    }

    #[test]
    fn escapes_are_understood() {
        let root = Node::parse(r#"{"a\u0062": "\n"}"#).unwrap();
        assert_eq!(root.get("ab").unwrap().as_str(), Some("\n"));
    }

    #[test]
    fn broken_json_is_told_by_its_place() {
        let problem = Node::parse("{\n  \"otel\": {,}\n}").unwrap_err();
        assert_eq!((problem.place, problem.key.as_str()), (place(2, 12), ""));
        assert_eq!(problem.what, "this is not JSON: key must be a string");
    }

    #[test]
    fn a_key_that_is_there_twice_is_refused() {
        let problem = Node::parse("{\"otel\": {\"tier\": 0, \"tier\": 2}}").unwrap_err();
        assert_eq!((problem.key.as_str(), problem.place), ("otel.tier", place(1, 22)));
    }

    #[test]
    fn deep_nesting_is_an_error_and_not_the_end() {
        assert!(Node::parse(&"[".repeat(60_000)).is_err());
        assert!(Node::parse(&"{\"a\":".repeat(10_000)).is_err());
    }
}
