//! Configuring what to listen to, and how.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;

use serde_core::de::DeserializeOwned;
use serde_json::Value;

use super::credentials::PulseCredentials;
use super::messages::Messages;
use super::plan::Plan;
use crate::client::retry::Retry;
use crate::error::{Error, Result};
use crate::model::{Corrections, Strictness};
use crate::reference::routing_keys::IntoBinding;

/// The payload type of a [`Listener`] without bindings: not known yet.
#[derive(Debug)]
#[non_exhaustive]
pub struct Unbound;

/// Configures a queue and its bindings. Nothing is sent until [`listen`](Self::listen).
///
/// See the module's page for what it [guarantees](crate::pulse#what-you-can-rely-on).
#[must_use = "nothing is sent until `listen` is awaited"]
pub struct Listener<T = Unbound> {
    plan: Plan,
    /// The error of the first invalid binding.
    mistake: Option<Error>,
    payload: PhantomData<fn() -> T>,
}

impl Listener {
    /// Creates a listener that connects with these credentials.
    pub fn connect(credentials: PulseCredentials) -> Self {
        Self::connect_with(move || std::future::ready(Ok(credentials.clone())))
    }

    /// Creates a listener that gets its credentials from a callback.
    ///
    /// The callback runs before each connection, and again at the time of [`PulseCredentials::renew_at`]. Use it to claim
    /// and reclaim a namespace of the 2017 `pulse` service:
    ///
    /// ```no_run
    /// use taskcluster::Client;
    /// use taskcluster::legacy::{Pulse, pulse::NamespaceRequest};
    /// use taskcluster::pulse::{Listener, PulseCredentials};
    /// # async fn f() -> Result<(), Box<dyn std::error::Error>> {
    ///
    /// let pulse = Pulse::new(&Client::legacy().build()?);
    /// let listener = Listener::connect_with(move || {
    ///     let request = NamespaceRequest::new().contact("builds@example.com");
    ///     let claim = pulse.claim_namespace("builds", &request);
    ///     async move {
    ///         let claimed = claim.await?;
    ///         let credentials = PulseCredentials::from_url(&claimed.connection_string)?.namespace("builds");
    ///         Ok(match claimed.reclaim_at {
    ///             Some(time) => credentials.renew_at(time),
    ///             None => credentials,
    ///         })
    ///     }
    /// });
    /// # Ok(()) }
    /// ```
    ///
    /// If the callback fails with an error that [`is_transport`](Error::is_transport), the listener treats it like a broken
    /// connection and retries. Any other error ends the listener.
    pub fn connect_with<F, R>(credentials: F) -> Self
    where
        F: Fn() -> R + Send + Sync + 'static,
        R: Future<Output = Result<PulseCredentials>> + Send + 'static,
    {
        let plan = Plan {
            credentials: Box::new(move || Box::pin(credentials())),
            bindings: Vec::new(),
            queue: None,
            prefetch: 32,
            retry: Retry::default(),
            strictness: Strictness::Answer,
            corrections: Corrections::default(),
        };
        Self { plan, mistake: None, payload: PhantomData }
    }
}

impl Listener {
    /// Binds the queue to an exchange, and decodes payloads as the message type of this exchange.
    ///
    /// A required property that a message lacks gets the empty value of its type, as in the responses of a
    /// [`Client`](crate::ClientBuilder::strict_answers), with a warning once for each exchange and property.
    ///
    /// Call it again to bind other routing keys of the same exchange. A message that matches several bindings is delivered
    /// once. To receive messages of several types, use [`bind_any`](Self::bind_any). A named queue keeps the bindings that
    /// it already has.
    pub fn bind<B>(self, binding: B) -> Listener<B::Message>
    where
        B: IntoBinding<Message: DeserializeOwned>,
    {
        let mut listener = self.payload_as::<B::Message>();
        listener.plan.strictness = Strictness::Corrected;
        listener.bind(binding)
    }

