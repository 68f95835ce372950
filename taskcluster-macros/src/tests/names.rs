//! Tests that wire names of any kind become names in Rust, and routes of any kind those of endpoints.

use serde_json::{Value, json};

use crate::expansion;
use crate::tests::support::{Folder, builds, endpoint, errors};

/// The words after each `before` in an expansion.
fn words<'a>(rust: &'a str, before: &str) -> Vec<&'a str> {
    let words = rust.split(before).skip(1);
    words.filter_map(|rest| rest.split([' ', ':', '(']).find(|word| !word.is_empty())).collect()
}

#[test]
fn arguments_options_and_parts_are_adapted_as_fields_are() {
    let args = ["$filter", "user.name", "user-name", "_id", "1st", "payload", "type"];
    let route: String = args.iter().map(|arg| format!("/<{arg}>")).collect();
    let mut list = endpoint("list", "get", &route, &args);
    list["query"] =
        json!(["filter[state]", "filter.state", "$top", "send", "type", "it's", "größe"]);
    let folder = Folder::of(&builds([list]), &[]);
    let rust = folder.expansion();
    assert_eq!(folder.errors(), [""; 0]);
    assert!(
        rust.contains(
            "& [& filter , & user_name , & user_name_ , & id , & n1st , & payload_ , & type_]"
        ),
        "{rust}"
    );
    let setters = words(rust.split_once("impl ListCall").unwrap().1, "pub fn ");
    assert_eq!(
        setters,
        ["filter_state", "filter_state_", "top", "send_", "type_", "it_s", "gr__e"]
    );
    // The wire has them as they are.
    for name in args.iter().chain(&["filter[state]", "it's"]) {
        assert!(rust.contains(&format!("{name:?}")), "{name}");
    }
    // rustdoc takes no quotes in an alias.
    assert!(rust.contains("alias = \"filter[state]\"") && !rust.contains("alias = \"it's\""));
}

#[test]
fn parts_of_a_routing_key_are_adapted_too() {
    let part = |name: &str| json!({"name": name, "required": true});
    let entry = json!({
        "type": "topic-exchange", "name": "done", "exchange": "done", "schema": "v1/done.json#",
        "routingKey": [part("user.name"), part("user_name"), part("_"), part("binding")],
    });
    let reference = json!({"exchangePrefix": "exchange/builds/v1/", "entries": [entry]});
    let folder = Folder::of(&reference, &[("done.json", json!(true))]);
    let rust = folder.expansion();
    assert_eq!(folder.errors(), [""; 0]);
    let setters = words(rust.split_once("impl Done {").unwrap().1, "pub fn ");
    assert_eq!(setters[..4], ["user_name", "user_name_", "n", "binding_"]);
}

