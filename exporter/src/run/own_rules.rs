//! Rules and prices of the user's own, in place of those that the program carries.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use crate::classify::{
    Rules,
    price_table::{ParsePricesError, PriceTable},
    rules::{FormError, RulesError},
};

const PRICES: &str = "prices.json";

/// The user's files cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OwnRulesError {
    /// One cannot be read.
    #[error("failed to read `{path}`")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// One is not what its name says.
    #[error("{path}:{error}")]
    Form {
        /// Which.
        path: String,
        /// What is wrong, and where.
        error: FormError,
    },
    /// A price table contradicts itself.
    #[error("price table `{path}`")]
    Prices {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: ParsePricesError,
    },
    /// One would replace nothing.
    #[error("`{path}` would replace nothing; the files that can be replaced are {known}")]
    Unknown {
        /// Which.
        path: PathBuf,
        /// The names that there are.
        known: String,
    },
}

/// Makes the rules in `dir` those of this process, for the names that it has, and gives the prices: those in
/// `prices`, else in `dir`, else the program's own. To be called before any entry is looked at.
pub fn take_over(dir: Option<&Path>, prices: Option<&Path>) -> Result<PriceTable, OwnRulesError> {
    let mut texts = dir.map_or_else(|| Ok(BTreeMap::new()), texts)?;
    let in_dir = texts.remove(PRICES);
    if let Some(dir) = dir {
        let in_file =
            |RulesError { file, error }| OwnRulesError::Form { path: shown(&dir.join(file)), error };
        Rules::with(&texts).map_err(in_file)?.install();
    }
    match (prices, dir.zip(in_dir)) {
        (Some(path), _) => price_table(path, &read(path)?),
        (None, Some((dir, text))) => price_table(&dir.join(PRICES), &text),
        (None, None) => Ok(PriceTable::embedded()),
    }
}

/// The files of rules and prices in `dir`, by name. Others than JSON files are left alone.
fn texts(dir: &Path) -> Result<BTreeMap<String, String>, OwnRulesError> {
    let unreadable = |source| OwnRulesError::Read { path: dir.to_owned(), source };
    let mut texts = BTreeMap::new();
    for file in fs::read_dir(dir).map_err(unreadable)? {
        let path = file.map_err(unreadable)?.path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if name != PRICES && !Rules::NAMES.contains(&name.as_str()) {
            let known = [&Rules::NAMES[..], &[PRICES]].concat().join(", ");
            return Err(OwnRulesError::Unknown { path, known });
        }
        let text = read(&path)?;
        texts.insert(name, text);
    }
    Ok(texts)
}

fn read(path: &Path) -> Result<String, OwnRulesError> {
    fs::read_to_string(path).map_err(|source| OwnRulesError::Read { path: path.to_owned(), source })
}

fn price_table(path: &Path, text: &str) -> Result<PriceTable, OwnRulesError> {
    PriceTable::parse(text).map_err(|error| match error {
        ParsePricesError::Form(error) => OwnRulesError::Form { path: shown(path), error },
        source => OwnRulesError::Prices { path: path.to_owned(), source },
    })
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(name: &str, text: &str) -> String {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(name), text).unwrap();
        let error = take_over(Some(dir.path()), None).unwrap_err().to_string();
        error.replace(&shown(dir.path()), "DIR")
    }

    #[test]
    fn a_file_that_would_replace_nothing_is_refused() {
        let error = said("tool.json", "{}");
        assert!(error.starts_with("`DIR/tool.json` would replace nothing; the files"), "{error}");
        assert!(error.ends_with("notes.json, prices.json"), "{error}");
    }

    #[test]
    fn what_is_wrong_is_named_by_file_line_and_column() {
        let wrong = "{\n  \"version\": \"1.0.0\",\n  \"last_verified\": []\n}";
        let error = said("mcp.json", wrong);
        assert!(error.starts_with("DIR/mcp.json:3:17: near \"last_verified\": unknown field"), "{error}");
        let error = said("mcp.json", "{}");
        assert_eq!(error, "DIR/mcp.json:1:2: missing field `version`");
        let error = said("prices.json", "{\n\"version\": \"1\"}");
        assert!(error.starts_with("DIR/prices.json:2:14: near \"version\": invalid type"), "{error}");
    }

    #[test]
    fn a_directory_that_is_not_there_is_an_error() {
        let error = take_over(Some(Path::new("/nowhere/at/all")), None).unwrap_err();
        assert_eq!(error.to_string(), "failed to read `/nowhere/at/all`");
    }
}
