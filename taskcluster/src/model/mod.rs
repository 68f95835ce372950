//! The typed model: what generated payload types are to the code that reads, writes, compares, prints and checks them.
//!
//! A generated type does none of that by itself. A [`Record`] says by a static [`Shape`] what its fields are called, and
//! opens one by its index: as a [`Slot`], a place to be filled, or as a [`View`] of what is there. Everything else is
//! written here, once, over these two: [`mod@read`] fills slots from any serde format, [`mod@write`] writes views to any,
//! [`mod@whole`] clones, compares and prints records, [`mod@rules`] holds them against their schema. So a type costs the
//! compiler two small `match`es instead of a visitor of its own.

mod field;
mod free_form;
mod implement;
mod read;
mod rules;
mod shape;
mod union;
mod whole;
mod write;

pub use field::blank;
pub use free_form::FreeForm;
pub use read::read;
pub use rules::validate;
pub(crate) use rules::wrong_arguments;
pub use shape::{
    Branch, Choice, Field, FieldShape, Format, List, Map, Optional, Presence, Record, Rule, Shape,
    Slot, Union, UnionShape, View, nullable, optional, required,
};
pub use whole::{clone, debug, debug_union, same};
pub(crate) use write::to_json;
pub use write::write;
