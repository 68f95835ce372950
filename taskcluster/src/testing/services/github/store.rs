//! What the GitHub service knows: where its app is installed, the builds, and what it has posted to GitHub.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::testing::http::answer::timestamp;

/// The state of a build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GithubBuildState {
    /// Tasks are still to be done.
    Pending,
    /// All tasks completed.
    Success,
    /// The build could not be started.
    Error,
    /// A task failed.
    Failure,
    /// It was cancelled.
    Cancelled,
}

impl GithubBuildState {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Success => "success",
            Self::Error => "error",
            Self::Failure => "failure",
            Self::Cancelled => "cancelled",
        }
    }
}

/// What the GitHub service has posted to GitHub at somebody's request.
///
/// Returned by [`GithubControl::posts`](crate::testing::GithubControl::posts).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct GithubPost {
    /// The kind: `status` or `comment`.
    pub kind: &'static str,
    /// The repository, such as `octo/app`.
    pub repository: String,
    /// The commit that the status is for, or the number of the issue or pull request that the comment is for.
    pub subject: String,
    /// The whole request.
    pub request: Value,
}

#[derive(Clone)]
pub(crate) struct Build {
    pub(crate) organization: String,
    pub(crate) repository: String,
    pub(crate) branch: Option<String>,
    pub(crate) sha: String,
    pub(crate) task_group_id: String,
    pub(crate) state: GithubBuildState,
    pub(crate) event_type: String,
    pub(crate) event_id: String,
    pub(crate) pull_request: Option<u64>,
    pub(crate) created: DateTime<Utc>,
    pub(crate) updated: DateTime<Utc>,
}

impl Build {
    pub(crate) fn to_json(&self) -> Value {
        let mut json = json!({
            "organization": in_keys(&self.organization),
            "repository": in_keys(&self.repository),
            "sha": self.sha, "state": self.state.name(), "taskGroupId": self.task_group_id,
            "eventType": self.event_type, "eventId": self.event_id,
            "created": timestamp(self.created), "updated": timestamp(self.updated),
        });
        if let Some(number) = self.pull_request {
            json["pullRequestNumber"] = json!(number);
        }
        json
    }
}

/// A name on GitHub in the form that routing keys can have, which is also that of builds.
pub(super) fn in_keys(name: &str) -> String {
    let fits = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    name.chars().filter(fits).map(|c| if c == '.' { '%' } else { c }).collect()
}

/// The GitHub service.
#[derive(Default)]
pub(crate) struct Github(Mutex<Store>);

#[derive(Default)]
pub(super) struct Store {
    /// The repositories that the app may use, by owner.
    pub(super) installed: BTreeMap<String, BTreeSet<String>>,
    /// By the time of their last change.
    pub(super) builds: Vec<Build>,
    pub(super) posts: Vec<GithubPost>,
    /// Task groups that have been resolved and not been looked at.
    pub(super) resolved: Vec<String>,
}

impl Github {
    pub(super) fn lock(&self) -> MutexGuard<'_, Store> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn install(&self, owner: &str, repository: &str) {
        let mut store = self.lock();
        store.installed.entry(owner.to_owned()).or_default().insert(repository.to_owned());
    }

    /// Adds a build, or replaces that of the same task group.
    pub(crate) fn put(&self, build: Build) {
        self.install(&build.organization, &build.repository);
        let builds = &mut self.lock().builds;
        builds.retain(|known| known.task_group_id != build.task_group_id);
        builds.push(build);
    }

    pub(crate) fn posts(&self) -> Vec<GithubPost> {
        self.lock().posts.clone()
    }
}

impl Store {
    pub(super) fn set_state(
        &mut self,
        task_group_id: &str,
        state: GithubBuildState,
        now: DateTime<Utc>,
    ) {
        if let Some(place) =
            self.builds.iter().position(|build| build.task_group_id == task_group_id)
        {
            let mut build = self.builds.remove(place);
            build.state = state;
            build.updated = now;
            self.builds.push(build);
        }
    }

    /// The last build of a branch, and the last status that was posted for its commit.
    pub(super) fn latest(
        &self,
        owner: &str,
        repo: &str,
        branch: &str,
    ) -> Option<(&Build, Option<&Value>)> {
        let is_meant = |build: &&Build| {
            (build.organization.as_str(), build.repository.as_str()) == (owner, repo)
                && build.branch.as_deref() == Some(branch)
        };
        let build = self.builds.iter().filter(is_meant).max_by_key(|build| build.created)?;
        let repository = format!("{owner}/{repo}");
        let posted = self.posts.iter().rev().find(|post| {
            post.kind == "status" && post.repository == repository && post.subject == build.sha
        });
        Some((build, posted.map(|post| &post.request)))
    }
}
