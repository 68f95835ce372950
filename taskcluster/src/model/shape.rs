//! How generated types present themselves to the rest of the model: traits, static descriptions, and the two ways to access
//! a field.

use std::fmt;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::free_form::FreeForm;
use super::number::Number;

/// A value that can be filled and seen, whatever its type.
pub trait Access {
    /// The place to be filled.
    fn slot(&mut self) -> Slot<'_>;

    /// The value.
    fn view(&self) -> View<'_>;
}

/// A type that can be a field: the generated types, and the types that their fields consist of.
pub trait Field: Access + 'static {
    /// Whether the type is read from the text of a JSON value, rather than from its parts.
    const FROM_TEXT: bool = false;

    /// Whether `null` is a value of the type, which its blank value then is.
    const HOLDS_NULL: bool = false;

    /// A value to be filled. Users never see it.
    fn blank() -> Self
    where
        Self: Sized;
}

/// A generated struct.
pub trait Record {
    /// The names and properties of its fields.
    fn shape(&self) -> &'static Shape;

    /// The field with this index in the shape.
    fn field(&self, index: usize) -> Option<&dyn Access>;

    /// The field with this index in the shape, to be filled.
    fn field_mut(&mut self, index: usize) -> Option<&mut dyn Access>;
}

impl dyn Record + '_ {
    /// The view of the field with this index in the shape.
    pub(crate) fn view_of(&self, index: usize) -> View<'_> {
        self.field(index).map_or(View::Nothing, Access::view)
    }

    /// The slot of the field with this index in the shape.
    pub(crate) fn slot_of(&mut self, index: usize) -> Slot<'_> {
        self.field_mut(index).map_or(Slot::Nothing, Access::slot)
    }
}

/// A generated enum of strings.
pub trait Choice: fmt::Debug {
    /// The string.
    fn text(&self) -> &str;

    /// Becomes the variant for this string. An unknown string is kept as it is.
    fn choose(&mut self, text: &str);

    /// All strings of the schema.
    fn texts(&self) -> &'static [&'static str];
}

/// The index of a text among others; their number if it is none of them.
#[must_use]
pub fn position(texts: &[&str], text: &str) -> usize {
    texts.iter().position(|known| *known == text).unwrap_or(texts.len())
}

/// A list of fields of one type.
pub trait List {
    /// The number of items.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// An item; nothing if the index is past the end.
    fn view_of(&self, index: usize) -> View<'_>;

    /// Adds an item, to be filled.
    fn push(&mut self) -> Slot<'_>;

    /// Removes all items.
    fn clear(&mut self);
}

