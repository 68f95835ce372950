//! What a client needs to reach storage besides the services.

use std::sync::OnceLock;

use reqwest::Url;

use super::base_url;
use super::http::http_client_builder_for;
use crate::error::{Error, Result};

/// Derived clients share it.
pub(super) struct Storage {
    /// Made when it is needed, unless the user has given one.
    http: OnceLock<reqwest::Client>,
    direct_root: Option<Url>,
}

impl Storage {
    pub(super) fn new(http: Option<reqwest::Client>, direct_root: Option<&str>) -> Result<Self> {
        Ok(Self {
            http: http.map(OnceLock::from).unwrap_or_default(),
            direct_root: direct_root.map(base_url::parse).transpose()?,
        })
    }

    /// The HTTP client, which gives encoded content as it is: to continue a download, one has to know how many bytes came.
    pub(super) fn http(&self, root: Option<&Url>) -> Result<&reqwest::Client> {
        if let Some(http) = self.http.get() {
            return Ok(http);
        }
        let builder = http_client_builder_for(root)?;
        let builder = builder.no_gzip().no_brotli().no_zstd().no_deflate();
        let http = builder
            .build()
            .map_err(|error| Error::config("the HTTP client cannot be set up").because(error))?;
        Ok(self.http.get_or_init(|| http))
    }

    /// Where the deployment is, if the client's root URL is that of a proxy.
    pub(super) fn direct_root(&self) -> Option<&Url> {
        self.direct_root.as_ref()
    }
}
