//! The deployment's messages on a real broker.

use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use super::deployment::Deployment;
use crate::pulse::{Publisher, PulseCredentials};
use crate::runtime::{self, block_on};
use crate::testing::services::context::message::Message;
use crate::{Error, Result};

impl Deployment {
    /// Also publishes all messages from now on to a broker, as the services publish them to Pulse, for programs that listen
    /// on their own. Requires the features `testing` and `pulse`.
    ///
    /// The user must be allowed to declare the exchanges of Taskcluster's services and to publish to them. A message reaches
    /// the broker shortly after the call that caused it. If the connection breaks, an error is logged through `tracing` and
    /// publishing to the broker stops.
    ///
    /// ```no_run
    /// use taskcluster::QueueEvents;
    /// use taskcluster::pulse::{Listener, PulseCredentials};
    /// use taskcluster::testing::Deployment;
    ///
    /// # async fn f(group: &str) -> Result<(), taskcluster::Error> {
    /// let broker = PulseCredentials::from_url("amqp://guest:guest@127.0.0.1/%2f")?;
    /// let fake = Deployment::start().await?;
    /// fake.publish_to(broker.clone()).await?;
    /// let messages = Listener::connect(broker)
    ///     .bind(QueueEvents::task_completed().task_group_id(group))
    ///     .listen()
    ///     .await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if the connection fails, or the broker refuses the exchanges.
    pub async fn publish_to(&self, broker: PulseCredentials) -> Result<()> {
        let (connected, outcome) = oneshot::channel();
        let (sender, messages) = mpsc::unbounded_channel();
        let exchanges: Vec<_> =
            self.state().context().all_exchanges().map(|exchange| exchange.exchange).collect();
        // Not the caller's runtime, which may end before the deployment does.
        runtime::handle()?.spawn(async move {
            match Publisher::connect(&broker, exchanges.into_iter()).await {
                Ok(publisher) => {
                    let _ = connected.send(Ok(()));
                    publish_all(&publisher, messages).await;
                }
                // Who does not wait for it does not want to know.
                Err(error) => drop(connected.send(Err(error))),
            }
        });
        let gone = || Error::disconnected("the publishing runtime has ended");
        outcome.await.map_err(|_| gone())??;
        self.state().context().exchanges.add(move |message| sender.send(message.clone()).is_ok());
        Ok(())
    }

    /// Also publishes all messages from now on to a broker, in a program without async.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`publish_to`](Self::publish_to), and an error if called inside an async runtime.
    pub fn publish_to_blocking(&self, broker: PulseCredentials) -> Result<()> {
        block_on(self.publish_to(broker))?
    }
}

/// Publishes until the deployment is gone, or the broker.
async fn publish_all(publisher: &Publisher, mut messages: mpsc::UnboundedReceiver<Message>) {
    while let Some(Message { exchange, routing_key, cc, payload }) = messages.recv().await {
        let body = Value::to_string(&payload);
        if let Err(error) = publisher.publish(&exchange, &routing_key, &cc, body.as_bytes()).await {
            tracing::error!("the embedded deployment stops publishing to the broker: {error}");
            return;
        }
    }
    if let Err(error) = publisher.close().await {
        tracing::debug!("{error}");
    }
}