/// Fields of one type by name.
pub trait Map {
    /// The number of entries.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Calls `each` with every entry until it returns `false`.
    fn all(&self, each: &mut dyn FnMut(&str, View<'_>) -> bool) -> bool;

    /// The value of a key.
    fn get(&self, key: &str) -> Option<View<'_>>;

    /// Adds an entry, to be filled. It replaces one with the same key.
    fn insert(&mut self, key: String) -> Slot<'_>;

    /// Removes all entries.
    fn clear(&mut self);
}

/// A field that may be missing.
pub trait Optional {
    /// Makes the value present, to be filled.
    fn fill(&mut self) -> Slot<'_>;

    /// Makes the value missing.
    fn clear(&mut self);

    /// Makes the value `null`, or missing if the type does not tell these apart.
    fn set_null(&mut self);
}

/// A generated enum of records.
pub trait Union {
    /// How to distinguish its branches.
    fn shape(&self) -> &'static UnionShape;

    /// Becomes a branch, to be filled. An index past the last branch stands for an unknown form, kept as [`FreeForm`].
    fn choose(&mut self, branch: usize) -> Slot<'_>;

    /// The index of its branch, and the content. For an unknown form, the index is past the last branch.
    fn chosen(&self) -> (usize, View<'_>);
}

/// A place to be filled.
pub enum Slot<'a> {
    /// Text.
    Text(&'a mut String),
    /// An integer.
    Integer(&'a mut i64),
    /// An integer that may be larger than any `i64`.
    Unsigned(&'a mut u64),
    /// A number.
    Number(&'a mut Number),
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
    /// An integer that may be larger than any `i64`.
    Unsigned(u64),
    /// A number.
    Number(&'a Number),
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
    /// A payload with constraints that are not those of its type.
    Ruled(&'a Ruled<'a>),
}

/// A payload of a type that has no schema of its own, such as a list, and the constraints of its schema.
pub struct Ruled<'a> {
    /// The payload.
    pub view: View<'a>,
    /// What its schema requires.
    pub rules: &'static [Rule],
}

impl fmt::Debug for Slot<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot").finish_non_exhaustive()
    }
}

/// Describes the fields of a record.
#[derive(Debug)]
pub struct Shape {
    /// The Rust name of the struct.
    pub name: &'static str,
    /// The fields. If other properties are kept, there is one more field for them, not listed here.
    pub fields: &'static [FieldShape],
    /// What to do about other properties.
    pub others: Others,
    /// What its schema requires of the whole.
    pub rules: &'static [Rule],
}

/// What to do about properties without a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Others {
    /// They are ignored.
    Ignored,
    /// They are kept, and written again.
    Kept,
    /// The service refuses them. They are ignored only in what it has sent itself.
    Refused,
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

/// How to distinguish the branches of a union.
#[derive(Debug)]
pub struct UnionShape {
    /// The property whose value names the branch, if there is one.
    pub tag: Tag,
    /// The branches, in the order of the enum.
    pub branches: &'static [Branch],
    /// Whether it may be something else than an object.
    pub is_open: bool,
    /// What its schema requires of the whole.
    pub rules: &'static [Rule],
}

/// The property whose value names the branch of a union.
#[derive(Clone, Copy, Debug)]
pub enum Tag {
    /// There is none.
    None,
    /// Its values are strings.
    Text(&'static str),
    /// Its values are of any type. Branches have them as JSON.
    Json(&'static str),
}

/// One of the records that a union can be.
#[derive(Debug)]
pub struct Branch {
    /// The values of the tag that mean this branch.
    pub tags: &'static [&'static str],
    /// The properties that it must have.
    pub required: &'static [&'static str],
    /// Whether the tag is written by the union, rather than by a field of the record.
    pub leaves_tag_out: bool,
}

/// A constraint of a JSON schema.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rule {
    /// A string that matches this regular expression.
    Pattern(&'static str),
    /// A string that matches this regular expression of ECMA-262: as it is written, and as the engine reads it.
    Translated(&'static str, &'static str),
    /// A string that does not match the second, which is a part of the first.
    NoMatch(&'static str, &'static str),
    /// A string of at least this many characters.
    MinLength(usize),
    /// A string of at most this many characters.
    MaxLength(usize),
    /// A string of this format.
    Format(Format),
    /// A number of at least this.
    Minimum(f64),
    /// A number of at most this.
    Maximum(f64),
    /// A number above this.
    Above(f64),
    /// A number below this.
    Below(f64),
    /// A multiple of this number.
    MultipleOf(f64),
    /// At least this many items.
    MinItems(usize),
    /// At most this many items.
    MaxItems(usize),
    /// No duplicate items.
    UniqueItems,
    /// At least this many properties.
    MinProperties(usize),
    /// At most this many properties.
    MaxProperties(usize),
    /// JSON of one of these types.
    Types(&'static [&'static str]),
    /// One of these values, in JSON.
    OneOf(&'static [&'static str]),
    /// Each item of a list, or each value of a map, meets these.
    Each(&'static [Self]),
    /// Each key of a map meets these.
    Keys(&'static [Self]),
    /// All constraints of at least one of these groups are met.
    AnyOf(&'static [&'static [Self]]),
    /// All constraints of exactly one of these groups are met.
    ExactlyOneOf(&'static [&'static [Self]]),
    /// A value that fits this schema. Checked only with the feature `validation`.
    Whole(&'static str),
}

/// The known formats of strings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// An absolute URI.
    Uri,
    /// An IPv4 address.
    Ipv4,
    /// An IPv6 address.
    Ipv6,
    /// An e-mail address.
    Email,
    /// The name of a host.
    Hostname,
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
