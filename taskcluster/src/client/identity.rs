//! Who signs a client's calls: nobody, fixed credentials, or a credentials provider.

use std::error::Error as StdError;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt as _;
use tokio::runtime::Handle;

use crate::credentials::Credentials;
use crate::credentials::provider::CredentialsProvider;
use crate::error::{Error, Result};
use crate::hawk::Signer;
use crate::runtime;

/// The signer of a client's calls, and the scopes that its signatures are limited to.
#[derive(Clone)]
pub(super) struct Identity {
    who: Who,
    authorized_scopes: Option<Vec<String>>,
}

#[derive(Clone)]
enum Who {
    Nobody,
    Fixed(Credentials, Arc<Signer>),
    Provided(Arc<dyn CredentialsProvider>, LastSigner),
}

/// The provider's latest credentials, ready to sign.
type LastSigner = Arc<Mutex<Option<(Credentials, Arc<Signer>)>>>;

impl Identity {
    /// Leaves calls unsigned.
    pub(super) fn nobody() -> Self {
        Self { who: Who::Nobody, authorized_scopes: None }
    }

    pub(super) fn fixed(
        credentials: Credentials,
        authorized_scopes: Option<Vec<String>>,
    ) -> Result<Self> {
        let signer = Arc::new(Signer::new(&credentials, authorized_scopes.as_deref())?);
        Ok(Self { who: Who::Fixed(credentials, signer), authorized_scopes })
    }

    pub(super) fn provided(
        provider: Arc<dyn CredentialsProvider>,
        authorized_scopes: Option<Vec<String>>,
    ) -> Self {
        Self { who: Who::Provided(provider, LastSigner::default()), authorized_scopes }
    }

    /// Replaces the credentials and keeps the authorized scopes.
    pub(super) fn with_credentials(&self, credentials: Credentials) -> Result<Self> {
        Self::fixed(credentials, self.authorized_scopes.clone())
    }

    /// Asks this provider from now on, and keeps the authorized scopes.
    pub(super) fn with_provider(&self, provider: Arc<dyn CredentialsProvider>) -> Self {
        Self::provided(provider, self.authorized_scopes.clone())
    }

    /// Keeps the credentials and replaces the authorized scopes.
    pub(super) fn with_authorized_scopes(&self, scopes: Vec<String>) -> Result<Self> {
        match &self.who {
            Who::Nobody => Err(no_credentials_to_limit()),
            Who::Fixed(credentials, _) => Self::fixed(credentials.clone(), Some(scopes)),
            Who::Provided(provider, _) => Ok(Self::provided(provider.clone(), Some(scopes))),
        }
    }

    /// Whether calls are signed.
    pub(super) fn signs(&self) -> bool {
        !matches!(self.who, Who::Nobody)
    }

    /// Returns the client id of fixed credentials.
    pub(super) fn client_id(&self) -> Option<&str> {
        match &self.who {
            Who::Fixed(credentials, _) => Some(credentials.client_id()),
            Who::Nobody | Who::Provided(..) => None,
        }
    }

    /// Returns the signer of the next attempt, or `None` if it is not signed.
    pub(super) async fn signer(&self) -> Result<Option<Arc<Signer>>> {
        match &self.who {
            Who::Nobody => Ok(None),
            Who::Fixed(_, signer) => Ok(Some(signer.clone())),
            Who::Provided(provider, last) => {
                let credentials = provider.credentials().await.map_err(provider_failed)?;
                self.signer_of(credentials, last).map(Some)
            }
        }
    }

    /// Returns the signer of a URL without waiting. If the provider is not ready at once, its latest credentials sign.
    pub(super) fn signer_at_once(&self) -> Result<Arc<Signer>> {
        match &self.who {
            Who::Nobody => Err(Error::config("a signed URL needs a client with credentials")),
            Who::Fixed(_, signer) => Ok(signer.clone()),
            Who::Provided(provider, last) => match poll_once(&**provider)? {
                Some(credentials) => self.signer_of(credentials.map_err(provider_failed)?, last),
                None => last
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .as_ref()
                    .map(|(_, signer)| signer.clone())
                    .ok_or_else(|| {
                        Error::config(
                            "the credentials provider has not returned credentials yet; send a call first",
                        )
                    }),
            },
        }
    }

    /// Returns a signer for the provider's credentials, reusing the last one if they have not changed.
    fn signer_of(&self, credentials: Credentials, last: &LastSigner) -> Result<Arc<Signer>> {
        let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
        match &*last {
            Some((known, signer)) if *known == credentials => Ok(signer.clone()),
            _ => {
                let signer =
                    Arc::new(Signer::new(&credentials, self.authorized_scopes.as_deref())?);
                *last = Some((credentials, signer.clone()));
                Ok(signer)
            }
        }
    }
}

/// Polls a provider once, inside a runtime in case it needs one. Returns `None` if it is not ready.
fn poll_once(
    provider: &dyn CredentialsProvider,
) -> Result<Option<Result<Credentials, Box<dyn StdError + Send + Sync>>>> {
    let runtime = match Handle::try_current() {
        Ok(_) => None,
        Err(_) => Some(runtime::handle()?),
    };
    let _inside = runtime.as_ref().map(Handle::enter);
    Ok(provider.credentials().now_or_never())
}

fn provider_failed(error: Box<dyn StdError + Send + Sync>) -> Error {
    Error::config("the credentials provider failed").because(error)
}

pub(super) fn no_credentials_to_limit() -> Error {
    Error::config("authorized scopes limit credentials, but the client has none")
}
