use std::collections::BTreeMap;

use ccxray_shared::UnixMillis;
use serde_json::{Value as Json, json};

use super::*;
use crate::{
    measure::{
        Key, Metric as Id, Series,
        totals::{Row, Value as Total, Zero},
    },
    snapshot::{self, Sender},
};

fn row(value: Total) -> Row {
    Row { start: UnixMillis(60_000), last: UnixMillis(120_000), zero: Zero::Settled, value }
}

fn printed() -> Json {
    let model = [(Key::Provider, "anthropic"), (Key::Model, "m")];
    let requests = Series::new(Id::Requests, &[(Key::Provider, "anthropic"), (Key::CliOtelActive, "true")]);
    let cost = Series::new(Id::CostUsd, &model);
    let latency = Series::new(Id::FirstTokenLatencyMs, &model);
    let ratio = Series::new(Id::CacheHitRatio, &model);
    let mut buckets = vec![0; 11];
    buckets[4] = 3;
    let rows = [
        (&cost, row(Total::Sum(45_995_250_000))),
        (&requests, row(Total::Sum(9_007_199_254_740_993))),
        (&latency, row(Total::Histogram { buckets, sum: 2_300 })),
    ];
    let resource = BTreeMap::from([("service.name".to_owned(), "ccxray".to_owned())]);
    let points = rows.iter().map(|(series, row)| (*series, row, None));
    let gauges = BTreeMap::from([(ratio, 0.75)]);
    let request =
        snapshot::request(&Sender { resource, promoted: vec![] }, points, &gauges, UnixMillis(120_000));
    let text = pretty(&request);
    assert!(text.ends_with("}\n"));
    serde_json::from_str(&text).unwrap()
}

fn metric(printed: &Json, name: &str) -> Json {
    let metrics = printed["resourceMetrics"][0]["scopeMetrics"][0]["metrics"].as_array().unwrap();
    metrics.iter().find(|metric| metric["name"] == name).unwrap().clone()
}

#[test]
fn integers_of_64_bits_are_strings_and_enums_are_numbers() {
    let sum = &metric(&printed(), "ccxray.requests_total")["sum"];
    let expected = json!({
        "dataPoints": [{
            "attributes": [
                {"key": "provider", "value": {"stringValue": "anthropic"}},
                {"key": "ccxray.cli_otel_active", "value": {"boolValue": true}},
            ],
            "startTimeUnixNano": "60000000000",
            "timeUnixNano": "120000000000",
            "asInt": "9007199254740993",
        }],
        "aggregationTemporality": 2,
        "isMonotonic": true,
    });
    assert_eq!(*sum, expected);
}

#[test]
fn doubles_are_numbers_and_a_gauge_has_no_start() {
    let printed = printed();
    let cost = &metric(&printed, "ccxray.cost.usd_total")["sum"]["dataPoints"][0];
    assert_eq!(cost["asDouble"], json!(0.045_995_25));
    let ratio = &metric(&printed, "ccxray.cache.hit_ratio")["gauge"]["dataPoints"][0];
    assert_eq!((&ratio["asDouble"], ratio.get("startTimeUnixNano")), (&json!(0.75), None));
}

#[test]
fn a_histogram_has_its_counts_as_strings_and_its_bounds_as_numbers() {
    let histogram = metric(&printed(), "ccxray.first_token_latency_ms")["histogram"].clone();
    let point = &histogram["dataPoints"][0];
    assert_eq!(point["count"], "3");
    assert_eq!(point["sum"], json!(2300.0));
    assert_eq!(point["bucketCounts"], json!(["0", "0", "0", "0", "3", "0", "0", "0", "0", "0", "0"]));
    assert_eq!(point["explicitBounds"][0], json!(50.0));
    assert_eq!(histogram["aggregationTemporality"], 2);
}

#[test]
fn resource_and_scope_are_named() {
    let resource = &printed()["resourceMetrics"][0];
    let name = json!([{"key": "service.name", "value": {"stringValue": "ccxray"}}]);
    assert_eq!(resource["resource"]["attributes"], name);
    assert_eq!(resource["scopeMetrics"][0]["scope"]["name"], "ccxray");
}
