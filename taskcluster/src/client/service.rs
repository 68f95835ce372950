//! A client bound to one reference, which the generated service structs wrap.

use std::fmt;
use std::sync::Arc;

use reqwest::Url;

use super::{Client, base_url};
use crate::error::Result;
use crate::reference::Reference;

/// A handle to one service of a deployment. Cheap to clone.
///
/// The structs that [`taskcluster_api!`](crate::taskcluster_api) generates wrap a `Service` and add a method for each
/// endpoint. Convert one `from` a service to call it at a URL of its own:
///
/// ```
/// use taskcluster::{Client, Queue, Service};
///
/// let client = Client::builder("https://tc.example.com").build()?;
/// let base_url = "http://localhost:3000/queue";
/// let queue = Queue::from(Service::with_base_url(&client, &Queue::REFERENCE, base_url)?);
/// assert_eq!(queue.ping().url()?.as_str(), "http://localhost:3000/queue/ping");
/// # Ok::<(), taskcluster::Error>(())
/// ```
#[derive(Clone)]
pub struct Service(Arc<Inner>);

struct Inner {
    client: Client,
    reference: &'static Reference,
    base: Url,
    /// Why calls to this service fail, if its `baseUrl` is invalid.
    problem: Option<String>,
}

impl Service {
    /// Creates a handle to the service at `<rootUrl>/api/<service>/<version>` in the client's deployment.
    ///
    /// A client without a root URL uses the reference's own `baseUrl`. With the root URL `https://taskcluster.net`, the
    /// service is at `https://<service>.taskcluster.net/<version>`, as in 2017.
    #[must_use]
    pub fn new(client: &Client, reference: &'static Reference) -> Self {
        match base_url::of_service(client.root(), reference) {
            Ok(url) => Self::at(client, reference, url, None),
            // Only a `baseUrl` can be invalid. Calls return the error; until then any URL will do.
            Err(error) => {
                let problem = format!("the `baseUrl` of {}: {error}", reference.service);
                Self::at(client, reference, nowhere(), Some(problem))
            }
        }
    }

    /// Creates a handle to a service at this URL, for one that is not below the deployment's root URL. The client's
    /// credentials sign its calls.
    ///
    /// # Errors
    ///
    /// Returns an error if this is not an `http` or `https` URL, or if it has a query, fragment, user or password.
    pub fn with_base_url(
        client: &Client,
        reference: &'static Reference,
        base_url: &str,
    ) -> Result<Self> {
        Ok(Self::at(client, reference, base_url::parse(base_url)?, None))
    }

    fn at(
        client: &Client,
        reference: &'static Reference,
        base: Url,
        problem: Option<String>,
    ) -> Self {
        Self(Arc::new(Inner { client: client.clone(), reference, base, problem }))
    }

    /// Returns the client that calls this service.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.0.client
    }

    /// Returns the service's reference.
    #[must_use]
    pub fn reference(&self) -> &'static Reference {
        self.0.reference
    }

    /// Returns the URL that the routes of the service's endpoints are appended to.
    #[must_use]
    pub fn base_url(&self) -> &Url {
        &self.0.base
    }

    /// Returns the path of the base URL, without a trailing slash.
    pub(crate) fn base_path(&self) -> &str {
        self.0.base.path().trim_end_matches('/')
    }

    /// Returns the offset at which the path begins in every URL of this service.
    pub(crate) fn path_start(&self) -> usize {
        self.0.base.as_str().len() - self.0.base.path().len()
    }

    pub(crate) fn problem(&self) -> Option<&str> {
        self.0.problem.as_deref()
    }

    pub(crate) fn host(&self) -> &str {
        self.0.base.host_str().unwrap_or_default()
    }

    pub(crate) fn port(&self) -> u16 {
        self.0.base.port_or_known_default().unwrap_or_default()
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service")
            .field("base_url", &self.0.base.as_str())
            .field("client", &self.0.client)
            .finish()
    }
}

#[expect(clippy::expect_used, reason = "a constant")]
fn nowhere() -> Url {
    Url::parse("http://localhost").expect("a URL")
}
