//! Credentials that the program itself replaces.

use std::fmt;
use std::future::ready;
use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};

use super::Credentials;
use super::provider::{CredentialsFuture, CredentialsProvider};

/// Credentials that are replaced while clients use them, such as those of a task that a worker reclaims.
///
/// Clones share the credentials. As soon as they are replaced, every attempt of every client is signed with the new ones, also
/// the retries of calls that began before.
///
/// ```
/// use taskcluster::{Client, Credentials, SharedCredentials};
///
/// let credentials = SharedCredentials::new(Credentials::new("task/one", "no-secret"));
/// let client = Client::builder("https://tc.example.com").credentials_provider(credentials.clone()).build()?;
///
/// // Whenever the task is reclaimed:
/// credentials.replace(Credentials::new("task/one", "another-secret"));
/// // When the claim is lost:
/// credentials.withdraw();
/// # Ok::<(), taskcluster::Error>(())
/// ```
#[derive(Clone)]
pub struct SharedCredentials(Arc<RwLock<Option<Credentials>>>);

impl SharedCredentials {
    /// Shares these credentials.
    #[must_use]
    pub fn new(credentials: Credentials) -> Self {
        Self(Arc::new(RwLock::new(Some(credentials))))
    }

    /// Replaces the credentials for all who share them.
    pub fn replace(&self, credentials: Credentials) {
        *self.write() = Some(credentials);
    }

    /// Takes the credentials from all who share them. Their next attempts fail, with an error of kind
    /// [`Config`](crate::ErrorKind::Config), and send nothing.
    pub fn withdraw(&self) {
        *self.write() = None;
    }

    /// Returns the present credentials, or `None` if they have been withdrawn.
    #[must_use]
    pub fn get(&self) -> Option<Credentials> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn write(&self) -> RwLockWriteGuard<'_, Option<Credentials>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CredentialsProvider for SharedCredentials {
    fn credentials(&self) -> CredentialsFuture<'_> {
        Box::pin(ready(self.get().ok_or_else(|| "the credentials have been withdrawn".into())))
    }
}

/// Shows what the credentials show.
impl fmt::Debug for SharedCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SharedCredentials").field(&self.get()).finish()
    }
}
