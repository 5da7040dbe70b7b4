//! The prices that are known, and which of them is a model's.
//!
//! The embedded table is made by `exporter/scripts/refresh-prices.py` and carries its source and date; a file
//! of the same form can take its place.

use std::collections::HashMap;

use ccxray_shared::entry::Provider;
use serde::{Deserialize, Serialize};

use super::{
    model,
    prices::ModelPrice,
    rules::{FormError, PerProvider},
};

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
    models: PerProvider<HashMap<String, ModelPrice>>,
}

/// Why a table could not be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParsePricesError {
    /// Not JSON, or not the form.
    #[error(transparent)]
    Form(FormError),
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
        let file: File = serde_json::from_str(text)
            .map_err(|error| ParsePricesError::Form(FormError::of_json(text, &error)))?;
        if file.version != VERSION {
            return Err(ParsePricesError::Version(file.version));
        }
        let mut models: PerProvider<HashMap<String, ModelPrice>> = PerProvider::default();
        for row in file.models {
            let Some(of_provider) = models.get_mut(provider_of(&row)) else {
                return Err(ParsePricesError::Provider { model: row.model, provider: row.provider });
            };
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
    /// `[1m]`. Never under a name that only begins alike, whose price may be thrice as high.
    pub fn lookup(&self, provider: Provider, name: &str) -> Option<&ModelPrice> {
        model::by_name(self.models.get(provider)?, name)
    }
}

fn provider_of(row: &ModelPrice) -> Provider {
    let known = [Provider::Anthropic, Provider::OpenAi, Provider::Gemini];
    known.into_iter().find(|provider| provider.as_str() == row.provider).unwrap_or(Provider::Other)
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
            "4:68: near \"output\": invalid type: floating point `2.5`, expected u64"
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
