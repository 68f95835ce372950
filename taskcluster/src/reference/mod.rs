//! API references as static data, which `taskcluster_api!` generates and everything else reads.

pub(crate) mod nearest;
pub(crate) mod routing_keys;
pub mod urls;

use std::fmt;

use reqwest::Method;

use self::nearest::nearest;
use crate::error::{Error, Result};
use crate::scopes::ScopeTemplate;

/// The endpoints, by service and name, whose last argument may be empty: those that list the top of the index.
const MAY_BE_EMPTY: &[(&str, &str)] = &[("index", "listNamespaces"), ("index", "listTasks")];

/// An API reference: the endpoints of a service, or the exchanges that it publishes to.
///
/// Every struct that [`taskcluster_api!`](crate::taskcluster_api) generates for a reference has it as `REFERENCE`.
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
    /// The service's name in URLs, such as `worker-manager`.
    pub service: &'static str,
    /// The version of its API, such as `v1`.
    pub version: &'static str,
    /// The service's base URL. Only references of the 2017 generation have one.
    pub base_url: Option<&'static str>,
    /// The common prefix of its exchanges' names; empty for a reference of endpoints.
    pub exchange_prefix: &'static str,
    /// Its endpoints, in the order of the file.
    pub endpoints: &'static [Endpoint],
    /// Its exchanges, in the order of the file.
    pub exchanges: &'static [Exchange],
}

impl Reference {
    /// Returns the endpoint with this wire name.
    ///
    /// # Panics
    ///
    /// Panics if there is none, like an index out of range. Use this for names written in the program, and
    /// [`find_endpoint`](Self::find_endpoint) for names from outside.
    #[must_use]
    #[track_caller]
    #[expect(clippy::panic, reason = "documented; find_endpoint is the form without")]
    pub fn endpoint(&self, name: &str) -> &'static Endpoint {
        match self.find_endpoint(name) {
            Ok(endpoint) => endpoint,
            Err(error) => panic!("{error}"),
        }
    }

    /// Finds the endpoint with this wire name.
    ///
    /// ```
    /// let error = taskcluster::Queue::REFERENCE.find_endpoint("createTsk").unwrap_err();
    /// assert_eq!(error.to_string(), "queue has no endpoint `createTsk`; did you mean `createTask`?");
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if there is none; the error names the nearest one.
    pub fn find_endpoint(&self, name: &str) -> Result<&'static Endpoint> {
        if self.endpoints.is_empty() {
            return Err(Error::input(format!(
                "this reference of {} has exchanges, but no endpoints",
                self.service
            )));
        }
        let known = self.endpoints.iter().map(|endpoint| endpoint.name);
        self.endpoints.iter().find(|endpoint| endpoint.name == name).ok_or_else(|| {
            Error::unknown_name(self.service, "endpoint", name, nearest(name, known))
        })
    }

    /// Whether an argument may be empty, because it is the last one of its route and the service accepts that.
    ///
    /// References do not state which services do; Taskcluster's are listed here. Elsewhere, an empty argument would lead to
    /// another resource.
    pub(crate) fn allows_empty(&self, endpoint: &Endpoint, arg: &str) -> bool {
        let last = endpoint.route.strip_suffix('>').and_then(|route| route.rsplit_once('<'));
        last.is_some_and(|(_, last)| last == arg)
            && MAY_BE_EMPTY.contains(&(self.service, endpoint.name))
    }

    /// Finds the exchange with this wire name, such as `taskCompleted`.
    ///
    /// # Errors
    ///
    /// Returns an error if there is none; the error names the nearest one.
    pub fn find_exchange(&self, name: &str) -> Result<&'static Exchange> {
        if self.exchanges.is_empty() {
            return Err(Error::input(format!(
                "this reference of {} has endpoints, but no exchanges",
                self.service
            )));
        }
        let known = self.exchanges.iter().map(|exchange| exchange.name);
        self.exchanges.iter().find(|exchange| exchange.name == name).ok_or_else(|| {
            Error::unknown_name(self.service, "exchange", name, nearest(name, known))
        })
    }
}

/// An endpoint of a service, as described in the reference.
#[derive(Debug)]
pub struct Endpoint {
    /// The wire name: `listTaskGroup`.
    pub name: &'static str,
    /// A short title.
    pub title: &'static str,
    /// The HTTP method.
    pub method: Method,
    /// The path under the service's base URL, with arguments in angle brackets: `/task-group/<taskGroupId>/list`.
    pub route: &'static str,
    /// The names of the path arguments, in the order of the method's arguments.
    pub args: &'static [&'static str],
    /// The names of the query options.
    pub query: &'static [&'static str],
    /// The names of the path arguments and query options whose values are secret. Errors, logs and `Debug` show `...` in
    /// their place.
    ///
    /// ```
    /// let endpoint = taskcluster::Hooks::REFERENCE.endpoint("triggerHookWithToken");
    /// assert_eq!(endpoint.secrets, ["token"]);
    /// ```
    pub secrets: &'static [&'static str],
    /// The schema of the payload, if the endpoint takes one.
    pub input: Option<&'static str>,
    /// The schema of the response, if the reference names one.
    pub output: Option<&'static str>,
    /// The scopes that a call requires; `None` if anyone may call.
    pub scopes: Option<ScopeTemplate>,
    /// How stable the endpoint is.
    pub stability: Stability,
    /// How the endpoint is paged, if it is.
    pub paging: Option<Paging>,
    /// The pattern (a JSON schema regular expression) that each path argument must match, in the order of `args`, if it is
    /// known; see [`taskcluster_api!`](crate::taskcluster_api#patterns).
    ///
    /// ```
    /// assert_eq!(taskcluster::Queue::REFERENCE.endpoint("listArtifacts").patterns[1], Some("^[1-9]*[0-9]+$"));
    /// ```
    pub patterns: &'static [Option<&'static str>],
    /// The pattern that each query option must match, in the order of `query`, if it is known.
    pub query_patterns: &'static [Option<&'static str>],
}

impl Endpoint {
    /// Whether the value of an argument or query option is secret.
    pub(crate) fn hides(&self, name: &str) -> bool {
        self.secrets.contains(&name)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} {})", self.name, self.method, self.route)
    }
}

/// How stable an endpoint is, as declared by its service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stability {
    /// Changes only in compatible ways.
    Stable,
    /// May change or be removed.
    Experimental,
    /// Will be removed; its documentation says what to use instead.
    Deprecated,
}

/// How an endpoint is paged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paging {
    /// The query option that takes the token of the page to fetch.
    pub query: &'static str,
    /// The property of a page that holds the next page's token.
    pub token: &'static str,
    /// The property of a page that holds its items.
    pub items: &'static str,
}

/// A topic exchange that a service publishes messages to.
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
    /// The schema of its messages.
    pub schema: &'static str,
}

/// A part of an exchange's routing keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoutingKeyPart {
    /// The wire name: `taskId`.
    pub name: &'static str,
    /// The fixed word of this part, if it is constant.
    pub constant: Option<&'static str>,
    /// Whether every message has a value here. If not, `_` may take its place.
    pub required: bool,
    /// Whether the part may have several words, separated by dots.
    pub multiple_words: bool,
}
