//! JSON whose form the schema leaves open, kept as text until it is decoded.

use std::fmt;

use serde_core::de::{DeserializeOwned, Error as _, MapAccess, Visitor};
use serde_core::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use crate::error::{Error, Result, without_values};

/// JSON of any form: the payload of a task, the context of a hook.
///
/// It keeps the text exactly as received and decodes it on demand, since most programs never look at it. Create one from a
/// [`Value`], or from anything that implements `Serialize` with [`FreeForm::new`].
///
/// ```
/// use taskcluster::{FreeForm, json};
///
/// let payload = FreeForm::from(json!({"image": "rust", "maxRunTime": 3600}));
/// assert_eq!(payload.to_value()?["maxRunTime"], 3600);
/// let wrong = payload.decode::<Vec<String>>().unwrap_err();
/// assert!(wrong.to_string().contains("expected a sequence"));
/// # Ok::<(), taskcluster::Error>(())
/// ```
///
/// It may be `null`, so an `Option<FreeForm>` is `None` only if the property is absent.
///
/// Two free forms are equal if their values are equal; whitespace and the order of members do not matter. It serializes
/// as its raw text, which formats other than JSON do not understand. For those, serialize [`to_value`](Self::to_value)
/// instead.
#[derive(Clone, Default)]
pub struct FreeForm(
    /// `None` for `null`, since many values are `null` only until they are filled.
    Option<Box<RawValue>>,
);

impl FreeForm {
    /// Serializes a value to JSON.
    ///
    /// ```
    /// let payload = taskcluster::FreeForm::new(&["make", "check"])?;
    /// assert_eq!(payload.text(), r#"["make","check"]"#);
    /// # Ok::<(), taskcluster::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if the value cannot be serialized to JSON, such as a map whose keys are not strings.
    pub fn new(value: &(impl Serialize + ?Sized)) -> Result<Self> {
        match to_raw_value(value) {
            Ok(raw) => Ok(Self(Some(raw))),
            Err(error) => {
                Err(Error::input("the value cannot be serialized to JSON").because(error))
            }
        }
    }

    /// Wraps a text that is JSON already.
    ///
    /// # Errors
    ///
    /// Returns an error if the text is not JSON.
    pub fn from_text(text: impl Into<String>) -> Result<Self> {
        match RawValue::from_string(text.into()) {
            Ok(raw) => Ok(Self(Some(raw))),
            Err(error) => Err(Error::input("the text is not JSON").because(error)),
        }
    }

    /// Returns the JSON text.
    #[must_use]
    pub fn text(&self) -> &str {
        self.0.as_deref().unwrap_or(RawValue::NULL).get()
    }

    /// Decodes the JSON as a type of your choice.
    ///
    /// ```
    /// let payload = taskcluster::FreeForm::from_text(r#"{"command": ["make", "check"]}"#)?;
    /// let payload = payload.decode::<std::collections::HashMap<String, Vec<String>>>()?;
    /// assert_eq!(payload["command"], ["make", "check"]);
    /// # Ok::<(), taskcluster::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if the JSON does not have the form of this type.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_str(self.text()).map_err(|error| {
            let why = without_values(&error);
            Error::answer(format!("free-form JSON does not have the expected shape: {why}"))
        })
    }

    /// Decodes the JSON as a [`Value`].
    ///
    /// # Errors
    ///
    /// Returns an error if it is nested more than 128 levels deep, or contains a number that does not fit an `f64`.
    pub fn to_value(&self) -> Result<Value> {
        self.decode()
    }
}

/// What a program would have to do before it can take free-form JSON apart. Nothing implements this: it and what follows are
/// there for the compiler's message.
#[diagnostic::on_unimplemented(
    message = "free-form JSON is text until it is decoded",
    label = "decode it first",
    note = "`free_form.to_value()?` is a `Value`, which has members; `free_form.decode::<T>()?` is a type of yours"
)]
pub trait Decoded {
    #[doc(hidden)]
    fn part(self, of: &FreeForm) -> &Value;
}

#[doc(hidden)]
impl<I: Decoded> std::ops::Index<I> for FreeForm {
    type Output = Value;

    fn index(&self, index: I) -> &Value {
        index.part(self)
    }
}

#[doc(hidden)]
impl FreeForm {
    pub fn get<I: Decoded>(&self, index: I) -> Option<&Value> {
        Some(index.part(self))
    }
}

impl From<Value> for FreeForm {
    fn from(value: Value) -> Self {
        // The keys of a `Value` are strings, so it can always be serialized.
        Self(to_raw_value(&value).ok())
    }
}

impl PartialEq for FreeForm {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text()
            || matches!((self.to_value(), other.to_value()), (Ok(a), Ok(b)) if a == b)
    }
}

impl fmt::Debug for FreeForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl Serialize for FreeForm {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.0.as_deref().unwrap_or(RawValue::NULL).serialize(to)
    }
}

/// The name that asks `serde_json` for the text of a value. Other formats ignore it and return the value itself, which is
/// then written as JSON.
const RAW_VALUE: &str = "$serde_json::private::RawValue";

impl<'de> Deserialize<'de> for FreeForm {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_newtype_struct(RAW_VALUE, TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = FreeForm;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, from: D) -> Result<FreeForm, D::Error> {
        let value = Value::deserialize(from)?;
        to_raw_value(&value).map(|raw| FreeForm(Some(raw))).map_err(D::Error::custom)
    }

    /// The text, wrapped by `serde_json` in a map.
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<FreeForm, A::Error> {
        let map = serde_core::de::value::MapAccessDeserializer::new(map);
        let raw = Box::<RawValue>::deserialize(RawMap(map))?;
        Ok(FreeForm((raw.get() != "null").then_some(raw)))
    }
}

/// Passes a map to the visitor of `RawValue`, which expects a struct.
struct RawMap<M>(M);

impl<'de, M: Deserializer<'de>> Deserializer<'de> for RawMap<M> {
    type Error = M::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, M::Error> {
        self.0.deserialize_any(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, M::Error> {
        self.0.deserialize_any(visitor)
    }

    serde_core::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_text_stays_as_it_came() {
        let text = r#"{"b" : 1.0, "a":[ 12345678901234567890123 ]}"#;
        let kept: FreeForm = serde_json::from_str(text).unwrap();
        assert_eq!(kept.text(), text);
        assert_eq!(serde_json::to_string(&kept).unwrap(), text);
        assert_eq!(format!("{kept:?}"), text);
        let list: Vec<FreeForm> = serde_json::from_str("[null, 1]").unwrap();
        assert_eq!(list[0].text(), "null");
        assert_eq!(list[0], FreeForm::default());
    }

    #[test]
    fn trees_are_taken_too() {
        let kept: FreeForm = serde_json::from_value(json!({"a": [1]})).unwrap();
        assert_eq!(kept, FreeForm::from_text(r#"{ "a": [1] }"#).unwrap());
    }
}
