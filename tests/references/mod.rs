//! The reference files, and what the macro made of them.

mod changes;
mod expansions;
mod fetching;
mod files;
mod served;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use taskcluster::*;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../references")
}

fn read(path: &Path) -> Value {
    let text =
        fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The current generation's references of one kind: `api` or `exchanges`.
fn current(kind: &str) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    for service in fs::read_dir(root().join("current")).unwrap() {
        let service = service.unwrap().file_name().into_string().unwrap();
        let path = root().join("current").join(&service).join("v1").join(format!("{kind}.json"));
        if path.is_file() {
            all.push((service, read(&path)));
        }
    }
    all
}

fn entries(reference: &Value) -> &[Value] {
    reference["entries"].as_array().unwrap()
}

/// How many entries the current generation's files of one kind have.
pub(crate) fn count_in_files(kind: &str) -> usize {
    current(kind).iter().map(|(_, reference)| entries(reference).len()).sum()
}

/// How many endpoints of the current generation's files are like this.
pub(crate) fn count_endpoints(is_meant: impl Fn(&Value) -> bool) -> usize {
    let of_service = |(_, reference): &(_, Value)| {
        entries(reference).iter().filter(|entry| is_meant(entry)).count()
    };
    current("api").iter().map(of_service).sum()
}

/// The prebuilt references of the current generation, of which each file must be one.
pub(crate) const PREBUILT: &[&Reference] = &[
    &Auth::REFERENCE,
    &Github::REFERENCE,
    &Hooks::REFERENCE,
    &Index::REFERENCE,
    &Notify::REFERENCE,
    &Object::REFERENCE,
    &PurgeCache::REFERENCE,
    &Queue::REFERENCE,
    &Secrets::REFERENCE,
    &WebServer::REFERENCE,
    &WorkerManager::REFERENCE,
    &AuthEvents::REFERENCE,
    &GithubEvents::REFERENCE,
    &HooksEvents::REFERENCE,
    &NotifyEvents::REFERENCE,
    &QueueEvents::REFERENCE,
    &WorkerManagerEvents::REFERENCE,
];

/// Those of 2017, with their files.
const LEGACY_FILES: &[(&str, &Reference)] = &[
    ("auth", &legacy::Auth::REFERENCE),
    ("auth-events", &legacy::AuthEvents::REFERENCE),
    ("aws-provisioner", &legacy::AwsProvisioner::REFERENCE),
    ("aws-provisioner-events", &legacy::AwsProvisionerEvents::REFERENCE),
    ("github", &legacy::Github::REFERENCE),
    ("github-events", &legacy::GithubEvents::REFERENCE),
    ("hooks", &legacy::Hooks::REFERENCE),
    ("index", &legacy::Index::REFERENCE),
    ("login", &legacy::Login::REFERENCE),
    ("notify", &legacy::Notify::REFERENCE),
    ("pulse", &legacy::Pulse::REFERENCE),
    ("purge-cache", &legacy::PurgeCache::REFERENCE),
    ("purge-cache-events", &legacy::PurgeCacheEvents::REFERENCE),
    ("queue", &legacy::Queue::REFERENCE),
    ("queue-events", &legacy::QueueEvents::REFERENCE),
    ("secrets", &legacy::Secrets::REFERENCE),
    ("treeherder-events", &legacy::TreeherderEvents::REFERENCE),
];

/// Those of 2017.
pub(crate) fn of_2017() -> impl Iterator<Item = &'static Reference> {
    LEGACY_FILES.iter().map(|(_, reference)| *reference)
}
