//! How a file of rules is read.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use super::{
    error::RulesError,
    form::FormError,
    verified::{FileFacts, Verified, Version},
};

/// One matter's rules.
pub(in crate::classify) trait DataFile: Sized {
    /// The file's name.
    const NAME: &'static str;
    /// The file that this build carries.
    const EMBEDDED: &'static str;
    /// What stands in the file as `rules`.
    type Rules: DeserializeOwned;
    /// What one of its examples looks like.
    type Example: Example<Self>;

    /// The rules, ready for use; else why they contradict themselves.
    fn from_rules(rules: Self::Rules) -> Result<Self, String>;
}

/// What is expected of the rules in one case.
pub(in crate::classify) trait Example<T>: DeserializeOwned {
    /// What came out instead, if it is not what was expected.
    fn check(&self, rules: &T) -> Result<(), String>;
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Form<'a, R> {
    version: Version,
    last_verified_against: Vec<Verified>,
    rules: R,
    #[serde(borrow)]
    examples: Vec<&'a RawValue>,
}

/// The rules of `T` out of its text in `replaced`, else out of the embedded file.
pub(super) fn load<T: DataFile>(
    replaced: &BTreeMap<String, String>,
    files: &mut Vec<FileFacts>,
) -> Result<T, RulesError> {
    let text = replaced.get(T::NAME);
    let (rules, version, verified) = parse::<T>(text.map_or(T::EMBEDDED, String::as_str))
        .map_err(|error| RulesError { file: T::NAME, error })?;
    files.push(FileFacts { name: T::NAME.to_owned(), version, verified, replaced: text.is_some() });
    Ok(rules)
}

fn parse<T: DataFile>(text: &str) -> Result<(T, Version, Vec<Verified>), FormError> {
    let form: Form<'_, T::Rules> =
        serde_json::from_str(text).map_err(|error| FormError::of_json(text, &error))?;
    let contradiction = |reason| FormError::at_key(text, "rules", reason);
    let rules = T::from_rules(form.rules).map_err(contradiction)?;
    if form.last_verified_against.is_empty() {
        let missing = "names no client; say which one it was verified against, and when".to_owned();
        return Err(FormError::at_key(text, "last_verified_against", missing));
    }
    for raw in form.examples {
        let checked = example::<T>(raw, &rules);
        checked.map_err(|reason| FormError::at_part(text, raw.get(), "examples", reason))?;
    }
    Ok((rules, form.version, form.last_verified_against))
}

fn example<T: DataFile>(raw: &RawValue, rules: &T) -> Result<(), String> {
    let example: T::Example = serde_json::from_str(raw.get()).map_err(|error| without_place(&error))?;
    example.check(rules)
}

fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or(text.clone(), |(reason, _)| reason.to_owned())
}

/// What to say of an example that does not hold.
pub(in crate::classify) fn expected<V: PartialEq + fmt::Debug>(
    found: &V,
    expected: &V,
) -> Result<(), String> {
    if found == expected {
        return Ok(());
    }
    Err(format!("the example expects {expected:?}, but the rules give {found:?}; change one of them"))
}
