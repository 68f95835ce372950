//! The typed model: how generated payload types are read, written, compared, printed and validated.
//!
//! A generated type does none of this itself. A [`Record`] describes its fields in a static [`Shape`] and gives access to
//! each of them by index: as a [`Slot`], a place to fill, or as a [`View`] of its value. Everything else is written here,
//! once, in terms of these two: [`mod@read`] fills slots from any serde format, [`mod@write`] writes views to any serde
//! format, [`mod@whole`] clones, compares and prints records, [`mod@rules`] validates them against their schema. So a type
//! costs the compiler two small `match`es instead of its own visitor.

mod field;
mod free_form;
mod read;
mod rules;
mod union;
mod whole;
mod write;

use std::fmt;

use chrono::{DateTime, Utc};
use serde_json::Value;

pub use field::{Choice, List, Map, Optional, blank};
pub use free_form::FreeForm;
pub use read::read;
pub(crate) use rules::wrong_arguments;
pub use rules::{Format, Rule, validate};
pub use union::{Branch, Union, UnionShape};
pub use whole::{clone, debug, debug_union, same};
pub(crate) use write::to_json;
pub use write::write;

/// A type that can be a field: the generated types, and the types that their fields consist of.
pub trait Field: 'static {
    /// Whether the type is read from the text of a JSON value, rather than from its parts.
    const FROM_TEXT: bool = false;

    /// A value to be filled. Users never see it.
    fn blank() -> Self
    where
        Self: Sized;

    /// The place to be filled.
    fn slot(&mut self) -> Slot<'_>;

    /// The value.
    fn view(&self) -> View<'_>;
}

/// A generated struct.
pub trait Record {
    /// The names and properties of its fields.
    fn shape(&self) -> &'static Shape;

    /// The slot of the field with this index in the shape.
    fn slot_of(&mut self, index: usize) -> Slot<'_>;

    /// The view of the field with this index in the shape.
    fn view_of(&self, index: usize) -> View<'_>;
}

/// Describes the fields of a record.
#[derive(Debug)]
pub struct Shape {
    /// The Rust name of the struct.
    pub name: &'static str,
    /// The fields. An open record has one more, not listed here, for all properties without a field.
    pub fields: &'static [FieldShape],
    /// Whether properties without a field are kept.
    pub open: bool,
}

/// Describes a field.
#[derive(Debug)]
pub struct FieldShape {
    /// The name on the wire.
    pub key: &'static str,
    /// The name in Rust.
    pub name: &'static str,
    /// Whether it may be missing or `null`.
    pub presence: Presence,
    /// Whether it is hidden from `Debug`.
    pub secret: bool,
    /// What its schema requires besides the type.
    pub rules: &'static [Rule],
}

/// Whether a field may be missing or `null`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It may be missing, and is then not written.
    Optional,
    /// It may be `null`, and is then written as `null`.
    Nullable,
    /// It always has a value.
    Required,
}