    /// Binds the queue to an exchange, for messages of any type.
    ///
    /// Payloads are [`Value`]s; decode them with [`Message::decode`](super::Message::decode).
    pub fn bind_any(self, binding: impl IntoBinding) -> Listener<Value> {
        self.payload_as::<Value>().bind_any(binding)
    }

    /// Starts listening to a queue that is already bound, with [`Value`]s as payloads.
    ///
    /// # Errors
    ///
    /// Same as the [`listen`](Listener::listen) of a listener with bindings.
    pub async fn listen(self) -> Result<Messages<Value>> {
        self.payload_as::<Value>().listen().await
    }
}

impl<T: DeserializeOwned> Listener<T> {
    /// Binds the queue to more messages of the same type.
    pub fn bind(self, binding: impl IntoBinding<Message = T>) -> Self {
        self.bind_any(binding)
    }

    /// Binds the queue to another exchange, and decodes its payloads like the others.
    pub fn bind_any(mut self, binding: impl IntoBinding) -> Self {
        match binding.into_binding() {
            Ok(binding) => self.plan.bindings.push(binding),
            Err(error) => self.mistake = self.mistake.or(Some(error)),
        }
        self
    }
}

impl<T> Listener<T> {
    /// Uses the durable queue with this name, and declares it if it does not exist.
    ///
    /// The queue collects messages even while the program is not running. It stays on the broker until someone deletes it.
    /// Programs that use the same queue share its messages.
    ///
    /// On the broker, the queue is named `queue/<user>/<name>`; you can also pass this full name. Without a name, the queue
    /// is temporary and ends with its connection.
    pub fn queue(mut self, name: impl Into<String>) -> Self {
        self.plan.queue = Some(name.into());
        self
    }

    /// Sets how many unsettled messages the broker delivers at once. The default is 32.
    ///
    /// With 1, the broker sends the next message only after the program has settled the previous one. 0 means no limit.
    pub fn prefetch(mut self, messages: u16) -> Self {
        self.plan.prefetch = messages;
        self
    }

    /// Sets how to retry connecting.
    ///
    /// [`listen`](Self::listen) gives up after `max_retries`. Once connected, a listener never gives up; it uses only the
    /// delays.
    pub fn retry(mut self, retry: Retry) -> Self {
        self.plan.retry = retry;
        self
    }

    /// Decodes payloads as `U`, whatever the message types of the exchanges. A payload that lacks what `U` requires is an error.
    ///
    /// Use this for a type of your own, or for a queue that is already bound. To decode a single message, use
    /// [`Message::decode`](super::Message::decode).
    pub fn payload_as<U: DeserializeOwned>(self) -> Listener<U> {
        let plan = Plan { strictness: Strictness::Answer, ..self.plan };
        Listener { plan, mistake: self.mistake, payload: PhantomData }
    }
}

impl<T: DeserializeOwned + 'static> Listener<T> {
    /// Connects, declares and binds the queue, and starts consuming it. Must be called inside a tokio runtime.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Input`](crate::ErrorKind::Input): a binding or the queue name is invalid, or a temporary queue has no
    ///   bindings.
    /// - [`ErrorKind::Refused`](crate::ErrorKind::Refused): the broker refuses the credentials, the queue or a binding.
    /// - [`Error::is_transport`]: the connection fails, or the node of a cluster that keeps the queue is down, even after
    ///   all retries.
    /// - Errors of the callback for credentials.
    pub async fn listen(self) -> Result<Messages<T>> {
        if let Some(mistake) = self.mistake {
            return Err(mistake);
        }
        if self.plan.bindings.is_empty() && self.plan.queue.is_none() {
            return Err(Error::input(
                "a temporary queue without bindings gets no messages; add one with `bind`",
            ));
        }
        Messages::start(Arc::new(self.plan)).await
    }
}

impl<T> fmt::Debug for Listener<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener")
            .field("queue", &self.plan.queue)
            .field("bindings", &self.plan.bindings)
            .field("prefetch", &self.plan.prefetch)
            .finish_non_exhaustive()
    }
}
