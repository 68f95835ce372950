//! A client bound to one reference: what the generated service structs hold.

use std::fmt;
use std::sync::Arc;

use reqwest::Url;

use super::{Client, base_url};
use crate::error::Result;
use crate::reference::{Reference, urls};

/// One service of one deployment. Cheap to clone.
///
/// The structs that [`taskcluster_api!`](crate::taskcluster_api) makes are this with one method for each endpoint.
#[derive(Clone)]
pub struct Service(Arc<Inner>);

struct Inner {
    client: Client,
    reference: &'static Reference,
    base: Url,
    host: String,
    port: u16,
    /// Why nothing can be called here.
    problem: Option<String>,
}

impl Service {
    /// The service at its place in the client's deployment: `<rootUrl>/api/<service>/<version>`.
    ///
    /// A client without root URL takes the reference's own `baseUrl`; the root URL `https://taskcluster.net` means
    /// `https://<service>.taskcluster.net/<version>`, where the services of 2017 were.
    #[must_use]
    pub fn new(client: &Client, reference: &'static Reference) -> Self {
        let base = urls::base(client.root_url(), reference);
        match base_url::parse(&base) {
            Ok(url) => Self::at(client, reference, url, None),
            // Only a `baseUrl` can be wrong. Its calls will tell; until then any URL does.
            Err(error) => {
                let problem = format!("the `baseUrl` of {}: {error}", reference.service);
                Self::at(client, reference, nowhere(), Some(problem))
            }
        }
    }

    /// The service at an URL of its own, with the client's credentials: for one that does not live below the root URL.
    ///
    /// # Errors
    ///
    /// If it is not an `http` or `https` URL, or has a query, fragment, user or password.
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
        Self(Arc::new(Inner {
            client: client.clone(),
            reference,
            host: base.host_str().unwrap_or_default().to_owned(),
            port: base.port_or_known_default().unwrap_or_default(),
            base,
            problem,
        }))
    }

    /// The client it was made with.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.0.client
    }

    /// The reference that it was made from.
    #[must_use]
    pub fn reference(&self) -> &'static Reference {
        self.0.reference
    }

    /// Its base URL.
    #[must_use]
    pub fn base_url(&self) -> &Url {
        &self.0.base
    }

    /// The path of the base URL, without a slash at its end.
    pub(crate) fn base_path(&self) -> &str {
        self.0.base.path().trim_end_matches('/')
    }

    /// Where in every URL of this service the path begins.
    pub(crate) fn path_start(&self) -> usize {
        self.0.base.as_str().len() - self.0.base.path().len()
    }

    pub(crate) fn problem(&self) -> Option<&str> {
        self.0.problem.as_deref()
    }

    pub(crate) fn host(&self) -> &str {
        &self.0.host
    }

    pub(crate) fn port(&self) -> u16 {
        self.0.port
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
    Url::parse("http://localhost").expect("an URL")
}
