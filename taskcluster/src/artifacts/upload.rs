//! Uploads: of artifacts, of objects, and of artifacts that have no content of their own.

use std::fmt;
use std::future::IntoFuture;
use std::io::{self, Read};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use reqwest::Url;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use tokio::task::spawn_blocking;

use super::hashes::Hashes;
use super::input::Input;
use super::progress::Progress;
use super::put::{Place, Target, put, within};
use super::raw::Settings;
use super::source::StorageType;
use crate::error::{Error, Result};
use crate::runtime::block_on;
use crate::services::object::{
    CreateUploadProposedUploadMethods, CreateUploadRequest, FinishUploadRequest, HashesUpload,
    UploadMethodDataInlineRequest, UploadMethodPutUrlRequest,
};
use crate::services::queue::{
    FinishArtifactRequest, PostArtifactRequest, PostArtifactRequestObject, PostArtifactRequestS3,
    PostArtifactResponse,
};
use crate::services::{Object, Queue};
use crate::slugid;

/// Content of fewer bytes goes with the call that creates the object.
const INLINE: u64 = 8192;

/// How long nothing may be sent, or answered after the last byte, unless set.
const STALL_TIMEOUT: Duration = Duration::from_secs(30);

/// The content type unless set.
const CONTENT_TYPE_UNKNOWN: &str = "application/octet-stream";

/// Where an upload goes to.
#[derive(Clone)]
pub(crate) enum Destination {
    Artifact { queue: Queue, task_id: String, run_id: u32, name: String },
    Object { object: Object, project_id: String, name: String },
}

/// An upload whose content is not chosen yet; created by [`upload`](super::upload) or
/// [`objects::upload`](super::objects::upload).
#[must_use = "nothing is uploaded yet"]
#[derive(Clone)]
pub struct UploadBuilder {
    destination: Destination,
    content_type: String,
    expires: Option<DateTime<Utc>>,
    storage: StorageType,
    compress: bool,
    settings: Settings,
}

impl UploadBuilder {
    pub(crate) fn new(destination: Destination) -> Self {
        Self {
            destination,
            content_type: CONTENT_TYPE_UNKNOWN.to_owned(),
            expires: None,
            storage: StorageType::Object,
            compress: false,
            settings: Settings {
                managed_only: false,
                stall_timeout: STALL_TIMEOUT,
                on_progress: None,
            },
        }
    }

    /// Sets the content type; `application/octet-stream` by default.
    pub fn content_type(mut self, content_type: impl Into<String>) -> Self {
        self.content_type = content_type.into();
        self
    }

    /// Sets when the content is deleted. An artifact cannot outlive its task, and by default is deleted with it; the default
    /// takes a call of `queue.task`. An object of its own has no default.
    pub fn expires(mut self, expires: DateTime<Utc>) -> Self {
        self.expires = Some(expires);
        self
    }

    /// Stores an artifact as type `s3`, for deployments without an object service. By default, it is of type `object`.
    pub fn s3(mut self) -> Self {
        self.storage = StorageType::S3;
        self
    }

    /// Whether to compress the content with gzip; `false` by default. Whoever downloads it gets it decompressed.
    ///
    /// This is for artifacts of type [`s3`](Self::s3). For objects it is an error: the object service says with which headers
    /// content is sent to storage, `Content-Encoding: identity` among them, and has no way to ask for others. The compressed
    /// content goes to a temporary file first, since its length must be known beforehand.
    pub fn compress(mut self, compress: bool) -> Self {
        self.compress = compress;
        self
    }

    /// Calls this function after each piece that is sent. With compression, these are compressed bytes.
    pub fn on_progress(mut self, call: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        self.settings.on_progress = Some(Arc::new(call));
        self
    }

    /// Sets how long an attempt waits while nothing can be sent, or for the response; 30 seconds by default. There is no
    /// limit on the whole.
    pub fn stall_timeout(mut self, timeout: Duration) -> Self {
        self.settings.stall_timeout = timeout;
        self
    }

    /// Uploads a file. It must not change meanwhile.
    pub fn file(self, path: impl Into<PathBuf>) -> Upload {
        self.input(Input::File(path.into()))
    }

    /// Uploads these bytes.
    pub fn bytes(self, bytes: impl Into<Bytes>) -> Upload {
        self.input(Input::Bytes(bytes.into()))
    }

    /// Uploads what `open` opens, which must have `length` bytes. Each attempt opens it anew.
    ///
    /// ```no_run
    /// # async fn f(queue: taskcluster::Queue, task_id: &str) -> Result<(), taskcluster::Error> {
    /// use std::io::Read as _;
    /// use taskcluster::artifacts;
    ///
    /// let zeros = || Ok(std::io::repeat(0).take(1 << 20));
    /// artifacts::upload(&queue, task_id, 0, "public/zeros").reader(1 << 20, zeros).await?;
    /// # Ok(()) }
    /// ```
    pub fn reader<R: Read + Send + 'static>(
        self,
        length: u64,
        open: impl Fn() -> io::Result<R> + Send + Sync + 'static,
    ) -> Upload {
        self.input(Input::opened(length, open))
    }

    fn input(self, input: Input) -> Upload {
        Upload { to: self, input }
    }
}

