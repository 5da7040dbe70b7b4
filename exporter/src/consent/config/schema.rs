//! The published JSON Schemas, and the check of a document against one.
//!
//! The same files that editors use decide here, so the two cannot differ. Understood are the keywords that they use;
//! `pattern` is for editors, its counterparts are in [`settings`](super::settings), which can say what to write.

use std::sync::LazyLock;

use ccxray_shared::json::{
    Node, Place, Problem, Value,
    document::Member,
    problem::{join, listed, nearest},
};
use serde::Deserialize;

/// Which configuration file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FileKind {
    /// A project's, committed with it.
    Project,
    /// A person's.
    Personal,
}

impl FileKind {
    /// The file's name.
    pub const fn file_name(self) -> &'static str {
        match self {
            Self::Project => ".ccxray.json",
            Self::Personal => ".ccxray.user.json",
        }
    }

    /// The published schema, as text.
    pub const fn schema_text(self) -> &'static str {
        match self {
            Self::Project => include_str!("../../../schema/ccxray.schema.json"),
            Self::Personal => include_str!("../../../schema/ccxray.user.schema.json"),
        }
    }

    fn schema(self) -> &'static Schema {
        static PROJECT: LazyLock<Schema> = LazyLock::new(|| Schema::read(FileKind::Project));
        static PERSONAL: LazyLock<Schema> = LazyLock::new(|| Schema::read(FileKind::Personal));
        match self {
            Self::Project => &PROJECT,
            Self::Personal => &PERSONAL,
        }
    }
}

/// Everything in `root` that the schema of `kind` does not allow.
pub fn check(root: &Node<'_>, kind: FileKind) -> Vec<Problem> {
    let mut problems = Vec::new();
    kind.schema().check(root, "", &mut problems);
    problems
}

/// The part of JSON Schema that our schemas use; a keyword that is not here is a mistake in the schema.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(not(test), expect(dead_code, reason = "some keywords are for editors only"))]
struct Schema {
    #[serde(rename = "$schema", default)]
    dialect: String,
    #[serde(rename = "$id", default)]
    id: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    description: String,
    pattern: Option<String>,
    #[serde(rename = "type")]
    kind: Option<Kind>,
    #[serde(rename = "enum", default)]
    one_of: Vec<serde_json::Value>,
    #[serde(default)]
    properties: std::collections::BTreeMap<String, Self>,
    #[serde(default)]
    additional_properties: Additional,
    items: Option<Box<Self>>,
    min_length: Option<usize>,
    max_length: Option<usize>,
    max_items: Option<usize>,
    max_properties: Option<usize>,
    minimum: Option<i64>,
    maximum: Option<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Object,
    Array,
    String,
    Boolean,
    Integer,
}

/// What a key may hold that `properties` does not name.
#[derive(Debug, Default, Deserialize)]
#[serde(untagged)]
enum Additional {
    #[default]
    Anything,
    Flag(bool),
    Each(Box<Schema>),
}

impl Schema {
    fn read(kind: FileKind) -> Self {
        serde_json::from_str(kind.schema_text())
            .expect("the published schema is well-formed; a test reads it")
    }

    fn check(&self, node: &Node<'_>, path: &str, problems: &mut Vec<Problem>) {
        if let Some(what) = self.objection(node) {
            problems.push(Problem::new(node.place, path, what));
            return;
        }
        for member in node.members() {
            self.check_member(member, path, problems);
        }
        if let Some(items) = &self.items {
            for (i, element) in node.elements().iter().enumerate() {
                items.check(element, &format!("{path}[{i}]"), problems);
            }
        }
    }

    /// What speaks against the value itself.
    fn objection(&self, node: &Node<'_>) -> Option<String> {
        if let Some(kind) = self.kind
            && !kind.is(&node.value)
        {
            return Some(format!("this is {}; write {}", described(&node.value), kind.described()));
        }
        if !self.one_of.is_empty() && !self.one_of.iter().any(|allowed| equals(&node.value, allowed)) {
            return Some(format!("this is {}; write {}", described(&node.value), alternatives(&self.one_of)));
        }
        match &node.value {
            Value::String(text) => {
                within("characters", text.chars().count(), self.min_length, self.max_length)
            }
            Value::Array(elements) => within("elements", elements.len(), None, self.max_items),
            Value::Object(members) => within("keys", members.len(), None, self.max_properties),
            Value::Number(number) => self.out_of_range(number),
            Value::Null | Value::Bool(_) => None,
        }
    }

