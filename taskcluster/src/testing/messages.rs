//! The messages that the services publish: an exchange in this process, and what a test hears of it.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use serde_core::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use super::Deployment;
use super::state::State;
use crate::error::{Error, Result};
use crate::model::{Reading, Strictness};
use crate::reference::routing_keys::{Binding, IntoBinding};
use crate::reference::{Exchange, Reference};
use crate::runtime::block_on;

/// How long [`Messages::next`] waits.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often a waiting listener lets the deployment look at its clock.
const LOOK: Duration = Duration::from_millis(20);

/// A message, as a service published it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Message {
    /// The exchange's name, such as `exchange/taskcluster-queue/v1/task-completed`.
    pub exchange: String,
    /// The routing key, which an exchange's `parse` takes apart.
    pub routing_key: String,
    /// The other keys that it was published with: `route.index.foo`.
    pub cc: Vec<String>,
    /// What it says.
    pub payload: Value,
}

impl Message {
    /// A message of this exchange. Parts of the routing key that have no value stand as `_`.
    pub(super) fn new(
        exchange: &'static Exchange,
        parts: &[(&str, &str)],
        routes: &[String],
        payload: Value,
    ) -> Self {
        let given = |name: &str| parts.iter().find(|(known, _)| *known == name).map(|part| part.1);
        let words = exchange.routing_key.iter().map(|part| {
            let value = part.constant.or_else(|| given(part.name));
            value.filter(|value| !value.is_empty()).unwrap_or("_")
        });
        Self {
            exchange: exchange.exchange.to_owned(),
            routing_key: words.collect::<Vec<_>>().join("."),
            cc: routes.iter().map(|route| format!("route.{route}")).collect(),
            payload,
        }
    }

    /// The routes by which it was sent, without `route.` before them.
    pub fn routes(&self) -> impl Iterator<Item = &str> {
        self.cc.iter().filter_map(|key| crate::reference::routing_keys::route(key))
    }

    /// Decodes the payload.
    ///
    /// # Errors
    ///
    /// If it is not of this type.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T> {
        let _reading = Reading::begin(Strictness::Answer);
        T::deserialize(&self.payload).map_err(|error| {
            Error::answer(format!("the payload of a message of {} is not right", self.exchange))
                .because(error)
        })
    }

    /// Whether a queue with this binding gets the message, by the rules of topic exchanges.
    pub(super) fn is_for(&self, exchange: &str, pattern: &str) -> bool {
        let pattern: Vec<_> = pattern.split('.').collect();
        let matches = |key: &String| fits(&pattern, &key.split('.').collect::<Vec<_>>());
        self.exchange == exchange && std::iter::once(&self.routing_key).chain(&self.cc).any(matches)
    }
}

/// Whether the words of a key fit a pattern: `*` is any word, `#` any number of words.
fn fits(pattern: &[&str], words: &[&str]) -> bool {
    match (pattern, words) {
        ([], _) => words.is_empty(),
        (["#", rest @ ..], _) => (0..=words.len()).any(|skipped| fits(rest, &words[skipped..])),
        ([wanted, rest @ ..], [word, others @ ..]) => {
            (*wanted == "*" || wanted == word) && fits(rest, others)
        }
        (_, []) => false,
    }
}

/// The references of all exchanges that this deployment publishes to.
pub(super) const SERVICES: [&Reference; 4] = [
    &crate::AuthEvents::REFERENCE,
    &crate::HooksEvents::REFERENCE,
    &crate::NotifyEvents::REFERENCE,
    &crate::QueueEvents::REFERENCE,
];

/// Takes messages; says whether it wants more.
type Outlet = Box<dyn Fn(&Message) -> bool + Send>;

/// Where a deployment's messages go.
#[derive(Default)]
pub(super) struct Exchanges(Mutex<Vec<Outlet>>);

impl Exchanges {
    /// Hands all messages from now on to this function, until it returns `false`.
    pub(super) fn add(&self, outlet: impl Fn(&Message) -> bool + Send + 'static) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(outlet));
    }

