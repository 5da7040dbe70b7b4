//! What the launcher stamps on an agent's base URL.

/// The stamps of one request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attribution {
    /// The project directory, absolute.
    pub dir: Option<String>,
    /// The highest consent tier that the person allows.
    pub tier_cap: Option<u8>,
    /// Whether the agent's own telemetry is on.
    pub agent_otel: bool,
}
