//! A Taskcluster client: every endpoint is a typed method, every request is signed, and a macro does the same for the
//! references of your own services.
//!
//! ```no_run
//! use taskcluster::{Client, Queue, StatusCode};
//!
//! # async fn f() -> Result<(), taskcluster::Error> {
//! let client = Client::from_env()?;
//! let queue = Queue::new(&client);
//! match queue.status("fN1SbArXTPSVFNUvaOlinQ").await {
//!     Ok(answer) => println!("{}", answer.status.state),
//!     Err(e) if e.status() == Some(StatusCode::NOT_FOUND) => println!("no such task"),
//!     Err(e) => return Err(e),
//! }
//! # Ok(()) }
//! ```
//!
//! # What do you want to do?
//!
//! | You want to | Start at |
//! | --- | --- |
//! | call a service | [`Client`], a service such as [`Queue`], and [`Call`], which its methods return |
//! | list everything | [`Paged::items`] and [`Paged::pages`] |
//! | make many calls at once | [`SendAll`] |
//! | deal with errors | [`Error`] and [`Retry`] |
//! | have credentials | [`Credentials`], [`Client::from_env`], [`signin`] for people, [`CredentialsProvider`] for long runs |
//! | know or reduce scopes | [`scopes`], [`Call::required_scopes`], [`Credentials::temporary`] |
//! | give somebody a URL | [`Call::signed_url`] |
//! | transfer artifacts | [`artifacts`], and [`objects`] |
//! | hear of changes | exchanges such as [`QueueEvents`], and [`pulse`] |
//! | wait for tasks and groups | [`follow`] |
//! | be a worker | [`worker`] |
//! | test your program | [`testing`] |
//! | call your own service | [`taskcluster_api!`] and [`reference_format`] |
//! | call an older or newer deployment | [`references`] and [`Client::check`] |
//! | call by names known at run time | [`Client::call`] |
//! | port a program from Python | [`legacy`] |
//! | make ids, dates and URLs | [`slugid`], [`dates`], [`urls`] |
//! | sign or verify requests yourself | [`hawk`] |
//!
//! # From a reference to a response
//!
//! 1. [`taskcluster_api!`] reads a reference (JSON) at compile time. It generates a struct such as [`Queue`] with one method
//!    for each endpoint, and the facts of the reference as a static [`Reference`]. The services below are generated from the
//!    references of Taskcluster 114: 189 endpoints, 37 exchanges.
//! 2. A method such as [`Queue::status`] fills its arguments into the endpoint's route and returns a [`Call`]. Nothing is sent
//!    yet: a call is a value that knows its URL ([`Call::url`]) and can sign it for others ([`Call::signed_url`]).
//! 3. Await the call, or use one of its `send` methods. The client signs each attempt ([`hawk`]), sends it over its
//!    connections ([`Client`]), retries temporary failures ([`Retry`]) and reads the response.
//! 4. The response is decoded into the type generated from its JSON schema, such as [`queue::TaskStatusResponse`], or into one
//!    of yours ([`Call::send_as`]). An error response becomes an [`Error`] that keeps the service's code and message. Paginated
//!    endpoints return a [`Paged`] call, which fetches all pages.
//!
//! Exchanges work the same way: a function such as [`QueueEvents::task_completed`] selects [`RoutingKeys`], which convert to a
//! [`Binding`]. With the feature `pulse`, your program can listen to it.
//!
//! Await calls inside a tokio runtime. Programs without one use the blocking forms.
//!
//! # Arguments
//!
//! Path arguments and query options are `impl Display`: strings, numbers, ids of your own types. They are escaped. Runs and
//! limits are [integers](Integer). An argument that would change the path (an empty one, `.`, `..`) is an error when the call is
//! used, and so is one that is not a slug id where the service expects one, such as that of a task. The one exception is the
//! index, where `list_namespaces("")` and `list_tasks("")` list the top.
//!
//! Secret arguments, such as the token of `trigger_hook_with_token`, are never shown: errors, logs and `Debug` contain `...` in
//! their place. [`Endpoint::secrets`] lists them.
//!
//! # Payloads
//!
//! Each service has a module with the types that its methods take and return; its exchanges have one with the types of
//! their messages. The constructor of a request takes what is required. Everything else is an `Option`, left out unless set, by
//! its field or by its setter. The setter of a list or map adds to it, and a second one adds one item.
//!
//! ```
//! use taskcluster::queue::{CreateTaskRequest, TaskMetadata, TaskPriority};
//! use taskcluster::{from_now, json};
//!
//! let metadata =
//!     TaskMetadata::new("build", "Builds it.", "me@example.com", "https://example.com/repo");
//! let payload = json!({"command": ["make"]});
//! let (created, deadline) = (from_now("0 seconds")?, from_now("2 hours")?);
//! let task = CreateTaskRequest::new(created, deadline, payload, metadata)
//!     .task_queue_id("proj/builds")
//!     .priority(TaskPriority::Low)
//!     .routes(["index.proj.builds.latest", "notify.email.me@example.com"])
//!     .tag("kind", "build")
//!     .retries(100);
//! let error = task.validate().unwrap_err();
//! assert_eq!(error.message(), "the payload is not valid: retries: is more than 49");
//! # Ok::<(), taskcluster::Error>(())
//! ```
//!
//! A property that may be left out and may also be `null` is a [`Nullable`]: services keep the old value of a missing property,
//! and clear one that is `null`.
//!
//! To change a resource, read it, convert the response to a request, change that, and send it back. A request converts from all
//! responses about the same resource that have its properties; the documentation of the request's type lists them.
//!
//! ```no_run
//! # async fn f(manager: taskcluster::WorkerManager) -> Result<(), taskcluster::Error> {
//! use taskcluster::worker_manager::UpdateWorkerPoolRequest;
//!
//! let pool = manager.worker_pool("proj/builds").await?;
//! let mut request = UpdateWorkerPoolRequest::from(&pool);
//! request.owner = "builds@example.com".to_owned();
//! manager.update_worker_pool("proj/builds", &request).await?;
//! # Ok(()) }
//! ```
//!
//! To create a task again, convert what [`Queue::task`] returned, and set new values for `created`, `deadline` and `expires`.
//!
//! Free-form JSON is [`FreeForm`], which stays text until you decode it. `Debug` shows no secrets.
//!
//! A server may be newer or older than this crate. Unknown fields of a response are ignored, unknown values of an enum are kept
//! as `Unknown`, and missing fields get [empty values](ClientBuilder::strict_answers). If your program reads a payload from JSON
//! itself, missing fields are errors, and so are unknown fields that the service would reject.
//!
//! Constraints of a schema other than types, such as values, patterns and lengths, are checked before a call is sent in debug
//! builds, and on request in release builds: for one payload with `validate()`, or for all calls of a client with
//! [`ClientBuilder::validate`]. Some schemas demand more than the generated types can check: `if`, `not`, `contains`, tuples.
//! With the feature `validation`, the whole text of these schemas is checked as well; without it, that is left to the service.
//! The documentation of a field says if it needs the feature, and what of its schema is not checked at all, for instance a
//! pattern with a back-reference.
//!
//! # Credentials
//!
//! [`Client::from_env`] takes credentials from the environment, as a task has them; [`Client::from_env_or`] adds defaults. For a
//! program that runs for long, a [`CredentialsProvider`] returns those for the next attempt: [`SharedCredentials`], which the
//! program replaces; [`CredentialsFile`], which another program does; and [`RefreshingCredentials`], which a function or a
//! command fetches before the old ones expire. A person signs in with `signin`, and the program keeps the credentials with
//! [`Credentials::save`]. [`Credentials::check`] asks the auth service what credentials are worth. Credentials in a response
//! convert: `Credentials::from(claim.credentials)`.
//!
//! # Features
//!
//! - `services` (default): all services. To build only some, use `auth`, `github`, `hooks`, `index`, `notify`, `object`,
//!   `purge-cache`, `queue`, `secrets`, `web-server` and `worker-manager`. All of them add about 5 % to the time of a clean build
//!   with only one.
//! - `artifacts`: downloads and uploads artifacts and objects, in the module `artifacts`. Adds about 14 % to the time of a clean
//!   build.
//! - `brotli`, `zstd`: artifacts that are stored compressed with brotli or Zstandard. Each includes `artifacts` and adds about a
//!   second of CPU time to a clean build. Those compressed with gzip need neither.
//! - `command`: credentials that a command prints, `RefreshingCredentials::from_command`.
//! - `follow`: waits for tasks and follows task groups until they are resolved, in the module `follow`.
//! - `legacy`: the services of 2017, in the module `legacy`.
//! - `rustls` (default): TLS with rustls and ring. Trusts the operating system's certificates.
//! - `http2` (default): HTTP/2 where a server offers it over TLS. Without it, each call in flight has a connection of its own.
//!   Adds about 8 % to the time of a clean build.
//! - `native-tls`: TLS with the operating system's library. Takes precedence over `rustls`.
//! - `validation`: checks the whole of every schema in `validate()`.
//! - `gzip`: requests compressed responses. Large pages are about ten times smaller on the wire. Adds about 5 % to the time of a
//!   clean build.
//! - `logging`: `debug_logging`, a log for programs that have none of their own.
//! - `pulse`: listens to the messages of a deployment, in the module `pulse`.
//! - `signin`: signs a person in through their browser, in the module `signin`. Includes `auth`.
//! - `testing`: an embedded deployment to test programs against, in the module `testing`. Includes `references` and `services`.
//! - `references`: fetches the references of any deployment as files for the macro, in the module `references`.
//! - `worker`: a worker that claims tasks, carries them out and reports them, in the module `worker`. Includes `artifacts`.
//!
//! # Seen from outside
//!
//! Every call is a `tracing` span at info level, and each of its attempts is a span inside. Their fields follow
//! [OpenTelemetry's conventions for HTTP clients](https://opentelemetry.io/docs/specs/semconv/http/http-spans/). In URLs, `...`
//! takes the place of secret arguments. Without a subscriber, nothing is formatted for spans.
//!
//! - Both have `otel.name`, `otel.kind`, `taskcluster.service` and `taskcluster.endpoint`. At its end, a span gets
//!   `http.response.status_code` if there was a response, `duration` in seconds, and after an error `error.type` (the status of an
//!   error response, `timeout`, or the kind of the [`Error`] in lower case) and `otel.status_code`. One that is cancelled does not.
//! - `call` gets `taskcluster.attempts`, too.
//! - `attempt` has `http.request.method`, `url.template`, `url.full`, `server.address`, `server.port`, and after the first attempt
//!   `http.request.resend_count`. `taskcluster.trace_id` is the id that is sent with the request (`x-taskcluster-trace-id`);
//!   services write it to their logs.
//!
//! The progress of calls is logged at debug level, inside of these spans; with the feature `logging`, one call prints it. For
//! metrics, [`ClientBuilder::on_attempt`] calls a function after each attempt. An [`Error`] serializes, for structured logs.

