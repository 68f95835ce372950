//! Rendering `.taskcluster.yml`, as the service does for the events of GitHub.

use serde_json::{Value, json};
use taskcluster::{Client, Error, Github, StatusCode, slugid};

use super::{call, connected};
use crate::deployment::HOUR;
use crate::support::assert_api_error;

async fn render_for(tc: &Client, body: &str, event: Value) -> Result<Value, Error> {
    let render = call(tc, &Github::REFERENCE, "renderTaskclusterYml").payload(json!({
        "body": body, "fakeEvent": event, "organization": "octo", "repository": "app.js",
    }));
    render.await
}

/// Renders the tasks of a push.
async fn tasks_of(tc: &Client, tasks: &str) -> Result<Vec<Value>, Error> {
    let body = format!("version: 1\nreporting: checks-v1\ntasks:\n{tasks}");
    let rendered = render_for(tc, &body, json!({"type": "github-push"})).await?;
    Ok(rendered["tasks"].as_array().unwrap().clone())
}

/// Renders a single task, and returns what has come of its payload.
async fn payload_of(tc: &Client, payload: &str) -> Result<Value, Error> {
    let tasks = tasks_of(tc, &format!("  - payload: {payload}\n")).await?;
    Ok(tasks[0]["task"]["payload"].clone())
}

#[track_caller]
fn assert_refused<T: std::fmt::Debug>(answer: Result<T, Error>, message: &str) {
    assert_api_error(&answer.unwrap_err(), StatusCode::BAD_REQUEST, "InputError", message);
}

#[tokio::test]
async fn an_event_decides_on_tasks_and_scopes() {
    let (_fake, tc) = connected().await;
    let file = r#"
        version: 1
        policy: {pullRequests: public_restricted}
        autoCancelPreviousChecks: false
        tasks:
          $if: 'tasks_for == "github-push" || event.action in ["opened", "synchronize", "created"]'
          then:
            - deadline: {$fromNow: 1 day}
              metadata:
                owner: ${event.sender.login}@users.noreply.github.com
                source: ${event.repository.html_url}
          else: []
    "#;
    let event = |kind: &str, action: &str| json!({"type": kind, "action": action});
    let push = |overrides: Value| json!({"type": "github-push", "overrides": overrides});
    for (event, count, role) in [
        (json!({"type": "github-push"}), 1, "branch:main"),
        (push(json!({"branch": "stage/2"})), 1, "branch:stage/2"),
        (push(json!({"ref": "refs/tags/v1.0.2"})), 1, "tag:v1.0.2"),
        (event("github-pull-request", "opened"), 1, "pull-request"),
        (event("github-pull-request", "assigned"), 0, "pull-request"),
        (event("github-pull-request-untrusted", "synchronize"), 1, "pull-request-untrusted"),
        (event("github-release", "published"), 0, "release:published"),
        (event("github-release", "released"), 0, "release:released"),
        (event("github-issue-comment", "created"), 1, "pull-request"),
    ] {
        let rendered = render_for(&tc, file, event).await.unwrap();
        let tasks = rendered["tasks"].as_array().unwrap();
        assert_eq!(tasks.len(), count, "{role}");
        for task in tasks {
            let metadata = json!({
                "owner": "octocat@users.noreply.github.com",
                "source": "https://github.com/octo/app.js",
            });
            assert_eq!(task["task"]["metadata"], metadata);
        }
        let role = format!("assume:repo:github.com/octo/app.js:{role}");
        let others = ["queue:route:statuses", "queue:scheduler-id:taskcluster-github"];
        assert_eq!(rendered["scopes"], json!([role, others[0], others[1]]));
    }
}

