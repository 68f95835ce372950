//! The fields that the keys of an object belong to.

use std::fmt;

use serde_core::de::{DeserializeSeed, Deserializer, Error, Visitor};

use super::shape::{FieldShape, Shape};

pub(super) enum Key {
    Field(usize),
    /// A property without a field, to be kept or refused.
    Other(String),
    /// The tag of a union, which is not a field.
    Tag,
    Unknown,
}

/// Finds the field of a key.
pub(super) struct KeyReader {
    pub(super) shape: &'static Shape,
    /// The index of the field to try first.
    pub(super) likely: usize,
    /// Whether properties without a field matter.
    pub(super) keeps: bool,
    pub(super) tag: Option<&'static str>,
}

impl<'de> DeserializeSeed<'de> for KeyReader {
    type Value = Key;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Key, D::Error> {
        from.deserialize_identifier(self)
    }
}

impl Visitor<'_> for KeyReader {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Key, E> {
        let fields = self.shape.fields;
        let index = match fields.get(self.likely) {
            Some(field) if field.key == key => Some(self.likely),
            _ => fields.iter().position(|field| field.key == key),
        };
        Ok(match index {
            Some(index) => Key::Field(index),
            None if self.tag == Some(key) => Key::Tag,
            None if self.keeps => Key::Other(key.to_owned()),
            None => Key::Unknown,
        })
    }
}

/// Which field followed which, since services write the keys of all records of a type in the same order. Fields that are far from
/// each other in memory share places in this table, so what it tells is a guess.
pub(super) struct Order([u8; 256]);

impl Default for Order {
    fn default() -> Self {
        Self([0; 256])
    }
}

impl Order {
    /// The index of the field that is likely to follow another. The number of fields stands for the start of a record.
    pub(super) fn after(&self, shape: &Shape, previous: usize) -> usize {
        self.0[place(shape, previous)].into()
    }

    /// Remembers which field followed another.
    pub(super) fn note(&mut self, shape: &Shape, previous: usize, index: usize) {
        self.0[place(shape, previous)] = u8::try_from(index).unwrap_or_default();
    }
}

/// The place of a field in an order.
fn place(shape: &Shape, index: usize) -> usize {
    (shape.fields.as_ptr().addr() / size_of::<FieldShape>() + index) % 256
}
