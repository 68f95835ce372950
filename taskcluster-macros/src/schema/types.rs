//! The types of payloads as plain data: between JSON schemas and Rust.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use serde_json::Value;

use crate::names::Name;

/// A place in a schema file. One place is one type, however many schemas refer to it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Place {
    /// The file, relative to the folder of the crate's Cargo.toml.
    pub(crate) path: String,
    /// A JSON pointer, empty for the whole file.
    pub(crate) pointer: String,
}

impl Place {
    /// A place within this one.
    pub(crate) fn inside(&self, steps: &[&str]) -> Self {
        let mut place = self.clone();
        for step in steps {
            place.pointer.push('/');
            place.pointer.push_str(&step.replace('~', "~0").replace('/', "~1"));
        }
        place
    }
}

pub(crate) type TypeId = usize;

/// How deeply schemas and types may nest. The compiler cannot lay out records in records in records beyond about 60, and the
/// macro would run out of stack at some hundreds.
pub(crate) const DEEPEST: usize = 48;

/// The types that items share.
#[derive(Default)]
pub(crate) struct Types {
    pub(crate) all: Vec<Type>,
    /// By place, and by the property that is left out because a union writes it.
    pub(crate) known: HashMap<(Place, Option<String>), TypeId>,
    /// By item, the first schema that is nested too deep.
    pub(crate) too_deep: BTreeMap<usize, Place>,
}

/// A future struct or enum.
pub(crate) struct Type {
    pub(crate) place: Place,
    /// The line of that place.
    pub(crate) line: Option<usize>,
    /// The name of its file as that of a type.
    pub(crate) file: String,
    /// The item whose module it belongs to.
    pub(crate) item: usize,
    pub(crate) name: String,
    pub(crate) description: String,
    /// Whether it is part of a payload that callers send.
    pub(crate) sent: bool,
    /// The equal type that replaces it.
    pub(crate) same_as: Option<TypeId>,
    /// For a branch of a union: the union, and the name of the variant.
    pub(crate) branch_of: Option<(TypeId, String)>,
    /// The answers that it can be made of.
    pub(crate) made_of: Vec<Source>,
    pub(crate) definition: Definition,
}

/// An answer that has all properties of a payload.
pub(crate) struct Source {
    pub(crate) answer: TypeId,
    /// The wire name of an endpoint that has it.
    pub(crate) endpoint: String,
}

pub(crate) enum Definition {
    Record(Record),
    Choice(Vec<Variant>),
    Union(Union),
}

/// The variant of an enum for the texts that no other has.
pub(crate) const UNKNOWN: &str = "Unknown";

/// One of the texts of an enum.
pub(crate) struct Variant {
    pub(crate) wire: String,
    pub(crate) rust: String,
    pub(crate) description: String,
}

#[derive(Default)]
pub(crate) struct Record {
    pub(crate) fields: Vec<Field>,
    /// The indices of the required fields, in the order in which a constructor takes them.
    pub(crate) required: Vec<usize>,
    pub(crate) others: Others,
    /// What the schema demands of the object as a whole.
    pub(crate) rules: Vec<Rule>,
}

/// What a schema says about properties that it does not list.
#[derive(Default)]
pub(crate) enum Others {
    /// There are none.
    #[default]
    Refused,
    /// Nothing, which allows them. If the type is sent, this field keeps them.
    Unmentioned(String),
    /// They are allowed. This field keeps them.
    Allowed(String),
}

impl Others {
    /// The name of the field that keeps other properties, if there is one.
    pub(crate) fn field(&self, sent: bool) -> Option<&str> {
        match self {
            Self::Allowed(field) => Some(field),
            Self::Unmentioned(field) if sent => Some(field),
            _ => None,
        }
    }
}

pub(crate) struct Field {
    pub(crate) name: Name,
    pub(crate) kind: Kind,
    pub(crate) required: bool,
    pub(crate) description: String,
    pub(crate) default: Option<String>,
    pub(crate) rules: Vec<Rule>,
}

impl Field {
    pub(crate) fn nullable(&self) -> bool {
        matches!(self.kind, Kind::Optional(_))
    }
}

/// The type of a field.
#[derive(Clone, PartialEq)]
pub(crate) enum Kind {
    Text,
    Integer,
    /// An integer that may be larger than any `i64`.
    Unsigned,
    Number,
    Bool,
    Date,
    /// Free-form JSON. If the schema does not ask for that, what is the matter with it: `is not supported: …`.
    FreeForm(Option<String>),
    List(Box<Self>),
    Map(Box<Self>),
    Optional(Box<Self>),
    Named(TypeId),
    /// A type that contains itself.
    Boxed(TypeId),
}

impl Kind {
    /// Free-form JSON in place of a schema that is not supported.
    pub(crate) fn unclear(why: impl fmt::Display) -> Self {
        Self::FreeForm(Some(format!("is not supported: {why}")))
    }

    /// Free-form JSON in place of a schema that is not to be had.
    pub(crate) fn missing(name: &str) -> Self {
        Self::FreeForm(Some(format!("is missing: `{name}`")))
    }

    /// The named type that it holds directly, not in a list or map.
    pub(crate) fn direct(&self) -> Option<TypeId> {
        match self {
            Self::Named(id) => Some(*id),
            Self::Optional(inner) => inner.direct(),
            _ => None,
        }
    }

    /// The named type that it holds, also in a list or map.
    pub(crate) fn named(&self) -> Option<TypeId> {
        match self {
            Self::Named(id) | Self::Boxed(id) => Some(*id),
            Self::List(inner) | Self::Map(inner) | Self::Optional(inner) => inner.named(),
            _ => None,
        }
    }

