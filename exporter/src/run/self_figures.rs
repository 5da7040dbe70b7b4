//! The exporter's own figures, on their way to a consented destination.

use opentelemetry::KeyValue;
use tokio::runtime::Handle;

use super::RunError;
use crate::{
    deliver::{
        SelfTelemetry,
        health::State,
        self_telemetry::{Push, Scope},
        transport::HttpTransport,
    },
    engine::Exported,
};

/// The figures for a pipeline's destination, and what they begin with: their scope, the pipeline's tier, and the state in
/// which the last process left the destination. They bear the resource of the pipeline: their names are others, so the two
/// cannot collide.
pub(super) fn of(
    exported: &Exported,
    runtime: &Handle,
) -> Result<(SelfTelemetry, (Scope, u8, State)), RunError> {
    let grant = exported.grant();
    let push = Push {
        transport: HttpTransport::new(&grant.destination)?,
        compression: grant.destination.compression,
        interval: exported.window().length,
        runtime: runtime.clone(),
    };
    let scope = if exported.is_server() { Scope::Process } else { Scope::Destination };
    let resource = exported.identity().resource();
    let attributes = resource.into_iter().map(|(key, value)| KeyValue::new(key, value));
    let telemetry = SelfTelemetry::new(scope, attributes.collect(), Some(push))?;
    Ok((telemetry, (scope, grant.key.tier, exported.health().state)))
}
