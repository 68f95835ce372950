//! Compares two sets of documents.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::changes::{Change, ChangeKind, Changes, Subject};
use super::documents::{Documents, Kind, closure, entries, reference_at, schemas_of_entries};
use super::schema_changes::{self, Use};

/// The facts of an entry that callers depend on. Changes of other facts are harmless.
const BREAKING: &[&str] =
    &["args", "exchange", "input", "method", "output", "route", "routingKey", "schema", "scopes"];

/// Returns the differences between two sets of documents.
pub(super) fn documents(old: &Documents, new: &Documents) -> Changes {
    let paths: BTreeSet<_> = old.keys().chain(new.keys()).collect();
    let uses = Uses::of(&[old, new]);
    let mut changes = Vec::new();
    for path in paths {
        let (old_one, new_one) = (old.get(path), new.get(path));
        match reference_at(path) {
            Some((service, version, kind)) => {
                let mut found = Found { service, version, changes: &mut changes };
                found.reference(kind, old_one, new_one);
            }
            None => schema(path, (old, old_one), (new, new_one), &uses, &mut changes),
        }
    }
    // Keep schemas next to the references of their services.
    changes.sort_by(|a, b| (&a.service, &a.version).cmp(&(&b.service, &b.version)));
    changes.into_iter().collect()
}

/// The schemas of what callers send, and of what they receive.
struct Uses {
    sent: BTreeSet<String>,
    received: BTreeSet<String>,
}

impl Uses {
    fn of(sets: &[&Documents]) -> Self {
        let mut uses = Self { sent: BTreeSet::new(), received: BTreeSet::new() };
        for documents in sets {
            for (path, reference) in *documents {
                let Some((service, ..)) = reference_at(path) else { continue };
                let named = schemas_of_entries(service, reference, &[]).unwrap_or_default();
                let (sent, received): (BTreeSet<_>, BTreeSet<_>) =
                    named.into_iter().partition(|(key, _)| *key == "input");
                let paths = |named: BTreeSet<(_, String)>| {
                    named.into_iter().map(|(_, path)| path).collect()
                };
                uses.sent.extend(closure(paths(sent), documents));
                uses.received.extend(closure(paths(received), documents));
            }
        }
        uses
    }

    fn of_schema(&self, path: &str) -> Use {
        let (sent, received) = (self.sent.contains(path), self.received.contains(path));
        // A schema without a known use may be used in either way.
        let unknown = !sent && !received;
        Use { sent: sent || unknown, received: received || unknown }
    }
}

/// The changes of one service's references.
struct Found<'a> {
    service: &'a str,
    version: &'a str,
    changes: &'a mut Vec<Change>,
}

impl Found<'_> {
    fn add(&mut self, subject: Subject, kind: ChangeKind, can_break_callers: bool) {
        let (service, version) = (self.service.to_owned(), self.version.to_owned());
        self.changes.push(Change { service, version, subject, kind, can_break_callers });
    }

    fn reference(&mut self, kind: Kind, old: Option<&Value>, new: Option<&Value>) {
        let whole = match kind {
            Kind::Endpoints => Subject::Endpoints,
            Kind::Exchanges => Subject::Exchanges,
        };
        match (old, new) {
            (None, _) => self.add(whole, ChangeKind::Added, false),
            (_, None) => self.add(whole, ChangeKind::Removed, true),
            (Some(old), Some(new)) => {
                let words: Vec<_> = ["title", "description"]
                    .into_iter()
                    .filter(|key| old[key] != new[key])
                    .collect();
                if !words.is_empty() {
                    self.add(whole, changed(words), false);
                }
                self.entries(kind, old, new);
            }
        }
    }

    fn entries(&mut self, kind: Kind, old: &Value, new: &Value) {
        let subject = |name: &str| match kind {
            Kind::Endpoints => Subject::Endpoint(name.to_owned()),
            Kind::Exchanges => Subject::Exchange(name.to_owned()),
        };
        let (old_entries, new_entries) = (by_name(old), by_name(new));
        for (name, old_entry) in &old_entries {
            let Some(new_entry) = new_entries.get(name) else {
                self.add(subject(name), ChangeKind::Removed, true);
                continue;
            };
            let mut facts = differing(old_entry, new_entry);
            if old["exchangePrefix"] != new["exchangePrefix"] {
                facts.insert("exchange");
            }
            let breaks = |fact: &&str| {
                // Dropping the required scopes breaks no caller.
                BREAKING.contains(fact) && (*fact != "scopes" || !new_entry["scopes"].is_null())
            };
            let can_break = facts.iter().any(breaks);
            if !facts.is_empty() {
                self.add(subject(name), changed(facts), can_break);
            }
            self.options(name, old_entry, new_entry);
        }
        for name in new_entries.keys().filter(|name| !old_entries.contains_key(*name)) {
            self.add(subject(name), ChangeKind::Added, false);
        }
    }

    fn options(&mut self, endpoint: &str, old: &Value, new: &Value) {
        let options = |entry: &Value| -> BTreeSet<String> {
            let options = entry["query"].as_array().into_iter().flatten();
            options.filter_map(|option| option.as_str().map(str::to_owned)).collect()
        };
        let (old, new) = (options(old), options(new));
        for option in old.symmetric_difference(&new) {
            let removed = old.contains(option);
            let kind = if removed { ChangeKind::Removed } else { ChangeKind::Added };
            let (endpoint, option) = (endpoint.to_owned(), option.clone());
            self.add(Subject::Option { endpoint, option }, kind, removed);
        }
    }
}

