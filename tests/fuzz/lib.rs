//! What the fuzzer runs: the targets that the tests run as well, and the macro's own, with the macro's modules.

#![allow(dead_code, unreachable_pub, clippy::expect_used)]

mod targets;

#[path = "../../taskcluster-macros/src/expand/mod.rs"]
mod expand;
#[path = "../../taskcluster-macros/src/tests/hostile.rs"]
mod hostile;
#[path = "../../taskcluster-macros/src/input/mod.rs"]
mod input;
#[path = "../../taskcluster-macros/src/names.rs"]
mod names;
#[path = "../../taskcluster-macros/src/reference/mod.rs"]
mod reference;
#[path = "../../taskcluster-macros/src/schema/mod.rs"]
mod schema;

/// Gives an input to a target.
///
/// # Panics
///
/// If something is wrong with what the target does, or if there is no such target.
pub fn run(target: &str, input: &[u8]) {
    let mut targets = targets::TARGETS
        .iter()
        .copied()
        .chain([("references", hostile::references as targets::Check)]);
    let (_, check) = targets.find(|(name, _)| *name == target).expect("a target");
    check(input);
}
