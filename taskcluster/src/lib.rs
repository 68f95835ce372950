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
//! # From a reference to a response
//!
//! 1. [`taskcluster_api!`] reads a reference (JSON) at compile time. It generates a struct such as [`Queue`] with one method
//!    for each endpoint, and the facts of the reference as a static [`Reference`]. It also made the services below.
//! 2. A method such as [`Queue::status`] fills its arguments into the endpoint's route and returns a [`Call`]. Nothing is sent
//!    yet: a call is a value that knows its URL ([`Call::url`]) and can sign it for others ([`Call::signed_url`]).
//! 3. Await the call, or use one of its `send` methods. One function signs each attempt ([`hawk`]), sends it over the
//!    [`Client`]'s connections, retries what is worth it ([`Retry`]) and reads the response.
//! 4. The response is decoded into the type that the macro made of its JSON schema, such as [`queue::TaskStatusResponse`], or
//!    into one of yours ([`Call::send_as`]). A refusal becomes an [`Error`] that keeps what the service said. Endpoints that
//!    answer in pages return a [`Paged`] call, which fetches them all.
//!
//! Exchanges work the same way: a function such as [`QueueEvents::task_completed`] returns [`RoutingKeys`]. They become a
//! [`Binding`], which the feature `pulse` can listen to.
//!
//! Await calls inside a tokio runtime. Programs without one use the blocking forms.
//!
//! # Arguments
//!
//! Path arguments and query options are `impl Display`: strings, numbers, ids of your own types. They are escaped. An argument
//! that would change the path (an empty one, `.`, `..`) is an error when the call is used.
//!
//! # Payloads
//!
//! Each service has a module with the types that its methods take and return; its exchanges have one with the types of
//! their messages. The constructor of a request takes what is required. Everything else is an `Option`, left out unless set.
//!
//! ```
//! use taskcluster::queue::{CreateTaskRequest, TaskMetadata, TaskPriority};
//! use taskcluster::{from_now, json};
//!
//! let metadata = TaskMetadata::new("Builds it.", "build", "me@example.com", "https://example.com/repo");
//! let payload = json!({"command": ["make"]});
//! let mut task = CreateTaskRequest::new(from_now("0 seconds")?, from_now("2 hours")?, metadata, payload);
//! task.priority = Some(TaskPriority::Low);
//! task.retries = Some(100);
//! assert_eq!(task.validate().unwrap_err().message(), "the payload is not valid: retries: is more than 49");
//! # Ok::<(), taskcluster::Error>(())
//! ```
//!
//! What a schema leaves open is [`FreeForm`]: JSON that stays text until you decode it. A server may be newer than this crate:
//! unknown fields of a response are ignored, unknown values of an enum are kept as `Unknown`, and constraints of a schema
//! beyond types are not checked. Payloads are checked against them on request, one by one with `validate()` or all calls of a
//! client with [`ClientBuilder::validate`]. `Debug` shows no secrets.
//!
//! # Features
//!
//! - `auth`, `github`, `hooks`, `index`, `notify`, `object`, `purge-cache`, `queue`, `secrets`, `web-server`,
//!   `worker-manager`: one service each; `services` (default): all of them.
//! - `artifacts`: downloads and uploads of artifacts and objects, in the module `artifacts`.
//! - `legacy`: the services of 2017, in the module `legacy`.
//! - `rustls` (default): TLS with rustls and ring; the operating system's certificates are trusted.
//! - `native-tls`: TLS with the operating system's library instead.
//! - `pulse`: listening to the messages of a deployment, in the module `pulse`.
//! - `testing`: an embedded deployment to test programs against, in the module `testing`.
//!
//! Calls log their progress through `tracing` at debug level, without secrets.

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
pub mod hawk;
mod key;
#[cfg(feature = "legacy")]
pub mod legacy;
mod model;
#[cfg(feature = "pulse")]
pub mod pulse;
mod reference;
mod runtime;
pub mod scopes;
mod services;
pub mod slugid;
#[cfg(feature = "testing")]
pub mod testing;

#[cfg(feature = "artifacts")]
pub use artifacts::objects;
pub use call::blocking::BlockingIter;
pub use call::by_name::NamedCall;
pub use call::paged::Paged;
pub use call::paging::{Items, Pages};
pub use call::{Call, CallFuture, SIGNED_URL_LIFETIME};
pub use client::http::http_client_builder;
pub use client::retry::Retry;
pub use client::service::Service;
pub use client::{Client, ClientBuilder};
pub use credentials::{
    Credentials, CredentialsFuture, CredentialsInformation, CredentialsProvider, TemporaryBuilder,
};
pub use dates::{from_now, from_now_json, from_now_since};
pub use error::{Error, ErrorKind, Result};
pub use model::FreeForm;
pub use reference::routing_keys::{Binding, IntoBinding, RoutingKeys, route};
pub use reference::{Endpoint, Exchange, Paging, Reference, RoutingKeyPart, Stability, urls};
pub use scopes::scope_match;
#[allow(
    unused_imports,
    unreachable_pub,
    reason = "without a service's feature nothing is in it"
)]
pub use services::*;

pub use chrono;
pub use reqwest::{self, Method, StatusCode, Url};
pub use serde_json::{self, Value, json};
pub use uuid::Uuid;

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
/// `exchanges.json`), or one of 2017 with a `baseUrl`. Its schemas are expected in `schemas/<service>/` beside it or in a
/// folder above it, laid out as a deployment's `<rootUrl>/schemas`. When any of these files changes, your crate is rebuilt.
///
/// # Output
///
/// A struct with `new(&Client)`, a method for each endpoint, and the facts as `REFERENCE`; for exchanges, a struct with a
/// function for each. Beside it, a module of the same name in snake_case holds the types that these take and return. Wire
/// names become snake_case; a name that Rust or this crate reserves gets a `_` at its end.
///
/// Schemas become structs, enums of strings and enums of structs. Items of one invocation with the same visibility share the
/// type of a schema, in the module of the first item that needs it; only the types that kept entries need are generated. A
/// type is named after its file (`task-status.json` is `TaskStatus`), a type within a file after its property (`TaskState`).
/// Schemas that allow values with nothing in common, and those that the macro does not understand, become [`FreeForm`]; the
/// documentation of the field says why.
///
/// # Errors
///
/// A mistake in the invocation or the file is a compile error at the path or name, with line and column in the file. All
/// mistakes are reported at once, and entries without mistakes are generated all the same.
pub use taskcluster_macros::taskcluster_api;

/// What expansions of the macro refer to besides public items.
#[doc(hidden)]
pub mod __private {
    pub use std::boxed::Box;
    pub use std::collections::BTreeMap;
    pub use std::convert::{From, Into};
    pub use std::iter::IntoIterator;
    pub use std::option::Option;
    pub use std::string::String;
    pub use std::vec::Vec;

    pub use chrono::{DateTime, Utc};
    pub use serde_core::{Deserialize, Deserializer, Serialize, Serializer};
    pub use serde_json::Value;

    pub use crate::model::*;
}
