//! Where documents lie: in a deployment, and in the folder that they are written to. Both are the same path, such as
//! `schemas/queue/v1/task.json`, and nothing else than such a path is ever written.

use crate::error::{Error, Result};

/// How long a word of a path may be, in bytes.
const MAX_WORD: usize = 100;

/// How many words a path may have.
const MAX_WORDS: usize = 10;

/// What a service, a version, a folder or a file may be called, so that it stays where it is put on every system.
pub(super) fn is_plain(word: &str) -> bool {
    word.len() <= MAX_WORD
        && word.starts_with(|c: char| c.is_ascii_alphanumeric())
        && !word.ends_with('.')
        && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

/// Checks a path that a deployment has named.
pub(super) fn check(path: &str) -> Result<()> {
    let is_good = path.ends_with(".json")
        && path.split('/').count() <= MAX_WORDS
        && path.split('/').all(is_plain);
    if is_good { Ok(()) } else { Err(strange(path)) }
}

/// A reference's path, by what it says of itself.
pub(super) fn of_reference(service: &str, version: &str, file: &str) -> Result<String> {
    let path = format!("{service}/{version}/{file}");
    // The schemas have this folder.
    if service == "schemas" || service.contains('/') || version.contains('/') {
        return Err(strange(&path));
    }
    check(&path).map(|()| path)
}

/// The path of a schema that a document names; `None` if that is the document itself, or not the deployment's.
///
/// `folder` is what relative names are relative to, and `roots` are the URLs that stand for the deployment.
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

/// The path of an URL below one of these roots, with its slash.
pub(super) fn below<'a>(roots: &[String], url: &'a str) -> Option<&'a str> {
    let mut paths = roots.iter().filter_map(|root| url.strip_prefix(root.as_str()));
    paths.find(|path| path.starts_with('/'))
}

fn strange(path: &str) -> Error {
    let start: String = path.chars().take(MAX_WORD).collect();
    Error::answer(format!("the deployment names a file {start:?}, which is not written anywhere"))
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