#![cfg_attr(docsrs, feature(doc_cfg))]
// The crate's page links to everything; the documentation of a crate with fewer features lacks some of that.
#![cfg_attr(
    not(all(
        feature = "follow",
        feature = "legacy",
        feature = "pulse",
        feature = "signin",
        feature = "testing",
        feature = "worker"
    )),
    allow(rustdoc::broken_intra_doc_links)
)]

// Lets this crate use its own macro.
extern crate self as taskcluster;

#[cfg(feature = "artifacts")]
pub mod artifacts;
mod call;
mod client;
mod credentials;
pub mod dates;
mod env;
mod error;
#[cfg(feature = "follow")]
pub mod follow;
pub mod hawk;
mod key;
#[cfg(feature = "legacy")]
pub mod legacy;
#[cfg(feature = "logging")]
mod logging;
mod model;
#[cfg(any(feature = "follow", feature = "worker"))]
mod patience;
mod private_file;
#[cfg(feature = "pulse")]
pub mod pulse;
mod random;
mod reference;
pub mod reference_format;
#[cfg(feature = "references")]
pub mod references;
mod runtime;
pub mod scopes;
mod services;
#[cfg(feature = "signin")]
pub mod signin;
pub mod slugid;
#[cfg(feature = "testing")]
pub mod testing;
#[cfg(feature = "worker")]
pub mod worker;

