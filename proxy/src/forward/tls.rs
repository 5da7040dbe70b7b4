//! Whom the proxy trusts behind TLS.

use std::{io, path::PathBuf, sync::Arc};

use rustls::{
    ClientConfig,
    crypto::ring,
    pki_types::{
        CertificateDer,
        pem::{self, PemObject},
    },
};
use rustls_platform_verifier::Verifier;

/// Variables that name files with further certificate authorities, as agents know them. Companies whose
/// firewall reads TLS set them.
pub const EXTRA_ROOTS: [&str; 2] = ["SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"];

/// TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsSetupError {
    /// A file with certificates is unusable.
    #[error("failed to read the certificates in `{path}`, which {variable} names")]
    ExtraRoots {
        /// Which variable.
        variable: &'static str,
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The platform trusts nobody.
    #[error("no certificate authority to trust; install the system's ca-certificates or set SSL_CERT_FILE")]
    NoRoots(#[source] rustls::Error),
}

/// TLS as the platform trusts, and the certificate authorities in the files of `extra` (variable, path) too.
pub fn client_config(extra: &[(&'static str, PathBuf)]) -> Result<ClientConfig, TlsSetupError> {
    let mut roots = Vec::new();
    for (variable, path) in extra {
        roots.extend(read(path.clone(), variable)?);
    }
    let provider = Arc::new(ring::default_provider());
    let verifier = Verifier::new_with_extra_roots(roots, provider.clone()).map_err(TlsSetupError::NoRoots)?;
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(TlsSetupError::NoRoots)?;
    // It is the platform's own verifier; rustls calls every one that it did not make dangerous.
    Ok(builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth())
}

fn read(path: PathBuf, variable: &'static str) -> Result<Vec<CertificateDer<'static>>, TlsSetupError> {
    CertificateDer::pem_file_iter(&path)
        .and_then(Iterator::collect)
        .map_err(|error| match error {
            pem::Error::Io(error) => error,
            other => io::Error::new(io::ErrorKind::InvalidData, other.to_string()),
        })
        .map_err(|source| TlsSetupError::ExtraRoots { variable, path, source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unreadable_file_is_named_with_its_variable() {
        let error = client_config(&[("SSL_CERT_FILE", PathBuf::from("/nowhere/ca.pem"))]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "failed to read the certificates in `/nowhere/ca.pem`, which SSL_CERT_FILE names"
        );
    }
}
