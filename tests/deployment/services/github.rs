//! Builds that a test puts in, and what the service would post to GitHub.

use serde_json::{Value, json};
use taskcluster::reqwest::header::LOCATION;
use taskcluster::testing::{Deployment, GithubBuild, GithubBuildState};
use taskcluster::{Client, Github, NamedCall, Queue, StatusCode, slugid};

use crate::deployment::services::{all, call, connected};
use crate::deployment::{HOUR, task_of, with};
use crate::support::assert_api_error;

const SHA: &str = "2d8a3d21c6f1b7a0d1a0c6e0a3f4b5c6d7e8f901";

fn github(tc: &Client, name: &str) -> NamedCall {
    call(tc, &Github::REFERENCE, name)
}

fn of_repo(tc: &Client, name: &str) -> NamedCall {
    github(tc, name).param("owner", "octo").param("repo", "app.js")
}

fn of_branch(tc: &Client, name: &str, branch: &str) -> NamedCall {
    of_repo(tc, name).param("branch", branch)
}

/// Creates a task of a group, as the service does.
async fn create_task(fake: &Deployment, tc: &Client, group: &str) {
    let fields = json!({
        "taskQueueId": "p/w", "taskGroupId": group, "schedulerId": "taskcluster-github",
    });
    let create = call(tc, &Queue::REFERENCE, "createTask").param("taskId", group);
    create.payload(with(task_of(fake.now()), fields)).await.unwrap();
}

#[tokio::test]
async fn builds_are_filtered_and_listed_by_their_last_change() {
    let (fake, tc) = connected().await;
    let groups: Vec<_> = (0..3).map(|_| slugid::nice()).collect();
    let build = |i: usize, repository: &str| GithubBuild::new("octo", repository, SHA, &groups[i]);
    fake.github().build(build(0, "app.js").pull_request(7));
    fake.advance(HOUR);
    fake.github().build(build(1, "app.js").branch("main").event_type("release"));
    fake.github().build(build(2, "lib").state(GithubBuildState::Error));

    let found = |query: &[(&str, &str)]| {
        let mut builds = github(&tc, "builds");
        for (name, value) in query {
            builds = builds.query(name, value);
        }
        async {
            all(builds).await.iter().map(|build| build["taskGroupId"].clone()).collect::<Vec<_>>()
        }
    };
    assert_eq!(found(&[]).await.len(), 3);
    assert_eq!(found(&[]).await[0], json!(groups[0]));
    // A dot cannot be in a routing key.
    let repository = [("organization", "octo"), ("repository", "app%js")];
    assert_eq!(found(&repository).await, [json!(groups[0]), json!(groups[1])]);
    let of_pull = [repository[0], repository[1], ("pullRequest", "7")];
    assert_eq!(found(&of_pull).await, [json!(groups[0])]);
    let of_sha = [repository[0], repository[1], ("sha", &SHA.replace('2', "3"))];
    assert!(found(&of_sha).await.is_empty());
    let error = github(&tc, "builds").query("repository", "lib").await.unwrap_err();
    assert_api_error(&error, StatusCode::BAD_REQUEST, "InputError", "organization");
    for option in ["sha", "pullRequest"] {
        let error = github(&tc, "builds").query("organization", "octo").query(option, "7").await;
        assert_api_error(&error.unwrap_err(), StatusCode::BAD_REQUEST, "InputError", option);
    }
}

#[tokio::test]
async fn a_build_succeeds_or_fails_with_its_tasks() {
    let (fake, tc) = connected().await;
    for (report, state) in [("reportCompleted", "success"), ("reportFailed", "failure")] {
        let group = slugid::nice();
        fake.github().build(GithubBuild::new("octo", "app", SHA, &group));
        create_task(&fake, &tc, &group).await;
        let queue = |name: &str| {
            call(&tc, &Queue::REFERENCE, name).param("taskId", &group).param("runId", 0)
        };
        let worker = json!({"workerGroup": "g", "workerId": "w"});
        queue("claimTask").payload(worker).await.unwrap();
        queue(report).await.unwrap();
        let builds = all(github(&tc, "builds")).await;
        let build = builds.iter().find(|build| build["taskGroupId"] == json!(group)).unwrap();
        assert_eq!(build["state"], state);
    }
}

#[tokio::test]
async fn cancelling_builds_cancels_their_tasks() {
    let (fake, tc) = connected().await;
    let group = slugid::nice();
    let cancel = || of_repo(&tc, "cancelBuilds").query("pullRequest", 7);
    let error = cancel().await.unwrap_err();
    assert_api_error(&error, StatusCode::NOT_FOUND, "ResourceNotFound", "no build");
    fake.github().build(GithubBuild::new("octo", "app.js", SHA, &group).pull_request(7));
    create_task(&fake, &tc, &group).await;
    let cancelled = cancel().query("sha", SHA).await;
    // Its names are those of builds, not GitHub's.
    assert_eq!(cancelled.unwrap_err().status(), Some(StatusCode::NOT_FOUND));
    let cancel = github(&tc, "cancelBuilds").param("owner", "octo").param("repo", "app%js");
    let cancelled = cancel.clone().await.unwrap();
    assert_eq!(cancelled["builds"][0]["state"], "cancelled");
    let status = call(&tc, &Queue::REFERENCE, "status").param("taskId", &group).await.unwrap();
    assert_eq!(status["status"]["runs"][0]["reasonResolved"], "canceled");
    assert_eq!(all(github(&tc, "builds")).await[0]["state"], "cancelled");
    assert_eq!(cancel.await.unwrap_err().status(), Some(StatusCode::NOT_FOUND));
}

