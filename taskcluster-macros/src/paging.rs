//! Which endpoints answer in pages: they take a continuation token, and their answers have one beside a list.

use serde_json::Value;

use crate::files::{Document, Files};
use crate::model::{Paging, Reference};
use crate::problems::ProblemsAt;

/// The property of a page that names the next one.
const TOKEN: &str = "continuationToken";

/// The query options that take it; `pulse.listNamespaces` of 2017 has a shorter one.
const OPTIONS: &[&str] = &[TOKEN, "continuation"];

pub(crate) fn find(
    reference: &mut Reference,
    document: &Document,
    files: &mut Files,
    problems: &mut ProblemsAt<'_>,
) {
    for endpoint in &mut reference.endpoints {
        let option = endpoint.query.iter().find(|option| OPTIONS.contains(&option.wire.as_str()));
        let (Some(option), Some(output)) = (option, &endpoint.output) else { continue };
        // A missing schema has been reported by then.
        let Ok(path) = files.find_schema(&document.path, &reference.service, output) else {
            continue;
        };
        match items(files, &path) {
            Ok(Some(items)) => {
                let query = option.wire.clone();
                endpoint.paging = Some(Paging { query, token: TOKEN.to_owned(), items });
            }
            Ok(None) => {}
            Err(message) => problems.report(message),
        }
    }
}

/// The one list among the properties of a page.
fn items(files: &mut Files, path: &str) -> Result<Option<String>, String> {
    let schema = files.read(path)?;
    let Some(Value::Object(properties)) = schema.json.get("properties") else { return Ok(None) };
    if !properties.contains_key(TOKEN) {
        return Ok(None);
    }
    let mut lists = Vec::new();
    for (name, property) in properties {
        if is_list(files, path, property)? {
            lists.push(name);
        }
    }
    Ok(match lists.as_slice() {
        [only] => Some((*only).clone()),
        _ => None,
    })
}

/// Whether a property is a list, if need be by the other file that it refers to.
fn is_list(files: &mut Files, path: &str, property: &Value) -> Result<bool, String> {
    if let Some(kind) = property.get("type") {
        return Ok(kind == "array");
    }
    let Some(target) = property.get("$ref").and_then(Value::as_str) else { return Ok(false) };
    let Some((file, pointer)) = target.split_once('#') else { return Ok(false) };
    if file.is_empty() || file.contains('/') {
        return Ok(false);
    }
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let schema = files.read(&format!("{folder}/{file}"))?;
    Ok(schema
        .json
        .pointer(pointer)
        .and_then(|target| target.get("type"))
        .is_some_and(|kind| kind == "array"))
}
