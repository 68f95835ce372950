//! Tests of whole expansions.

mod golden;