#[tokio::test]
async fn a_task_group_of_somebody_else_cannot_be_cancelled() {
    let (fake, tc) = connected().await;
    let group = slugid::nice();
    fake.github().build(GithubBuild::new("octo", "app", SHA, &group));
    let fields = json!({"taskQueueId": "p/w", "taskGroupId": group, "schedulerId": "mine"});
    let create = call(&tc, &Queue::REFERENCE, "createTask").param("taskId", &group);
    create.payload(with(task_of(fake.now()), fields)).await.unwrap();
    let cancel = github(&tc, "cancelBuilds").param("owner", "octo").param("repo", "app");
    let error = cancel.await.unwrap_err();
    let missing = "queue:seal-task-group:mine/";
    assert_api_error(&error, StatusCode::FORBIDDEN, "InsufficientScopes", missing);
}

#[tokio::test]
async fn posts_go_where_the_app_is_installed() {
    let (fake, tc) = connected().await;
    let status = |state: &str| {
        let status = json!({"state": state, "target_url": "https://example.com/x", "context": "c"});
        of_repo(&tc, "createStatus").param("sha", SHA).payload(status)
    };
    let installed = || of_repo(&tc, "repository");
    assert_eq!(installed().await.unwrap(), json!({"installed": false}));
    let error = status("success").await.unwrap_err();
    assert_api_error(&error, StatusCode::NOT_FOUND, "ResourceNotFound", "octo");
    fake.github().install("octo", "other");
    let error = status("success").await.unwrap_err();
    assert_api_error(&error, StatusCode::FORBIDDEN, "ForbiddenByGithub", "octo/app.js");
    fake.github().install("octo", "app.js");
    assert_eq!(installed().await.unwrap(), json!({"installed": true}));
    status("pending").await.unwrap();
    let comment = of_repo(&tc, "createComment").param("number", 7);
    comment.payload(json!({"body": "Well done!"})).await.unwrap();

    let posts = fake.github().posts();
    let posts: Vec<_> = posts
        .iter()
        .map(|post| (post.kind, post.repository.as_str(), post.subject.as_str(), &post.request))
        .collect();
    let status = json!({"state": "pending", "target_url": "https://example.com/x", "context": "c"});
    assert_eq!(
        posts,
        [
            ("status", "octo/app.js", SHA, &status),
            ("comment", "octo/app.js", "7", &json!({"body": "Well done!"})),
        ]
    );
}

#[tokio::test]
async fn a_badge_shows_the_state_of_a_branch_and_latest_leads_there() {
    let (fake, tc) = connected().await;
    let badge = async || {
        let response = of_branch(&tc, "badge", "main").into_call().send_raw().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "image/svg+xml");
        let status = response.headers()["x-taskcluster-status"].to_str().unwrap().to_owned();
        let picture = response.text().await.unwrap();
        assert!(picture.starts_with("<svg") && picture.ends_with("</svg>\n"), "{picture}");
        status
    };
    let latest = async || of_branch(&tc, "latest", "main").into_call().send_raw().await;
    assert_eq!(badge().await, "nogithub");
    fake.github().install("octo", "app.js");
    assert_eq!(badge().await, "newrepo");
    let error = latest().await.unwrap_err();
    assert_api_error(&error, StatusCode::NOT_FOUND, "ResourceNotFound", "status");

    let group = slugid::nice();
    let build = GithubBuild::new("octo", "app.js", SHA, &group).branch("main");
    fake.github().build(build.state(GithubBuildState::Failure));
    assert_eq!(badge().await, "failure");
    let found = latest().await.unwrap();
    assert_eq!(found.status(), StatusCode::FOUND);
    let groups = format!("{}/tasks/groups/{group}", fake.root_url());
    assert_eq!(found.headers()[LOCATION], groups);
    // A status that somebody posted is newer.
    let status: Value = json!({"state": "success", "target_url": "https://example.com/x"});
    of_repo(&tc, "createStatus").param("sha", SHA).payload(status).await.unwrap();
    assert_eq!(badge().await, "success");
    assert_eq!(latest().await.unwrap().headers()[LOCATION], "https://example.com/x");
    // The typed client follows no redirect, but for this endpoint one is the answer.
    of_branch(&tc, "latest", "main").await.unwrap();
}

#[tokio::test]
async fn a_build_that_no_deployment_could_have_is_a_mistake_in_the_test() {
    let fake = Deployment::start().await.unwrap();
    for build in [
        GithubBuild::new("octo", "app", "2d8a", slugid::nice()),
        GithubBuild::new("octo", "app", SHA, "group"),
        GithubBuild::new("", "app", SHA, slugid::nice()),
    ] {
        let put = std::panic::AssertUnwindSafe(|| fake.github().build(build));
        std::panic::catch_unwind(put).unwrap_err();
    }
    assert!(all(github(&fake.connect_as("t", ["*"]).unwrap(), "builds")).await.is_empty());
}
