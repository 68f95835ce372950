//! What to listen to, and how.

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
use crate::reference::routing_keys::IntoBinding;

/// What the payloads of a [`Listener`] without bindings are: not known yet.
#[derive(Debug)]
#[non_exhaustive]
pub struct Unbound;

/// A queue to be, and what is to flow into it. Nothing is sent until [`listen`](Self::listen).
///
/// The module's page says what it [guarantees](crate::pulse#what-you-can-rely-on).
#[must_use = "nothing is sent until `listen` is awaited"]
pub struct Listener<T = Unbound> {
    plan: Plan,
    /// The first binding that is not one.
    mistake: Option<Error>,
    payload: PhantomData<fn() -> T>,
}

impl Listener {
    /// For the broker and user of these credentials.
    pub fn connect(credentials: PulseCredentials) -> Self {
        Self::connect_with(move || std::future::ready(Ok(credentials.clone())))
    }

    /// With credentials of a callback, which is asked before each connection, and again when the time of
    /// [`PulseCredentials::renew_at`] has come.
    ///
    /// This is how a namespace of the 2017 `pulse` service is claimed and claimed again:
    ///
    /// ```no_run
    /// use taskcluster::Client;
    /// use taskcluster::legacy::{Pulse, pulse::NamespaceRequest};
    /// use taskcluster::pulse::{Listener, PulseCredentials};
    /// # async fn f() -> Result<(), Box<dyn std::error::Error>> {
    ///
    /// let pulse = Pulse::new(&Client::legacy().build()?);
    /// let listener = Listener::connect_with(move || {
    ///     let mut request = NamespaceRequest::new();
    ///     request.contact = Some("builds@example.com".to_owned());
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
    /// An error of the callback counts as one of the connection if it is [`Error::is_transport`], and ends the listener
    /// otherwise.
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
        };
        Self { plan, mistake: None, payload: PhantomData }
    }
}

impl Listener {
    /// Lets messages of an exchange into the queue, and decodes payloads as the type that this exchange has for them.
    ///
    /// May be called again, for other routing keys of the exchange; a message that several bindings match comes once.
    /// [`bind_any`](Self::bind_any) is for messages of several kinds. A named queue keeps the bindings that it had.
    pub fn bind<B>(self, binding: B) -> Listener<B::Message>
    where
        B: IntoBinding<Message: DeserializeOwned>,
    {
        self.payload_as::<B::Message>().bind(binding)
    }

    /// Lets messages of an exchange into the queue, of whatever kind: payloads are [`Value`]s, and
    /// [`Message::decode`](super::Message::decode) makes more of them.
    pub fn bind_any(self, binding: impl IntoBinding) -> Listener<Value> {
        self.payload_as::<Value>().bind_any(binding)
    }

    /// Listens to a queue that has its bindings already, with [`Value`]s as payloads; see
    /// [`listen`](Listener::listen) of one with bindings.
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn listen(self) -> Result<Messages<Value>> {
        self.payload_as::<Value>().listen().await
    }
}

impl<T: DeserializeOwned> Listener<T> {
    /// Lets more messages of this kind into the queue.
    pub fn bind(self, binding: impl IntoBinding<Message = T>) -> Self {
        self.bind_any(binding)
    }

    /// Lets messages of another exchange into the queue, whose payloads will be decoded like the others.
    pub fn bind_any(mut self, binding: impl IntoBinding) -> Self {
        match binding.into_binding() {
            Ok(binding) => self.plan.bindings.push(binding),
            Err(error) => self.mistake = self.mistake.or(Some(error)),
        }
        self
    }
}

impl<T> Listener<T> {
    /// Uses the durable queue of this name, and makes it if it is not there: messages gather in it while the program does not
    /// run. It stays on the broker until somebody deletes it. Programs with the same queue share its messages.
    ///
    /// The broker calls it `queue/<user>/<name>`; the whole name may be given, too. Without this, the queue is a temporary
    /// one that ends with its connection.
    pub fn queue(mut self, name: impl Into<String>) -> Self {
        self.plan.queue = Some(name.into());
        self
    }

    /// How many messages the broker sends ahead of the first that is not settled; 32 unless set. With 1, it sends the next
    /// message when the program is done with the one before. 0 means no limit.
    pub fn prefetch(mut self, messages: u16) -> Self {
        self.plan.prefetch = messages;
        self
    }

    /// How patiently to connect. [`listen`](Self::listen) gives up after `max_retries`; a listener that was connected
    /// does not give up, and uses the delays alone.
    pub fn retry(mut self, retry: Retry) -> Self {
        self.plan.retry = retry;
        self
    }

    /// Decodes payloads as `U`, whatever the exchanges have for them: for a type of one's own, or a queue that has its
    /// bindings already. [`Message::decode`](super::Message::decode) decodes one message.
    pub fn payload_as<U: DeserializeOwned>(self) -> Listener<U> {
        Listener { plan: self.plan, mistake: self.mistake, payload: PhantomData }
    }
}

impl<T: DeserializeOwned + 'static> Listener<T> {
    /// Connects, declares the queue, binds it, and begins to consume it. Must be called in a tokio runtime.
    ///
    /// # Errors
    ///
    /// A binding or queue name that is not one, or a temporary queue without bindings
    /// ([`ErrorKind::Input`](crate::ErrorKind::Input)); credentials, a queue or a binding that the broker refuses
    /// ([`ErrorKind::Refused`](crate::ErrorKind::Refused)); no connection ([`Error::is_transport`]); errors of the
    /// callback for credentials.
    pub async fn listen(self) -> Result<Messages<T>> {
        if let Some(mistake) = self.mistake {
            return Err(mistake);
        }
        if self.plan.bindings.is_empty() && self.plan.queue.is_none() {
            return Err(Error::input("a temporary queue without bindings would get no messages"));
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
