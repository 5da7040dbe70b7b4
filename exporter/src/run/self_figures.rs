//! The exporter's own figures, on their way to the consented destination.

use std::collections::BTreeMap;

use opentelemetry::KeyValue;
use tokio::runtime::Handle;

use super::RunError;
use crate::{
    deliver::{Destination, SelfTelemetry, self_telemetry::Push, transport::HttpTransport},
    engine::Core,
    pipeline::identity::Identity,
};

/// Begins to keep the figures. They bear the resource of the destination's pipeline: their names are others, so the
/// two cannot collide. Without a destination they are for the local page only.
pub(super) fn start(destination: Option<&Destination>, core: &Core) -> Result<SelfTelemetry, RunError> {
    let push = match destination {
        None => None,
        Some(destination) => Some(Push {
            transport: HttpTransport::new(destination)?,
            compression: destination.compression,
            interval: core.window().length,
            runtime: Handle::current(),
        }),
    };
    let resource = core.destination().map_or_else(BTreeMap::new, Identity::resource);
    let attributes = resource.into_iter().map(|(key, value)| KeyValue::new(key, value));
    let telemetry = SelfTelemetry::new(attributes.collect(), push)?;
    telemetry.count_launch(core.destination().map_or(0, |identity| identity.key.tier));
    if let Some(health) = core.health() {
        telemetry.begin_in(health.state);
    }
    Ok(telemetry)
}
