//! A request as it may be seen.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::{
    collector::metrics::v1::ExportMetricsServiceRequest,
    common::v1::{KeyValue, any_value::Value},
};

use crate::snapshot::points::each_attributes;

/// Puts what may be `shown` of the resource's attributes in place of their values, on points that repeat them too.
pub(super) fn mask(request: &mut ExportMetricsServiceRequest, shown: &BTreeMap<String, String>) {
    let mask = |attributes: &mut Vec<KeyValue>| attributes.iter_mut().for_each(|pair| replace(pair, shown));
    for of_resource in &mut request.resource_metrics {
        of_resource.resource.iter_mut().for_each(|resource| mask(&mut resource.attributes));
        let metrics = of_resource.scope_metrics.iter_mut().flat_map(|scope| &mut scope.metrics);
        metrics.for_each(|metric| each_attributes(metric, mask));
    }
}

fn replace(pair: &mut KeyValue, shown: &BTreeMap<String, String>) {
    let value = pair.value.as_mut().and_then(|value| value.value.as_mut());
    if let (Some(Value::StringValue(value)), Some(shown)) = (value, shown.get(&pair.key)) {
        value.clone_from(shown);
    }
}

#[cfg(test)]
mod tests {
    use ccxray_shared::UnixMillis;

    use super::*;
    use crate::{
        measure::{
            Metric as Id, Series,
            totals::{Row, Value as Total, Zero},
        },
        preview::json,
        snapshot::{self, Sender},
    };

    #[test]
    fn what_came_from_a_variable_is_not_printed_on_the_resource_nor_on_a_point() {
        let pair = |value: &str| ("team".to_owned(), value.to_owned());
        let sender = Sender { resource: [pair("canary")].into(), promoted: vec![pair("canary")] };
        let series = Series::new(Id::Requests, &[]);
        let row = |value| Row { start: UnixMillis(1), last: UnixMillis(2), zero: Zero::Settled, value };
        let latency = Series::new(Id::FirstTokenLatencyMs, &[]);
        let rows =
            [(series, row(Total::Sum(1))), (latency, row(Total::Histogram { buckets: vec![1; 11], sum: 1 }))];
        let points = rows.iter().map(|(series, row)| (series, row, None));
        let gauges = [(Series::new(Id::CacheHitRatio, &[]), 0.5)].into();
        let mut request = snapshot::request(&sender, points, &gauges, UnixMillis(3));
        assert_eq!(json::pretty(&request).matches("canary").count(), 4);
        mask(&mut request, &[pair("***")].into());
        let printed = json::pretty(&request);
        assert!(!printed.contains("canary"), "{printed}");
        assert_eq!(printed.matches("***").count(), 4);
    }
}
