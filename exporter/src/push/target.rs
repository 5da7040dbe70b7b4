//! The request's address and method, and whether credentials may go with it.

use std::fmt::Write as _;

use hyper::{HeaderMap, Method, header::AUTHORIZATION};

use super::options::{Format, Mode, PushOptions};
use crate::deliver::{
    endpoint::{Endpoint, EndpointError},
    secret::SecretValue,
};

/// Where credentials come from: a command line can be read by every user of the machine.
pub const CREDENTIALS: &str = "CCXRAY_PUSH_AUTHORIZATION";

/// Where the request goes.
#[derive(Debug)]
pub struct Target {
    /// The address, with its path and query.
    pub endpoint: Endpoint,
    /// The method.
    pub method: Method,
    /// The `Authorization` header, if there are credentials.
    pub headers: HeaderMap,
}

/// The options make no request. No message contains an address or a credential.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TargetError {
    /// Not an absolute http(s) address.
    #[error("--to is not an http:// or https:// address; write, for example, http://127.0.0.1:9091")]
    Address,
    /// What may hold a secret stands in the address.
    #[error("--to holds a user name, a password or a query; give credentials in {CREDENTIALS}")]
    Secret,
    /// A label's value that cannot stand in a path.
    #[error("{option} is `{found}`; it may not be empty, `.` or `..`, or hold a slash")]
    Label {
        /// Which option.
        option: &'static str,
        /// Its value.
        found: String,
    },
    /// Only a Pushgateway can do this.
    #[error("VictoriaMetrics keeps what it was sent; only `--mode push` is possible there")]
    Mode,
    /// Credentials that no header can carry.
    #[error("{CREDENTIALS} is not the value of an Authorization header, such as `Bearer …` or `Basic …`")]
    Credentials,
    /// Credentials would cross the network unencrypted.
    #[error("--to is http:// to another machine, but {CREDENTIALS} is set; use https://")]
    Plaintext,
}

impl Target {
    /// The target of `options`, for the totals of `instance`.
    pub fn of(
        options: &PushOptions,
        instance: &str,
        env: &impl Fn(&str) -> Option<String>,
    ) -> Result<Self, TargetError> {
        let base = base(&options.to)?;
        let job = label("--job", &options.job)?;
        let instance = label("--instance", instance)?;
        let (method, rest) = match (options.format, options.mode) {
            (Format::Pushgateway, mode) => {
                (pushgateway_method(mode), format!("/metrics/job/{job}/instance/{instance}"))
            }
            (Format::VictoriaMetrics, Mode::Push) => {
                let labels = format!("extra_label=job={job}&extra_label=instance={instance}");
                (Method::POST, format!("/api/v1/import/prometheus?{labels}"))
            }
            (Format::VictoriaMetrics, Mode::PushAdd | Mode::Delete) => return Err(TargetError::Mode),
        };
        let endpoint = Endpoint::read(&format!("{base}{rest}")).map_err(|_| TargetError::Address)?;
        let headers = credentials(&endpoint, env)?;
        Ok(Self { endpoint, method, headers })
    }
}

/// As the Pushgateway has them.
fn pushgateway_method(mode: Mode) -> Method {
    match mode {
        Mode::Push => Method::PUT,
        Mode::PushAdd => Method::POST,
        Mode::Delete => Method::DELETE,
    }
}

fn base(to: &str) -> Result<&str, TargetError> {
    let endpoint = Endpoint::read(to).map_err(|error| match error {
        EndpointError::NotAnAddress => TargetError::Address,
        EndpointError::UserInfo => TargetError::Secret,
    })?;
    // A fragment never reaches a server, and would hide what is added here.
    if endpoint.expose().query().is_some() || to.contains('#') {
        return Err(TargetError::Secret);
    }
    Ok(to.trim_end_matches('/'))
}

/// A label's value, percent-encoded for a path or a query.
fn label(option: &'static str, value: &str) -> Result<String, TargetError> {
    if matches!(value, "" | "." | "..") || value.contains('/') {
        return Err(TargetError::Label { option, found: value.to_owned() });
    }
    Ok(value.bytes().fold(String::new(), |mut encoded, byte| {
        match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => write!(encoded, "%{byte:02X}").unwrap_or_default(),
        }
        encoded
    }))
}

