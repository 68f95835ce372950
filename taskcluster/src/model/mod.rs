//! The typed model: how generated payload types are read, written, compared, printed and validated.
//!
//! A generated type does none of this itself. A [`Record`] describes its fields in a static [`Shape`] and gives access to
//! each of them by index: as a [`Slot`], a place to fill, or as a [`View`] of its value. Everything else is written here,
//! once, in terms of these two: [`mod@read`] fills slots from any serde format, [`mod@write`] writes views to any serde
//! format, [`mod@whole`] clones, compares and prints records, [`mod@rules`] validates them against their schema. So a type
//! costs the compiler two small `match`es instead of its own visitor.

mod correction;
mod field;
mod free_form;
mod implement;
mod keys;
mod nullable;
mod number;
mod payload;
mod read;
mod rules;
#[cfg(feature = "validation")]
mod schema;
mod shape;
mod strictness;
mod trace;
mod union;
mod whole;
mod write;

pub(crate) use correction::Corrections;
pub use field::blank;
pub use free_form::FreeForm;
pub use nullable::Nullable;
pub use number::Number;
pub use payload::Payload;
pub use read::read;
pub(crate) use rules::matches;
pub use rules::validate;
pub use shape::{
    Access, Branch, Choice, Field, FieldShape, Format, List, Map, Optional, Others, Presence,
    Record, Rule, Ruled, Shape, Slot, Tag, Union, UnionShape, View, nullable, optional, position,
    required,
};
pub(crate) use strictness::{Missing, Reading, Strictness};
pub use whole::{convert, debug, debug_union, same};
pub(crate) use write::to_json;
pub use write::write;
