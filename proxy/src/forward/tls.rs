//! Whom the proxy trusts behind TLS.

use std::{io, path::PathBuf};

use ccxray_shared::daemon::tls;
use rustls::ClientConfig;

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
        let found = tls::read_certificates(path).map_err(|source| TlsSetupError::ExtraRoots {
            variable,
            path: path.clone(),
            source,
        })?;
        roots.extend(found);
    }
    tls::trusting(roots).map_err(TlsSetupError::NoRoots)
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
