//! What was called is on record, as it arrived.

use serde_json::json;
use taskcluster::reqwest::header::CONTENT_TYPE;
use taskcluster::testing::{Deployment, Fault, Signature};
use taskcluster::{Auth, Hooks, Queue, Secrets, StatusCode};

use crate::deployment::{TASK_ID, deployment, secret, task_definition, tester};
use crate::support::typed;

#[tokio::test]
async fn a_signed_call_is_answered_and_recorded() {
    let fake = deployment().await;
    let queue = Queue::new(&fake.connect("tester").unwrap());
    queue.create_task(TASK_ID, &typed(task_definition())).await.unwrap();
    queue.list_task_group(TASK_ID).limit(7).await.unwrap();

    let calls = fake.calls();
    assert_eq!(calls.len(), 2);
    let (created, listed) = (&calls[0], &calls[1]);
    assert_eq!(
        (created.service, created.version, created.endpoint.name),
        ("queue", "v1", "createTask")
    );
    assert_eq!(created.args["taskId"], TASK_ID);
    assert_eq!(created.payload, Some(task_definition()));
    assert_eq!(created.query, []);
    assert_eq!(created.headers[CONTENT_TYPE], "application/json");
    assert_eq!(created.client_id.as_deref(), Some("tester"));
    assert_eq!(created.scopes, ["*"]);
    assert_eq!(created.status, Some(StatusCode::OK));
    assert!(std::ptr::eq(listed.endpoint, Queue::REFERENCE.endpoint("listTaskGroup")));
    assert_eq!(listed.query, [("limit".to_owned(), "7".to_owned())]);
    assert_eq!(listed.query_value("limit"), Some("7"));
    assert_eq!(listed.payload, None);

    fake.clear_calls();
    assert!(fake.calls().is_empty());
}

#[tokio::test]
async fn debug_does_not_show_secrets_and_signatures() {
    let fake = deployment().await;
    let secrets = Secrets::new(&fake.connect("tester").unwrap());
    secrets
        .set(
            "s",
            &typed(json!({"secret": {"password": "hush"}, "expires": "2100-01-01T00:00:00.000Z"})),
        )
        .await
        .unwrap();
    let call = &fake.calls()[0];
    assert_eq!(call.payload.as_ref().unwrap()["secret"]["password"], "hush");
    let mac = call.headers["authorization"].to_str().unwrap().rsplit_once("mac=").unwrap().1;
    for shown in [format!("{call:?}"), format!("{call:#?}")] {
        assert!(!shown.contains("hush") && !shown.contains(mac), "{shown}");
        assert!(shown.contains("tester") && shown.contains("application/json"), "{shown}");
    }
}

#[tokio::test]
async fn refused_calls_are_recorded_too() {
    let fake = deployment().await;
    let auth = Auth::new(&fake.anonymous().unwrap());
    auth.list_clients().await.unwrap_err();
    let calls = fake.calls();
    assert_eq!(calls[0].status, Some(StatusCode::FORBIDDEN));
    assert_eq!((&calls[0].client_id, &calls[0].signature), (&None, &None));
}

#[tokio::test]
async fn every_attempt_has_a_signature_of_its_own() {
    let fake = deployment().await;
    fake.on(Auth::REFERENCE.endpoint("currentScopes"))
        .times(3)
        .fault(Fault::Status(StatusCode::BAD_GATEWAY));
    Auth::new(&fake.connect("tester").unwrap()).current_scopes().await.unwrap();
    let nonces: std::collections::BTreeSet<_> = fake
        .calls()
        .into_iter()
        .map(|call| match call.signature {
            Some(Signature::Header { nonce, time, .. }) => {
                assert!(time > 0);
                nonce
            }
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(nonces.len(), 4);
}

#[tokio::test]
async fn escaped_arguments_and_options_arrive_as_they_were() {
    let fake = deployment().await;
    let name = "a/b c%2F+ü?&=#";
    let tc = fake.builder().unwrap().credentials(tester()).validate(false).build().unwrap();
    Secrets::new(&tc).set(name, &typed(secret())).await.unwrap();
    // A service takes this, a client id may not have it.
    Auth::new(&tc).list_clients().prefix(name).await.unwrap_err();
    let calls = fake.calls();
    assert_eq!(calls[0].args["name"], name);
    assert_eq!(calls[1].query_value("prefix"), Some(name));
}

#[tokio::test]
async fn the_record_notes_deprecated_endpoints_and_errors() {
    let fake = Deployment::start().await.unwrap();
    let client = fake.connect_as("tester", ["secrets:*"]).unwrap();
    Secrets::new(&client).list().limit(1).await.unwrap();
    let hooks = Hooks::REFERENCE.endpoint("getHookStatus");
    let call = client.call(&Hooks::REFERENCE, hooks.name).unwrap();
    call.params([("hookGroupId", "g"), ("hookId", "h")]).send().await.unwrap_err();

    let calls = fake.calls();
    assert_eq!(calls.iter().map(|call| call.is_deprecated()).collect::<Vec<_>>(), [false, true]);
    assert_eq!(calls[0].error, None);
    assert_eq!(calls[0].to_string(), "secrets.list ?limit=\"1\" by tester: 200");
    let error = calls[1].error.as_ref().unwrap();
    assert!(error.starts_with("InsufficientScopes: Client ID tester does not have"), "{error}");
    let line = calls[1].to_string();
    let start =
        "hooks.getHookStatus hookGroupId=\"g\" hookId=\"h\" (deprecated) by tester: 403 Insuff";
    assert!(line.starts_with(start) && !line.contains('\n'), "{line}");
}
