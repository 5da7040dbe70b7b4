//! Whom a destination's certificate must come from.

use std::{
    io,
    path::{Path, PathBuf},
};

use ccxray_shared::daemon::tls;
use rustls::{ClientConfig, pki_types::CertificateDer};

/// TLS could not be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// The file with further authorities.
    #[error("failed to read certificates from `{path}`; OTEL_EXPORTER_OTLP_CERTIFICATE needs a PEM file")]
    Certificate {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The platform's store.
    #[error("failed to load the platform's certificate authorities")]
    Platform(#[source] rustls::Error),
}

/// A client that trusts what the platform trusts, and what `extra_ca` holds.
pub fn client_config(extra_ca: Option<&Path>) -> Result<ClientConfig, TlsError> {
    let extra = extra_ca.map(read_certificates).transpose()?.unwrap_or_default();
    tls::trusting(extra).map_err(TlsError::Platform)
}

/// A client that trusts nobody, for a destination that is spoken to in plain text.
pub fn distrustful_config() -> Result<ClientConfig, TlsError> {
    tls::distrustful().map_err(TlsError::Platform)
}

fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let none = || io::Error::new(io::ErrorKind::InvalidData, "no certificate in it");
    tls::read_certificates(path)
        .and_then(|found| if found.is_empty() { Err(none()) } else { Ok(found) })
        .map_err(|source| TlsError::Certificate { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_certificates_is_refused_by_its_path() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ca.pem");
        assert!(client_config(Some(&path)).unwrap_err().to_string().contains("ca.pem"));
        std::fs::write(&path, "no certificate").unwrap();
        assert!(matches!(client_config(Some(&path)), Err(TlsError::Certificate { .. })));
    }
}
