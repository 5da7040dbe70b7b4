//! The accumulation of a window, by the OpenTelemetry SDK.
//!
//! Everything that is particular about the SDK stays in this file and in `shared_reader.rs`. A meter provider of its own per pipeline has a
//! view for each metric (allow-list of attributes, bounds, limit of series) and a reader that is drained by hand
//! with *delta* temporality: cumulative would report bound instruments that were never recorded, and would never
//! let a series go. Instruments are bound once per series, which makes a recording an atomic addition. The SDK's
//! own timestamps, minima and maxima are not used: points bear event time.

use std::fmt;

use opentelemetry::{
    KeyValue,
    metrics::{BoundCounter, BoundHistogram, Counter, Histogram, Meter as SdkMeter, MeterProvider},
};
use opentelemetry_sdk::{
    Resource,
    metrics::{
        Aggregation, Instrument as SdkInstrument, SdkMeterProvider, Stream, Temporality,
        data::{AggregatedMetrics, MetricData, ResourceMetrics, ScopeMetrics},
        reader::MetricReader,
    },
};

use super::{
    Catalogue, Key, Kind, Labels, Metric, MetricDef, Series, SeriesTable, shared_reader::SharedReader,
};

/// How many series of one metric a meter holds. Beyond it the values of all budgeted attributes are recorded as
/// overflow, so that the SDK's own limit, which drops attributes without a word, is never reached.
pub const MAX_SERIES: usize = 2000;
/// The SDK's limit: ours, with room for the overflow series themselves.
const SDK_LIMIT: usize = MAX_SERIES * 2;

/// One pipeline's instruments.
pub struct Meter {
    /// Owns what the reader only holds weakly.
    _provider: SdkMeterProvider,
    reader: SharedReader,
    instruments: Vec<Option<Instrument>>,
    bound: SeriesTable<Bound>,
    series: Vec<usize>,
    scratch: ResourceMetrics,
}

enum Instrument {
    Counter(Counter<u64>),
    Histogram(Histogram<u64>),
}

enum Bound {
    Counter(BoundCounter<u64>),
    Histogram(BoundHistogram<u64>),
}

/// What a drain gives for one series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delta {
    /// How much a sum has grown.
    Sum(u64),
    /// What a distribution has gained.
    Histogram {
        /// Per bucket, one more than there are bounds.
        buckets: Vec<u64>,
        /// Of the recorded values.
        sum: u64,
    },
}

impl fmt::Debug for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Meter").field("series", &self.bound.len()).finish_non_exhaustive()
    }
}

impl Default for Meter {
    fn default() -> Self {
        Self::new()
    }
}

impl Meter {
    /// Instruments for the whole catalogue, without any series.
    pub fn new() -> Self {
        let reader = SharedReader::new(Temporality::Delta);
        let provider = SdkMeterProvider::builder()
            .with_resource(Resource::builder_empty().build())
            .with_reader(reader.clone())
            .with_view(view)
            .build();
        let meter = provider.meter("ccxray");
        let instruments = Catalogue::embedded().iter().map(|def| Instrument::new(&meter, def)).collect();
        Self {
            _provider: provider,
            reader,
            instruments,
            bound: SeriesTable::default(),
            series: vec![0; Metric::ALL.len()],
            scratch: ResourceMetrics::default(),
        }
    }

    /// Adds `value` to this series; whether it is there.
    pub fn record_bound(&self, metric: Metric, labels: &Labels<'_>, value: u64) -> bool {
        match self.bound.get(metric, labels) {
            Some(Bound::Counter(counter)) => counter.add(value),
            Some(Bound::Histogram(histogram)) => histogram.record(value),
            None => return false,
        }
        true
    }

    /// Whether it has no series.
    pub fn is_empty(&self) -> bool {
        self.bound.is_empty()
    }

    /// Whether one more series of `metric` may be made.
    pub fn has_room(&self, metric: Metric) -> bool {
        self.series[metric as usize] < MAX_SERIES
    }

    /// Makes this series.
    pub fn bind(&mut self, metric: Metric, labels: &Labels<'_>) {
        let attributes: Vec<KeyValue> = labels
            .pairs()
            .iter()
            .map(|&(key, value)| KeyValue::new(key.as_str(), value.to_owned()))
            .collect();
        let bound = match &self.instruments[metric as usize] {
            Some(Instrument::Counter(counter)) => Bound::Counter(counter.bind(&attributes)),
            Some(Instrument::Histogram(histogram)) => Bound::Histogram(histogram.bind(&attributes)),
            None => return,
        };
        if self.bound.insert(metric, labels, bound) {
            self.series[metric as usize] += 1;
        }
    }

    /// Lets a series go; it is made anew when it comes back.
    pub fn unbind(&mut self, metric: Metric, labels: &Labels<'_>) {
        if self.bound.remove(metric, labels).is_some() {
            self.series[metric as usize] -= 1;
        }
    }

    /// Hands over what was recorded since the last drain.
    pub fn drain(&mut self, mut take: impl FnMut(Series, Delta)) {
        let collected = self.reader.collect(&mut self.scratch);
        debug_assert!(collected.is_ok(), "the provider lives as long as the reader: {collected:?}");
        for metric in self.scratch.scope_metrics().flat_map(ScopeMetrics::metrics) {
            let Some(&id) = Metric::ALL.iter().find(|id| id.name() == metric.name()) else { continue };
            let AggregatedMetrics::U64(data) = metric.data() else { continue };
            match data {
                MetricData::Sum(sum) => {
                    for point in sum.data_points() {
                        take(series(id, point.attributes()), Delta::Sum(point.value()));
                    }
                }
                MetricData::Histogram(histogram) => {
                    for point in histogram.data_points() {
                        let buckets = point.bucket_counts().collect();
                        take(series(id, point.attributes()), Delta::Histogram { buckets, sum: point.sum() });
                    }
                }
                MetricData::Gauge(_) | MetricData::ExponentialHistogram(_) => {}
            }
        }
    }
}

