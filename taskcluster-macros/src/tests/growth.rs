//! Tests that the work of an expansion grows as its reference does. Work is counted in allocations, so that no clock and no
//! other program has a part in it: all that is compared, named or looked up is allocated first or next to something that is.

use allocation_counter::AllocationInfo;
use serde_json::{Value, json};

use crate::expansion;
use crate::tests::support::{Folder, builds, endpoint, errors, taking};

/// What it takes to expand a reference.
fn work(reference: &Value, schemas: &[(&str, Value)]) -> AllocationInfo {
    let folder = Folder::of(reference, schemas);
    let item = format!("pub struct Builds = {:?};", folder.0.join("api.json"));
    allocation_counter::measure(|| {
        let rust = expansion(syn::parse_str(&item).unwrap());
        assert!(!rust.is_empty());
    })
}

/// Whether ten times as much takes about ten times the work; a quadratic part would make it a hundred.
#[track_caller]
fn grows_evenly(of_size: impl Fn(usize) -> AllocationInfo, size: usize) {
    let (small, large) = (of_size(size), of_size(10 * size));
    let counts = large.count_total as f64 / small.count_total as f64;
    let bytes = large.bytes_total as f64 / small.bytes_total as f64;
    assert!(counts < 13.0, "{counts:.1} times as many allocations: {small:?} {large:?}");
    assert!(bytes < 15.0, "{bytes:.1} times as many bytes: {small:?} {large:?}");
}

/// A reference of endpoints that read and write a resource each, with records, lists, choices and unions.
fn services(count: usize) -> AllocationInfo {
    let mut entries = Vec::new();
    let mut schemas = Vec::new();
    for n in 0..count {
        let route = format!("/resource-{n}/<id>");
        let name = format!("v1/resource-{n}.json#");
        let mut get = endpoint(&format!("get{n}"), "get", &route, &["id"]);
        get["output"] = json!(name);
        get["category"] = json!(format!("Resource {n}"));
        let mut put = endpoint(&format!("put{n}"), "put", &route, &["id"]);
        put["input"] = json!(name);
        entries.extend([get, put]);
        let branch = |kind: &str| json!({"type": "object", "properties": {"kind": {"enum": [kind]}, "x": {"type": "string"}}});
        let schema = json!({
            "type": "object",
            "properties": {
                "id": {"type": "string", "pattern": "^[a-z]+$"},
                "state": {"type": "string", "enum": ["pending", "running", format!("state-{n}")]},
                "parts": {"type": "array", "items": {"type": "object", "properties": {"x": {"type": "integer"}}}},
                "kind": {"oneOf": [branch("a"), branch("b")]},
                "tree": {"$ref": "#/definitions/tree"},
            },
            "definitions": {
                "tree": {"type": "object", "properties": {"next": {"$ref": "#/definitions/tree"}}},
            },
            "required": ["id"],
        });
        schemas.push((format!("resource-{n}.json"), schema));
    }
    let schemas: Vec<_> =
        schemas.iter().map(|(name, schema)| (name.as_str(), schema.clone())).collect();
    work(&builds(entries), &schemas)
}

/// One file of definitions, each of which has those after it in a list.
fn definitions(count: usize) -> AllocationInfo {
    let mut definitions = json!({});
    let mut properties = json!({});
    for n in 0..count {
        definitions[format!("d{n}")] = json!({
            "type": "object", "properties": {"all": {"type": "array", "items": {"$ref": "#"}}},
        });
        properties[format!("p{n}")] = json!({"$ref": format!("#/definitions/d{n}")});
    }
    // Groups, since a record has a limit.
    let properties = properties.as_object().unwrap().clone();
    let mut groups = json!({});
    for (n, (name, property)) in properties.into_iter().enumerate() {
        groups[format!("group{}", n / 16)]["type"] = json!("object");
        groups[format!("group{}", n / 16)]["properties"][name] = property;
    }
    let whole = json!({"type": "object", "definitions": definitions, "properties": groups});
    let mut build = endpoint("build", "post", "/build", &[]);
    build["input"] = json!("v1/build.json#");
    work(&builds([build]), &[("build.json", whole)])
}

#[test]
fn work_grows_with_the_number_of_endpoints() {
    grows_evenly(services, 20);
}

#[test]
fn work_grows_with_the_number_of_definitions() {
    grows_evenly(definitions, 100);
}

/// A reference of endpoints that each take a schema, which contains the one that the next endpoint takes.
fn chain(count: usize, link: impl Fn(Value) -> Value) -> Vec<String> {
    let mut entries = Vec::new();
    let mut schemas = Vec::new();
    // In this order each schema is understood before the next one that contains it, so that none is deep by itself.
    for n in (0..count).rev() {
        let mut post = endpoint(&format!("post{n}"), "post", &format!("/{n}"), &[]);
        post["input"] = json!(format!("v1/link{n}.json#"));
        entries.push(post);
        let next = json!({"$ref": format!("link{}.json#", n + 1)});
        let next = if n + 1 < count { next } else { json!({"type": "object", "properties": {}}) };
        schemas.push((format!("link{n}.json"), link(next)));
    }
    let schemas: Vec<_> =
        schemas.iter().map(|(name, schema)| (name.as_str(), schema.clone())).collect();
    let folder = Folder::of(&builds(entries), &schemas);
    errors(&folder.expansion())
}

#[test]
fn what_is_nested_too_deep_is_one_error_with_its_place() {
    let record = |next| json!({"type": "object", "properties": {"next": next}});
    let list =
        |next| json!({"type": "object", "properties": {"next": {"type": "array", "items": next}}});
    for count in [40, 400] {
        for errors in [chain(count, record), chain(count, list)] {
            match count {
                40 => assert_eq!(errors, [""; 0]),
                _ => {
                    assert_eq!(errors.len(), 1, "{errors:?}");
                    assert!(
                        errors[0].contains(".json:1:1: schemas are nested more than 48 deep here"),
                        "{errors:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn json_nested_too_deep_is_an_error_with_its_place() {
    const LIST: &str = r#"{"type":"array","items":"#;
    let folder = taking(json!({}));
    let file = folder.0.join("schemas/builds/v1/build.json");
    let nested = |depth: usize| format!("{}{{}}{}", LIST.repeat(depth), "}".repeat(depth));
    std::fs::write(&file, nested(40)).unwrap();
    assert_eq!(folder.errors(), [""; 0]);
    std::fs::write(&file, nested(60)).unwrap();
    let place = 1 + 48 * LIST.len();
    let message = format!(
        "schemas/builds/v1/build.json:1:{place}: schemas are nested more than 48 deep here"
    );
    assert_eq!(folder.errors(), [message]);
    for depth in [200, 100_000] {
        std::fs::write(&file, nested(depth)).unwrap();
        let place = 1 + 127 * LIST.len();
        let message =
            format!("schemas/builds/v1/build.json:1:{place}: values are nested more than 127 deep");
        assert_eq!(folder.errors(), [message]);
    }
}
