//! Values as they may be seen.

use std::{borrow::Cow, fmt};

use super::template::{BrokenTemplate, Part, parts};

/// The fewest characters of which four may be seen.
const LONG: usize = 16;
const SEEN: usize = 4;

/// A value, part of which may come from variables. Printed, those parts are masked.
#[derive(Clone, PartialEq, Eq)]
pub struct Shown {
    value: String,
    shown: String,
}

/// Why a template has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExpandError {
    /// A `${` that begins no variable.
    Broken,
    /// A variable that is not set, or empty.
    Unset(String),
}

impl Shown {
    /// A value that anybody may see.
    pub fn open(value: impl Into<String>) -> Self {
        let value = value.into();
        Self { shown: value.clone(), value }
    }

    /// `template` with its variables as `env` knows them.
    pub fn expand(template: &str, env: &dyn Fn(&str) -> Option<String>) -> Result<Self, ExpandError> {
        let mut expanded = Self { value: String::new(), shown: String::new() };
        for part in parts(template).map_err(|BrokenTemplate| ExpandError::Broken)? {
            match part {
                Part::Text(text) => {
                    expanded.value.push_str(text);
                    expanded.shown.push_str(text);
                }
                Part::Variable(name) => {
                    let value = env(name).filter(|value| !value.is_empty());
                    let value = value.ok_or_else(|| ExpandError::Unset(name.to_owned()))?;
                    expanded.shown.push_str(&masked(&value));
                    expanded.value.push_str(&value);
                }
            }
        }
        Ok(expanded)
    }

    /// The value itself: for where it is meant to go.
    pub fn expose(&self) -> &str {
        &self.value
    }

    /// The value as it may be seen.
    pub fn shown(&self) -> &str {
        &self.shown
    }
}

/// `value` as it may be seen: a scheme such as `Bearer` stays; of what follows the first four characters, if it is long.
pub fn masked(value: &str) -> Cow<'static, str> {
    let (scheme, secret) = scheme(value);
    let shows_some = secret.chars().count() >= LONG;
    let seen: String = secret.chars().take(SEEN).filter(|c| shows_some && !c.is_control()).collect();
    match (scheme, seen.as_str()) {
        ("", "") => "***".into(),
        _ => format!("{scheme}{seen}***").into(),
    }
}

/// A known scheme with its space, and the rest.
fn scheme(value: &str) -> (&'static str, &str) {
    const SCHEMES: [&str; 5] = ["Bearer ", "Basic ", "Api-Token ", "ApiKey ", "Token "];
    let found = SCHEMES
        .into_iter()
        .find(|scheme| value.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)));
    found.map_or(("", value), |scheme| (scheme, &value[scheme.len()..]))
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_long_secret_four_characters_are_seen_and_of_a_short_one_none() {
        assert_eq!(masked("Bearer abcdefghijklmnop"), "Bearer abcd***");
        assert_eq!(masked("Bearer abcdefghijklmno"), "Bearer ***");
        assert_eq!(masked("abcdefghijklmnop"), "abcd***");
        assert_eq!(masked("short"), "***");
        assert_eq!(masked(""), "***");
        assert_eq!(masked("bearer ää"), "Bearer ***");
    }

    #[test]
    fn only_what_comes_from_a_variable_is_masked() {
        let env = |name: &str| (name == "TENANT").then(|| "acme".to_owned());
        let value = Shown::expand("https://${TENANT}.example/x", &env).unwrap();
        assert_eq!(value.expose(), "https://acme.example/x");
        assert_eq!(value.shown(), "https://***.example/x");
        assert_eq!(format!("{value:?}"), "https://***.example/x");
    }

    #[test]
    fn a_variable_that_is_unset_or_empty_is_named() {
        let env = |name: &str| (name == "EMPTY").then(String::new);
        assert_eq!(Shown::expand("${EMPTY}", &env), Err(ExpandError::Unset("EMPTY".into())));
        assert_eq!(Shown::expand("x${NONE}", &env), Err(ExpandError::Unset("NONE".into())));
        assert_eq!(Shown::expand("${", &env), Err(ExpandError::Broken));
    }
}
