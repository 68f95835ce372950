//! TLS with rustls, configured once for HTTP and Pulse.

use std::error::Error as StdError;
use std::fmt;
use std::sync::{Arc, LazyLock, OnceLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{self, CryptoProvider};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, OtherError, SignatureScheme};
use rustls_platform_verifier::Verifier;

/// Passed to each configuration rather than installed for the whole program, which may use another provider.
static RING: LazyLock<Arc<CryptoProvider>> =
    LazyLock::new(|| Arc::new(crypto::ring::default_provider()));

/// Returns settings that verify certificates as the operating system does.
pub(crate) fn config() -> Result<ClientConfig, Error> {
    Ok(ClientConfig::builder_with_provider(RING.clone())
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(OnFirstUse))
        .with_no_client_auth())
}

/// Verifies certificates as the operating system does. Loads the operating system's certificates when a server presents the
/// first of its own: loading takes up to 50 ms, and programs that use plain HTTP may have none.
///
/// All clients of the program share the loaded certificates.
#[derive(Debug)]
struct OnFirstUse;

impl OnFirstUse {
    fn verifier(&self) -> Result<&'static Verifier, Error> {
        static VERIFIER: OnceLock<Verifier> = OnceLock::new();
        if let Some(verifier) = VERIFIER.get() {
            return Ok(verifier);
        }
        // Failures are not cached: certificates may be installed while the program runs.
        let verifier = Verifier::new(RING.clone())
            .map_err(|error| Error::Other(OtherError(Arc::new(NoCertificates(error)))))?;
        Ok(VERIFIER.get_or_init(|| verifier))
    }
}

impl ServerCertVerifier for OnFirstUse {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.verifier()?.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        )
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier()?.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier()?.verify_tls13_signature(message, cert, dss)
    }

    /// The operating system's verifiers support these schemes, too. rustls asks before there is a certificate to verify.
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        RING.signature_verification_algorithms.supported_schemes()
    }
}

/// The operating system has no certificates to trust.
#[derive(Clone, Debug)]
pub(crate) struct NoCertificates(Error);

impl fmt::Display for NoCertificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}; install the operating system's package of CA certificates, or set SSL_CERT_FILE",
            self.0
        )
    }
}

impl StdError for NoCertificates {}

#[cfg(all(feature = "rustls", not(feature = "native-tls")))]
impl NoCertificates {
    /// Returns this error if it is the reason that a connection failed.
    pub(crate) fn cause_of(error: &(dyn StdError + 'static)) -> Option<Self> {
        let mut cause = Some(error);
        while let Some(error) = cause {
            if let Some(Error::Other(OtherError(error))) = error.downcast_ref() {
                return error.downcast_ref().cloned();
            }
            cause = match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
                // `source` would skip the wrapped error and return that error's source.
                Some(inner) => Some(inner),
                None => error.source(),
            };
        }
        None
    }
}
