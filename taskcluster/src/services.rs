//! The services of a deployment, made by the macro that users have too: one feature each.

use crate::reference::Reference;

/// The version of Taskcluster whose references these are.
const VERSION: &str = "114.0.0";

/// The version of Taskcluster that a reference is of, if it is one of those below.
pub(crate) fn version_of(reference: &Reference) -> Option<&'static str> {
    // The facts of each are in one place; empty ones may be anywhere.
    let is_one = |known: &&Reference| {
        let same_endpoints = std::ptr::eq(known.endpoints, reference.endpoints);
        let same_exchanges = std::ptr::eq(known.exchanges, reference.exchanges);
        same_endpoints && !known.endpoints.is_empty()
            || same_exchanges && !known.exchanges.is_empty()
    };
    ALL.iter().any(is_one).then_some(VERSION)
}

#[cfg(feature = "auth")]
crate::taskcluster_api! {
    pub struct Auth = "references/current/auth/v1/api.json";
    pub struct AuthEvents = "references/current/auth/v1/exchanges.json";
}

#[cfg(feature = "github")]
crate::taskcluster_api! {
    pub struct Github = "references/current/github/v1/api.json";
    pub struct GithubEvents = "references/current/github/v1/exchanges.json";
}

#[cfg(feature = "hooks")]
crate::taskcluster_api! {
    pub struct Hooks = "references/current/hooks/v1/api.json";
    pub struct HooksEvents = "references/current/hooks/v1/exchanges.json";
}

#[cfg(feature = "index")]
crate::taskcluster_api! {
    pub struct Index = "references/current/index/v1/api.json";
}

#[cfg(feature = "notify")]
crate::taskcluster_api! {
    pub struct Notify = "references/current/notify/v1/api.json";
    pub struct NotifyEvents = "references/current/notify/v1/exchanges.json";
}

#[cfg(feature = "object")]
crate::taskcluster_api! {
    pub struct Object = "references/current/object/v1/api.json";
}

#[cfg(feature = "purge-cache")]
crate::taskcluster_api! {
    pub struct PurgeCache = "references/current/purge-cache/v1/api.json";
}

#[cfg(feature = "queue")]
crate::taskcluster_api! {
    pub struct Queue = "references/current/queue/v1/api.json";
    pub struct QueueEvents = "references/current/queue/v1/exchanges.json";
}

#[cfg(feature = "secrets")]
crate::taskcluster_api! {
    pub struct Secrets = "references/current/secrets/v1/api.json";
}

#[cfg(feature = "web-server")]
crate::taskcluster_api! {
    pub struct WebServer = "references/current/web-server/v1/api.json";
}

#[cfg(feature = "worker-manager")]
crate::taskcluster_api! {
    pub struct WorkerManager = "references/current/worker-manager/v1/api.json";
    pub struct WorkerManagerEvents = "references/current/worker-manager/v1/exchanges.json";
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
