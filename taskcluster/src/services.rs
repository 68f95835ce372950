//! The services of a deployment, made by the macro that users have too: one feature each.

#[allow(unused_imports, reason = "without a service's feature nothing is made")]
use taskcluster_macros::taskcluster_api;

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
