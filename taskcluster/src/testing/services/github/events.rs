//! Events as GitHub sends them, of a repository that need not exist.

use serde_json::{Map, Value, json};

/// The commit that a push or pull request begins with, and the one that it ends with.
const BEFORE: &str = "4a7c1d9e0b2f3856a1d4c7e90b2f3856a1d4c7e9";
const AFTER: &str = "9e0b2f3856a1d4c7e94a7c1d0b2f3856a1d4c7e9";

const TIME: &str = "2026-01-05T10:00:00Z";

/// Where the event happens.
pub(super) struct Place<'p> {
    pub(super) organization: &'p str,
    pub(super) repository: &'p str,
    pub(super) branch: &'p str,
}

/// An event for which `tasks_for` has this name.
pub(super) fn event(tasks_for: &str, action: &Value, place: &Place<'_>) -> Map<String, Value> {
    let mut event = match tasks_for {
        "github-push" => push(place),
        "github-release" => release(place),
        "github-issue-comment" => issue_comment(place),
        _ => pull_request(place),
    };
    event["action"] = action.clone();
    event["repository"] = repository(place);
    event["sender"] = user("octocat", "User");
    event["installation"] = json!({"id": 1000});
    event.as_object().cloned().unwrap_or_default()
}

fn push(place: &Place<'_>) -> Value {
    let page = page(place);
    let author = json!({"name": "Octo Cat", "email": "octocat@example.com", "username": "octocat"});
    let commit = json!({
        "id": AFTER, "tree_id": BEFORE, "distinct": true, "message": "Say hello", "timestamp": TIME,
        "url": format!("{page}/commit/{AFTER}"), "author": author, "committer": author,
        "added": [], "removed": [], "modified": ["README.md"],
    });
    json!({
        "ref": format!("refs/heads/{}", place.branch), "before": BEFORE, "after": AFTER,
        "created": false, "deleted": false, "forced": false, "base_ref": null,
        "compare": format!("{page}/compare/{BEFORE}...{AFTER}"),
        "commits": [commit], "head_commit": commit,
        "pusher": {"name": "octocat", "email": "octocat@example.com"},
    })
}

fn pull_request(place: &Place<'_>) -> Value {
    let (page, api) = (page(place), api(place));
    let side = |branch: &str, sha: &str| {
        json!({
            "label": format!("{}:{branch}", place.organization), "ref": branch, "sha": sha,
            "user": user(place.organization, "Organization"), "repo": repository(place),
        })
    };
    let mut pull_request = json!({
        "id": 7000, "number": 7, "state": "open", "locked": false, "draft": false,
        "title": "Say hello", "body": "", "user": user("octocat", "User"),
        "created_at": TIME, "updated_at": TIME, "closed_at": null, "assignee": null,
        "assignees": [], "requested_reviewers": [], "labels": [], "milestone": null,
        "author_association": "CONTRIBUTOR", "maintainer_can_modify": false, "comments": 0,
        "review_comments": 0, "commits": 1, "additions": 2, "deletions": 0, "changed_files": 1,
    });
    let others = json!({
        "head": side("hello", AFTER), "base": side(place.branch, BEFORE),
        "merged": false, "merged_at": null, "merged_by": null, "merge_commit_sha": null,
        "mergeable": null, "mergeable_state": "unknown",
        "url": format!("{api}/pulls/7"), "html_url": format!("{page}/pull/7"),
        "diff_url": format!("{page}/pull/7.diff"), "patch_url": format!("{page}/pull/7.patch"),
        "issue_url": format!("{api}/issues/7"), "commits_url": format!("{api}/pulls/7/commits"),
        "comments_url": format!("{api}/issues/7/comments"),
        "statuses_url": format!("{api}/statuses/{AFTER}"),
    });
    with(&mut pull_request, others);
    json!({"number": 7, "pull_request": pull_request})
}

