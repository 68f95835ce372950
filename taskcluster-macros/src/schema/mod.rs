//! JSON schemas: resolved, understood as types, and given names.

pub(crate) mod conversions;
mod demands;
mod expressions;
mod flatten;
mod forms;
mod kept;
pub(crate) mod keywords;
pub(crate) mod nesting;
mod patterns;
mod records;
pub(crate) mod resolve;
mod rules;
pub(crate) mod type_names;
pub(crate) mod types;
pub(crate) mod understand;
