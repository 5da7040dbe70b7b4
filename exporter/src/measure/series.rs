//! What tells one time series from another.

use serde::{Deserialize, Serialize};

use super::{Labels, Metric, short_text::same};

/// Defines the attribute keys.
macro_rules! keys {
    ($($(#[$meta:meta])* $variant:ident = $word:literal,)*) => {
        /// An attribute's key.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Key { $($(#[$meta])* #[serde(rename = $word)] $variant,)* }
        impl Key {
            /// The key as it is sent.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
            /// The key that is sent as `word`.
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

keys! {
    /// Whose API.
    Provider = "provider",
    /// The model that answered.
    Model = "model",
    /// The tool's full name.
    Tool = "tool",
    /// The API's operation.
    Route = "route",
    /// The class of the status, or why there is none.
    Status = "status",
    /// What the request was for.
    Class = "class",
    /// The server of a tool.
    Server = "server",
    /// The skill's name.
    Skill = "skill",
    /// The kind of an error, an agent or a mismatch.
    Type = "type",
    /// Why an answer ended, why something was lost, or what was not understood.
    Reason = "reason",
    /// Who broke off.
    By = "by",
    /// Which rate limit.
    Limit = "limit",
    /// Which permission mode.
    Mode = "mode",
    /// Which dangerous pattern.
    Pattern = "pattern",
    /// Which parser.
    Parser = "parser",
    /// How a parser failed.
    ErrorType = "error_type",
    /// A metric's name.
    Metric = "metric",
    /// An attribute's key.
    Attribute = "attribute",
    /// The agent's own telemetry is on as well.
    CliOtelActive = "ccxray.cli_otel_active",
    /// The exchange was only partly understood.
    ParserDegraded = "ccxray.parser.degraded",
}

impl Key {
    /// Whether the value is the boolean true (the key is left out when it would be false).
    pub const fn is_flag(self) -> bool {
        matches!(self, Self::CliOtelActive | Self::ParserDegraded)
    }
}

/// The value of a flag.
pub const TRUE: &str = "true";

/// One time series: a metric and its attributes, in the catalogue's order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Series {
    /// Of what.
    pub metric: Metric,
    /// Which.
    pub attributes: Vec<(Key, Box<str>)>,
}

impl Series {
    /// The series of these attributes.
    pub fn new(metric: Metric, attributes: &[(Key, &str)]) -> Self {
        Self { metric, attributes: attributes.iter().map(|&(key, value)| (key, value.into())).collect() }
    }

    /// Whether it is the series of `metric` with these attributes.
    pub(super) fn is(&self, metric: Metric, labels: &Labels<'_>) -> bool {
        let theirs = labels.pairs();
        let alike =
            |(mine, theirs): (&(Key, Box<str>), &(Key, &str))| mine.0 == theirs.0 && same(&mine.1, theirs.1);
        self.metric == metric
            && self.attributes.len() == theirs.len()
            && self.attributes.iter().zip(theirs).all(alike)
    }

    /// Its attributes.
    pub fn labels(&self) -> Labels<'_> {
        let attributes: Vec<(Key, &str)> =
            self.attributes.iter().map(|(key, value)| (*key, &**value)).collect();
        Labels::of(&attributes)
    }
}