    pub(super) fn publish(&self, message: &Message) {
        let mut outlets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        outlets.retain(|outlet| outlet(message));
    }
}

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

    /// Takes the message once, however many bindings fit.
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

/// The messages that a test listens to; made by [`Deployment::listen`].
///
/// They gather from then on, in the order in which they were published, whether anybody asks for them or not.
pub struct Messages {
    inbox: Arc<Inbox>,
    state: Weak<State>,
}

impl Messages {
    /// Listens to these messages, too.
    ///
    /// # Errors
    ///
    /// If the binding is none.
    pub fn bind(self, binding: impl IntoBinding) -> Result<Self> {
        let binding = binding.into_binding()?;
        self.inbox.content().bindings.push(binding);
        Ok(self)
    }

    /// The next message, if there is one by now. The deployment looks at its clock first.
    #[must_use]
    pub fn try_next(&mut self) -> Option<Message> {
        if let Some(state) = self.state.upgrade() {
            state.settle();
        }
        self.inbox.content().waiting.pop_front()
    }

    /// Waits for the next message.
    ///
    /// # Errors
    ///
    /// If none comes within 30 seconds, or the deployment is gone.
    pub async fn next(&mut self) -> Result<Message> {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(message) = self.try_next() {
                return Ok(message);
            }
            if self.state.strong_count() == 0 {
                return Err(Error::config("the embedded deployment that was listened to is gone"));
            }
            if Instant::now() >= end {
                return Err(Error::config(format!(
                    "no message came within {PATIENCE:?} for {:?}",
                    self.inbox.content().bindings
                )));
            }
            // Either way there is a reason to look again.
            let _ = timeout_at(end.min(Instant::now() + LOOK), self.inbox.arrived.notified()).await;
        }
    }

    /// Waits for the next message; the same in a program without async.
    ///
    /// # Errors
    ///
    /// As [`next`](Self::next), or if called inside an asynchronous runtime.
    pub fn next_blocking(&mut self) -> Result<Message> {
        block_on(self.next())?
    }

    /// All messages that are there by now.
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
    /// Listens to messages that the services publish from now on. No broker is needed.
    ///
    /// ```
    /// use taskcluster::testing::Deployment;
    /// use taskcluster::{Auth, AuthEvents, auth::CreateClientRequest, from_now};
    ///
    /// let fake = Deployment::start_blocking()?;
    /// fake.client("admin", "no-secret", ["auth:*"]);
    /// let mut messages = fake.listen(AuthEvents::client_created())?.bind(AuthEvents::client_deleted())?;
    ///
    /// let client = CreateClientRequest::new("builds", from_now("1 day")?);
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
    /// If the binding is none.
    pub fn listen(&self, binding: impl IntoBinding) -> Result<Messages> {
        let inbox = Arc::<Inbox>::default();
        let state = Arc::downgrade(self.state());
        let messages = Messages { inbox: inbox.clone(), state }.bind(binding)?;
        let inbox = Arc::downgrade(&inbox);
        self.state().exchanges.add(move |message| match inbox.upgrade() {
            Some(inbox) => {
                inbox.offer(message);
                true
            }
            None => false,
        });
        Ok(messages)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_fit_patterns_as_on_a_topic_exchange() {
        let fits = |pattern: &str, key: &str| {
            fits(&pattern.split('.').collect::<Vec<_>>(), &key.split('.').collect::<Vec<_>>())
        };
        for (pattern, key) in [
            ("a.b", "a.b"),
            ("a.*", "a.b"),
            ("#", "a.b.c"),
            ("a.#", "a"),
            ("a.#.c", "a.c"),
            ("a.#.c", "a.b.b.c"),
            ("*.#", "a"),
            ("#.#", "a"),
        ] {
            assert!(fits(pattern, key), "{pattern} {key}");
        }
        for (pattern, key) in
            [("a.b", "a.c"), ("a.*", "a"), ("a", "a.b"), ("*.*", "a.b.c"), ("a.#.c", "a.b")]
        {
            assert!(!fits(pattern, key), "{pattern} {key}");
        }
    }
}
