//! The reference files are whole.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;
use taskcluster::*;

use crate::references::{
    LEGACY_FILES, count_endpoints, count_in_files, current, entries, read, root,
};

#[test]
fn every_schema_that_a_reference_names_is_there() {
    let exists = |service: &str, schema: &Value| {
        let schema = schema.as_str().unwrap();
        let path =
            root().join("current/schemas").join(service).join(schema.strip_suffix('#').unwrap());
        let id = format!("/schemas/{service}/{schema}");
        assert_eq!(read(&path)["$id"], id, "{}", path.display());
    };
    let mut seen = 0;
    for (service, reference) in current("api") {
        for entry in entries(&reference) {
            for key in ["input", "output"] {
                if let Some(schema) = entry.get(key) {
                    exists(&service, schema);
                    seen += 1;
                }
            }
        }
    }
    for (service, reference) in current("exchanges") {
        for entry in entries(&reference) {
            exists(&service, &entry["schema"]);
            seen += 1;
        }
    }
    let with = |key: &str| count_endpoints(|entry| entry.get(key).is_some());
    assert_eq!(seen, with("input") + with("output") + count_in_files("exchanges"));
}

#[test]
fn every_schema_that_a_schema_refers_to_is_there() {
    fn refs(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                for (key, value) in members {
                    match value {
                        Value::String(target) if key == "$ref" => found.push(target.clone()),
                        value => refs(value, found),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| refs(item, found)),
            _ => {}
        }
    }
    let mut files = 0;
    for service in fs::read_dir(root().join("current/schemas")).unwrap() {
        let folder = service.unwrap().path().join("v1");
        for file in fs::read_dir(&folder).unwrap() {
            let path = file.unwrap().path();
            let schema = read(&path);
            files += 1;
            let mut found = Vec::new();
            refs(&schema, &mut found);
            for target in found {
                let (file, pointer) = target.split_once('#').unwrap();
                let document = match file {
                    "" => schema.clone(),
                    file if file.starts_with("/schemas/") => {
                        read(&root().join("current").join(file.trim_start_matches('/')))
                    }
                    file => read(&folder.join(file)),
                };
                assert!(document.pointer(pointer).is_some(), "{}: {target}", path.display());
            }
        }
    }
    assert_eq!(files, 164);
}

#[test]
fn the_files_are_those_of_the_version_that_is_built_in() {
    // Taskcluster 114's 188 endpoints and `listGithubApps`, which its references leave out.
    assert_eq!((count_in_files("api"), count_in_files("exchanges")), (188 + 1, 37));
    let built_in = format!(
        "Taskcluster 114: {} endpoints, {} exchanges",
        count_in_files("api"),
        count_in_files("exchanges")
    );
    for page in ["README.md", "CHANGELOG.md", "taskcluster/src/lib.rs"] {
        let text = fs::read_to_string(root().join("..").join(page)).unwrap();
        let text = text.replace("//! ", "").split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(&built_in), "{page} does not say `{built_in}`");
    }
}

#[test]
fn every_service_that_is_built_in_is_a_feature() {
    let manifest = fs::read_to_string(root().join("../taskcluster/Cargo.toml")).unwrap();
    let (_, all) = manifest.split_once("\nservices = [").unwrap();
    let (all, _) = all.split_once(']').unwrap();
    let all: BTreeSet<_> = all.split('"').map(str::to_owned).skip(1).step_by(2).collect();
    let services: BTreeSet<_> = current("api").into_iter().map(|(service, _)| service).collect();
    assert_eq!(all, services);
    for service in services {
        assert!(manifest.contains(&format!("\n{service} = []\n")), "{service}");
    }
}

#[test]
fn every_route_parameter_is_an_argument_and_the_other_way_round() {
    for (service, reference) in current("api") {
        for entry in entries(&reference) {
            let route = entry["route"].as_str().unwrap();
            let params: Vec<&str> =
                route.split('<').skip(1).map(|rest| rest.split_once('>').unwrap().0).collect();
            let args: Vec<&str> =
                entry["args"].as_array().unwrap().iter().map(|arg| arg.as_str().unwrap()).collect();
            assert_eq!(params, args, "{service} {}", entry["name"]);
        }
    }
}

#[test]
fn every_entry_has_a_title_and_a_description_of_its_own() {
    let standard = ["ping", "lbheartbeat", "version", "heartbeat"];
    let mut seen = BTreeSet::new();
    for (service, reference) in current("api").into_iter().chain(current("exchanges")) {
        for entry in entries(&reference) {
            let name = entry["name"].as_str().unwrap();
            let (title, description) =
                (entry["title"].as_str().unwrap(), entry["description"].as_str().unwrap());
            assert!(!title.is_empty() && !title.ends_with('.'), "{service} {name}: {title}");
            assert!(
                description.len() > 40 && description.ends_with('.'),
                "{service} {name}: {description}"
            );
            if !standard.contains(&name) {
                assert!(
                    seen.insert(description.to_owned()),
                    "{service} {name} has another one's description"
                );
            }
        }
    }
}

#[test]
fn every_schema_of_2017_is_there() {
    for (name, _) in LEGACY_FILES {
        let file = read(&root().join("2017").join(format!("{name}.json")));
        for entry in entries(&file) {
            for schema in ["input", "output", "schema"].iter().filter_map(|key| entry[key].as_str())
            {
                let path = schema.strip_prefix("http://schemas.taskcluster.net/").unwrap();
                let path = root().join("2017/schemas").join(path.trim_end_matches('#'));
                assert!(read(&path).is_object(), "{}", path.display());
            }
        }
    }
}
