//! Pools of connections, one for each runtime.
//!
//! A connection is driven by the runtime that opened it. In another runtime, a request on it waits for as long as the first
//! one stands still, which may be for ever.

use std::future::pending;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::runtime::{Handle, Id};
use tokio::task::AbortHandle;

use super::http::http_client_builder;
use crate::error::{Error, Result};

/// The HTTP clients of a client and of those derived from it, each with the connections of one runtime.
pub(crate) struct Connections {
    source: Source,
    pools: Mutex<Vec<Pool>>,
}

pub(super) enum Source {
    /// Each runtime gets an HTTP client of its own, built with these settings.
    Own(Configure),
    /// The program's own HTTP client, which only one runtime at a time may use.
    Given(reqwest::Client),
}

pub(super) type Configure =
    Arc<dyn Fn(reqwest::ClientBuilder) -> reqwest::ClientBuilder + Send + Sync>;

struct Pool {
    runtime: Id,
    /// A task that lives for as long as the runtime.
    resident: AbortHandle,
    http: reqwest::Client,
}

impl Source {
    /// The same for connections that leave content encoded, as far as this crate makes them.
    #[cfg(feature = "artifacts")]
    pub(super) fn undecoded(&self) -> Self {
        match self {
            Self::Own(configure) => {
                let configure = configure.clone();
                Self::Own(Arc::new(move |http| {
                    configure(http).no_gzip().no_brotli().no_zstd().no_deflate()
                }))
            }
            Self::Given(http) => Self::Given(http.clone()),
        }
    }
}

impl Connections {
    pub(super) fn new(source: Source) -> Self {
        Self { source, pools: Mutex::default() }
    }

    /// Returns the HTTP client of the current runtime.
    pub(crate) fn here(&self) -> Result<reqwest::Client> {
        let runtime = Handle::try_current().map_err(|error| {
            let message = "a call was awaited outside a tokio runtime; \
                           await it inside one, or use the blocking form";
            Error::config(message).because(error)
        })?;
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pool) = pools.iter().find(|pool| pool.runtime == runtime.id()) {
            return Ok(pool.http.clone());
        }
        pools.retain(|pool| !pool.resident.is_finished());
        let http = match &self.source {
            Source::Own(configure) => configure(http_client_builder()?)
                .build()
                .map_err(|error| Error::config("cannot set up the HTTP client").because(error))?,
            Source::Given(http) if pools.is_empty() => http.clone(),
            Source::Given(_) => {
                return Err(Error::config(
                    "the HTTP client passed to `http_client` is in use by another runtime, or by blocking calls; \
                     use `configure_http` instead, or a client for each",
                ));
            }
        };
        let resident = runtime.spawn(pending::<()>()).abort_handle();
        pools.push(Pool { runtime: runtime.id(), resident, http: http.clone() });
        Ok(http)
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.resident.abort();
    }
}

#[cfg(test)]
mod tests {
    use tokio::runtime::Builder;

    use super::*;

    #[test]
    fn a_pool_goes_with_its_runtime() {
        let connections = Connections::new(Source::Own(Arc::new(|http| http)));
        for _ in 0..3 {
            let runtime = Builder::new_current_thread().build().unwrap();
            let _inside = runtime.enter();
            for _ in 0..2 {
                connections.here().unwrap();
                assert_eq!(connections.pools.lock().unwrap().len(), 1);
            }
        }
    }
}
