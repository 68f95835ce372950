//! Where a deployment keeps what: the layout of URLs below a root URL, as all Taskcluster clients agree on it.

use super::Reference;

/// The URL of an endpoint: `<rootUrl>/api/<service>/<version>/<path>`.
///
/// ```
/// use taskcluster::urls;
///
/// assert_eq!(urls::api("https://tc.example.com/", "auth", "v1", "/ping"), "https://tc.example.com/api/auth/v1/ping");
/// ```
#[must_use]
pub fn api(root_url: &str, service: &str, version: &str, path: &str) -> String {
    below(root_url, &format!("api/{service}/{version}"), path)
}

/// The URL of the reference of a service's endpoints.
///
/// ```
/// let url = taskcluster::urls::api_reference("https://tc.example.com", "auth", "v1");
/// assert_eq!(url, "https://tc.example.com/references/auth/v1/api.json");
/// ```
#[must_use]
pub fn api_reference(root_url: &str, service: &str, version: &str) -> String {
    below(root_url, &format!("references/{service}/{version}"), "api.json")
}

/// The URL of the reference of a service's exchanges.
///
/// ```
/// let url = taskcluster::urls::exchange_reference("https://tc.example.com", "auth", "v1");
/// assert_eq!(url, "https://tc.example.com/references/auth/v1/exchanges.json");
/// ```
#[must_use]
pub fn exchange_reference(root_url: &str, service: &str, version: &str) -> String {
    below(root_url, &format!("references/{service}/{version}"), "exchanges.json")
}

/// The URL of the list of all references of a deployment.
///
/// ```
/// let url = taskcluster::urls::reference_manifest("https://tc.example.com");
/// assert_eq!(url, "https://tc.example.com/references/manifest.json");
/// ```
#[must_use]
pub fn reference_manifest(root_url: &str) -> String {
    below(root_url, "references", "manifest.json")
}

/// The URL of a schema, its path as the references have it: `v1/task.json`.
///
/// ```
/// let url = taskcluster::urls::schema("https://tc.example.com", "queue", "v1/task.json");
/// assert_eq!(url, "https://tc.example.com/schemas/queue/v1/task.json");
/// ```
#[must_use]
pub fn schema(root_url: &str, service: &str, path: &str) -> String {
    below(root_url, &format!("schemas/{service}"), path)
}

fn below(root_url: &str, folder: &str, path: &str) -> String {
    format!("{}/{folder}/{}", root_url.trim_end_matches('/'), path.trim_start_matches('/'))
}

/// The base URL of a service, without a slash at its end; with no root URL, its reference's own.
///
/// The services of 2017 had hosts of their own below `taskcluster.net`; that name as root URL means these.
pub(crate) fn base(root_url: Option<&str>, reference: &Reference) -> String {
    let Reference { service, version, base_url, .. } = reference;
    match (root_url, base_url) {
        (None, Some(base_url)) => (*base_url).to_owned(),
        (None | Some("https://taskcluster.net"), _) => {
            format!("https://{service}.taskcluster.net/{version}")
        }
        (Some(root_url), _) => below(root_url, "api", &format!("{service}/{version}")),
    }
}
