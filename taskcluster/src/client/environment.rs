//! Clients from environment variables.

use super::builder::{Chosen, ClientBuilder};
use super::{Client, base_url};
use crate::credentials::Credentials;
use crate::env::variable;
use crate::error::{Error, Result};

impl Client {
    /// Creates a client from environment variables.
    ///
    /// If `TASKCLUSTER_PROXY_URL` is set, as inside a task with the proxy feature, the client uses the proxy and ignores
    /// credentials, because the proxy signs. Otherwise it uses `TASKCLUSTER_ROOT_URL` and, if they are set,
    /// `TASKCLUSTER_CLIENT_ID`, `TASKCLUSTER_ACCESS_TOKEN` and `TASKCLUSTER_CERTIFICATE`. White space around values is
    /// trimmed, and an empty variable counts as unset.
    ///
    /// # Errors
    ///
    /// Returns an error if neither URL is set, if only one of client id and access token is set, or if
    /// [`ClientBuilder::build`] fails.
    pub fn from_env() -> Result<Self> {
        if variable("TASKCLUSTER_PROXY_URL").or(variable("TASKCLUSTER_ROOT_URL")).is_none() {
            return Err(Error::config(
                "neither TASKCLUSTER_ROOT_URL nor TASKCLUSTER_PROXY_URL is set; set one of them",
            ));
        }
        Self::from_env_or(Self::build_with(None))
    }

    /// Creates a client from environment variables, as [`from_env`](Self::from_env) does, and from these defaults for what they
    /// do not say. All other settings are those of the defaults.
    ///
    /// The credentials of the defaults are for the deployment of the defaults: if the environment names another deployment or a
    /// proxy, they are not used.
    ///
    /// ```
    /// use std::time::Duration;
    /// use taskcluster::{Client, Credentials};
    ///
    /// let defaults = Client::builder("https://tc.example.com")
    ///     .credentials(Credentials::new("project/builds", "no-secret"))
    ///     .timeout(Duration::from_secs(60));
    /// let client = Client::from_env_or(defaults)?;
    /// # Ok::<(), taskcluster::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if only one of client id and access token is set, if the defaults have authorized scopes but the
    /// environment leaves the client without credentials, or if [`ClientBuilder::build`] fails.
    pub fn from_env_or(mut defaults: ClientBuilder) -> Result<Self> {
        let root = variable("TASKCLUSTER_ROOT_URL");
        if let Some(proxy) = variable("TASKCLUSTER_PROXY_URL") {
            defaults.identity = None;
            defaults.root_url = Some(proxy);
            #[cfg(feature = "artifacts")]
            {
                defaults.direct_root_url = root.or(defaults.direct_root_url);
            }
            return defaults.build();
        }
        if let Some(root) = root {
            if !defaults.root_url.as_deref().is_some_and(|own| is_same(own, &root)) {
                defaults.identity = None;
                #[cfg(feature = "artifacts")]
                {
                    defaults.direct_root_url = None;
                }
            }
            defaults.root_url = Some(root);
        }
        if let Some(credentials) = Credentials::from_env()? {
            defaults.identity = Some(Chosen::Credentials(credentials));
        }
        defaults.build()
    }
}

/// Whether two root URLs are those of one deployment.
fn is_same(one: &str, other: &str) -> bool {
    base_url::parse(one).is_ok_and(|one| base_url::parse(other).is_ok_and(|other| one == other))
}
