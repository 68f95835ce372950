//! Where content is: what the queue and the object service say of it.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::LOCATION;
use reqwest::{Method, Response, StatusCode, Url};
use serde_json::Value;
use tokio::time::timeout;

use super::hashes::Expected;
use crate::call::Call;
use crate::client::Client;
use crate::client::service::Service;
use crate::error::{Error, Result};
use crate::services::index::IndexedTaskResponse;
use crate::services::object::{
    DownloadObjectAcceptDownloadMethods, DownloadObjectRequest, DownloadObjectResponse,
};
use crate::services::queue::ArtifactContentResponse;
use crate::services::{Object, Queue};

/// How an artifact's content is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StorageType {
    /// In a bucket of the deployment, by URL.
    S3,
    /// In the object service.
    Object,
    /// At a URL that the task chose.
    Reference,
    /// The queue did not say: only the queue of 2017 does not.
    Unknown,
}

impl StorageType {
    /// By the wire name.
    pub(crate) fn of(name: Option<&str>) -> Self {
        match name {
            Some("s3") => Self::S3,
            Some("object") => Self::Object,
            Some("reference") => Self::Reference,
            _ => Self::Unknown,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::S3 => "s3",
            Self::Object => "object",
            Self::Reference => "reference",
            Self::Unknown => "unknown",
        }
    }

    /// Whether the deployment chose the URL, rather than a task.
    fn is_managed(self) -> bool {
        matches!(self, Self::S3 | Self::Object)
    }
}

/// What to ask for content.
#[derive(Clone)]
pub(crate) enum Source {
    /// An artifact of the queue.
    Artifact(Call<ArtifactContentResponse>),
    /// An artifact of a queue that only redirects to the content.
    Redirect(Call),
    /// An artifact of the task at a path of the index.
    Indexed { task: Call<IndexedTaskResponse>, queue: Queue, name: String },
    /// An object, by name.
    Object { object: Object, name: String },
    /// Nothing that has artifacts, and why.
    Wrong { service: Service, problem: String },
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Artifact(call) => call.fmt(f),
            Self::Redirect(call) => call.fmt(f),
            Self::Indexed { task, name, .. } => {
                f.debug_tuple("Indexed").field(task).field(name).finish()
            }
            Self::Object { name, .. } => f.debug_tuple("Object").field(name).finish(),
            Self::Wrong { problem, .. } => f.write_str(problem),
        }
    }
}

/// A URL of the content, and what is known of it. The URL may be a secret.
pub(crate) struct Location {
    pub(crate) url: Url,
    pub(crate) storage: StorageType,
    /// When to ask for a new URL.
    pub(crate) expires: Option<DateTime<Utc>>,
    /// Of objects.
    pub(crate) expected: Expected,
}

/// Finds the content of a source, again and again.
pub(crate) struct Locator {
    source: Source,
    managed_only: bool,
    /// The object that the source turned out to be, with the credentials for it.
    object: Option<(Object, String)>,
}

impl Locator {
    pub(crate) fn new(source: &Source, managed_only: bool) -> Self {
        let object = match source {
            Source::Object { object, name } => Some((object.clone(), name.clone())),
            _ => None,
        };
        Self { source: source.clone(), managed_only, object }
    }

    /// The client that the source was made with.
    pub(crate) fn client(&self) -> &Client {
        self.source.client()
    }

    /// Asks where the content is.
    pub(crate) async fn locate(&mut self) -> Result<Location> {
        if let Some((object, name)) = &self.object {
            match start_download(object, name).await {
                // The credentials of an artifact end after an hour.
                Err(error) if is_unauthorized(&error) && !self.source.is_object() => {}
                located => return located,
            }
        }
        let location = match &self.source {
            Source::Artifact(call) => self.artifact(call.clone()).await?,
            Source::Indexed { task, queue, name } => {
                let task_id = task.clone().await?.task_id;
                self.artifact(queue.latest_artifact(task_id, name)).await?
            }
            Source::Redirect(call) => redirected(call.clone()).await?,
            Source::Object { object, name } => start_download(object, name).await?,
            Source::Wrong { problem, .. } => return Err(Error::input(problem.clone())),
        };
        if self.managed_only && !location.storage.is_managed() {
            return Err(Error::artifact(
                "the content is at a URL that the deployment has not chosen, and only managed \
                 content was asked for",
            ));
        }
        Ok(location)
    }