/// Shows where the upload goes.
impl fmt::Debug for UploadBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Destination::Artifact { name, .. } | Destination::Object { name, .. }) =
            &self.destination;
        f.debug_struct("UploadBuilder").field("name", name).finish_non_exhaustive()
    }
}

/// An upload; await it, or call [`send_blocking`](Self::send_blocking).
///
/// # What is retried
///
/// The same failures as of [downloads](super::Artifact#what-is-retried), up to the client's number of retries. An attempt
/// sends the whole content; a URL that has expired is replaced. The content is hashed while it is sent, and the hashes are
/// given to the object service, which shows them to whoever downloads the object.
#[must_use = "nothing is uploaded until it is awaited"]
#[derive(Clone, Debug)]
pub struct Upload {
    to: UploadBuilder,
    input: Input,
}

/// What was uploaded.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Uploaded {
    /// The size in bytes, before compression.
    pub size: u64,
    /// The digests of the content, of the compressed content if it was compressed.
    pub hashes: Hashes,
    /// Where it is.
    pub storage: StorageType,
}

impl Upload {
    /// Uploads, blocking.
    ///
    /// # Errors
    ///
    /// As of the future, and inside an async runtime.
    pub fn send_blocking(&self) -> Result<Uploaded> {
        block_on(self.send())?
    }

    async fn send(&self) -> Result<Uploaded> {
        let to = &self.to;
        let is_artifact = matches!(to.destination, Destination::Artifact { .. });
        if to.compress && !(is_artifact && to.storage == StorageType::S3) {
            return Err(Error::input(
                "the object service stores content as it is; `compress` is for artifacts of type `s3`",
            ));
        }
        let size = self.length().await?;
        match &to.destination {
            Destination::Artifact { queue, task_id, run_id, name } => {
                let expires = match to.expires {
                    Some(expires) => expires,
                    None => expiry_of(queue, task_id).await?,
                };
                let artifact = NewArtifact {
                    queue,
                    task_id,
                    run_id: *run_id,
                    name,
                    content_type: &to.content_type,
                    expires,
                    size,
                    is_compressed: to.compress,
                };
                match to.storage {
                    StorageType::S3 => self.send_to_s3(&artifact, size).await,
                    _ => self.send_to_object(&artifact, size).await,
                }
            }
            Destination::Object { object, project_id, name } => {
                let expires = to.expires.ok_or_else(|| {
                    Error::input("an object needs a time when it expires; set it with `expires`")
                })?;
                let upload = NewObject {
                    object,
                    name,
                    project_id,
                    upload_id: &slugid::nice(),
                    expires,
                    content_type: &to.content_type,
                    size,
                };
                let hashes = self.store(&upload).await?;
                Ok(Uploaded { size, hashes, storage: StorageType::Object })
            }
        }
    }

    async fn length(&self) -> Result<u64> {
        let input = self.input.clone();
        blocking(move || input.length()).await
    }

    async fn send_to_s3(&self, artifact: &NewArtifact<'_>, size: u64) -> Result<Uploaded> {
        let client = artifact.queue.as_ref().client();
        let settings = &self.to.settings;
        let hashes = if self.to.compress {
            let compressed = self.read(Input::compress).await?;
            let input = Input::File(compressed.path().to_owned());
            put(client, artifact, &input, input.length()?, settings).await
        } else {
            put(client, artifact, &self.input, size, settings).await
        };
        Ok(Uploaded { size, hashes: hashes?, storage: StorageType::S3 })
    }

    async fn send_to_object(&self, artifact: &NewArtifact<'_>, size: u64) -> Result<Uploaded> {
        let mut request = PostArtifactRequestObject::new(artifact.expires, &*self.to.content_type);
        request.content_length = i64::try_from(size).ok();
        let PostArtifactResponse::Object(created) = artifact.create(request.into()).await? else {
            return Err(Error::answer("the queue created an artifact of another type"));
        };
        let client =
            artifact.queue.as_ref().client().to_object_service(created.credentials.into())?;
        let upload = NewObject {
            object: &Object::new(&client),
            name: &created.name,
            project_id: &created.project_id,
            upload_id: &created.upload_id,
            expires: created.expires,
            content_type: &self.to.content_type,
            size,
        };
        let hashes = self.store(&upload).await?;
        let NewArtifact { queue, task_id, run_id, name, .. } = artifact;
        // With the credentials that the task has by now.
        let finish = FinishArtifactRequest::new(&*created.upload_id);
        queue.finish_artifact(task_id, run_id, name, &finish).send().await?;
        Ok(Uploaded { size, hashes, storage: StorageType::Object })
    }

    /// Creates an object, uploads its content and finishes it.
    async fn store(&self, upload: &NewObject<'_>) -> Result<Hashes> {
        let hashes = match upload.size {
            0..INLINE => self.send_inline(upload).await?,
            size => {
                let client = upload.object.as_ref().client();
                put(client, upload, &self.input, size, &self.to.settings).await?
            }
        };
        let finish =
            FinishUploadRequest::new(upload.upload_id, upload.project_id).hashes(known(&hashes));
        upload.object.finish_upload(upload.name, &finish).send().await?;
        Ok(hashes)
    }

