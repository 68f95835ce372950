//! Routes requests: finds the endpoint and its arguments by the references.

use std::collections::BTreeMap;
use std::fmt;

use percent_encoding::percent_decode_str;
use reqwest::header::HeaderValue;
use reqwest::{Method, StatusCode};
use serde_json::json;

use super::answer::{Refusal, Reply};
use super::patterns::takes_slashes;
use crate::reference::nearest::nearest;
use crate::{Endpoint, Reference};

/// The endpoint of a request.
pub(crate) struct Route {
    pub(crate) reference: &'static Reference,
    pub(crate) endpoint: &'static Endpoint,
    pub(crate) args: BTreeMap<&'static str, String>,
}

/// Why a request has no endpoint: the hint is for the log, since the answer of a real deployment has none.
#[derive(Debug)]
pub(crate) enum Miss {
    /// The service answers.
    Route(String),
    /// The proxy in front of the services answers.
    Service(String),
    /// The proxy refuses a path with a `%` that is not followed by two digits.
    Malformed,
}

impl fmt::Display for Miss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Route(hint) | Self::Service(hint) => write!(f, "404: {hint}"),
            Self::Malformed => f.write_str("400: the path has a `%` without two digits"),
        }
    }
}

impl From<Miss> for Reply {
    fn from(miss: Miss) -> Self {
        let page = |status: StatusCode| {
            let page = format!("<html><head><title>{status}</title></head><body></body></html>\n");
            Self::new(status).body(HeaderValue::from_static("text/html"), page)
        };
        match miss {
            Miss::Route(_) => Self::json(StatusCode::NOT_FOUND, &json!({"error": "Not found"})),
            Miss::Service(_) => page(StatusCode::NOT_FOUND),
            Miss::Malformed => page(StatusCode::BAD_REQUEST),
        }
    }
}

