//! The order of an object's members in a JSON file, which a parsed `Value` has lost.

use std::collections::HashMap;
use std::fmt;

use serde_core::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::input::pointer::unescaped;

/// The names of an object's members in the order of a JSON file.
pub(crate) struct Ordered {
    root: Node,
    is_sorted: bool,
}

/// A JSON value without its scalars.
enum Node {
    /// The names of the members in order, and the members.
    Object(Vec<String>, HashMap<String, Self>),
    List(Vec<Self>),
    Scalar,
}

impl Ordered {
    /// Reads a text that is known to be JSON.
    pub(crate) fn of(text: &str) -> Self {
        let root = serde_json::from_str(text).unwrap_or(Node::Scalar);
        let is_sorted = root.is_sorted();
        Self { root, is_sorted }
    }

    /// Whether every object has its members in the order of their names, as programs write them.
    pub(crate) fn is_sorted(&self) -> bool {
        self.is_sorted
    }

    /// The names of the members of the object at a JSON pointer.
    pub(crate) fn names(&self, pointer: &str) -> &[String] {
        let mut steps = pointer.split('/').skip(1).map(unescaped);
        let found = steps.try_fold(&self.root, |value, step| match value {
            Node::Object(_, members) => members.get(&step),
            Node::List(items) => items.get(step.parse::<usize>().ok()?),
            Node::Scalar => None,
        });
        match found {
            Some(Node::Object(names, _)) => names,
            _ => &[],
        }
    }
}

impl Node {
    fn is_sorted(&self) -> bool {
        match self {
            Self::Object(names, members) => {
                names.is_sorted() && members.values().all(Self::is_sorted)
            }
            Self::List(items) => items.iter().all(Self::is_sorted),
            Self::Scalar => true,
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let (mut names, mut members) = (Vec::new(), HashMap::new());
        while let Some((name, member)) = map.next_entry::<String, _>()? {
            names.push(name.clone());
            members.insert(name, member);
        }
        Ok(Node::Object(names, members))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Node::List(items))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Node, E> {
        Ok(Node::Scalar)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Node, E> {
        Ok(Node::Scalar)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Node, E> {
        Ok(Node::Scalar)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Node, E> {
        Ok(Node::Scalar)
    }

    fn visit_str<E>(self, _: &str) -> Result<Node, E> {
        Ok(Node::Scalar)
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Scalar)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_keep_the_order_of_the_file() {
        let file =
            Ordered::of(r#"{"properties": {"to": {"b/c": [{"z": 1, "y": null}]}, "from": {}}}"#);
        assert!(!file.is_sorted());
        assert_eq!(file.names("/properties"), ["to", "from"]);
        assert_eq!(file.names("/properties/to/b~1c/0"), ["z", "y"]);
        assert!(file.names("/properties/nothing").is_empty());
        assert!(Ordered::of(r#"{"a": [{"b": 0, "c": 0}], "b": "x"}"#).is_sorted());
    }
}
