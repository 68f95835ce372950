//! Tests of whole expansions.

mod categories;
mod folders;
mod format;
mod golden;
mod growth;
mod hostile;
mod keywords;
mod missing;
mod names;
mod references;
mod schemas;
mod support;