fn release(place: &Place<'_>) -> Value {
    let (page, api) = (page(place), api(place));
    json!({
        "release": {
            "id": 3000, "tag_name": "v1.0.0", "target_commitish": place.branch, "name": "1.0.0",
            "body": "Says hello.", "draft": false, "prerelease": false, "assets": [],
            "author": user("octocat", "User"), "created_at": TIME, "published_at": TIME,
            "url": format!("{api}/releases/3000"),
            "html_url": format!("{page}/releases/tag/v1.0.0"),
            "assets_url": format!("{api}/releases/3000/assets"),
            "tarball_url": format!("{api}/tarball/v1.0.0"),
            "zipball_url": format!("{api}/zipball/v1.0.0"),
        },
    })
}

fn issue_comment(place: &Place<'_>) -> Value {
    let (page, api) = (page(place), api(place));
    json!({
        "issue": {
            "id": 5000, "number": 7, "title": "Say hello", "state": "open", "locked": false,
            "body": "", "user": user("octocat", "User"), "labels": [], "assignee": null,
            "assignees": [], "milestone": null, "comments": 1, "created_at": TIME,
            "updated_at": TIME, "closed_at": null, "author_association": "OWNER",
            "url": format!("{api}/issues/7"), "html_url": format!("{page}/pull/7"),
            "pull_request": {
                "url": format!("{api}/pulls/7"), "html_url": format!("{page}/pull/7"),
            },
        },
        "comment": {
            "id": 6000, "body": "/taskcluster run", "user": user("octocat", "User"),
            "created_at": TIME, "updated_at": TIME, "author_association": "OWNER",
            "url": format!("{api}/issues/comments/6000"),
            "html_url": format!("{page}/pull/7#issuecomment-6000"),
        },
        "organization": {
            "login": place.organization, "id": 2000, "description": "",
            "url": format!("https://api.github.com/orgs/{}", place.organization),
        },
    })
}

fn repository(place: &Place<'_>) -> Value {
    let Place { organization, repository, .. } = place;
    let (page, api, full_name) = (page(place), api(place), format!("{organization}/{repository}"));
    let mut owner = user(organization, "Organization");
    owner["name"] = json!(organization);
    let mut repository = json!({
        "id": 4000, "name": repository, "full_name": full_name, "owner": owner,
        "private": false, "fork": false, "archived": false, "disabled": false,
        "description": "For tests.", "homepage": null, "language": null, "license": null,
        "topics": [], "visibility": "public", "size": 24, "default_branch": "main",
        "has_issues": true, "has_downloads": true, "has_wiki": true, "has_pages": false,
        "forks": 0, "forks_count": 0, "stargazers_count": 1, "watchers": 1, "watchers_count": 1,
        "open_issues": 0, "open_issues_count": 0,
    });
    let others = json!({
        "url": api, "html_url": page, "clone_url": format!("{page}.git"), "svn_url": page,
        "git_url": format!("git://github.com/{full_name}.git"),
        "ssh_url": format!("git@github.com:{full_name}.git"),
        "commits_url": format!("{api}/commits{{/sha}}"),
        "contents_url": format!("{api}/contents/{{+path}}"),
        "statuses_url": format!("{api}/statuses/{{sha}}"),
        "created_at": TIME, "updated_at": TIME, "pushed_at": TIME,
    });
    with(&mut repository, others);
    repository
}

/// Adds members to an object.
fn with(object: &mut Value, members: Value) {
    if let (Value::Object(object), Value::Object(members)) = (object, members) {
        object.extend(members);
    }
}

fn user(login: &str, kind: &str) -> Value {
    json!({
        "login": login, "id": 1, "type": kind, "site_admin": false,
        "url": format!("https://api.github.com/users/{login}"),
        "html_url": format!("https://github.com/{login}"),
        "avatar_url": "https://avatars.githubusercontent.com/u/1",
    })
}

fn page(place: &Place<'_>) -> String {
    format!("https://github.com/{}/{}", place.organization, place.repository)
}

fn api(place: &Place<'_>) -> String {
    format!("https://api.github.com/repos/{}/{}", place.organization, place.repository)
}