#[tokio::test]
async fn the_event_is_as_the_caller_overrides_it() {
    let (fake, tc) = connected().await;
    let file = "{version: 1, tasks: [{payload: {command: '${event.taskcluster_comment}', \
                title: '${event.issue.title}', root: '${taskcluster_root_url}', now: {$eval: now}}}]}";
    let comment = json!({"comment": {"body": "Hm.\n /taskcluster  try this \n"}});
    let event = json!({"type": "github-issue-comment", "action": "edited", "overrides": comment});
    fake.advance(1000 * HOUR);
    let rendered = render_for(&tc, file, event).await.unwrap();
    let payload = &rendered["tasks"][0]["task"]["payload"];
    assert_eq!(payload["command"], "try this");
    assert_eq!(payload["title"], "Say hello");
    assert_eq!(payload["root"], fake.root_url());
    // By the deployment's clock.
    let hour = &fake.now().to_rfc3339()[..13];
    assert!(payload["now"].as_str().unwrap().starts_with(hour), "{payload}");
    let push = json!({"type": "github-push", "overrides": {"branch": "caf\u{e9}"}});
    assert_refused(render_for(&tc, "version: 1", push).await, "branch");
}

#[tokio::test]
async fn a_label_has_one_slug_id() {
    let (_fake, tc) = connected().await;
    let payload = r#"
      ids: {$map: [a, b, a], "each(x)": {$eval: as_slugid("build-" + x)}}
      joined: '<${as_slugid("build-b")}>'
      same: {$eval: 'as_slugid("build-a") == as_slugid ( "build-" + "a" )'}
      ${as_slugid('build-a')}: key
      nested: {$eval: as_slugid(as_slugid("build-a"))}
      brackets: {$eval: 'as_slugid(")")'}
      number: {$eval: as_slugid(1)}
      text: it's as_slugid("build-a"), (as_slugid, and not_as_slugid("x")"#;
    let payload = payload_of(&tc, payload).await.unwrap();
    let id = |value: &Value| {
        let id = value.as_str().unwrap().to_owned();
        assert!(slugid::is_valid(&id), "{payload}");
        id
    };
    let (a, b) = (id(&payload["ids"][0]), id(&payload["ids"][1]));
    assert_ne!(a, b);
    assert_eq!(id(&payload["ids"][2]), a);
    assert_eq!(payload["joined"], format!("<{b}>"));
    assert_eq!(payload["same"], true);
    assert_eq!(payload[&a], "key");
    assert!(![&a, &b].contains(&&id(&payload["nested"])));
    id(&payload["brackets"]);
    id(&payload["number"]);
    let text = r#"it's as_slugid("build-a"), (as_slugid, and not_as_slugid("x")"#;
    assert_eq!(payload["text"], text);
    for cut in ["[0:5]", "[1:]", "[:-1]", "[0]"] {
        let payload = format!("{{$eval: 'as_slugid(\"a\"){cut}'}}");
        assert_refused(payload_of(&tc, &payload).await, "as_slugid");
    }
    assert_refused(payload_of(&tc, "{$eval: 'as_slugid(\"a\"'}").await, "rendered");
}

#[tokio::test]
async fn tasks_come_after_those_they_depend_on_and_are_complete() {
    let (_fake, tc) = connected().await;
    let tasks = "
  - {taskId: last, dependencies: [middle, of-another-group], routes: [checks, r, r]}
  - {taskId: middle, dependencies: [first], schedulerId: mine}
  - {taskId: beside, taskGroupId: own}
  - {taskId: first}";
    let tasks = tasks_of(&tc, tasks).await.unwrap();
    let ids: Vec<_> = tasks.iter().map(|task| task["taskId"].as_str().unwrap()).collect();
    assert_eq!(ids, ["first", "middle", "last", "beside"]);
    assert_eq!(tasks[2]["task"]["routes"], json!(["checks", "r"]));
    assert_eq!(tasks[0]["task"]["routes"], json!(["checks"]));
    assert_eq!(tasks[1]["task"]["schedulerId"], "mine");
    assert_eq!(tasks[0]["task"]["schedulerId"], "taskcluster-github");
    let group = tasks[0]["task"]["taskGroupId"].as_str().unwrap();
    assert!(slugid::is_valid(group) && !ids.contains(&group));
    assert_eq!(tasks[1]["task"]["taskGroupId"], group);
    assert_eq!(tasks[3]["task"]["taskGroupId"], "own");
    let circle = "  - {taskId: a, dependencies: [b]}\n  - {taskId: b, dependencies: [a]}";
    assert_refused(tasks_of(&tc, circle).await, "circle");
    assert_refused(tasks_of(&tc, "  - {dependencies: 1}").await, "dependencies");

    // A single one is a decision task.
    for (task, id, group) in [("{taskId: x}", "x", "x"), ("{taskGroupId: y}", "y", "y")] {
        let tasks = tasks_of(&tc, &format!("  - {task}")).await.unwrap();
        assert_eq!(
            (&tasks[0]["taskId"], &tasks[0]["task"]["taskGroupId"]),
            (&json!(id), &json!(group))
        );
    }
    let tasks = tasks_of(&tc, "  - {provisionerId: p}").await.unwrap();
    assert_eq!(tasks[0]["taskId"], tasks[0]["task"]["taskGroupId"]);
    assert_eq!(tasks[0]["task"].get("taskId"), None);
}