    async fn artifact(&mut self, call: Call<ArtifactContentResponse>) -> Result<Location> {
        match call.clone().await? {
            ArtifactContentResponse::S3(found) => at_url(&found.url, StorageType::S3),
            ArtifactContentResponse::Reference(found) => at_url(&found.url, StorageType::Reference),
            ArtifactContentResponse::Object(found) => {
                let object =
                    Object::new(&self.client().to_object_service(found.credentials.into())?);
                let location = start_download(&object, &found.name).await?;
                self.object = Some((object, found.name));
                Ok(location)
            }
            ArtifactContentResponse::Error(found) => {
                Err(Error::artifact(found.message).with_code(found.reason))
            }
            ArtifactContentResponse::Unknown(found) => {
                let found = found.to_value().unwrap_or_default();
                let kind = found["storageType"].as_str().unwrap_or("no storage type");
                Err(Error::artifact(format!("artifacts with {kind:?} cannot be downloaded")))
            }
        }
        .map_err(|error| match call.url() {
            Ok(url) if error.request().is_none() => error.with_call(&Method::GET, &url, 0),
            _ => error,
        })
    }
}

impl Source {
    fn client(&self) -> &Client {
        match self {
            Self::Artifact(call) => call.client(),
            Self::Redirect(call) => call.client(),
            Self::Indexed { queue, .. } => queue.as_ref().client(),
            Self::Object { object, .. } => object.as_ref().client(),
            Self::Wrong { service, .. } => service.client(),
        }
    }

    fn is_object(&self) -> bool {
        matches!(self, Self::Object { .. })
    }

    /// What identifies the source for people and for a file that is continued: no secret.
    pub(crate) fn id(&self) -> String {
        let url = match self {
            Self::Artifact(call) => call.url(),
            Self::Redirect(call) => call.url(),
            Self::Indexed { task, name, .. } => {
                return task.url().map(|url| format!("{url} {name}")).unwrap_or_default();
            }
            Self::Object { object, name } => {
                return format!("{} {name}", object.as_ref().base_url());
            }
            Self::Wrong { .. } => return String::new(),
        };
        url.map(String::from).unwrap_or_default()
    }

    /// The call that errors name.
    pub(crate) fn url(&self) -> Option<Url> {
        match self {
            Self::Artifact(call) => call.url().ok(),
            Self::Redirect(call) => call.url().ok(),
            Self::Indexed { task, .. } => task.url().ok(),
            Self::Object { object, name } => {
                let request = download_request();
                object.start_download(name, &request).url().ok()
            }
            Self::Wrong { .. } => None,
        }
    }
}

fn is_unauthorized(error: &Error) -> bool {
    matches!(error.status(), Some(StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN))
}

fn at_url(url: &str, storage: StorageType) -> Result<Location> {
    // The text of a URL that is none may be a secret all the same.
    let url = Url::parse(url)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https"))
        .ok_or_else(|| Error::artifact("the content is not at an http or https URL"))?;
    Ok(Location { url, storage, expires: None, expected: Expected::default() })
}

fn download_request() -> DownloadObjectRequest {
    DownloadObjectRequest::new(DownloadObjectAcceptDownloadMethods::new().get_url(true))
}

async fn start_download(object: &Object, name: &str) -> Result<Location> {
    match object.start_download(name, &download_request()).send().await? {
        DownloadObjectResponse::GetUrl(found) => {
            let expected = Expected { sha256: found.hashes.sha256, sha512: found.hashes.sha512 };
            if expected.is_empty() {
                return Err(Error::artifact(
                    "the object has no hash that this crate can verify: neither sha256 nor sha512",
                ));
            }
            let located = at_url(&found.url, StorageType::Object)?;
            Ok(Location { expires: Some(found.expires), expected, ..located })
        }
        _ => Err(Error::answer("the object service chose a download method that was not offered")),
    }
}

/// How much of a body is read that may help, but need not, in bytes.
const MAX_START: usize = 16 * 1024;

/// The start of a body, as far as it comes within this time.
pub(crate) async fn start_of(response: &mut Response, limit: Duration) -> Vec<u8> {
    let mut body = Vec::new();
    let reading = async {
        while body.len() < MAX_START
            && let Ok(Some(chunk)) = response.chunk().await
        {
            body.extend_from_slice(&chunk);
        }
    };
    let _ = timeout(limit, reading).await;
    body
}

/// Where a queue leads with a 303.
async fn redirected(call: Call) -> Result<Location> {
    let limit = call.client().settings().timeout;
    let mut response = call.send_raw().await?;
    let location = response.headers().get(LOCATION).and_then(|url| url.to_str().ok());
    let url = location.map(str::to_owned).ok_or_else(|| {
        Error::answer("the queue did not redirect to the content")
            .with_status(Some(response.status()))
    })?;
    let kind = response.headers().get("x-taskcluster-artifact-storage-type");
    let kind = kind.and_then(|kind| kind.to_str().ok()).map(str::to_owned);
    let kind = match kind {
        Some(kind) => Some(kind),
        None => {
            let body = start_of(&mut response, limit).await;
            let body: Value = serde_json::from_slice(&body).unwrap_or_default();
            body["storageType"].as_str().map(str::to_owned)
        }
    };
    at_url(&url, StorageType::of(kind.as_deref()))
}
