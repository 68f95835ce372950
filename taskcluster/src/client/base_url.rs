//! Parses base URLs: a deployment's root URL, or the URL of one service.

use reqwest::Url;

use crate::error::{Error, Result};

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
