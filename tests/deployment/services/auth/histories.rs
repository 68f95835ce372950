use serde_json::{Value, json};
use taskcluster::{Hooks, Secrets, StatusCode, WorkerManager};

use super::{call, client, of_client, of_role, role};
use crate::deployment::metadata;
use crate::deployment::services::{all, connected};
use crate::support::assert_api_error;

#[tokio::test]
async fn changes_are_remembered_with_who_made_them() {
    let (fake, tc) = connected().await;
    let other = fake.connect_as("other", ["*"]).unwrap();
    of_client(&tc, "createClient", "a").payload(client(&[])).await.unwrap();
    of_client(&other, "updateClient", "a").payload(client(&["x"])).await.unwrap();
    for name in ["disableClient", "enableClient", "resetAccessToken", "deleteClient"] {
        of_client(&tc, name, "a").await.unwrap();
    }
    of_role(&tc, "createRole", "r").payload(role(&["x"])).await.unwrap();
    of_role(&tc, "updateRole", "r").payload(role(&["y"])).await.unwrap();
    of_role(&other, "deleteRole", "r").await.unwrap();
    let secrets = |name: &str| tc.call(&Secrets::REFERENCE, name).unwrap().param("name", "s/t");
    let secret = json!({"secret": {}, "expires": "2100-01-01T00:00:00.000Z"});
    for _ in 0..2 {
        secrets("set").payload(&secret).await.unwrap();
    }
    secrets("remove").await.unwrap();
    secrets("set").payload(&secret).await.unwrap();
    // What is refused changes nothing.
    of_client(&tc, "updateClient", "none").payload(client(&[])).await.unwrap_err();
    let hook = json!({
        "metadata": metadata(), "task": {"taskQueueId": "p/w", "metadata": metadata(), "payload": {}},
    });
    let mut hook = hook;
    hook["metadata"].as_object_mut().unwrap().remove("source");
    let hooks = |name: &str| {
        tc.call(&Hooks::REFERENCE, name).unwrap().param("hookGroupId", "g").param("hookId", "h")
    };
    hooks("createHook").payload(&hook).await.unwrap();
    let pool = json!({
        "providerId": "static", "description": "", "config": {}, "owner": "o@example.com",
        "emailOnError": false,
    });
    let manager = tc.call(&WorkerManager::REFERENCE, "createWorkerPool").unwrap();
    manager.param("workerPoolId", "p/w").payload(pool).await.unwrap();

    let history = async |kind: &str, id: &str| {
        let history = call(&tc, "getEntityHistory").param("entityType", kind).param("entityId", id);
        let history = all(history).await;
        assert!(
            history.iter().all(|change| change["entityId"] == id && change["entityType"] == kind)
        );
        let text = |change: &Value, name: &str| change[name].as_str().unwrap().to_owned();
        history
            .iter()
            .map(|change| text(change, "actionType") + " by " + &text(change, "clientId"))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        history("client", "a").await,
        [
            "created by tester",
            "updated by other",
            "client disabled by tester",
            "client enabled by tester",
            "access token reset by tester",
            "deleted by tester",
        ]
    );
    let of_role = ["created by tester", "updated by tester", "deleted by other"];
    assert_eq!(history("role", "r").await, of_role);
    let of_secret =
        ["created", "updated", "deleted", "created"].map(|what| what.to_owned() + " by tester");
    assert_eq!(history("secret", "s/t").await, of_secret);
    assert_eq!(history("hook", "g/h").await, ["created by tester"]);
    assert_eq!(history("worker-pool", "p/w").await, ["created by tester"]);
    assert!(history("client", "none").await.is_empty());

    let by_other = all(of_client(&tc, "listAuditHistory", "other")).await;
    let entities: Vec<_> = by_other.iter().map(|change| change["entityId"].clone()).collect();
    assert_eq!(entities, ["a", "r"]);
    let error = call(&tc, "getEntityHistory").param("entityType", "task").param("entityId", "x");
    let error = error.await.unwrap_err();
    assert_api_error(&error, StatusCode::BAD_REQUEST, "InvalidRequestArguments", "entityType");
}
