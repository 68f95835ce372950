//! Tests of whole expansions.

mod categories;
mod golden;
mod hostile;
mod schemas;
