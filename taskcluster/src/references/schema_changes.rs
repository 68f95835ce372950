//! Compares two versions of a schema, and judges whether the differences can break callers.

use std::collections::BTreeSet;

use serde_json::Value;

/// How a schema is used.
#[derive(Clone, Copy, Debug)]
pub(super) struct Use {
    /// Whether callers send what it describes.
    pub(super) sent: bool,
    /// Whether callers receive what it describes.
    pub(super) received: bool,
}

/// Returns the places that differ, and whether any of them can break callers.
pub(super) fn compare(old: &Value, new: &Value, used: Use) -> (Vec<String>, bool) {
    let mut comparison = Comparison { used, places: BTreeSet::new(), can_break: false };
    comparison.schema("", old, new);
    (comparison.places.into_iter().collect(), comparison.can_break)
}

struct Comparison {
    used: Use,
    places: BTreeSet<String>,
    can_break: bool,
}

impl Comparison {
    fn found(&mut self, place: &str, what: &str, can_break: bool) {
        let place = if place.is_empty() { what.to_owned() } else { format!("{place}: {what}") };
        self.places.insert(place);
        self.can_break |= can_break;
    }

    fn schema(&mut self, place: &str, old: &Value, new: &Value) {
        let (Value::Object(old), Value::Object(new)) = (old, new) else {
            if old != new {
                self.found(place, "schema", true);
            }
            return;
        };
        let nothing = Value::Null;
        for key in old.keys().chain(new.keys().filter(|key| !old.contains_key(*key))) {
            let (before, after) =
                (old.get(key).unwrap_or(&nothing), new.get(key).unwrap_or(&nothing));
            if before != after {
                self.keyword(place, key, before, after);
            }
        }
    }

    fn keyword(&mut self, place: &str, key: &str, old: &Value, new: &Value) {
        let sent = self.used.sent;
        match key {
            "$id" | "id" | "$schema" => {}
            "$comment" | "default" | "description" | "examples" | "title" => {
                self.found(place, key, false)
            }
            "properties" | "definitions" | "$defs" => self.members(place, key, old, new),
            "items" if old.is_object() && new.is_object() => {
                self.schema(&format!("{place}[]"), old, new)
            }
            "additionalProperties" if old.is_object() && new.is_object() => {
                self.schema(&format!("{place}.*"), old, new);
            }
            "oneOf" | "anyOf" | "allOf" | "items" => self.parts(place, key, old, new),
            // Receivers rely on required properties; senders must supply them.
            "required" => {
                let (before, after) = (items(old), items(new));
                let can_break = sent && !after.is_subset(&before)
                    || self.used.received && !before.is_subset(&after);
                self.found(place, key, can_break);
            }
            // Receivers keep values that they do not know.
            "enum" => self.found(place, key, !items(old).is_subset(&items(new))),
            // Receivers do not check these.
            "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" | "multipleOf"
            | "minLength" | "maxLength" | "pattern" | "minItems" | "maxItems" | "uniqueItems"
            | "minProperties" | "maxProperties" => self.found(place, key, sent && !new.is_null()),
            _ => self.found(place, key, true),
        }
    }

    /// Compares schemas by name.
    fn members(&mut self, place: &str, key: &str, old: &Value, new: &Value) {
        let names =
            [old, new].into_iter().filter_map(Value::as_object).flat_map(|members| members.keys());
        let names: BTreeSet<_> = names.collect();
        for name in names {
            let dot = if place.is_empty() { "" } else { "." };
            let place = if key == "properties" {
                format!("{place}{dot}{name}")
            } else {
                format!("{key}.{name}")
            };
            match (old.get(name), new.get(name)) {
                (Some(old), Some(new)) => self.schema(&place, old, new),
                (Some(_), None) => self.found(&place, "removed", true),
                // `required` shows whether senders must supply it.
                (None, _) => self.found(&place, "added", false),
            }
        }
    }

    /// Compares lists of schemas.
    fn parts(&mut self, place: &str, key: &str, old: &Value, new: &Value) {
        match (old, new) {
            (Value::Array(old), Value::Array(new)) if old.len() == new.len() => {
                for (old, new) in old.iter().zip(new) {
                    self.schema(place, old, new);
                }
            }
            _ => self.found(place, key, true),
        }
    }
}

/// Returns the items of a list as JSON texts.
fn items(list: &Value) -> BTreeSet<String> {
    list.as_array().into_iter().flatten().map(Value::to_string).collect()
}
