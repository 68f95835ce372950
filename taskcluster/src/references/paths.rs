//! The paths of documents, such as `schemas/queue/v1/task.json`: the same in a deployment and in the folder that they are
//! written to. Nothing is written to any other path.

use crate::error::{Error, Result};

/// The maximum length of a path's segment, in bytes.
const MAX_WORD: usize = 100;

/// The maximum number of a path's segments.
const MAX_WORDS: usize = 10;

/// Whether a service, version, folder or file may have this name: one that means the same on every system.
pub(super) fn is_plain(word: &str) -> bool {
    word.len() <= MAX_WORD
        && word.starts_with(|c: char| c.is_ascii_alphanumeric())
        && !word.ends_with('.')
        && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

/// Checks a path that comes from a deployment.
pub(super) fn check(path: &str) -> Result<()> {
    let is_good = path.ends_with(".json")
        && path.split('/').count() <= MAX_WORDS
        && path.split('/').all(is_plain);
    if is_good { Ok(()) } else { Err(strange(path)) }
}

/// Returns the path of a reference of this service and version.
pub(super) fn of_reference(service: &str, version: &str, file: &str) -> Result<String> {
    let path = format!("{service}/{version}/{file}");
    // This folder holds the schemas.
    if service == "schemas" || service.contains('/') || version.contains('/') {
        return Err(strange(&path));
    }
    check(&path).map(|()| path)
}

/// Returns the path of a schema that a document refers to, or `None` if it refers to itself or to another host.
///
/// Relative names are resolved against `folder`; `roots` are the deployment's root URLs.
pub(super) fn of_schema(folder: &str, name: &str, roots: &[String]) -> Result<Option<String>> {
    let name = name.split('#').next().unwrap_or_default();
    let name = below(roots, name).unwrap_or(name);
    if name.is_empty() || name.contains("://") {
        return Ok(None);
    }
    let (mut words, name) = match name.strip_prefix('/') {
        Some(absolute) => (Vec::new(), absolute),
        None => (folder.split('/').collect(), name),
    };
    for word in name.split('/') {
        match word {
            "." => {}
            ".." => drop(words.pop()),
            word => words.push(word),
        }
    }
    let path = words.join("/");
    if !path.starts_with("schemas/") {
        return Err(strange(name));
    }
    check(&path).map(|()| Some(path))
}

/// Returns the path of a URL below one of these roots, with its leading slash.
pub(super) fn below<'a>(roots: &[String], url: &'a str) -> Option<&'a str> {
    let mut paths = roots.iter().filter_map(|root| url.strip_prefix(root.as_str()));
    paths.find(|path| path.starts_with('/'))
}

fn strange(path: &str) -> Error {
    let start: String = path.chars().take(MAX_WORD).collect();
    Error::answer(format!(
        "the deployment serves a document with the unsafe path {start:?}, which is not written"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_paths_are_taken() {
        for good in ["queue/v1/api.json", "schemas/hooks/v1/list-lastFires-response.json"] {
            check(good).unwrap();
        }
        let long = format!("{}.json", "a".repeat(MAX_WORD));
        for bad in [
            "",
            "/",
            ".json",
            "a.json/",
            "/a.json",
            "../a.json",
            "a/../b.json",
            "a//b.json",
            "a/./b.json",
            "a\\b.json",
            "C:/a.json",
            "a/.hidden.json",
            "a/b.json ",
            "a\0.json",
            "a/é.json",
            "a/b",
            "..json",
            "~/a.json",
            &long,
            "a/a/a/a/a/a/a/a/a/a/a.json",
        ] {
            assert!(check(bad).is_err(), "{bad:?}");
        }
        for (service, version) in
            [("..", "v1"), ("a/b", "v1"), ("a", ".."), ("schemas", "v1"), ("", "v1")]
        {
            assert!(of_reference(service, version, "api.json").is_err(), "{service:?}");
        }
    }

    #[test]
    fn names_of_schemas_lead_to_paths_below_schemas() {
        let roots = ["https://tc.example.com/x".to_owned()];
        let folder = "schemas/queue/v1";
        for (name, path) in [
            ("task.json#", Some("schemas/queue/v1/task.json")),
            ("task.json#/properties/a", Some("schemas/queue/v1/task.json")),
            ("./task.json", Some("schemas/queue/v1/task.json")),
            ("../../auth/v1/scopeset.json#", Some("schemas/auth/v1/scopeset.json")),
            ("/schemas/common/a.json#", Some("schemas/common/a.json")),
            ("https://tc.example.com/x/schemas/auth/v1/a.json#", Some("schemas/auth/v1/a.json")),
            ("#/definitions/a", None),
            ("http://json-schema.org/draft-07/schema#", None),
            ("https://tc.example.com/xy/schemas/auth/v1/a.json#", None),
        ] {
            assert_eq!(of_schema(folder, name, &roots).unwrap().as_deref(), path, "{name}");
        }
        for bad in [
            "../../../a.json",
            "../../../../schemas/../a.json",
            "/etc/passwd",
            "//etc/a.json",
            "a b.json",
        ] {
            assert!(of_schema(folder, bad, &roots).is_err(), "{bad}");
        }
    }
}
