//! A deployment inside a test: a real HTTP server on loopback that refuses what a real deployment refuses.
//!
//! It knows every endpoint of the references and checks each call as Taskcluster does: signature, clock, temporary
//! credentials, authorized scopes, required scopes, query options, and the payload against its schema. It answers with
//! Taskcluster's error bodies. Most endpoints it implements by itself; the others a test stubs.
//!
//! ```
//! use taskcluster::testing::Deployment;
//! use taskcluster::{Queue, json};
//!
//! let fake = Deployment::start_blocking()?;
//! fake.client("tester", "no-secret", ["queue:list-task-group:*"]);
//! fake.on(Queue::REFERENCE.endpoint("getTaskGroup")).reply(json!({
//!     "taskGroupId": "fN1SbArXTPSVFNUvaOlinQ", "schedulerId": "-", "expires": "2100-01-01T00:00:00.000Z",
//! }));
//!
//! let queue = Queue::new(&fake.connect("tester")?);
//! let group = queue.get_task_group("fN1SbArXTPSVFNUvaOlinQ").send_blocking()?;
//! assert_eq!(group.scheduler_id, "-");
//! assert_eq!(fake.calls()[0].args["taskGroupId"], "fN1SbArXTPSVFNUvaOlinQ");
//! # Ok::<(), taskcluster::Error>(())
//! ```
//!
//! # What a test can do
//!
//! - [`connect_as`](Deployment::connect_as) makes a client with the scopes that the program under test has.
//! - [`on`](Deployment::on) an endpoint, a stub answers in place of the service. A successful answer that the service could
//!   not give, by the schema in its reference, is refused in the line that wrote it.
//! - A stub may also bring a [`Fault`]: a late answer, an error, a connection that is reset, a body that is cut off. It may
//!   be limited to so [many](StubBuilder::times) calls or to [one in some](StubBuilder::one_in), or come to
//!   [any](Deployment::on_any) endpoint.
//! - [`assert_calls`](Deployment::assert_calls) compares what was called with what was expected, line by line.
//!   [`calls`](Deployment::calls) is the whole record, with refused calls and those to endpoints that are
//!   [deprecated](RecordedCall::is_deprecated).
//! - [`serve`](Deployment::serve) adds a reference of your own, [`schemas`](Deployment::schemas) the schemas that it names.
//!   The services of 2017 are added in the same way, as `fake.serve(&legacy::Queue::REFERENCE)`; then calls must fit the
//!   schemas of that time, and answers do.
//!
//! Each call is told through `tracing` at level info, as one line. The example `deployment` is a program that prints these
//! lines: `cargo run --example deployment -- --port 8080` serves clients in any language.
//!
//! # What works without a stub
//!
//! The services share one state and one clock, which stands still for nobody but can be moved ahead by
//! [`Deployment::advance`].
//!
//! - `ping` of every service
//! - auth: clients, [roles](Deployment::role), scopes, and the endpoints that test and judge signatures; neither histories
//!   nor credentials for other services
//! - queue: all of it. Claims and deadlines run out, dependencies are waited for, completed tasks get into the index by
//!   their routes, workers are remembered and may be put into quarantine.
//! - hooks: all of it; they fire when they are triggered, by their schedules, and by the messages that they are bound to
//! - index: all of it
//! - notify: all of it; what would be sent is [kept](Deployment::notifications)
//! - object: all of it, with the upload methods `dataInline` and `putUrl` and the download methods `simple` and `getUrl`
//! - purge-cache: all of it
//! - secrets: all of it
//!
//! What happens is told by messages, as the services publish them to Pulse. [`Deployment::listen`] hears them without any
//! broker; with the feature `pulse`, `Deployment::publish_to` hands them to a real one.
//!
//! Any other call gets status 400 with the code `NotStubbed`.
//!
//! # Where it differs from a real deployment
//!
//! - `claimWork` waits for a moment only; see [`Deployment::set_claim_wait`].
//! - Signatures are judged by this machine's clock and [`Deployment::set_clock_offset`], everything else by the deployment's
//!   clock, and a task's `created` may be of either.
//! - A hook's task is created as soon as the hook is fired, with the scopes of the role `hook-id:<group>/<hook>`.
//! - By the references of 2017 all of this works that had the same name then, and `defineTask`, but no hooks, which were
//!   other ones.
//! - Hashes of uploads are kept, but not compared with the content. No request is larger than 10 MiB, uploads neither.
//! - A signature that is there is always checked, even where the endpoint is open to anybody.
//! - Where the required scopes depend on something that only the real service knows, they count as satisfied by any
//!   scope that could satisfy them.
//!
#![doc = include_str!("guide.md")]

mod control;
mod http;
mod services;

pub use control::deployment::Deployment;
pub use control::expected::{ExpectedCall, called};
pub use control::listening::Messages;
pub use control::stub::{Fault, StubBuilder};
pub use http::answer::Reply;
pub use http::call::{RecordedCall, Signature};
pub use services::context::message::Message;
pub use services::notify::Notification;
