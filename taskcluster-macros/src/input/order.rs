//! What a parsed `Value` has lost of a JSON file: the order of an object's members, and the lines of objects.

use std::collections::HashMap;
use std::fmt;

use serde_core::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::input::pointer::unescaped;

/// The names of an object's members in the order of a JSON file.
pub(crate) struct Ordered {
    root: Node,
    is_sorted: bool,
}

/// A JSON value without its scalars.
enum Node {
    Object {
        /// The line in which it begins, from 1.
        line: usize,
        /// The names of the members in order.
        names: Vec<String>,
        members: HashMap<String, Self>,
    },
    List(Vec<Self>),
    Scalar,
}

impl Ordered {
    /// Reads a text that is known to be JSON.
    pub(crate) fn of(text: &str) -> Self {
        let mut parser = serde_json::Deserializer::from_str(text);
        let root = AnyValue(&mut lines(text)).deserialize(&mut parser).unwrap_or(Node::Scalar);
        let is_sorted = root.is_sorted();
        Self { root, is_sorted }
    }

    /// Whether every object has its members in the order of their names, as programs write them.
    pub(crate) fn is_sorted(&self) -> bool {
        self.is_sorted
    }

    /// The names of the members of the object at a JSON pointer.
    pub(crate) fn names(&self, pointer: &str) -> &[String] {
        match self.at(pointer) {
            Some(Node::Object { names, .. }) => names,
            _ => &[],
        }
    }

    /// The line, from 1, in which the object at a JSON pointer begins.
    pub(crate) fn line(&self, pointer: &str) -> Option<usize> {
        match self.at(pointer)? {
            Node::Object { line, .. } => Some(*line),
            _ => None,
        }
    }

    fn at(&self, pointer: &str) -> Option<&Node> {
        let mut steps = pointer.split('/').skip(1).map(unescaped);
        steps.try_fold(&self.root, |value, step| match value {
            Node::Object { members, .. } => members.get(&step),
            Node::List(items) => items.get(step.parse::<usize>().ok()?),
            Node::Scalar => None,
        })
    }
}

/// The lines in which the objects of a JSON text begin, in the order of the text.
fn lines(text: &str) -> impl Iterator<Item = usize> {
    let (mut line, mut in_text, mut escaped) = (1, false, false);
    text.bytes().filter_map(move |byte| {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => in_text = !in_text,
            b'\n' => line += 1,
            b'{' if !in_text => return Some(line),
            _ => {}
        }
        None
    })
}

impl Node {
    fn is_sorted(&self) -> bool {
        match self {
            Self::Object { names, members, .. } => {
                names.is_sorted() && members.values().all(Self::is_sorted)
            }
            Self::List(items) => items.iter().all(Self::is_sorted),
            Self::Scalar => true,
        }
    }
}

/// Reads a value. It takes a line for each object, as they are met in the order of the text.
struct AnyValue<'a>(&'a mut dyn Iterator<Item = usize>);

impl<'de> DeserializeSeed<'de> for AnyValue<'_> {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Node, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for AnyValue<'_> {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let line = self.0.next().unwrap_or_default();
        let (mut names, mut members) = (Vec::new(), HashMap::new());
        while let Some(name) = map.next_key::<String>()? {
            names.push(name.clone());
            members.insert(name, map.next_value_seed(AnyValue(self.0))?);
        }
        Ok(Node::Object { line, names, members })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element_seed(AnyValue(self.0))? {
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

    #[test]
    fn objects_know_their_lines() {
        let file = Ordered::of(
            "{\"a\": \"\\\\\\\"{\",\n \"b{\": {}, \"b{\":\n[1, {\"c\": 0}],\n\"d\":\n{}}",
        );
        let lines = ["", "/b{/1", "/d", "/a", "/b{/0", "/e"].map(|pointer| file.line(pointer));
        assert_eq!(lines, [Some(1), Some(3), Some(5), None, None, None]);
    }
}
