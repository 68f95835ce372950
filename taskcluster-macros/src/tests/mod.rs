//! Tests of whole expansions.

mod categories;
mod golden;
mod references;
mod schemas;
