//! Messages, and the exchanges that hand them on.

use std::sync::{Mutex, PoisonError};

use serde_core::de::DeserializeOwned;
use serde_json::Value;

use crate::model::{Reading, Strictness};
use crate::{Error, Exchange, Result, route};

/// A message that a service published.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Message {
    /// The exchange's name, such as `exchange/taskcluster-queue/v1/task-completed`.
    pub exchange: String,
    /// The routing key; an exchange's `parse` takes it apart.
    pub routing_key: String,
    /// The other routing keys, such as `route.index.foo`.
    pub cc: Vec<String>,
    /// The content.
    pub payload: Value,
}

impl Message {
    /// A message of this exchange. Parts of the routing key that have no value stand as `_`.
    pub(crate) fn new(
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

    /// Returns the routes that the message was sent by, without the prefix `route.`.
    pub fn routes(&self) -> impl Iterator<Item = &str> {
        self.cc.iter().filter_map(|key| route(key))
    }

    /// Decodes the payload.
    ///
    /// # Errors
    ///
    /// Returns an error if the payload does not fit the type.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T> {
        let _reading = Reading::begin(Strictness::Answer);
        T::deserialize(&self.payload).map_err(|error| {
            Error::answer(format!("cannot decode the payload of a message of {}", self.exchange))
                .because(error)
        })
    }

    /// Whether a queue with this binding gets the message, by the rules of topic exchanges.
    pub(crate) fn is_for(&self, exchange: &str, pattern: &str) -> bool {
        let pattern: Vec<_> = pattern.split('.').collect();
        let matches = |key: &String| fits(&pattern, &key.split('.').collect::<Vec<_>>());
        self.exchange == exchange && std::iter::once(&self.routing_key).chain(&self.cc).any(matches)
    }
}

/// Whether the words of a key fit a pattern: `*` is any word, `#` any number of words.
///
/// Only the last `#` so far ever needs to take one word more: what an earlier one could take, it can take as well.
fn fits(pattern: &[&str], words: &[&str]) -> bool {
    let (mut place, mut word) = (0, 0);
    // Where the pattern goes on behind the last `#`, and the first word that it does not take.
    let mut last = None;
    loop {
        match pattern.get(place) {
            Some(&"#") => {
                place += 1;
                last = Some((place, word));
            }
            Some(&wanted)
                if words.get(word).is_some_and(|word| wanted == "*" || wanted == *word) =>
            {
                place += 1;
                word += 1;
            }
            None if word == words.len() => return true,
            _ => match &mut last {
                Some((behind, next)) if *next < words.len() => {
                    *next += 1;
                    (place, word) = (*behind, *next);
                }
                _ => return false,
            },
        }
    }
}

/// Takes messages; returns whether it wants more.
type Outlet = Box<dyn Fn(&Message) -> bool + Send>;

/// Where a deployment's messages go.
#[derive(Default)]
pub(crate) struct Exchanges(Mutex<Vec<Outlet>>);

impl Exchanges {
    /// Hands all messages from now on to this function, until it returns `false`.
    pub(crate) fn add(&self, outlet: impl Fn(&Message) -> bool + Send + 'static) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(outlet));
    }

    pub(crate) fn publish(&self, message: &Message) {
        let mut outlets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        outlets.retain(|outlet| outlet(message));
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
            ("#.b.#", "a.b.b.c"),
            ("#.a.b.#.*", "a.a.b.c"),
        ] {
            assert!(fits(pattern, key), "{pattern} {key}");
        }
        for (pattern, key) in [
            ("a.b", "a.c"),
            ("a.*", "a"),
            ("a", "a.b"),
            ("*.*", "a.b.c"),
            ("a.#.c", "a.b"),
            ("#.b.#.b", "a.b.a"),
        ] {
            assert!(!fits(pattern, key), "{pattern} {key}");
        }
    }

    #[test]
    fn many_wildcards_are_little_work() {
        let (pattern, key) = (["#", "a"].repeat(60).join("."), vec!["a"; 120].join("."));
        let message = |key| Message {
            exchange: "e".to_owned(),
            routing_key: key,
            cc: Vec::new(),
            payload: Value::Null,
        };
        assert!(message(key.clone()).is_for("e", &pattern));
        assert!(!message(format!("{key}.b")).is_for("e", &pattern));
    }
}
