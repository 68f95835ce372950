//! A deployment inside a test: a real HTTP server on loopback that refuses what a real deployment refuses.
//!
//! It serves every endpoint of the references and checks each call as Taskcluster does, and in the same order: signature, clock,
//! temporary credentials, authorized scopes, required scopes, arguments and query options by their patterns, and the payload
//! against its schema. Errors have Taskcluster's bodies. Most endpoints are built in; a test stubs the others.
//!
//! ```
//! use taskcluster::queue::{CreateTaskRequest, TaskMetadata, TaskState};
//! use taskcluster::testing::Deployment;
//! use taskcluster::{Queue, StatusCode, from_now, json};
//!
//! let fake = Deployment::start_blocking()?;
//! let scopes = ["queue:create-task:*", "queue:scheduler-id:*"];
//! let queue = Queue::new(&fake.connect_as("tester", scopes)?);
//! let task_id = "fN1SbArXTPSVFNUvaOlinQ";
//! let metadata = TaskMetadata::new("build", "", "me@example.com", "https://example.com");
//! let (created, deadline) = (from_now("0 seconds")?, from_now("1 hour")?);
//! let task = CreateTaskRequest::new(created, deadline, json!({"command": ["make"]}), metadata)
//!     .task_queue_id("builds/linux");
//!
//! let created = queue.create_task(task_id, &task).send_blocking()?;
//! assert_eq!(created.status.state, TaskState::Pending);
//! let error = queue.cancel_task(task_id).send_blocking().unwrap_err();
//! assert_eq!(error.status(), Some(StatusCode::FORBIDDEN));
//! assert_eq!(fake.calls()[1].args["taskId"], task_id);
//! # Ok::<(), taskcluster::Error>(())
//! ```
//!
//! # What a test can do
//!
//! - [`connect_as`](Deployment::connect_as) creates a client with the scopes that the code under test has.
//! - [`on`](Deployment::on) an endpoint, a stub answers in place of the service. A successful answer that does not fit the
//!   endpoint's schema panics in the line that wrote it.
//! - A stub can also inject a [`Fault`]: a late answer, an error, a connection that is reset, a body that is cut off. It can
//!   be limited to a [number of calls](StubBuilder::times) or to [every nth call](StubBuilder::one_in), or apply to
//!   [any](Deployment::on_any) endpoint.
//! - The content of artifacts and objects is behind signed URLs that behave as those of S3 do: they expire, answer `Range` and
//!   `If-Range`, and keep `Content-Encoding`. Inject faults with [`on_downloads`](Deployment::on_downloads) and
//!   [`on_uploads`](Deployment::on_uploads); [`transfers`](Deployment::transfers) is the record.
//! - [`assert_calls`](Deployment::assert_calls) compares the calls with those expected, line by line.
//!   [`calls`](Deployment::calls) is the whole record, including refused calls and those to
//!   [deprecated](RecordedCall::is_deprecated) endpoints.
//! - [`web_user`](Deployment::web_user) is a person who signs in to a program through the web interface.
//! - [`serve`](Deployment::serve) adds a reference of your own, [`schemas`](Deployment::schemas) adds the schemas it names.
//!   To add the services of 2017, call `fake.serve(&legacy::Queue::REFERENCE)`; calls are then checked against the schemas of
//!   that time, and answers fit them.
//!
//! Each call is logged through `tracing` at level info, as one line. The example `deployment` is a program that prints these
//! lines: `cargo run --example deployment -- --port 8080` serves clients in any language.
//!
//! # What works without a stub
//!
//! The services share one state and one clock. The clock runs, and [`Deployment::advance`] moves it ahead.
//!
//! - `ping`, `version`, `heartbeat` and `lbheartbeat` of every service
//! - auth: clients, [roles](Deployment::role), scopes, histories of who changed what, and the endpoints that test and verify
//!   signatures. Credentials for other services are of the right form but good for nothing, except for the token of
//!   websocktunnel, which is signed with a random secret.
//! - github: [builds](GithubControl::build) that the test adds, which succeed or fail with their tasks, and badges. Statuses and
//!   comments are [recorded](GithubControl::posts), not posted. `renderTaskclusterYml` renders files of version 1 for events
//!   of a repository that need not exist.
//! - queue: everything. Claims and deadlines expire, tasks wait for their dependencies, completed tasks are indexed by their
//!   routes, and workers are remembered and can be quarantined.
//! - hooks: everything. Hooks fire when triggered, by their schedules, and on the messages they are bound to.
//! - index: everything
//! - notify: everything; notifications are [recorded](Deployment::notifications), not sent. One that repeats an earlier one
//!   is answered with 204 and not recorded, as the real service does not send it.
//! - object: everything, with the upload methods `dataInline` and `putUrl` and the download methods `simple` and `getUrl`
//! - purge-cache: everything
//! - secrets: everything
//! - web-server: everything; profiles have the markers of tasks and log lines, but not the markers' schemas.
//! - worker-manager: everything. Workers of a static provider are created by `createWorker`; those of a cloud when the test
//!   [requests](WorkerManagerControl::request_worker) them, because nothing is provisioned.
//!
//! It also serves its references and schemas: each by itself, listed in `/references/manifest.json`, and together in
//! `/references/references.json`. References that you add by [`serve`](Deployment::serve) are among them, except for those of
//! 2017.
//!
//! Responses repeat the trace id of their request, as those of real services do. With the feature `gzip`, bodies over 1 KiB
//! are compressed for clients that accept it.
//!
//! The services publish the messages that they publish to Pulse. [`Deployment::listen`] receives them without a broker; with
//! the feature `pulse`, `Deployment::publish_to` also publishes them to a real one.
//!
//! Any other call gets status 400 with the code `NotStubbed`:
//!
//! Of today's endpoints, this is `auth.listGithubApps` alone, whose answer no reference states. A `.taskcluster.yml` of version 0
//! gets it, too.
//!
//! Of those of 2017, these are all of the services that exist no more, `aws-provisioner.*`, `login.*` and `pulse.*`; all of
//! `hooks.*` but `removeHook`, since hooks were different; what belonged to services of others,
//! `github.githubWebHookConsumer`, `queue.pollTaskUrls` and `queue.completeArtifact`; and `queue.declareProvisioner` and
//! `queue.declareWorkerType`.
//!
//! # Differences from a real deployment
//!
//! - `claimWork` waits only briefly; see [`Deployment::set_claim_wait`].
//! - Signatures are checked by this machine's clock and [`Deployment::set_clock_offset`], everything else by the deployment's
//!   clock. A task's `created` may be by either.
//! - A hook creates its task at once when it fires. What the real queue does a moment later, such as scheduling a task after
//!   its last dependency, is done at once, too: a priority cannot be changed, and a task is not listed as claimed, from the
//!   moment in which the task is resolved.
//! - Workers that do nothing are not removed, and worker pools, workers and launch configurations that are over are forgotten
//!   after a day, where a real deployment looks for them once a day.
//! - Of the references of 2017, the endpoints that still exist under the same name work, and `defineTask`. Hooks do not: those
//!   of 2017 were different.
//! - Hashes of uploads are stored, but not compared with the content, as by the real object service. No call is larger than
//!   10 MiB: it is answered with status 413, not with the 500 of the real services. No upload is larger than 256 MiB.
//! - What the real services answer with 500 because they cannot store it is refused with 500 (index ranks of more than 32 bits,
//!   U+0000 in tasks, too long names), but leaves nothing behind that later calls would stumble over. Their other 500s are not
//!   copied.
//! - `as_slugid` in a `.taskcluster.yml` gives an id that can be placed, compared and joined, but not measured, split or cut.
//! - All of notify's ways to send work; a real deployment without Slack or Matrix answers 204 or 500.
//! - Where required scopes depend on what only the real service knows, any scope that could satisfy them is accepted.
//!
//! `tests/vectors/real` has what real services answered to 861 requests; the deployment's answers are compared with it.
//!
#![doc = include_str!("guide.md")]

mod control;
mod http;
mod services;

pub use control::deployment::Deployment;
pub use control::expected::{ExpectedCall, called};
pub use control::github::{GithubBuild, GithubControl};
pub use control::listening::Messages;
pub use control::stub::{Fault, StubBuilder};
pub use control::web_user::WebUser;
pub use control::workers::{RequestedWorker, WorkerManagerControl};
pub use http::answer::Reply;
pub use http::call::{RecordedCall, Signature};
pub use services::context::message::Message;
pub use services::github::store::{GithubBuildState, GithubPost};
pub use services::notify::Notification;
pub use services::worker_manager::providers::ProviderType;
