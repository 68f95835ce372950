//! Gets a deployment's documents, from one file with all of them or by a list of their URLs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use reqwest::{Method, StatusCode};
use serde_json::Value;

use super::documents::{Documents, Kind, make_relative};
use super::paths;
use crate::call::request::Request;
use crate::call::send::send;
use crate::client::Client;
use crate::client::service::Service;
use crate::error::{Error, Result};
use crate::reference::{Endpoint, Reference, Stability};

/// The maximum size of all fetched documents, in bytes.
const MAX_SIZE: usize = 64 * 1024 * 1024;

/// How many documents to fetch at once.
const AT_ONCE: usize = 8;

/// Stands in for a reference, because documents do not belong to a service.
static DEPLOYMENT: Reference = Reference {
    service: "deployment",
    version: "v1",
    base_url: None,
    exchange_prefix: "",
    endpoints: &[],
    exchanges: &[],
};

/// Gets any document.
static DOCUMENT: Endpoint = Endpoint {
    name: "document",
    title: "Get a document",
    method: Method::GET,
    route: "/",
    args: &[],
    query: &[],
    input: None,
    output: Some("JSON"),
    scopes: None,
    stability: Stability::Stable,
    paging: None,
    patterns: &[],
    query_patterns: &[],
    secrets: &[],
};

/// The documents that a deployment serves.
pub(super) struct Source {
    getter: Getter,
    /// The deployment's root URLs: ours, and those that it uses itself.
    roots: Vec<String>,
    listing: Listing,
}

enum Listing {
    /// All documents, by their paths.
    Whole(Documents),
    /// The paths of references.
    Paths(Vec<String>),
}

impl Source {
    /// Gets `references.json`, which has all documents, or if it is missing, the manifest, in its newer or older form.
    pub(super) async fn open(client: &Client) -> Result<Self> {
        let getter = Getter::new(client)?;
        let mut roots =
            Vec::from_iter(client.root_url().map(|url| url.trim_end_matches('/').to_owned()));
        let listing = match getter.get("references/references.json").await {
            Ok(whole) => {
                let mut documents = by_path(whole)?;
                documents.values_mut().for_each(|document| make_relative(document, &roots));
                Listing::Whole(documents)
            }
            Err(error) if is_missing(&error) => {
                let manifest = getter.get("references/manifest.json").await?;
                let mut paths = Vec::new();
                for url in urls_of(&manifest)? {
                    // A deployment may use another root URL for itself than we do.
                    let (root, _) = url.split_once("/references/").ok_or_else(|| {
                        Error::answer("the manifest has a URL that is not below `/references/`")
                    })?;
                    if !roots.iter().any(|known| known == root) {
                        roots.push(root.to_owned());
                    }
                    let path = url[root.len() + 1..].to_owned();
                    paths::check(&path)?;
                    paths.push(path);
                }
                Listing::Paths(paths)
            }
            Err(error) => return Err(error),
        };
        Ok(Self { getter, roots, listing })
    }

    pub(super) fn roots(&self) -> &[String] {
        &self.roots
    }

    /// Returns the services in the paths of the references, if these are all that is known so far.
    pub(super) fn named(&self) -> BTreeSet<String> {
        match &self.listing {
            Listing::Whole(_) => BTreeSet::new(),
            Listing::Paths(paths) => {
                paths.iter().filter_map(|path| service_of(path)).map(str::to_owned).collect()
            }
        }
    }

    /// Gets at least the references of the services that `is_meant` selects. The result may include documents of other kinds.
    pub(super) async fn references(&self, is_meant: &impl Fn(&str) -> bool) -> Result<Vec<Value>> {
        match &self.listing {
            Listing::Whole(documents) => {
                let is_reference = |document: &Value| Kind::of(document).is_some();
                Ok(documents.values().filter(|document| is_reference(document)).cloned().collect())
            }
            Listing::Paths(paths) => {
                let is_meant = |path: &&String| service_of(path).is_none_or(is_meant);
                let paths: BTreeSet<_> = paths.iter().filter(is_meant).cloned().collect();
                Ok(self.getter.get_all(paths, &self.roots).await?.into_values().collect())
            }
        }
    }