fn credentials(endpoint: &Endpoint, env: &impl Fn(&str) -> Option<String>) -> Result<HeaderMap, TargetError> {
    let mut headers = HeaderMap::new();
    let Some(value) = env(CREDENTIALS).filter(|value| !value.is_empty()) else { return Ok(headers) };
    let value = SecretValue::new(value.as_bytes()).ok_or(TargetError::Credentials)?;
    if !endpoint.may_carry_credentials() {
        return Err(TargetError::Plaintext);
    }
    headers.insert(AUTHORIZATION, value.expose().clone());
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    const INSTANCE: &str = "0af1";

    fn options(to: &str, format: Format, mode: Mode) -> PushOptions {
        PushOptions {
            to: to.to_owned(),
            format,
            mode,
            job: "ccxray".to_owned(),
            instance: None,
            state_dir: None,
        }
    }

    fn target(options: &PushOptions) -> Result<(Method, String), TargetError> {
        let target = Target::of(options, INSTANCE, &|_| None)?;
        Ok((target.method, target.endpoint.expose().to_string()))
    }

    fn with_credentials(to: &str) -> Result<Target, TargetError> {
        let env = |name: &str| (name == CREDENTIALS).then(|| "Bearer canary".to_owned());
        Target::of(&options(to, Format::Pushgateway, Mode::Push), INSTANCE, &env)
    }

    #[test]
    fn each_mode_has_the_pushgateways_method_on_its_path() {
        let url = "http://gateway.example:9091/metrics/job/ccxray/instance/0af1";
        for (mode, method) in [(Mode::Push, "PUT"), (Mode::PushAdd, "POST"), (Mode::Delete, "DELETE")] {
            let found = target(&options("http://gateway.example:9091/", Format::Pushgateway, mode)).unwrap();
            assert_eq!((found.0.as_str(), found.1.as_str()), (method, url));
        }
    }

    #[test]
    fn victoria_metrics_is_only_pushed_to_below_the_path_that_was_given() {
        let to = "https://vm.example/insert/0/prometheus";
        let url = format!("{to}/api/v1/import/prometheus?extra_label=job=ccxray&extra_label=instance=0af1");
        assert_eq!(target(&options(to, Format::VictoriaMetrics, Mode::Push)), Ok((Method::POST, url)));
        for mode in [Mode::PushAdd, Mode::Delete] {
            assert_eq!(target(&options(to, Format::VictoriaMetrics, mode)), Err(TargetError::Mode));
        }
    }

    #[test]
    fn labels_are_encoded_and_cannot_leave_their_place() {
        let mut options = options("http://[::1]:9091", Format::Pushgateway, Mode::Push);
        let target_of = |instance: &str| Target::of(&options, instance, &|_| None);
        let encoded = target_of("dev 1&é").unwrap().endpoint.expose().to_string();
        assert!(encoded.ends_with("/instance/dev%201%26%C3%A9"), "{encoded}");
        for found in ["", ".", "..", "a/b"] {
            options.job = found.to_owned();
            assert_eq!(
                target(&options),
                Err(TargetError::Label { option: "--job", found: found.to_owned() })
            );
        }
    }

    #[test]
    fn an_address_holds_no_secret() {
        for (to, error) in [
            ("gateway:9091", TargetError::Address),
            ("ftp://gateway", TargetError::Address),
            ("https://me:canary@gateway", TargetError::Secret),
            ("https://gateway/?token=canary", TargetError::Secret),
            ("https://gateway/#x", TargetError::Secret),
        ] {
            assert!(!error.to_string().contains("canary"));
            assert_eq!(target(&options(to, Format::Pushgateway, Mode::Push)), Err(error), "{to}");
        }
    }

    #[test]
    fn credentials_go_over_tls_or_not_beyond_this_machine() {
        assert_eq!(with_credentials("http://gateway.example").unwrap_err(), TargetError::Plaintext);
        for to in ["https://gateway.example", "http://127.0.0.1:1", "http://localhost:1"] {
            let target = with_credentials(to).unwrap();
            assert_eq!(target.headers[AUTHORIZATION], "Bearer canary");
            assert!(!format!("{target:?}").contains("canary"));
        }
    }
}
