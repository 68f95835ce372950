//! The services of 2017 (feature `legacy`), as in the Python client `taskcluster-client.py` 2.1: 123 endpoints, 22 exchanges.
//!
//! A client from [`Client::legacy`](crate::Client::legacy) calls each service at its URL of that time. A client with a root URL
//! calls it below that: `https://taskcluster.net` stands for `https://<service>.taskcluster.net/<version>`, and any other root
//! URL for `<rootUrl>/api/<service>/<version>`. To call a service at a URL of your choice, use
//! [`Service::with_base_url`](crate::Service::with_base_url).
//!
//! ```
//! use taskcluster::legacy::{Queue, QueueEvents};
//! use taskcluster::Client;
//!
//! let queue = Queue::new(&Client::legacy().build()?);
//! let url = queue.status("JzTGxwxhQ76_Tt1dxkaG5g").url()?;
//! assert_eq!(url.as_str(), "https://queue.taskcluster.net/v1/task/JzTGxwxhQ76_Tt1dxkaG5g/status");
//! let binding = QueueEvents::task_completed().task_id("atask").binding()?;
//! assert_eq!(binding.routing_key_pattern, "primary.atask.*.*.*.*.*.*.*.#");
//! # Ok::<(), taskcluster::Error>(())
//! ```
//!
//! # Porting a Python program
//!
//! `client` is a [`Client`](crate::Client), built once; `queue` is `Queue::new(&client)`.
//!
//! | Python | Rust |
//! | --- | --- |
//! | `taskcluster.Queue()` | `Queue::new(&Client::legacy().build()?)` |
//! | `taskcluster.Queue({'credentials': {...}})` | [`Client::legacy()`](crate::Client::legacy)[`.credentials(..)`](crate::ClientBuilder::credentials)`.build()?` |
//! | `{'baseUrl': 'http://localhost/v1'}` | [`Service::with_base_url`](crate::Service::with_base_url)`(&client, &Queue::REFERENCE, "http://localhost/v1")?.into()` |
//! | `{'maxRetries': 3}` | [`.retry(Retry::default().max_retries(3))`](crate::Retry) |
//! | `TASKCLUSTER_CLIENT_ID`, `_ACCESS_TOKEN`, `_CERTIFICATE` | [`Credentials::from_env()?`](crate::Credentials::from_env) |
//! | `{'credentials': {'clientId': …, 'accessToken': …, 'certificate': …}}` | [`Credentials::from_json`](crate::Credentials::from_json) |
//! | `queue.status(taskId)` | `queue.status(task_id).await?`, or `.send_blocking()?` |
//! | `queue.createTask(taskId, task)` | `queue.create_task(task_id, &task).await?` |
//! | `queue.createTask(task, taskId='taskId')` | the same; a misspelled or missing argument does not compile |
//! | `queue.createTask(payload=task, params={'taskId': taskId}, query={…})` | [`client.call(&Queue::REFERENCE, "createTask")?`](crate::Client::call)`.params([("taskId", task_id)]).payload(&task).query(..).send().await?` |
//! | `queue.listTaskGroup(groupId, query={'limit': 10})` | `queue.list_task_group(group_id).limit(10).await?` |
//! | `queue.listTaskGroup('g', paginationHandler=f)` | [`.pages()`](crate::Paged::pages), [`.items()`](crate::Paged::items), [`.items_blocking()`](crate::Paged::items_blocking) |
//! | `paginationLimit=5` | `.limit(5)`: like `query={'limit': 5}`, it is the number of items a page. For the number of pages, [`.max_pages(5)`](crate::Paged::max_pages) |
//! | `queue.buildUrl('status', taskId)` | [`queue.status(task_id).url()?`](crate::Call::url) |
//! | `queue.buildSignedUrl('getArtifact', …, expiration=900)` | [`queue.get_artifact(..).signed_url(Duration::from_secs(900))?`](crate::Call::signed_url), for any `GET` endpoint |
//! | `buildSignedUrl(requestUrl=…)` | [`Signer::bewit`](crate::hawk::Signer::bewit) |
//! | `asyncio`: `taskcluster.aio.Queue` | every call can be awaited |
//! | `taskcluster.createTemporaryCredentials(start, expiry, scopes, name, credentials=…)` | [`credentials.temporary(expiry)`](crate::Credentials::temporary)`.start(..).scopes(..).name(..).create()?` |
//! | `authorizedScopes=['a:*']` | [`.authorized_scopes(["a:*"])`](crate::ClientBuilder::authorized_scopes), [`client.with_authorized_scopes`](crate::Client::with_authorized_scopes) |
//! | `queueEvents.taskCompleted({'taskId': 't'})` | `QueueEvents::task_completed().task_id("t").binding()?` |
//! | the same, with names known at run time | [`QueueEvents::REFERENCE.find_exchange("taskCompleted")?`](crate::Reference::find_exchange)[`.binding([("taskId", "t")])?`](crate::Exchange::binding) |
//! | `queueEvents.taskCompleted('primary.#')` | [`exchange.binding_for_pattern("primary.#")?`](crate::Exchange::binding_for_pattern) |
//! | `TaskclusterRestFailure` | [`Error`](crate::Error) with [`is_api()`](crate::Error::is_api); `.status_code`, `.body` are [`status()`](crate::Error::status), [`body()`](crate::Error::body) |
//! | `TaskclusterAuthFailure` | [`status()`](crate::Error::status) is `401` |
//! | `TaskclusterConnectionError` | [`is_transport()`](crate::Error::is_transport) |
//! | `TaskclusterTopicExchangeFailure`, invalid arguments | [`ErrorKind::Input`](crate::ErrorKind::Input) |
//! | `utils.fromNow('2 days 3 hours', dateObj)` | [`from_now`](crate::from_now), [`from_now_since`](crate::from_now_since) |
//! | `utils.fromNowJSON('1 hour')`, `stringDate` | [`from_now_json`](crate::from_now_json), [`dates::to_json`](crate::dates::to_json) |
//! | `utils.scopeMatch(assumed, required)` | [`scope_match`](crate::scope_match); see below |
//! | `index.listTasks('ns', {'limit': 10})`, and again with its `continuationToken` in the payload | `index.list_tasks("ns", &request)`[`.items()`](crate::Paged::items), which puts the tokens there; `list_namespaces` too |
//! | `taskcluster.slugId()`, `utils.slugId()` | [`slugid::nice`](crate::slugid::nice) |
//! | `utils.stableSlugId()` | [`StableSlugids`](crate::slugid::StableSlugids) |
//! | `slugid.encode`, `slugid.decode` | [`slugid::encode`](crate::slugid::encode), [`slugid::decode`](crate::slugid::decode) |
//! | `utils.dumpJson`, `toStr` | `serde_json::to_string`; strings are UTF-8 already |
//! | `utils.encodeStringForB64Header`, `makeB64UrlSafe`, `makeB64UrlUnsafe` | the crate `base64`: its `STANDARD` and `URL_SAFE_NO_PAD` engines |
//! | `utils.calculateSleepTime`, `makeHttpRequest`, `makeSingleHttpRequest` | every call does this; for other URLs, use [`reqwest`](https://docs.rs/reqwest) |
//! | `utils.putFile(filename, url, contentType)` | `artifacts::upload(..).s3().file(filename).await?` (feature `artifacts`); for another URL, `reqwest`: `.put(url).header("content-type", ..).body(std::fs::read(filename)?)` |
//! | `taskcluster.download.downloadArtifactToBuf(taskId=…, name=…, queueService=queue)` | `artifacts::latest(&queue, task_id, name).bytes().await?` |
//! | `downloadArtifactToFile(…, runId=0, file=f)` | `artifacts::of_run(&queue, task_id, 0, name).download_to(path).await?` |
//! | `downloadArtifact(…, writerFactory=…)` | `artifacts::latest(..).stream().await?`, which is an `AsyncRead`; blocking: `.reader_blocking()?` |
//! | `taskcluster.download.downloadToBuf(name=…, objectService=object)`, `downloadToFile`, `download` | `objects::named(&object, name).bytes().await?`, `.download_to(path)`, `.stream()` |
//! | `maxRetries=5` | [`ClientBuilder::retry`](crate::ClientBuilder::retry) of the service's client |
//! | `taskcluster.upload.uploadFromBuf(projectId=…, name=…, contentType=…, expires=…, data=…)` | `objects::upload(&object, project_id, name).content_type(..).expires(..).bytes(data).await?` |
//! | `uploadFromFile(file=f)`, `upload(readerFactory=…)` | `.file(path)`, `.reader(length, open)` in place of `.bytes(data)` |
//! | `createArtifact(…)`, then an upload and `finishArtifact(…)` | `artifacts::upload(&queue, task_id, run_id, name).file(path).await?` |
//! | `utils.isExpired(certificate)` | [`credentials.information()?.is_active()`](crate::CredentialsInformation::is_active) |
//! | `utils.optionsFromEnvironment()` | [`Client::from_env`](crate::Client::from_env) |
//! | `utils.optionsFromEnvironment(defaults)` | [`Client::from_env_or(Client::builder(root_url))`](crate::Client::from_env_or) |
//! | `DEBUG_TASKCLUSTER_CLIENT=1` | the same, in a program that calls `taskcluster::debug_logging()` (feature `logging`) |
//! | `taskcluster.config` (default options: credentials of the environment, 5 retries, 900 s for signed URLs) | [`Credentials::from_env`](crate::Credentials::from_env), [`Retry::default`](crate::Retry), [`SIGNED_URL_LIFETIME`](crate::SIGNED_URL_LIFETIME); set other values on the [`ClientBuilder`](crate::ClientBuilder), there are no global ones |
//! | `taskcluster.createSession(..)` | not needed: a client keeps its connections, and its clones share them. For a session of your own, [`.http_client(..)`](crate::ClientBuilder::http_client) |
//! | `taskcluster.createApiClient(name, reference)` | [`taskcluster_api!`](crate::taskcluster_api), when the program is compiled; a reference cannot be loaded at run time |
//! | `utils.encryptEnvVar`, `utils.decryptMessage` | not available: services no longer accept encrypted environment variables. Keep the value in the secrets service |
//! | `taskcluster.authenticate('description')` (a browser login) | `SignIn::new(&client).scopes(["queue:*"]).description("description").run().await?` (feature `signin`, today's deployments only); keep the result with [`credentials.save(root_url)?`](crate::Credentials::save) |
//!
//! Python's README says `assert scopesMatch(["scopeC:xyz"], [["scopeA", "scopeB"], ["scopeC:*"]])`. This fails there, and
//! [`scope_match`](crate::scope_match) returns `false`, too: a `*` stands for other scopes only in the scopes that a program has.
//! Required, `scopeC:*` is more than `scopeC:xyz`.
//!
//! ```
//! use taskcluster::scope_match;
//!
//! let required: [&[&str]; 2] = [&["scopeA", "scopeB"], &["scopeC:*"]];
//! assert!(!scope_match(&["scopeC:xyz"], &required));
//! assert!(scope_match(&["scopeC:*"], &required));
//! assert!(scope_match(&["scopeA", "scopeB"], &required));
//! ```

use taskcluster_macros::taskcluster_api;

taskcluster_api! {
    pub struct Auth = "references/2017/auth.json";
    pub struct AuthEvents = "references/2017/auth-events.json";
    pub struct AwsProvisioner = "references/2017/aws-provisioner.json";
    pub struct AwsProvisionerEvents = "references/2017/aws-provisioner-events.json";
    pub struct Github = "references/2017/github.json";
    pub struct GithubEvents = "references/2017/github-events.json";
    pub struct Hooks = "references/2017/hooks.json";
    pub struct Index = "references/2017/index.json";
    pub struct Login = "references/2017/login.json";
    pub struct Notify = "references/2017/notify.json";
    pub struct Pulse = "references/2017/pulse.json";
    pub struct PurgeCache = "references/2017/purge-cache.json";
    pub struct PurgeCacheEvents = "references/2017/purge-cache-events.json";
    pub struct Queue = "references/2017/queue.json";
    pub struct QueueEvents = "references/2017/queue-events.json";
    pub struct Secrets = "references/2017/secrets.json";
    pub struct TreeherderEvents = "references/2017/treeherder-events.json";
}
