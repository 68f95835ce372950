//! The services of a deployment, made by the macro that users have too: one feature each.

#[allow(unused_imports, reason = "without a service's feature nothing is made")]
use taskcluster_macros::taskcluster_api;

use crate::reference::Reference;

/// The version of Taskcluster whose references these are.
const VERSION: &str = "114.0.0";

#[cfg(feature = "auth")]
taskcluster_api! {
    pub struct Auth = "references/current/auth/v1/api.json";
    pub struct AuthEvents = "references/current/auth/v1/exchanges.json";
}

#[cfg(feature = "github")]
taskcluster_api! {
    pub struct Github = "references/current/github/v1/api.json";
    pub struct GithubEvents = "references/current/github/v1/exchanges.json";
}

#[cfg(feature = "hooks")]
taskcluster_api! {
    pub struct Hooks = "references/current/hooks/v1/api.json";
    pub struct HooksEvents = "references/current/hooks/v1/exchanges.json";
}

#[cfg(feature = "index")]
taskcluster_api! {
    pub struct Index = "references/current/index/v1/api.json";
}

#[cfg(feature = "notify")]
taskcluster_api! {
    pub struct Notify = "references/current/notify/v1/api.json";
    pub struct NotifyEvents = "references/current/notify/v1/exchanges.json";
}

#[cfg(feature = "object")]
taskcluster_api! {
    pub struct Object = "references/current/object/v1/api.json";
}

#[cfg(feature = "purge-cache")]
taskcluster_api! {
    pub struct PurgeCache = "references/current/purge-cache/v1/api.json";
}

#[cfg(feature = "queue")]
taskcluster_api! {
    pub struct Queue = "references/current/queue/v1/api.json";
    pub struct QueueEvents = "references/current/queue/v1/exchanges.json";
}

#[cfg(feature = "secrets")]
taskcluster_api! {
    pub struct Secrets = "references/current/secrets/v1/api.json";
}

#[cfg(feature = "web-server")]
taskcluster_api! {
    pub struct WebServer = "references/current/web-server/v1/api.json";
}

#[cfg(feature = "worker-manager")]
taskcluster_api! {
    pub struct WorkerManager = "references/current/worker-manager/v1/api.json";
    pub struct WorkerManagerEvents = "references/current/worker-manager/v1/exchanges.json";
}

impl Reference {
    /// The version of Taskcluster that this reference is of; `None` for one that is not built into this crate.
    ///
    /// ```
    /// assert_eq!(taskcluster::Queue::REFERENCE.version_of_taskcluster(), Some("114.0.0"));
    /// ```
    #[must_use]
    pub fn version_of_taskcluster(&self) -> Option<&'static str> {
        // The facts of each are in one place; empty ones may be anywhere.
        let is_one = |known: &&Self| {
            let same_endpoints = std::ptr::eq(known.endpoints, self.endpoints);
            let same_exchanges = std::ptr::eq(known.exchanges, self.exchanges);
            same_endpoints && !known.endpoints.is_empty()
                || same_exchanges && !known.exchanges.is_empty()
        };
        ALL.iter().any(is_one).then_some(VERSION)
    }
}

const ALL: &[&Reference] = &[
    #[cfg(feature = "auth")]
    &Auth::REFERENCE,
    #[cfg(feature = "auth")]
    &AuthEvents::REFERENCE,
    #[cfg(feature = "github")]
    &Github::REFERENCE,
    #[cfg(feature = "github")]
    &GithubEvents::REFERENCE,
    #[cfg(feature = "hooks")]
    &Hooks::REFERENCE,
    #[cfg(feature = "hooks")]
    &HooksEvents::REFERENCE,
    #[cfg(feature = "index")]
    &Index::REFERENCE,
    #[cfg(feature = "notify")]
    &Notify::REFERENCE,
    #[cfg(feature = "notify")]
    &NotifyEvents::REFERENCE,
    #[cfg(feature = "object")]
    &Object::REFERENCE,
    #[cfg(feature = "purge-cache")]
    &PurgeCache::REFERENCE,
    #[cfg(feature = "queue")]
    &Queue::REFERENCE,
    #[cfg(feature = "queue")]
    &QueueEvents::REFERENCE,
    #[cfg(feature = "secrets")]
    &Secrets::REFERENCE,
    #[cfg(feature = "web-server")]
    &WebServer::REFERENCE,
    #[cfg(feature = "worker-manager")]
    &WorkerManager::REFERENCE,
    #[cfg(feature = "worker-manager")]
    &WorkerManagerEvents::REFERENCE,
];
