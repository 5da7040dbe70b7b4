//! The few figures that the page shows, taken from the metrics themselves.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::{
    collector::metrics::v1::ExportMetricsServiceRequest,
    common::v1::KeyValue,
    metrics::v1::{HistogramDataPoint, NumberDataPoint, metric::Data, number_data_point::Value},
};

use super::{activity::Activity, distribution::Distribution, prometheus};

/// What was spent, asked for and answered.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Summary {
    /// List price in US dollars.
    pub cost_usd: f64,
    /// Sessions seen.
    pub sessions: f64,
    /// Token counts by model.
    pub models: BTreeMap<String, Tokens>,
    /// Exchanges by status class.
    pub requests: BTreeMap<String, f64>,
    /// Errors by type.
    pub errors: BTreeMap<String, f64>,
    /// Tool calls by name.
    pub tools: BTreeMap<String, f64>,
    /// Answers by why they ended.
    pub stop_reasons: BTreeMap<String, f64>,
    /// How long answers took, by model.
    pub latency: BTreeMap<String, Latency>,
    /// What agents did.
    pub activity: Activity,
    /// What could not be measured, by what it is; only what there is.
    pub gaps: BTreeMap<String, f64>,
}

/// How long the answers of one model took, in milliseconds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Latency {
    /// To the last byte.
    pub whole: Distribution,
    /// To the first content, for streamed answers.
    pub first_token: Distribution,
}

/// Tokens of one model, and their price.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tokens {
    /// Neither read from nor written to a cache.
    pub input: f64,
    /// Answers.
    pub output: f64,
    /// Read from a cache.
    pub cache_read: f64,
    /// Written to a cache.
    pub cache_creation: f64,
    /// US dollars.
    pub cost_usd: f64,
    /// Exchanges for which no price is known, so that they are not in the cost.
    pub unpriced: f64,
}

impl Tokens {
    /// Share of all input that came from a cache; `None` without input.
    pub fn cache_share(&self) -> Option<f64> {
        let all = self.all_input();
        (all > 0.0).then(|| self.cache_read / all)
    }

    /// All input, however it came.
    pub fn all_input(&self) -> f64 {
        self.input + self.cache_read + self.cache_creation
    }
}

impl Summary {
    /// Sums up `request`.
    pub fn of(request: &ExportMetricsServiceRequest) -> Self {
        let mut summary = Self::default();
        let scopes = request.resource_metrics.iter().flat_map(|resource| &resource.scope_metrics);
        for metric in scopes.flat_map(|scope| &scope.metrics) {
            match &metric.data {
                Some(Data::Sum(sum)) => {
                    latest(&sum.data_points, |point| (point.time_unix_nano, &point.attributes))
                        .for_each(|point| summary.add(&metric.name, point));
                }
                Some(Data::Histogram(histogram)) => {
                    latest(&histogram.data_points, |point| (point.time_unix_nano, &point.attributes))
                        .for_each(|point| summary.add_distribution(&metric.name, point));
                }
                Some(Data::Gauge(gauge)) => {
                    gauge
                        .data_points
                        .iter()
                        .for_each(|point| summary.activity.add_gauge(&metric.name, point));
                }
                _ => {}
            }
        }
        summary
    }

    /// The latency of all models together.
    pub fn all_latency(&self) -> Latency {
        self.latency.values().fold(Latency::default(), |mut sum, latency| {
            sum.whole.merge(&latency.whole);
            sum.first_token.merge(&latency.first_token);
            sum
        })
    }

    /// All models together.
    pub fn all_models(&self) -> Tokens {
        self.models.values().fold(Tokens::default(), |sum, tokens| Tokens {
            input: sum.input + tokens.input,
            output: sum.output + tokens.output,
            cache_read: sum.cache_read + tokens.cache_read,
            cache_creation: sum.cache_creation + tokens.cache_creation,
            cost_usd: sum.cost_usd + tokens.cost_usd,
            unpriced: sum.unpriced + tokens.unpriced,
        })
    }

    fn add(&mut self, metric: &str, point: &NumberDataPoint) {
        let amount = amount(point);
        let by = |name| attribute(&point.attributes, name);
        match metric {
            "ccxray.cost.usd_total" => {
                self.cost_usd += amount;
                self.model(by("model")).cost_usd += amount;
            }
            "ccxray.cost.unpriced_total" => self.model(by("model")).unpriced += amount,
            "ccxray.sessions_total" => self.sessions += amount,
            "ccxray.tokens.input_total" => self.model(by("model")).input += amount,
            "ccxray.tokens.output_total" => self.model(by("model")).output += amount,
            "ccxray.tokens.cache_read_total" => self.model(by("model")).cache_read += amount,
            "ccxray.tokens.cache_creation_total" => self.model(by("model")).cache_creation += amount,
            "ccxray.requests_total" => *self.requests.entry(by("status")).or_default() += amount,
            "ccxray.errors_total" => *self.errors.entry(by("type")).or_default() += amount,
            "ccxray.tool.invocations_total" => *self.tools.entry(by("tool")).or_default() += amount,
            "ccxray.stop_reason_total" => *self.stop_reasons.entry(by("reason")).or_default() += amount,
            _ => {
                self.activity.add(metric, point);
                self.add_gap(metric, point);
            }
        }
    }