#[cfg(feature = "artifacts")]
pub use artifacts::objects;
pub use call::argument::Integer;
pub use call::blocking::BlockingIter;
pub use call::by_name::{NamedCall, NamedEndpoint};
pub use call::many::{Calls, SendAll};
pub use call::paged::Paged;
pub use call::paging::{Items, Pages};
pub use call::{Call, CallFuture, SIGNED_URL_LIFETIME};
pub use client::Client;
pub use client::attempt::Attempt;
pub use client::builder::ClientBuilder;
pub use client::http::http_client_builder;
pub use client::retry::Retry;
pub use client::service::Service;
pub use credentials::Credentials;
#[cfg(feature = "auth")]
pub use credentials::check::CheckedCredentials;
pub use credentials::file::CredentialsFile;
pub use credentials::information::CredentialsInformation;
pub use credentials::provider::{CredentialsFuture, CredentialsProvider};
pub use credentials::refreshing::RefreshingCredentials;
pub use credentials::shared::SharedCredentials;
pub use credentials::temporary::{Lifetime, TemporaryBuilder};
pub use credentials::with_secrets::CredentialsWithSecrets;
pub use dates::{from_now, from_now_json, from_now_since};
pub use error::{Error, ErrorKind, Result};
#[cfg(feature = "logging")]
pub use logging::debug_logging;
pub use model::{FreeForm, Nullable, Number, Payload};
pub use reference::routing_keys::{Binding, IntoBinding, RoutingKeys, route};
pub use reference::{Endpoint, Exchange, Paging, Reference, RoutingKeyPart, Stability, urls};
pub use scopes::scope_match;
#[allow(
    unused_imports,
    unreachable_pub,
    reason = "without a service's feature nothing is in it"
)]
pub use services::*;

