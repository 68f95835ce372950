//! TLS by rustls: one set-up for HTTP and for Pulse.

use std::sync::Arc;

use rustls::{ClientConfig, Error, RootCertStore, crypto};
use rustls_platform_verifier::BuilderVerifierExt as _;

/// Settings that verify certificates as the operating system does; if it has none, an error, or where they are not
/// needed, settings that trust nobody.
///
/// Names the ring provider here rather than installing one for the whole program, which may have another.
pub(crate) fn config(needs_certificates: bool) -> Result<ClientConfig, Error> {
    let provider = Arc::new(crypto::ring::default_provider());
    let config =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let config = match config.clone().with_platform_verifier() {
        Ok(config) => config,
        Err(error) if needs_certificates => return Err(error),
        Err(_) => config.with_root_certificates(RootCertStore::empty()),
    };
    Ok(config.with_no_client_auth())
}
