//! The facts of a reference as static data: what `taskcluster_api!` writes and everything else reads.

pub(crate) mod nearest;
pub(crate) mod routing_keys;
pub mod urls;

use std::fmt;

use reqwest::Method;

use self::nearest::nearest;
use crate::error::{Error, Result};
use crate::scopes::ScopeTemplate;

/// A reference file: one service's endpoints, or the exchanges that it publishes to.
///
/// Every service and exchange set made by [`taskcluster_api!`](crate::taskcluster_api) has one as its `REFERENCE`.
///
/// ```
/// use taskcluster::{Queue, QueueEvents};
///
/// assert_eq!(Queue::REFERENCE.service, "queue");
/// assert_eq!(Queue::REFERENCE.endpoint("createTask").route, "/task/<taskId>");
/// assert_eq!(QueueEvents::REFERENCE.exchange_prefix, "exchange/taskcluster-queue/v1/");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Reference {
    /// The service's name as it stands in URLs, such as `worker-manager`.
    pub service: &'static str,
    /// The version of its API, such as `v1`.
    pub version: &'static str,
    /// Where the service lives, for references of the 2017 generation, which carry an URL of their own.
    pub base_url: Option<&'static str>,
    /// What all its exchanges' names begin with; empty for a reference of endpoints.
    pub exchange_prefix: &'static str,
    /// Its endpoints, in the order of the file.
    pub endpoints: &'static [Endpoint],
    /// Its exchanges, in the order of the file.
    pub exchanges: &'static [Exchange],
}

impl Reference {
    /// The endpoint of this wire name.
    ///
    /// # Panics
    ///
    /// If there is none, like an index out of range: meant for names written in the program.
    /// Use [`find_endpoint`](Self::find_endpoint) for a name from outside.
    #[must_use]
    #[track_caller]
    #[expect(clippy::panic, reason = "documented; find_endpoint is the form without")]
    pub fn endpoint(&self, name: &str) -> &'static Endpoint {
        match self.find_endpoint(name) {
            Ok(endpoint) => endpoint,
            Err(error) => panic!("{error}"),
        }
    }

    /// The endpoint of this wire name.
    ///
    /// ```
    /// let error = taskcluster::Queue::REFERENCE.find_endpoint("createTsk").unwrap_err();
    /// assert_eq!(error.to_string(), "queue has no endpoint `createTsk`; did you mean `createTask`?");
    /// ```
    ///
    /// # Errors
    ///
    /// If there is none; the error names the nearest one.
    pub fn find_endpoint(&self, name: &str) -> Result<&'static Endpoint> {
        if self.endpoints.is_empty() {
            return Err(Error::input(format!(
                "this reference of {} has only exchanges",
                self.service
            )));
        }
        let known = self.endpoints.iter().map(|endpoint| endpoint.name);
        self.endpoints.iter().find(|endpoint| endpoint.name == name).ok_or_else(|| {
            Error::unknown_name(self.service, "endpoint", name, nearest(name, known))
        })
    }

    /// The exchange of this wire name (`taskCompleted`).
    ///
    /// # Errors
    ///
    /// If there is none; the error names the nearest one.
    pub fn find_exchange(&self, name: &str) -> Result<&'static Exchange> {
        if self.exchanges.is_empty() {
            return Err(Error::input(format!(
                "this reference of {} has only endpoints",
                self.service
            )));
        }
        let known = self.exchanges.iter().map(|exchange| exchange.name);
        self.exchanges.iter().find(|exchange| exchange.name == name).ok_or_else(|| {
            Error::unknown_name(self.service, "exchange", name, nearest(name, known))
        })
    }
}

/// One endpoint of a service, as the reference describes it.
#[derive(Debug)]
pub struct Endpoint {
    /// The wire name: `listTaskGroup`.
    pub name: &'static str,
    /// A short title.
    pub title: &'static str,
    /// The HTTP method.
    pub method: Method,
    /// The path below the service's base URL, arguments in angle brackets: `/task-group/<taskGroupId>/list`.
    pub route: &'static str,
    /// The names of the path arguments, in the order of the method's arguments.
    pub args: &'static [&'static str],
    /// The query options.
    pub query: &'static [&'static str],
    /// The request body's schema, where the endpoint takes a body.
    pub input: Option<&'static str>,
    /// The answer's schema, where the reference names one.
    pub output: Option<&'static str>,
    /// The scopes a caller needs; `None` where anybody may call.
    pub scopes: Option<ScopeTemplate>,
    /// How firm the endpoint is.
    pub stability: Stability,
    /// Where the endpoint answers in pages: how they hang together.
    pub paging: Option<Paging>,
    /// What each argument must match, where the service's schemas tell: the regular expressions of JSON schemas.
    pub patterns: &'static [Option<&'static str>],
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} {})", self.name, self.method, self.route)
    }
}

/// How firm an endpoint is, by its service's own word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stability {
    /// Changes only compatibly.
    Stable,
    /// May change or go.
    Experimental,
    /// Will go; the documentation says what to use in its place.
    Deprecated,
}

/// How the pages of an endpoint hang together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paging {
    /// The query option that asks for the next page.
    pub query: &'static str,
    /// The property of a page that holds the next page's token.
    pub token: &'static str,
    /// The property of a page that holds its items.
    pub items: &'static str,
}

/// One topic exchange that a service publishes messages to.
#[derive(Debug)]
pub struct Exchange {
    /// The wire name: `taskCompleted`.
    pub name: &'static str,
    /// A short title.
    pub title: &'static str,
    /// The exchange's name on the broker: `exchange/taskcluster-queue/v1/task-completed`.
    pub exchange: &'static str,
    /// The parts of its routing keys, in order.
    pub routing_key: &'static [RoutingKeyPart],
    /// The messages' schema.
    pub schema: &'static str,
}

/// One part of an exchange's routing keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoutingKeyPart {
    /// The wire name: `taskId`.
    pub name: &'static str,
    /// The word that always stands here, where there is one.
    pub constant: Option<&'static str>,
    /// Whether every message carries a value here; otherwise `_` may stand in its place.
    pub required: bool,
    /// Whether the part may consist of several words separated by dots.
    pub multiple_words: bool,
}