impl Instrument {
    /// The instrument of a metric; gauges have none, they are computed when a window closes.
    fn new(meter: &SdkMeter, def: &MetricDef) -> Option<Self> {
        let name = def.name.name();
        match def.kind {
            Kind::Counter | Kind::PicoUsdCounter => {
                Some(Self::Counter(meter.u64_counter(name).with_unit(def.unit.clone()).build()))
            }
            Kind::Histogram => {
                Some(Self::Histogram(meter.u64_histogram(name).with_unit(def.unit.clone()).build()))
            }
            Kind::Gauge => None,
        }
    }
}

fn view(instrument: &SdkInstrument) -> Option<Stream> {
    let def = Catalogue::embedded().iter().find(|def| def.name.name() == instrument.name())?;
    let flags = [Key::CliOtelActive, Key::ParserDegraded];
    let allowed = def.attributes.iter().chain(flags.iter().filter(|_| def.bears_flags));
    let mut stream = Stream::builder()
        .with_cardinality_limit(SDK_LIMIT)
        .with_allowed_attribute_keys(allowed.map(|key| opentelemetry::Key::from_static_str(key.as_str())));
    if def.kind == Kind::Histogram {
        stream = stream.with_aggregation(Aggregation::ExplicitBucketHistogram {
            boundaries: def.bounds.iter().map(|&bound| f64::from(bound)).collect(),
            record_min_max: false,
        });
    }
    let stream = stream.build();
    debug_assert!(stream.is_ok(), "{stream:?}");
    stream.ok()
}

/// The series of the SDK's attributes, back in the catalogue's order.
fn series<'p>(metric: Metric, attributes: impl Iterator<Item = &'p KeyValue>) -> Series {
    let mut found: Vec<(Key, Box<str>)> = attributes
        .filter_map(|pair| Some((Key::from_word(pair.key.as_str())?, pair.value.as_str().into())))
        .collect();
    let order = &Catalogue::embedded().get(metric).attributes;
    found.sort_by_key(|&(key, _)| (order.iter().position(|&k| k == key).unwrap_or(usize::MAX), key));
    Series { metric, attributes: found }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(meter: &mut Meter, metric: Metric, attributes: &[(Key, &str)], value: u64) {
        let labels = Labels::of(attributes);
        if !meter.record_bound(metric, &labels, value) {
            meter.bind(metric, &labels);
            assert!(meter.record_bound(metric, &labels, value));
        }
    }

    fn drain(meter: &mut Meter) -> Vec<(Series, Delta)> {
        let mut all = Vec::new();
        meter.drain(|series, delta| all.push((series, delta)));
        all.sort_by(|(a, _), (b, _)| a.cmp(b));
        all
    }

    #[test]
    fn a_drain_gives_what_came_since_the_last_one_and_nothing_else() {
        let mut meter = Meter::new();
        let attributes = [(Key::Provider, "anthropic"), (Key::Model, "m")];
        record(&mut meter, Metric::TokensInput, &attributes, 3);
        record(&mut meter, Metric::TokensInput, &attributes, 4);
        let series = Series::new(Metric::TokensInput, &attributes);
        assert_eq!(drain(&mut meter), [(series.clone(), Delta::Sum(7))]);
        assert_eq!(drain(&mut meter), []);
        record(&mut meter, Metric::TokensInput, &attributes, 5);
        assert_eq!(drain(&mut meter), [(series, Delta::Sum(5))]);
    }

    #[test]
    fn a_value_on_a_bound_falls_into_the_lower_bucket() {
        let mut meter = Meter::new();
        let attributes = [(Key::Model, "m"), (Key::Provider, "anthropic")];
        for value in [50, 51, 640_001] {
            record(&mut meter, Metric::LatencyMs, &attributes, value);
        }
        let drained = drain(&mut meter);
        let [(_, Delta::Histogram { buckets, sum })] = &drained[..] else { panic!("{drained:?}") };
        assert_eq!((buckets[0], buckets[1], buckets[14], buckets.len()), (1, 1, 1, 15));
        assert_eq!(*sum, 640_102);
    }

    #[test]
    fn the_sdk_never_folds_series_together_below_our_own_limit() {
        let mut meter = Meter::new();
        for i in 0..MAX_SERIES {
            assert!(meter.has_room(Metric::Requests));
            record(
                &mut meter,
                Metric::Requests,
                &[(Key::Provider, "anthropic"), (Key::Route, &format!("r{i}"))],
                1,
            );
        }
        assert!(!meter.has_room(Metric::Requests));
        let drained = drain(&mut meter);
        assert_eq!(drained.len(), MAX_SERIES);
        assert!(drained.iter().all(|(_, delta)| *delta == Delta::Sum(1)));
    }

    #[test]
    fn a_series_that_was_let_go_starts_anew() {
        let mut meter = Meter::new();
        record(&mut meter, Metric::Late, &[], 1);
        drain(&mut meter);
        meter.unbind(Metric::Late, &Labels::of(&[]));
        assert!(!meter.record_bound(Metric::Late, &Labels::of(&[]), 1));
        record(&mut meter, Metric::Late, &[], 2);
        assert_eq!(drain(&mut meter), [(Series::new(Metric::Late, &[]), Delta::Sum(2))]);
    }
}
