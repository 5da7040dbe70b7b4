//! What goes into a worker, and what comes out of it.

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use serde::{Deserialize, Serialize};

use super::record::HealthRecord;

/// What a snapshot covers: a number that grows from cut to cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CutId(pub u64);

/// Totals at a window's end, to be sent.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// What they cover.
    pub cut: CutId,
    /// The request.
    pub request: ExportMetricsServiceRequest,
}

/// What a worker reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FromWorker {
    /// The destination has this cut, and with it everything before.
    Acked {
        /// The cut.
        cut: CutId,
        /// Points of its snapshot that the destination did not take, and that will not be sent again.
        rejected: u64,
    },
    /// The destination's health changed. `since` tells whether its state did.
    Health(HealthRecord),
    /// An attempt came to nothing; the same snapshot is tried again.
    Failed,
    /// Snapshots were given up. Later ones hold what they held.
    Dropped {
        /// How many.
        snapshots: u64,
    },
    /// Points were turned down. Those of an acked snapshot are in its `rejected`, too.
    Rejected {
        /// Why.
        reason: RejectReason,
        /// How many.
        points: u64,
    },
}

/// Why points were turned down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RejectReason {
    /// The destination said so in a partial success.
    PartialSuccess,
    /// Their metric alone is too large for a request.
    TooLarge,
    /// Their metric was found to spoil the request.
    BadData,
}

impl RejectReason {
    /// As it stands on a metric.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PartialSuccess => "partial_success",
            Self::TooLarge => "too_large",
            Self::BadData => "bad_data",
        }
    }
}
