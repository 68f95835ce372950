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

/// Returns the lines, from 1, in which the items of the list at `key` of the root begin.
pub(crate) fn lines(text: &str, key: &str) -> Vec<usize> {
    let list = descend(text.trim_start(), &Step::Key(key.to_owned())).unwrap_or_default();
    let items: Vec<&RawValue> = serde_json::from_str(list).unwrap_or_default();
    let (mut line, mut start) = (1, 0);
    let line_of = |item: &RawValue| {
        let offset = item.get().as_ptr().addr() - text.as_ptr().addr();
        line += text[start..offset].matches('\n').count();
        start = offset;
        line
    };
    items.into_iter().map(line_of).collect()
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
    fn items_are_found_by_lines() {
        let text = "\n{\"a\": [1,\n\n 2, 3\n, {}], \"b\": 1}";
        assert_eq!(lines(text, "a"), [2, 4, 4, 5]);
        assert!(lines(text, "b").is_empty());
        assert!(lines(text, "c").is_empty());
    }

    #[test]
    fn the_last_of_two_equal_keys_counts_as_it_does_for_the_parser() {
        assert_eq!(locate(r#"{"a": 1, "a": 2}"#, &JsonPath::default().key("a")), (1, 15));
    }
}