/// Finds the endpoint of a method and path. Of several that fit, it is the one with the fewest slashes in its arguments, of those
/// the one with the fewest arguments, and of those the one of the earliest reference.
pub(crate) fn find(
    references: &[&'static Reference],
    method: &Method,
    path: &str,
) -> Result<Route, Miss> {
    let method = if method == Method::HEAD { &Method::GET } else { method };
    let (service, version, rest) = split(references, path)?;
    all(references, service, version, rest)
        .filter(|(_, route)| is_answered_by(route, method))
        .min_by_key(|(slashes, route)| {
            // An argument that takes the rest of the path takes an empty one, too.
            let takes_rest = path.ends_with('/') && route.endpoint.route.ends_with('>');
            let is_empty = takes_rest && route.args.values().any(String::is_empty);
            (!is_empty, *slashes, route.args.len())
        })
        .map(|(_, route)| route)
        .ok_or_else(|| Miss::Route(format!("{service} has no endpoint {method} {rest}")))
}

/// Whether an endpoint answers this method. Those that list the index answer to POST, too, although no reference says so.
fn is_answered_by(route: &Route, method: &Method) -> bool {
    let Route { reference, endpoint, .. } = route;
    let lists_index =
        reference.service == "index" && matches!(endpoint.name, "listNamespaces" | "listTasks");
    endpoint.method == *method || lists_index && method == Method::POST
}

/// Returns the methods of a path's endpoints.
pub(crate) fn methods(references: &[&'static Reference], path: &str) -> Result<String, Miss> {
    let (service, version, rest) = split(references, path)?;
    let mut methods: Vec<&str> = Vec::new();
    for (_, route) in all(references, service, version, rest) {
        let method = route.endpoint.method.as_str();
        if !methods.contains(&method) {
            methods.push(method);
            methods.extend((method == "GET").then_some("HEAD"));
        }
    }
    match methods.is_empty() {
        true => Err(Miss::Route(format!("{service} has no endpoint {rest}"))),
        false => Ok(methods.join(", ")),
    }
}

/// Returns all endpoints that a path fits, each with the number of slashes in its arguments.
fn all(
    references: &[&'static Reference],
    service: &str,
    version: &str,
    path: &str,
) -> impl Iterator<Item = (usize, Route)> {
    let of_service = references
        .iter()
        .filter(move |reference| (reference.service, reference.version) == (service, version));
    of_service
        .flat_map(|reference| reference.endpoints.iter().map(|endpoint| (*reference, endpoint)))
        .filter_map(move |(reference, endpoint)| {
            let (slashes, args) = arguments(reference, endpoint, path)?;
            Some((slashes, Route { reference, endpoint, args }))
        })
}

/// Checks the query options against the endpoint's.
pub(crate) fn check_query(endpoint: &Endpoint, query: &[(String, String)]) -> Result<(), Refusal> {
    match query.iter().find(|(name, _)| !endpoint.query.contains(&name.as_str())) {
        None => Ok(()),
        Some((name, _)) => {
            let hint = hint(nearest(name, endpoint.query.iter().copied()));
            Err(Refusal::arguments(format!("{} has no query option `{name}`{hint}", endpoint.name)))
        }
    }
}

/// Decodes the options of a query, without a bewit, which is part of the signature.
pub(crate) fn query(text: &str) -> Vec<(String, String)> {
    let decode =
        |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    text.split('&')
        .filter(|option| !option.is_empty() && !option.starts_with("bewit="))
        .map(|option| option.split_once('=').unwrap_or((option, "")))
        .map(|(name, value)| (decode(name), decode(value)))
        .collect()
}

fn hint(nearest: Option<&str>) -> String {
    nearest.map(|nearest| format!("; did you mean `{nearest}`?")).unwrap_or_default()
}

/// Splits a path into service, version and the rest.
fn split<'p>(
    references: &[&'static Reference],
    path: &'p str,
) -> Result<(&'p str, &'p str, &'p str), Miss> {
    let is_digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_hexdigit);
    let bytes = path.as_bytes();
    let is_escape = |at: usize| is_digit(bytes.get(at + 1)) && is_digit(bytes.get(at + 2));
    if path.match_indices('%').any(|(at, _)| !is_escape(at)) {
        return Err(Miss::Malformed);
    }
    let parts = || {
        let (service, path) = path.strip_prefix("/api/")?.split_once('/')?;
        let (version, rest) = path.split_at(path.find('/')?);
        Some((service, version, rest))
    };
    let (service, version, rest) = parts().ok_or_else(|| {
        Miss::Service(format!("{path} is not of the form /api/<service>/<version>/..."))
    })?;
    let known = || references.iter().map(|reference| (reference.service, reference.version));
    if known().any(|known| known == (service, version)) {
        return Ok((service, version, rest));
    }
    let services = known().map(|(service, _)| service);
    let hint = hint(nearest(service, services).filter(|near| *near != service));
    let why = format!(
        "no service `{service}` of version `{version}`{hint}; a deployment has the services of Taskcluster \
         and those added with `serve`"
    );
    Err(if known().any(|(known, _)| known == service) {
        Miss::Route(why)
    } else {
        Miss::Service(why)
    })
}

/// Returns the arguments of a path that matches the endpoint's route, with the number of slashes in them. A trailing slash makes
/// no difference, because some clients remove it.
fn arguments(
    reference: &'static Reference,
    endpoint: &'static Endpoint,
    path: &str,
) -> Option<(usize, BTreeMap<&'static str, String>)> {
    let takes_rest = |arg: &str| {
        path.ends_with('/')
            && endpoint.route.ends_with(&format!("/<{arg}>"))
            && takes_slashes(reference.service, endpoint.name, arg)
    };
    let may_be_empty = |arg: &str| reference.allows_empty(endpoint, arg) || takes_rest(arg);
    let route = endpoint.route.strip_suffix('/').unwrap_or(endpoint.route);
    let words: Vec<_> = path.strip_suffix('/').unwrap_or(path).split('/').collect();
    let patterns = route.split('/').count();
    let mut words = words.as_slice();
    let mut spare = words.len().checked_sub(patterns);
    let (mut slashes, mut args) = (0, BTreeMap::new());
    for pattern in route.split('/') {
        let name = argument(pattern).map(|(_, name, _)| name);
        let mut length = 1;
        if let (Some(more @ 1..), Some(name)) = (spare, name)
            && takes_slashes(reference.service, endpoint.name, name)
        {
            (spare, slashes) = (Some(0), more);
            length += more;
        }
        let (word, rest) = match words.split_at_checked(length) {
            Some((word, rest)) => (word.join("/"), rest),
            None if name.is_some_and(may_be_empty) => (String::new(), words),
            None => return None,
        };
        words = rest;
        for (name, value) in arguments_of_word(pattern, &word)? {
            let value = percent_decode_str(value).decode_utf8().ok()?.into_owned();
            if value.is_empty() && !may_be_empty(name) {
                return None;
            }
            args.insert(name, value);
        }
    }
    words.is_empty().then_some((slashes, args))
}

/// Matches one segment of a path with that of a route, which may have several arguments, such as `<org>:<repository>`. Each
/// ends where the text behind it first appears.
fn arguments_of_word<'a>(
    pattern: &'static str,
    word: &'a str,
) -> Option<Vec<(&'static str, &'a str)>> {
    let (mut pattern, mut word) = (pattern, word);
    let mut args = Vec::new();
    while let Some((before, name, after)) = argument(pattern) {
        word = word.strip_prefix(before)?;
        let text = after.split('<').next().unwrap_or_default();
        let end = match after.len() == text.len() {
            // The last argument ends where the rest of the route's segment is left.
            true => word.len().checked_sub(text.len())?,
            false => word.find(text)?,
        };
        args.push((name, word.get(..end)?));
        (pattern, word) = (after, &word[end..]);
    }
    // Text that is escaped in one and not in the other is the same.
    let decoded = |text: &'a str| percent_decode_str(text).collect::<Vec<u8>>();
    (pattern == word || decoded(pattern) == decoded(word)).then_some(args)
}

/// Splits a segment of a route into its first argument and the text around it.
fn argument(pattern: &'static str) -> Option<(&'static str, &'static str, &'static str)> {
    let (before, rest) = pattern.split_once('<')?;
    let (name, after) = rest.split_once('>')?;
    Some((before, name, after))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Auth, Queue, WorkerManager};

    fn found(path: &str) -> Option<(&'static str, BTreeMap<&'static str, String>)> {
        let references = [&Queue::REFERENCE, &Auth::REFERENCE, &WorkerManager::REFERENCE];
        let route = find(&references, &Method::GET, path).ok()?;
        Some((route.endpoint.name, route.args))
    }

    #[test]
    fn arguments_are_decoded() {
        let (name, args) = found("/api/queue/v1/task/t/artifacts/public%2Fa%20b").unwrap();
        assert_eq!(name, "getLatestArtifact");
        assert_eq!(args["taskId"], "t");
        assert_eq!(args["name"], "public/a b");
        assert!(found("/api/queue/v1/task//artifacts/a").is_none());
        assert!(found("/api/queue/v1/task/%zz").is_none());
    }

    #[test]
    fn some_arguments_have_slashes() {
        for (path, name, arg, value) in [
            ("queue/v1/task/t/artifacts", "listLatestArtifacts", "taskId", "t"),
            ("queue/v1/task/t/artifacts/", "getLatestArtifact", "name", ""),
            ("queue/v1/task/t/artifacts/a/b%2Fc", "getLatestArtifact", "name", "a/b/c"),
            ("queue/v1/task-queues/p/w/counts", "taskQueueCounts", "taskQueueId", "p/w"),
            ("queue/v1/task-queues/p%2Fw/counts", "taskQueueCounts", "taskQueueId", "p/w"),
            ("worker-manager/v1/worker-pool/p/w", "workerPool", "workerPoolId", "p/w"),
            ("worker-manager/v1/worker-pool/p/w/stats", "workerPoolStats", "workerPoolId", "p/w"),
        ] {
            let (found, args) = found(&format!("/api/{path}")).unwrap();
            assert_eq!((found, args[arg].as_str()), (name, value), "{path}");
        }
        for path in ["auth/v1/clients/a/b", "auth/v1/roles/a/b", "queue/v1/task-queues/p/w"] {
            assert!(found(&format!("/api/{path}")).is_none(), "{path}");
        }
    }

    #[test]
    fn a_segment_may_have_any_text_and_several_arguments() {
        let args = |pattern, word| arguments_of_word(pattern, word);
        assert_eq!(args("<pool>:", "a%2Fb:"), Some(vec![("pool", "a%2Fb")]));
        assert_eq!(args("<pool>:", "a"), None);
        let repository = "@<org>:<repo>.git;v=<v>";
        let parts = vec![("org", "me"), ("repo", "it"), ("v", "1.2")];
        assert_eq!(args(repository, "@me:it.git;v=1.2"), Some(parts));
        for word in ["me:it.git;v=1", "@me.git;v=1", "@me:it;v=1", "@me", ""] {
            assert_eq!(args(repository, word), None, "{word}");
        }
        for word in ["a%20b%3ac", "a%20b:c"] {
            assert_eq!(args("a%20b%3Ac", word), Some(vec![]), "{word}");
        }
    }

    #[test]
    fn a_fixed_word_goes_before_an_argument() {
        for reference in [&Queue::REFERENCE, &Auth::REFERENCE, &WorkerManager::REFERENCE] {
            for endpoint in reference.endpoints {
                let Reference { service, version, .. } = reference;
                let path =
                    format!("/api/{service}/{version}{}", endpoint.route.replace(['<', '>'], ""));
                let route = find(&[reference], &endpoint.method, &path).unwrap();
                assert!(
                    std::ptr::eq(route.endpoint, endpoint),
                    "{path} leads to {}",
                    route.endpoint
                );
            }
        }
    }
}
