//! The file's text with some keys set.

use ccxray_shared::json::{Node, Value};
use serde_json::Value as Json;

/// What a key holds: an object whose keys keep their order, or anything else.
enum Tree {
    Object(Vec<(String, Tree)>),
    Leaf(Json),
}

/// `text`, a JSON object, with the keys of `changes` below `otel` set and all others as they are, in their order.
/// `resource_attributes.…` stands for a key of that object.
pub(super) fn edited(text: &str, changes: &[(&str, Json)]) -> String {
    let mut root = Node::parse(text).map_or_else(|_| Tree::Object(Vec::new()), |node| Tree::of(&node));
    for (key, value) in changes {
        let otel = root.at("otel");
        match key.strip_prefix("resource_attributes.") {
            Some(attribute) => *otel.at("resource_attributes").at(attribute) = Tree::Leaf(value.clone()),
            None => *otel.at(key) = Tree::Leaf(value.clone()),
        }
    }
    let mut out = String::new();
    root.write(0, &mut out);
    out.push('\n');
    out
}

impl Tree {
    fn of(node: &Node<'_>) -> Self {
        match &node.value {
            Value::Object(members) => Self::Object(
                members.iter().map(|member| (member.key.to_string(), Self::of(&member.node))).collect(),
            ),
            Value::Array(elements) => {
                Self::Leaf(elements.iter().map(|element| Self::of(element).into_json()).collect())
            }
            Value::Null => Self::Leaf(Json::Null),
            Value::Bool(value) => Self::Leaf(Json::Bool(*value)),
            Value::Number(number) => Self::Leaf(Json::Number(number.clone())),
            Value::String(text) => Self::Leaf(Json::String(text.to_string())),
        }
    }

    fn into_json(self) -> Json {
        match self {
            Self::Object(members) => members.into_iter().map(|(key, tree)| (key, tree.into_json())).collect(),
            Self::Leaf(value) => value,
        }
    }

    /// What `key` holds; what it does not hold yet is put at the end.
    fn at(&mut self, key: &str) -> &mut Self {
        if !matches!(self, Self::Object(_)) {
            *self = Self::Object(Vec::new());
        }
        let Self::Object(members) = self else { return self };
        let found = members.iter().position(|(known, _)| known == key);
        let at = found.unwrap_or_else(|| {
            members.push((key.to_owned(), Self::Leaf(Json::Null)));
            members.len() - 1
        });
        &mut members[at].1
    }

    fn write(&self, depth: usize, out: &mut String) {
        match self {
            Self::Leaf(value) => out.push_str(&value.to_string()),
            Self::Object(members) if members.is_empty() => out.push_str("{}"),
            Self::Object(members) => {
                out.push('{');
                for (i, (key, tree)) in members.iter().enumerate() {
                    out.push_str(if i > 0 { ",\n" } else { "\n" });
                    out.push_str(&"  ".repeat(depth + 1));
                    out.push_str(&Json::from(key.as_str()).to_string());
                    out.push_str(": ");
                    tree.write(depth + 1, out);
                }
                out.push('\n');
                out.push_str(&"  ".repeat(depth));
                out.push('}');
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_are_set_and_the_others_stay_in_their_order() {
        let text = r#"{"$schema":"x","otel":{"tier":0,"allow_env":["A","B"],"enabled":true,"resource_attributes":{"team":"a\"b"}}}"#;
        let changes = [
            ("tier", json!(2)),
            ("identity", json!("me")),
            ("resource_attributes.project.name", json!("app")),
        ];
        let expected = r#"{
  "$schema": "x",
  "otel": {
    "tier": 2,
    "allow_env": ["A","B"],
    "enabled": true,
    "resource_attributes": {
      "team": "a\"b",
      "project.name": "app"
    },
    "identity": "me"
  }
}
"#;
        assert_eq!(edited(text, &changes), expected);
        assert_eq!(edited(expected, &[]), expected);
        assert_eq!(edited("{}", &[("tier", json!(1))]), "{\n  \"otel\": {\n    \"tier\": 1\n  }\n}\n");
    }
}
