//! Parses and makes base URLs: a deployment's root URL, or the URL of one service.

use reqwest::Url;

use crate::error::{Error, Result};
use crate::reference::Reference;

/// Parses the URL of a deployment or service. Keeps its path, without trailing slashes.
pub(crate) fn parse(text: &str) -> Result<Url> {
    let refuse = |why: &str| Error::config(format!("the URL of a deployment or service {why}"));
    let mut url = Url::parse(text.trim_end_matches('/'))
        .map_err(|error| refuse("cannot be read").because(error))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(refuse("is neither http nor https"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refuse("contains a user or password; pass credentials to the client instead"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refuse("has a query or fragment"));
    }
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(url)
}

/// The base URL of a service, without a trailing slash. Without a root URL, it is the one in the reference.
///
/// In 2017 each service had its own host under `taskcluster.net`; the root URL `https://taskcluster.net` stands for them.
pub(super) fn of_service(root: Option<&Url>, reference: &Reference) -> Result<Url> {
    let Reference { service, version, base_url, .. } = reference;
    match (root, base_url) {
        (None, Some(base_url)) => parse(base_url),
        (Some(root), _) if root.as_str() != "https://taskcluster.net/" => {
            // Host and port of the root URL are parsed already.
            let mut url = root.clone();
            let path = root.path().trim_end_matches('/');
            url.set_path(&format!("{path}/api/{service}/{version}"));
            Ok(url)
        }
        _ => parse(&format!("https://{service}.taskcluster.net/{version}")),
    }
}
