//! JSON schemas: resolved, understood as types, and given names.

pub(crate) mod conversions;
mod expressions;
pub(crate) mod keywords;
pub(crate) mod nesting;
pub(crate) mod resolve;
mod rules;
pub(crate) mod type_names;
pub(crate) mod types;
pub(crate) mod understand;
