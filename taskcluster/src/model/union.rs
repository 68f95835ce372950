//! Which branches of a union a JSON value can be: by a tag, and by the properties that it has.

use std::fmt;

use serde_core::de::{IgnoredAny, MapAccess, Visitor};
use serde_core::{Deserializer as _, Serialize, Serializer};
use serde_json::Value;

use super::free_form::FreeForm;
use super::shape::{Branch, Slot, Tag, Union, UnionShape};

/// The value of a tag.
#[derive(Clone, Copy)]
pub(super) enum TagValue {
    Text(&'static str),
    Json(&'static str),
}

impl Serialize for TagValue {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => to.serialize_str(text),
            Self::Json(json) => parsed(json).serialize(to),
        }
    }
}

/// A value that an expansion has as JSON.
pub(super) fn parsed(json: &str) -> Value {
    serde_json::from_str(json).unwrap_or_default()
}

/// Whether two values are the same JSON, however their numbers are written.
pub(super) fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            one == other || one.as_f64() == other.as_f64()
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len()
                && one.iter().zip(other).all(|(one, other)| is_same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .all(|(key, one)| other.get(key).is_some_and(|other| is_same(one, other)))
        }
        (one, other) => one == other,
    }
}

impl UnionShape {
    fn tag(&self) -> Option<&'static str> {
        match self.tag {
            Tag::None => None,
            Tag::Text(tag) | Tag::Json(tag) => Some(tag),
        }
    }

    /// The tag to write in addition to the fields of a branch.
    pub(super) fn tag_of(&self, branch: usize) -> Option<(&'static str, TagValue)> {
        let branch = self.branches.get(branch).filter(|branch| branch.leaves_tag_out)?;
        match (self.tag, branch.tags) {
            (Tag::Text(tag), [only]) => Some((tag, TagValue::Text(only))),
            (Tag::Json(tag), [only]) => Some((tag, TagValue::Json(only))),
            _ => None,
        }
    }

    fn has_tag(&self, branch: &Branch, outline: &Outline) -> bool {
        let Some(tag) = self.tag() else { return true };
        match (&outline.tag, self.tag) {
            (None, _) => !branch.required.contains(&tag),
            (Some(Value::String(text)), Tag::Text(_)) => branch.tags.contains(&text.as_str()),
            (Some(_), Tag::Text(_)) => false,
            (Some(value), _) => branch.tags.iter().any(|tag| is_same(&parsed(tag), value)),
        }
    }
}

/// The branches that a JSON value can be, the likeliest first: those with its tag, and with all that they require. Of these,
/// the one that knows most of its properties, or else requires most, is the likeliest.
///
/// # Errors
///
/// Returns an error if the value cannot be any branch, not even an unknown one: it is not an object, or has two tags.
pub(super) fn candidates(union: &mut dyn Union, json: &str) -> Result<Vec<usize>, String> {
    let shape = union.shape();
    if !json.trim_start().starts_with('{') {
        return if shape.is_open {
            Ok(Vec::new())
        } else {
            Err(format!("expected an object, found {}", form_of(json)))
        };
    }
    let mut reader = serde_json::Deserializer::from_str(json);
    let Ok(outline) = (&mut reader).deserialize_map(OutlineVisitor(shape.tag())) else {
        return Ok(Vec::new());
    };
    let has = |name: &&str| outline.keys.iter().any(|key| key == name);
    if let Some(tag) = shape.tag()
        && outline.keys.iter().filter(|key| *key == tag).count() > 1
    {
        return Err(format!("`{tag}` appears twice"));
    }
    let branches = shape.branches.iter().enumerate();
    let mut able: Vec<_> = branches.filter(|(_, branch)| shape.has_tag(branch, &outline)).collect();
    // If the tag names exactly one branch, it is that one, whatever is missing: that gives the better error.
    if outline.tag.is_none() || able.len() > 1 {
        able.retain(|(_, branch)| branch.required.iter().all(has));
    }
    let mut able: Vec<_> = able.into_iter().map(|(index, _)| index).collect();
    if able.len() > 1 {
        able.sort_by_cached_key(|index| {
            let known = match union.choose(*index) {
                Slot::Record(record) => {
                    record.shape().fields.iter().filter(|field| has(&field.key)).count()
                }
                _ => 0,
            };
            usize::MAX - (known * 1024 + shape.branches[*index].required.len())
        });
    }
    Ok(able)
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
    tag: Option<Value>,
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
                // What cannot be parsed is no tag.
                let tag = map.next_value::<FreeForm>()?.to_value();
                outline.tag = Some(tag.unwrap_or_else(|_| Value::Array(Vec::new())));
            } else {
                map.next_value::<IgnoredAny>()?;
            }
            outline.keys.push(key);
        }
        Ok(outline)
    }
}
