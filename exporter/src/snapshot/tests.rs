use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as Number;

use super::*;
use crate::measure::{
    Key,
    series::TRUE,
    totals::{Value, Zero},
};

const START: UnixMillis = UnixMillis(60_000);
const TIME: UnixMillis = UnixMillis(180_000);

fn row(value: Value) -> Row {
    Row { start: START, last: TIME, zero: Zero::Owed, value }
}

fn metrics(request: ExportMetricsServiceRequest) -> Vec<OtlpMetric> {
    let resource = request.resource_metrics.into_iter().next().unwrap();
    resource.scope_metrics.into_iter().next().unwrap().metrics
}

#[test]
fn a_new_series_is_at_zero_before_it_is_at_its_first_count() {
    let series =
        Series::new(Metric::TokensInput, &[(Key::Provider, "anthropic"), (Key::ParserDegraded, TRUE)]);
    let row = row(Value::Sum(7));
    let metrics =
        metrics(request(&Sender::default(), [(&series, &row, Some(START))], &BTreeMap::new(), TIME));
    let Some(Data::Sum(sum)) = &metrics[0].data else { panic!("{metrics:?}") };
    assert!(sum.is_monotonic);
    let points: Vec<_> = sum
        .data_points
        .iter()
        .map(|p| (p.start_time_unix_nano, p.time_unix_nano, p.value.unwrap()))
        .collect();
    let (start, time) = (START.unix_nanos(), TIME.unix_nanos());
    assert_eq!(points, [(start, start, Number::AsInt(0)), (start, time, Number::AsInt(7))]);
    let flag = sum.data_points[0].attributes[1].value.clone().unwrap().value;
    assert_eq!(flag, Some(any_value::Value::BoolValue(true)));
}

#[test]
fn money_is_a_double_only_on_the_wire() {
    let series = Series::new(Metric::CostUsd, &[(Key::Provider, "anthropic")]);
    let row = row(Value::Sum(45_995_250_000));
    let metrics = metrics(request(&Sender::default(), [(&series, &row, None)], &BTreeMap::new(), TIME));
    assert_eq!(metrics[0].unit, "{USD}");
    let Some(Data::Sum(sum)) = &metrics[0].data else { panic!("{metrics:?}") };
    assert_eq!(sum.data_points[0].value, Some(Number::AsDouble(0.045_995_25)));
}

#[test]
fn a_distribution_counts_what_its_buckets_count() {
    let series = Series::new(Metric::LatencyMs, &[(Key::Model, "m")]);
    let mut buckets = vec![0; 15];
    buckets[2] = 3;
    let row = row(Value::Histogram { buckets, sum: 600 });
    let metrics = metrics(request(&Sender::default(), [(&series, &row, None)], &BTreeMap::new(), TIME));
    let Some(Data::Histogram(histogram)) = &metrics[0].data else { panic!("{metrics:?}") };
    let point = &histogram.data_points[0];
    assert_eq!((point.count, point.sum, point.explicit_bounds[2]), (3, Some(600.0), 250.0));
    assert_eq!((point.min, point.max), (None, None));
}

#[test]
fn only_the_given_resource_is_sent() {
    let resource = BTreeMap::from([("service.name".to_owned(), "ccxray".to_owned())]);
    let sender = Sender { resource, ..Sender::default() };
    let request = request(&sender, [], &BTreeMap::new(), TIME);
    let attributes = &request.resource_metrics[0].resource.as_ref().unwrap().attributes;
    assert_eq!(attributes.iter().map(|a| a.key.as_str()).collect::<Vec<_>>(), ["service.name"]);
}

#[test]
fn what_is_promoted_stands_on_every_point_that_does_not_say_it_itself() {
    let promoted = [("team", "a"), ("model", "no")].map(|(key, value)| (key.to_owned(), value.to_owned()));
    let sender = Sender { promoted: promoted.into(), ..Sender::default() };
    let series = Series::new(Metric::TokensInput, &[(Key::Model, "m")]);
    let gauges = BTreeMap::from([(Series::new(Metric::ActiveRequests, &[]), 1.0)]);
    let metrics = metrics(request(&sender, [(&series, &row(Value::Sum(7)), Some(START))], &gauges, TIME));
    let said = |attributes: &[KeyValue]| {
        let text = |pair: &KeyValue| match pair.value.clone().unwrap().value.unwrap() {
            any_value::Value::StringValue(text) => format!("{}={text}", pair.key),
            other => panic!("{other:?}"),
        };
        attributes.iter().map(text).collect::<Vec<_>>()
    };
    for metric in metrics {
        match metric.data.unwrap() {
            Data::Sum(sum) => {
                assert_eq!(sum.data_points.len(), 2);
                sum.data_points.iter().for_each(|p| assert_eq!(said(&p.attributes), ["model=m", "team=a"]));
            }
            Data::Gauge(gauge) => assert_eq!(said(&gauge.data_points[0].attributes), ["team=a", "model=no"]),
            other => panic!("{other:?}"),
        }
    }
}