    fn add_gap(&mut self, metric: &str, point: &NumberDataPoint) {
        let by = |name| attribute(&point.attributes, name);
        let amount = amount(point);
        match metric {
            "ccxray.usage.missing_total" => self.note_gap("Answers without token counts".to_owned(), amount),
            "ccxray.invariants.sse_truncated_total" => self.note_gap("Answers cut short".to_owned(), amount),
            "ccxray.spool.entries_lost_total" => {
                self.note_gap(format!("Exchanges not recorded: {}", by("reason")), amount);
            }
            "ccxray.metrics.overflow_total" => {
                self.note_gap(format!("Counted under _overflow_: {}", by("attribute")), amount);
            }
            "ccxray.parser.unknown_tool_total" => self.note_gap("Calls of unknown tools".to_owned(), amount),
            "ccxray.parser.unknown_skill_marker_total" => {
                self.note_gap("Skills without a name".to_owned(), amount);
            }
            "ccxray.parser.unknown_mcp_format_total" => {
                self.note_gap("MCP calls without a server".to_owned(), amount);
            }
            "ccxray.parser.fallback_used_total" => {
                self.note_gap(format!("Passed over: {}", by("reason")), amount);
            }
            "ccxray.parser.error_total" => {
                self.note_gap(format!("Not understood: {}", by("error_type")), amount);
            }
            "ccxray.parser.reconciliation_mismatch_total" | "ccxray.invariants.parser_mismatch_total" => {
                self.note_gap(format!("Answers that do not add up: {}", by("type")), amount);
            }
            _ => {}
        }
    }

    fn add_distribution(&mut self, metric: &str, point: &HistogramDataPoint) {
        let model = attribute(&point.attributes, "model");
        match metric {
            "ccxray.latency_ms" => self.latency.entry(model).or_default().whole.add(point),
            "ccxray.first_token_latency_ms" => self.latency.entry(model).or_default().first_token.add(point),
            _ => self.activity.add_distribution(metric, point),
        }
    }

    fn note_gap(&mut self, what: String, amount: f64) {
        if amount > 0.0 {
            *self.gaps.entry(what).or_default() += amount;
        }
    }

    fn model(&mut self, name: String) -> &mut Tokens {
        self.models.entry(name).or_default()
    }
}

/// The latest point of each series: a series may come with its zero point. `key` gives a point's time and attributes.
fn latest<P>(points: &[P], key: impl Fn(&P) -> (u64, &Vec<KeyValue>)) -> impl Iterator<Item = &P> {
    points.iter().filter(move |point| {
        let (time, attributes) = key(point);
        !points.iter().map(&key).any(|(other, theirs)| other > time && theirs == attributes)
    })
}

pub(super) fn amount(point: &NumberDataPoint) -> f64 {
    match point.value {
        #[expect(clippy::cast_precision_loss, reason = "shown to people")]
        Some(Value::AsInt(int)) => int as f64,
        Some(Value::AsDouble(double)) => double,
        None => 0.0,
    }
}

pub(super) fn attribute(attributes: &[KeyValue], name: &str) -> String {
    let found = attributes.iter().find(|attribute| attribute.key == name);
    found.and_then(|attribute| attribute.value.as_ref()).map(prometheus::value).unwrap_or_default()
}

/// The sum over all values; an empty sum is 0, where the standard library's is -0.
pub fn total(counts: &BTreeMap<String, f64>) -> f64 {
    counts.values().fold(0.0, |sum, count| sum + count)
}

#[cfg(test)]
mod tests {
    use super::{super::sample, *};

    #[test]
    fn figures_are_summed_by_what_the_page_groups_them_by() {
        let summary = Summary::of(&sample::request());
        let opus = Tokens { input: 1234.0, cost_usd: 0.125, ..Tokens::default() };
        assert_eq!(summary.models["claude-opus-4-5"], opus);
        assert_eq!(summary.all_models(), Tokens { input: 1239.0, ..opus });
        assert_eq!(summary.requests, BTreeMap::from([("2xx".to_owned(), 12.0)]));
        assert_eq!((total(&summary.requests), total(&BTreeMap::new()).to_string()), (12.0, "0".to_owned()));
    }

    #[test]
    fn a_zero_point_beside_its_series_does_not_count_twice() {
        let at = |time, value| NumberDataPoint {
            time_unix_nano: time,
            ..sample::point(&[("model", "m")], Value::AsInt(value))
        };
        let tokens = sample::counter("ccxray.tokens.input_total", "{token}", "", vec![at(1, 3), at(2, 7)]);
        let summary = Summary::of(&sample::of(vec![tokens]));
        assert_eq!(summary.models["m"], Tokens { input: 7.0, ..Tokens::default() });
    }

    #[test]
    fn latency_is_kept_by_model() {
        let summary = Summary::of(&sample::request());
        assert_eq!(summary.latency["claude-opus-4-5"].whole.mean(), Some(151.75), "910.5 ms over 6 answers");
        assert_eq!(summary.all_latency().whole, summary.latency["claude-opus-4-5"].whole);
        assert_eq!(summary.all_latency().first_token, Distribution::default());
    }

    #[test]
    fn what_could_not_be_measured_is_named_only_if_there_is_any() {
        let lost = |reason, count| sample::point(&[("reason", reason)], Value::AsInt(count));
        let points = vec![lost("torn", 2), lost("removed", 0)];
        let lost = sample::counter("ccxray.spool.entries_lost_total", "{entry}", "", points);
        let expected = BTreeMap::from([("Exchanges not recorded: torn".to_owned(), 2.0)]);
        assert_eq!(Summary::of(&sample::of(vec![lost])).gaps, expected);
    }

    #[test]
    fn the_cache_share_is_read_over_all_input() {
        let tokens = Tokens { input: 10.0, cache_read: 60.0, cache_creation: 30.0, ..Tokens::default() };
        assert_eq!(tokens.cache_share(), Some(0.6));
        assert_eq!(Tokens::default().cache_share(), None);
    }
}
