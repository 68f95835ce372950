//! Exchanges: routing keys, patterns that match them, and bindings to subscribe with.
//!
//! The rules are those of AMQP 0-9-1 topic exchanges, as Taskcluster uses them: a key is a list of words separated by
//! dots, at most 255 bytes long; in a pattern, `*` matches exactly one word and `#` any number of words.

use std::fmt;

use serde_json::Value;

use super::nearest::nearest;
use super::{Exchange, RoutingKeyPart};
use crate::error::{Error, Result};

/// Takes the place of a part without a value in a routing key.
const NO_VALUE: &str = "_";

/// The maximum length of a routing key in bytes: that of AMQP's short string.
const MAX_KEY: usize = 255;

/// The prefix of a route that takes the place of a routing key.
const ROUTE: &str = "route.";

/// Returns the route in a key such as `route.index.foo`, or `None` for any other key.
///
/// Messages carry such keys in addition to their routing key.
///
/// ```
/// assert_eq!(taskcluster::route("route.index.foo"), Some("index.foo"));
/// assert_eq!(taskcluster::route("primary.index.foo"), None);
/// ```
#[must_use]
pub fn route(key: &str) -> Option<&str> {
    key.strip_prefix(ROUTE).filter(|route| !route.is_empty())
}

/// What to bind a queue to: an exchange, and a pattern for the messages to receive from it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Binding {
    /// The exchange's name on the broker.
    pub exchange: &'static str,
    /// The pattern of the routing keys to receive, with the wildcards `*` and `#`.
    pub routing_key_pattern: String,
}

/// Anything that converts to a [`Binding`]: a binding itself, or routing keys with some or all parts set.
pub trait IntoBinding {
    /// The type of the messages: a generated type if the exchange is known at compile time, [`Value`] otherwise.
    type Message;

    /// Converts to the binding.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`RoutingKeys::binding`].
    fn into_binding(self) -> Result<Binding>;
}

impl IntoBinding for Binding {
    type Message = Value;

    fn into_binding(self) -> Result<Binding> {
        Ok(self)
    }
}

impl IntoBinding for RoutingKeys {
    type Message = Value;

    fn into_binding(self) -> Result<Binding> {
        self.binding()
    }
}

/// For bindings that are not yet checked for errors, such as the result of [`RoutingKeys::route_binding`].
impl IntoBinding for Result<Binding> {
    type Message = Value;

    fn into_binding(self) -> Result<Binding> {
        self
    }
}

/// The routing keys of an exchange, with some or all of their parts set.
///
/// For each exchange, [`taskcluster_api!`](crate::taskcluster_api) generates a struct that wraps this one, with one
/// setter for each part.
///
/// ```
/// use taskcluster::QueueEvents;
///
/// let binding = QueueEvents::task_completed().provisioner_id("p").worker_type("w").binding()?;
/// assert_eq!(binding.exchange, "exchange/taskcluster-queue/v1/task-completed");
/// assert_eq!(binding.routing_key_pattern, "primary.*.*.*.*.p.w.*.*.#");
/// # Ok::<(), taskcluster::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct RoutingKeys {
    exchange: &'static Exchange,
    values: Vec<Option<String>>,
}

impl RoutingKeys {
    #[doc(hidden)]
    #[must_use]
    pub fn new(exchange: &'static Exchange) -> Self {
        let values =
            exchange.routing_key.iter().map(|part| part.constant.map(str::to_owned)).collect();
        Self { exchange, values }
    }

    #[doc(hidden)]
    pub fn set(&mut self, part: usize, value: &dyn fmt::Display) {
        if let Some(slot) = self.values.get_mut(part) {
            *slot = Some(value.to_string());
        }
    }

