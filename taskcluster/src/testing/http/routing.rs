//! Routes requests: finds the endpoint and its arguments by the references.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use reqwest::Method;

use super::answer::Refusal;
use crate::reference::nearest::nearest;
use crate::{Endpoint, Reference};

/// The endpoint of a request.
pub(crate) struct Route {
    pub(crate) reference: &'static Reference,
    pub(crate) endpoint: &'static Endpoint,
    pub(crate) args: BTreeMap<&'static str, String>,
}

/// Finds the endpoint of a method and path. Of several that fit, it is the one with the fewest arguments, and of those
/// the one of the earliest reference.
pub(crate) fn find(
    references: &[&'static Reference],
    method: &Method,
    path: &str,
) -> Result<Route, Refusal> {
    let (service, version, rest) = split(path).ok_or_else(|| {
        Refusal::not_found(format!("{path} is not of the form /api/<service>/<version>/..."))
    })?;
    let of_service = || {
        references
            .iter()
            .filter(|reference| (reference.service, reference.version) == (service, version))
    };
    if of_service().next().is_none() {
        let known = references.iter().map(|reference| reference.service);
        let hint = hint(nearest(service, known).filter(|near| *near != service));
        return Err(Refusal::not_found(format!(
            "no service `{service}` of version `{version}`{hint}; a deployment has the services of Taskcluster \
             and those added with `serve`"
        )));
    }
    of_service()
        .flat_map(|reference| reference.endpoints.iter().map(|endpoint| (*reference, endpoint)))
        .filter(|(_, endpoint)| endpoint.method == *method)
        .filter_map(|(reference, endpoint)| {
            let may_be_empty = |arg: &str| reference.allows_empty(endpoint, arg);
            Some(Route {
                reference,
                endpoint,
                args: arguments(endpoint.route, rest, may_be_empty)?,
            })
        })
        .min_by_key(|route| route.args.len())
        .ok_or_else(|| Refusal::not_found(format!("{service} has no endpoint {method} {rest}")))
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

/// Removes `/api/<service>/<version>` from the start of a path.
fn split(path: &str) -> Option<(&str, &str, &str)> {
    let path = path.strip_prefix("/api/")?;
    let (service, path) = path.split_once('/')?;
    let end = path.find('/')?;
    let (version, rest) = path.split_at(end);
    Some((service, version, rest))
}

/// Returns the arguments of a path that matches the route. A trailing slash makes no difference, because some clients remove
/// it.
fn arguments(
    route: &'static str,
    path: &str,
    may_be_empty: impl Fn(&str) -> bool,
) -> Option<BTreeMap<&'static str, String>> {
    let mut args = BTreeMap::new();
    let mut words = path.strip_suffix('/').unwrap_or(path).split('/');
    for pattern in route.strip_suffix('/').unwrap_or(route).split('/') {
        let word = match words.next() {
            Some(word) => word,
            None if argument(pattern).is_some_and(|(_, name, _)| may_be_empty(name)) => "",
            None => return None,
        };
        for (name, value) in arguments_of_word(pattern, word)? {
            let value = percent_decode_str(value).decode_utf8().ok()?.into_owned();
            if value.is_empty() && !may_be_empty(name) {
                return None;
            }
            args.insert(name, value);
        }
    }
    words.next().is_none().then_some(args)
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

    #[test]
    fn arguments_are_whole_words_and_decoded() {
        let arguments = |path| arguments("/task/<taskId>/artifacts/<name>", path, |_| false);
        let args = arguments("/task/t/artifacts/public%2Fa%20b").unwrap();
        assert_eq!(args["taskId"], "t");
        assert_eq!(args["name"], "public/a b");
        for path in [
            "/task/t/artifacts",
            "/task/t/artifacts/",
            "/task/t/artifacts/a/b",
            "/task//artifacts/a",
        ] {
            assert!(arguments(path).is_none(), "{path}");
        }
    }

    #[test]
    fn a_segment_may_have_any_text_and_several_arguments() {
        let no = |_: &str| false;
        let args = arguments("/workers/<pool>:/<group>", "/workers/a%2Fb:/c", no).unwrap();
        assert_eq!((args["pool"].as_str(), args["group"].as_str()), ("a/b", "c"));
        assert!(arguments("/workers/<pool>:/<group>", "/workers/a/c", no).is_none());
        let args = arguments("/@<org>:<repo>.git;v=<v>", "/@me:it.git;v=1.2", no).unwrap();
        assert_eq!([&*args["org"], &*args["repo"], &*args["v"]], ["me", "it", "1.2"]);
        for path in ["/@me:.git;v=1", "/@:it.git;v=1", "/@me:it.git;v=", "/me:it.git;v=1", "/@me"] {
            assert!(arguments("/@<org>:<repo>.git;v=<v>", path, no).is_none(), "{path}");
        }
        for path in ["/a%20b%3ac/x", "/a%20b:c/x"] {
            assert!(arguments("/a%20b%3Ac/<x>", path, no).is_some(), "{path}");
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
