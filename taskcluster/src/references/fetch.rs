//! Fetches references and the schemas that they need.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use super::changes::Changes;
use super::compare;
use super::documents::{Documents, Kind, schemas_of_entries, schemas_of_schema};
use super::folder::Present;
use super::paths;
use super::patterns;
use super::source::Source;
use super::write::write;
use crate::client::Client;
use crate::error::{Error, Result};
use crate::reference::nearest::nearest;
use crate::runtime::block_on;

/// The maximum number of fetched documents.
const MAX_DOCUMENTS: usize = 10_000;

/// Fetches the references that a deployment serves, with the schemas that they need, and writes them as files for
/// [`taskcluster_api!`](crate::taskcluster_api).
///
/// The files are called `<service>/<version>/api.json`, `<service>/<version>/exchanges.json` and
/// `schemas/<service>/<version>/<name>.json`. Their content does not depend on where and when they were fetched: a second
/// fetch of the same version changes nothing. References of other kinds, such as logs and metrics, are ignored.
///
/// ```no_run
/// use taskcluster::Client;
/// use taskcluster::references::Fetch;
///
/// # async fn f() -> Result<(), taskcluster::Error> {
/// let client = Client::builder("https://tc.example.com").build()?;
/// let changes = Fetch::new(&client).services(["queue", "auth"]).write_to("api/").await?;
/// print!("{changes}");
/// # Ok(()) }
/// ```
///
/// Requests use the client's timeout and retries, and are not signed. A deployment may serve at most 64 MiB and 10,000
/// documents.
#[derive(Clone)]
pub struct Fetch {
    client: Client,
    services: Option<BTreeSet<String>>,
    on_progress: Option<Arc<dyn Fn(Progress) + Send + Sync>>,
}

/// The progress of a fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// How many documents have been fetched.
    pub fetched: usize,
    /// How many are needed, as far as known: a schema may turn out to need others.
    pub needed: usize,
}

impl Fetch {
    /// Fetches everything that the client's deployment serves.
    #[must_use]
    pub fn new(client: &Client) -> Self {
        Self { client: client.clone(), services: None, on_progress: None }
    }

    /// Fetches only these services, by their names in URLs such as `worker-manager`, and the schemas that they need.
    #[must_use]
    pub fn services<S: Into<String>>(self, services: impl IntoIterator<Item = S>) -> Self {
        Self { services: Some(services.into_iter().map(Into::into).collect()), ..self }
    }

    /// Sets a function that is called whenever documents have arrived.
    #[must_use]
    pub fn on_progress(self, tell: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        Self { on_progress: Some(Arc::new(tell)), ..self }
    }

    /// Fetches, updates the files in this folder, and returns what changed.
    ///
    /// References and schemas of the fetched services are replaced, or removed if the deployment no longer serves them. All other
    /// files in the folder stay as they are. Nothing is written before everything has arrived; then each file is written next to
    /// the old one and renamed. An error or interruption leaves the old files intact.
    ///
    /// Deployments do not serve the patterns of arguments. Those of the built-in services are added to `patterns.json`, unless the
    /// file already has the service, or there is one in a folder above. For your own services,
    /// [write them](crate::taskcluster_api#patterns).
    ///
    /// # Errors
    ///
    /// Returns an error if the deployment does not serve one of the services, if a document cannot be fetched or is not
    /// valid, if its name would lead out of the folder, or if a file cannot be written.
    pub async fn write_to(&self, folder: impl AsRef<Path>) -> Result<Changes> {
        let mut new = self.documents().await?;
        on_disk(folder.as_ref(), move |folder| {
            let present = Present::read(folder, &new)?;
            let changes = compare::documents(&present.documents, &new);
            patterns::add(folder, &mut new);
            write(folder, &new, &present.stale)?;
            Ok(changes)
        })
        .await
    }

    /// The blocking form of [`write_to`](Self::write_to).
    ///
    /// # Errors
    ///
    /// Returns the errors of [`write_to`](Self::write_to), and one if called inside an asynchronous runtime.
    pub fn write_to_blocking(&self, folder: impl AsRef<Path>) -> Result<Changes> {
        block_on(self.write_to(folder))?
    }

    /// Fetches, and returns what [`write_to`](Self::write_to) would change, without writing anything.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`write_to`](Self::write_to).
    pub async fn diff(&self, folder: impl AsRef<Path>) -> Result<Changes> {
        let new = self.documents().await?;
        on_disk(folder.as_ref(), move |folder| {
            Ok(compare::documents(&Present::read(folder, &new)?.documents, &new))
        })
        .await
    }

