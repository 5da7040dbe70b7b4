//! What the ledger says, record by record.

use std::{collections::BTreeMap, fmt};

use ccxray_shared::UnixMillis;
use serde::{Deserialize, Serialize};

use super::Positions;
use crate::pipeline::identity::{InstanceId, PipelineKey};

/// Which span: 16 random hex digits.
///
/// A span is one stretch of a pipeline's work, under one instance id: from the moment at which it is enabled to the
/// end of its consent, over any number of restarts; or one piece of a replay.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SpanId(String);

impl SpanId {
    /// The id made of these random bits.
    pub fn from_bits(bits: u64) -> Self {
        Self(format!("{bits:016x}"))
    }
}

/// Which pipeline, without telling where it leads: a hash of destination, tier and resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PipelineHash(String);

impl PipelineHash {
    /// The hash of `key`. It must stay the same for ever: a pipeline that is not known again has never sent anything.
    pub fn of(key: &PipelineKey) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("ccxray pipeline v1");
        let mut take = |text: &str| {
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        };
        take(key.destination.as_deref().unwrap_or_default());
        take(&key.tier.to_string());
        for (name, value) in &key.attributes {
            take(name);
            take(value);
        }
        Self(hasher.finalize().to_hex()[..32].to_owned())
    }
}

impl fmt::Display for PipelineHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One thing that the ledger says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Record {
    /// The first line of a file: what is not said below has not been said.
    Ledger {},
    /// A span begins; of one that has begun: its `since` has been put back.
    Begun(Begun),
    /// Before it is sent: entries of the span that come first in a snapshot.
    Attempted {
        /// By which span.
        span: SpanId,
        /// The snapshot's time.
        cut: UnixMillis,
        /// How far it goes, of the streams in which it goes further than the one before.
        upto: Positions,
    },
    /// The destination has all that the span attempted up to `cut`.
    Exported {
        /// Of which span.
        span: SpanId,
        /// Up to which snapshot.
        cut: UnixMillis,
    },
    /// The span does not send what ended within a time.
    Withheld(Withheld),
    /// The span ends: its consent is withdrawn, or its replay is over.
    Ended {
        /// Which.
        span: SpanId,
        /// When.
        at: UnixMillis,
    },
    /// Records were lost.
    Uncertain(Uncertain),
    /// Streams that had long left the spool were let go.
    Forgotten {
        /// No later snapshot held anything of theirs.
        until: UnixMillis,
    },
}

/// The beginning of a span.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begun {
    /// Its id.
    pub span: SpanId,
    /// Who writes of it.
    pub author: Author,
    /// Which pipeline's it is.
    pub pipeline: PipelineHash,
    /// Where to, masked; for people.
    pub destination: String,
    /// With which consent.
    pub tier: u8,
    /// The resource's own attributes, masked; for people.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub resource: BTreeMap<String, String>,
    /// Under which instance id.
    pub instance: InstanceId,
    /// Entries that ended before are not its own.
    pub since: UnixMillis,
    /// Nor are those that ended then or later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<UnixMillis>,
    /// Nor are those before these positions.
    #[serde(default, skip_serializing_if = "Positions::is_empty")]
    pub start: Positions,
}

impl Begun {
    /// Whether `other` is another beginning of the same work: the same pipeline under the same instance id.
    pub(super) fn is_same_work(&self, other: &Self) -> bool {
        (self.author, &self.pipeline, &self.instance) == (other.author, &other.pipeline, &other.instance)
    }
}

/// Who writes of a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Author {
    /// The exporter, as it goes.
    Live,
    /// A replay.
    Replay,
}

/// Entries that a span does not send.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withheld {
    /// Which span.
    pub span: SpanId,
    /// They ended later than this …
    pub from: UnixMillis,
    /// … and earlier than this. Said again with the same `from`, it has been put back.
    pub until: UnixMillis,
    /// Why.
    pub why: Why,
    /// What lies before had been attempted already. Streams that had come to rest a day before `from` are left out.
    #[serde(default, skip_serializing_if = "Positions::is_empty")]
    pub after: Positions,
}

/// Why entries are withheld.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// The exporter was away for longer than its user can be taken to still agree.
    Absence,
    /// For a reason that only a newer build knows.
    #[serde(other)]
    Other,
}

/// Records were lost: whatever no other record covers may have been sent by anyone, as far as this goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Uncertain {
    /// When the loss was noticed. Of streams that had left the spool, what ended until then.
    pub at: UnixMillis,
    /// The spool's end at that time.
    pub upto: Positions,
}
