//! Finds the names on the wire from which the compiler does not lead to a method.
//!
//! Of a method that does not exist, the compiler names the one that is most alike. From `listTaskGroup`, that is
//! `list_task_group`. But if it finds all letters of another name in it, and they are at least half of it, it names that one,
//! and it finds nothing that is like a run of capitals.

use crate::reference::model::{Endpoint, Reference};

/// Whether who calls a method by its name on the wire has to be told the method's name.
pub(super) fn misleads(endpoint: &Endpoint, reference: &Reference) -> bool {
    let wire = endpoint.name.wire.as_str();
    let is_capital = |letter: char| letter.is_ascii_uppercase();
    let is_camel_case = wire.starts_with(|first: char| first.is_ascii_lowercase())
        && wire.contains(is_capital)
        && wire.chars().all(|c| c.is_ascii_alphanumeric());
    let has_run = wire.as_bytes().windows(2).any(|two| two.iter().all(u8::is_ascii_uppercase));
    let nearer = || {
        let others = reference.endpoints.iter().map(|other| other.name.rust.as_str());
        others
            .filter(|other| 2 * other.len() >= wire.len())
            .any(|other| contains_letters(wire, other))
    };
    is_camel_case && (has_run || nearer())
}

/// Whether a name has all letters of another in their order.
fn contains_letters(name: &str, other: &str) -> bool {
    let mut letters = name.chars();
    other.chars().all(|letter| letters.any(|own| own == letter))
}
