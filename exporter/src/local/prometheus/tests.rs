use super::{super::sample, *};

#[test]
fn a_request_renders_to_the_text_that_prometheus_reads() {
    let expected = r#"# HELP ccxray_cache_hit_ratio Share of input read from the cache
# TYPE ccxray_cache_hit_ratio gauge
ccxray_cache_hit_ratio{model="claude-opus-4-5",provider="anthropic"} 0.75
# HELP ccxray_cost_usd_total List price
# TYPE ccxray_cost_usd_total counter
ccxray_cost_usd_total{model="claude-opus-4-5",provider="anthropic"} 0.125
# HELP ccxray_latency_ms Request head read to last byte passed on
# TYPE ccxray_latency_ms histogram
ccxray_latency_ms_bucket{model="claude-opus-4-5",provider="anthropic",le="50"} 1
ccxray_latency_ms_bucket{model="claude-opus-4-5",provider="anthropic",le="100"} 3
ccxray_latency_ms_bucket{model="claude-opus-4-5",provider="anthropic",le="+Inf"} 6
ccxray_latency_ms_sum{model="claude-opus-4-5",provider="anthropic"} 910.5
ccxray_latency_ms_count{model="claude-opus-4-5",provider="anthropic"} 6
# HELP ccxray_otel_state Health of the destination
# TYPE ccxray_otel_state gauge
ccxray_otel_state{state="active"} 1
# HELP ccxray_requests_total Exchanges
# TYPE ccxray_requests_total counter
ccxray_requests_total{ccxray_cli_otel_active="true",provider="anthropic",status="2xx"} 12
# HELP ccxray_tokens_input_total Input \\ plain\nor not
# TYPE ccxray_tokens_input_total counter
ccxray_tokens_input_total{model="claude-opus-4-5",provider="anthropic"} 1234
ccxray_tokens_input_total{model="odd \"name\" \\ with\nline",provider="anthropic"} 5
# HELP target_info Target metadata
# TYPE target_info gauge
target_info{service_name="ccxray",service_version="0.1.0"} 1
"#;
    assert_eq!(render(&sample::request()), expected);
}

#[test]
fn every_sample_can_bear_a_timestamp() {
    let plain = render(&sample::request());
    let stamped = render_at(&sample::request(), UnixMillis(1_795_000_000_123));
    for (plain, stamped) in plain.lines().zip(stamped.lines()) {
        let expected =
            if plain.starts_with('#') { plain.to_owned() } else { format!("{plain} 1795000000123") };
        assert_eq!(stamped, expected);
    }
    assert_eq!(plain.lines().count(), stamped.lines().count());
}

#[test]
fn of_several_points_of_a_series_the_latest_counts_whatever_their_order() {
    for order in [[1, 2], [2, 1]] {
        let points = order.map(|time| NumberDataPoint {
            time_unix_nano: time,
            value: Some(Value::AsInt(i64::try_from(time).unwrap())),
            ..NumberDataPoint::default()
        });
        let request = sample::of(vec![sample::counter("a", "{x}", "", points.to_vec())]);
        assert_eq!(render(&request), "# TYPE a_total counter\na_total 2\n");
    }
}

#[test]
fn points_without_a_value_and_metrics_without_points_leave_nothing() {
    let stale = NumberDataPoint {
        flags: DataPointFlags::NoRecordedValueMask as u32,
        value: Some(Value::AsInt(1)),
        ..NumberDataPoint::default()
    };
    let none = NumberDataPoint::default();
    assert_eq!(render(&sample::of(vec![sample::counter("a", "", "", vec![stale, none])])), "");
    assert_eq!(render(&ExportMetricsServiceRequest::default()), "");
}

#[test]
fn attributes_that_become_one_label_share_it() {
    let point = sample::point(&[("a.b", "1"), ("a_b", "2")], Value::AsDouble(f64::NEG_INFINITY));
    let request = sample::of(vec![sample::counter("m", "", "", vec![point])]);
    assert_eq!(render(&request), "# TYPE m_total counter\nm_total{a_b=\"1;2\"} -Inf\n");
}
