//! Artifacts that have no content of their own: references, links and errors.

use std::fmt;
use std::future::IntoFuture;
use std::pin::Pin;

use chrono::{DateTime, Utc};

use super::upload::expiry_of;
use crate::error::Result;
use crate::runtime::block_on;
use crate::services::Queue;
use crate::services::queue::{
    PostArtifactRequest, PostArtifactRequestError, PostArtifactRequestErrorReason,
    PostArtifactRequestLink, PostArtifactRequestReference,
};

/// An artifact without content of its own; created by [`reference`](super::reference), [`link`](super::link) and
/// [`error`](super::error). Await it, or call [`send_blocking`](Self::send_blocking).
#[must_use = "nothing is created until it is awaited"]
#[derive(Clone)]
pub struct Declaration {
    queue: Queue,
    task_id: String,
    run_id: u32,
    name: String,
    content_type: Option<String>,
    expires: Option<DateTime<Utc>>,
    kind: Kind,
}

/// What an artifact without content is.
#[derive(Clone)]
pub(crate) enum Kind {
    Reference { url: String },
    Link { to: String },
    Error { reason: PostArtifactRequestErrorReason, message: String },
}

impl Declaration {
    pub(crate) fn new(
        queue: &Queue,
        task_id: String,
        run_id: u32,
        name: String,
        kind: Kind,
    ) -> Self {
        let queue = queue.clone();
        Self { queue, task_id, run_id, name, content_type: None, expires: None, kind }
    }

    /// Sets the content type of a reference or link, for those who list artifacts; `application/octet-stream` by default. An
    /// error has none.
    pub fn content_type(mut self, content_type: impl Into<String>) -> Self {
        self.content_type = Some(content_type.into());
        self
    }

    /// Sets when the artifact is deleted. By default, it is deleted with its task; the default takes a call of `queue.task`.
    pub fn expires(mut self, expires: DateTime<Utc>) -> Self {
        self.expires = Some(expires);
        self
    }

    /// Creates the artifact, blocking.
    ///
    /// # Errors
    ///
    /// As of the future, and inside an async runtime.
    pub fn send_blocking(&self) -> Result<()> {
        block_on(self.send())?
    }

    async fn send(&self) -> Result<()> {
        let expires = match self.expires {
            Some(expires) => expires,
            None => expiry_of(&self.queue, &self.task_id).await?,
        };
        let content_type =
            || self.content_type.clone().unwrap_or_else(|| "application/octet-stream".to_owned());
        let request: PostArtifactRequest = match &self.kind {
            Kind::Reference { url } => {
                PostArtifactRequestReference::new(expires, url, content_type()).into()
            }
            Kind::Link { to } => {
                PostArtifactRequestLink::new(expires, to).content_type(content_type()).into()
            }
            Kind::Error { reason, message } => {
                PostArtifactRequestError::new(expires, reason.clone(), message).into()
            }
        };
        self.queue.create_artifact(&self.task_id, self.run_id, &self.name, &request).send().await?;
        Ok(())
    }
}

impl IntoFuture for Declaration {
    type Output = Result<()>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { self.send().await })
    }
}

/// Shows the artifact's name.
impl fmt::Debug for Declaration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Declaration").field("name", &self.name).finish_non_exhaustive()
    }
}
