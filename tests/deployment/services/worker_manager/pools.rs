use serde_json::json;
use taskcluster::StatusCode;
use taskcluster::testing::ProviderType;

use super::{POOL, call, create_pool, heard, images, listen, of_pool, of_worker, pool, worker};
use crate::deployment::services::{all, connected};
use crate::deployment::{HOUR, with};
use crate::support::{assert_api_error, assert_api_error_saying};

#[tokio::test]
async fn a_pool_lives_until_its_workers_have_gone() {
    let (fake, tc) = connected().await;
    let mut messages = listen(&fake);
    let definition = pool("static", json!({"workerConfig": {"a": 1}}));
    let created = create_pool(&tc, definition.clone()).await;
    assert_eq!(created["config"], json!({"workerConfig": {"a": 1}}));
    assert_eq!((&created["workerPoolId"], &created["runningCount"]), (&json!(POOL), &json!(0)));
    // The same once more is no conflict, and announced again.
    assert_eq!(create_pool(&tc, definition.clone()).await, created);
    of_worker(&tc, "createWorker", "w").payload(worker()).await.unwrap();
    let read = of_pool(&tc, "workerPool").await.unwrap();
    assert_eq!((&read["runningCount"], &read["currentCapacity"]), (&json!(1), &json!(1)));

    let other = with(definition, json!({"description": "e"}));
    let error = of_pool(&tc, "createWorkerPool").payload(&other).await.unwrap_err();
    assert_api_error(&error, StatusCode::CONFLICT, "RequestConflict", POOL);
    let updated = of_pool(&tc, "updateWorkerPool").payload(&other).await.unwrap();
    assert_eq!(updated["description"], "e");

    let deleted = of_pool(&tc, "deleteWorkerPool").await.unwrap();
    assert_eq!(deleted["providerId"], "null-provider");
    fake.advance(HOUR * 48);
    assert_eq!(of_pool(&tc, "workerPool").await.unwrap()["providerId"], "null-provider");
    of_worker(&tc, "removeWorker", "w").await.unwrap();
    let error = of_pool(&tc, "workerPool").await.unwrap_err();
    assert_api_error(&error, StatusCode::NOT_FOUND, "ResourceNotFound", POOL);
    for name in ["updateWorkerPool", "deleteWorkerPool", "workerPoolStats"] {
        let call = of_pool(&tc, name);
        let call = if name == "updateWorkerPool" { call.payload(&other) } else { call };
        assert_eq!(call.await.unwrap_err().status(), Some(StatusCode::NOT_FOUND), "{name}");
    }

    let key = "primary._._._._._._._".to_owned();
    let expected = [
        "worker-pool-created",
        "worker-pool-created",
        "worker-pool-updated",
        "worker-pool-updated",
    ];
    assert_eq!(heard(&mut messages), expected.map(|name| (name.to_owned(), key.clone())));
}

#[tokio::test]
async fn a_change_of_the_provider_is_announced_with_the_former_one() {
    let (fake, tc) = connected().await;
    create_pool(&tc, pool("static", json!({}))).await;
    let mut messages = listen(&fake);
    let moved = pool("aws", images(&[]));
    of_pool(&tc, "updateWorkerPool").payload(moved).await.unwrap();
    let message = messages.next().await.unwrap();
    assert_eq!(
        message.payload,
        json!({"workerPoolId": POOL, "providerId": "aws", "previousProviderId": "static"})
    );
}

#[tokio::test]
async fn a_definition_must_be_one_for_its_provider() {
    let (fake, tc) = connected().await;
    let create =
        |provider: &str, config| of_pool(&tc, "createWorkerPool").payload(pool(provider, config));
    let error = create("mine", json!({})).await.unwrap_err();
    assert_api_error(&error, StatusCode::BAD_REQUEST, "InputError", "mine");
    for (provider, config, problem) in [
        ("static", json!({"minCapacity": 0}), "minCapacity"),
        (
            "static",
            json!({"lifecycle": {"reregistrationTimeout": 2_592_001}}),
            "reregistrationTimeout",
        ),
        ("static", json!({"lifecycle": {"registrationTimeout": 1}}), "registrationTimeout"),
        ("google", json!({"minCapacity": 0, "maxCapacity": 1}), "launchConfigs"),
        ("google", images(&["ami-1"]), "machineType"),
        ("aws", with(images(&[]), json!({"scalingRatio": 2})), "scalingRatio"),
        ("azure", images(&["ami-1"]), "location"),
    ] {
        let error = create(provider, config).await.unwrap_err();
        let texts = [problem, provider];
        assert_api_error_saying(&error, StatusCode::BAD_REQUEST, "InputValidationError", &texts);
    }
    // A provider as the test's own deployment has it.
    fake.worker_manager().provider("mine", ProviderType::Aws);
    create("mine", images(&["ami-1"])).await.unwrap();
    create_elsewhere(&tc, "null-provider").await;
    let update = pool("static", json!({}));
    let update = with(update, json!({"workerPoolId": "another/pool"}));
    let error = of_pool(&tc, "updateWorkerPool").payload(update).await.unwrap_err();
    assert_api_error(&error, StatusCode::BAD_REQUEST, "InputError", "workerPoolId");
}

/// The null provider takes any configuration.
async fn create_elsewhere(tc: &taskcluster::Client, provider: &str) {
    let definition = pool(provider, json!({"any": ["thing"]}));
    let create = call(tc, "createWorkerPool").param("workerPoolId", "else/where");
    create.payload(definition).await.unwrap();
}

#[tokio::test]
async fn the_scopes_of_pool_and_provider_are_needed() {
    let (fake, _) = connected().await;
    let scopes = ["worker-manager:manage-worker-pool:prov/linux", "worker-manager:provider:aws"];
    let tc = fake.connect_as("admin", scopes).unwrap();
    create_pool(&tc, pool("aws", images(&[]))).await;
    let create = of_pool(&tc, "createWorkerPool").payload(pool("static", json!({})));
    let error = create.await.unwrap_err();
    let missing = "worker-manager:provider:static";
    assert_api_error(&error, StatusCode::FORBIDDEN, "InsufficientScopes", missing);
}

#[tokio::test]
async fn pools_providers_and_statistics_are_listed() {
    let (fake, tc) = connected().await;
    create_pool(&tc, pool("static", json!({}))).await;
    create_elsewhere(&tc, "null-provider").await;
    of_worker(&tc, "createWorker", "w").payload(worker()).await.unwrap();
    let pools = all(call(&tc, "listWorkerPools")).await;
    let ids: Vec<_> = pools.iter().map(|pool| pool["workerPoolId"].as_str().unwrap()).collect();
    assert_eq!(ids, ["else/where", POOL]);
    let stats = all(call(&tc, "listWorkerPoolsStats")).await;
    assert_eq!((&stats[0]["runningCount"], &stats[1]["runningCount"]), (&json!(0), &json!(1)));
    let by_config = of_pool(&tc, "workerPoolStats").await.unwrap();
    let line = &by_config["launchConfigStats"][0];
    assert_eq!((&line["launchConfigId"], &line["runningCapacity"]), (&json!("unknown"), &json!(1)));

    fake.worker_manager().provider("mine", ProviderType::Google);
    let providers = all(call(&tc, "listProviders")).await;
    let ids: Vec<_> =
        providers.iter().map(|provider| provider["providerId"].as_str().unwrap()).collect();
    assert_eq!(ids, ["aws", "azure", "google", "static", "mine"]);
    assert_eq!(providers[4]["providerType"], "google");
}
