//! The prices that are known, and which of them is a model's.
//!
//! The embedded table is made by `exporter/scripts/refresh-prices.py` and carries its source and date; a file
//! of the same form can take its place.

use std::collections::HashMap;

use ccxray_shared::entry::Provider;
use serde::{Deserialize, Serialize};

use super::prices::ModelPrice;

const EMBEDDED: &str = include_str!("../../data/prices.json");

/// The form of the file that is understood here.
const VERSION: u32 = 1;

/// Where prices are from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Their source and its version.
    pub source: String,
    /// When they were taken from there, as `2026-11-20`.
    pub retrieved: String,
}

/// A table of prices.
#[derive(Clone, Debug)]
pub struct PriceTable {
    origin: Origin,
    models: HashMap<Provider, HashMap<String, ModelPrice>>,
}

/// Why a table could not be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParsePricesError {
    /// Not JSON, or not the form.
    #[error("line {line}, column {column}, near \"{key}\": {reason}")]
    Form {
        /// From 1.
        line: usize,
        /// From 1; 0 before a line's first character.
        column: usize,
        /// The last key before that place.
        key: String,
        /// What was found and what should be there.
        reason: String,
    },
    /// A newer or an older form.
    #[error(
        "\"version\" is {0}, but only {VERSION} is understood; make the table anew with refresh-prices.py"
    )]
    Version(u32),
    /// A provider that the spool has no word for.
    #[error("model \"{model}\": \"provider\" is \"{provider}\"; use anthropic, openai or gemini")]
    Provider {
        /// Of which row.
        model: String,
        /// What it says.
        provider: String,
    },
    /// Two rows for one model.
    #[error("model \"{0}\" has two rows; delete one of them")]
    Duplicate(String),
}

/// The file's form.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    source: String,
    source_version: String,
    #[serde(rename = "license")]
    _license: String,
    retrieved: String,
    #[serde(rename = "unit")]
    _unit: Unit,
    models: Vec<ModelPrice>,
}

#[derive(Deserialize)]
enum Unit {
    #[serde(rename = "pico-USD per token")]
    PicoUsdPerToken,
}

impl PriceTable {
    /// The table that this build carries.
    ///
    /// # Panics
    /// Never: a test reads the same bytes.
    pub fn embedded() -> Self {
        Self::parse(EMBEDDED).expect("the embedded table is well-formed")
    }

    /// Reads a table out of `text`.
    pub fn parse(text: &str) -> Result<Self, ParsePricesError> {
        let file: File = serde_json::from_str(text).map_err(|error| form_error(text, &error))?;
        if file.version != VERSION {
            return Err(ParsePricesError::Version(file.version));
        }
        let mut models: HashMap<Provider, HashMap<String, ModelPrice>> = HashMap::new();
        for row in file.models {
            let of_provider = models.entry(provider_of(&row)?).or_default();
            if let Some(earlier) = of_provider.insert(row.model.clone(), row) {
                return Err(ParsePricesError::Duplicate(earlier.model));
            }
        }
        let source = format!("{} {}", file.source, file.source_version);
        Ok(Self { origin: Origin { source, retrieved: file.retrieved }, models })
    }

    /// Where the prices are from.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The price of `model` with its own provider: under that name; without its date or `-latest`; without
    /// `[1m]`, which is the client's mark for a larger window. Never under a name that only begins alike, whose
    /// price may be thrice as high.
    pub fn lookup(&self, provider: Provider, model: &str) -> Option<&ModelPrice> {
        let models = self.models.get(&provider)?;
        let plain = model.strip_suffix("[1m]").unwrap_or(model);
        [model, undated(model), plain, undated(plain)].into_iter().find_map(|name| models.get(name))
    }
}

fn provider_of(row: &ModelPrice) -> Result<Provider, ParsePricesError> {
    [Provider::Anthropic, Provider::OpenAi, Provider::Gemini]
        .into_iter()
        .find(|provider| provider.as_str() == row.provider)
        .ok_or_else(|| ParsePricesError::Provider {
            model: row.model.clone(),
            provider: row.provider.clone(),
        })
}

/// `name` without `-latest`, `-20251001`, `@20251001` or `-2025-10-01` at its end.
fn undated(name: &str) -> &str {
    const FORMS: [&str; 4] = ["-latest", "-dddddddd", "@dddddddd", "-dddd-dd-dd"];
    FORMS.into_iter().find_map(|form| without(name, form)).unwrap_or(name)
}

/// `name` without an end that looks like `form`, in which `d` is any digit.
fn without<'a>(name: &'a str, form: &str) -> Option<&'a str> {
    let (stem, end) = name.split_at_checked(name.len().checked_sub(form.len())?)?;
    let alike = |(have, want): (u8, u8)| have == want || (want == b'd' && have.is_ascii_digit());
    (!stem.is_empty() && end.bytes().zip(form.bytes()).all(alike)).then_some(stem)
}

fn form_error(text: &str, error: &serde_json::Error) -> ParsePricesError {
    let (line, column) = (error.line(), error.column());
    let reason = error.to_string();
    let place = format!(" at line {line} column {column}");
    ParsePricesError::Form {
        line,
        column,
        key: last_key(before(text, line, column)).to_owned(),
        reason: reason.strip_suffix(&place).unwrap_or(&reason).to_owned(),
    }
}

