//! Under which model an exchange counts, and which row of a table is a model's.

use std::collections::HashMap;

use ccxray_shared::{Entry, name::MALFORMED};

/// What stands for a model that no answer confirmed.
pub const UNKNOWN: &str = "unknown";

/// The model that a successful answer names; else the one that it accepted by answering. A name that no answer
/// stands behind is whatever a client happened to send, and would let anybody make up time series.
pub fn confirmed<'e>(entry: &'e Entry<'_>) -> &'e str {
    let answered = entry.status.is_some_and(|status| (200..300).contains(&status));
    let name = answered.then(|| entry.model_served.as_deref().or(entry.model.as_deref())).flatten();
    name.filter(|&name| name != MALFORMED).unwrap_or(UNKNOWN)
}

/// The row of `model` in `table`: under that name; without its date or `-latest`; without `[1m]`, which is the client's
/// mark for a larger window. Never under a name that only begins alike: `gpt-5.5` is not `gpt-5`.
pub(super) fn by_name<'t, T>(table: &'t HashMap<String, T>, model: &str) -> Option<&'t T> {
    let dated_or_not = |name: &str| table.get(name).or_else(|| table.get(undated(name)?));
    dated_or_not(model).or_else(|| dated_or_not(model.strip_suffix("[1m]")?))
}

/// `name` without the `-latest`, `-20251001`, `@20251001` or `-2025-10-01` at its end, if it has one.
fn undated(name: &str) -> Option<&str> {
    const FORMS: [&str; 4] = ["-latest", "-dddddddd", "@dddddddd", "-dddd-dd-dd"];
    FORMS.into_iter().find_map(|form| without(name, form))
}

/// `name` without an end that looks like `form`, in which `d` is any digit.
fn without<'a>(name: &'a str, form: &str) -> Option<&'a str> {
    let (stem, end) = name.split_at_checked(name.len().checked_sub(form.len())?)?;
    let alike = |(have, want): (u8, u8)| have == want || (want == b'd' && have.is_ascii_digit());
    (!stem.is_empty() && end.bytes().zip(form.bytes()).all(alike)).then_some(stem)
}
