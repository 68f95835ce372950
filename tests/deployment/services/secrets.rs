//! Secrets are kept until they expire.

use chrono::TimeDelta;
use futures::TryStreamExt as _;
use serde_json::{Value, json};
use taskcluster::dates::to_json;
use taskcluster::{Secrets, StatusCode};

use crate::deployment::services::{call, connected};
use crate::deployment::{HOUR, deployment, secret};
use crate::support::{assert_api_error, typed};

#[tokio::test]
async fn a_secret_can_be_set_read_listed_and_removed() {
    let fake = deployment().await;
    let secrets = Secrets::new(&fake.connect("tester").unwrap());
    let names = ["project/a", "project/b", "project/c"];
    for name in names {
        secrets.set(name, &typed(secret())).await.unwrap();
    }
    let kept: Value = secrets.get("project/a").send_as().await.unwrap();
    assert_eq!(kept, secret());
    let changed = json!({"secret": {"password": "y"}, "expires": "2100-01-01T00:00:00.000Z"});
    secrets.set("project/a", &typed(&changed)).await.unwrap();
    let kept: Value = secrets.get("project/a").send_as().await.unwrap();
    assert_eq!(kept, changed);

    let listed: Vec<Value> = secrets.list().limit(2).items_as().try_collect().await.unwrap();
    assert_eq!(listed, names);
    secrets.remove("project/b").await.unwrap();
    let error = secrets.get("project/b").await.unwrap_err();
    assert_api_error(&error, StatusCode::NOT_FOUND, "ResourceNotFound", "project/b");
    let listed: Value = secrets.list().send_as().await.unwrap();
    assert_eq!(listed, json!({"secrets": ["project/a", "project/c"]}));
}

#[tokio::test]
async fn an_expired_secret_is_gone() {
    let fake = deployment().await;
    let secrets = Secrets::new(&fake.connect("tester").unwrap());
    let over = json!({"secret": {}, "expires": "2020-01-01T00:00:00.000Z"});
    secrets.set("x", &typed(&over)).await.unwrap();
    let error = secrets.get("x").await.unwrap_err();
    assert_api_error(&error, StatusCode::NOT_FOUND, "ResourceNotFound", "expired");
}

#[tokio::test]
async fn a_secret_expires_by_the_deployments_clock() {
    let (fake, tc) = connected().await;
    let secrets = |name| call(&tc, &Secrets::REFERENCE, name).param("name", "x");
    let set = |hours| json!({"secret": {"a": 1}, "expires": to_json(fake.now() + TimeDelta::hours(hours))});
    secrets("set").payload(set(2)).await.unwrap();
    fake.advance(HOUR);
    assert_eq!(secrets("get").await.unwrap()["secret"], json!({"a": 1}));
    fake.advance(HOUR);
    let error = secrets("get").await.unwrap_err();
    assert_api_error(&error, StatusCode::NOT_FOUND, "ResourceNotFound", "expired");
    secrets("set").payload(set(1)).await.unwrap();
    secrets("get").await.unwrap();
}
