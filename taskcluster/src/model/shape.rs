//! What generated types are made of, as the rest of the model sees them: traits, the facts behind them, and the two ways
//! into a field.

use std::fmt;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::free_form::FreeForm;

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

/// A generated enum of texts.
pub trait Choice: fmt::Debug {
    /// The text.
    fn text(&self) -> &str;

    /// Becomes what the text stands for; a text that is not known is kept.
    fn choose(&mut self, text: &str);
}

/// A list of fields of one type.
pub trait List {
    /// How many there are.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One of them; nothing beyond the end.
    fn view_of(&self, index: usize) -> View<'_>;

    /// One more, to be filled.
    fn push(&mut self) -> Slot<'_>;

    /// Removes all.
    fn clear(&mut self);
}

/// Fields of one type by name.
pub trait Map {
    /// How many there are.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Calls `each` with every one until that is `false`.
    fn all(&self, each: &mut dyn FnMut(&str, View<'_>) -> bool) -> bool;

    /// One of them.
    fn get(&self, key: &str) -> Option<View<'_>>;

    /// One more, to be filled; in place of the one that has the name.
    fn insert(&mut self, key: String) -> Slot<'_>;

    /// Removes all.
    fn clear(&mut self);
}

/// A field that may be missing.
pub trait Optional {
    /// Makes it be there, to be filled.
    fn fill(&mut self) -> Slot<'_>;

    /// Makes it be missing.
    fn clear(&mut self);
}

/// A generated enum of records.
pub trait Union {
    /// How its branches are told apart.
    fn shape(&self) -> &'static UnionShape;

    /// Becomes a branch, to be filled; or a [`Value`], for a form that is not known, beyond the last branch.
    fn choose(&mut self, branch: usize) -> Slot<'_>;

    /// The branch that it is, and what is in it; beyond the last one for a form that is not known.
    fn chosen(&self) -> (usize, View<'_>);
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

/// How the branches of a union are told apart.
#[derive(Debug)]
pub struct UnionShape {
    /// The property whose text tells.
    pub tag: Option<&'static str>,
    /// In the order of the enum.
    pub branches: &'static [Branch],
}

/// One of the records that a union can be.
#[derive(Debug)]
pub struct Branch {
    /// The texts of the tag that mean this branch. A single one is not a field of the record.
    pub tags: &'static [&'static str],
    /// The properties that it must have.
    pub required: &'static [&'static str],
}

/// One demand of a JSON schema.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rule {
    /// A text that this regular expression matches.
    Pattern(&'static str),
    /// A text of at least so many characters.
    MinLength(usize),
    /// A text of at most so many characters.
    MaxLength(usize),
    /// A text of a form.
    Format(Format),
    /// A number of at least this.
    Minimum(f64),
    /// A number of at most this.
    Maximum(f64),
    /// At least so many items.
    MinItems(usize),
    /// At most so many items.
    MaxItems(usize),
    /// No item is there twice.
    UniqueItems,
    /// Each item, or value of a map, is held against these.
    Each(&'static [Self]),
    /// At least one of these groups is kept.
    AnyOf(&'static [&'static [Self]]),
}

/// The forms of texts that are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// An absolute URI.
    Uri,
    /// An address of IPv4.
    Ipv4,
    /// An address of IPv6.
    Ipv6,
    /// An address of e-mail.
    Email,
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