fn changed<'a>(facts: impl IntoIterator<Item = &'a str>) -> ChangeKind {
    ChangeKind::Changed(facts.into_iter().map(str::to_owned).collect())
}

fn by_name(reference: &Value) -> BTreeMap<&str, &Value> {
    entries(reference).iter().filter_map(|entry| Some((entry["name"].as_str()?, entry))).collect()
}

/// Returns the facts that differ between two entries of the same name, except for query options.
fn differing<'a>(old: &'a Value, new: &'a Value) -> BTreeSet<&'a str> {
    let members = [old, new].into_iter().filter_map(Value::as_object);
    let names = members.flat_map(|members| members.keys().map(String::as_str));
    names
        .filter(|name| match *name {
            "query" => false,
            "routingKey" => parts(old) != parts(new),
            "method" => lower(&old["method"]) != lower(&new["method"]),
            "stability" => {
                old["stability"].as_str().unwrap_or("stable")
                    != new["stability"].as_str().unwrap_or("stable")
            }
            name => old[name] != new[name] && !(is_nothing(&old[name]) && is_nothing(&new[name])),
        })
        .collect()
}

fn is_nothing(value: &Value) -> bool {
    value.is_null() || value.as_array().is_some_and(Vec::is_empty)
}

fn lower(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_ascii_lowercase()
}

/// What the parts of a routing key are, but for the words about them.
fn parts(exchange: &Value) -> Vec<(&Value, &Value, bool, bool)> {
    let parts = exchange["routingKey"].as_array().into_iter().flatten();
    let flag = |value: &Value| value.as_bool().unwrap_or(false);
    parts
        .map(|part| {
            (
                &part["name"],
                &part["constant"],
                flag(&part["required"]),
                flag(&part["multipleWords"]),
            )
        })
        .collect()
}

fn schema(
    path: &str,
    (old, old_one): (&Documents, Option<&Value>),
    (new, new_one): (&Documents, Option<&Value>),
    uses: &Uses,
    changes: &mut Vec<Change>,
) {
    let mut words = path.splitn(4, '/').skip(1);
    let service = words.next().unwrap_or_default();
    let (version, name) = match (words.next(), words.next()) {
        (Some(version), Some(name)) => (version, name),
        (name, _) => ("", name.unwrap_or_default()),
    };
    let has_service = |documents: &Documents| {
        documents.keys().any(|path| reference_at(path).is_some_and(|(known, ..)| known == service))
    };
    let mut found = Found { service, version, changes };
    let subject = Subject::Schema(name.to_owned());
    match (old_one, new_one) {
        // New or gone with its service.
        (None, _) if has_service(new) && !has_service(old) => {}
        (_, None) if has_service(old) && !has_service(new) => {}
        (None, _) => found.add(subject, ChangeKind::Added, false),
        (_, None) => found.add(subject, ChangeKind::Removed, true),
        (Some(old), Some(new)) => {
            let (places, can_break) = schema_changes::compare(old, new, uses.of_schema(path));
            if !places.is_empty() {
                found.add(subject, ChangeKind::Changed(places), can_break);
            }
        }
    }
}
