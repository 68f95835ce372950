//! Controls the GitHub service.

use serde_json::json;

use super::deployment::Deployment;
use crate::slugid;
use crate::testing::services::github::store::{Build, GithubBuildState, GithubPost};

/// The GitHub service of a deployment, as a test uses it. Returned by [`Deployment::github`].
#[derive(Clone, Copy, Debug)]
pub struct GithubControl<'d>(&'d Deployment);

/// A build for [`GithubControl::build`]: of a push, and pending, unless you say otherwise.
#[derive(Clone, Debug)]
#[must_use]
pub struct GithubBuild {
    organization: String,
    repository: String,
    sha: String,
    task_group_id: String,
    branch: Option<String>,
    pull_request: Option<u64>,
    event_type: String,
    state: GithubBuildState,
}

impl GithubBuild {
    /// Creates a build of a commit in `<organization>/<repository>`, with the task group that does it.
    pub fn new(
        organization: impl Into<String>,
        repository: impl Into<String>,
        sha: impl Into<String>,
        task_group_id: impl Into<String>,
    ) -> Self {
        Self {
            organization: organization.into(),
            repository: repository.into(),
            sha: sha.into(),
            task_group_id: task_group_id.into(),
            branch: None,
            pull_request: None,
            event_type: "push".to_owned(),
            state: GithubBuildState::Pending,
        }
    }

    /// Makes the commit the latest of a branch, for `badge` and `latest`.
    pub fn branch(mut self, branch: impl Into<String>) -> Self {
        self.branch = Some(branch.into());
        self
    }

    /// Makes it the build of a pull request that was opened.
    pub fn pull_request(mut self, number: u64) -> Self {
        self.pull_request = Some(number);
        "pull_request.opened".clone_into(&mut self.event_type);
        self
    }

    /// Sets what caused the build, such as `release` or `pull_request.synchronize`.
    pub fn event_type(mut self, event_type: impl Into<String>) -> Self {
        self.event_type = event_type.into();
        self
    }

    /// Sets the state.
    pub fn state(mut self, state: GithubBuildState) -> Self {
        self.state = state;
        self
    }
}

impl Deployment {
    /// Returns the GitHub service.
    #[must_use]
    pub fn github(&self) -> GithubControl<'_> {
        GithubControl(self)
    }
}

impl GithubControl<'_> {
    /// Installs the deployment's GitHub app for a repository, so that it can post there.
    pub fn install(&self, organization: &str, repository: &str) {
        self.0.state().services.github.install(organization, repository);
    }

    /// Adds a build, and installs the app for its repository. A build with the same task group is replaced.
    ///
    /// When all tasks of the group are resolved, the build becomes a success or a failure.
    ///
    /// ```
    /// use taskcluster::Github;
    /// use taskcluster::testing::{Deployment, GithubBuild, GithubBuildState};
    ///
    /// let fake = Deployment::start_blocking()?;
    /// let sha = "2d8a3d21c6f1b7a0d1a0c6e0a3f4b5c6d7e8f901";
    /// let build = GithubBuild::new("octo", "app", sha, "fN1SbArXTPSVFNUvaOlinQ")
    ///     .branch("main")
    ///     .state(GithubBuildState::Success);
    /// fake.github().build(build);
    ///
    /// let github = Github::new(&fake.connect_as("tester", ["github:*"])?);
    /// let builds = github.builds().organization("octo").send_blocking()?.builds;
    /// assert_eq!(builds[0].state.to_string(), "success");
    /// # Ok::<(), taskcluster::Error>(())
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if the service could not have such a build: `sha` must have 40 characters, and the task group must be a slug id.
    #[track_caller]
    #[expect(clippy::panic, reason = "documented; without the build a test would fail elsewhere")]
    pub fn build(&self, build: GithubBuild) {
        let state = self.0.state();
        let GithubBuild {
            organization,
            repository,
            sha,
            task_group_id,
            branch,
            pull_request,
            event_type,
            state: build_state,
        } = build;
        let now = self.0.now();
        let id = format!("{:032x}", u128::from_be_bytes(slugid::uuid()));
        let build = Build {
            organization,
            repository,
            branch,
            sha,
            task_group_id,
            state: build_state,
            event_type,
            event_id: [&id[..8], &id[8..12], &id[12..16], &id[16..20], &id[20..]].join("-"),
            pull_request,
            created: now,
            updated: now,
        };
        let list = json!({"builds": [build.to_json()]});
        let schema = "v1/build-list.json#";
        if let Err(problem) = state.context().schemas.check("github", schema, &list) {
            panic!("there cannot be such a build: {problem:?}");
        }
        state.services.github.put(build);
    }

    /// Returns the statuses and comments that the service has posted, in this order.
    ///
    /// ```
    /// use taskcluster::testing::Deployment;
    /// use taskcluster::{Github, json};
    ///
    /// let fake = Deployment::start_blocking()?;
    /// fake.github().install("octo", "app");
    /// let tc = fake.connect_as("bot", ["github:create-comment:octo/*"])?;
    /// let comment = tc.call(&Github::REFERENCE, "createComment")?.payload(json!({"body": "Well done!"}));
    /// comment.param("owner", "octo").param("repo", "app").param("number", 7).send_blocking()?;
    /// assert_eq!(fake.github().posts()[0].subject, "7");
    /// # Ok::<(), taskcluster::Error>(())
    /// ```
    #[must_use]
    pub fn posts(&self) -> Vec<GithubPost> {
        self.0.state().services.github.posts()
    }
}
