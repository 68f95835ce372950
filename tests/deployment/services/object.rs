//! Objects are stored and fetched.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use serde_json::{Value, json};
use taskcluster::dates::to_json;
use taskcluster::reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE};
use taskcluster::{Object, StatusCode, slugid};

use crate::deployment::HOUR;
use crate::deployment::services::{call, connected};
use crate::support::{assert_api_error, plain};

#[tokio::test]
async fn objects_are_put_and_got_by_url() {
    let (fake, tc) = connected().await;
    let object = |name| call(&tc, &Object::REFERENCE, name).param("name", "a/b");
    let (upload_id, expires) = (slugid::nice(), to_json(fake.now() + TimeDelta::hours(1)));
    let upload = |id: &str, methods: Value| {
        object("createUpload").payload(json!({
            "projectId": "p", "uploadId": id, "expires": expires, "proposedUploadMethods": methods,
        }))
    };
    assert_eq!(upload(&upload_id, json!({})).await.unwrap()["uploadMethod"], json!({}));
    let put = json!({"putUrl": {"contentType": "text/plain", "contentLength": 5}});
    let created = upload(&upload_id, put.clone()).await.unwrap();
    let method = &created["uploadMethod"]["putUrl"];
    assert_eq!(
        method["headers"],
        json!({"Content-Type": "text/plain", "Content-Length": "5", "Content-Encoding": "identity"})
    );
    let error = upload(&slugid::nice(), put).await.unwrap_err();
    assert_api_error(&error, StatusCode::CONFLICT, "RequestConflict", "a/b");

    let sha256 = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    let finish = |hash: &str| {
        let hashes = json!({"sha256": hash});
        let finish = json!({"projectId": "p", "uploadId": upload_id, "hashes": hashes});
        object("finishUpload").payload(finish)
    };
    let error = finish(sha256).await.unwrap_err();
    assert_api_error(&error, StatusCode::BAD_REQUEST, "InputError", "has not been uploaded");
    let url = method["url"].as_str().unwrap();
    let wrong = plain().put(url).header(CONTENT_TYPE, "text/html").body("hello").send().await;
    assert_eq!(wrong.unwrap().status(), StatusCode::BAD_REQUEST);
    let put = plain().put(url).header(CONTENT_TYPE, "text/plain");
    let put = put.header(CONTENT_ENCODING, "identity");
    let short = put.try_clone().unwrap().body("hell").send().await;
    assert_eq!(short.unwrap().status(), StatusCode::BAD_REQUEST);
    let sent = put.body("hello").send().await;
    assert_eq!(sent.unwrap().status(), StatusCode::OK);

    let start =
        |methods: Value| object("startDownload").payload(json!({"acceptDownloadMethods": methods}));
    let error = start(json!({"simple": true})).await.unwrap_err();
    assert_api_error(&error, StatusCode::NOT_FOUND, "ResourceNotFound", "a/b");
    finish(sha256).await.unwrap();
    let error = finish(&sha256.replace('2', "3")).await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::CONFLICT));

    let got = start(json!({"simple": true, "getUrl": true})).await.unwrap();
    assert_eq!((&got["method"], &got["hashes"]["sha256"]), (&json!("getUrl"), &json!(sha256)));
    let content = plain().get(got["url"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(content.headers()[CONTENT_TYPE], "text/plain");
    assert_eq!(content.text().await.unwrap(), "hello");
    let error = start(json!({})).await.unwrap_err();
    assert_eq!(
        (error.status(), error.code()),
        (Some(StatusCode::NOT_ACCEPTABLE), Some("NoMatchingMethod"))
    );
    let direct = object("download").into_call().send_raw().await.unwrap();
    assert_eq!(direct.status(), StatusCode::SEE_OTHER);
    let location = direct.headers()["location"].to_str().unwrap();
    assert_eq!(path(location), path(got["url"].as_str().unwrap()));
    let about = object("object").await.unwrap();
    assert_eq!((&about["projectId"], &about["hashes"]["sha256"]), (&json!("p"), &json!(sha256)));

    fake.advance(HOUR);
    let error = object("object").await.unwrap_err();
    assert_api_error(&error, StatusCode::NOT_FOUND, "ResourceNotFound", "a/b");
}

/// A URL without its signature.
fn path(url: &str) -> &str {
    url.split_once('?').unwrap().0
}

#[tokio::test]
async fn an_upload_is_finished_by_who_began_it_and_then_stays_what_it_is() {
    let (fake, tc) = connected().await;
    let object = |name| call(&tc, &Object::REFERENCE, name).param("name", "x");
    let expires = to_json(fake.now() + TimeDelta::days(3));
    let id = slugid::nice();
    let inline = json!({"dataInline": {"contentType": "text/html", "objectData": "aGVsbG8="}});
    let create = |methods: &Value| {
        object("createUpload").payload(json!({
            "projectId": "p", "uploadId": id, "expires": expires, "proposedUploadMethods": methods,
        }))
    };
    let put = json!({"putUrl": {"contentType": "text/html", "contentLength": 5}});
    let created = create(&put).await.unwrap();
    let headers = &created["uploadMethod"]["putUrl"]["headers"];
    assert_eq!(headers["Content-Disposition"], "attachment");
    let ends = created["uploadMethod"]["putUrl"]["expires"].as_str().unwrap();
    let ends: chrono::DateTime<chrono::Utc> = ends.parse().unwrap();
    assert_eq!((ends - fake.now()).num_minutes(), 44);
    // An unfinished upload is forgotten after a day.
    fake.advance(25 * HOUR);
    create(&inline).await.unwrap();
    let finish = |project: &str, id: &str, hashes: Value| {
        let ids = json!({"projectId": project, "uploadId": id, "hashes": hashes});
        object("finishUpload").payload(ids)
    };
    let error = finish("other", &id, json!({})).await.unwrap_err();
    assert_api_error(&error, StatusCode::BAD_REQUEST, "InputError", "projectId");
    let error = finish("p", &slugid::nice(), json!({})).await.unwrap_err();
    assert_api_error(&error, StatusCode::CONFLICT, "RequestConflict", "uploadId");
    let hash = "0".repeat(64);
    finish("p", &id, json!({"sha256": hash})).await.unwrap();
    finish("p", &slugid::nice(), json!({"sha256": hash})).await.unwrap();
    let error = finish("p", &id, json!({"sha512": "0".repeat(128)})).await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::CONFLICT));
    assert_eq!(create(&inline).await.unwrap_err().status(), Some(StatusCode::CONFLICT));
}

#[tokio::test]
async fn small_objects_come_with_the_call() {
    let (fake, tc) = connected().await;
    let object = |name| call(&tc, &Object::REFERENCE, name).param("name", "small");
    let (upload_id, expires) = (slugid::nice(), to_json(fake.now() + TimeDelta::hours(1)));
    let methods = json!({
        "dataInline": {"contentType": "a/b", "objectData": STANDARD.encode("tiny")},
        "putUrl": {"contentType": "a/b", "contentLength": 4},
    });
    let upload = json!({"projectId": "p", "uploadId": upload_id, "expires": expires, "proposedUploadMethods": methods});
    let created = object("createUpload").payload(upload).await.unwrap();
    assert_eq!(created["uploadMethod"], json!({"dataInline": true}));
    let finish = json!({"projectId": "p", "uploadId": upload_id});
    object("finishUpload").payload(finish).await.unwrap();
    let start = json!({"acceptDownloadMethods": {"simple": true}});
    let got = object("startDownload").payload(start).await.unwrap();
    assert_eq!(got["method"], "simple");
    let content = plain().get(got["url"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(content.text().await.unwrap(), "tiny");
}
