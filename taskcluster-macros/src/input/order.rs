//! The order of an object's members in a JSON file, which a parsed `Value` has lost.

use std::fmt;

use serde_core::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// A JSON value without its scalars.
pub(crate) enum Ordered {
    /// The members of an object, in the order of the file.
    Object(Vec<(String, Self)>),
    List(Vec<Self>),
    Scalar,
}

impl Ordered {
    /// Reads a text that is known to be JSON.
    pub(crate) fn of(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or(Self::Scalar)
    }

    /// Whether every object has its members in the order of their names, as programs write them.
    pub(crate) fn is_sorted(&self) -> bool {
        match self {
            Self::Object(members) => {
                members.is_sorted_by(|(one, _), (next, _)| one <= next)
                    && members.iter().all(|(_, member)| member.is_sorted())
            }
            Self::List(items) => items.iter().all(Self::is_sorted),
            Self::Scalar => true,
        }
    }

    /// The names of the members of the object at a JSON pointer.
    pub(crate) fn names(&self, pointer: &str) -> Vec<&str> {
        let steps =
            pointer.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~"));
        let found = steps.into_iter().try_fold(self, |value, step| match value {
            Self::Object(members) => {
                members.iter().rev().find(|(name, _)| *name == step).map(|(_, member)| member)
            }
            Self::List(items) => items.get(step.parse::<usize>().ok()?),
            Self::Scalar => None,
        });
        match found {
            Some(Self::Object(members)) => members.iter().map(|(name, _)| name.as_str()).collect(),
            _ => Vec::new(),
        }
    }
}

impl<'de> Deserialize<'de> for Ordered {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Ordered;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Ordered, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Ordered::Object(members))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Ordered, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Ordered::List(items))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Ordered, E> {
        Ok(Ordered::Scalar)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Ordered, E> {
        Ok(Ordered::Scalar)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Ordered, E> {
        Ok(Ordered::Scalar)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Ordered, E> {
        Ok(Ordered::Scalar)
    }

    fn visit_str<E>(self, _: &str) -> Result<Ordered, E> {
        Ok(Ordered::Scalar)
    }

    fn visit_unit<E>(self) -> Result<Ordered, E> {
        Ok(Ordered::Scalar)
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
