//! Noting one property of an object while a type is decoded from it that may have no field for it.

use std::fmt;

use serde_core::de::value::UnitDeserializer;
use serde_core::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error as _, IntoDeserializer as _, MapAccess,
    Visitor,
};
use serde_core::forward_to_deserialize_any;
use serde_json::Value;

/// The value of the property, if it has one that is not `null`. `None` if the properties were not read one by one.
pub(super) type Noted = Option<Option<String>>;

/// Decodes a type, and notes the text that is the value of this property.
pub(super) fn decode_noting<T: DeserializeOwned>(
    json: &str,
    property: &str,
) -> serde_json::Result<(T, Noted)> {
    if !json.trim_start().starts_with('{') {
        return Ok((serde_json::from_str(json)?, None));
    }
    let mut noted = None;
    let mut inner = serde_json::Deserializer::from_str(json);
    let value = T::deserialize(Noting { inner: &mut inner, property, noted: &mut noted })?;
    inner.end()?;
    Ok((value, noted))
}

/// A deserializer, visitor, or map of an object, and what is noted about it.
struct Noting<'a, I> {
    inner: I,
    property: &'a str,
    noted: &'a mut Noted,
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Noting<'_, D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        let Self { inner, property, noted } = self;
        inner.deserialize_any(Noting { inner: visitor, property, noted })
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_option(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.inner.deserialize_newtype_struct(name, visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.inner.deserialize_enum(name, variants, visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

/// Visits nothing but objects.
impl<'de, V: Visitor<'de>> Visitor<'de> for Noting<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(f)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        let Self { inner, property, noted } = self;
        *noted = Some(None);
        inner.visit_map(Properties { map, property, noted, is_next: false })
    }
}

struct Properties<'a, A> {
    map: A,
    property: &'a str,
    noted: &'a mut Noted,
    /// Whether the next value is that of the property.
    is_next: bool,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Properties<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        let Some(key) = self.map.next_key::<String>()? else { return Ok(None) };
        self.is_next = key == self.property;
        seed.deserialize(key.into_deserializer()).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        if !self.is_next {
            return self.map.next_value_seed(seed);
        }
        let text = next_text(&mut self.map, self.property)?;
        *self.noted = Some(text.clone());
        match text {
            Some(text) => seed.deserialize(text.into_deserializer()),
            None => seed.deserialize(UnitDeserializer::new()),
        }
    }
}

/// Reads the value of this property, which is text or `null`.
pub(super) fn next_text<'de, A: MapAccess<'de>>(
    map: &mut A,
    property: &str,
) -> Result<Option<String>, A::Error> {
    match map.next_value()? {
        Value::String(text) => Ok(Some(text)),
        Value::Null => Ok(None),
        _ => Err(A::Error::custom(format_args!("{property}: expected text"))),
    }
}
