//! What a program reads itself in order to send it: as strictly as the service would.

use serde_json::{Value, json};
use taskcluster::auth::{CreateClientRequest, GetClientResponse};
use taskcluster::hooks::HookDefinition;
use taskcluster::queue::{CreateTaskRequest, PostArtifactRequest, TaskStatusResponse};
use taskcluster::worker_manager::WorkerPoolFull;
use taskcluster::{Client, Hooks};
use taskcluster_tests::{RawServer, json as json_answer};

use crate::payloads::wire::{Measurement, Part, Tree};
use crate::payloads::{EXPIRES, full, read, refused, status};
use crate::support::typed;

#[test]
fn a_misspelt_property_of_a_request_is_refused_with_the_nearest_name() {
    let mut task = full("queue/v1/create-task-request.json");
    let _: CreateTaskRequest = typed(&task);
    task["dependancies"] = json!(["fN1SbArXTPSVFNUvaOlinQ"]);
    assert_eq!(
        refused::<CreateTaskRequest>(&task),
        "there is no property `dependancies`; did you mean `dependencies`?"
    );
    task.as_object_mut().unwrap().remove("dependancies");
    task["metadata"]["nmae"] = json!("n");
    assert_eq!(
        refused::<CreateTaskRequest>(&task),
        "metadata: there is no property `nmae`; did you mean `name`?"
    );
    let far = json!({"description": "d", "expires": EXPIRES, "zzz": 1});
    assert_eq!(refused::<CreateClientRequest>(far), "there is no property `zzz`");
    // From a tree it is the same.
    serde_json::from_value::<CreateTaskRequest>(task).unwrap_err();
}

#[test]
fn a_misspelt_property_in_a_list_or_union_is_refused_with_its_place() {
    let fork = json!({"kind": "fork", "deep": [[{"kind": "leaf", "name": "a"}, {"kind": "leaf", "name": "b", "nmae": 1}]]});
    assert_eq!(
        refused::<Tree>(fork),
        "deep[0][1]: there is no property `nmae`; did you mean `name`?"
    );
    let artifact = json!({
        "storageType": "s3", "contentType": "text/plain", "expires": EXPIRES, "contentlength": 1,
    });
    assert!(
        refused::<PostArtifactRequest>(artifact)
            .starts_with("there is no property `contentlength`")
    );
    // The tag is a property.
    let _: Tree = typed(json!({"name": "a", "kind": "leaf"}));
}

#[test]
fn a_long_or_hostile_name_does_not_fill_the_error() {
    let name = format!("a\u{202e}\n{}", "x".repeat(100_000));
    let document = json!({"count": 1, "rank": 1, &name: 1});
    let message = refused::<Measurement>(document);
    assert!(message.len() < 200, "{message}");
    assert!(!message.contains(['\n', '\u{202e}']), "{message:?}");
}

#[test]
fn what_is_only_received_may_have_more() {
    let mut document = status();
    document["status"]["brandNew"] = json!(1);
    let _: TaskStatusResponse = read(&document.to_string());
    let mut client = full("auth/v1/get-client-response.json");
    client["brandNew"] = json!(1);
    let _: GetClientResponse = typed(&client);
    let mut pool = full("worker-manager/v1/worker-pool-full.json");
    pool["brandNew"] = json!(1);
    let _: WorkerPoolFull = typed(&pool);
}

#[tokio::test]
async fn a_type_that_is_also_sent_may_have_more_in_an_answer() {
    let mut hook = full("hooks/v1/hook-definition.json");
    hook["metadata"]["brandNew"] = json!({"a": [1]});
    hook["brandNew"] = json!(true);
    let server = RawServer::start([json_answer("200 OK", &hook.to_string())]).await.unwrap();
    let hooks = Hooks::new(&Client::builder(&server.url).build().unwrap());
    let answer: HookDefinition = hooks.hook("group", "hook").await.unwrap();
    assert_eq!(answer.metadata.name, hook["metadata"]["name"].as_str().unwrap());
    hooks.hook("group", "hook").send_as::<HookDefinition>().await.unwrap();
    hooks.hook("group", "hook").send_as::<Vec<HookDefinition>>().await.unwrap_err();

    // The same text, read by the program.
    assert_eq!(
        refused::<taskcluster::hooks::HookMetadata>(&hook["metadata"]),
        "there is no property `brandNew`"
    );
}

#[test]
fn properties_that_a_schema_allows_are_kept_and_written_again() {
    let document = json!({"name": "n", "weight": 1, "colour": {"of": ["a", 1.50]}, "": null});
    let part: Part = typed(&document);
    assert_eq!(part.other.len(), 2);
    assert_eq!(serde_json::to_value(&part).unwrap(), document);
    // Nobody knows what they are, so `Debug` does not show them.
    assert_eq!(
        format!("{part:?}"),
        r#"Part { name: "n", weight: 1, other: {"": …, "colour": …} }"#
    );
    let text = r#"{"count":1,"parts":[{"name":"n","colour":1.50}],"rank":2}"#;
    let measurement: Measurement = read(text);
    assert_eq!(serde_json::to_string(&measurement).unwrap(), text);
    let _: Value = typed(&document);
}
