//! Which calls a fault meets, and how often.

use serde_json::{Value, json};
use taskcluster::testing::Fault;
use taskcluster::{Auth, Secrets, StatusCode};

use crate::deployment::faults::{current_scopes, once};

#[tokio::test]
async fn one_call_in_some_can_fail() {
    let (fake, client) = once().await;
    let auth = Auth::new(&client);
    let unavailable = Fault::Status(StatusCode::SERVICE_UNAVAILABLE);
    fake.on(current_scopes()).one_in(3).times(2).fault(unavailable);
    let mut outcomes = Vec::new();
    for _ in 0..10 {
        outcomes.push(auth.current_scopes().await.is_ok());
    }
    let expected = [true, true, false, true, true, false, true, true, true, true];
    assert_eq!(outcomes, expected);
}

#[tokio::test]
async fn one_call_in_none_is_every_call() {
    let (fake, client) = once().await;
    fake.on(current_scopes()).one_in(0).fault(Fault::Disconnect);
    for _ in 0..2 {
        Auth::new(&client).current_scopes().await.unwrap_err();
    }
}

#[tokio::test]
async fn any_endpoint_can_fail() {
    let (fake, client) = once().await;
    fake.on_any().times(2).fault(Fault::Status(StatusCode::IM_A_TEAPOT));
    fake.on(current_scopes()).times(1).reply(json!({"scopes": ["stubbed"]}));
    let (auth, secrets) = (Auth::new(&client), Secrets::new(&client));
    let errors = [auth.current_scopes().send().await.err(), secrets.list().send().await.err()];
    let statuses = errors.map(|error| error.unwrap().status());
    assert_eq!(statuses, [Some(StatusCode::IM_A_TEAPOT); 2]);
    let answer: Value = auth.current_scopes().send_as().await.unwrap();
    assert_eq!(answer, json!({"scopes": ["stubbed"]}));
    secrets.list().await.unwrap();

    // An answer for all is held against the schema of each.
    fake.on_any().reply(json!({"scopes": []}));
    auth.current_scopes().await.unwrap();
    let error = secrets.list().await.unwrap_err();
    assert!(error.message().contains("this answer of secrets.list does not fit"), "{error}");
}
