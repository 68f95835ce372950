//! The services of a deployment, made by the macro that users have too: one feature each.

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
