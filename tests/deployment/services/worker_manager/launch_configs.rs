use serde_json::{Value, json};
use taskcluster::StatusCode;

use super::{POOL, create_pool, images, listen, of_pool, pool};
use crate::deployment::services::{all, connected};
use crate::support::assert_api_error;

fn ids(pool: &Value) -> Vec<String> {
    let configs = pool["config"]["launchConfigs"].as_array().unwrap();
    let id =
        |config: &Value| config["workerManager"]["launchConfigId"].as_str().unwrap().to_owned();
    configs.iter().map(id).collect()
}

#[tokio::test]
async fn launch_configs_get_ids_and_are_archived() {
    let (fake, tc) = connected().await;
    let mut messages = listen(&fake);
    let created = create_pool(&tc, pool("aws", images(&["ami-1", "ami-2"]))).await;
    let of_created = ids(&created);
    let changed = pool("aws", images(&["ami-2", "ami-3"]));
    let changed = of_pool(&tc, "updateWorkerPool").payload(changed).await.unwrap();
    let of_changed = ids(&changed);
    assert_eq!(of_created[1], of_changed[0], "what stays keeps its id");

    let list =
        |all: bool| of_pool(&tc, "listWorkerPoolLaunchConfigs").query("includeArchived", all);
    let mut active: Vec<_> = all(list(false)).await;
    active.retain(|config| config["isArchived"] == false);
    assert_eq!(active.len(), 2);
    let everything = all(list(true)).await;
    let archived: Vec<_> =
        everything.iter().filter(|config| config["isArchived"] == true).collect();
    assert_eq!((everything.len(), archived.len()), (3, 1));
    assert_eq!(archived[0]["launchConfigId"], json!(of_created[0]));
    assert_eq!(archived[0]["configuration"]["launchConfig"]["ImageId"], "ami-1");

    of_pool(&tc, "deleteWorkerPool").await.unwrap();
    let told: Vec<_> = messages
        .take()
        .into_iter()
        .filter(|message| message.exchange.contains("launch-config"))
        .map(|message| {
            let id = message.payload["launchConfigId"].as_str().unwrap().to_owned();
            let provider = message.payload["providerId"].as_str().unwrap();
            assert_eq!(message.routing_key, format!("primary.{provider}.prov.linux._._.{id}._"));
            (message.exchange.rsplit_once('-').unwrap().1.to_owned(), id)
        })
        .collect();
    let told: Vec<_> = told.iter().map(|(what, id)| (what.as_str(), id)).collect();
    assert_eq!(
        told,
        [
            ("created", &of_created[0]),
            ("created", &of_created[1]),
            ("updated", &of_changed[0]),
            ("created", &of_changed[1]),
            ("archived", &of_created[0]),
            ("archived", &of_changed[0]),
            ("archived", &of_changed[1]),
        ]
    );
}

#[tokio::test]
async fn an_id_stands_for_one_configuration() {
    let (_fake, tc) = connected().await;
    let with_id = |image: &str, weight: f64| {
        let mut config = images(&[image]);
        config["launchConfigs"][0]["workerManager"] =
            json!({"launchConfigId": "lc-mine", "initialWeight": weight});
        pool("aws", config)
    };
    let created = create_pool(&tc, with_id("ami-1", 1.0)).await;
    assert_eq!(ids(&created), ["lc-mine"]);
    let lighter = of_pool(&tc, "updateWorkerPool").payload(with_id("ami-1", 0.5)).await.unwrap();
    assert_eq!(lighter["config"]["launchConfigs"][0]["workerManager"]["initialWeight"], 0.5);
    let error = of_pool(&tc, "updateWorkerPool").payload(with_id("ami-2", 0.5)).await.unwrap_err();
    assert_api_error(&error, StatusCode::CONFLICT, "RequestConflict", "lc-mine");
    let read = of_pool(&tc, "workerPool").await.unwrap();
    assert_eq!(read["config"], lighter["config"], "{POOL} is as it was");
}
