//! The underlying HTTP client: reqwest, set up in one place.

use reqwest::Url;

#[cfg(all(feature = "rustls", not(feature = "native-tls")))]
use super::tls;
use crate::error::{Error, Result};

/// Returns a `reqwest::ClientBuilder` configured like this crate's own: user agent, no redirects, and TLS by the enabled
/// feature.
///
/// ```
/// use taskcluster::{Client, reqwest::Proxy};
///
/// let http = taskcluster::http_client_builder()?.proxy(Proxy::https("http://proxy.example.com:8080")?).build()?;
/// let client = Client::builder("https://tc.example.com").http_client(http).build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// If the operating system's certificates cannot be loaded.
pub fn http_client_builder() -> Result<reqwest::ClientBuilder> {
    http_client_builder_for(None)
}

/// Like [`http_client_builder`], but for plain HTTP the operating system need not have certificates.
pub(crate) fn http_client_builder_for(root: Option<&Url>) -> Result<reqwest::ClientBuilder> {
    let builder = reqwest::Client::builder()
        .user_agent(concat!("taskcluster-rust/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        // This crate retries itself, because every attempt needs a new signature.
        .retry(reqwest::retry::never());
    let needs_certificates = root.is_none_or(|root| root.scheme() != "http");
    set_up_tls(builder, needs_certificates)
        .map_err(|error| Error::config("TLS cannot be set up").because(error))
}

#[cfg(feature = "native-tls")]
fn set_up_tls(
    builder: reqwest::ClientBuilder,
    _needs_certificates: bool,
) -> Result<reqwest::ClientBuilder, reqwest::Error> {
    Ok(builder.tls_backend_native())
}

#[cfg(all(feature = "rustls", not(feature = "native-tls")))]
fn set_up_tls(
    builder: reqwest::ClientBuilder,
    needs_certificates: bool,
) -> Result<reqwest::ClientBuilder, rustls::Error> {
    let mut config = tls::config(needs_certificates)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(builder.tls_backend_preconfigured(config))
}

#[cfg(not(any(feature = "rustls", feature = "native-tls")))]
fn set_up_tls(
    builder: reqwest::ClientBuilder,
    _needs_certificates: bool,
) -> Result<reqwest::ClientBuilder, reqwest::Error> {
    Ok(builder)
}
