use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use taskcluster::testing::Deployment;
use taskcluster::{Auth, Client, Credentials, Queue, StatusCode};

use super::{POOL, SECRET, call, create_pool, of_pool, of_worker, pool, registration, worker};
use crate::deployment::services::connected;
use crate::deployment::{HOUR, with};
use crate::support::assert_api_error;

/// A client with the credentials that a worker got.
fn as_worker(fake: &Deployment, answer: &Value) -> Client {
    let text = |name: &str| answer["credentials"][name].as_str().unwrap();
    let credentials = Credentials::new(text("clientId"), text("accessToken"))
        .with_certificate(text("certificate"));
    fake.builder().unwrap().credentials(credentials).build().unwrap()
}

fn expires(answer: &Value) -> DateTime<Utc> {
    answer["expires"].as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_worker_that_proves_its_identity_gets_credentials_for_its_work() {
    let (fake, tc) = connected().await;
    let config = json!({"workerConfig": {"a": 1}, "lifecycle": {"reregistrationTimeout": 7200}});
    create_pool(&tc, pool("static", config)).await;
    fake.role("worker-pool:*", ["auth:current-scopes"]);
    of_worker(&tc, "createWorker", "w").payload(worker()).await.unwrap();
    // Nobody needs credentials to get some.
    let anonymous = fake.anonymous().unwrap();
    let register = |fields| {
        let proof = json!({"staticSecret": SECRET});
        let payload = with(registration("static", "w", proof), fields);
        call(&anonymous, "registerWorker").payload(payload)
    };
    let answer = register(json!({})).await.unwrap();
    assert_eq!(answer["workerConfig"], json!({"a": 1}));
    let hours = expires(&answer) - fake.now();
    assert!(hours <= TimeDelta::hours(2) && hours > TimeDelta::hours(1), "{hours}");
    assert_eq!(answer["credentials"]["clientId"], json!(format!("worker/static/{POOL}/here/w")));
    let worker = as_worker(&fake, &answer);
    let scopes = Auth::new(&worker).current_scopes().await.unwrap().scopes;
    for scope in [
        "assume:worker-pool:prov/linux",
        "assume:worker-id:here/w",
        "queue:claim-work:prov/linux",
        "queue:worker-id:here/w",
        "secrets:get:worker-pool:prov/linux",
        "worker-manager:reregister-worker:prov/linux/here/w",
        "worker-manager:should-worker-terminate:prov/linux/here/w",
    ] {
        assert!(scopes.contains(&scope.to_owned()), "{scope}");
    }
    let claim = json!({"tasks": 1, "workerGroup": "here", "workerId": "w"});
    let queue = worker.call(&Queue::REFERENCE, "claimWork").unwrap();
    queue.param("taskQueueId", POOL).payload(claim).await.unwrap();

    let wrong = SECRET.replace('a', "z");
    for (fields, status, why) in [
        (json!({"workerPoolId": "prov/else"}), StatusCode::NOT_FOUND, "prov/else"),
        (json!({"providerId": "mine"}), StatusCode::NOT_FOUND, "mine"),
        (json!({"providerId": "aws"}), StatusCode::BAD_REQUEST, "aws"),
        (json!({"workerId": "x"}), StatusCode::NOT_FOUND, "here/x"),
        (
            json!({"workerIdentityProof": {"staticSecret": wrong}}),
            StatusCode::BAD_REQUEST,
            "identity",
        ),
        (json!({"workerIdentityProof": {"token": "t"}}), StatusCode::BAD_REQUEST, "identity"),
    ] {
        let error = register(fields).await.unwrap_err();
        assert_eq!(error.status(), Some(status), "{error}");
        assert!(error.message().contains(why) && !error.message().contains(&wrong), "{error}");
    }
    of_worker(&tc, "removeWorker", "w").await.unwrap();
    let error = register(json!({})).await.unwrap_err();
    assert_api_error(&error, StatusCode::BAD_REQUEST, "InputError", "stopped");
}

#[tokio::test]
async fn a_secret_is_good_for_one_renewal() {
    let (fake, tc) = connected().await;
    create_pool(&tc, pool("static", json!({}))).await;
    fake.role("worker-pool:*", ["auth:current-scopes"]);
    of_worker(&tc, "createWorker", "w").payload(worker()).await.unwrap();
    let again = |tc: &Client, secret: &Value| {
        let payload = json!({
            "workerPoolId": POOL, "workerGroup": "here", "workerId": "w", "secret": secret,
        });
        call(tc, "reregisterWorker").payload(payload)
    };
    let error = again(&tc, &json!(SECRET)).await.unwrap_err();
    assert_api_error(&error, StatusCode::BAD_REQUEST, "InputError", "secret");
    let proof = json!({"staticSecret": SECRET});
    let registered = call(&tc, "registerWorker").payload(registration("static", "w", proof));
    let registered = registered.await.unwrap();
    let worker = as_worker(&fake, &registered);
    fake.advance(HOUR);
    let renewed = again(&worker, &registered["secret"]).await.unwrap();
    assert!(expires(&renewed) > expires(&registered));
    assert_ne!(renewed["secret"], registered["secret"]);
    let error = again(&worker, &registered["secret"]).await.unwrap_err();
    assert_api_error(&error, StatusCode::BAD_REQUEST, "InputError", "secret");
    Auth::new(&as_worker(&fake, &renewed)).current_scopes().await.unwrap();

    // With the credentials of a worker, no other one can be renewed.
    let other = json!({
        "workerPoolId": POOL, "workerGroup": "here", "workerId": "x", "secret": renewed["secret"],
    });
    let error = call(&worker, "reregisterWorker").payload(other).await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::FORBIDDEN));
    of_worker(&worker, "removeWorker", "w").await.unwrap();
    let error = again(&worker, &renewed["secret"]).await.unwrap_err();
    assert_api_error(&error, StatusCode::BAD_REQUEST, "InputError", "not running");
    of_pool(&tc, "workerPool").await.unwrap();
}