    /// Returns the exchange, as described in the reference.
    #[must_use]
    pub fn exchange(&self) -> &'static Exchange {
        self.exchange
    }

    /// Creates a binding for all messages whose routing keys have the parts that are set.
    ///
    /// # Errors
    ///
    /// Returns an error if a part is empty, if a single-word part contains a dot or is `#`, or if the pattern is longer
    /// than 255 bytes.
    pub fn binding(&self) -> Result<Binding> {
        let pattern = self.join(|part| Ok(Some(if part.multiple_words { "#" } else { "*" })))?;
        for (part, value) in self.exchange.routing_key.iter().zip(&self.values) {
            if !part.multiple_words && value.as_deref() == Some("#") {
                return Err(self.fail(part, "is `#`, but takes a single word"));
            }
        }
        Ok(Binding { exchange: self.exchange.exchange, routing_key_pattern: pattern })
    }

    /// Creates a binding for messages that were also sent to a route.
    ///
    /// Tasks can name routes, such as `index.gecko.v2.try.latest.firefox`; messages about these tasks carry the routes
    /// in addition to their routing key. The route may contain the wildcards `*` and `#`. Parts that were set are
    /// ignored.
    ///
    /// ```
    /// use taskcluster::QueueEvents;
    ///
    /// let binding = QueueEvents::task_completed().route_binding("index.gecko.#")?;
    /// assert_eq!(binding.routing_key_pattern, "route.index.gecko.#");
    /// # Ok::<(), taskcluster::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if the route contains an empty word or is longer than 249 bytes.
    pub fn route_binding(&self, route: &str) -> Result<Binding> {
        if route.split('.').any(str::is_empty) {
            return Err(Error::input(format!("the route {route:?} has an empty word")));
        }
        self.exchange.binding_for_pattern(format!("{ROUTE}{route}"))
    }

    /// Creates the complete routing key of a message.
    ///
    /// An optional part that is not set becomes `_`; if it may have several words, it is left out.
    ///
    /// # Errors
    ///
    /// Returns an error if a required part is not set, if a word of a part is `*` or `#`, and for all the reasons that
    /// [`binding`](Self::binding) lists.
    pub fn routing_key(&self) -> Result<String> {
        for (part, value) in self.exchange.routing_key.iter().zip(&self.values) {
            if value.iter().flat_map(|value| value.split('.')).any(|word| matches!(word, "*" | "#"))
            {
                return Err(self.fail(part, "has a wildcard, which is only allowed in a pattern"));
            }
        }
        self.join(|part| match (part.required, part.multiple_words) {
            (true, _) => Err(self.fail(part, "is required but not set")),
            (false, true) => Ok(None),
            (false, false) => Ok(Some(NO_VALUE)),
        })
    }

    /// Joins the values. `absent` returns the word for a part without a value, if any.
    fn join(
        &self,
        absent: impl Fn(&RoutingKeyPart) -> Result<Option<&'static str>>,
    ) -> Result<String> {
        let mut words = Vec::with_capacity(self.values.len());
        for (part, value) in self.exchange.routing_key.iter().zip(&self.values) {
            words.push(match value.as_deref() {
                None => match absent(part)? {
                    Some(word) => word,
                    None => continue,
                },
                Some(value) if value.split('.').any(str::is_empty) => {
                    return Err(self.fail(part, "has an empty word"));
                }
                Some(value) if !part.multiple_words && value.contains('.') => {
                    return Err(
                        self.fail(part, &format!("has a dot, but takes a single word: {value:?}"))
                    );
                }
                Some(value) => value,
            });
        }
        checked_length(self.exchange, words.join("."))
    }

    fn fail(&self, part: &RoutingKeyPart, what: &str) -> Error {
        Error::input(format!(
            "part `{}` of the routing key of {} {what}",
            part.name, self.exchange.name
        ))
    }

    /// Splits a message's routing key into its parts.
    ///
    /// The one part that may have several words takes whatever the parts before and after it leave.
    ///
    /// # Errors
    ///
    /// Returns an error if the key has too few or too many words, has the wrong word in place of a constant, or is a
    /// route.
    #[doc(hidden)]
    pub fn split<'k>(&self, key: &'k str) -> Result<RoutingKeyWords<'k>> {
        let parts = self.exchange.routing_key;
        let wrong = |why: &str| {
            Error::input(format!("{key:?} is not a routing key of {}: {why}", self.exchange.name))
        };
        if let Some(route) = route(key) {
            return Err(wrong(&format!(
                "it is the route `{route}`, not a message's own routing key"
            )));
        }
        let multiple = parts.iter().position(|part| part.multiple_words).unwrap_or(parts.len());
        let mut rest = Some(key);
        let mut front = Vec::with_capacity(parts.len());
        for _ in &parts[..multiple] {
            let text = rest.ok_or_else(|| wrong("it has too few words"))?;
            let (word, tail) =
                text.split_once('.').map_or((text, None), |(word, tail)| (word, Some(tail)));
            front.push(word);
            rest = tail;
        }
        let mut back = Vec::new();
        for _ in parts.get(multiple + 1..).unwrap_or_default() {
            let text = rest.ok_or_else(|| wrong("it has too few words"))?;
            let (head, word) =
                text.rsplit_once('.').map_or((None, text), |(head, word)| (Some(head), word));
            back.push(word);
            rest = head;
        }
        match (multiple < parts.len(), rest) {
            (true, words) => front.push(words.unwrap_or_default()),
            (false, Some(_)) => return Err(wrong("it has too many words")),
            (false, None) => {}
        }
        front.extend(back.into_iter().rev());
        for (part, word) in parts.iter().zip(&mut front) {
            match part.constant {
                Some(constant) if constant != *word => {
                    return Err(wrong(&format!("`{}` is not `{constant}`", part.name)));
                }
                None if part.required && word.split('.').any(str::is_empty) => {
                    return Err(wrong(&format!("`{}` has an empty word", part.name)));
                }
                None if !part.required && *word == NO_VALUE => *word = "",
                _ => {}
            }
        }
        Ok(RoutingKeyWords(front))
    }
}

