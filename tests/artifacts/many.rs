//! All artifacts of a task: several at once, and none outside the folder.

use std::sync::{Arc, Mutex};

use serde_json::json;
use taskcluster::testing::Fault;
use taskcluster::{ErrorKind, StatusCode, artifacts};

use crate::artifacts::{Folder, Running, names_in};

async fn create(running: &Running, names: &[&str]) {
    for name in names {
        running.s3(name, name.as_bytes(), "identity").await;
    }
}

#[tokio::test]
async fn chosen_artifacts_go_to_files_of_their_names() {
    let running = Running::new().await;
    create(&running, &["public/a.txt", "public/logs/b.log", "public/c", "private/d"]).await;
    running.fake.on_downloads().one_in(2).fault(Fault::Disconnect);
    let folder = Folder::new();
    let to = folder.path("new/folder");
    let seen = Arc::new(Mutex::new(Vec::new()));
    let kept = seen.clone();
    let all = artifacts::download_all(&running.queue, &running.task_id, |name| {
        name.starts_with("public/")
    });
    let files = all
        .to(&to)
        .concurrency(2)
        .on_progress(move |name, progress| {
            kept.lock().unwrap().push((name.to_owned(), progress.bytes));
        })
        .await
        .unwrap();
    let paths: Vec<_> = files.iter().map(|file| file.path.clone()).collect();
    let expected = ["public/a.txt", "public/c", "public/logs/b.log"];
    assert_eq!(paths, expected.map(|name| to.join(name)));
    for name in expected {
        assert_eq!(std::fs::read(to.join(name)).unwrap(), name.as_bytes());
        assert!(seen.lock().unwrap().contains(&(name.to_owned(), name.len() as u64)));
    }
    assert_eq!(names_in(&to), ["public"]);

    // Again, without touching what is there.
    let all = artifacts::download_all(&running.queue, &running.task_id, |_| true).to(&to).run(0);
    let error = all.with(|artifact| artifact.overwrite(false)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::File);
    let none = artifacts::download_all(&running.queue, &running.task_id, |_| false);
    assert!(none.to(folder.path("none")).await.unwrap().is_empty());
    let missing = artifacts::download_all(&running.queue, "fN1SbArXTPSVFNUvaOlinQ", |_| true);
    let error = missing.to(folder.path("none")).await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::NOT_FOUND));
}

#[tokio::test]
async fn no_name_leads_out_of_the_folder() {
    for name in ["../x", "/etc/x", "a/../../x", "a//x", "a/./x", "a/"] {
        let running = Running::new().await;
        create(&running, &["fine", name]).await;
        let folder = Folder::new();
        let all = artifacts::download_all(&running.queue, &running.task_id, |_| true);
        let error = all.to(folder.path("to")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::File, "{name}: {error}");
        assert!(error.to_string().contains(name), "{error}");
        assert!(folder.names().is_empty(), "{name}");
        assert!(running.fake.transfers().iter().all(|call| call.endpoint.name == "upload"));
    }
}

#[cfg(unix)]
#[tokio::test]
async fn links_in_the_folder_are_not_followed() {
    let running = Running::new().await;
    create(&running, &["a/b/x", "y"]).await;
    let (folder, outside) = (Folder::new(), Folder::new());
    std::fs::create_dir(folder.path("a")).unwrap();
    std::os::unix::fs::symlink(&outside.0, folder.path("a/b")).unwrap();
    let all = || artifacts::download_all(&running.queue, &running.task_id, |_| true).to(&folder.0);
    let error = all().await.unwrap_err();
    assert!(error.to_string().ends_with("a/b is a link"), "{error}");
    // A file that is a link is replaced, and what it leads to stays.
    std::fs::remove_file(folder.path("a/b")).unwrap();
    std::fs::write(outside.path("theirs"), "theirs").unwrap();
    std::os::unix::fs::symlink(outside.path("theirs"), folder.path("y")).unwrap();
    all().await.unwrap();
    assert_eq!(std::fs::read(outside.path("theirs")).unwrap(), b"theirs");
    assert_eq!(std::fs::read(folder.path("y")).unwrap(), b"y");
}

#[tokio::test]
async fn names_that_differ_by_case_are_two_files_where_the_file_system_says_so() {
    let running = Running::new().await;
    create(&running, &["a/x", "a/X"]).await;
    let folder = Folder::new();
    std::fs::write(folder.path("probe"), "").unwrap();
    let ignores_case = folder.path("PROBE").exists();
    let all = artifacts::download_all(&running.queue, &running.task_id, |_| true);
    let files = all.to(folder.path("to")).await;
    match ignores_case {
        true => assert_eq!(files.unwrap_err().kind(), ErrorKind::File),
        false => {
            assert_eq!(files.unwrap().len(), 2);
            assert_eq!(names_in(&folder.path("to/a")), ["X", "x"]);
        }
    }
}

#[tokio::test]
async fn a_name_is_not_a_file_and_a_folder_at_once() {
    let running = Running::new().await;
    create(&running, &["a", "a/b/c"]).await;
    let folder = Folder::new();
    running.fake.clear_calls();
    let all = artifacts::download_all(&running.queue, &running.task_id, |_| true);
    let error = all.to(folder.path("to")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::File);
    assert!(error.message().contains("the folder of \"a/b/c\""), "{error}");
    assert!(running.fake.transfers().is_empty());
}

#[tokio::test]
async fn a_name_is_not_the_unfinished_file_of_another() {
    for other in ["a/x.part", "a/X.part.json"] {
        let running = Running::new().await;
        create(&running, &["a/x", other]).await;
        let folder = Folder::new();
        let all = artifacts::download_all(&running.queue, &running.task_id, |_| true);
        let all = all.to(&folder.0).with(|artifact| artifact.resume(true));
        let error = all.await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::File);
        assert!(error.message().contains("the unfinished file of \"a/x\""), "{error}");
        assert!(folder.names().is_empty());
        // Otherwise unfinished files have other names.
        let all = artifacts::download_all(&running.queue, &running.task_id, |_| true);
        assert_eq!(all.to(&folder.0).await.unwrap().len(), 2);
    }
}

#[tokio::test]
async fn the_first_error_ends_it() {
    let running = Running::new().await;
    create(&running, &["a", "c"]).await;
    let error =
        json!({"storageType": "error", "reason": "too-large-file-on-worker", "message": "no"});
    running.create("b", error).await;
    let folder = Folder::new();
    let all = artifacts::download_all(&running.queue, &running.task_id, |_| true);
    let error = all.to(&folder.0).concurrency(1).await.unwrap_err();
    assert_eq!(error.code(), Some("too-large-file-on-worker"));
    assert_eq!(folder.names(), ["a"]);
}
