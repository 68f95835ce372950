//! Receives the messages that the services publish.

use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::time::timeout;

use super::deployment::Deployment;
use super::inbox::{Inbox, Waiting};
use super::state::State;
use crate::runtime::block_on;
use crate::testing::services::context::message::Message;
use crate::{Error, IntoBinding, Result};

/// How long [`Messages::next`] waits.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often a waiting listener lets the deployment do what is due.
const LOOK: Duration = Duration::from_millis(20);

/// An inbox, and the deployment whose messages it gets.
#[derive(Clone)]
pub(super) struct Listening {
    inbox: Arc<Inbox>,
    state: Weak<State>,
}

impl Listening {
    /// Starts a new inbox, which collects messages until it is dropped.
    pub(super) fn start(state: &Arc<State>) -> Self {
        let inbox = Arc::<Inbox>::default();
        let listening = Self { inbox: inbox.clone(), state: Arc::downgrade(state) };
        let inbox = Arc::downgrade(&inbox);
        state.context().exchanges.add(move |message| match inbox.upgrade() {
            Some(inbox) => {
                inbox.offer(message);
                true
            }
            None => false,
        });
        listening
    }

    #[cfg(feature = "pulse")]
    pub(super) fn inbox(&self) -> &Inbox {
        &self.inbox
    }

    /// The error of a listener whose deployment has been dropped.
    pub(super) fn is_over() -> Error {
        Error::config("the embedded deployment has been dropped")
    }

    /// Takes the first message. The deployment first does what is due by its clock.
    fn take(&self) -> Option<(u64, Waiting)> {
        if let Some(state) = self.state.upgrade() {
            state.context().settle();
        }
        self.inbox.pop()
    }

    /// Waits for a message, and looks from time to time whether one has become due.
    pub(super) async fn wait(&self) -> Result<(u64, Waiting)> {
        loop {
            if let Some(taken) = self.take() {
                return Ok(taken);
            }
            if self.state.strong_count() == 0 {
                return Err(Self::is_over());
            }
            self.inbox.wait(LOOK).await;
        }
    }
}

#[cfg(feature = "pulse")]
impl Listening {
    /// Finds or starts the inbox of this name, which lives as long as the deployment.
    pub(super) fn named(state: &Arc<State>, name: &str) -> Self {
        let mut inboxes = state.inboxes();
        match inboxes.get(name) {
            Some(inbox) => Self { inbox: inbox.clone(), state: Arc::downgrade(state) },
            None => {
                let new = Self::start(state);
                inboxes.insert(name.to_owned(), new.inbox.clone());
                new
            }
        }
    }
}

/// A queue of messages that a test listens to. Created by [`Deployment::listen`].
///
/// It collects messages from then on, in the order of their publication.
pub struct Messages(Listening);

impl Messages {
    /// Adds a binding.
    ///
    /// # Errors
    ///
    /// Returns an error if the binding is invalid.
    pub fn bind(self, binding: impl IntoBinding) -> Result<Self> {
        self.0.inbox.bind([binding.into_binding()?]);
        Ok(self)
    }

    /// Returns the next message, if there is one, without waiting. The deployment first does what is due by its clock.
    #[must_use]
    pub fn try_next(&mut self) -> Option<Message> {
        self.0.take().map(|(_, waiting)| waiting.message)
    }

    /// Waits up to 30 seconds for the next message.
    ///
    /// # Errors
    ///
    /// Returns an error if no message arrives in time, or the deployment has been dropped.
    pub async fn next(&mut self) -> Result<Message> {
        match timeout(PATIENCE, self.0.wait()).await {
            Ok(taken) => taken.map(|(_, waiting)| waiting.message),
            Err(_) => Err(Error::config(format!(
                "no message came within {PATIENCE:?} for {:?}",
                self.0.inbox.bindings()
            ))),
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
        f.debug_struct("Messages")
            .field("bindings", &self.0.inbox.bindings())
            .field("waiting", &self.0.inbox.len())
            .finish_non_exhaustive()
    }
}

impl Deployment {
    /// Receives the messages that the services publish from now on, for a test to look at. A program that listens to Pulse gets
    /// them from `Deployment::listener` (feature `pulse`).
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
        Messages(Listening::start(self.state())).bind(binding)
    }
}
