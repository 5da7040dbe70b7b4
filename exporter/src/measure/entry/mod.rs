//! The measurements of one entry, by the catalogue's groups.

mod cost;
mod governance;
mod patterns;
mod quality;
mod sentinels;
mod tools;
mod usage;

use super::{Key, Labels, Metric, series::TRUE};
use crate::classify::{Classified, drift::Drift};

/// Takes measurements; a pipeline is one.
pub trait Sink {
    /// One recording of `value`.
    fn record(&mut self, metric: Metric, labels: &Labels<'_>, value: u64);

    /// How high a gauge stood when the entry ended.
    fn gauge(&mut self, metric: Metric, labels: &Labels<'_>, value: u64);

    /// One recording of [`Metric::Sessions`] if this is the first sight of the session.
    fn session(&mut self, session: &str, labels: &Labels<'_>);
}

/// What stands in the place of a value over budget, and of names that an entry no longer lists.
pub const OVERFLOW: &str = "_overflow_";

/// Records all that `classified` says, and what in it was not as expected.
pub fn measure(classified: &Classified<'_>, drifts: &[Drift<'_>], sink: &mut impl Sink) {
    let mut recorder = Recorder::new(classified, sink);
    recorder.usage();
    recorder.cost();
    recorder.tools();
    recorder.quality();
    recorder.patterns();
    recorder.governance();
    recorder.sentinels(drifts);
}

/// Some attributes of a recording.
type Pairs<'l> = [(Key, &'l str)];

struct Recorder<'a, S> {
    classified: &'a Classified<'a>,
    sink: &'a mut S,
    flags: &'static Pairs<'static>,
    by_provider: Labels<'a>,
    by_model: Labels<'a>,
}

impl<'a, S: Sink> Recorder<'a, S> {
    fn new(classified: &'a Classified<'a>, sink: &'a mut S) -> Self {
        let flags = flags(classified);
        let provider = (Key::Provider, classified.entry.provider.as_str());
        Self {
            classified,
            sink,
            flags,
            by_provider: Labels::chained(&[provider], flags),
            by_model: Labels::chained(&[provider, (Key::Model, classified.model)], flags),
        }
    }

    fn provider(&self) -> (Key, &'static str) {
        (Key::Provider, self.classified.entry.provider.as_str())
    }

    /// Records something that the entry raises, with the entry's flags.
    fn record(&mut self, metric: Metric, attributes: &Pairs<'_>, value: u64) {
        self.sink.record(metric, &Labels::chained(attributes, self.flags), value);
    }

    fn record_by_provider(&mut self, metric: Metric, value: u64) {
        self.sink.record(metric, &self.by_provider, value);
    }

    fn record_by_model(&mut self, metric: Metric, value: u64) {
        self.sink.record(metric, &self.by_model, value);
    }

    /// Records what bears no flags.
    fn record_plain(&mut self, metric: Metric, attributes: &Pairs<'_>, value: u64) {
        self.sink.record(metric, &Labels::of(attributes), value);
    }
}

/// The flags that an entry's counters and histograms bear.
fn flags(classified: &Classified<'_>) -> &'static Pairs<'static> {
    const BOTH: &Pairs<'static> = &[(Key::CliOtelActive, TRUE), (Key::ParserDegraded, TRUE)];
    match (classified.entry.agent_otel, classified.degraded) {
        (false, false) => &[],
        (true, false) => &BOTH[..1],
        (false, true) => &BOTH[1..],
        (true, true) => BOTH,
    }
}

#[cfg(test)]
mod tests;
