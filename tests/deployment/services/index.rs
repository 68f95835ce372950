//! The index finds tasks by names.

use chrono::TimeDelta;
use serde_json::{Value, json};
use taskcluster::dates::to_json;
use taskcluster::{Client, Index, NamedCall, StatusCode, slugid};

use crate::deployment::HOUR;
use crate::deployment::services::{all, call, complete, connected};
use crate::support::{assert_api_error, plain};

fn index(tc: &Client, name: &str) -> NamedCall {
    call(tc, &Index::REFERENCE, name)
}

#[tokio::test]
async fn completed_tasks_are_found_by_their_routes() {
    let (fake, tc) = connected().await;
    let ranked = |rank| json!({"routes": ["index.a.b.c", "x.y"], "extra": {"index": {"rank": rank, "data": {"n": rank}}}});
    let first = complete(&fake, &tc, ranked(2)).await;
    let found = async || index(&tc, "findTask").param("indexPath", "a.b.c").await.unwrap();
    let entry = found().await;
    assert_eq!((&entry["taskId"], &entry["rank"]), (&json!(first), &json!(2)));
    assert_eq!((&entry["data"], &entry["namespace"]), (&json!({"n": 2}), &json!("a.b.c")));
    // A lower rank does not count, an equal one does.
    complete(&fake, &tc, ranked(1)).await;
    assert_eq!(found().await["taskId"], first);
    let equal = complete(&fake, &tc, ranked(2)).await;
    assert_eq!(found().await["taskId"], equal);
    let error = index(&tc, "findTask").param("indexPath", "x.y").await.unwrap_err();
    assert_api_error(&error, StatusCode::NOT_FOUND, "ResourceNotFound", "x.y");

    let artifact = |name: &str| {
        index(&tc, "findArtifactFromTask").param("indexPath", "a.b.c").param("name", name)
    };
    let location = async |name: &str| {
        let answer = artifact(name).into_call().send_raw().await.unwrap();
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        answer.headers()["location"].to_str().unwrap().to_owned()
    };
    // What the deployment signs it signs by its own clock.
    fake.set_clock_offset(20 * 60);
    let public = location("public/log").await;
    assert_eq!(
        public,
        format!("{}/api/queue/v1/task/{equal}/artifacts/public%2Flog", fake.root_url())
    );
    // That of a private artifact is signed, and so good for anybody.
    let private = location("private/log").await;
    assert!(private.contains("bewit="));
    for url in [public, private] {
        let answer = plain().get(url).send().await.unwrap();
        assert_eq!(answer.headers()["location"], "https://example.com/log");
    }
}

#[tokio::test]
async fn tasks_are_indexed_by_hand_and_listed() {
    let (fake, tc) = connected().await;
    let expires = to_json(fake.now() + TimeDelta::hours(1));
    let id = slugid::nice();
    let insert = |path: &str, rank: u32| {
        let entry = json!({"taskId": id, "rank": rank, "data": {}, "expires": expires});
        index(&tc, "insertTask").param("namespace", path).payload(entry)
    };
    for path in ["a.x", "a.y", "a.b.x", "a.b.y", "a.c.d.x", "b"] {
        insert(path, 1).await.unwrap();
    }
    assert_eq!(insert("b", 0).await.unwrap()["rank"], json!(1));
    let names = |items: Vec<Value>, name: &str| -> Vec<String> {
        items.iter().map(|item| item[name].as_str().unwrap().to_owned()).collect()
    };
    let tasks = all(index(&tc, "listTasks").param("namespace", "a")).await;
    assert_eq!(names(tasks, "namespace"), ["a.x", "a.y"]);
    let namespaces = all(index(&tc, "listNamespaces").param("namespace", "a")).await;
    assert_eq!(names(namespaces.clone(), "namespace"), ["a.b", "a.c"]);
    assert_eq!(names(namespaces, "name"), ["b", "c"]);
    let wanted = json!({"indexes": ["b", "a.b.y", "nowhere"]});
    let found = index(&tc, "findTasksAtIndex").payload(&wanted).await.unwrap();
    assert_eq!(names(found["tasks"].as_array().unwrap().clone(), "namespace"), ["a.b.y", "b"]);
    let limited = fake.connect_as("limited", ["index:find-task:b"]).unwrap();
    let error = index(&limited, "findTasksAtIndex").payload(&wanted).await.unwrap_err();
    assert_api_error(&error, StatusCode::FORBIDDEN, "InsufficientScopes", "index:find-task:a.b.y");

    // The namespace without a name is the top.
    let top = all(index(&tc, "listTasks").param("namespace", "")).await;
    assert_eq!(names(top, "namespace"), ["b"]);
    let top = all(index(&tc, "listNamespaces").param("namespace", "")).await;
    assert_eq!(names(top, "namespace"), ["a"]);
    let call = Index::new(&tc).list_namespaces("");
    assert_eq!(call.url().unwrap().path(), "/api/index/v1/namespaces/");
    assert_eq!(call.await.unwrap().namespaces[0].name, "a");
    for name in ["findTask", "deleteTask"] {
        let arg = Index::REFERENCE.endpoint(name).args[0];
        let error = index(&tc, name).param(arg, "").await.unwrap_err();
        assert_eq!(error.message(), format!("argument `{arg}` of {name} is empty"));
    }

    index(&tc, "deleteTask").param("namespace", "a.x").await.unwrap();
    let error = index(&tc, "findTask").param("indexPath", "a.x").await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::NOT_FOUND));
    fake.advance(HOUR);
    let error = index(&tc, "findTask").param("indexPath", "b").await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::NOT_FOUND));
    assert!(all(index(&tc, "listTasks").param("namespace", "a")).await.is_empty());
}
