//! Finds the patterns of path arguments. If all properties of an argument's name in the service's schemas share one pattern,
//! so does the argument.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::input::files::{Document, Files};
use crate::reference::model::Reference;
use crate::schema::resolve::Resolver;

pub(crate) fn find(reference: &mut Reference, document: &Document, files: &mut Files) {
    let mut patterns: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let named = reference.endpoints.iter().flat_map(|endpoint| [&endpoint.input, &endpoint.output]);
    // Missing schemas have already been reported; files that cannot be read will be.
    let mut open: Vec<_> = named
        .flatten()
        .filter_map(|schema| files.find_schema(&document.path, &reference.service, schema).ok())
        .collect();
    let mut seen = BTreeSet::new();
    let resolver = Resolver { files, reference: &document.path, service: &reference.service };
    while let Some(path) = open.pop() {
        if seen.insert(path.clone())
            && let Ok(schema) = resolver.files.read(&path)
        {
            let mut targets = BTreeSet::new();
            collect(&schema.json, &mut patterns, &mut targets);
            let targets = targets.iter().filter_map(|file| resolver.path_of(&path, file).ok());
            open.extend(targets);
        }
    }
    for endpoint in &mut reference.endpoints {
        endpoint.patterns = endpoint
            .args
            .iter()
            .map(|arg| patterns.get(&arg.wire).filter(|all| all.len() == 1)?.first().cloned())
            .collect();
    }
}

/// Collects the patterns of properties, and the other files that a schema refers to.
fn collect(
    json: &Value,
    patterns: &mut BTreeMap<String, BTreeSet<String>>,
    files: &mut BTreeSet<String>,
) {
    match json {
        Value::Object(members) => {
            if let Some(Value::String(target)) = members.get("$ref")
                && let Some(file) = target.split('#').next().filter(|file| !file.is_empty())
            {
                files.insert(file.to_owned());
            }
            if let Some(Value::Object(properties)) = members.get("properties") {
                for (name, property) in properties {
                    if let Some(pattern) = property.get("pattern").and_then(Value::as_str) {
                        patterns.entry(name.clone()).or_default().insert(pattern.to_owned());
                    }
                }
            }
            members.values().for_each(|member| collect(member, patterns, files));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, patterns, files)),
        _ => {}
    }
}