    /// The blocking form of [`diff`](Self::diff).
    ///
    /// # Errors
    ///
    /// Returns the errors of [`diff`](Self::diff), and one if called inside an asynchronous runtime.
    pub fn diff_blocking(&self, folder: impl AsRef<Path>) -> Result<Changes> {
        block_on(self.diff(folder))?
    }

    /// Fetches the references of the selected services and all schemas that they need.
    pub(super) async fn documents(&self) -> Result<Documents> {
        let source = Source::open(&self.client).await?;
        let is_meant =
            |service: &str| self.services.as_ref().is_none_or(|meant| meant.contains(service));
        let mut documents = Documents::new();
        // The schemas still to be fetched, each with a document that refers to it.
        let mut wanted = BTreeMap::new();
        let mut served = BTreeSet::new();
        for reference in source.references(&is_meant).await? {
            let Some(kind) = Kind::of(&reference) else { continue };
            let (service, version) =
                (text(&reference, "serviceName")?, text(&reference, "apiVersion")?);
            served.insert(service.clone());
            if !is_meant(&service) {
                continue;
            }
            let path = paths::of_reference(&service, &version, kind.file())?;
            for (_, schema) in schemas_of_entries(&service, &reference, source.roots())? {
                wanted.entry(schema).or_insert_with(|| path.clone());
            }
            if documents.insert(path.clone(), reference).is_some() {
                return Err(Error::answer(format!("the deployment serves `{path}` twice")));
            }
        }
        served.extend(source.named());
        self.check_served(&served, &documents)?;
        while !wanted.is_empty() {
            self.tell(documents.len(), documents.len() + wanted.len());
            if documents.len() + wanted.len() > MAX_DOCUMENTS {
                return Err(Error::answer(format!(
                    "the deployment serves more than {MAX_DOCUMENTS} documents"
                )));
            }
            let mut next = BTreeMap::new();
            for (path, schema) in source.schemas(&wanted).await? {
                for needed in schemas_of_schema(&path, &schema, source.roots())? {
                    next.entry(needed).or_insert_with(|| path.clone());
                }
                documents.insert(path, schema);
            }
            next.retain(|path, _| !documents.contains_key(path));
            wanted = next;
        }
        check_case(&documents)?;
        self.tell(documents.len(), documents.len());
        Ok(documents)
    }

    fn tell(&self, fetched: usize, needed: usize) {
        if let Some(tell) = &self.on_progress {
            tell(Progress { fetched, needed });
        }
    }

    /// Checks that the deployment serves every selected service.
    fn check_served(&self, served: &BTreeSet<String>, documents: &Documents) -> Result<()> {
        let is_there =
            |service: &String| documents.keys().any(|path| path.split('/').next() == Some(service));
        let missing = self.services.iter().flatten().find(|service| !is_there(service));
        match missing {
            Some(service) => {
                let near = nearest(service, served.iter().map(String::as_str));
                Err(Error::unknown_name("the deployment", "reference of", service, near))
            }
            None if documents.is_empty() => {
                Err(Error::answer("the deployment serves no references of endpoints or exchanges"))
            }
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Fetch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Fetch");
        out.field("client", &self.client).field("services", &self.services).finish_non_exhaustive()
    }
}

fn text(reference: &serde_json::Value, key: &str) -> Result<String> {
    let text = reference[key].as_str().map(str::to_owned);
    text.ok_or_else(|| {
        Error::answer(format!("a reference that the deployment serves lacks `{key}`"))
    })
}

/// Checks that no two paths are the same file on systems that ignore case.
fn check_case(documents: &Documents) -> Result<()> {
    let mut seen = BTreeMap::new();
    for path in documents.keys() {
        if let Some(other) = seen.insert(path.to_ascii_lowercase(), path) {
            let message = format!(
                "`{other}` and `{path}` would be the same file on systems that ignore case"
            );
            return Err(Error::answer(message));
        }
    }
    Ok(())
}

/// Works with files on a thread where that may block.
async fn on_disk<T: Send + 'static>(
    folder: &Path,
    work: impl FnOnce(&Path) -> Result<T> + Send + 'static,
) -> Result<T> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder }.to_owned();
    let done = tokio::task::spawn_blocking(move || work(&folder)).await;
    done.unwrap_or_else(|error| Err(Error::config("the files were not written").because(error)))
}
