//! A destination as the `OTEL_EXPORTER_OTLP_*` variables describe it.
//!
//! The rules are those of the OpenTelemetry specification: the variable for metrics wins over the generic one, an
//! empty value counts as unset, `/v1/metrics` is appended to the generic endpoint while the one for metrics is
//! taken as it stands. Two things are stricter. Without an endpoint there is no destination, where the
//! specification would fall back on localhost. And credentials travel over TLS, or not beyond this machine.

use std::{path::PathBuf, time::Duration};

use hyper::header::HeaderName;

use super::{endpoint::Endpoint, payload::Compression, secret::SecretValue};

/// How long one attempt may take, unless told.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// Headers that make the request what it is. A configured one would break it.
const OWN_HEADERS: [&str; 6] =
    ["host", "content-type", "content-encoding", "content-length", "transfer-encoding", "connection"];

/// Where snapshots go, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// The address that requests are posted to.
    pub endpoint: Endpoint,
    /// Headers to add to each request, in the order given.
    pub headers: Vec<(HeaderName, SecretValue)>,
    /// How bodies are encoded.
    pub compression: Compression,
    /// For one attempt in all: connecting, sending, reading the reply.
    pub timeout: Duration,
    /// A PEM file with certificate authorities to trust beside the platform's.
    pub extra_ca: Option<PathBuf>,
}

/// Why the environment describes no destination. No message contains a header's value or an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DestinationError {
    /// Not an absolute http(s) address.
    #[error("{variable} is not an http:// or https:// address; write, for example, http://localhost:4318")]
    Endpoint {
        /// Which variable.
        variable: &'static str,
    },
    /// User name or password inside of the address.
    #[error("{variable} holds a user name or a password; move them to OTEL_EXPORTER_OTLP_HEADERS")]
    UserInfo {
        /// Which variable.
        variable: &'static str,
    },
    /// A pair that is not `name=value`.
    #[error(
        "{variable}: pair {position} is not of the form name=value; percent-encode commas inside of a value"
    )]
    HeaderPair {
        /// Which variable.
        variable: &'static str,
        /// Counted from 1.
        position: usize,
    },
    /// A value that no header can carry.
    #[error("{variable}: the value of `{name}` is not a header value once it is percent-decoded")]
    HeaderValue {
        /// Which variable.
        variable: &'static str,
        /// The header.
        name: String,
    },
    /// A header that belongs to the exporter.
    #[error("{variable}: `{name}` is set by the exporter itself; remove it")]
    OwnHeader {
        /// Which variable.
        variable: &'static str,
        /// The header.
        name: String,
    },
    /// A value outside of the known ones.
    #[error("{variable} is `{found}`, which is not supported; set it to {supported}")]
    Unsupported {
        /// Which variable.
        variable: &'static str,
        /// Its value.
        found: String,
        /// What would do.
        supported: &'static str,
    },
    /// Not a number of milliseconds.
    #[error("{variable} is `{found}`; write a number of milliseconds above 0, for example 10000")]
    Timeout {
        /// Which variable.
        variable: &'static str,
        /// Its value.
        found: String,
    },
    /// A header or a query would cross the network unencrypted.
    #[error("{variable} is http:// to another machine, but headers or a query go with it; use https://")]
    PlaintextCredentials {
        /// The endpoint's variable.
        variable: &'static str,
    },
}

impl Destination {
    /// `endpoint` with its headers, named by somebody else than the variables that `env` knows; how requests are sent is
    /// theirs to say.
    pub fn at(
        endpoint: Endpoint,
        headers: Vec<(HeaderName, SecretValue)>,
        env: &impl Fn(&str) -> Option<String>,
    ) -> Result<Self, DestinationError> {
        check_protocol(env)?;
        Ok(Self {
            endpoint,
            headers,
            compression: compression(env)?,
            timeout: timeout(env)?,
            extra_ca: CERTIFICATE.read(env).map(|(_, path)| PathBuf::from(path)),
        })
    }

    /// What the variables that `env` knows describe; `None` if they name no endpoint or switch metrics off.
    pub fn from_env(env: &impl Fn(&str) -> Option<String>) -> Result<Option<Self>, DestinationError> {
        if is_disabled(env)? {
            return Ok(None);
        }
        let Some((variable, endpoint)) = endpoint(env)? else { return Ok(None) };
        let headers = headers(env)?;
        if !endpoint.may_carry_credentials() && (!headers.is_empty() || endpoint.expose().query().is_some()) {
            return Err(DestinationError::PlaintextCredentials { variable });
        }
        Self::at(endpoint, headers, env).map(Some)
    }
}

/// A setting with its two variables.
struct Setting {
    metrics: &'static str,
    generic: &'static str,
}

const ENDPOINT: Setting =
    Setting { metrics: "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", generic: "OTEL_EXPORTER_OTLP_ENDPOINT" };
const HEADERS: Setting =
    Setting { metrics: "OTEL_EXPORTER_OTLP_METRICS_HEADERS", generic: "OTEL_EXPORTER_OTLP_HEADERS" };
const PROTOCOL: Setting =
    Setting { metrics: "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", generic: "OTEL_EXPORTER_OTLP_PROTOCOL" };
const COMPRESSION: Setting =
    Setting { metrics: "OTEL_EXPORTER_OTLP_METRICS_COMPRESSION", generic: "OTEL_EXPORTER_OTLP_COMPRESSION" };
const TIMEOUT: Setting =
    Setting { metrics: "OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", generic: "OTEL_EXPORTER_OTLP_TIMEOUT" };
