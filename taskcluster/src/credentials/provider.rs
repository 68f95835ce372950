//! Where credentials come from that change while a program runs.

use std::error::Error as StdError;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use super::Credentials;

/// A source of credentials that change while a program runs, such as those of a worker's task.
///
/// The client asks it before every attempt, so it should cache credentials for as long as they are valid.
///
/// ```
/// use taskcluster::{Credentials, CredentialsFuture, CredentialsProvider};
///
/// struct Hourly(Credentials);
///
/// impl CredentialsProvider for Hourly {
///     fn credentials(&self) -> CredentialsFuture<'_> {
///         Box::pin(async { Ok(self.0.temporary(std::time::Duration::from_secs(3600)).create()?) })
///     }
/// }
///
/// let client = taskcluster::Client::builder("https://tc.example.com")
///     .credentials_provider(Hourly(Credentials::new("project/builds", "no-secret")))
///     .build()?;
/// # Ok::<(), taskcluster::Error>(())
/// ```
pub trait CredentialsProvider: Send + Sync + 'static {
    /// Returns the credentials that sign the next attempt.
    fn credentials(&self) -> CredentialsFuture<'_>;
}

/// The future that a [`CredentialsProvider`] returns.
pub type CredentialsFuture<'a> =
    Pin<Box<dyn Future<Output = Result<Credentials, Box<dyn StdError + Send + Sync>>> + Send + 'a>>;

/// Lets several clients share a provider.
impl<P: CredentialsProvider + ?Sized> CredentialsProvider for Arc<P> {
    fn credentials(&self) -> CredentialsFuture<'_> {
        (**self).credentials()
    }
}
