//! The layout of URLs under a deployment's root URL, which all Taskcluster clients share.

/// Returns the URL of an endpoint: `<rootUrl>/api/<service>/<version>/<path>`.
///
/// ```
/// use taskcluster::urls;
///
/// let url = urls::api("https://tc.example.com/", "auth", "v1", "/ping");
/// assert_eq!(url, "https://tc.example.com/api/auth/v1/ping");
/// ```
#[must_use]
pub fn api(root_url: &str, service: &str, version: &str, path: &str) -> String {
    below(root_url, &format!("api/{service}/{version}"), path)
}

/// Returns the URL of the API reference that describes a service's endpoints.
///
/// ```
/// let url = taskcluster::urls::api_reference("https://tc.example.com", "auth", "v1");
/// assert_eq!(url, "https://tc.example.com/references/auth/v1/api.json");
/// ```
#[must_use]
pub fn api_reference(root_url: &str, service: &str, version: &str) -> String {
    below(root_url, &format!("references/{service}/{version}"), "api.json")
}

/// Returns the URL of the reference that describes a service's exchanges.
///
/// ```
/// let url = taskcluster::urls::exchange_reference("https://tc.example.com", "auth", "v1");
/// assert_eq!(url, "https://tc.example.com/references/auth/v1/exchanges.json");
/// ```
#[must_use]
pub fn exchange_reference(root_url: &str, service: &str, version: &str) -> String {
    below(root_url, &format!("references/{service}/{version}"), "exchanges.json")
}

/// Returns the URL of the manifest, which lists all references of a deployment.
///
/// ```
/// let url = taskcluster::urls::reference_manifest("https://tc.example.com");
/// assert_eq!(url, "https://tc.example.com/references/manifest.json");
/// ```
#[must_use]
pub fn reference_manifest(root_url: &str) -> String {
    below(root_url, "references", "manifest.json")
}

/// Returns the URL of a schema. Write its path as in the references, such as `v1/task.json`.
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