    /// Reads the content. A source that gives nothing may do so for ever.
    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Input, &AtomicU64) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (input, moved) = (self.input.clone(), Arc::<AtomicU64>::default());
        let counted = moved.clone();
        let reading = blocking(move || read(&input, &counted));
        let done = within(self.to.settings.stall_timeout, &moved, reading).await;
        done.unwrap_or_else(|| Err(Error::timeout()))
    }

    async fn send_inline(&self, upload: &NewObject<'_>) -> Result<Hashes> {
        let size = upload.size;
        let reading = self.read(move |input, moved| {
            let mut data = Vec::new();
            let hashes = input.read(size, moved, |piece| {
                data.extend_from_slice(&piece);
                Ok(())
            })?;
            Ok((data, hashes))
        });
        let (data, hashes) = reading.await?;
        let data = STANDARD.encode(&data);
        let methods = CreateUploadProposedUploadMethods::new()
            .data_inline(UploadMethodDataInlineRequest::new(upload.content_type, data));
        let created = upload.create(methods).await?;
        if created.data_inline != Some(true) {
            let client = upload.object.as_ref().client();
            return put(client, upload, &self.input, size, &self.to.settings).await;
        }
        if let Some(report) = &self.to.settings.on_progress {
            report(Progress { bytes: size, total: Some(size), attempt: 1 });
        }
        Ok(hashes)
    }
}

impl IntoFuture for Upload {
    type Output = Result<Uploaded>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { self.send().await })
    }
}

/// An artifact to be.
struct NewArtifact<'a> {
    queue: &'a Queue,
    task_id: &'a str,
    run_id: u32,
    name: &'a str,
    content_type: &'a str,
    expires: DateTime<Utc>,
    size: u64,
    is_compressed: bool,
}

impl NewArtifact<'_> {
    async fn create(&self, request: PostArtifactRequest) -> Result<PostArtifactResponse> {
        self.queue.create_artifact(self.task_id, self.run_id, self.name, &request).send().await
    }
}

/// An artifact of type `s3`.
impl Place for NewArtifact<'_> {
    async fn target(&self) -> Result<Target> {
        let mut request = PostArtifactRequestS3::new(self.expires, self.content_type);
        request.content_length = i64::try_from(self.size).ok();
        let PostArtifactResponse::S3(created) = self.create(request.into()).await? else {
            return Err(Error::answer("the queue created an artifact of another type"));
        };
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, header(&created.content_type)?);
        if self.is_compressed {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        Ok(Target { url: url(&created.put_url)?, headers, expires: created.expires })
    }
}

/// An object to be.
struct NewObject<'a> {
    object: &'a Object,
    name: &'a str,
    project_id: &'a str,
    upload_id: &'a str,
    expires: DateTime<Utc>,
    content_type: &'a str,
    size: u64,
}

impl NewObject<'_> {
    async fn create(
        &self,
        methods: CreateUploadProposedUploadMethods,
    ) -> Result<crate::services::object::CreateUploadMethod> {
        let request =
            CreateUploadRequest::new(self.project_id, self.upload_id, self.expires, methods);
        Ok(self.object.create_upload(self.name, &request).send().await?.upload_method)
    }
}

impl Place for NewObject<'_> {
    async fn target(&self) -> Result<Target> {
        let length =
            i64::try_from(self.size).map_err(|_| Error::input("the content is too large"))?;
        let methods = CreateUploadProposedUploadMethods::new()
            .put_url(UploadMethodPutUrlRequest::new(self.content_type, length));
        let created = self.create(methods).await?.put_url.ok_or_else(|| {
            Error::answer("the object service has no way to upload that this crate knows")
        })?;
        let mut headers = HeaderMap::new();
        for (name, value) in &created.headers {
            let name = HeaderName::try_from(name).map_err(|_| strange())?;
            headers.insert(name, header(value)?);
        }
        Ok(Target { url: url(&created.url)?, headers, expires: created.expires })
    }
}

/// When a task is deleted, with its artifacts.
pub(crate) async fn expiry_of(queue: &Queue, task_id: &str) -> Result<DateTime<Utc>> {
    let task = queue.task(task_id).send().await?;
    task.expires
        .ok_or_else(|| Error::input("the queue does not say when the task expires; set `expires`"))
}

fn known(hashes: &Hashes) -> HashesUpload {
    let mut known = HashesUpload::new().sha256(&*hashes.sha256);
    known.sha512.clone_from(&hashes.sha512);
    known
}

fn url(text: &str) -> Result<Url> {
    // The text of a URL that is none may be a secret all the same.
    Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https"))
        .ok_or_else(|| Error::answer("the upload URL is not an http or https URL"))
}

fn header(value: &str) -> Result<HeaderValue> {
    HeaderValue::try_from(value).map_err(|_| strange())
}

fn strange() -> Error {
    Error::answer("the upload takes headers that cannot be sent")
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    spawn_blocking(work)
        .await
        .map_err(|error| Error::file("the content could not be read").because(error))?
}
