//! Tests that the JSON Schema of the reference format and the macro take and refuse the same references.

use std::fs;
use std::path::{Path, PathBuf};

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::{Value, json};

use crate::tests::support::Folder;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn json_in(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// The JSON Schema of the format.
struct Format(Schemas, SchemaIndex);

impl Format {
    fn new() -> Self {
        let schema = json_in(&root().join("taskcluster/src/reference_format/schema.json"));
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        compiler.add_resource("format:schema.json", schema).unwrap();
        let index = compiler.compile("format:schema.json", &mut schemas).unwrap();
        Self(schemas, index)
    }

    fn mistake(&self, reference: &Value) -> Option<String> {
        self.0.validate(reference, self.1).err().map(|error| error.to_string())
    }
}

/// All files below a folder that are references.
fn references(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            references(&path, found);
        } else if json_in(&path).get("entries").is_some() {
            found.push(path);
        }
    }
}

#[test]
fn all_references_are_of_the_format() {
    let format = Format::new();
    let mut files = Vec::new();
    references(&root().join("references"), &mut files);
    references(&root().join("taskcluster/examples/own_service"), &mut files);
    references(&root().join("tests/compile/api/company"), &mut files);
    assert!(files.len() > 30, "{files:?}");
    for file in files {
        assert_eq!(format.mistake(&json_in(&file)), None, "{}", file.display());
    }
}

#[test]
fn the_schema_and_the_macro_refuse_the_same() {
    let format = Format::new();
    let folder = root().join("taskcluster/examples/own_service");
    let schema = json_in(&folder.join("schemas/releases/v1/release.json"));
    let list = json_in(&folder.join("schemas/releases/v1/release-list.json"));
    let check = |reference: &Value| {
        let mut reference = reference.clone();
        // Where the test's folder has schemas.
        if reference["serviceName"] == "releases" {
            reference["serviceName"] = json!("builds");
        }
        let schemas = [("release.json", schema.clone()), ("release-list.json", list.clone())];
        (format.mistake(&reference), Folder::of(&reference, &schemas).errors())
    };
    let endpoints = json_in(&folder.join("api.json"));
    let exchanges = json_in(&folder.join("exchanges.json"));
    for good in [&endpoints, &exchanges] {
        assert_eq!(check(good), (None, Vec::new()));
    }

    let mut refused = 0;
    for (reference, place, value) in [
        (&endpoints, "/entries/0/type", json!("functoin")),
        (&endpoints, "/entries/0/name", json!("list releases")),
        (&endpoints, "/entries/0/method", json!("gett")),
        (&endpoints, "/entries/0/route", json!("products")),
        (&endpoints, "/entries/0/route", json!("/a b")),
        (&endpoints, "/entries/0/route", json!("/100%")),
        (&endpoints, "/entries/0/route", Value::Null),
        (&endpoints, "/entries/0/args", json!("product")),
        (&endpoints, "/entries/0/query", json!(["limit", "limit"])),
        (&endpoints, "/entries/0/query", json!(["limit", ""])),
        (&endpoints, "/entries/0/query", json!([7])),
        (&endpoints, "/entries/0/stability", json!("stabel")),
        (&endpoints, "/entries/0/scope", json!("releases:list")),
        (&endpoints, "/entries/0/title", json!(7)),
        (&endpoints, "/entries/1/scopes", json!({"AllOff": []})),
        (&endpoints, "/entries/1/scopes", json!({"AnyOf": "releases:*"})),
        (&endpoints, "/entries/1/scopes", json!({"for": "x", "in": "xs"})),
        (&endpoints, "/entries/1/scopes", json!(["a"])),
        (&endpoints, "/entries/1/input", json!(["v1/release.json#"])),
        (&endpoints, "/entries/2", json!("an endpoint")),
        (&endpoints, "/entries", json!({})),
        (&endpoints, "/serviceName", json!("my releases")),
        (&endpoints, "/baseUrl", json!("ftp://releases")),
        (&exchanges, "/entries/0/routingKey", json!({})),
        (&exchanges, "/entries/0/routingKey/0/required", json!("yes")),
        (&exchanges, "/entries/0/routingKey/0/name", json!("")),
        (&exchanges, "/entries/0/schema", Value::Null),
        (&exchanges, "/entries/0/type", json!("function")),
    ] {
        let mut wrong = reference.clone();
        let (outer, key) = place.rsplit_once('/').unwrap();
        match wrong.pointer_mut(outer).unwrap() {
            Value::Array(items) => items[key.parse::<usize>().unwrap()] = value,
            outer => outer[key] = value,
        }
        let (by_schema, by_macro) = check(&wrong);
        assert!(by_schema.is_some(), "{place}: {wrong}");
        assert!(!by_macro.is_empty(), "{place}: {wrong}");
        refused += 1;
    }
    for (reference, key) in
        [(&endpoints, "serviceName"), (&endpoints, "entries"), (&exchanges, "exchangePrefix")]
    {
        let mut wrong = reference.clone();
        wrong.as_object_mut().unwrap().remove(key);
        let (by_schema, by_macro) = check(&wrong);
        assert!(by_schema.is_some() && !by_macro.is_empty(), "{key}: {by_schema:?} {by_macro:?}");
        refused += 1;
    }
    assert_eq!(refused, 31);

    // What may be left out, and odd things that are right.
    let unnamed = |reference: &Value| {
        let mut reference = reference.clone();
        let members = reference.as_object_mut().unwrap();
        members.retain(|key, _| !matches!(key.as_str(), "serviceName" | "apiVersion"));
        reference
    };
    let mut named_by_prefix = unnamed(&exchanges);
    named_by_prefix["exchangePrefix"] = json!("exchange/acme/builds/v1");
    let mut old = unnamed(&endpoints);
    old["baseUrl"] = json!("https://builds.example.com/v1");
    old["entries"][1]["scopes"] = json!([["a", "b"], ["c"]]);
    old["entries"][1]["route"] = json!("/:@!$&'()*+,;=-._~%20/<product>:<version>");
    old["entries"][1]["method"] = json!("PUT");
    old["entries"][0]["query"] = json!(["$filter", "filter[state]", "continuationToken"]);
    for good in [&named_by_prefix, &old] {
        assert_eq!(check(good), (None, Vec::new()));
    }
}

#[test]
fn the_page_has_the_files_of_the_example() {
    let page = fs::read_to_string(root().join("taskcluster/src/reference_format/page.md")).unwrap();
    for file in ["api.json", "exchanges.json", "schemas/releases/v1/release.json"] {
        let text =
            fs::read_to_string(root().join("taskcluster/examples/own_service").join(file)).unwrap();
        assert!(page.contains(&format!("```json\n{text}```\n")), "{file}");
    }
}
