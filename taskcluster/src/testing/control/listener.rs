//! Lets a program that listens to Pulse listen to a deployment, without a broker.

use std::pin::Pin;
use std::sync::Arc;

use serde_json::Value;

use super::deployment::Deployment;
use super::listening::Listening;
use crate::Result;
use crate::pulse::{Delivered, EmbeddedQueue, Listener};
use crate::testing::services::context::message::Message;

impl Deployment {
    /// Creates a listener to the messages of this deployment, without a broker (features `testing` and `pulse`).
    ///
    /// A program that takes a [`Listener`], or the [`Messages`](crate::pulse::Messages) that it returns, runs unchanged: bindings,
    /// named queues, payloads, acknowledgements, redelivery, `prefetch` and stopping work as with a broker. Connections do not
    /// break here; to test how a program deals with that, use [`publish_to`](Self::publish_to) and a broker.
    ///
    /// ```
    /// use futures::TryStreamExt as _;
    /// use taskcluster::auth::CreateClientRequest;
    /// use taskcluster::pulse::Listener;
    /// use taskcluster::testing::Deployment;
    /// use taskcluster::{Auth, AuthEvents, Result, from_now};
    ///
    /// /// The program: returns the id of the next new client.
    /// async fn next_client(listener: Listener) -> Result<Option<String>> {
    ///     let mut messages = listener.bind(AuthEvents::client_created()).queue("clients").listen().await?;
    ///     let Some(message) = messages.try_next().await? else { return Ok(None) };
    ///     let client_id = message.payload.as_ref().map(|client| client.client_id.clone()).ok();
    ///     message.ack().await?;
    ///     messages.close().await?;
    ///     Ok(client_id)
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// let fake = Deployment::start().await?;
    /// let auth = Auth::new(&fake.connect_as("admin", ["auth:*"])?);
    /// let program = tokio::spawn(next_client(fake.listener()));
    /// # tokio::task::yield_now().await;
    /// auth.create_client("builds", &CreateClientRequest::new(from_now("1 day")?, "Builds.")).await?;
    /// assert_eq!(program.await.unwrap()?.as_deref(), Some("builds"));
    /// # Ok(()) }
    /// ```
    ///
    /// A named queue lives as long as the deployment, and collects messages from the first time that it is listened to.
    #[must_use = "nothing listens until `listen` is awaited"]
    pub fn listener(&self) -> Listener {
        let state = Arc::downgrade(self.state());
        Listener::embedded(Box::new(move |name, bindings| {
            let state = state.upgrade().ok_or_else(Listening::is_over)?;
            let listening = match name {
                Some(name) => Listening::named(&state, name),
                None => Listening::start(&state),
            };
            listening.inbox().bind(bindings.iter().cloned());
            Ok(Arc::new(listening))
        }))
    }
}

impl EmbeddedQueue for Listening {
    fn next(&self) -> Pin<Box<dyn Future<Output = Result<Delivered>> + Send + '_>> {
        Box::pin(async move {
            let (place, waiting) = self.wait().await?;
            let Message { exchange, routing_key, cc, payload } = waiting.message;
            let body = Value::to_string(&payload).into_bytes();
            let redelivered = waiting.redelivered;
            Ok(Delivered { place, exchange, routing_key, cc, redelivered, body })
        })
    }

    fn put_back(&self, delivered: Delivered) {
        let Delivered { place, exchange, routing_key, cc, body, .. } = delivered;
        let payload = serde_json::from_slice(&body).unwrap_or_default();
        self.inbox().put_back(place, Message { exchange, routing_key, cc, payload });
    }
}
