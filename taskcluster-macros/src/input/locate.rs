//! Finds the line and column of a value in a JSON file.
//!
//! Positions are needed only once something is wrong, so this parses the text again instead of making every parse track
//! them.

use std::fmt;

use serde_json::value::RawValue;

use crate::input::pointer::unescaped;

/// The path to a value: keys and indices from the root.
#[derive(Clone, Default)]
pub(crate) struct JsonPath(Vec<Step>);

#[derive(Clone)]
enum Step {
    Key(String),
    Index(usize),
}

impl JsonPath {
    /// The path that a JSON pointer stands for.
    pub(crate) fn of_pointer(pointer: &str) -> Self {
        Self(pointer.split('/').skip(1).map(|step| Step::Key(unescaped(step))).collect())
    }

    pub(crate) fn key(&self, key: &str) -> Self {
        self.and(Step::Key(key.to_owned()))
    }

    pub(crate) fn index(&self, index: usize) -> Self {
        self.and(Step::Index(index))
    }

    fn and(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }
}

/// Returns the line and column, both from 1, of the value at `path`, or of the last value on that path that exists.
pub(crate) fn locate(text: &str, path: &JsonPath) -> (usize, usize) {
    let mut raw = text.trim_start();
    for step in &path.0 {
        let Some(inner) = descend(raw, step) else { break };
        raw = inner;
    }
    // `raw` is a slice of `text`, so its address gives its position.
    let offset = raw.as_ptr().addr() - text.as_ptr().addr();
    let before = &text[..offset];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

fn descend<'a>(raw: &'a str, step: &Step) -> Option<&'a str> {
    let value: &'a RawValue = match step {
        // In a pointer, an index looks like a key.
        Step::Key(index) if raw.starts_with('[') => {
            let items: Vec<&'a RawValue> = serde_json::from_str(raw).ok()?;
            items.get(index.parse::<usize>().ok()?)?
        }
        Step::Key(key) => {
            let members: Members<'a> = serde_json::from_str(raw).ok()?;
            members.0.into_iter().rev().find(|(name, _)| name == key)?.1
        }
        Step::Index(index) => {
            let items: Vec<&'a RawValue> = serde_json::from_str(raw).ok()?;
            items.get(*index)?
        }
    };
    Some(value.get())
}

/// The members of an object, unparsed.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> serde_core::Deserialize<'de> for Members<'a> {
    fn deserialize<D: serde_core::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl<'de> serde_core::de::Visitor<'de> for Visitor {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: serde_core::de::MapAccess<'de>>(
                self,
                mut map: A,
            ) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        from.deserialize_map(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_by_path() {
        let text = "{\n  \"a\\u0062\": [1,\n    {\"ü\": \"x\", \"c\": null}]\n}";
        let root = JsonPath::default();
        assert_eq!(locate(text, &root), (1, 1));
        let list = root.key("ab");
        assert_eq!(locate(text, &list), (2, 14));
        assert_eq!(locate(text, &list.index(1)), (3, 5));
        assert_eq!(locate(text, &list.index(1).key("c")), (3, 21));
        // A missing value is located where it should be.
        assert_eq!(locate(text, &list.index(1).key("d")), (3, 5));
    }

    #[test]
    fn the_last_of_two_equal_keys_counts_as_it_does_for_the_parser() {
        assert_eq!(locate(r#"{"a": 1, "a": 2}"#, &JsonPath::default().key("a")), (1, 15));
    }
}
