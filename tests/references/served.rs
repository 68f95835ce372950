//! The references that the embedded deployment serves, and programs that ask what their deployment has.

use std::fs;
use std::path::Path;

use taskcluster::references::{Fetch, Subject};
use taskcluster::testing::Deployment;
use taskcluster::*;

use crate::references::PREBUILT;
use crate::support::documents::{Documents, Folder, lines, names};
use crate::support::plain;

taskcluster_api! {
    struct Builds = "compile/api/builds.json";
    struct BuildEvents = "compile/api/build-events.json";
}

#[tokio::test]
async fn the_embedded_deployment_serves_the_references_that_are_built_in() {
    let fake = Deployment::start().await.unwrap();
    let client = fake.anonymous().unwrap();
    let folder = Folder::new();
    let changes = Fetch::new(&client).write_to(&folder).await.unwrap();
    let references = Path::new(env!("CARGO_MANIFEST_DIR")).join("../references/current");
    let files = folder.files();
    assert_eq!(changes.len(), PREBUILT.len(), "one for each reference");
    for (path, text) in &files {
        let ours = fs::read_to_string(references.join(path)).unwrap();
        assert_eq!(
            serde_json::from_str::<Value>(text).unwrap(),
            serde_json::from_str::<Value>(&ours).unwrap(),
            "{path}"
        );
    }
    let count = |folder: &str| {
        files.keys().filter(|path| path.starts_with("schemas/") == (folder == "schemas")).count()
    };
    assert_eq!(count("references"), PREBUILT.len() + 1, "and the patterns");
    assert!(count("schemas") > 150, "{}", count("schemas"));
    assert!(Fetch::new(&client).diff(&references).await.unwrap().is_empty());
    assert!(fake.calls().is_empty(), "that is no call of any service");
}

#[tokio::test]
async fn the_embedded_deployment_serves_documents_by_themselves_too() {
    let fake = Deployment::start().await.unwrap();
    let http = plain();
    let root = fake.root_url();
    let get = async |path: &str| -> Value {
        let response = http.get(format!("{root}/{path}")).send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "application/json; charset=utf-8");
        serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()
    };
    let manifest = get("references/manifest.json").await;
    assert_eq!(manifest["$schema"], format!("{root}/schemas/common/manifest-v3.json#"));
    let urls = manifest["references"].as_array().unwrap();
    assert_eq!(urls.len(), PREBUILT.len());
    assert!(
        urls.contains(&json!(format!("{root}/references/queue/v1/exchanges.json"))),
        "{urls:?}"
    );

    let queue = get("references/queue/v1/api.json").await;
    assert_eq!(queue["$schema"], format!("{root}/schemas/common/api-reference-v0.json#"));
    assert_eq!(queue["entries"].as_array().unwrap().len(), Queue::REFERENCE.endpoints.len());
    let schema = get("schemas/queue/v1/task.json").await;
    assert_eq!(schema["$id"], format!("{root}/schemas/queue/v1/task.json#"));
    assert_eq!(get("schemas/queue/v1/gone.json").await["code"], "ResourceNotFound");
}

#[tokio::test]
async fn what_was_added_to_the_embedded_deployment_is_served_too() {
    let fake = Deployment::start().await.unwrap();
    fake.serve(&Builds::REFERENCE);
    fake.serve(&BuildEvents::REFERENCE);
    fake.serve(&legacy::Queue::REFERENCE);
    fake.schemas(concat!(env!("CARGO_MANIFEST_DIR"), "/compile/api/schemas")).unwrap();
    let client = fake.anonymous().unwrap();
    let folder = Folder::new();
    Fetch::new(&client).services(["builds"]).write_to(&folder).await.unwrap();
    let names = names(&folder);
    assert!(
        names
            .starts_with(&["builds/v1/api.json".to_owned(), "builds/v1/exchanges.json".to_owned()]),
        "{names:?}"
    );
    let mut ours: Value = serde_json::from_str(include_str!("../compile/api/builds.json")).unwrap();
    for entry in ours["entries"].as_array_mut().unwrap() {
        let entry = entry.as_object_mut().unwrap();
        entry.remove("unknown");
        entry.remove("description");
        entry.entry("title").or_insert(json!(""));
        entry.entry("stability").or_insert(json!("stable"));
        entry.entry("query").or_insert(json!([]));
    }
    let old = json!({"AnyOf": [{"AllOf": ["a", "b"]}, {"AllOf": ["c"]}]});
    ours["entries"][2]["scopes"] = old;
    assert_eq!(folder.json("builds/v1/api.json")["entries"], ours["entries"]);
    assert!(client.check(&Builds::REFERENCE).await.unwrap().is_empty());
    assert!(client.check(&BuildEvents::REFERENCE).await.unwrap().is_empty());
    assert!(
        client.check(&Queue::REFERENCE).await.unwrap().is_empty(),
        "that of 2017 is another one"
    );
}

#[tokio::test]
async fn a_program_finds_out_what_its_deployment_lacks() {
    for reference in PREBUILT {
        assert_eq!(reference.version_of_taskcluster(), Some("114.0.0"), "{}", reference.service);
    }
    for reference in [&Builds::REFERENCE, &BuildEvents::REFERENCE, &legacy::Queue::REFERENCE] {
        assert_eq!(reference.version_of_taskcluster(), None, "{}", reference.service);
    }

    let references = Path::new(env!("CARGO_MANIFEST_DIR")).join("../references/current");
    let read = |path: &str| -> Value {
        serde_json::from_slice(&fs::read(references.join(path)).unwrap()).unwrap()
    };
    // An older deployment, with an endpoint that has since gone.
    let mut older = read("queue/v1/api.json");
    let entries = older["entries"].as_array_mut().unwrap();
    entries.retain(|entry| entry["name"] != "taskQueueCountsBatch");
    entries.iter_mut().find(|entry| entry["name"] == "listTaskGroup").unwrap()["query"] =
        json!(["continuationToken"]);
    entries.iter_mut().find(|entry| entry["name"] == "status").unwrap()["description"] =
        json!("other words");
    entries.push(json!({"type": "function", "name": "pollTaskUrls", "method": "get", "route": "/poll", "args": []}));
    let served = Documents::default();
    served.put_whole(&[
        ("references/queue/v1/api.json", older),
        ("references/queue/v1/exchanges.json", read("queue/v1/exchanges.json")),
    ]);
    let client = served.start().await;
    let changes = client.check(&Queue::REFERENCE).await.unwrap();
    assert_eq!(
        lines(&changes),
        [
            "queue v1: option limit of listTaskGroup removed (can break callers)",
            "queue v1: endpoint taskQueueCountsBatch removed (can break callers)",
            "queue v1: endpoint pollTaskUrls added",
        ]
    );
    let missing: Vec<_> = changes.removed().map(|change| &change.subject).collect();
    let option =
        Subject::Option { endpoint: "listTaskGroup".to_owned(), option: "limit".to_owned() };
    assert_eq!(missing, [&option, &Subject::Endpoint("taskQueueCountsBatch".to_owned())]);
    assert!(client.check(&QueueEvents::REFERENCE).await.unwrap().is_empty());

    let changes = client.check(&Auth::REFERENCE).await.unwrap();
    assert_eq!(lines(&changes), ["auth v1: all endpoints removed (can break callers)"]);
}
