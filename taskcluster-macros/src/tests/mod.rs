//! Tests of whole expansions.

mod categories;
mod folders;
mod golden;
mod references;
mod schemas;
