//! One push as it came.

use std::{io::Read, time::Instant};

use opentelemetry_proto::tonic::{
    collector::metrics::v1::ExportMetricsServiceRequest, common::v1::any_value::Value,
};
use prost::Message;

use super::Point;
use crate::wire::Request;

/// A push.
#[derive(Clone, Debug)]
pub struct Received {
    /// When all of it had come.
    pub at: Instant,
    /// The request as it came, with its headers.
    pub request: Request,
    /// The body without its compression.
    pub plain: Vec<u8>,
    /// The body's meaning.
    pub metrics: ExportMetricsServiceRequest,
    /// Whether it was stored.
    pub stored: bool,
}

impl Received {
    /// Reads a push. Panics if it is not OTLP: the exporter must send nothing else.
    pub(super) fn new(request: Request, stored: bool) -> Self {
        let plain = decompressed(&request);
        let metrics =
            ExportMetricsServiceRequest::decode(plain.as_slice()).expect("a push is OTLP in protobuf");
        Self { at: Instant::now(), request, plain, metrics, stored }
    }

    /// An attribute of its resource.
    pub fn resource(&self, name: &str) -> Option<String> {
        let resource = self.metrics.resource_metrics.first()?.resource.as_ref()?;
        let found = resource.attributes.iter().find(|attribute| attribute.key == name)?;
        match found.value.as_ref()?.value.as_ref()? {
            Value::StringValue(text) => Some(text.clone()),
            other => panic!("{name} is {other:?}"),
        }
    }

    /// All its points, in their order.
    pub fn points(&self) -> Vec<Point> {
        Point::all_of(&self.metrics)
    }
}

fn decompressed(request: &Request) -> Vec<u8> {
    match request.header("content-encoding") {
        None => request.body.clone(),
        Some("gzip") => {
            let mut plain = Vec::new();
            let read = flate2::read::GzDecoder::new(request.body.as_slice()).read_to_end(&mut plain);
            read.expect("a push in gzip decodes");
            plain
        }
        Some(other) => panic!("a push came as {other}"),
    }
}
