//! Everything in the references has come out of the macro.

use std::fs;

use serde_json::Value;
use taskcluster::*;

use crate::references::{LEGACY_FILES, PREBUILT, count_in_files, current, entries, read, root};

#[test]
fn everything_in_the_references_has_come_out_of_the_macro() {
    let (mut endpoints, mut exchanges, mut used) = (0, 0, 0);
    for (service, file) in current("api") {
        let reference =
            PREBUILT.iter().find(|r| r.service == service && r.exchanges.is_empty()).unwrap();
        used += 1;
        endpoints += compare_endpoints(reference, &file);
    }
    for (service, file) in current("exchanges") {
        let reference =
            PREBUILT.iter().find(|r| r.service == service && !r.exchanges.is_empty()).unwrap();
        used += 1;
        exchanges += compare_exchanges(reference, &file);
    }
    assert_eq!((endpoints, exchanges), (count_in_files("api"), count_in_files("exchanges")));
    assert_eq!(used, PREBUILT.len());
}

#[test]
fn everything_of_2017_has_come_out_of_the_macro() {
    let files = fs::read_dir(root().join("2017")).unwrap().filter(|file| {
        let path = file.as_ref().unwrap().path();
        path.extension().is_some_and(|extension| extension == "json")
            && !path.ends_with("patterns.json")
    });
    assert_eq!(files.count(), LEGACY_FILES.len());
    let (mut endpoints, mut exchanges) = (0, 0);
    for (name, reference) in LEGACY_FILES {
        let file = read(&root().join("2017").join(format!("{name}.json")));
        assert_eq!(reference.base_url, file["baseUrl"].as_str());
        if name.ends_with("-events") {
            exchanges += compare_exchanges(reference, &file);
        } else {
            assert_eq!((reference.service, reference.version), (*name, "v1"));
            endpoints += compare_endpoints(reference, &file);
        }
    }
    assert_eq!((endpoints, exchanges), (123, 22));
}

/// Holds the facts of an API against its file; returns how many endpoints there are.
fn compare_endpoints(reference: &Reference, file: &Value) -> usize {
    assert_eq!(reference.endpoints.len(), entries(file).len());
    for (facts, entry) in reference.endpoints.iter().zip(entries(file)) {
        assert_eq!(facts.name, entry["name"]);
        assert_eq!(facts.title, entry["title"]);
        assert_eq!(facts.route, entry["route"]);
        assert_eq!(facts.method.as_str(), entry["method"].as_str().unwrap().to_ascii_uppercase());
        assert_eq!(serde_json::json!(facts.args), entry["args"]);
        assert_eq!(serde_json::json!(facts.query), entry["query"]);
        assert_eq!(facts.input, entry["input"].as_str());
        assert_eq!(facts.output, entry["output"].as_str());
        assert_eq!(facts.scopes.is_some(), entry.get("scopes").is_some());
        assert_eq!(
            format!("{:?}", facts.stability).to_lowercase(),
            entry["stability"].as_str().unwrap()
        );
        let token = facts.query.iter().find(|option| option.starts_with("continuation"));
        assert_eq!(facts.paging.map(|paging| paging.query), token.copied(), "{facts}");
    }
    reference.endpoints.len()
}

/// Holds the facts of exchanges against their file; returns how many there are.
fn compare_exchanges(reference: &Reference, file: &Value) -> usize {
    assert_eq!(reference.exchange_prefix, file["exchangePrefix"]);
    assert_eq!(reference.exchanges.len(), entries(file).len());
    for (facts, entry) in reference.exchanges.iter().zip(entries(file)) {
        assert_eq!(facts.name, entry["name"]);
        assert_eq!(facts.title, entry["title"]);
        let name = format!("{}{}", reference.exchange_prefix, entry["exchange"].as_str().unwrap());
        assert_eq!(facts.exchange, name);
        assert_eq!(facts.schema, entry["schema"]);
        let parts = entry["routingKey"].as_array().unwrap();
        assert_eq!(facts.routing_key.len(), parts.len());
        for (facts, part) in facts.routing_key.iter().zip(parts) {
            assert_eq!(facts.name, part["name"]);
            assert_eq!(facts.constant, part["constant"].as_str());
            assert_eq!(facts.required, part["required"]);
            assert_eq!(facts.multiple_words, part["multipleWords"]);
        }
    }
    reference.exchanges.len()
}