    fn out_of_range(&self, number: &serde_json::Number) -> Option<String> {
        let (minimum, maximum) = (self.minimum?, self.maximum?);
        let is_within = number.as_i64().is_some_and(|n| (minimum..=maximum).contains(&n));
        (!is_within).then(|| format!("this is {number}; write a number from {minimum} to {maximum}"))
    }

    fn check_member(&self, member: &Member<'_>, path: &str, problems: &mut Vec<Problem>) {
        let path = join(path, &member.key);
        if let Some(schema) = self.properties.get(&*member.key) {
            return schema.check(&member.node, &path, problems);
        }
        match &self.additional_properties {
            Additional::Each(schema) => schema.check(&member.node, &path, problems),
            Additional::Anything | Additional::Flag(true) => {}
            Additional::Flag(false) => problems.push(self.unknown_key(member.place, &path, &member.key)),
        }
    }

    fn unknown_key(&self, place: Place, path: &str, key: &str) -> Problem {
        let known = || self.properties.keys().map(String::as_str).filter(|key| !key.starts_with('$'));
        let what = match nearest(key, known()) {
            Some(meant) => format!("unknown key; did you mean `{meant}`?"),
            None => format!("unknown key; known here are {}", listed(known())),
        };
        Problem::new(place, path, what)
    }
}

impl Kind {
    fn is(self, value: &Value<'_>) -> bool {
        match (self, value) {
            (Self::Object, Value::Object(_))
            | (Self::Array, Value::Array(_))
            | (Self::String, Value::String(_))
            | (Self::Boolean, Value::Bool(_)) => true,
            (Self::Integer, Value::Number(number)) => number.is_i64() || number.is_u64(),
            _ => false,
        }
    }

    const fn described(self) -> &'static str {
        match self {
            Self::Object => "an object, {…}",
            Self::Array => "a list, […]",
            Self::String => "a text in quotes",
            Self::Boolean => "true or false",
            Self::Integer => "a whole number",
        }
    }
}

fn equals(value: &Value<'_>, allowed: &serde_json::Value) -> bool {
    match (value, allowed) {
        (Value::Number(found), serde_json::Value::Number(allowed)) => found == allowed,
        (Value::String(found), serde_json::Value::String(allowed)) => found == allowed,
        _ => false,
    }
}

