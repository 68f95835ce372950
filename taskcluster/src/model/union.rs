//! Telling the branches of a union apart: by a text, or by what they require.

use std::fmt;

use serde_core::Deserializer as _;
use serde_core::de::{IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use super::shape::{Branch, UnionShape};

impl UnionShape {
    /// What is written beside the fields of a branch.
    pub(super) fn tag_of(&self, branch: usize) -> Option<(&'static str, &'static str)> {
        match (self.tag, self.branches.get(branch)?.tags) {
            (Some(tag), [only]) => Some((tag, only)),
            _ => None,
        }
    }

    /// The branch that a JSON value is; beyond the last one if it is none of them.
    ///
    /// The tag decides. Where it leaves several branches, or there is none, it is the branch that requires the most of what
    /// is there.
    ///
    /// # Errors
    ///
    /// What is wrong if it cannot be any branch, not even one that is not known: it is no object, or has two tags.
    pub(super) fn branch_of(&self, json: &str) -> Result<usize, String> {
        let found = match json.trim_start().as_bytes() {
            [b'{', ..] => None,
            [b'[', ..] => Some("a list"),
            [b'"', ..] => Some("text"),
            [b'n', ..] => Some("null"),
            [b't' | b'f', ..] => Some("true or false"),
            _ => Some("a number"),
        };
        if let Some(found) = found {
            return Err(format!("expected an object, found {found}"));
        }
        let none = self.branches.len();
        let mut reader = serde_json::Deserializer::from_str(json);
        let Ok(outline) = (&mut reader).deserialize_map(OutlineVisitor(self.tag)) else {
            return Ok(none);
        };
        if let Some(tag) = self.tag
            && outline.keys.iter().filter(|key| *key == tag).count() > 1
        {
            return Err(format!("`{tag}` stands there twice"));
        }
        let by_tag = |branch: &Branch| match &outline.tag {
            Some(tag) => branch.tags.contains(&tag.as_str()),
            None => self.tag.is_none(),
        };
        let is_there = |key: &&str| outline.keys.iter().any(|there| there == key);
        let candidates = || self.branches.iter().enumerate().filter(|(_, branch)| by_tag(branch));
        // A branch that the tag alone names is this one, whatever it lacks: that makes the better error.
        if self.tag.is_some() && candidates().count() == 1 {
            return Ok(candidates().next().map_or(none, |(index, _)| index));
        }
        let best = candidates()
            .filter(|(_, branch)| branch.required.iter().all(is_there))
            // Of equals the first.
            .min_by_key(|(_, branch)| usize::MAX - branch.required.len());
        Ok(best.map_or(none, |(index, _)| index))
    }
}

/// What tells the branches apart.
struct Outline {
    tag: Option<String>,
    keys: Vec<String>,
}

struct OutlineVisitor(Option<&'static str>);

impl<'de> Visitor<'de> for OutlineVisitor {
    type Value = Outline;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Outline, A::Error> {
        let mut outline = Outline { tag: None, keys: Vec::new() };
        while let Some(key) = map.next_key::<String>()? {
            if Some(key.as_str()) == self.0 {
                outline.tag = map.next_value::<Value>()?.as_str().map(str::to_owned);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
            outline.keys.push(key);
        }
        Ok(outline)
    }
}