/// The text before a place that is given from 1, in bytes; a colon there belongs to the key that ends there.
fn before(text: &str, line: usize, column: usize) -> &str {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let end = (start + column).min(text.len());
    let end = end + usize::from(text.as_bytes().get(end) == Some(&b':'));
    text.get(..end).unwrap_or(text)
}

/// The key of the last `"key":` in `text`.
fn last_key(text: &str) -> &str {
    let Some(end) = text.rfind("\":") else { return "" };
    let start = text[..end].rfind('"').map_or(0, |quote| quote + 1);
    &text[start..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = r#"{"version":1,"source":"s","source_version":"1","license":"MIT",
"retrieved":"2026-11-20","unit":"pico-USD per token","models":["#;
    const RATES: &str = r#"{"input":1,"output":2,"cache_read":3,"cache_write_5m":4,"cache_write_1h":5}"#;

    fn row(provider: &str, model: &str) -> String {
        format!(r#"{{"provider":"{provider}","model":"{model}","rates":{RATES}}}"#)
    }

    fn table(rows: &[String]) -> Result<PriceTable, ParsePricesError> {
        PriceTable::parse(&format!("{HEAD}\n{}]}}", rows.join(",\n")))
    }

    fn found(provider: Provider, model: &str) -> Option<String> {
        PriceTable::embedded().lookup(provider, model).map(|price| price.model.clone())
    }

    #[test]
    fn the_embedded_table_says_where_it_is_from() {
        assert!(PriceTable::embedded().origin().source.starts_with("litellm wheel"));
    }

    #[test]
    fn every_form_of_a_date_is_left_aside() {
        for name in [
            "claude-opus-4-8",
            "claude-opus-4-8-20260528",
            "claude-opus-4-8@20260528",
            "claude-opus-4-8-2026-05-28",
            "claude-opus-4-8-latest",
            "claude-opus-4-8[1m]",
            "claude-opus-4-8-20260528[1m]",
        ] {
            assert_eq!(found(Provider::Anthropic, name).as_deref(), Some("claude-opus-4-8"), "{name}");
        }
    }

    #[test]
    fn a_row_with_the_date_wins() {
        assert_eq!(found(Provider::OpenAi, "gpt-4o-2024-05-13").as_deref(), Some("gpt-4o-2024-05-13"));
        assert_eq!(found(Provider::OpenAi, "gpt-4o-2024-12-24").as_deref(), Some("gpt-4o"));
        assert_eq!(found(Provider::Gemini, "gemini-pro-latest").as_deref(), Some("gemini-pro-latest"));
    }

    #[test]
    fn a_name_that_only_begins_alike_is_unknown() {
        let rows = [row("openai", "gpt-5"), row("anthropic", "claude-opus-4")];
        let table = table(&rows).unwrap();
        for name in ["gpt-5.5", "gpt-5-codex", "gpt-", "gpt-5-2025", "gpt-5-2025-8-7", "gpt-5-1234567"] {
            assert_eq!(table.lookup(Provider::OpenAi, name), None, "{name}");
        }
        for name in ["claude-opus-4-5", "claude-opus-4-5-20251101", "claude-opus-4[2m]", "-20251101", ""] {
            assert_eq!(table.lookup(Provider::Anthropic, name), None, "{name}");
        }
    }

    #[test]
    fn one_provider_never_pays_the_price_of_another() {
        for provider in [Provider::OpenAi, Provider::Gemini, Provider::Other] {
            assert_eq!(found(provider, "claude-opus-4-8"), None);
        }
    }

    #[test]
    fn an_error_of_form_names_line_column_and_key() {
        let wrong = row("openai", "gpt-5").replace("\"output\":2", "\"output\":2.5");
        assert_eq!(
            table(&[row("openai", "o3"), wrong]).unwrap_err().to_string(),
            "line 4, column 68, near \"output\": invalid type: floating point `2.5`, expected u64"
        );
        let unknown = row("openai", "gpt-5").replace("cache_read", "cache_red");
        let text = table(&[unknown]).unwrap_err().to_string();
        assert!(text.contains("near \"cache_red\": unknown field `cache_red`"), "{text}");
    }

    #[test]
    fn a_table_that_contradicts_itself_is_refused() {
        let twice = [row("openai", "gpt-5"), row("openai", "gpt-5")];
        assert_eq!(table(&twice).unwrap_err(), ParsePricesError::Duplicate("gpt-5".to_owned()));
        let stranger = table(&[row("azure", "gpt-5")]).unwrap_err().to_string();
        assert!(stranger.contains("\"provider\" is \"azure\""), "{stranger}");
        let newer = format!("{HEAD}]}}").replace("\"version\":1", "\"version\":2");
        assert_eq!(PriceTable::parse(&newer).unwrap_err(), ParsePricesError::Version(2));
        let other_unit = format!("{HEAD}]}}").replace("pico-USD", "USD");
        let text = PriceTable::parse(&other_unit).unwrap_err().to_string();
        assert!(text.contains("near \"unit\""), "{text}");
    }
}
