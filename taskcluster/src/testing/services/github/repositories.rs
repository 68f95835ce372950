//! What the GitHub service says about a repository, and posts to it.

use reqwest::StatusCode;
use reqwest::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, LOCATION};
use serde_json::{Value, json};

use super::store::{Github, GithubPost};
use crate::testing::http::answer::{Refusal, Reply};
use crate::testing::http::call::RecordedCall;
use crate::testing::services::context::Context;

/// What the header of a badge says in place of its picture.
const STATUS: HeaderName = HeaderName::from_static("x-taskcluster-status");

pub(super) fn is_installed(github: &Github, call: &RecordedCall) -> Value {
    let store = github.lock();
    let repos = store.installed.get(call.arg("owner"));
    json!({"installed": repos.is_some_and(|repos| repos.contains(call.arg("repo")))})
}

/// Posts to GitHub on behalf of a caller, which here means to record it.
pub(super) fn post(
    github: &Github,
    call: &RecordedCall,
    kind: &'static str,
    subject: &str,
) -> Result<Value, Refusal> {
    let (owner, repo) = (call.arg("owner"), call.arg("repo"));
    let mut store = github.lock();
    let repos = store
        .installed
        .get(owner)
        .ok_or_else(|| Refusal::not_found(format!("the app is not installed for {owner}")))?;
    if !repos.contains(repo) {
        return Err(Refusal::forbidden_by_github(format!(
            "the app may not use the repository {owner}/{repo}"
        )));
    }
    store.posts.push(GithubPost {
        kind,
        repository: format!("{owner}/{repo}"),
        subject: call.arg(subject).to_owned(),
        request: call.payload().clone(),
    });
    Ok(json!({}))
}

/// Redirects to the last status of a branch, or else to the task group of its last build.
pub(super) fn latest(
    github: &Github,
    context: &Context,
    call: &RecordedCall,
) -> Result<Reply, Refusal> {
    let store = github.lock();
    let found = store.latest(call.arg("owner"), call.arg("repo"), call.arg("branch"));
    let (build, posted) = found.ok_or_else(|| Refusal::not_found("the branch has no status"))?;
    let posted = posted.and_then(|status| status["target_url"].as_str());
    let url = posted.map_or_else(
        || format!("{}/tasks/groups/{}", context.root_url(), build.task_group_id),
        str::to_owned,
    );
    let location = HeaderValue::try_from(&url)
        .map_err(|_| Refusal::input(format!("{url:?} cannot be sent in a header")))?;
    let text = HeaderValue::from_static("text/plain; charset=utf-8");
    let body = format!("Found. Redirecting to {url}");
    Ok(Reply::new(StatusCode::FOUND).header(LOCATION, location).body(text, body))
}

/// Answers with a picture of the state of a branch.
pub(super) fn badge(github: &Github, call: &RecordedCall) -> Reply {
    let store = github.lock();
    let (owner, repo) = (call.arg("owner"), call.arg("repo"));
    let state = match store.latest(owner, repo, call.arg("branch")) {
        Some((build, posted)) => {
            let posted = posted.and_then(|status| status["state"].as_str());
            posted.unwrap_or_else(|| build.state.name())
        }
        None if store.installed.contains_key(owner) => "newrepo",
        None => "nogithub",
    };
    let (label, colour) = match state {
        "success" => ("success", "#4c1"),
        "pending" => ("pending", "#dfb317"),
        "failure" => ("failure", "#e05d44"),
        "error" => ("error", "#e05d44"),
        "cancelled" => ("cancelled", "#9f9f9f"),
        _ => ("no builds", "#9f9f9f"),
    };
    let picture = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"150\" height=\"20\">\
         <rect width=\"80\" height=\"20\" fill=\"#555\"/>\
         <rect x=\"80\" width=\"70\" height=\"20\" fill=\"{colour}\"/>\
         <g fill=\"#fff\" text-anchor=\"middle\" font-family=\"sans-serif\" font-size=\"11\">\
         <text x=\"40\" y=\"14\">taskcluster</text><text x=\"115\" y=\"14\">{label}</text></g></svg>\n"
    );
    let mut reply = Reply::new(StatusCode::OK)
        .body(HeaderValue::from_static("image/svg+xml"), picture)
        .header(CACHE_CONTROL, HeaderValue::from_static("no-cache, no-store, must-revalidate"))
        .header(
            CONTENT_SECURITY_POLICY,
            HeaderValue::from_static("default-source 'none'; style-source 'unsafe-inline'"),
        );
    // One that somebody posted has one of four values.
    if let Ok(state) = HeaderValue::try_from(state) {
        reply = reply.header(STATUS, state);
    }
    reply
}