    /// Gets schemas by their paths; each comes with the path of a document that refers to it.
    pub(super) async fn schemas(&self, wanted: &BTreeMap<String, String>) -> Result<Documents> {
        let lacking = |path: &str, by: &str| {
            Error::answer(format!("the deployment does not serve `{path}`, which `{by}` needs"))
        };
        match &self.listing {
            Listing::Whole(documents) => {
                let take = |(path, by): (&String, &String)| match documents.get(path) {
                    Some(schema) => Ok((path.clone(), schema.clone())),
                    None => Err(lacking(path, by)),
                };
                wanted.iter().map(take).collect()
            }
            Listing::Paths(_) => {
                let paths = wanted.keys().cloned().collect();
                self.getter.get_all(paths, &self.roots).await
            }
        }
    }
}

/// The service in a path such as `references/queue/v1/api.json`.
fn service_of(path: &str) -> Option<&str> {
    path.split('/').nth(1)
}

/// Whether the document does not exist. Some web servers send a page instead of an error.
fn is_missing(error: &Error) -> bool {
    match error.status() {
        Some(status) if error.is_api() => status == StatusCode::NOT_FOUND,
        _ => error.body().trim_ascii_start().starts_with(b"<"),
    }
}

/// Reads `references.json`, a list of `{filename, content}`.
fn by_path(whole: Value) -> Result<Documents> {
    let Value::Array(items) = whole else {
        return Err(Error::answer("`references.json` is not a list of documents"));
    };
    let mut documents = Documents::new();
    for mut item in items {
        let Some(path) =
            item["filename"].as_str().map(|path| path.trim_start_matches('/').to_owned())
        else {
            return Err(Error::answer("`references.json` has a document without a name"));
        };
        documents.insert(path, item["content"].take());
    }
    Ok(documents)
}

/// Reads the URLs of a manifest: one list, or in the older form, two lists for each service.
fn urls_of(manifest: &Value) -> Result<Vec<&str>> {
    let urls: Vec<_> = match (&manifest["references"], &manifest["services"]) {
        (Value::Array(urls), _) => urls.iter().map(Value::as_str).collect(),
        (_, Value::Array(services)) => {
            let lists = services.iter().flat_map(|service| [&service["apis"], &service["pulse"]]);
            let items = lists.filter_map(Value::as_array).flatten();
            items.map(|item| item["reference"].as_str()).collect()
        }
        _ => Vec::new(),
    };
    let urls: Option<Vec<_>> = urls.into_iter().collect();
    urls.filter(|urls| !urls.is_empty()).ok_or_else(|| {
        Error::answer("the manifest has neither `references` nor `services`, or one of them contains something other than URLs")
    })
}

/// Gets documents with unsigned requests.
struct Getter {
    service: Service,
    /// How many more bytes may be fetched.
    left: AtomicUsize,
}

impl Getter {
    fn new(client: &Client) -> Result<Self> {
        let root = client.root_url().ok_or_else(|| {
            Error::config("a client without a root URL has no deployment to fetch references from")
        })?;
        let service = Service::with_base_url(&client.without_credentials(), &DEPLOYMENT, root)?;
        Ok(Self { service, left: AtomicUsize::new(MAX_SIZE) })
    }

    async fn get(&self, path: &str) -> Result<Value> {
        let request = Request::document(&self.service, &DOCUMENT, path);
        let answer = send(&request).await?;
        let text = answer.json()?;
        let take = |left: usize| left.checked_sub(text.len());
        if self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_err() {
            let message = format!("the deployment serves more than {MAX_SIZE} bytes of documents");
            return Err(answer.error(Error::answer(message)));
        }
        serde_json::from_str(text).map_err(|error| answer.undecodable(error, ""))
    }

    /// Gets several documents at once.
    async fn get_all(&self, paths: BTreeSet<String>, roots: &[String]) -> Result<Documents> {
        stream::iter(paths)
            .map(async |path| {
                let mut document = self.get(&path).await?;
                make_relative(&mut document, roots);
                Ok((path, document))
            })
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await
    }
}
