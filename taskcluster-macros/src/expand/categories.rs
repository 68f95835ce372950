//! Orders the endpoints of a service by what readers look for.

use std::collections::HashMap;

use crate::reference::model::Endpoint;

/// The category of the endpoints that only operators need, and the names of these where a reference has no categories.
const MONITORING: &str = "Monitoring";
const MONITORED: &[&str] = &["ping", "lbheartbeat", "version", "heartbeat"];

/// Endpoints that belong together.
pub(super) struct Category<'a> {
    pub(super) title: String,
    /// With their indices among all endpoints, in the order of the file.
    pub(super) endpoints: Vec<(usize, &'a Endpoint)>,
}

/// The endpoints by category, in the order in which categories first appear; those without one, then those for monitoring
/// come last.
pub(super) fn all(endpoints: &[Endpoint]) -> Vec<Category<'_>> {
    let mut named: Vec<Category<'_>> = Vec::new();
    let mut known: HashMap<String, usize> = HashMap::new();
    let (mut others, mut monitoring) = (Vec::new(), Vec::new());
    for endpoint in endpoints.iter().enumerate() {
        let words = endpoint.1.category.as_deref().unwrap_or_default().split_whitespace();
        let title = words.collect::<Vec<_>>().join(" ");
        if MONITORED.contains(&endpoint.1.name.wire.as_str())
            || letters(&title) == letters(MONITORING)
        {
            monitoring.push(endpoint);
        } else if title.is_empty() {
            others.push(endpoint);
        } else {
            let index = *known.entry(letters(&title)).or_insert_with(|| {
                named.push(Category { title, endpoints: Vec::new() });
                named.len() - 1
            });
            named[index].endpoints.push(endpoint);
        }
    }
    let rest = if named.is_empty() { "Endpoints" } else { "Others" };
    let last = [(rest, others), (MONITORING, monitoring)];
    let last = last.into_iter().filter(|(_, endpoints)| !endpoints.is_empty());
    named.extend(last.map(|(title, endpoints)| Category { title: title.to_owned(), endpoints }));
    named
}

/// What titles have in common that differ by case and punctuation: the queue has `Task Groups` and `Task-Groups`.
fn letters(title: &str) -> String {
    title.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}
