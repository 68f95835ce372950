//! Listening to Taskcluster's messages, from Mozilla's Pulse or any RabbitMQ (feature `pulse`).
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
//! Payloads have the message type of their exchange. To receive messages of several types in one queue, bind it with
//! [`bind_any`](Listener::bind_any): payloads are then [`Value`](crate::Value)s, which you can decode with
//! [`Message::decode`].
//!
//! # What you can rely on
//!
//! **A named queue loses nothing.** From the first [`listen`](Listener::listen) on, the queue collects messages, whether the
//! program is running or not, and keeps each one until [`ack`](Receipt::ack) or [`reject`](Receipt::reject). A message that
//! is dropped, retried, or still unsettled when its connection ends is redelivered. This holds as long as nobody deletes
//! the queue (Pulse deletes queues that grow too long) and the broker keeps its disk. Messages that the publisher did not
//! mark as persistent do not survive a restart of the broker.
//!
//! **Messages are delivered at least once**, not exactly once. If the connection ends before the broker receives the
//! acknowledgement, the message is redelivered, even though the program has handled it;
//! [`redelivered`](Message::redelivered) marks messages where this may have happened. Make handling idempotent.
//!
//! **Messages keep the broker's order** as long as the queue has one consumer and nothing is redelivered.
//!
//! **A temporary queue**, which you get without [`queue`](Listener::queue), lives as long as its connection. Messages
//! published while the listener reconnects are lost. Use it to watch, not to act.
//!
//! **The listener reconnects by itself.** If the connection breaks, the broker restarts, the node of a cluster that keeps the
//! queue goes down, or the queue is deleted, the listener waits (100 ms, doubling up to 30 s, with a jitter of 25 %), then
//! connects, declares and binds again, for as long as it takes. It logs this with `tracing` at info level. Meanwhile, the stream
//! is pending. Messages of the old connection can no longer be settled: `ack` returns `false` for them, which is not an error,
//! and they are redelivered.
//!
//! **Refusals fail immediately**, both at the start and later, with [`ErrorKind::Refused`](crate::ErrorKind::Refused): wrong
//! credentials, another user's queue, a queue that exists with different properties, an exchange that does not exist. The
//! stream ends after its first error. A payload that cannot be decoded is not an error of the stream: the error is in
//! [`payload`](Message::payload), and the bytes are in [`body`](Message::body).
//!
//! **Passwords stay secret.** They never appear in errors, `Debug` output or logs. The AMQP library, lapin, logs under its
//! own name, at trace level everything that it sends, but it never has the password.
//!
//! # Stopping
//!
//! A [`Stop`] ends the stream from elsewhere: the broker delivers no more messages, and the stream yields those already
//! delivered, then ends. [`Messages::close`] then waits until the broker confirms that all acknowledgements have arrived.
//!
//! ```no_run
//! # use futures::TryStreamExt as _;
//! # async fn f(mut messages: taskcluster::pulse::Messages) -> Result<(), taskcluster::Error> {
//! # async fn shutdown_signal() {}
//! let stop = messages.stop_handle();
//! tokio::spawn(async move {
//!     shutdown_signal().await; // such as tokio::signal::ctrl_c()
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
//! A task can name routes, such as `index.gecko.v2.try.latest.firefox`. Messages about the task are also sent to its
//! routes: bind to them with [`route_binding`](crate::RoutingKeys::route_binding), read them with [`Message::routes`].

mod credentials;
#[cfg(feature = "testing")]
mod embedded;
mod link;
mod listener;
mod message;
mod messages;
mod plan;
#[cfg(feature = "testing")]
mod publisher;
mod wire;

pub use credentials::PulseCredentials;
pub use listener::{Listener, Unbound};
pub use message::{Message, Receipt};
pub use messages::{Messages, Stop};
#[cfg(feature = "testing")]
pub(crate) use {
    embedded::{Delivered, EmbeddedQueue},
    publisher::Publisher,
};