pub use ::reqwest::{Method, StatusCode, Url};
pub use chrono;
pub use serde_json::{self, Value, json};

/// The parts of the HTTP library [reqwest](https://docs.rs/reqwest) that this crate's API uses.
///
/// `Client`, `ClientBuilder` and `get` are not exported. This crate builds reqwest without a TLS provider, because a provider
/// belongs to the whole program, and without one `reqwest::Client::new()` panics. Start from [`http_client_builder`] instead.
/// To name these types, add reqwest to your program's dependencies.
///
/// ```compile_fail,E0433
/// let http = taskcluster::reqwest::Client::new(); // This would panic, so it does not compile.
/// ```
///
/// ```
/// use taskcluster::reqwest::{Proxy, header::USER_AGENT};
///
/// let proxy = Proxy::all("http://proxy.example.com:8080")?;
/// let http = taskcluster::http_client_builder()?.proxy(proxy).build()?;
/// let request = http.get("https://tc.example.com").build()?;
/// assert!(request.headers().get(USER_AGENT).is_none(), "added when it is sent");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub mod reqwest {
    pub use ::reqwest::{
        Body, Error, IntoUrl, Method, NoProxy, Proxy, Request, RequestBuilder, Response,
        StatusCode, Url, Version, dns, header, redirect, retry,
    };
}

