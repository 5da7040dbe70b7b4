//! Where the proxy is that an agent shall use.

use std::{fmt, str::FromStr};

use hyper::{Uri, http::uri::Scheme};

/// The proxy's address, `http://HOST:PORT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyAddress {
    host: String,
    port: u16,
}

/// Not the address of a proxy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the address of a proxy; write for example `http://127.0.0.1:5588`")]
pub struct ParseProxyAddressError(String);

impl ProxyAddress {
    /// The host without the brackets of an IPv6 address, as it is connected to.
    pub fn host(&self) -> &str {
        self.host.trim_start_matches('[').trim_end_matches(']')
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Host and port, as they stand in a URL.
    pub fn authority(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

impl FromStr for ProxyAddress {
    type Err = ParseProxyAddressError;

    fn from_str(text: &str) -> Result<Self, ParseProxyAddressError> {
        let error = || ParseProxyAddressError(text.to_owned());
        let uri: Uri = text.parse().map_err(|_| error())?;
        let bare = uri.scheme() == Some(&Scheme::HTTP) && uri.path() == "/" && uri.query().is_none();
        let authority = uri.authority().filter(|a| bare && !a.as_str().contains('@')).ok_or_else(error)?;
        Ok(Self { host: authority.host().to_owned(), port: authority.port_u16().unwrap_or(80) })
    }
}

impl fmt::Display for ProxyAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}:{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_url_with_a_host_and_at_most_a_port() {
        for (text, meant) in [
            ("http://127.0.0.1:5588", "http://127.0.0.1:5588"),
            ("http://127.0.0.1:5588/", "http://127.0.0.1:5588"),
            ("http://proxy.example", "http://proxy.example:80"),
            ("http://[::1]:5588", "http://[::1]:5588"),
        ] {
            assert_eq!(text.parse::<ProxyAddress>().unwrap().to_string(), meant);
        }
        for text in ["", "127.0.0.1:5588", "https://x", "http://x/y", "http://x?y", "http://u:p@x", "http://"]
        {
            assert!(text.parse::<ProxyAddress>().is_err(), "{text}");
        }
        assert_eq!("http://[::1]:1".parse::<ProxyAddress>().unwrap().host(), "::1");
    }
}
