//! How OpenTelemetry names become Prometheus names.
//!
//! As Prometheus translates them itself when metrics are pushed to it (`UnderscoreEscapingWithSuffixes`), so that a
//! query finds the same series whether they were scraped here or pushed: what is neither letter nor digit separates
//! words, the unit is appended unless it is among them already, `total` ends a counter and `ratio` a gauge of unit 1.
//! A unit in braces is an annotation and leaves no trace.

/// What kind of series a name is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A monotonic sum.
    Counter,
    /// A gauge, or a sum that may fall.
    Gauge,
    /// A histogram.
    Histogram,
}

/// The Prometheus name of a metric.
pub fn metric(name: &str, unit: &str, kind: Kind) -> String {
    let mut words: Vec<&str> = name.split(is_separator).filter(|word| !word.is_empty()).collect();
    let (unit, per) = unit.split_once('/').map_or((unit, ""), |(unit, per)| (unit, per));
    let unit = main_unit(unit.trim());
    let per = per_unit(per.trim());
    append(&mut words, unit.split(is_separator).filter(|word| !word.is_empty()));
    if !per.is_empty() && !words.contains(&per) {
        words.extend(["per", per]);
    }
    match kind {
        Kind::Counter => move_to_end(&mut words, "total"),
        Kind::Gauge if unit == "1" => move_to_end(&mut words, "ratio"),
        Kind::Gauge | Kind::Histogram => {}
    }
    let joined = words.join("_");
    if joined.starts_with(|first: char| first.is_ascii_digit()) { format!("_{joined}") } else { joined }
}

/// The Prometheus name of an attribute.
pub fn label(name: &str) -> String {
    let escaped: String = name.chars().map(|c| if is_separator(c) { '_' } else { c }).collect();
    if escaped.starts_with(|first: char| first.is_ascii_digit()) { format!("key_{escaped}") } else { escaped }
}

fn is_separator(c: char) -> bool {
    !c.is_ascii_alphanumeric()
}

fn append<'n>(words: &mut Vec<&'n str>, unit: impl Iterator<Item = &'n str>) {
    for word in unit {
        if word != "1" && !words.contains(&word) {
            words.push(word);
        }
    }
}

fn move_to_end<'n>(words: &mut Vec<&'n str>, suffix: &'n str) {
    words.retain(|word| *word != suffix);
    words.push(suffix);
}

fn main_unit(unit: &str) -> &str {
    match unit {
        annotation if annotation.contains(['{', '}']) => "",
        "d" => "days",
        "h" => "hours",
        "min" => "minutes",
        "s" => "seconds",
        "ms" => "milliseconds",
        "us" => "microseconds",
        "ns" => "nanoseconds",
        "By" => "bytes",
        "KiBy" => "kibibytes",
        "MiBy" => "mebibytes",
        "GiBy" => "gibibytes",
        "TiBy" => "tibibytes",
        "KBy" => "kilobytes",
        "MBy" => "megabytes",
        "GBy" => "gigabytes",
        "TBy" => "terabytes",
        "m" => "meters",
        "V" => "volts",
        "A" => "amperes",
        "J" => "joules",
        "W" => "watts",
        "g" => "grams",
        "Cel" => "celsius",
        "Hz" => "hertz",
        "%" => "percent",
        other => other,
    }
}

fn per_unit(unit: &str) -> &str {
    match unit {
        annotation if annotation.contains(['{', '}']) => "",
        "s" => "second",
        "m" | "min" => "minute",
        "h" => "hour",
        "d" => "day",
        "w" => "week",
        "mo" => "month",
        "y" => "year",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_prometheus_gives() {
        use Kind::{Counter, Gauge, Histogram};
        for (name, unit, kind, expected) in [
            ("ccxray.tokens.input_total", "{token}", Counter, "ccxray_tokens_input_total"),
            ("ccxray.cost.usd_total", "{USD}", Counter, "ccxray_cost_usd_total"),
            ("ccxray.latency_ms", "{ms}", Histogram, "ccxray_latency_ms"),
            ("ccxray.context.utilization_pct", "{percent}", Histogram, "ccxray_context_utilization_pct"),
            ("ccxray.cache.hit_ratio", "1", Gauge, "ccxray_cache_hit_ratio"),
            ("ccxray.otel.state", "", Gauge, "ccxray_otel_state"),
            ("ccxray.otel.state", "1", Gauge, "ccxray_otel_state_ratio"),
            ("ccxray.otel.tier_distribution", "{launch}", Counter, "ccxray_otel_tier_distribution_total"),
            ("ccxray.latency_ms", "ms", Histogram, "ccxray_latency_ms_milliseconds"),
            ("ccxray.cost.usd_total", "USD", Counter, "ccxray_cost_usd_USD_total"),
            ("a.total.b", "", Counter, "a_b_total"),
            ("http.rate", "By/s", Gauge, "http_rate_bytes_per_second"),
            ("8ball..x", "", Gauge, "_8ball_x"),
        ] {
            assert_eq!(metric(name, unit, kind), expected, "{name} {unit}");
        }
    }

    #[test]
    fn labels_keep_letters_digits_and_underscores() {
        assert_eq!(label("ccxray.cli_otel_active"), "ccxray_cli_otel_active");
        assert_eq!(label("9lives"), "key_9lives");
        assert_eq!(label("käse"), "k_se");
    }
}
