//! Finds what the `$id`s in a schema file name.
//!
//! A `$id` gives the schema around it a URI, relative to that of the nearest schema around that, or, if it starts with `#`, a
//! name within it. Only `$id`s of the same file are looked up by URI; other files are found by their paths.

use std::collections::HashMap;

use serde_json::Value;

use crate::input::pointer;

/// The URIs of the schemas in a file.
#[derive(Default)]
pub(crate) struct Ids {
    /// Pointers by URI. A name within a schema follows its URI and a `#`.
    named: HashMap<String, String>,
    /// The pointers of schemas with URIs of their own, and these. The file's own comes first, the innermost last.
    bases: Vec<(String, String)>,
}

impl Ids {
    pub(super) fn of(text: &str, json: &Value) -> Self {
        let mut ids = Self::default();
        let at_root = json.get("$id").is_some();
        // Few files have more than the root's, and the others need no search.
        if text.matches("\"$id\"").count() > usize::from(at_root) {
            ids.collect(json, &mut String::new(), "");
        } else if at_root {
            ids.add(json, "", "");
        }
        ids
    }

    /// Adds the `$id` of one schema, and returns the URI that it gives to what is in it, if it is a new one.
    fn add(&mut self, json: &Value, pointer: &str, base: &str) -> Option<String> {
        let id = json.get("$id")?.as_str()?;
        if json.get("$ref").is_some() {
            return None;
        }
        let (uri, name) = id.split_once('#').unwrap_or((id, ""));
        let uri = join(base, uri);
        if !name.is_empty() {
            self.named.insert(format!("{uri}#{name}"), pointer.to_owned());
        }
        if uri == base {
            return None;
        }
        self.named.insert(uri.clone(), pointer.to_owned());
        self.bases.push((pointer.to_owned(), uri.clone()));
        Some(uri)
    }

    fn collect(&mut self, json: &Value, at: &mut String, base: &str) {
        let own = self.add(json, at, base);
        let base = own.as_deref().unwrap_or(base);
        let length = at.len();
        let mut inside = |step: &str, value: &Value| {
            pointer::push(at, step);
            self.collect(value, at, base);
            at.truncate(length);
        };
        match json {
            Value::Object(members) => {
                let schemas = members.iter().filter(|(key, _)| {
                    // These hold values, whatever they look like.
                    !matches!(key.as_str(), "enum" | "const" | "default" | "examples")
                });
                schemas.for_each(|(key, value)| inside(key, value));
            }
            Value::Array(items) => {
                items.iter().enumerate().for_each(|(i, item)| inside(&i.to_string(), item));
            }
            _ => {}
        }
    }

    /// The pointer that a `$ref` at another place of this file means, or `None` if it means another file or nothing.
    pub(crate) fn find(&self, from: &str, uri: &str, fragment: &str) -> Option<String> {
        let is_around = |pointer: &str| {
            from.strip_prefix(pointer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let around = self.bases.iter().rev().find(|(pointer, _)| is_around(pointer));
        let (base_pointer, base) =
            around.map_or(("", ""), |(pointer, base)| (pointer.as_str(), base.as_str()));
        let uri = join(base, uri);
        if !fragment.is_empty() && !fragment.starts_with('/') {
            return self.named.get(&format!("{uri}#{fragment}")).cloned();
        }
        let schema = if uri == base { base_pointer } else { self.named.get(&uri)? };
        Some(format!("{schema}{fragment}"))
    }

    /// The pointer that a `$ref` in another file means.
    pub(crate) fn find_from_outside(&self, fragment: &str) -> Option<String> {
        let root = self.bases.iter().find(|(pointer, _)| pointer.is_empty());
        let named = match root {
            Some((_, uri)) => self.named.get(&format!("{uri}#{fragment}")),
            None => self.named.get(&format!("#{fragment}")),
        };
        match named {
            _ if fragment.is_empty() || fragment.starts_with('/') => Some(fragment.to_owned()),
            named => named.cloned(),
        }
    }
}

/// Resolves a URI reference without a fragment against a base.
fn join(base: &str, reference: &str) -> String {
    let scheme = reference.split(['/', '?']).next().is_some_and(|first| first.contains(':'));
    if scheme || base.is_empty() {
        return reference.to_owned();
    }
    if reference.is_empty() {
        return base.to_owned();
    }
    let authority = base.find("://").map_or(0, |scheme| {
        base[scheme + 3..].find('/').map_or(base.len(), |path| scheme + 3 + path)
    });
    let (authority, path) = base.split_at(authority);
    if reference.starts_with('/') {
        return format!("{authority}{reference}");
    }
    let mut steps: Vec<&str> = match path.rsplit_once('/') {
        Some((folder, _)) => folder.split('/').collect(),
        None if authority.is_empty() => Vec::new(),
        None => vec![""],
    };
    for step in reference.split('/') {
        match step {
            "." => {}
            ".." => drop(steps.pop()),
            step => steps.push(step),
        }
    }
    format!("{authority}{}", steps.join("/"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn references_are_resolved_as_rfc_3986_says() {
        for (base, reference, uri) in [
            ("", "a.json", "a.json"),
            ("http://x/a/b.json", "c.json", "http://x/a/c.json"),
            ("http://x/a/b.json", "../c.json", "http://x/c.json"),
            ("http://x/a/b.json", "/c.json", "http://x/c.json"),
            ("http://x/a/b.json", "https://y/c.json", "https://y/c.json"),
            ("http://x/a/b.json", "", "http://x/a/b.json"),
            ("http://x", "c.json", "http://x/c.json"),
            ("/schemas/queue/v1/task.json", "run.json", "/schemas/queue/v1/run.json"),
            ("a/b.json", "c.json", "a/c.json"),
            ("b.json", "c.json", "c.json"),
        ] {
            assert_eq!(join(base, reference), uri, "{base} {reference}");
        }
    }

    #[test]
    fn names_are_found_from_where_they_are_used() {
        let json = json!({
            "$id": "http://x/root.json",
            "definitions": {
                "a": {"$id": "#name", "type": "string"},
                "b": {
                    "$id": "folder/",
                    "definitions": {"c": {"$id": "item.json", "definitions": {"d": {}}}},
                },
                "not": {"const": {"$id": "none.json"}},
            },
        });
        let ids = Ids::of(&json.to_string(), &json);
        let find = |from: &str, uri: &str, fragment: &str| ids.find(from, uri, fragment);
        let some = |pointer: &str| Some(pointer.to_owned());
        assert_eq!(find("/properties/x", "", "name"), some("/definitions/a"));
        assert_eq!(find("/properties/x", "root.json", "/definitions/a"), some("/definitions/a"));
        assert_eq!(
            find("/properties/x", "folder/item.json", ""),
            some("/definitions/b/definitions/c")
        );
        assert_eq!(
            find("/definitions/b/items", "item.json", ""),
            some("/definitions/b/definitions/c")
        );
        assert_eq!(
            find("/definitions/b/definitions/c/items", "", "/definitions/d"),
            some("/definitions/b/definitions/c/definitions/d")
        );
        assert_eq!(find("/properties/x", "item.json", ""), None);
        assert_eq!(find("/properties/x", "none.json", ""), None);
        assert_eq!(ids.find_from_outside("name"), some("/definitions/a"));
        assert_eq!(ids.find_from_outside("other"), None);
    }
}
