//! Which branch of a union a JSON value is: by a tag, or by the required properties.

use std::fmt;

use serde_core::Deserializer as _;
use serde_core::de::{IgnoredAny, MapAccess, Visitor};

use super::free_form::FreeForm;
use super::shape::{Branch, UnionShape};

impl UnionShape {
    /// The tag to write in addition to the fields of a branch.
    pub(super) fn tag_of(&self, branch: usize) -> Option<(&'static str, &'static str)> {
        match (self.tag, self.branches.get(branch)?.tags) {
            (Some(tag), [only]) => Some((tag, only)),
            _ => None,
        }
    }

    /// The index of the branch that a JSON value has; past the last one if it has none of them.
    ///
    /// The tag decides. If several branches remain, or there is no tag, it is the branch with the most required properties,
    /// all of them present.
    ///
    /// # Errors
    ///
    /// Returns an error if the value cannot be any branch, not even an unknown one: it is not an object, or has two
    /// tags.
    pub(super) fn branch_of(&self, json: &str) -> Result<usize, String> {
        if !json.trim_start().starts_with('{') {
            return Err(format!("expected an object, found {}", form_of(json)));
        }
        let none = self.branches.len();
        let mut reader = serde_json::Deserializer::from_str(json);
        let Ok(outline) = (&mut reader).deserialize_map(OutlineVisitor(self.tag)) else {
            return Ok(none);
        };
        if let Some(tag) = self.tag
            && outline.keys.iter().filter(|key| *key == tag).count() > 1
        {
            return Err(format!("`{tag}` appears twice"));
        }
        let by_tag = |branch: &Branch| match &outline.tag {
            Some(tag) => branch.tags.contains(&tag.as_str()),
            None => self.tag.is_none(),
        };
        let is_there = |key: &&str| outline.keys.iter().any(|there| there == key);
        let candidates = || self.branches.iter().enumerate().filter(|(_, branch)| by_tag(branch));
        // If the tag names exactly one branch, it is that one, whatever is missing: that gives the better error.
        if self.tag.is_some() && candidates().count() == 1 {
            return Ok(candidates().next().map_or(none, |(index, _)| index));
        }
        let best = candidates()
            .filter(|(_, branch)| branch.required.iter().all(is_there))
            // Of equals, the first.
            .min_by_key(|(_, branch)| usize::MAX - branch.required.len());
        Ok(best.map_or(none, |(index, _)| index))
    }
}

/// What a JSON text is.
pub(super) fn form_of(json: &str) -> &'static str {
    match json.trim_start().as_bytes() {
        [b'{', ..] => "an object",
        [b'[', ..] => "a list",
        [b'"', ..] => "text",
        [b'n', ..] => "null",
        [b't' | b'f', ..] => "true or false",
        _ => "a number",
    }
}

/// The parts of a value that distinguish branches.
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
                outline.tag = serde_json::from_str(map.next_value::<FreeForm>()?.text()).ok();
            } else {
                map.next_value::<IgnoredAny>()?;
            }
            outline.keys.push(key);
        }
        Ok(outline)
    }
}
