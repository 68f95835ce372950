//! References and schemas as JSON documents by path.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::paths;
use crate::error::{Error, Result};

/// Documents by their paths.
pub(super) type Documents = BTreeMap<String, Value>;

/// The two kinds of references.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Endpoints,
    Exchanges,
}

impl Kind {
    /// Returns the kind of a document by its `$schema`, or `None` if it is not a reference of either kind.
    pub(super) fn of(document: &Value) -> Option<Self> {
        let schema = document["$schema"].as_str()?;
        match schema.trim_end_matches('#').rsplit('/').next()? {
            "api-reference-v0.json" => Some(Self::Endpoints),
            "exchanges-reference-v0.json" => Some(Self::Exchanges),
            _ => None,
        }
    }

    pub(super) fn file(self) -> &'static str {
        match self {
            Self::Endpoints => "api.json",
            Self::Exchanges => "exchanges.json",
        }
    }
}

/// Returns the service, version and kind of the reference at this path, or `None` for a schema.
pub(super) fn reference_at(path: &str) -> Option<(&str, &str, Kind)> {
    let mut words = path.split('/');
    let (service, version, file) = (words.next()?, words.next()?, words.next()?);
    let kind = [Kind::Endpoints, Kind::Exchanges].into_iter().find(|kind| kind.file() == file)?;
    (service != "schemas" && words.next().is_none()).then_some((service, version, kind))
}

/// Returns the entries of a reference.
pub(super) fn entries(reference: &Value) -> &[Value] {
    reference["entries"].as_array().map_or(&[], Vec::as_slice)
}

/// Returns the schemas that a reference of this service names, with the keys that name them.
pub(super) fn schemas_of_entries(
    service: &str,
    reference: &Value,
    roots: &[String],
) -> Result<BTreeSet<(&'static str, String)>> {
    let folder = format!("schemas/{service}");
    let mut found = BTreeSet::new();
    for entry in entries(reference) {
        for key in ["input", "output", "schema"] {
            // A `blob` is not JSON and has no schema.
            let name = entry[key].as_str().filter(|name| *name != "blob");
            if let Some(path) =
                name.map_or(Ok(None), |name| paths::of_schema(&folder, name, roots))?
            {
                found.insert((key, path));
            }
        }
    }
    Ok(found)
}

/// Returns the schemas that the schema at this path refers to.
pub(super) fn schemas_of_schema(
    path: &str,
    schema: &Value,
    roots: &[String],
) -> Result<BTreeSet<String>> {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut found = BTreeSet::new();
    let mut rest = vec![schema];
    while let Some(value) = rest.pop() {
        match value {
            Value::Object(members) => {
                if let Some(Value::String(name)) = members.get("$ref") {
                    found.extend(paths::of_schema(folder, name, roots)?);
                }
                rest.extend(members.values());
            }
            Value::Array(items) => rest.extend(items),
            _ => {}
        }
    }
    Ok(found)
}

/// Returns those of the documents that can be reached from these schemas.
pub(super) fn closure(start: BTreeSet<String>, documents: &Documents) -> BTreeSet<String> {
    let (mut found, mut rest) = (BTreeSet::new(), Vec::from_iter(start));
    while let Some(path) = rest.pop() {
        if let Some(schema) = documents.get(&path)
            && !found.contains(&path)
        {
            // A reference that cannot be followed leads to no document here.
            rest.extend(schemas_of_schema(&path, schema, &[]).unwrap_or_default());
            found.insert(path);
        }
    }
    found
}

/// Makes `$schema` and `$id` relative to the root URL, so that a document does not depend on where it was fetched.
pub(super) fn make_relative(document: &mut Value, roots: &[String]) {
    for key in ["$schema", "$id"] {
        if let Some(Value::String(url)) = document.get_mut(key)
            && let Some(path) = paths::below(roots, url)
        {
            *url = path.to_owned();
        }
    }
}

/// Returns the content of a document's file.
pub(super) fn text(document: &Value) -> Result<String> {
    let text = serde_json::to_string_pretty(&sorted(document));
    let mut text =
        text.map_err(|error| Error::answer("a document cannot be written").because(error))?;
    text.push('\n');
    Ok(text)
}

/// Sorts the members of objects by name, even if `serde_json` was built to keep another order.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let members: BTreeMap<_, _> = members.iter().collect();
            let members = members.into_iter().map(|(name, value)| (name.clone(), sorted(value)));
            Value::Object(Map::from_iter(members))
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        other => other.clone(),
    }
}
