//! The services of a deployment, made by the macro that users have too.

use crate::taskcluster_api;

taskcluster_api! {
    pub struct Auth = "references/current/auth/v1/api.json";
    pub struct AuthEvents = "references/current/auth/v1/exchanges.json";
    pub struct Github = "references/current/github/v1/api.json";
    pub struct GithubEvents = "references/current/github/v1/exchanges.json";
    pub struct Hooks = "references/current/hooks/v1/api.json";
    pub struct HooksEvents = "references/current/hooks/v1/exchanges.json";
    pub struct Index = "references/current/index/v1/api.json";
    pub struct Notify = "references/current/notify/v1/api.json";
    pub struct NotifyEvents = "references/current/notify/v1/exchanges.json";
    pub struct Object = "references/current/object/v1/api.json";
    pub struct PurgeCache = "references/current/purge-cache/v1/api.json";
    pub struct Queue = "references/current/queue/v1/api.json";
    pub struct QueueEvents = "references/current/queue/v1/exchanges.json";
    pub struct Secrets = "references/current/secrets/v1/api.json";
    pub struct WebServer = "references/current/web-server/v1/api.json";
    pub struct WorkerManager = "references/current/worker-manager/v1/api.json";
    pub struct WorkerManagerEvents = "references/current/worker-manager/v1/exchanges.json";
}
