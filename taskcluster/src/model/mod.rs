//! The typed model: what generated payload types are to the code that reads, writes, compares, prints and checks them.
//!
//! A generated type does none of that by itself. A [`Record`] says by a static [`Shape`] what its fields are called, and
//! opens one by its index: as a [`Slot`], a place to be filled, or as a [`View`] of what is there. Everything else is
//! written here, once, over these two: [`mod@read`] fills slots from any serde format, [`mod@write`] writes views to any,
//! [`mod@whole`] clones, compares and prints records, [`mod@rules`] holds them against their schema. So a type costs the
//! compiler two small `match`es instead of a visitor of its own.

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

/// A type that a slot can be of: generated ones, and those that their fields are made of.
pub trait Field: 'static {
    /// Whether it is read from the text of the JSON value rather than from its parts.
    const FROM_TEXT: bool = false;

    /// A value to be filled; not one that a user ever sees.
    fn blank() -> Self
    where
        Self: Sized;

    /// The place to be filled.
    fn slot(&mut self) -> Slot<'_>;

    /// What is there.
    fn view(&self) -> View<'_>;
}

/// A generated struct.
pub trait Record {
    /// Its fields' names and what is known of them.
    fn shape(&self) -> &'static Shape;

    /// A field by its index in the shape.
    fn slot_of(&mut self, index: usize) -> Slot<'_>;

    /// A field by its index in the shape.
    fn view_of(&self, index: usize) -> View<'_>;
}

/// What is known of a record's fields.
#[derive(Debug)]
pub struct Shape {
    /// The Rust name of the struct.
    pub name: &'static str,
    /// The fields. Where the record is open, one more field, which is not listed here, takes what they do not.
    pub fields: &'static [FieldShape],
    /// Whether properties without a field are kept.
    pub open: bool,
}

/// What is known of a field.
#[derive(Debug)]
pub struct FieldShape {
    /// The name on the wire.
    pub key: &'static str,
    /// The name in Rust.
    pub name: &'static str,
    /// How much it is there.
    pub presence: Presence,
    /// Whether it is hidden from `Debug`.
    pub secret: bool,
    /// What its schema demands beside its type.
    pub rules: &'static [Rule],
}

/// How much a field is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It may be missing, and then is not written.
    Optional,
    /// It may be `null`, and is written as that.
    Nullable,
    /// It has a value.
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
    /// A truth value.
    Bool(&'a mut bool),
    /// A date.
    Date(&'a mut DateTime<Utc>),
    /// One of several texts.
    Choice(&'a mut dyn Choice),
    /// A record.
    Record(&'a mut dyn Record),
    /// A list.
    List(&'a mut dyn List),
    /// A map with text as keys.
    Map(&'a mut dyn Map),
    /// One of several records.
    Union(&'a mut dyn Union),
    /// JSON of any form.
    FreeForm(&'a mut FreeForm),
    /// A tree of JSON.
    Value(&'a mut Value),
    /// Nothing that can be filled.
    Nothing,
    /// Something that may be missing; with [`Field::FROM_TEXT`] of what it is.
    Optional(&'a mut dyn Optional, bool),
}

/// What is in a field.
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
    /// A truth value.
    Bool(bool),
    /// A date.
    Date(DateTime<Utc>),
    /// One of several texts.
    Choice(&'a dyn Choice),
    /// A record.
    Record(&'a dyn Record),
    /// A list.
    List(&'a dyn List),
    /// A map with text as keys.
    Map(&'a dyn Map),
    /// One of several records.
    Union(&'a dyn Union),
    /// JSON of any form.
    FreeForm(&'a FreeForm),
    /// A tree of JSON.
    Value(&'a Value),
}

impl fmt::Debug for Slot<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot").finish_non_exhaustive()
    }
}

/// A field that has a value.
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
    /// The same, hidden from `Debug`.
    #[must_use]
    pub const fn hidden(mut self) -> Self {
        self.secret = true;
        self
    }
}

/// The impls that all generated structs have: everything by way of their [`Record`].
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

/// The impls that all generated enums of texts have.
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

/// The impls that all generated enums of records have.
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

/// What makes a generated type one that a slot can be of.
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

/// Both traits of serde.
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
