//! TLS by rustls: the ring provider, certificates verified as the operating system does.

use std::sync::Arc;

use rustls_platform_verifier::BuilderVerifierExt as _;

/// Names the ring provider here rather than installing one for the whole program, which may have another.
pub(crate) fn config() -> Result<rustls::ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_platform_verifier()?
        .with_no_client_auth())
}
