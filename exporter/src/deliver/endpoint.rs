//! The address that requests are posted to.

use std::{fmt, net::IpAddr};

use hyper::Uri;

use super::destination::DestinationError;

/// An absolute `http` or `https` address. Printed without its query, which may hold a key.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint(Uri);

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
        &self.0
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
        Ok(Self(uri))
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
        self.0.scheme_str() == Some("https") || self.0.host().is_some_and(is_loopback)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let authority = self.0.authority().map_or("", |authority| authority.as_str());
        write!(f, "{}://{authority}{}", self.0.scheme_str().unwrap_or("http"), self.0.path())?;
        if self.0.query().is_some() { f.write_str("?***") } else { Ok(()) }
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
