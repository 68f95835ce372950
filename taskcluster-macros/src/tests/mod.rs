//! Tests of whole expansions.

mod categories;
mod folders;
mod golden;
mod hostile;
mod references;
mod schemas;