/// Bindings by wire name, for programs that learn at run time what to listen to.
impl Exchange {
    /// Creates a binding for the messages whose routing keys have these parts.
    ///
    /// ```
    /// let exchange = taskcluster::QueueEvents::REFERENCE.find_exchange("taskCompleted")?;
    /// let binding = exchange.binding([("taskId", "T")])?;
    /// assert_eq!(binding.routing_key_pattern, "primary.T.*.*.*.*.*.*.*.#");
    /// let error = exchange.binding([("taskID", "T")]).unwrap_err();
    /// assert_eq!(
    ///     error.message(),
    ///     "taskCompleted has no routing key part `taskID`; did you mean `taskId`?"
    /// );
    /// # Ok::<(), taskcluster::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if a name is not a part of the routing key or is a constant part, and for all the reasons that
    /// [`RoutingKeys::binding`] lists.
    pub fn binding<'n, V: fmt::Display>(
        &'static self,
        parts: impl IntoIterator<Item = (&'n str, V)>,
    ) -> Result<Binding> {
        let mut keys = RoutingKeys::new(self);
        let variable = || self.routing_key.iter().filter(|part| part.constant.is_none());
        for (name, value) in parts {
            match self
                .routing_key
                .iter()
                .position(|part| part.name == name && part.constant.is_none())
            {
                Some(part) => keys.set(part, &value),
                None => {
                    let nearest = nearest(name, variable().map(|part| part.name));
                    return Err(Error::unknown_name(self.name, "routing key part", name, nearest));
                }
            }
        }
        keys.binding()
    }

    /// Creates a binding with a pattern of your own.
    ///
    /// ```
    /// let exchange = taskcluster::QueueEvents::REFERENCE.find_exchange("taskCompleted")?;
    /// assert_eq!(exchange.binding_for_pattern("route.index.#")?.routing_key_pattern, "route.index.#");
    /// # Ok::<(), taskcluster::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if the pattern is longer than 255 bytes.
    pub fn binding_for_pattern(&'static self, pattern: impl Into<String>) -> Result<Binding> {
        let pattern = checked_length(self, pattern.into())?;
        Ok(Binding { exchange: self.exchange, routing_key_pattern: pattern })
    }
}

fn checked_length(exchange: &Exchange, key: String) -> Result<String> {
    let (name, length) = (exchange.name, key.len());
    if length > MAX_KEY {
        return Err(Error::input(format!(
            "the routing key of {name} is {length} bytes long; the limit is {MAX_KEY}"
        )));
    }
    Ok(key)
}

/// The parts of one routing key, in the exchange's order. A part without a value is empty.
#[doc(hidden)]
#[derive(Debug)]
pub struct RoutingKeyWords<'k>(Vec<&'k str>);

// Inlined, they would be compiled again for each part of each exchange.
impl RoutingKeyWords<'_> {
    #[inline(never)]
    #[must_use]
    pub fn required(&self, part: usize) -> String {
        self.0.get(part).copied().unwrap_or_default().to_owned()
    }

    #[inline(never)]
    #[must_use]
    pub fn optional(&self, part: usize) -> Option<String> {
        Some(self.required(part)).filter(|words| !words.is_empty())
    }
}
