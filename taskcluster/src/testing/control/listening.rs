//! Receives the messages that the services publish.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use super::deployment::Deployment;
use super::state::State;
use crate::runtime::block_on;
use crate::testing::services::context::message::Message;
use crate::{Binding, Error, IntoBinding, Result};

/// How long [`Messages::next`] waits.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often a waiting listener lets the deployment do what is due.
const LOOK: Duration = Duration::from_millis(20);

/// The queue of one listener.
#[derive(Default)]
struct Inbox {
    content: Mutex<Content>,
    arrived: Notify,
}

#[derive(Default)]
struct Content {
    bindings: Vec<Binding>,
    waiting: VecDeque<Message>,
}

impl Inbox {
    fn content(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the message once, even if several bindings match.
    fn offer(&self, message: &Message) {
        let mut content = self.content();
        let fits =
            |binding: &Binding| message.is_for(binding.exchange, &binding.routing_key_pattern);
        if content.bindings.iter().any(fits) {
            content.waiting.push_back(message.clone());
            self.arrived.notify_one();
        }
    }
}

/// A queue of messages that a test listens to. Created by [`Deployment::listen`].
///
/// It collects messages from then on, in the order of their publication.
pub struct Messages {
    inbox: Arc<Inbox>,
    state: Weak<State>,
}

impl Messages {
    /// Adds a binding.
    ///
    /// # Errors
    ///
    /// Returns an error if the binding is invalid.
    pub fn bind(self, binding: impl IntoBinding) -> Result<Self> {
        let binding = binding.into_binding()?;
        self.inbox.content().bindings.push(binding);
        Ok(self)
    }

    /// Returns the next message, if there is one, without waiting. The deployment first does what is due by its clock.
    #[must_use]
    pub fn try_next(&mut self) -> Option<Message> {
        if let Some(state) = self.state.upgrade() {
            state.context().settle();
        }
        self.inbox.content().waiting.pop_front()
    }

    /// Waits up to 30 seconds for the next message.
    ///
    /// # Errors
    ///
    /// Returns an error if no message arrives in time, or the deployment has been dropped.
    pub async fn next(&mut self) -> Result<Message> {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(message) = self.try_next() {
                return Ok(message);
            }
            if self.state.strong_count() == 0 {
                return Err(Error::config("the embedded deployment has been dropped"));
            }
            if Instant::now() >= end {
                return Err(Error::config(format!(
                    "no message came within {PATIENCE:?} for {:?}",
                    self.inbox.content().bindings
                )));
            }
            // Look again, whether a message arrived or not.
            let _ = timeout_at(end.min(Instant::now() + LOOK), self.inbox.arrived.notified()).await;
        }
    }

    /// The blocking form of [`next`](Self::next).
    ///
    /// # Errors
    ///
    /// Returns the errors of [`next`](Self::next), and an error if called inside an async runtime.
    pub fn next_blocking(&mut self) -> Result<Message> {
        block_on(self.next())?
    }

    /// Removes and returns all messages that have arrived.
    #[must_use]
    pub fn take(&mut self) -> Vec<Message> {
        std::iter::from_fn(|| self.try_next()).collect()
    }
}

impl fmt::Debug for Messages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let content = self.inbox.content();
        f.debug_struct("Messages")
            .field("bindings", &content.bindings)
            .field("waiting", &content.waiting.len())
            .finish_non_exhaustive()
    }
}

impl Deployment {
    /// Receives the messages that the services publish from now on, without a broker.
    ///
    /// ```
    /// use taskcluster::testing::Deployment;
    /// use taskcluster::{Auth, AuthEvents, auth::CreateClientRequest, from_now};
    ///
    /// let fake = Deployment::start_blocking()?;
    /// fake.client("admin", "no-secret", ["auth:*"]);
    /// let mut messages = fake.listen(AuthEvents::client_created())?.bind(AuthEvents::client_deleted())?;
    ///
    /// let client = CreateClientRequest::new(from_now("1 day")?, "builds");
    /// Auth::new(&fake.connect("admin")?).create_client("project/builds", &client).send_blocking()?;
    /// let message = messages.next_blocking()?;
    /// assert_eq!(message.payload["clientId"], "project/builds");
    /// let typed: taskcluster::auth_events::ClientMessage = message.decode()?;
    /// assert_eq!(typed.client_id, "project/builds");
    /// assert_eq!(messages.try_next(), None);
    /// # Ok::<(), taskcluster::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if the binding is invalid.
    pub fn listen(&self, binding: impl IntoBinding) -> Result<Messages> {
        let inbox = Arc::<Inbox>::default();
        let state = Arc::downgrade(self.state());
        let messages = Messages { inbox: inbox.clone(), state }.bind(binding)?;
        let inbox = Arc::downgrade(&inbox);
        self.state().context().exchanges.add(move |message| match inbox.upgrade() {
            Some(inbox) => {
                inbox.offer(message);
                true
            }
            None => false,
        });
        Ok(messages)
    }
}
