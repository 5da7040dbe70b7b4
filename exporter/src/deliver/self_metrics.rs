//! What the exporter tells of itself: names, units and meanings, for the instruments and for the catalogue's page.

use crate::measure::Kind;

/// A metric of the exporter's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SelfMetric {
    /// Its name.
    pub name: &'static str,
    /// How it is measured: a counter or a gauge.
    pub kind: Kind,
    /// Its unit: an annotation in braces, or none.
    pub unit: &'static str,
    /// The keys of its attributes; their values are closed sets.
    pub attributes: &'static [&'static str],
    /// What it says.
    pub description: &'static str,
}

const fn counter(
    name: &'static str,
    unit: &'static str,
    attributes: &'static [&'static str],
    description: &'static str,
) -> SelfMetric {
    SelfMetric { name, kind: Kind::Counter, unit, attributes, description }
}

const fn gauge(
    name: &'static str,
    unit: &'static str,
    attributes: &'static [&'static str],
    description: &'static str,
) -> SelfMetric {
    SelfMetric { name, kind: Kind::Gauge, unit, attributes, description }
}

/// The destination's health.
pub const STATE: SelfMetric = gauge(
    "ccxray.otel.state",
    "",
    &["state"],
    "Health of the destination: 1 for the state that it is in, 0 for the four others. On the local page the number of destinations in each state.",
);
/// Snapshots given up.
pub const DROPPED: SelfMetric = counter(
    "ccxray.otel.exports_dropped_total",
    "{export}",
    &["signal"],
    "Snapshots given up unsent or turned down whole. Later ones hold what they held.",
);
/// Points turned down.
pub const REJECTED: SelfMetric = counter(
    "ccxray.otel.exports_rejected_total",
    "{point}",
    &["reason"],
    "Points that the destination turned down: partial_success, too_large or bad_data.",
);
/// Pipelines that began their work, by tier.
pub const TIER_DISTRIBUTION: SelfMetric = counter(
    "ccxray.otel.tier_distribution",
    "{launch}",
    &["tier"],
    "Pipelines that began their work, by the tier that was in effect; a start without any as tier 0.",
);
/// Lines of the spool.
pub const ENTRIES: SelfMetric = counter(
    "ccxray.exporter.entries_total",
    "{line}",
    &["kind"],
    "Lines read from the spool: entry, gap, stats, or why one was skipped.",
);
/// Unread bytes.
pub const LAG_BYTES: SelfMetric =
    gauge("ccxray.exporter.lag_bytes", "{byte}", &[], "Bytes of the spool that have not been read.");
/// The age of the oldest unread entry.
pub const LAG_SECONDS: SelfMetric = gauge(
    "ccxray.exporter.lag_seconds",
    "{s}",
    &[],
    "How long ago the oldest entry ended that has not been counted; 0 if there is none.",
);
/// The age of the checkpoint.
pub const CHECKPOINT_AGE: SelfMetric = gauge(
    "ccxray.exporter.checkpoint_age_seconds",
    "{s}",
    &[],
    "How long ago a checkpoint was last written.",
);
/// The build.
pub const BUILD_INFO: SelfMetric = gauge(
    "ccxray.exporter.build_info",
    "",
    &["version", "revision"],
    "Always 1; the attributes name the running build.",
);

/// All of them.
pub const ALL: [SelfMetric; 9] = [
    STATE,
    DROPPED,
    REJECTED,
    TIER_DISTRIBUTION,
    ENTRIES,
    LAG_BYTES,
    LAG_SECONDS,
    CHECKPOINT_AGE,
    BUILD_INFO,
];