/// Generates typed Rust from Taskcluster API references.
///
/// ```
/// taskcluster::taskcluster_api! {
///     /// Reads tasks.
///     pub struct TaskReader = "references/current/queue/v1/api.json" { status, list_artifacts }
/// }
///
/// let client = taskcluster::Client::builder("https://tc.example.com").build()?;
/// let url = TaskReader::new(&client).status("fN1SbArXTPSVFNUvaOlinQ").url()?;
/// assert_eq!(url.as_str(), "https://tc.example.com/api/queue/v1/task/fN1SbArXTPSVFNUvaOlinQ/status");
/// # Ok::<(), taskcluster::Error>(())
/// ```
///
/// # Input
///
/// One or more items of the form `pub struct Name = "path.json";`, with any doc comments, attributes and visibility. The
/// path is relative to your crate's `Cargo.toml`. A list in braces keeps only these endpoints (or exchanges), by their Rust
/// names. If this crate is not at `::taskcluster`, name its path before the items: `crate = some::path;`.
///
/// The file is a reference as deployments serve it (`<rootUrl>/references/<service>/<version>/api.json` and
/// `exchanges.json`), or one of 2017 with a `baseUrl`. Its schemas are looked up in `schemas/<service>/`, next to the file or in
/// a folder above it, laid out as a deployment's `<rootUrl>/schemas`. When any of these files changes, your crate is rebuilt.
/// [`reference_format`] describes the format, with a template to start from.
///
/// If schemas of a reference are not to be had, write `#[schemas(missing = "free-form")]` above its item (or that of a folder).
/// What needs them becomes [`FreeForm`], and its documentation says which schema is missing.
///
/// # Folders
///
/// `pub mod company = "api/";` generates a module with a struct for each reference below this folder: for each JSON file that
/// has `entries`, except in folders called `schemas`. A struct is named after its service, with `Events` for exchanges, and
/// with the version if that is not `v1`: `Queue`, `QueueEvents`, `QueueV2`. A list in braces keeps only these structs. The
/// module `taskcluster::references` fetches such a folder from a deployment.
///
/// ```
/// taskcluster::taskcluster_api! {
///     mod company = "references/current/" { Queue, Index }
/// }
///
/// let client = taskcluster::Client::builder("https://tc.example.com").build()?;
/// let url = company::Queue::new(&client).status("fN1SbArXTPSVFNUvaOlinQ").url()?;
/// assert_eq!(url.path(), "/api/queue/v1/task/fN1SbArXTPSVFNUvaOlinQ/status");
/// # Ok::<(), taskcluster::Error>(())
/// ```
///
/// The compiler watches only the files that existed at the last build. After you add one, touch your source or one of them.
///
/// Services that a program does not call do not add to its size. They add about 0.1 CPU seconds each to its build, or less if a
/// list in braces leaves them out: then they are only parsed.
///
/// # Patterns
///
/// References do not say what path arguments and query options look like. A file `patterns.json` next to the reference, or in a
/// folder above it, can say so, with a JSON schema regular expression by service, kind and name:
///
/// ```json
/// {"builds": {"args": {"number": "^[0-9]+$", "name": null}, "query": {"limit": "^[0-9]+$"}}}
/// ```
///
/// For arguments that it does not name, the macro looks at the properties of that name in the service's schemas: if those that
/// have a pattern all have the same one, it is the argument's, too; `null` in the file prevents that. The `limit` of paginated
/// endpoints is an integer. [`Endpoint::patterns`] and [`Endpoint::query_patterns`] have the result.
///
/// # Examples for methods
///
/// Examples for the documentation of methods can be in a Markdown file beside the reference: `api.examples.md` beside
/// `api.json`. Each is below a heading that is the wire name of its endpoint, and rustdoc tests its blocks of Rust.
///
/// ````md
/// # listBuilds
///
/// ```no_run
/// # async fn f(builds: my_crate::Builds) -> taskcluster::Result<()> {
/// println!("{}", builds.list_builds().await?.builds.len());
/// # Ok(()) }
/// ```
/// ````
///
/// # Output
///
/// A struct with `new(&Client)`, a method for each endpoint, and the facts as `REFERENCE`; for exchanges, a struct with a
/// function for each. Beside it, a module of the same name in snake_case holds the types that these take and return. Wire
/// names become snake_case, and characters that Rust does not take become `_`; a name that is taken, or that Rust or this crate
/// reserves, gets a `_` at its end.
///
/// A struct that callers send has a constructor. It takes the required properties in the order of the file's `properties`, or of
/// its `required` if all objects in the file are sorted by name, as in the files that deployments serve. Every other property has
/// a setter of its name. The setter of a list or map adds to it; if the name is a plural, its singular adds one item.
///
/// Schemas become structs, enums of strings and enums of structs. Items of one invocation with the same visibility share the
/// type of a schema, in the module of the first item that needs it; only the types that kept entries need are generated. A
/// type is named after its file (`task-status.json` is `TaskStatus`), a type within a file after its property (`TaskState`).
/// `allOf` of objects is one struct with the properties of all of them. `oneOf` or `anyOf` of objects is an enum of structs, each
/// with the properties that stand beside the alternatives; of a list of constants, it is an enum of strings with their
/// descriptions. A property that is constant in each alternative tells them apart; otherwise the alternative is chosen that holds
/// all that a document has. A document that fits none of them is kept as `Unknown` if a service sent it, and refused if your program
/// reads it in order to send it. A schema that lists properties without a `type` also allows what is no object, and is an enum, too.
/// An `integer` is an `i64`, or a `u64` if its bounds or the format `uint64` allow more; a `number` is a [`Number`].
/// Schemas that allow values with nothing in common, and those that the macro does not understand, become [`FreeForm`]; the
/// documentation of the field says why.
///
/// # Errors
///
/// A mistake in the invocation or in a file is a compile error at the path or name, with line and column in the file. So is a
/// schema that is none, such as one with `"type": "strng"`. All mistakes are reported at once, and entries without mistakes are
/// generated all the same.
pub use taskcluster_macros::taskcluster_api;

/// Items that expansions of the macro refer to, besides public ones.
#[doc(hidden)]
pub mod __private {
    pub use std::boxed::Box;
    pub use std::collections::BTreeMap;
    pub use std::convert::{From, Into};
    pub use std::iter::{Extend, IntoIterator, Iterator};
    pub use std::option::Option;
    pub use std::string::String;
    pub use std::vec::Vec;

    pub use chrono::{DateTime, Utc};
    pub use serde_core::de::DeserializeOwned;
    pub use serde_core::{Deserialize, Deserializer, Serialize, Serializer};
    pub use serde_json::Value;

    pub use crate::call::hints::{LoopsOver, Sent};
    pub use crate::credentials::in_records::credentials;
    pub use crate::model::*;
}