/// What a value is. A text may be a secret, and is not repeated.
fn described(value: &Value<'_>) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(_) => "another text".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}

fn within(what: &str, count: usize, minimum: Option<usize>, maximum: Option<usize>) -> Option<String> {
    if minimum.is_some_and(|minimum| count < minimum) {
        return Some("this is empty; write something, or remove the key".to_owned());
    }
    let maximum = maximum.filter(|&maximum| count > maximum)?;
    Some(format!("this has {count} {what}; at most {maximum} are possible"))
}

/// `0, 1 or 2`.
fn alternatives(values: &[serde_json::Value]) -> String {
    let words: Vec<String> = values.iter().map(ToString::to_string).collect();
    match words.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints(text: &str, kind: FileKind) -> Vec<String> {
        let problems = check(&Node::parse(text).unwrap(), kind);
        let file = std::path::Path::new(kind.file_name());
        problems.iter().map(|problem| problem.at(file).to_string()).collect()
    }

    #[test]
    fn mistakes_are_told_with_place_key_and_fix() {
        for (text, expected) in [
            (r#"{"otel":{"teir":1}}"#, ".ccxray.json:1:10: otel.teir: unknown key; did you mean `tier`?"),
            (r#"{"otel":{"tier":3}}"#, ".ccxray.json:1:17: otel.tier: this is 3; write 0, 1 or 2"),
            (
                r#"{"otel":{"tier":"1"}}"#,
                ".ccxray.json:1:17: otel.tier: this is another text; write 0, 1 or 2",
            ),
            (r#"{"otel":{"tier":1.0}}"#, ".ccxray.json:1:17: otel.tier: this is 1.0; write 0, 1 or 2"),
            (
                r#"{"otel":{"enabled":"yes"}}"#,
                ".ccxray.json:1:20: otel.enabled: this is another text; write true or false",
            ),
            (
                r#"{"otel":{"endpoint":""}}"#,
                ".ccxray.json:1:21: otel.endpoint: this is empty; write something, or remove the key",
            ),
            (r#"{"otel":[]}"#, ".ccxray.json:1:9: otel: this is a list; write an object, {…}"),
            ("[]", ".ccxray.json:1:1: this is a list; write an object, {…}"),
            (
                r#"{"otel":{"protocol":"grcp"}}"#,
                ".ccxray.json:1:21: otel.protocol: this is another text; write \"http/protobuf\"",
            ),
            (
                r#"{"otel":{"resource_attributes":{"host.name":"x"}}}"#,
                ".ccxray.json:1:33: otel.resource_attributes.host.name: unknown key; known here are \
                 `deployment.environment.name`, `project.name`, `team`",
            ),
            (
                r#"{"otel":{"cardinality_overrides":{"ccxray.requests_total":{"model":-1}}}}"#,
                ".ccxray.json:1:68: otel.cardinality_overrides.ccxray.requests_total.model: this is -1; write a number from \
                 0 to 10000",
            ),
            (
                r#"{"otel":{"identity":"me"}}"#,
                ".ccxray.json:1:10: otel.identity: unknown key; known here are \
                 `cardinality_overrides`, `enabled`, `endpoint`, `headers`, `interval`, `promote`, `protocol`, \
                 `resource_attributes`, `tier`",
            ),
        ] {
            assert_eq!(complaints(text, FileKind::Project), [expected], "{text}");
        }
    }

    #[test]
    fn all_mistakes_are_told_at_once() {
        let text = r#"{"$schema":"x","otel":{"tier":9,"allow_env":["A",1],"identity":7}}"#;
        assert_eq!(complaints(text, FileKind::Personal).len(), 3);
    }

    #[test]
    fn a_file_that_says_nothing_is_a_good_one() {
        for kind in [FileKind::Project, FileKind::Personal] {
            for text in ["{}", r#"{"otel":{}}"#, r#"{"$schema":"https://example.org/x.json"}"#] {
                assert!(complaints(text, kind).is_empty(), "{text}");
            }
        }
    }

    /// What editors are told beside what is checked here, by the field of `otel`.
    fn fields(kind: FileKind) -> impl Iterator<Item = (&'static String, &'static Schema)> {
        kind.schema().properties["otel"].properties.iter()
    }

    #[test]
    fn every_field_is_described_and_every_personal_field_is_one_of_the_projects_or_more() {
        for kind in [FileKind::Project, FileKind::Personal] {
            let schema = kind.schema();
            assert_eq!(schema.dialect, "https://json-schema.org/draft/2020-12/schema");
            assert!(schema.id.ends_with(".schema.json") && !schema.title.is_empty());
            assert!(fields(kind).all(|(_, field)| !field.description.is_empty()));
        }
        let personal: Vec<_> = fields(FileKind::Personal).map(|(name, _)| name).collect();
        assert!(fields(FileKind::Project).all(|(name, _)| personal.contains(&name)));
    }

    #[test]
    fn what_editors_are_told_of_a_text_is_what_the_program_takes() {
        let corpus: [(&str, &[&str]); 2] = [
            (
                "interval",
                &["60s", "1s", "5m", "1h", "1500ms", "", "60", "s", "1.5s", "60 s", "-1s", "1w", "x"],
            ),
            (
                "opt_in_acknowledged_at",
                &[
                    "2026-01-31T12:00:00Z",
                    "2026-01-31T12:00:00.123Z",
                    "2026-01-31T12:00:00-08:00",
                    "2026-01-31T12:00:00.Z",
                    "2026-01-31 12:00:00Z",
                    "2026-01-31T12:00:00",
                    "2026-01-31",
                    "",
                ],
            ),
        ];
        for (field, texts) in corpus {
            let (_, schema) = fields(FileKind::Personal).find(|(name, _)| *name == field).unwrap();
            agree(schema, texts, |text| format!("{{\"otel\":{{\"{field}\":\"{text}\"}}}}"));
        }
        let (_, names) = fields(FileKind::Personal).find(|(name, _)| *name == "allow_env").unwrap();
        let texts = ["A", "a_1", "_", "", "1A", "A-B", "A B", "${A}", "Ä"];
        agree(names.items.as_ref().unwrap(), &texts, |text| {
            format!("{{\"otel\":{{\"allow_env\":[\"{text}\"]}}}}")
        });
    }

    fn agree(schema: &Schema, texts: &[&str], file: impl Fn(&str) -> String) {
        let pattern = regex_lite::Regex::new(schema.pattern.as_ref().unwrap()).unwrap();
        for text in texts {
            let is_taken = crate::consent::config::Settings::parse(&file(text), FileKind::Personal).is_ok();
            assert_eq!(pattern.is_match(text), is_taken, "{text:?}");
        }
    }
}
