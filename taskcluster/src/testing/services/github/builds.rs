//! Lists and cancels builds.

use serde_json::{Value, json};

use super::store::{Build, Github, GithubBuildState, in_keys};
use crate::Queue;
use crate::testing::http::answer::Refusal;
use crate::testing::http::call::RecordedCall;
use crate::testing::http::paging::page;
use crate::testing::services::context::Context;

/// The client id of the GitHub service.
const CLIENT: &str = "static/taskcluster/github";

/// Which builds a call is about.
struct Filter<'c> {
    organization: Option<&'c str>,
    repository: Option<&'c str>,
    sha: Option<&'c str>,
    pull_request: Option<u64>,
}

impl<'c> Filter<'c> {
    fn of(call: &'c RecordedCall) -> Result<Self, Refusal> {
        let option = |name: &str| call.query_value(name).filter(|value| !value.is_empty());
        let pull_request = option("pullRequest").map(|number| {
            number.parse().map_err(|_| {
                Refusal::arguments(format!("`pullRequest` is not a number: {number:?}"))
            })
        });
        Ok(Self {
            organization: option("organization"),
            repository: option("repository"),
            sha: option("sha"),
            pull_request: pull_request.transpose()?,
        })
    }

    fn holds(&self, build: &Build) -> bool {
        self.organization.is_none_or(|name| name == in_keys(&build.organization))
            && self.repository.is_none_or(|name| name == in_keys(&build.repository))
            && self.sha.is_none_or(|sha| sha == build.sha)
            && self.pull_request.is_none_or(|number| build.pull_request == Some(number))
    }
}

/// Lists builds, those that have not changed for longest first.
pub(super) fn list(
    github: &Github,
    context: &Context,
    call: &RecordedCall,
) -> Result<Value, Refusal> {
    let filter = Filter::of(call)?;
    for (given, name, needed, needs) in [
        (filter.repository.is_some(), "repository", filter.organization, "organization"),
        (filter.sha.is_some(), "sha", filter.repository, "repository"),
        (filter.pull_request.is_some(), "pullRequest", filter.repository, "repository"),
    ] {
        if given && needed.is_none() {
            return Err(Refusal::input(format!("`{name}` needs `{needs}`")));
        }
    }
    let store = github.lock();
    let builds = store.builds.iter().filter(|build| filter.holds(build));
    let mut items: Vec<_> = builds
        .map(|build| {
            let updated = build.updated.timestamp_millis();
            (format!("{updated:020} {}", build.task_group_id), build.to_json())
        })
        .collect();
    items.sort_by(|(one, _), (other, _)| one.cmp(other));
    page(&context.token_key, call, "builds", items.into_iter())
}

/// Seals and cancels the task groups of builds. The scopes for it are those of the repository's roles.
pub(super) fn cancel(
    github: &Github,
    context: &Context,
    call: &RecordedCall,
) -> Result<Value, Refusal> {
    let (owner, repo) = (call.arg("owner"), call.arg("repo"));
    let filter = Filter { organization: Some(owner), repository: Some(repo), ..Filter::of(call)? };
    let is_meant = |build: &&Build| build.state == GithubBuildState::Pending && filter.holds(build);
    let mut builds: Vec<_> = github.lock().builds.iter().filter(is_meant).cloned().collect();
    if builds.is_empty() {
        return Err(Refusal::not_found("there is no build to cancel"));
    }
    let scopes = [
        format!("assume:repo:github.com/{owner}/{repo}:*"),
        "queue:seal-task-group:taskcluster-github/*".to_owned(),
        "queue:cancel-task-group:taskcluster-github/*".to_owned(),
    ];
    for endpoint in ["sealTaskGroup", "cancelTaskGroup"] {
        for Build { task_group_id, .. } in &builds {
            let caller = (CLIENT, scopes.to_vec());
            let args = [("taskGroupId", task_group_id.as_str())];
            context.call(&Queue::REFERENCE, endpoint, caller, &args, None).map_err(|refusal| {
                match refusal.code() {
                    "InsufficientScopes" => refusal,
                    _ => Refusal::input(refusal.message()),
                }
            })?;
        }
    }
    let mut store = github.lock();
    for build in &mut builds {
        store.set_state(&build.task_group_id, GithubBuildState::Cancelled, context.now());
        build.state = GithubBuildState::Cancelled;
    }
    let builds: Vec<_> = builds.iter().map(Build::to_json).collect();
    Ok(json!({"builds": builds}))
}

/// Sets the state of builds whose tasks are all resolved.
pub(super) fn follow(github: &Github, context: &Context) {
    let resolved = std::mem::take(&mut github.lock().resolved);
    for group in resolved {
        let caller = (CLIENT, vec![format!("queue:list-task-group:{group}")]);
        let args = [("taskGroupId", group.as_str())];
        let tasks = context.list(&Queue::REFERENCE, "listTaskGroup", caller, &args, "tasks");
        let states: Vec<_> = tasks
            .unwrap_or_default()
            .iter()
            .filter_map(|task| task["status"]["state"].as_str().map(str::to_owned))
            .collect();
        let any = |wanted: &[&str]| states.iter().any(|state| wanted.contains(&state.as_str()));
        let state = if any(&["failed", "exception"]) {
            GithubBuildState::Failure
        } else if any(&["unscheduled", "pending", "running"]) {
            GithubBuildState::Pending
        } else {
            GithubBuildState::Success
        };
        let mut store = github.lock();
        let is_cancelled = store.builds.iter().any(|build| {
            build.task_group_id == group && build.state == GithubBuildState::Cancelled
        });
        if !is_cancelled {
            store.set_state(&group, state, context.now());
        }
    }
}
