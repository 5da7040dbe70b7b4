//! The address that requests are posted to.

use std::{fmt, net::IpAddr};

use hyper::Uri;

use super::destination::DestinationError;

/// An absolute `http` or `https` address. Printed without its query, which may hold a key, and without what was masked.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    uri: Uri,
    /// How it is printed if not as it is.
    shown: Option<String>,
}

/// Why a text is no endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndpointError {
    /// Not an absolute http(s) address.
    NotAnAddress,
    /// User name or password inside of it.
    UserInfo,
}

impl Endpoint {
    /// The address itself. It may hold a key in its query: for requests only.
    pub fn expose(&self) -> &Uri {
        &self.uri
    }

    /// Printed like `shown`: parts of the address are not to be seen.
    #[must_use]
    pub fn masked(self, shown: String) -> Self {
        Self { shown: Some(shown), ..self }
    }

    /// What tells it apart from every other address. What is not printed stands there as a digest.
    pub fn name(&self) -> String {
        if self.shown.is_none() && self.uri.query().is_none() {
            return self.to_string();
        }
        let digest = blake3::derive_key("ccxray endpoint v1", self.uri.to_string().as_bytes());
        format!("{self}#{:08x}", u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]))
    }

    /// `text`, an error that may name the host, as it may be printed.
    pub fn conceal(&self, text: &str) -> String {
        match (&self.shown, self.uri.host()) {
            (Some(_), Some(host)) => {
                let host = host.trim_start_matches('[').trim_end_matches(']');
                text.replace(host, "***").replace(&host.to_ascii_lowercase(), "***")
            }
            (_, _) => text.to_owned(),
        }
    }

    /// Reads an address.
    pub fn read(text: &str) -> Result<Self, EndpointError> {
        let uri: Uri = text.parse().map_err(|_| EndpointError::NotAnAddress)?;
        let authority = match (uri.scheme_str(), uri.authority()) {
            (Some("http" | "https"), Some(authority)) if !authority.host().is_empty() => authority,
            _ => return Err(EndpointError::NotAnAddress),
        };
        if authority.as_str().contains('@') {
            return Err(EndpointError::UserInfo);
        }
        Ok(Self { uri, shown: None })
    }

    /// Reads what `variable` holds.
    pub(super) fn parse(variable: &'static str, text: &str) -> Result<Self, DestinationError> {
        Self::read(text).map_err(|error| match error {
            EndpointError::NotAnAddress => DestinationError::Endpoint { variable },
            EndpointError::UserInfo => DestinationError::UserInfo { variable },
        })
    }

    /// Encrypted, or not beyond this machine.
    pub fn may_carry_credentials(&self) -> bool {
        self.uri.scheme_str() == Some("https") || self.uri.host().is_some_and(is_loopback)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(shown) = &self.shown {
            let (address, query) =
                shown.split_once('?').map_or((shown.as_str(), ""), |(address, _)| (address, "?***"));
            return write!(f, "{address}{query}");
        }
        let authority = self.uri.authority().map_or("", |authority| authority.as_str());
        write!(f, "{}://{authority}{}", self.uri.scheme_str().unwrap_or("http"), self.uri.path())?;
        if self.uri.query().is_some() { f.write_str("?***") } else { Ok(()) }
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_masked_is_not_printed_and_still_tells_addresses_apart() {
        let endpoint = |text: &str| Endpoint::read(text).unwrap();
        let open = endpoint("https://otel.example/v1/metrics");
        assert_eq!(open.name(), "https://otel.example/v1/metrics");
        let [one, two] = ["one", "two"].map(|host| {
            endpoint(&format!("https://{host}.example/")).masked("https://***.example/".to_owned())
        });
        assert_eq!(
            (format!("{one:?}"), one.to_string()),
            (two.to_string(), "https://***.example/".to_owned())
        );
        assert_ne!(one.name(), two.name());
        let told = "certificate not valid for name \"one.example\"";
        assert_eq!(one.conceal(told), "certificate not valid for name \"***\"");
        assert_eq!(open.conceal(told), told);
        assert!(one.name().starts_with("https://***.example/#"), "{}", one.name());
        let [one, two] = ["1", "2"].map(|key| endpoint(&format!("https://otel.example/?key={key}")));
        assert_eq!(one.to_string(), "https://otel.example/?***");
        assert_ne!(one.name(), two.name());
        assert_eq!(one.name(), one.clone().name());
    }
}