/// A place to be filled.
pub enum Slot<'a> {
    /// Text.
    Text(&'a mut String),
    /// An integer.
    Integer(&'a mut i64),
    /// A number.
    Number(&'a mut f64),
    /// A boolean.
    Bool(&'a mut bool),
    /// A date.
    Date(&'a mut DateTime<Utc>),
    /// One of several strings.
    Choice(&'a mut dyn Choice),
    /// A record.
    Record(&'a mut dyn Record),
    /// A list.
    List(&'a mut dyn List),
    /// A map with string keys.
    Map(&'a mut dyn Map),
    /// One of several records.
    Union(&'a mut dyn Union),
    /// JSON of any form.
    FreeForm(&'a mut FreeForm),
    /// Decoded JSON.
    Value(&'a mut Value),
    /// Nothing that can be filled.
    Nothing,
    /// Something that may be missing, with the [`Field::FROM_TEXT`] of its type.
    Optional(&'a mut dyn Optional, bool),
}

/// The value of a field.
#[derive(Clone, Copy)]
pub enum View<'a> {
    /// Nothing.
    Nothing,
    /// Text.
    Text(&'a str),
    /// An integer.
    Integer(i64),
    /// A number.
    Number(f64),
    /// A boolean.
    Bool(bool),
    /// A date.
    Date(DateTime<Utc>),
    /// One of several strings.
    Choice(&'a dyn Choice),
    /// A record.
    Record(&'a dyn Record),
    /// A list.
    List(&'a dyn List),
    /// A map with string keys.
    Map(&'a dyn Map),
    /// One of several records.
    Union(&'a dyn Union),
    /// JSON of any form.
    FreeForm(&'a FreeForm),
    /// Decoded JSON.
    Value(&'a Value),
}

impl fmt::Debug for Slot<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot").finish_non_exhaustive()
    }
}

/// A field that always has a value.
#[must_use]
pub const fn required(key: &'static str, name: &'static str, rules: &'static [Rule]) -> FieldShape {
    FieldShape { key, name, presence: Presence::Required, secret: false, rules }
}

/// A field that may be missing.
#[must_use]
pub const fn optional(key: &'static str, name: &'static str, rules: &'static [Rule]) -> FieldShape {
    FieldShape { key, name, presence: Presence::Optional, secret: false, rules }
}

/// A field that may be `null`.
#[must_use]
pub const fn nullable(key: &'static str, name: &'static str, rules: &'static [Rule]) -> FieldShape {
    FieldShape { key, name, presence: Presence::Nullable, secret: false, rules }
}

impl FieldShape {
    /// The same field, hidden from `Debug`.
    #[must_use]
    pub const fn hidden(mut self) -> Self {
        self.secret = true;
        self
    }
}

/// The impls of all generated structs, based on their [`Record`].
#[doc(hidden)]
#[macro_export]
macro_rules! __record {
    ($($name:ident)*) => {$(
        $crate::__serde!($name);

        impl ::core::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                $crate::__private::debug(self, f)
            }
        }

        impl ::core::clone::Clone for $name {
            fn clone(&self) -> Self {
                $crate::__private::clone(self)
            }
        }

        impl ::core::cmp::PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                $crate::__private::same(self, other)
            }
        }
    )*};
}

/// The impls of all generated enums of strings.
#[doc(hidden)]
#[macro_export]
macro_rules! __choice {
    ($($name:ident)*) => {$(
        $crate::__field!($name, false, Choice, Self::Unknown(::std::string::String::new()));
        $crate::__serde!($name);

        impl $crate::__private::Choice for $name {
            fn text(&self) -> &str {
                self.as_str()
            }

            fn choose(&mut self, text: &str) {
                *self = text.into();
            }
        }

        impl ::core::fmt::Display for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.pad(self.as_str())
            }
        }
    )*};
}

/// The impls of all generated enums of records.
#[doc(hidden)]
#[macro_export]
macro_rules! __union {
    ($($name:ident)*) => {$(
        $crate::__field!($name, true, Union, Self::Unknown($crate::Value::Null));
        $crate::__serde!($name);

        impl ::core::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                $crate::__private::debug_union(self, f)
            }
        }
    )*};
}

/// Implements [`Field`] for a generated type.
#[doc(hidden)]
#[macro_export]
macro_rules! __field {
    ($name:ident, $from_text:literal, $kind:ident, $blank:expr) => {
        impl $crate::__private::Field for $name {
            const FROM_TEXT: bool = $from_text;

            fn blank() -> Self {
                $blank
            }

            fn slot(&mut self) -> $crate::__private::Slot<'_> {
                $crate::__private::Slot::$kind(self)
            }

            fn view(&self) -> $crate::__private::View<'_> {
                $crate::__private::View::$kind(self)
            }
        }
    };
}

/// Implements both traits of serde.
#[doc(hidden)]
#[macro_export]
macro_rules! __serde {
    ($name:ident) => {
        impl $crate::__private::Serialize for $name {
            fn serialize<S: $crate::__private::Serializer>(
                &self,
                to: S,
            ) -> ::core::result::Result<S::Ok, S::Error> {
                $crate::__private::write($crate::__private::Field::view(self), to)
            }
        }

        impl<'de> $crate::__private::Deserialize<'de> for $name {
            fn deserialize<D: $crate::__private::Deserializer<'de>>(
                from: D,
            ) -> ::core::result::Result<Self, D::Error> {
                $crate::__private::read(from)
            }
        }
    };
}
