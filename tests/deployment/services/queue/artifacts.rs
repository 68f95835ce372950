//! What tasks leave behind.

use chrono::TimeDelta;
use futures::TryStreamExt as _;
use serde_json::{Value, json};
use taskcluster::dates::to_json;
use taskcluster::{Credentials, Object, QueueEvents, StatusCode, slugid};

use crate::deployment::services::connected;
use crate::deployment::services::queue::{
    MINUTE, artifact_of, call, claim_one, complete, create, except, task, with_artifacts,
};
use crate::deployment::{HOUR, with};
use crate::support::assert_api_error;

#[tokio::test]
async fn artifacts_are_listed_described_and_found() {
    let (fake, tc) = connected().await;
    let mut messages = fake.listen(QueueEvents::artifact_created()).unwrap();
    let (claim, its) = with_artifacts(&fake, &tc).await;
    let heard = messages.take();
    // Each artifact is announced as often as it is created.
    assert_eq!(heard.len(), 8);
    assert_eq!(heard[0].payload["artifact"]["name"], "public/url");
    assert_eq!(heard[0].payload["runId"], 0);

    let id = claim["status"]["taskId"].as_str().unwrap();
    let listed = call(&tc, "listLatestArtifacts").param("taskId", id).query("limit", 3);
    let listed: Vec<Value> = listed.into_paged().unwrap().items().try_collect().await.unwrap();
    let names: Vec<_> = listed.iter().map(|artifact| artifact["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["private/url", "public/error", "public/link", "public/url"]);

    let latest =
        |name: &str, artifact: &str| call(&tc, name).param("taskId", id).param("name", artifact);
    let info = latest("latestArtifactInfo", "public/link").await.unwrap();
    assert_eq!(
        (&info["storageType"], &info["contentType"]),
        (&json!("link"), &json!("text/plain"))
    );
    let content = latest("latestArtifact", "public/link").await.unwrap();
    assert_eq!(content, json!({"storageType": "reference", "url": "https://example.com/y"}));
    let content = latest("latestArtifact", "public/error").await.unwrap();
    assert_eq!(content["reason"], "file-missing-on-worker");
    let error = latest("latestArtifact", "public/none").await.unwrap_err();
    assert_api_error(&error, StatusCode::NOT_FOUND, "ResourceNotFound", "public/none");

    let found =
        artifact_of(&tc, "getArtifact", &claim, "public/url").into_call().send_raw().await.unwrap();
    assert_eq!(found.status(), StatusCode::SEE_OTHER);
    assert_eq!(found.headers()["location"], "https://example.com/x");
    let error = latest("getLatestArtifact", "public/error").await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::FAILED_DEPENDENCY));

    // Anybody may read what is public; a link needs both its own scope and its target's.
    let anybody = fake.anonymous().unwrap();
    artifact_of(&anybody, "artifact", &claim, "public/url").await.unwrap();
    for private in ["private/url", "public/link"] {
        let error = artifact_of(&anybody, "artifact", &claim, private).await.unwrap_err();
        assert_api_error(
            &error,
            StatusCode::FORBIDDEN,
            "InsufficientScopes",
            "queue:get-artifact:private/url",
        );
    }

    // The URL of a reference may change, its end may come later, and a link may take its place.
    let changed = json!({"storageType": "reference", "contentType": "text/plain", "url": "https://example.com/z", "expires": listed[3]["expires"]});
    artifact_of(&its, "createArtifact", &claim, "public/url").payload(&changed).await.unwrap();
    let content = latest("latestArtifact", "public/url").await.unwrap();
    assert_eq!(content["url"], "https://example.com/z");
    let again = |payload: &Value| {
        artifact_of(&its, "createArtifact", &claim, "public/url").payload(payload)
    };
    let later = fake.now() + TimeDelta::hours(25);
    again(&with(changed.clone(), json!({"expires": to_json(later)}))).await.unwrap();
    let info = latest("latestArtifactInfo", "public/url").await.unwrap();
    assert_eq!(info["expires"], to_json(later));
    let error = again(&changed).await.unwrap_err();
    assert_api_error(&error, StatusCode::CONFLICT, "RequestConflict", "public/url");
    let other = with(changed, json!({"contentType": "text/html", "expires": to_json(later)}));
    let error = artifact_of(&its, "createArtifact", &claim, "public/url").payload(&other).await;
    assert_api_error(&error.unwrap_err(), StatusCode::CONFLICT, "RequestConflict", "public/url");

    let link = json!({"storageType": "link", "contentType": "text/plain", "artifact": "private/url", "expires": to_json(later)});
    again(&link).await.unwrap();
    let content = latest("latestArtifact", "public/url").await.unwrap();
    assert_eq!(content["url"], "https://example.com/y");

    fake.advance(26 * HOUR);
    // Of this run: the claim has expired as well, and there is another one.
    let error = artifact_of(&tc, "artifactInfo", &claim, "public/url").await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::GONE));
}

#[tokio::test]
async fn artifacts_come_while_the_task_runs_or_soon_after_an_exception() {
    let (fake, tc) = connected().await;
    let expires = to_json(fake.now() + TimeDelta::days(1));
    let artifact = json!({"storageType": "reference", "contentType": "a/b", "url": "https://example.com/x", "expires": expires});
    for (ended, late) in [(false, false), (true, false), (true, true)] {
        create(&tc, &task(&fake)).await;
        let claim = claim_one(&tc).await;
        if ended {
            except(&tc, &claim, "internal-error").await;
        } else {
            complete(&tc, &claim).await;
        }
        if late {
            fake.advance(26 * MINUTE);
        }
        let created =
            artifact_of(&tc, "createArtifact", &claim, "public/x").payload(&artifact).await;
        assert_eq!(created.is_ok(), ended && !late);
        if let Err(error) = created {
            assert_api_error(&error, StatusCode::CONFLICT, "RequestConflict", "takes no artifacts");
        }
    }
    create(&tc, &task(&fake)).await;
    let claim = claim_one(&tc).await;
    let over = with(artifact, json!({"expires": "2100-01-01T00:00:00.000Z"}));
    let error = artifact_of(&tc, "createArtifact", &claim, "public/x").payload(&over).await;
    assert_api_error(
        &error.unwrap_err(),
        StatusCode::BAD_REQUEST,
        "InputError",
        "expires after its task",
    );
}

