//! What a file of rules says of itself.

use ccxray_shared::UnixMillis;
use serde::{Deserialize, Serialize};

use crate::classify::date::Date;

/// What a file of rules says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileFacts {
    /// The file's name.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// The clients that it was verified against.
    pub verified: Vec<Verified>,
    /// Whether it took the place of the embedded one.
    pub replaced: bool,
}

/// A client that a file was verified against.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verified {
    /// The client's name.
    pub client: String,
    /// Its version.
    pub version: String,
    /// When.
    pub on: Date,
}

/// A version in three numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Version(String);

/// Not a version.
#[derive(Debug, thiserror::Error)]
#[error("\"{0}\" is no version such as \"1.0.0\"")]
pub struct NoVersionError(String);

impl FileFacts {
    /// How many whole days ago, at `now`, the client was looked at that has not been looked at for longest.
    pub fn age_days(&self, now: UnixMillis) -> u64 {
        self.verified.iter().map(|client| client.on.days_before(now)).max().unwrap_or(0)
    }
}

impl TryFrom<String> for Version {
    type Error = NoVersionError;
    fn try_from(text: String) -> Result<Self, NoVersionError> {
        let numbers = text.split('.').filter(|part| part.parse::<u32>().is_ok()).count();
        if numbers == 3 && text.split('.').count() == 3 { Ok(Self(text)) } else { Err(NoVersionError(text)) }
    }
}

impl From<Version> for String {
    fn from(version: Version) -> Self {
        version.0
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
