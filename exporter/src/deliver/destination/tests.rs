use super::*;

const CANARY: &str = "canary-7c1f";

fn from(pairs: &[(&str, &str)]) -> Result<Option<Destination>, DestinationError> {
    Destination::from_env(&|name: &str| {
        pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
    })
}

fn endpoint_of(pairs: &[(&str, &str)]) -> String {
    from(pairs).unwrap().unwrap().endpoint.expose().to_string()
}

fn error_of(pairs: &[(&str, &str)]) -> String {
    from(pairs).unwrap_err().to_string()
}

#[test]
fn without_an_endpoint_there_is_no_destination() {
    assert_eq!(from(&[]), Ok(None));
    assert_eq!(from(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "  ")]), Ok(None));
    assert_eq!(from(&[("OTEL_EXPORTER_OTLP_HEADERS", "a=b")]), Ok(None));
}

#[test]
fn the_generic_endpoint_is_a_base_and_the_one_for_metrics_is_taken_as_it_stands() {
    for (base, whole) in [
        ("http://localhost:4318", "http://localhost:4318/v1/metrics"),
        ("http://localhost:4318/", "http://localhost:4318/v1/metrics"),
        ("https://a.example/api/v1/otlp/", "https://a.example/api/v1/otlp/v1/metrics"),
        ("https://a.example/x?k=v", "https://a.example/x/v1/metrics?k=v"),
    ] {
        assert_eq!(endpoint_of(&[("OTEL_EXPORTER_OTLP_ENDPOINT", base)]), whole);
    }
    let both = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:1"),
        ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://localhost:2/own"),
    ];
    assert_eq!(endpoint_of(&both), "http://localhost:2/own");
    assert_eq!(
        endpoint_of(&[("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://localhost:2")]),
        "http://localhost:2/"
    );
}

#[test]
fn an_empty_variable_for_metrics_leaves_the_generic_one_in_force() {
    let pairs =
        [("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:1"), ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "")];
    assert_eq!(endpoint_of(&pairs), "http://localhost:1/v1/metrics");
}

#[test]
fn an_address_without_its_scheme_is_refused_by_the_name_of_its_variable() {
    for text in ["localhost:4318", "/v1/metrics", "ftp://a.example", "http://", "a b"] {
        let error = error_of(&[("OTEL_EXPORTER_OTLP_ENDPOINT", text)]);
        assert!(error.starts_with("OTEL_EXPORTER_OTLP_ENDPOINT is not an http"), "{text}: {error}");
    }
}

#[test]
fn headers_are_percent_decoded_pairs_and_those_for_metrics_replace_the_generic_ones() {
    let destination = from(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://a.example"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "ignored=1"),
        ("OTEL_EXPORTER_OTLP_METRICS_HEADERS", "Authorization=Basic%20QUJD==, x-scope = a%2Cb ,"),
    ]);
    let headers = destination.unwrap().unwrap().headers;
    let seen: Vec<_> =
        headers.iter().map(|(name, value)| (name.as_str(), value.expose().as_bytes())).collect();
    assert_eq!(seen, [("authorization", b"Basic QUJD==".as_slice()), ("x-scope", b"a,b")]);
}

#[test]
fn a_bad_pair_is_named_without_its_value() {
    for (pairs, says) in [
        (format!("a=b,{CANARY}"), "pair 2"),
        (format!("a={CANARY}%zz"), "value of `a`"),
        (format!("a={CANARY}%0A"), "value of `a`"),
        (format!("b c={CANARY}"), "pair 1"),
        (format!("Content-Type={CANARY}"), "`content-type` is set by"),
    ] {
        let error = error_of(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://a.example"),
            ("OTEL_EXPORTER_OTLP_HEADERS", &pairs),
        ]);
        assert!(error.starts_with("OTEL_EXPORTER_OTLP_HEADERS: ") && error.contains(says), "{error}");
        assert!(!error.contains(CANARY), "{error}");
    }
}

#[test]
fn neither_debug_nor_display_shows_a_secret() {
    let endpoint = format!("https://a.example/x?api_key={CANARY}");
    let headers = format!("authorization={CANARY}");
    let destination =
        from(&[("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", &endpoint), ("OTEL_EXPORTER_OTLP_HEADERS", &headers)])
            .unwrap()
            .unwrap();
    assert_eq!(destination.endpoint.to_string(), "https://a.example/x?***");
    assert!(!format!("{destination:?} {destination:#?}").contains(CANARY));
    let userinfo = format!("https://user:{CANARY}@a.example");
    assert!(!error_of(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &userinfo)]).contains(CANARY));
}

#[test]
fn credentials_go_unencrypted_to_this_machine_only() {
    for (endpoint, allowed) in [
        ("http://a.example", false),
        ("http://10.0.0.1:4318", false),
        ("http://localhost.example", false),
        ("http://127.0.0.1:4318", true),
        ("http://[::1]:4318", true),
        ("http://LOCALHOST:4318", true),
        ("https://a.example", true),
    ] {
        let with = [("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint), ("OTEL_EXPORTER_OTLP_HEADERS", "a=b")];
        assert_eq!(from(&with).is_ok(), allowed, "{endpoint}");
        assert!(from(&with[..1]).is_ok(), "{endpoint}");
    }
    assert!(from(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://a.example?key=1")]).is_err());
}

#[test]
fn protocol_compression_and_timeout_have_defaults_and_name_their_variable_when_wrong() {
    let at = |name, value| from(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:1"), (name, value)]);
    let plain = at("unrelated", "1").unwrap().unwrap();
    assert_eq!((plain.compression, plain.timeout), (Compression::Gzip, Duration::from_secs(10)));
    let none = at("OTEL_EXPORTER_OTLP_COMPRESSION", "none").unwrap().unwrap();
    assert_eq!(none.compression, Compression::None);
    let quick = at("OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", "250").unwrap().unwrap();
    assert_eq!(quick.timeout, Duration::from_millis(250));
    for (name, value) in [
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "http/json"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "br"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "10s"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "0"),
        ("OTEL_METRICS_EXPORTER", "graphite"),
    ] {
        let error = at(name, value).unwrap_err().to_string();
        assert!(error.contains(name) && error.contains(value), "{error}");
    }
}

#[test]
fn the_sdk_switches_turn_the_destination_off() {
    let at = |name, value| from(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:1"), (name, value)]);
    assert_eq!(at("OTEL_SDK_DISABLED", "TRUE"), Ok(None));
    assert_eq!(at("OTEL_METRICS_EXPORTER", "none"), Ok(None));
    assert_eq!(at("OTEL_METRICS_EXPORTER", "prometheus"), Ok(None));
    for (name, value) in [
        ("OTEL_SDK_DISABLED", "false"),
        ("OTEL_SDK_DISABLED", "1"),
        ("OTEL_METRICS_EXPORTER", "prometheus,otlp"),
    ] {
        assert!(at(name, value).unwrap().is_some(), "{name}={value}");
    }
}