#[tokio::test]
async fn an_artifact_is_uploaded_by_url() {
    let (fake, tc) = connected().await;
    let (claim, its) = with_artifacts(&fake, &tc).await;
    let expires = to_json(fake.now() + TimeDelta::days(1));
    let artifact = json!({"storageType": "s3", "contentType": "text/plain", "expires": expires});
    let create = || artifact_of(&its, "createArtifact", &claim, "public/log").payload(&artifact);
    let upload = create().await.unwrap();
    // Repeated, it is the same place.
    let path = |url: &Value| url.as_str().unwrap().split_once('?').unwrap().0.to_owned();
    assert_eq!(path(&create().await.unwrap()["putUrl"]), path(&upload["putUrl"]));
    let url = upload["putUrl"].as_str().unwrap();
    let plain = taskcluster::http_client_builder().unwrap().no_proxy().build().unwrap();
    let put = plain.put(url).header("content-type", "text/plain").body("hello").send().await;
    assert_eq!(put.unwrap().status(), StatusCode::OK);
    let found = artifact_of(&tc, "artifact", &claim, "public/log").await.unwrap();
    assert_eq!(found["storageType"], "s3");
    let content = plain.get(found["url"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(content.text().await.unwrap(), "hello");
}

#[tokio::test]
async fn an_artifact_is_uploaded_as_an_object_and_downloaded() {
    let (fake, tc) = connected().await;
    let (claim, its) = with_artifacts(&fake, &tc).await;
    let mut messages = fake.listen(QueueEvents::artifact_created()).unwrap();
    let expires = to_json(fake.now() + TimeDelta::days(1));
    let artifact =
        json!({"storageType": "object", "contentType": "text/plain", "expires": expires});
    let create = artifact_of(&its, "createArtifact", &claim, "public/log").payload(&artifact);
    let upload = create.await.unwrap();
    assert_eq!(upload["projectId"], "proj");
    let get = || artifact_of(&tc, "getArtifact", &claim, "public/log");
    assert_eq!(get().await.unwrap_err().status(), Some(StatusCode::NOT_FOUND));
    // The upload has begun, and belongs to who knows its id.
    let theirs =
        tc.call(&Object::REFERENCE, "createUpload").unwrap().param("name", &upload["name"]);
    let theirs = theirs.payload(json!({
        "projectId": "proj", "uploadId": slugid::nice(), "expires": expires,
        "proposedUploadMethods": {},
    }));
    assert_eq!(theirs.await.unwrap_err().status(), Some(StatusCode::CONFLICT));

    let credentials = Credentials::from_json(&upload["credentials"].to_string()).unwrap();
    let uploader = fake.builder().unwrap().credentials(credentials).build().unwrap();
    let object =
        |name| uploader.call(&Object::REFERENCE, name).unwrap().param("name", &upload["name"]);
    let created = object("createUpload").payload(json!({
        "projectId": "proj", "uploadId": upload["uploadId"], "expires": expires,
        "proposedUploadMethods": {"dataInline": {"contentType": "text/plain", "objectData": "aGVsbG8="}},
    }));
    assert_eq!(created.await.unwrap()["uploadMethod"], json!({"dataInline": true}));
    let ids = json!({"projectId": "proj", "uploadId": upload["uploadId"]});
    object("finishUpload").payload(ids).await.unwrap();
    let finish = || artifact_of(&its, "finishArtifact", &claim, "public/log");
    let error = finish().payload(json!({"uploadId": slugid::nice()})).await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::BAD_REQUEST));
    assert_eq!(messages.try_next(), None);
    finish().payload(json!({"uploadId": upload["uploadId"]})).await.unwrap();
    assert_eq!(messages.next().await.unwrap().payload["artifact"]["storageType"], "object");

    let found = get().into_call().send_raw().await.unwrap();
    assert_eq!(found.status(), StatusCode::SEE_OTHER);
    let url = found.headers()["location"].to_str().unwrap();
    let plain = taskcluster::http_client_builder().unwrap().no_proxy().build().unwrap();
    let content = plain.get(url).send().await.unwrap();
    assert_eq!(content.headers()["content-type"], "text/plain");
    assert_eq!(content.bytes().await.unwrap(), "hello");

    // Or by the object service, with credentials that the queue gives.
    let content = artifact_of(&tc, "artifact", &claim, "public/log").await.unwrap();
    let credentials = Credentials::from_json(&content["credentials"].to_string()).unwrap();
    let reader = fake.builder().unwrap().credentials(credentials).build().unwrap();
    let start = reader.call(&Object::REFERENCE, "startDownload").unwrap();
    let start = start
        .param("name", &content["name"])
        .payload(json!({"acceptDownloadMethods": {"simple": true}}));
    let start = start.await.unwrap();
    assert_eq!(start["method"], "simple");
    let path = |url: &str| url.split_once('?').unwrap().0.to_owned();
    assert_eq!(path(start["url"].as_str().unwrap()), path(url));
}