#[test]
fn names_that_cannot_be_used_are_errors() {
    let of = |key: &str, names: Value| {
        let mut list = endpoint("list", "get", "/", &[]);
        list[key] = names;
        let errors = Folder::of(&builds([list]), &[]).errors();
        errors.first().and_then(|error| error.split_once(": ")).map(|(_, why)| why.to_owned())
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(of("query", json!(["a", "b", "a"])), some("`a` is listed twice"));
    assert_eq!(of("query", json!(["a", ""])), some("a name must not be empty"));
    assert_eq!(of("query", json!(["a\n"])), some("the name `a\\n` contains '\\n'"));
    assert_eq!(of("query", json!([1])), some("`query` must contain only strings"));
    assert_eq!(of("args", json!(["a/b"])), some("the name `a/b` contains '/'"));
}

#[test]
fn routes_have_what_rfc_3986_allows_in_a_path() {
    for (route, args) in [
        ("/workers/<workerPoolId>:/<workerGroup>", vec!["workerPoolId", "workerGroup"]),
        ("/:@!$&'()*+,;=-._~/%20%c3%BC/<a>.<b>", vec!["a", "b"]),
        ("/.well-known/...", vec![]),
    ] {
        let folder = Folder::of(&builds([endpoint("go", "get", route, &args)]), &[]);
        assert_eq!(folder.errors(), [""; 0]);
        assert!(folder.expansion().contains(&format!("route : {route:?}")), "{route}");
    }
    for (route, mistake) in [
        ("a", "must start with `/`"),
        ("/a b", "contains ' '; write it as `%20`"),
        ("/ä", "contains 'ä'; write it as `%C3%A4`"),
        ("/a?b=c", "contains '?'; list the options of the query in `query`"),
        ("/a#b", "contains '#'; write it as `%23`"),
        ("/100%", "contains a `%` that two hexadecimal digits must follow; write `%25` for itself"),
        ("/%zz", "contains a `%` that two hexadecimal digits must follow; write `%25` for itself"),
        ("/<a><b>", "has two arguments with nothing between them"),
        ("/a/../b", "contains the segment `..`, which URLs do not keep"),
        ("/a/%2E", "contains the segment `%2E`, which URLs do not keep"),
    ] {
        let folder = Folder::of(&builds([endpoint("go", "get", route, &[])]), &[]);
        let errors = folder.errors();
        assert!(errors[0].ends_with(&format!(": the route `{route}` {mistake}")), "{errors:?}");
    }
}

#[test]
fn a_prefix_of_exchanges_names_service_and_version() {
    let of = |prefix: &str| {
        let reference = json!({"exchangePrefix": prefix, "entries": []});
        let folder = Folder::of(&reference, &[]);
        let rust = folder.expansion();
        let (_, rest) = rust.split_once("Reference { service : \"").unwrap_or_default();
        let mut parts = rest.split('"');
        let facts = (
            parts.next().unwrap_or_default().to_owned(),
            parts.nth(1).unwrap_or_default().to_owned(),
        );
        (facts, folder.errors())
    };
    for (prefix, service, version) in [
        ("exchange/taskcluster-queue/v1/", "queue", "v1"),
        ("exchange/taskcluster-worker-manager/v2", "worker-manager", "v2"),
        ("exchange/builds/v1/", "builds", "v1"),
        ("exchange/acme/builds/v12/", "builds", "v12"),
    ] {
        assert_eq!(of(prefix), ((service.to_owned(), version.to_owned()), Vec::new()));
    }
    for prefix in ["exchange/builds/", "exchange/v1/", "exchange/builds/vx/", "exchange/"] {
        assert_eq!(
            of(prefix).1,
            [
                "api.json:1:1: not an API reference: add `serviceName` and `apiVersion`, or an `exchangePrefix` of the form \
              `exchange/<service>/<version>/`"
            ]
        );
    }
}

#[test]
fn two_items_that_want_one_module_are_an_error() {
    let names = "../tests/compile/api/names.json";
    let of = |items: &str| {
        let items = items.replace("NAMES", &format!("{names:?}"));
        let rust = expansion(syn::parse_str(&items).unwrap()).to_string();
        (errors(&rust), rust.matches("pub struct ").count())
    };
    let one = of("pub struct FooBar = NAMES;").1;
    let (errors, count) =
        of("pub struct FooBar = NAMES; pub struct Foo_Bar = NAMES; pub struct FooBar = NAMES;");
    assert_eq!(
        errors,
        [
            "`FooBar` and `Foo_Bar` both need a module `foo_bar`; rename one",
            "two items are named `FooBar`; rename one"
        ]
    );
    assert_eq!(count, one);
    let folder = "pub struct Company = NAMES; pub mod company = \"../tests/compile/api/company\";";
    assert_eq!(of(folder).0, ["`Company` and `company` both need a module `company`; rename one"]);
    // Only one of these is ever there.
    let either = "#[cfg(unix)] pub struct A = NAMES; #[cfg(not(unix))] pub struct A = NAMES;";
    assert_eq!(of(either).0, [""; 0]);
}

#[test]
fn a_schema_may_be_a_definition_in_a_file() {
    let text = |name: &str| json!({"type": "object", "properties": {name: {"type": "string"}}});
    let mut put = endpoint("put", "put", "/", &[]);
    put["input"] = json!("v1/defs.json#/definitions/percent%25and~1slash");
    put["output"] = json!("v1/defs.json#/$defs/out");
    let mut get = endpoint("get", "get", "/", &[]);
    get["output"] = json!("v1/defs.json#named");
    let mut elsewhere = endpoint("elsewhere", "get", "/elsewhere", &[]);
    elsewhere["output"] = json!("v1/defs.json#/components/schemas/Foo");
    let defs = json!({
        "definitions": {
            "percent%and/slash": {"type": "object", "properties": {
                "tilde": {"$ref": "#/definitions/tilde~0field"}, "named": {"$ref": "#named"},
                "other": {"$ref": "own.json#/definitions/inside"},
            }},
            "tilde~field": text("x"),
            "named": {"$id": "#named", "type": "object", "properties": {"y": {"type": "integer"}}},
            "own": {"$id": "own.json", "definitions": {"inside": text("z")}},
        },
        "$defs": {"out": text("o")},
        "components": {"schemas": {"Foo": text("f")}},
        "type": "this is no schema, and nobody asks for it",
    });
    let folder = Folder::of(&builds([put.clone(), get, elsewhere]), &[("defs.json", defs)]);
    assert_eq!(folder.errors(), [""; 0]);
    let rust = folder.expansion();
    let mut types = words(&rust, "pub struct ");
    types.sort_unstable();
    assert_eq!(
        types,
        [
            "Builds",
            "DefsFoo",
            "DefsNamed",
            "DefsOut",
            "DefsOwnInside",
            "DefsPercentAndSlash",
            "DefsTildeField"
        ]
    );
    put["output"] = json!("v1/defs.json#/definitions/none");
    let folder = Folder::of(&builds([put]), &[("defs.json", Value::Bool(true))]);
    let errors = folder.errors();
    assert_eq!(errors.len(), 2);
    assert!(
        errors[1].contains(
            ": cannot find the schema `v1/defs.json#/definitions/none`: there is nothing at `/definitions/none` in \
             `schemas/builds/v1/defs.json`; to do without it, write `#[schemas(missing = \"free-form\")]`"
        ),
        "{errors:?}"
    );
}
