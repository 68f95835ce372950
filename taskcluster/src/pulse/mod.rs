//! Listening to what happens: Taskcluster's messages, from Mozilla's Pulse or any RabbitMQ, with the feature `pulse`.
//!
//! ```no_run
//! use futures::TryStreamExt as _;
//! use taskcluster::QueueEvents;
//! use taskcluster::pulse::{Listener, PulseCredentials};
//!
//! # async fn f(group: &str) -> Result<(), taskcluster::Error> {
//! let mut messages = Listener::connect(PulseCredentials::from_env()?)
//!     .bind(QueueEvents::task_completed().task_group_id(group))
//!     .queue("my-queue")
//!     .listen()
//!     .await?;
//! while let Some(message) = messages.try_next().await? {
//!     match &message.payload {
//!         Ok(payload) => println!("{}: run {}", payload.status.task_id, payload.run_id),
//!         Err(error) => eprintln!("{error}"),
//!     }
//!     message.ack().await?;
//! }
//! # Ok(()) }
//! ```
//!
//! Payloads are of the type that the exchange has for them. A queue of several kinds of messages is bound with
//! [`bind_any`](Listener::bind_any); its payloads are [`Value`](crate::Value)s, and [`Message::decode`] makes more of them.
//!
//! # What you can rely on
//!
//! **A named queue loses nothing.** From the first [`listen`](Listener::listen) on, what is published gathers in the queue,
//! whether the program runs or not, and stays until [`ack`](Receipt::ack) or [`reject`](Receipt::reject). A message that
//! is dropped, retried, or unsettled when its connection ends, comes again. This holds as long as nobody deletes the queue
//! (Pulse deletes queues that grow too long) and as the broker keeps its disk; messages that the publisher did not mark as
//! persistent do not survive a restart of the broker.
//!
//! **A message comes at least once**, not exactly once. It comes again if the connection ends before the broker hears of the
//! acknowledgement, even though the program is done with it; [`redelivered`](Message::redelivered) says that this
//! may have happened. Handle messages so that twice does no harm.
//!
//! **The order** is the broker's as long as there is one consumer and nothing comes again.
//!
//! **A temporary queue**, which you have without [`queue`](Listener::queue), lives as long as its connection. What is
//! published while the listener connects again is missed. Use it to watch, not to act.
//!
//! **Broken connections are mended.** If the connection breaks, the broker restarts, or the queue is deleted, the listener
//! waits (100 ms, doubling to 30 s, at random a quarter more or less), connects, declares and binds again, for as long as it
//! takes, and says so through `tracing` at info level. In between, the stream waits. Messages of the old connection
//! cannot be settled any more: `ack` returns `false` for them, which is no error, and they come again.
//!
//! **Refusals are errors at once**, when listening begins as well as later: wrong credentials, a queue that is not the
//! user's, a queue that exists with other properties, an exchange that does not exist
//! ([`ErrorKind::Refused`](crate::ErrorKind::Refused)). The stream ends with its first error. A payload that is not what
//! it should be is no error of the stream: [`payload`](Message::payload) has it, and [`body`](Message::body) the bytes.
//!
//! **Passwords** appear in no error, no `Debug` and no log of this crate.
//!
//! # Ending
//!
//! A [`Stop`] ends the stream from elsewhere: the broker sends no more, the messages that were sent already are handed
//! out, and the stream ends. [`Messages::close`] then waits for the broker's word that all acknowledgements have arrived.
//!
//! ```no_run
//! # use futures::TryStreamExt as _;
//! # async fn f(mut messages: taskcluster::pulse::Messages) -> Result<(), taskcluster::Error> {
//! # async fn told_to_end() {}
//! let stop = messages.stop_handle();
//! tokio::spawn(async move {
//!     told_to_end().await; // tokio::signal::ctrl_c(), say
//!     stop.stop();
//! });
//! while let Some(message) = messages.try_next().await? {
//!     message.ack().await?;
//! }
//! messages.close().await?;
//! # Ok(()) }
//! ```
//!
//! # Routes
//!
//! A task may name routes, such as `index.gecko.v2.try.latest.firefox`. The messages about it are sent by these, too:
//! [`route_binding`](crate::RoutingKeys::route_binding) binds to them, [`Message::routes`] tells them.

mod credentials;
mod link;
mod listener;
mod message;
mod messages;
mod plan;
#[cfg(feature = "testing")]
mod publisher;

pub use credentials::PulseCredentials;
pub use listener::{Listener, Unbound};
pub use message::{Message, Receipt};
pub use messages::{Messages, Stop};
#[cfg(feature = "testing")]
pub(crate) use publisher::Publisher;
