//! Compares a deployment with the references that a program was built with.

use serde_json::Value;

use super::changes::Changes;
use super::compare;
use super::documents::{Documents, Kind};
use super::facts::{kind, path_of, to_json, without_words};
use super::source::Source;
use crate::client::Client;
use crate::error::Result;
use crate::reference::Reference;
use crate::runtime::block_on;

impl Client {
    /// Compares a reference that this program was built with to the one that the deployment serves. Requires the feature
    /// `references`.
    ///
    /// In the result, *removed* means that the deployment lacks something, and *added* that it has something unknown to the
    /// program. Titles and descriptions are not compared, and schemas only by name. Requests are not signed.
    ///
    /// ```no_run
    /// # use taskcluster::{Client, Queue, Result};
    /// # async fn f(client: &Client) -> Result<()> {
    /// let changes = client.check(&Queue::REFERENCE).await?;
    /// for missing in changes.removed() {
    ///     eprintln!("the deployment lacks {} of {}", missing.subject, missing.service);
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if the client has no root URL, or if the references cannot be fetched.
    pub async fn check(&self, reference: &Reference) -> Result<Changes> {
        let (service, version, kind) = (reference.service, reference.version, kind(reference));
        let path = path_of(reference);
        let is_meant = |document: &Value| {
            Kind::of(document) == Some(kind)
                && document["serviceName"] == service
                && document["apiVersion"] == version
        };
        let served = Source::open(self).await?.references(&|known| known == service).await?;
        let theirs =
            served.into_iter().find(is_meant).map(|theirs| (path.clone(), without_words(theirs)));
        let ours = Documents::from([(path, without_words(to_json(reference)))]);
        Ok(compare::documents(&ours, &theirs.into_iter().collect()))
    }

    /// The blocking form of [`check`](Self::check).
    ///
    /// # Errors
    ///
    /// Returns the errors of [`check`](Self::check), and one if called inside an asynchronous runtime.
    pub fn check_blocking(&self, reference: &Reference) -> Result<Changes> {
        block_on(self.check(reference))?
    }
}
