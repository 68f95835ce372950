//! Warnings about answers that lack required properties.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use super::strictness::Missing;

/// What a client or listener has warned of already.
#[derive(Default)]
pub(crate) struct Corrections(Mutex<HashSet<(String, Missing)>>);

impl Corrections {
    /// Warns of properties that were missing in what came from `source`, an endpoint or exchange: once of each.
    pub(crate) fn warn(&self, source: &str, missing: &[Missing]) {
        for lack in missing {
            let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if known.insert((source.to_owned(), *lack)) {
                tracing::warn!(
                    source,
                    property = lack.property,
                    r#type = lack.of,
                    "a required property is missing; it gets the empty value of its type"
                );
            }
        }
    }
}
