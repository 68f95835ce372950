//! Redirects: where one is the answer, and what an unwanted one is.

use reqwest::header::{HeaderMap, LOCATION};
use reqwest::{StatusCode, Url};

use crate::error::Error;

/// The endpoints whose purpose is a redirect, by service and name. References do not tell: some of these name a schema
/// for the JSON that comes with the redirect, others nothing.
const ENDPOINTS: [(&str, &str); 5] = [
    ("github", "latest"),
    ("index", "findArtifactFromTask"),
    ("object", "download"),
    ("queue", "getArtifact"),
    ("queue", "getLatestArtifact"),
];

/// Whether this status is how the endpoint answers. Services redirect to content by 302 and 303; any other redirect
/// comes from a proxy.
pub(super) fn is_answer(service: &str, endpoint: &str, status: StatusCode) -> bool {
    matches!(status, StatusCode::FOUND | StatusCode::SEE_OTHER)
        && ENDPOINTS.contains(&(service, endpoint))
}

/// The error for a redirect from `url` in place of an answer. It names the target's scheme and host and no more, since
/// the rest of a URL may be secret.
pub(super) fn unwanted(url: &Url, headers: &HeaderMap) -> Error {
    let location = headers.get(LOCATION).and_then(|location| location.to_str().ok());
    let target = location.and_then(|location| url.join(location).ok());
    let to = match target.as_ref().and_then(|target| Some((target.scheme(), target.host_str()?))) {
        Some((scheme, host)) => format!("to {scheme}://{host}"),
        None => "without saying where".to_owned(),
    };
    Error::answer(format!(
        "the service redirects {to} instead of answering; redirects are not followed (`send_raw` returns them)"
    ))
}
