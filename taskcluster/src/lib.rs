//! Taskcluster for Rust: every endpoint a typed method, every request signed right, and a macro that does the same for
//! the references of your own services.
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
//! # The way of the data
//!
//! 1. [`taskcluster_api!`] reads a reference (JSON) at compile time. It writes a struct such as [`Queue`] with a method
//!    for each endpoint, and the facts of the reference as a static [`Reference`]. The services below are made by it.
//! 2. A method such as [`Queue::status`] fills its arguments into the endpoint's route and returns a [`Call`]: a value
//!    that knows its URL ([`Call::url`]) and can be signed for others ([`Call::signed_url`]). Nothing is sent yet.
//! 3. Awaiting it, or one of the `send` methods, hands it to the one function that signs each attempt ([`hawk`]), sends
//!    it through the [`Client`]'s connections, repeats what is worth it ([`Retry`]) and reads the answer.
//! 4. The answer is decoded into the type that the macro made of its JSON schema, such as [`queue::TaskStatusResponse`], or
//!    one of yours ([`Call::send_as`]); or it becomes an [`Error`] that keeps what the service said. Endpoints that answer
//!    in pages return a [`Paged`] call, which knows all pages.
//!
//! Exchanges go the same way: a function such as [`QueueEvents::task_completed`] returns [`RoutingKeys`], a [`Binding`]
//! to be, which the feature `pulse` can listen to.
//!
//! Calls are awaited inside a tokio runtime; programs without one have the blocking forms.
//!
//! # Arguments
//!
//! Path arguments and query options are `impl Display`: text, numbers, ids of your own types. They are escaped; what
//! would change the path (nothing, `.`, `..`) is an error when the call is used.
//!
//! # Payloads
//!
//! Each service has a module of the types that its methods take and return, and so have its exchanges for their messages.
//! What is sent has a constructor with what is required; everything else is an `Option` that is left out unless set.
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
//! What a schema leaves open is [`FreeForm`]: JSON that is kept as text until it is decoded. A server may be newer than this
//! crate: fields that are not known are ignored, values of enums are kept as `Unknown`, and nothing of what a schema demands
//! beside types is demanded of answers. Of what is sent it is, if asked: by `validate()`, or for all calls of a client by
//! [`ClientBuilder::validate`]. `Debug` shows no secrets.
//!
//! # Features
//!
//! - `auth`, `github`, `hooks`, `index`, `notify`, `object`, `purge-cache`, `queue`, `secrets`, `web-server`,
//!   `worker-manager`: a service each; `services` (default): all of them. A program that needs one service builds in a
//!   fraction of the time with that one alone.
//! - `legacy`: the services of 2017, in the module `legacy`.
//! - `rustls` (default): TLS by rustls with the ring provider, certificates verified as the operating system does.
//! - `native-tls`: TLS by the operating system's library instead.
//! - `pulse`: listening to what happens, in the module `pulse`.
//! - `testing`: an embedded deployment to test programs against.
//!
//! Progress of calls is told through `tracing` at debug level, without secrets.

// Lets this crate use its own macro.
extern crate self as taskcluster;

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
pub use model::{FreeForm, Number};
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

/// Makes typed Rust of Taskcluster API references.
///
/// ```
/// taskcluster::taskcluster_api! {
///     /// What this program does with tasks.
///     pub struct TaskReader = "references/current/queue/v1/api.json" { status, list_artifacts }
/// }
///
/// let client = taskcluster::Client::builder("https://tc.example.com").build()?;
/// let url = TaskReader::new(&client).status("fN1SbArXTPSVFNUvaOlinQ").url()?;
/// assert_eq!(url.as_str(), "https://tc.example.com/api/queue/v1/task/fN1SbArXTPSVFNUvaOlinQ/status");
/// # Ok::<(), taskcluster::Error>(())
/// ```
///
/// # What it takes
///
/// One or more items of the form `pub struct Name = "path.json";`, with doc comments, attributes and a visibility of
/// your choice. The path is relative to your crate's `Cargo.toml`. A list in braces keeps only these endpoints (or
/// exchanges), by their Rust names. `crate = some::path;` before the items says where this crate is, if it is not
/// `::taskcluster`.
///
/// The file is a reference as deployments serve it (`<rootUrl>/references/<service>/<version>/api.json` and
/// `exchanges.json`), or one of 2017 with a `baseUrl`. The schemas that it names are looked for in
/// `schemas/<service>/` beside it or in a folder above it, where a deployment's `<rootUrl>/schemas` goes. A change of any of
/// these files makes your crate build anew.
///
/// # What it makes
///
/// A struct with `new(&Client)`, a method for each endpoint and `REFERENCE`, the facts; or of exchanges a struct with a
/// function for each. Beside it a module of the same name in snake_case with the types that these take and return. Wire
/// names become snake_case; one that Rust or this crate keeps for itself gets a `_` at its end.
///
/// Schemas become structs, enums of texts and enums of structs. One schema is one type for all items of an invocation that
/// are equally visible, in the module of the first that needs it; only what kept entries need is made. A type is called as its
/// file (`task-status.json` is `TaskStatus`), one inside a file by what it is a property of (`TaskState`). What stands for
/// one of several values that have nothing in common, and other schemas that are not understood, are [`FreeForm`], and
/// the documentation of the field says why.
///
/// # Errors
///
/// Whatever is wrong with the invocation or the file is a compile error at the path or name, with line and column in
/// the file; all of them are reported at once, and the entries without mistakes are there all the same.
pub use taskcluster_macros::taskcluster_api;

/// What expansions of the macro refer to beside the public items.
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
