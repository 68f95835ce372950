//! Objects of the object service that are not artifacts.

use std::fmt::Display;

use super::artifact::Artifact;
use super::source::Source;
use super::upload::{Destination, UploadBuilder};
use crate::services::Object;

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

/// An upload of an object under this name, which must not be taken, to a project; it needs the scope
/// `object:upload:<project>:<name>`.
///
/// ```no_run
/// # async fn f(client: taskcluster::Client) -> Result<(), taskcluster::Error> {
/// use taskcluster::{Object, from_now, objects};
///
/// let upload = objects::upload(&Object::new(&client), "project", "project/data.bin");
/// upload.expires(from_now("1 year")?).file("data.bin").await?;
/// # Ok(()) }
/// ```
pub fn upload(object: &Object, project_id: impl Display, name: impl Display) -> UploadBuilder {
    UploadBuilder::new(Destination::Object {
        object: object.clone(),
        project_id: project_id.to_string(),
        name: name.to_string(),
    })
}
