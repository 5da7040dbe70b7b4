//! Reads the points out of what Rotel prints.

use crate::{
    collector::{Kind, Point},
    truth::{COVERED, SUM, Series, pico},
};

/// The points in `text`, in their order.
pub(super) fn points(text: &str) -> Vec<Point> {
    let mut reading = Reading::default();
    for line in text.lines() {
        reading.line(line.trim());
    }
    reading.finish_point();
    reading.points
}

#[derive(Debug, Default)]
struct Reading {
    instance: String,
    metric: String,
    kind: Option<Kind>,
    point: Option<Unfinished>,
    points: Vec<Point>,
}

#[derive(Debug, Default)]
struct Unfinished {
    attributes: Vec<(String, String)>,
    start: u64,
    time: u64,
    value: i128,
    /// Of what a histogram has measured.
    sum: Option<f64>,
}

impl Reading {
    fn line(&mut self, line: &str) {
        if line.contains("DataPoints #") {
            self.finish_point();
            self.point = Some(Unfinished::default());
        } else if line.starts_with("Metric #") || line.starts_with("ResourceMetrics #") {
            self.finish_point();
        } else if let Some((name, value)) = line.split_once(": ") {
            self.field(name, value);
        }
    }

    fn field(&mut self, name: &str, value: &str) {
        let attribute = name.strip_prefix("-> ");
        match (attribute, &mut self.point) {
            (Some("Name"), None) => value.clone_into(&mut self.metric),
            (Some("DataType"), None) => self.kind = kind(value),
            (Some("service.instance.id"), None) => inside(value).clone_into(&mut self.instance),
            (Some(key), Some(point)) => point.attributes.push((key.to_owned(), inside(value).to_owned())),
            (None, Some(point)) => point.number(name, value, &self.metric),
            (_, None) => {}
        }
    }

    fn finish_point(&mut self) {
        let (Some(point), Some(kind)) = (self.point.take(), self.kind) else { return };
        let series = Series::new(&self.metric, point.attributes);
        let sum_name = format!("{}{SUM}", self.metric);
        let measured = Point {
            instance: self.instance.clone(),
            series,
            kind,
            start: point.start,
            time: point.time,
            value: point.value,
        };
        if let (Some(sum), true) = (point.sum, COVERED.contains(&sum_name.as_str())) {
            let series = measured.series.renamed(&sum_name);
            #[expect(clippy::cast_possible_truncation, reason = "the sum of whole numbers, far below 2^53")]
            let value = sum as i128;
            self.points.push(Point { series, value, ..measured.clone() });
        }
        self.points.push(measured);
    }
}

impl Unfinished {
    fn number(&mut self, name: &str, value: &str, metric: &str) {
        let number = |text: &str| text.parse().expect("a number is printed");
        match name {
            "StartTimestamp" => self.start = number(value),
            "Timestamp" => self.time = number(value),
            "Sum" => self.sum = value.parse().ok(),
            "Count" => self.value = i128::from(number(value)),
            "Value" if metric.contains("usd") => {
                self.value = pico(value.parse().expect("a double is printed"));
            }
            // Gauges may be fractions; nobody compares them.
            "Value" => self.value = value.parse().unwrap_or_default(),
            _ => {}
        }
    }
}

fn kind(data_type: &str) -> Option<Kind> {
    match data_type {
        "Sum" => Some(Kind::Counter),
        "Histogram" => Some(Kind::Histogram),
        "Gauge" => Some(Kind::Gauge),
        _ => None,
    }
}

/// The text in `Str(text)`.
fn inside(value: &str) -> &str {
    value.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')).unwrap_or(value)
}
