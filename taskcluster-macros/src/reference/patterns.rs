//! Finds the patterns of path arguments and query options, which references lack.
//!
//! They are in the nearest `patterns.json` beside a reference or in a folder above it, by service, kind and name:
//! `{"queue": {"args": {"runId": "^[0-9]+$"}, "query": {"limit": "^[0-9]+$"}}}`, with `null` for a name that has none.
//! What it does not name is inferred: if all properties of an argument's name in the service's schemas share one pattern, so
//! does the argument; and the `limit` of a paginated endpoint is an integer.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::input::files::{Document, Files};
use crate::input::locate::JsonPath;
use crate::input::problems::{ProblemsAt, expected};
use crate::names::Name;
use crate::reference::model::Reference;
use crate::schema::resolve::Resolver;
use crate::schema::types::Place;

/// The file of patterns.
const FILE: &str = "patterns.json";

/// The query option of paginated endpoints that says how many items a page has, and the pattern of integers.
const LIMIT: (&str, &str) = ("limit", "^[0-9]+$");

pub(crate) fn find(
    reference: &mut Reference,
    document: &Document,
    files: &mut Files,
    problems: &mut ProblemsAt<'_>,
) {
    let stated = Stated::read(reference, document, files, problems);
    let inferred = inferred(reference, document, files);
    for endpoint in &mut reference.endpoints {
        let of_arg = |arg: &Name| {
            let inferred =
                || inferred.get(&arg.wire).filter(|all| all.len() == 1)?.first().cloned();
            stated.of("args", arg).unwrap_or_else(inferred)
        };
        let of_option = |option: &Name| {
            let is_limit = endpoint.paging.is_some() && option.wire == LIMIT.0;
            stated.of("query", option).unwrap_or_else(|| is_limit.then(|| LIMIT.1.to_owned()))
        };
        endpoint.patterns = endpoint.args.iter().map(of_arg).collect();
        endpoint.query_patterns = endpoint.query.iter().map(of_option).collect();
    }
}

/// The patterns of a service in the file of patterns.
struct Stated(Value);

impl Stated {
    fn read(
        reference: &Reference,
        document: &Document,
        files: &mut Files,
        problems: &mut ProblemsAt<'_>,
    ) -> Self {
        let Some(path) = files.find_above(&document.path, FILE) else { return Self(Value::Null) };
        let file = match files.read(&path) {
            Ok(file) => file,
            Err(message) => {
                problems.report(message);
                return Self(Value::Null);
            }
        };
        let place = JsonPath::default().key(&reference.service);
        let mut report =
            |place: &JsonPath, problem: &str| problems.report_in(&file, place, problem);
        let mut good = Map::new();
        match file.json.get(&reference.service) {
            None => {}
            Some(Value::Object(kinds)) => {
                for (kind, patterns) in kinds {
                    let place = place.key(kind);
                    match (kind.as_str(), patterns) {
                        ("args" | "query", Value::Object(patterns)) => {
                            for (name, _) in
                                patterns.iter().filter(|(_, pattern)| !is_pattern(pattern))
                            {
                                report(&place.key(name), "a pattern is a text, or `null` for none");
                            }
                            let patterns =
                                patterns.iter().filter(|(_, pattern)| is_pattern(pattern));
                            let patterns =
                                patterns.map(|(name, pattern)| (name.clone(), pattern.clone()));
                            good.insert(kind.clone(), patterns.collect());
                        }
                        ("args" | "query", _) => {
                            report(&place, "expected an object with patterns by name")
                        }
                        _ => {
                            let hint = expected(kind, &["args", "query"]);
                            report(&place, &format!("unknown kind of patterns `{kind}`{hint}"));
                        }
                    }
                }
            }
            Some(_) => report(&place, "expected an object with `args` and `query`"),
        }
        Self(Value::Object(good))
    }

    /// What the file says about a name: a pattern, or that there is none.
    fn of(&self, kind: &str, name: &Name) -> Option<Option<String>> {
        let pattern = self.0.get(kind)?.get(&name.wire)?;
        Some(pattern.as_str().map(str::to_owned))
    }
}

fn is_pattern(value: &Value) -> bool {
    value.is_string() || value.is_null()
}

/// The patterns of all properties in the schemas that the endpoints name.
fn inferred(
    reference: &Reference,
    document: &Document,
    files: &mut Files,
) -> BTreeMap<String, BTreeSet<String>> {
    let mut patterns: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let named = reference.endpoints.iter().flat_map(|endpoint| [&endpoint.input, &endpoint.output]);
    let mut resolver = Resolver { files, reference: &document.path, service: &reference.service };
    // Schemas that cannot be had are reported elsewhere.
    let schemas = named.flatten().filter_map(|schema| resolver.named(schema).ok());
    let mut open: Vec<_> = schemas.map(|schema| schema.place.path).collect();
    let mut seen = BTreeSet::new();
    while let Some(path) = open.pop() {
        if seen.insert(path.clone())
            && let Ok(document) = resolver.files.read(&path)
        {
            let mut targets = BTreeSet::new();
            collect(&document.json, &mut patterns, &mut targets);
            let root = Place { path, pointer: String::new() };
            let schemas = targets.iter().filter_map(|target| resolver.target(&root, target).ok());
            open.extend(schemas.map(|schema| schema.place.path));
        }
    }
    patterns
}

/// Collects the patterns of properties, and what a schema refers to in other files.
fn collect(
    json: &Value,
    patterns: &mut BTreeMap<String, BTreeSet<String>>,
    targets: &mut BTreeSet<String>,
) {
    match json {
        Value::Object(members) => {
            if let Some(Value::String(target)) = members.get("$ref")
                && !target.starts_with('#')
            {
                targets.insert(target.clone());
            }
            if let Some(Value::Object(properties)) = members.get("properties") {
                for (name, property) in properties {
                    if let Some(pattern) = property.get("pattern").and_then(Value::as_str) {
                        patterns.entry(name.clone()).or_default().insert(pattern.to_owned());
                    }
                }
            }
            members.values().for_each(|member| collect(member, patterns, targets));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, patterns, targets)),
        _ => {}
    }
}
