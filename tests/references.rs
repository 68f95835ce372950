//! The reference files are whole, and everything in them has come out of the macro.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use taskcluster::*;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../references")
}

fn read(path: &Path) -> Value {
    let text =
        fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The current generation's references of one kind: `api` or `exchanges`.
fn current(kind: &str) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    for service in fs::read_dir(root().join("current")).unwrap() {
        let service = service.unwrap().file_name().into_string().unwrap();
        let path = root().join("current").join(&service).join("v1").join(format!("{kind}.json"));
        if path.is_file() {
            all.push((service, read(&path)));
        }
    }
    all
}

fn entries(reference: &Value) -> &[Value] {
    reference["entries"].as_array().unwrap()
}

/// How many entries the current generation's files of one kind have.
pub(crate) fn count_in_files(kind: &str) -> usize {
    current(kind).iter().map(|(_, reference)| entries(reference).len()).sum()
}

/// How many endpoints of the current generation's files are like this.
pub(crate) fn count_endpoints(is_meant: impl Fn(&Value) -> bool) -> usize {
    let of_service = |(_, reference): &(_, Value)| {
        entries(reference).iter().filter(|entry| is_meant(entry)).count()
    };
    current("api").iter().map(of_service).sum()
}

/// The prebuilt references of the current generation, of which each file must be one.
pub(crate) const PREBUILT: &[&Reference] = &[
    &Auth::REFERENCE,
    &Github::REFERENCE,
    &Hooks::REFERENCE,
    &Index::REFERENCE,
    &Notify::REFERENCE,
    &Object::REFERENCE,
    &PurgeCache::REFERENCE,
    &Queue::REFERENCE,
    &Secrets::REFERENCE,
    &WebServer::REFERENCE,
    &WorkerManager::REFERENCE,
    &AuthEvents::REFERENCE,
    &GithubEvents::REFERENCE,
    &HooksEvents::REFERENCE,
    &NotifyEvents::REFERENCE,
    &QueueEvents::REFERENCE,
    &WorkerManagerEvents::REFERENCE,
];

/// Those of 2017, with their files.
const LEGACY_FILES: &[(&str, &Reference)] = &[
    ("auth", &legacy::Auth::REFERENCE),
    ("auth-events", &legacy::AuthEvents::REFERENCE),
    ("aws-provisioner", &legacy::AwsProvisioner::REFERENCE),
    ("aws-provisioner-events", &legacy::AwsProvisionerEvents::REFERENCE),
    ("github", &legacy::Github::REFERENCE),
    ("github-events", &legacy::GithubEvents::REFERENCE),
    ("hooks", &legacy::Hooks::REFERENCE),
    ("index", &legacy::Index::REFERENCE),
    ("login", &legacy::Login::REFERENCE),
    ("notify", &legacy::Notify::REFERENCE),
    ("pulse", &legacy::Pulse::REFERENCE),
    ("purge-cache", &legacy::PurgeCache::REFERENCE),
    ("purge-cache-events", &legacy::PurgeCacheEvents::REFERENCE),
    ("queue", &legacy::Queue::REFERENCE),
    ("queue-events", &legacy::QueueEvents::REFERENCE),
    ("secrets", &legacy::Secrets::REFERENCE),
    ("treeherder-events", &legacy::TreeherderEvents::REFERENCE),
];

/// Those of 2017.
pub(crate) fn of_2017() -> impl Iterator<Item = &'static Reference> {
    LEGACY_FILES.iter().map(|(_, reference)| *reference)
}

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
fn so_has_everything_of_2017() {
    let files = fs::read_dir(root().join("2017")).unwrap().filter(|file| {
        file.as_ref().unwrap().path().extension().is_some_and(|extension| extension == "json")
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
