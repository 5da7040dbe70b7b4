//! A line of the drift log.

use ccxray_shared::{Name, UnixMillis, entry::Provider};
use serde::{Deserialize, Serialize};

use crate::classify::drift::Category;

/// A line of the drift log: something was met that nobody knows. It holds names, and no text of any exchange.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample<'a> {
    /// When it was last met, by the time of the entry.
    pub time: UnixMillis,
    /// What kind of thing.
    pub category: Category,
    /// With whom.
    pub provider: Provider,
    /// The bare name.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Name<'a>>,
    /// Which parser's fallback or error.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub parser: Option<Name<'a>>,
    /// What happened there.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Name<'a>>,
    /// How often since the line before on the same thing, or since the exporter started. So the sum over all lines is
    /// how often it was met. A crash loses at most what had been met since each thing's last line, and may have a second
    /// of entries counted twice.
    pub count: u64,
    /// The version of the proxy's text-dependent rules.
    pub rules_version: u32,
    /// The proxy's version, where the exporter has seen the beginning of the segment.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub proxy_version: Option<Name<'a>>,
}

impl Sample<'_> {
    /// What it is about, in short: the name, or the parser and what happened there.
    pub fn about(&self) -> String {
        let parts = [&self.token, &self.parser, &self.reason];
        parts.into_iter().flatten().map(Name::as_str).collect::<Vec<_>>().join(" ")
    }
}