#[tokio::test]
async fn yaml_is_read_as_the_service_reads_it() {
    let (_fake, tc) = connected().await;
    let payload = "
      base: &base {image: rust, env: {A: 1}}
      job:
        <<: *base
        image: other
      jobs: {<<: [*base, {more: yes}], 1: ~}
      scalars: [0x1F, 0o17, 1.5, 1e3, True, Null, 'true', !!str 12, !!float 2, 2026-01-05, '']
      folded: >-
        one
        two";
    let base = json!({"image": "rust", "env": {"A": 1}});
    let expected = json!({
        "base": base,
        "job": {"image": "other", "env": {"A": 1}},
        "jobs": {"image": "rust", "env": {"A": 1}, "more": "yes", "1": null},
        "scalars": [31, 15, 1.5, 1000, true, null, "true", "12", 2, "2026-01-05", ""],
        "folded": "one two",
    });
    assert_eq!(payload_of(&tc, payload).await.unwrap(), expected);
    let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
    let steep: String = (6..200).map(|depth| format!("\n{:depth$}- ", "")).collect();
    let first = "\n      a0: &a0 [x]";
    let (mut stairs, mut bomb) = (first.to_owned(), first.to_owned());
    for n in 1..200 {
        stairs += &format!("\n      a{n}: &a{n} [*a{}]", n - 1);
        bomb += &format!("\n      a{n}: &a{n} [*a{0}, *a{0}]", n - 1);
    }
    for (payload, message) in [
        ("{a: 1, a: 2}", "a key occurs twice at line 4 column"),
        ("{a: 1", "not YAML"),
        ("*unknown", "not YAML"),
        ("&a [*a]", "alias"),
        ("{[a]: 1}", "a key must be a scalar"),
        ("!secret x", "the tag !secret is not known"),
        ("!!int x", "does not fit"),
        (".inf", "no such number"),
        ("{<<: 1}", "merges mappings only"),
        ("a\n---\nversion: 1", "a second document"),
        (&deep, "nested too deeply"),
        (&steep, "nested too deeply"),
        (&stairs, "nested too deeply"),
        (&bomb, "too large"),
    ] {
        assert_refused(payload_of(&tc, payload).await, message);
    }
}

#[tokio::test]
async fn a_file_that_is_none_is_refused() {
    let (_fake, tc) = connected().await;
    for (file, message) in [
        ("", "no document"),
        ("just text", "schema"),
        ("version: 2", "schema"),
        ("{version: 1, task: []}", "task"),
        ("{version: 1, policy: {pullRequests: private}}", "policy"),
        ("{version: 1, tasks: [text]}", "tasks"),
        ("{version: 1, tasks: {$eval: '[1]'}}", "object"),
        ("{version: 1, tasks: {$eval: '1'}}", "list"),
        ("{version: 1, tasks: [{metadata: {name: {$eval: '$string($now())'}}}]}", "rendered"),
        ("{version: 1, tasks: [{a: {$eval: event.unknown}}]}", "rendered"),
    ] {
        assert_refused(render_for(&tc, file, json!({"type": "github-push"})).await, message);
    }
    let error = render_for(&tc, "{version: 0}", json!({"type": "github-push"})).await.unwrap_err();
    assert_api_error(&error, StatusCode::BAD_REQUEST, "NotStubbed", "renderTaskclusterYml");
    let error = render_for(&tc, "version: 1", json!({"type": "github-gollum"})).await.unwrap_err();
    assert_eq!(error.code(), Some("InputValidationError"));
}
