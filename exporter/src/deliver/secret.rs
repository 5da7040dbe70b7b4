//! Values that must not be seen.

use std::fmt;

use hyper::header::HeaderValue;

/// The value of a configured header: mostly a credential, so neither printed nor logged.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretValue(HeaderValue);

impl SecretValue {
    /// `bytes` as a header value; `None` if they cannot be one.
    pub fn new(bytes: &[u8]) -> Option<Self> {
        let mut value = HeaderValue::from_bytes(bytes).ok()?;
        value.set_sensitive(true);
        Some(Self(value))
    }

    /// The value, for the request that it is meant for.
    pub fn expose(&self) -> &HeaderValue {
        &self.0
    }
}

impl fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
