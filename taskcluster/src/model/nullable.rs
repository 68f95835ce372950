//! A value that may be left out or `null`, which are not the same.

use serde_core::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::shape::{Access, Field, Optional, Slot, View};

/// A property that may be left out, `null`, or a value.
///
/// Fields have this type if their schema makes a property optional and also allows `null`. To a service these are different
/// requests: it leaves a property alone if it is absent, and clears it if it is `null`. All other fields that may lack a
/// value are an [`Option`].
///
/// ```
/// use taskcluster::Nullable;
///
/// let mut until = Nullable::default();
/// assert!(until.is_absent());
/// until = "2030-01-01".into();
/// assert_eq!(until.value(), Some(&"2030-01-01"));
/// until = Nullable::Null;
/// assert_eq!(until.value(), None);
/// ```
///
/// In a struct of your own, leave it out with
/// `#[serde(default, skip_serializing_if = "Nullable::is_absent")]`; an absent value is written as `null` otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Nullable<T> {
    /// Left out.
    #[default]
    Absent,
    /// `null`.
    Null,
    /// A value.
    Value(T),
}

impl<T> Nullable<T> {
    /// Sets the value.
    ///
    /// ```
    /// let mut name = taskcluster::Nullable::<String>::Null;
    /// name.set("build");
    /// assert_eq!(name, taskcluster::Nullable::Value("build".to_owned()));
    /// ```
    pub fn set(&mut self, value: impl Into<T>) {
        *self = Self::Value(value.into());
    }

    /// Whether it is left out.
    #[must_use]
    pub const fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// Whether it is `null`.
    #[must_use]
    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Returns the value, if there is one.
    #[must_use]
    pub const fn value(&self) -> Option<&T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Null => None,
        }
    }

    /// Returns the value, if there is one, and gives up the difference between absent and `null`.
    #[must_use]
    pub fn into_value(self) -> Option<T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Null => None,
        }
    }

    /// Borrows the value.
    #[must_use]
    pub const fn as_ref(&self) -> Nullable<&T> {
        match self {
            Self::Absent => Nullable::Absent,
            Self::Null => Nullable::Null,
            Self::Value(value) => Nullable::Value(value),
        }
    }
}

impl<T> From<T> for Nullable<T> {
    fn from(value: T) -> Self {
        Self::Value(value)
    }
}

/// `None` is [`Absent`](Nullable::Absent), as everywhere else in a payload.
impl<T> From<Option<T>> for Nullable<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Absent, Self::Value)
    }
}

impl<T: Serialize> Serialize for Nullable<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.value().serialize(to)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Nullable<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(from)?.map_or(Self::Null, Self::Value))
    }
}

impl<T: Field> Field for Nullable<T> {
    const FROM_TEXT: bool = T::FROM_TEXT;

    fn blank() -> Self {
        Self::Absent
    }
}

impl<T: Field> Access for Nullable<T> {
    fn slot(&mut self) -> Slot<'_> {
        Slot::Optional(self, T::FROM_TEXT)
    }

    fn view(&self) -> View<'_> {
        match self {
            Self::Absent => View::Nothing,
            Self::Null => View::Value(&Value::Null),
            Self::Value(value) => value.view(),
        }
    }
}

impl<T: Field> Optional for Nullable<T> {
    fn fill(&mut self) -> Slot<'_> {
        *self = Self::Value(T::blank());
        match self {
            Self::Value(value) => value.slot(),
            Self::Absent | Self::Null => Slot::Nothing,
        }
    }

    fn clear(&mut self) {
        *self = Self::Absent;
    }

    fn set_null(&mut self) {
        *self = Self::Null;
    }
}
