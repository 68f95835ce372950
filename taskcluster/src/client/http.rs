//! The underlying HTTP client: reqwest, set up in one place.

#[cfg(all(feature = "rustls", not(feature = "native-tls")))]
use super::tls;
use crate::error::{Error, Result};

/// Returns a `reqwest::ClientBuilder` configured like this crate's own: user agent, no redirects, and TLS by the enabled
/// feature.
///
/// Use it to send requests that are none of Taskcluster's (an artifact's URL, for example) without building a second HTTP
/// library, or to make a client for [`ClientBuilder::http_client`](crate::ClientBuilder::http_client). To only change
/// settings of a Taskcluster client, use [`ClientBuilder::configure_http`](crate::ClientBuilder::configure_http).
///
/// Start from here rather than from `reqwest::Client::new()`, which panics unless the program installs a TLS provider for
/// all its libraries. This builder brings its own, and leaves the program's alone.
///
/// ```no_run
/// # async fn f(url: taskcluster::Url) -> Result<(), Box<dyn std::error::Error>> {
/// let http = taskcluster::http_client_builder()?.build()?;
/// let artifact = http.get(url).send().await?.error_for_status()?.bytes().await?;
/// # Ok(()) }
/// ```
///
/// # TLS
///
/// With the feature `rustls`, a server's certificate must be one that the operating system trusts. The authorities are loaded
/// once for the whole program, when the first `https` connection is made; if there are none, the connection fails. On Linux,
/// `SSL_CERT_FILE` and `SSL_CERT_DIR` name others. reqwest's own settings for certificates (such as `tls_certs_merge`) have
/// no effect on this builder. To trust others, pass a complete rustls configuration to `tls_backend_preconfigured`.
///
/// # Errors
///
/// Returns an error if the TLS library refuses its settings.
pub fn http_client_builder() -> Result<reqwest::ClientBuilder> {
    let builder = reqwest::Client::builder()
        .user_agent(concat!("taskcluster-rust/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        // This crate retries itself, because every attempt needs a new signature. `never` alone keeps a copy of each request;
        // with a limit of no retries, none is kept.
        .retry(reqwest::retry::never().max_retries_per_request(0));
    set_up_tls(builder).map_err(|error| Error::config("TLS cannot be set up").because(error))
}

#[cfg(feature = "native-tls")]
fn set_up_tls(builder: reqwest::ClientBuilder) -> Result<reqwest::ClientBuilder, reqwest::Error> {
    Ok(builder.tls_backend_native())
}

#[cfg(all(feature = "rustls", not(feature = "native-tls")))]
fn set_up_tls(builder: reqwest::ClientBuilder) -> Result<reqwest::ClientBuilder, rustls::Error> {
    let mut config = tls::config()?;
    let protocols: &[&str] =
        if cfg!(feature = "http2") { &["h2", "http/1.1"] } else { &["http/1.1"] };
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    Ok(builder.tls_backend_preconfigured(config))
}

#[cfg(not(any(feature = "rustls", feature = "native-tls")))]
fn set_up_tls(builder: reqwest::ClientBuilder) -> Result<reqwest::ClientBuilder, reqwest::Error> {
    Ok(builder)
}

/// Explains why a request got no response.
pub(crate) fn unanswered(error: reqwest::Error) -> Error {
    #[cfg(all(feature = "rustls", not(feature = "native-tls")))]
    if let Some(cause) = tls::NoCertificates::cause_of(&error) {
        return Error::config("no certificate can be verified").because(cause);
    }
    Error::transport(error)
}
