//! TLS towards the network: whom both programs trust.

use std::{io, path::Path, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::{CryptoProvider, ring},
    pki_types::{
        CertificateDer,
        pem::{self, PemObject},
    },
};
use rustls_platform_verifier::Verifier;

/// A client that trusts what the platform trusts, and `extra` too. Fails if that is nobody.
pub fn trusting(extra: Vec<CertificateDer<'static>>) -> Result<ClientConfig, rustls::Error> {
    let verifier = Verifier::new_with_extra_roots(extra, provider())?;
    let builder = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()?;
    // It is the platform's own verifier; rustls calls every one that it did not make dangerous.
    Ok(builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth())
}

/// A client that trusts nobody, for where only plain text is spoken: it needs no store, which a container may not
/// have.
pub fn distrustful() -> Result<ClientConfig, rustls::Error> {
    let builder = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()?;
    Ok(builder.with_root_certificates(RootCertStore::empty()).with_no_client_auth())
}

/// The certificates in a PEM file; there may be none in it.
pub fn read_certificates(path: &Path) -> io::Result<Vec<CertificateDer<'static>>> {
    CertificateDer::pem_file_iter(path).and_then(Iterator::collect).map_err(|error| match error {
        pem::Error::Io(error) => error,
        other => io::Error::new(io::ErrorKind::InvalidData, other.to_string()),
    })
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_certificates_holds_none_and_a_cut_one_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ca.pem");
        assert_eq!(read_certificates(&path).unwrap_err().kind(), io::ErrorKind::NotFound);
        std::fs::write(&path, "no certificate").unwrap();
        assert!(read_certificates(&path).unwrap().is_empty());
        std::fs::write(&path, "-----BEGIN CERTIFICATE-----\nAAAA\n").unwrap();
        assert_eq!(read_certificates(&path).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
