//! Tests of references that are written here: how they are read, and that odd ones end in time.

use serde_json::{Value, json};

use crate::input::files::Files;
use crate::input::problems::Problems;
use crate::reference;
use crate::schema::types::Types;
use crate::tests::support::{Folder, endpoint, taking};

#[test]
fn a_prefix_of_exchanges_ends_with_a_slash() {
    for prefix in ["exchange/builds/v1", "exchange/builds/v1/"] {
        let reference = json!({
            "serviceName": "builds", "apiVersion": "v1", "exchangePrefix": prefix,
            "entries": [{
                "type": "topic-exchange", "name": "buildDone", "exchange": "build-done",
                "routingKey": [], "schema": "v1/done.json#",
            }],
        });
        let folder = Folder::of(&reference, &[("done.json", json!({"type": "object"}))]);
        let rust = folder.expansion();
        assert!(rust.contains("\"exchange/builds/v1/build-done\""), "{rust}");
        assert!(rust.contains("exchange_prefix : \"exchange/builds/v1/\""), "{rust}");
    }
}

#[test]
fn alternatives_of_alternatives_take_no_longer_than_others() {
    let mut definitions = json!({"end": {"type": "string", "maxLength": 3}});
    for depth in 0..40 {
        let next = if depth == 39 { "end".to_owned() } else { format!("d{}", depth + 1) };
        let next = json!({"$ref": format!("#/definitions/{next}")});
        definitions[format!("d{depth}")] =
            json!({"type": "string", "pattern": format!("p{depth}"), "anyOf": [next, next]});
    }
    let folder = taking(json!({
        "type": "object", "definitions": definitions,
        "properties": {"name": {"$ref": "#/definitions/d0"}},
    }));
    let rust = folder.expansion();
    assert!(!rust.contains("compile_error"), "{rust}");
    assert!(rust.contains("Pattern (\"p0\")"));
    assert!(rust.len() < 100_000, "{}", rust.len());
}

/// Records in records, each in a file of its own.
fn nested(depth: usize) -> String {
    let mut definitions = json!({});
    for n in 1..depth {
        definitions[format!("d{n}")] = json!({
            "type": "object", "properties": {"next": {"$ref": format!("#/definitions/d{}", n + 1)}},
        });
    }
    definitions[format!("d{depth}")] =
        json!({"type": "object", "properties": {"x": {"type": "string"}}});
    taking(json!({
        "type": "object", "definitions": definitions,
        "properties": {"next": {"$ref": "#/definitions/d1"}},
    }))
    .expansion()
}

#[test]
fn records_nested_too_deep_are_an_error() {
    let rust = nested(4_000);
    let message = "schemas are nested more than 48 deep here";
    assert_eq!(rust.matches(message).count(), 1, "{}", &rust[rust.len() - 1_000..]);
    assert!(!nested(46).contains("compile_error"));
}

/// A reference that reads and writes a resource, with these properties of what is read and written.
fn converts(read: Value, written: Value, required: &[&str]) -> bool {
    let mut get = endpoint("get", "get", "/build/<id>", &["id"]);
    get["output"] = json!("v1/read.json#");
    let mut put = endpoint("put", "put", "/build/<id>", &["id"]);
    put["input"] = json!("v1/written.json#");
    let reference = json!({"serviceName": "builds", "apiVersion": "v1", "entries": [get, put]});
    let object = |properties| {
        json!({
            "type": "object", "properties": properties, "required": required,
            "additionalProperties": false,
        })
    };
    let schemas = [("read.json", object(read)), ("written.json", object(written))];
    Folder::of(&reference, &schemas).expansion().contains("From < & Read > for Written")
}

#[test]
fn a_request_is_made_of_an_answer_only_if_everything_fits() {
    let text = || json!({"type": "string"});
    let or_null = || json!({"type": ["string", "null"]});
    let list = |item| json!({"type": "array", "items": item});
    let choice = |values: &[&str]| json!({"type": "string", "enum": values});
    let number = || json!({"type": "number"});
    for (fits, read, written) in [
        (true, text(), text()),
        (true, list(text()), list(text())),
        (true, choice(&["a", "b"]), choice(&["a", "b", "c"])),
        (true, text(), or_null()),
        (true, json!({}), json!({})),
        (false, text(), number()),
        (false, list(text()), list(number())),
        (false, choice(&["a", "c"]), choice(&["a", "b"])),
        (false, or_null(), text()),
        (false, json!({}), text()),
    ] {
        let case = format!("{read} as {written}");
        let property = |schema: &Value| json!({"x": schema});
        let inside = |schema: &Value| json!({"x": {"type": "object", "properties": property(schema), "required": ["x"]}});
        assert_eq!(converts(property(&read), property(&written), &["x"]), fits, "{case}");
        assert_eq!(converts(inside(&read), inside(&written), &["x"]), fits, "{case}");
    }
    let one = || json!({"x": text()});
    let two = || json!({"x": text(), "y": text()});
    assert!(converts(two(), one(), &["x"]));
    assert!(!converts(one(), two(), &["x"]));
    assert!(converts(json!({"x": or_null()}), one(), &[]));
    assert!(!converts(one(), json!({}), &[]));
}

/// The conversions of a reference: which types are made of which.
fn conversions(path: &str) -> Vec<String> {
    let invocation = syn::parse_str(&format!("pub struct Service = {path:?};")).unwrap();
    let mut problems = Problems::default();
    let (_, payloads) = reference::all(&invocation, &mut Files::in_this_crate(), &mut problems);
    let types: &Types = payloads.of(0);
    let name = |id: usize| &types.all[id].name;
    let made = types.all.iter().flat_map(|kind| {
        kind.made_of.iter().map(|source| format!("{} <- {}", kind.name, name(source.answer)))
    });
    made.collect()
}

#[test]
fn requests_are_made_of_the_answers_about_the_same_resource() {
    let current =
        |service: &str| conversions(&format!("../references/current/{service}/v1/api.json"));
    assert_eq!(
        current("auth"),
        ["CreateClientRequest <- GetClientResponse", "CreateRoleRequest <- GetRoleResponse"]
    );
    assert_eq!(current("hooks"), ["CreateHookRequest <- HookDefinition"]);
    assert_eq!(current("index"), ["InsertTaskRequest <- IndexedTaskResponse"]);
    assert_eq!(
        current("queue"),
        ["CreateTaskRequest <- Task", "UpdateWorkerRequest <- WorkerResponse"]
    );
    assert_eq!(
        current("worker-manager"),
        ["CreateWorkerPoolRequest <- WorkerPoolFull", "UpdateWorkerPoolRequest <- WorkerPoolFull"]
    );
    for service in ["github", "notify", "object", "purge-cache", "secrets"] {
        assert_eq!(current(service), [""; 0]);
    }
    assert_eq!(
        conversions("../references/2017/queue.json"),
        [
            "CreateTaskRequest <- Task",
            "UpdateProvisionerRequest <- ProvisionerResponse",
            "UpdateWorkertypeRequest <- WorkertypeResponse",
            "QuarantineWorkerRequest <- WorkerResponse",
            "UpdateWorkerRequest <- WorkerResponse",
        ]
    );
}