    /// If it, or what it is a list or map of, is free-form JSON although its schema asks for more: what is the matter with that.
    pub(crate) fn not_understood(&self) -> Option<&str> {
        match self {
            Self::FreeForm(why) => why.as_deref(),
            Self::List(inner) | Self::Map(inner) | Self::Optional(inner) => inner.not_understood(),
            _ => None,
        }
    }

    /// The same type or `null`, which free-form JSON may be anyway.
    pub(crate) fn or_null(self) -> Self {
        match self {
            Self::Optional(_) | Self::FreeForm(_) => self,
            other => Self::Optional(Box::new(other)),
        }
    }

    /// The type apart from `null`.
    pub(crate) fn or_value(&self) -> &Self {
        match self {
            Self::Optional(inner) => inner,
            other => other,
        }
    }

    /// Visits all named types in it.
    pub(crate) fn named_mut(&mut self, each: &mut impl FnMut(&mut TypeId)) {
        match self {
            Self::Named(id) | Self::Boxed(id) => each(id),
            Self::List(inner) | Self::Map(inner) | Self::Optional(inner) => inner.named_mut(each),
            _ => {}
        }
    }
}

/// One of several records.
#[derive(Default)]
pub(crate) struct Union {
    pub(crate) tag: Option<String>,
    pub(crate) branches: Vec<Branch>,
    /// Whether it may also be something else than an object: no schema gives a type.
    pub(crate) is_open: bool,
    /// What the schema demands beyond one of the branches.
    pub(crate) rules: Vec<Rule>,
}

impl Union {
    /// Whether all values of the tag are texts.
    pub(crate) fn has_text_tags(&self) -> bool {
        self.branches.iter().flat_map(|branch| &branch.tags).all(Value::is_string)
    }
}

pub(crate) struct Branch {
    /// The variant.
    pub(crate) name: String,
    pub(crate) record: TypeId,
    /// The values of the tag that mean this branch.
    pub(crate) tags: Vec<Value>,
    pub(crate) required: Vec<String>,
    /// Whether its tag is written by the union, rather than a field of the record.
    pub(crate) leaves_tag_out: bool,
}

/// A constraint of a schema beyond its type.
#[derive(Clone, PartialEq)]
pub(crate) enum Rule {
    /// A pattern as the schema has it, and as the runtime's engine reads it.
    Pattern(String, String),
    /// The same for what must not match.
    NoMatch(String, String),
    MinLength(usize),
    MaxLength(usize),
    Format(&'static str),
    Minimum(f64),
    Maximum(f64),
    Above(f64),
    Below(f64),
    MultipleOf(f64),
    MinItems(usize),
    MaxItems(usize),
    UniqueItems,
    MinProperties(usize),
    MaxProperties(usize),
    /// The JSON types of free-form JSON.
    Types(Vec<String>),
    /// The values, as JSON.
    OneOf(Vec<String>),
    Each(Vec<Self>),
    /// What every key of a map must keep.
    Keys(Vec<Self>),
    AnyOf(Vec<Vec<Self>>),
    ExactlyOneOf(Vec<Vec<Self>>),
    /// The text of a whole schema, since the others cannot say all of it.
    Whole(String),
    /// What is not checked, and why. For the documentation.
    Unchecked(String),
}

impl Type {
    /// Visits all types that this one is made of.
    pub(crate) fn parts_mut(&mut self, mut each: impl FnMut(&mut TypeId)) {
        match &mut self.definition {
            Definition::Record(record) => {
                for field in &mut record.fields {
                    field.kind.named_mut(&mut each);
                }
            }
            Definition::Union(union) => {
                union.branches.iter_mut().for_each(|branch| each(&mut branch.record));
            }
            Definition::Choice(_) => {}
        }
    }

    /// All types that this one is made of.
    pub(crate) fn parts(&self) -> Vec<TypeId> {
        match &self.definition {
            Definition::Record(record) => {
                record.fields.iter().filter_map(|field| field.kind.named()).collect()
            }
            Definition::Union(union) => union.branches.iter().map(|branch| branch.record).collect(),
            Definition::Choice(_) => Vec::new(),
        }
    }

    /// The types that this one holds directly, not in a list or map.
    pub(crate) fn direct_parts(&self) -> Vec<TypeId> {
        match &self.definition {
            Definition::Record(record) => {
                record.fields.iter().filter_map(|field| field.kind.direct()).collect()
            }
            Definition::Union(_) | Definition::Choice(_) => self.parts(),
        }
    }
}

impl Types {
    /// Marks a payload's types as sent.
    pub(crate) fn mark_sent(&mut self, kind: &Kind) {
        let mut open: Vec<_> = kind.named().into_iter().collect();
        while let Some(id) = open.pop() {
            if !std::mem::replace(&mut self.all[id].sent, true) {
                open.extend(self.all[id].parts());
            }
        }
    }

    /// Notes that a schema is nested too deep to become a type. Of an item's, the first counts.
    pub(crate) fn too_deep(&mut self, item: usize, place: &Place) {
        self.too_deep.entry(item).or_insert_with(|| place.clone());
    }

    /// Replaces types by those that they equal.
    pub(crate) fn replace_same(&mut self) {
        let same: Vec<_> =
            (0..self.all.len()).map(|id| self.all[id].same_as.unwrap_or(id)).collect();
        for kind in &mut self.all {
            kind.parts_mut(|id| *id = same[*id]);
        }
    }
}
