//! A snapshot as the bytes that are sent.

use std::io::{self, Read, Write};

use bytes::Bytes;
use flate2::{Compression as Level, read::GzDecoder, write::GzEncoder};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use prost::Message;

/// How bodies are encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// `content-encoding: gzip`.
    Gzip,
    /// As they are.
    None,
}

impl Compression {
    /// `plain` as a body.
    pub fn encode(self, plain: Vec<u8>) -> Bytes {
        match self {
            Self::None => plain.into(),
            Self::Gzip => gzip(&plain).unwrap_or_default().into(),
        }
    }
}

/// An encoded request. Held instead of the message, because it takes a tenth of the memory.
#[derive(Clone, Debug)]
pub struct Payload {
    body: Bytes,
    metrics: usize,
    compression: Compression,
}

impl Payload {
    /// Encodes `request`.
    pub fn encode(request: &ExportMetricsServiceRequest, compression: Compression) -> Self {
        let body = compression.encode(request.encode_to_vec());
        Self { body, metrics: metric_count(request), compression }
    }

    /// The message again.
    pub fn decode(&self) -> ExportMetricsServiceRequest {
        let message = match self.compression {
            Compression::None => self.body.to_vec(),
            Compression::Gzip => gunzip(&self.body).unwrap_or_default(),
        };
        ExportMetricsServiceRequest::decode(message.as_slice()).unwrap_or_default()
    }

    /// The body of the request.
    pub fn body(&self) -> Bytes {
        self.body.clone()
    }

    /// Size of the body.
    pub fn len(&self) -> usize {
        self.body.len()
    }

    /// No bytes at all, as of a request without any metric.
    pub fn is_empty(&self) -> bool {
        self.body.is_empty()
    }

    /// How the body is encoded.
    pub fn compression(&self) -> Compression {
        self.compression
    }

    /// How many metrics the request holds.
    pub fn metrics(&self) -> usize {
        self.metrics
    }
}

/// The part of `request` whose metrics, counted in the order in which they stand, `keep` accepts.
pub fn select(
    request: &ExportMetricsServiceRequest,
    keep: impl Fn(usize) -> bool,
) -> ExportMetricsServiceRequest {
    let mut part = request.clone();
    let mut index = 0;
    for resource in &mut part.resource_metrics {
        for scope in &mut resource.scope_metrics {
            scope.metrics.retain(|_| {
                index += 1;
                keep(index - 1)
            });
        }
        resource.scope_metrics.retain(|scope| !scope.metrics.is_empty());
    }
    part.resource_metrics.retain(|resource| !resource.scope_metrics.is_empty());
    part
}

/// How many points `request` holds.
pub fn point_count(request: &ExportMetricsServiceRequest) -> u64 {
    use opentelemetry_proto::tonic::metrics::v1::metric::Data;
    let metrics = request.resource_metrics.iter().flat_map(|resource| &resource.scope_metrics);
    let points = metrics.flat_map(|scope| &scope.metrics).map(|metric| match &metric.data {
        Some(Data::Gauge(gauge)) => gauge.data_points.len(),
        Some(Data::Sum(sum)) => sum.data_points.len(),
        Some(Data::Histogram(histogram)) => histogram.data_points.len(),
        Some(Data::ExponentialHistogram(histogram)) => histogram.data_points.len(),
        Some(Data::Summary(summary)) => summary.data_points.len(),
        None => 0,
    });
    points.sum::<usize>() as u64
}

fn metric_count(request: &ExportMetricsServiceRequest) -> usize {
    let scopes = request.resource_metrics.iter().flat_map(|resource| &resource.scope_metrics);
    scopes.map(|scope| scope.metrics.len()).sum()
}

// Memory to memory: neither can fail on bytes that this process made.
fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Level::fast());
    encoder.write_all(bytes)?;
    encoder.finish()
}

fn gunzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut plain = Vec::new();
    GzDecoder::new(bytes).read_to_end(&mut plain)?;
    Ok(plain)
}

#[cfg(test)]
pub(crate) mod tests {
    use opentelemetry_proto::tonic::metrics::v1::{
        Gauge, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, metric::Data,
    };

    use super::*;

    /// A request with one gauge of one point per name, in two scopes.
    pub(crate) fn request(names: &[&str]) -> ExportMetricsServiceRequest {
        let metric = |name: &&str| Metric {
            name: (*name).to_owned(),
            data: Some(Data::Gauge(Gauge { data_points: vec![NumberDataPoint::default()] })),
            ..Metric::default()
        };
        let (first, second) = names.split_at(names.len() / 2);
        let scope = |names: &[&str]| ScopeMetrics {
            metrics: names.iter().map(metric).collect(),
            ..ScopeMetrics::default()
        };
        ExportMetricsServiceRequest {
            resource_metrics: vec![ResourceMetrics {
                scope_metrics: vec![scope(first), scope(second)],
                ..ResourceMetrics::default()
            }],
        }
    }

    /// The names of its metrics, in order.
    pub(crate) fn names(request: &ExportMetricsServiceRequest) -> Vec<String> {
        let scopes = request.resource_metrics.iter().flat_map(|resource| &resource.scope_metrics);
        scopes.flat_map(|scope| &scope.metrics).map(|metric| metric.name.clone()).collect()
    }

    #[test]
    fn a_payload_decodes_to_what_was_encoded() {
        let request = request(&["a", "b", "c"]);
        for compression in [Compression::Gzip, Compression::None] {
            let payload = Payload::encode(&request, compression);
            assert_eq!((payload.decode(), payload.metrics()), (request.clone(), 3));
        }
    }

    #[test]
    fn a_selection_keeps_its_metrics_and_drops_empty_scopes() {
        let request = request(&["a", "b", "c", "d"]);
        let part = select(&request, |index| index == 2);
        assert_eq!(names(&part), ["c"]);
        assert_eq!(part.resource_metrics[0].scope_metrics.len(), 1);
        assert_eq!(point_count(&request), 4);
        assert!(select(&request, |_| false).resource_metrics.is_empty());
    }
}