const CERTIFICATE: Setting =
    Setting { metrics: "OTEL_EXPORTER_OTLP_METRICS_CERTIFICATE", generic: "OTEL_EXPORTER_OTLP_CERTIFICATE" };

impl Setting {
    /// The variable that counts, with its value.
    fn read(&self, env: &impl Fn(&str) -> Option<String>) -> Option<(&'static str, String)> {
        [self.metrics, self.generic].into_iter().find_map(|name| Some((name, read(env, name)?)))
    }
}

pub(crate) fn read(env: &impl Fn(&str) -> Option<String>, name: &str) -> Option<String> {
    env(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}

/// Whether the variables switch metrics off.
pub(crate) fn is_disabled(env: &impl Fn(&str) -> Option<String>) -> Result<bool, DestinationError> {
    if read(env, "OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        return Ok(true);
    }
    let variable = "OTEL_METRICS_EXPORTER";
    let Some(exporters) = read(env, variable) else { return Ok(false) };
    let mut has_otlp = false;
    for exporter in exporters.split(',').map(str::trim) {
        match exporter {
            "otlp" => has_otlp = true,
            // `/metrics` is there in any case, and a console belongs to a program that has one.
            "none" | "prometheus" | "console" | "logging" => {}
            _ => {
                let supported = "`otlp` or `none`";
                return Err(DestinationError::Unsupported { variable, found: exporters, supported });
            }
        }
    }
    Ok(!has_otlp)
}

fn endpoint(
    env: &impl Fn(&str) -> Option<String>,
) -> Result<Option<(&'static str, Endpoint)>, DestinationError> {
    let Some((variable, text)) = ENDPOINT.read(env) else { return Ok(None) };
    let text = if variable == ENDPOINT.generic { with_metrics_path(&text) } else { text };
    Endpoint::parse(variable, &text).map(|endpoint| Some((variable, endpoint)))
}

/// Where metrics go to if `base` is a base URL, or that very address already.
pub(crate) fn metrics_address(base: &str) -> String {
    let path = base.split_once('?').map_or(base, |(path, _)| path);
    if path.trim_end_matches('/').ends_with("/v1/metrics") {
        base.to_owned()
    } else {
        with_metrics_path(base)
    }
}

/// Whether the exporter sets this header itself.
pub(crate) fn is_own_header(name: &HeaderName) -> bool {
    OWN_HEADERS.contains(&name.as_str())
}

fn with_metrics_path(base: &str) -> String {
    let (path, query) = base.split_once('?').map_or((base, None), |(path, query)| (path, Some(query)));
    let path = path.trim_end_matches('/');
    query.map_or_else(|| format!("{path}/v1/metrics"), |query| format!("{path}/v1/metrics?{query}"))
}

fn check_protocol(env: &impl Fn(&str) -> Option<String>) -> Result<(), DestinationError> {
    match PROTOCOL.read(env) {
        Some((variable, found)) if found != "http/protobuf" => {
            Err(DestinationError::Unsupported { variable, found, supported: "`http/protobuf`" })
        }
        Some(_) | None => Ok(()),
    }
}

fn compression(env: &impl Fn(&str) -> Option<String>) -> Result<Compression, DestinationError> {
    let Some((variable, found)) = COMPRESSION.read(env) else { return Ok(Compression::Gzip) };
    match found.as_str() {
        "gzip" => Ok(Compression::Gzip),
        "none" => Ok(Compression::None),
        _ => Err(DestinationError::Unsupported { variable, found, supported: "`gzip` or `none`" }),
    }
}

fn timeout(env: &impl Fn(&str) -> Option<String>) -> Result<Duration, DestinationError> {
    let Some((variable, found)) = TIMEOUT.read(env) else { return Ok(DEFAULT_TIMEOUT) };
    match found.parse() {
        Ok(millis) if millis > 0 => Ok(Duration::from_millis(millis)),
        _ => Err(DestinationError::Timeout { variable, found }),
    }
}

fn headers(
    env: &impl Fn(&str) -> Option<String>,
) -> Result<Vec<(HeaderName, SecretValue)>, DestinationError> {
    let Some((variable, pairs)) = HEADERS.read(env) else { return Ok(Vec::new()) };
    let pairs = pairs.split(',').enumerate().filter(|(_, pair)| !pair.trim().is_empty());
    pairs.map(|(index, pair)| header(variable, index + 1, pair)).collect()
}

fn header(
    variable: &'static str,
    position: usize,
    pair: &str,
) -> Result<(HeaderName, SecretValue), DestinationError> {
    // What stands before the sign may be the rest of a secret that holds a comma. It is named only once it is a
    // header's name.
    let (name, value) = pair.split_once('=').ok_or(DestinationError::HeaderPair { variable, position })?;
    let name: HeaderName =
        name.trim().parse().map_err(|_| DestinationError::HeaderPair { variable, position })?;
    if is_own_header(&name) {
        return Err(DestinationError::OwnHeader { variable, name: name.to_string() });
    }
    let value = percent_decode(value.trim()).and_then(|bytes| SecretValue::new(&bytes));
    let value = value.ok_or_else(|| DestinationError::HeaderValue { variable, name: name.to_string() })?;
    Ok((name, value))
}

/// `None` if a `%` is not followed by two hexadecimal digits.
pub(crate) fn percent_decode(text: &str) -> Option<Vec<u8>> {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let digits = part.get(..2).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests;
