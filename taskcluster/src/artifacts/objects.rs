//! Objects of the object service that are not artifacts.

use std::fmt::Display;

use super::artifact::Artifact;
use super::source::Source;
use crate::Object;

/// An object by its name, with the credentials of the client of `object`; it needs the scope `object:download:<name>`.
///
/// ```no_run
/// # async fn f(client: taskcluster::Client) -> Result<(), taskcluster::Error> {
/// use taskcluster::{Object, objects};
///
/// let file = objects::named(&Object::new(&client), "project/data.bin").download_to("data.bin").await?;
/// # Ok(()) }
/// ```
pub fn named(object: &Object, name: impl Display) -> Artifact {
    Artifact::new(Source::Object { object: object.clone(), name: name.to_string() })
}
