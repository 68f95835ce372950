//! What the keywords of schemas demand, and of which values.

use serde_json::Value;

use crate::schema::resolve::Schema;

/// Keywords that demand something of values of any type.
const ANY: &[&str] = &[
    "type",
    "enum",
    "const",
    "allOf",
    "oneOf",
    "anyOf",
    "not",
    "if",
    "$dynamicRef",
    "$recursiveRef",
];
/// Those that demand something of numbers only.
const NUMBERS: &[&str] =
    &["minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "multipleOf"];
/// Of texts only.
const TEXTS: &[&str] =
    &["pattern", "minLength", "maxLength", "format", "contentEncoding", "contentMediaType"];
/// Of lists only.
const LISTS: &[&str] = &[
    "minItems",
    "maxItems",
    "uniqueItems",
    "items",
    "contains",
    "prefixItems",
    "unevaluatedItems",
];
/// Of objects only.
const OBJECTS: &[&str] = &[
    "minProperties",
    "maxProperties",
    "properties",
    "required",
    "patternProperties",
    "additionalProperties",
    "propertyNames",
    "dependencies",
    "dependentRequired",
    "dependentSchemas",
    "unevaluatedProperties",
];

/// The formats that somebody checks; others are remarks.
const FORMATS: &[&str] = &[
    "date",
    "date-time",
    "duration",
    "email",
    "hostname",
    "idn-email",
    "idn-hostname",
    "ipv4",
    "ipv6",
    "iri",
    "iri-reference",
    "json-pointer",
    "regex",
    "relative-json-pointer",
    "time",
    "uri",
    "uri-reference",
    "uri-template",
    "uuid",
];

/// What values may be.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Family {
    Numbers,
    Texts,
    Lists,
    Objects,
    Booleans,
    Anything,
}

impl Schema {
    pub(super) fn description(&self) -> &str {
        self.text("description").unwrap_or_default().trim()
    }

    /// Whether it does not determine a type.
    pub(super) fn only_constrains(&self) -> bool {
        ["type", "properties", "$ref", "enum", "const", "items", "oneOf", "anyOf", "allOf"]
            .iter()
            .all(|key| self.json.get(key).is_none())
    }

    /// The types that it allows besides `null`, if it says so; `null` if it allows nothing else.
    pub(super) fn kinds(&self) -> Vec<String> {
        let mut kinds: Vec<String> = match self.json.get("type") {
            Some(Value::String(kind)) => vec![kind.clone()],
            Some(Value::Array(kinds)) => {
                kinds.iter().filter_map(|kind| kind.as_str().map(str::to_owned)).collect()
            }
            _ => Vec::new(),
        };
        if kinds.len() > 1 {
            kinds.retain(|kind| kind != "null");
        }
        kinds
    }

    /// The keywords that demand something of values of a family, in the order in which this file lists them.
    pub(super) fn demands(&self, family: Family) -> impl Iterator<Item = &'static str> {
        let families: &[&[&str]] = match family {
            Family::Texts => &[ANY, TEXTS],
            Family::Numbers => &[ANY, NUMBERS],
            Family::Lists => &[ANY, LISTS],
            Family::Objects => &[ANY, OBJECTS],
            Family::Booleans => &[ANY],
            Family::Anything => &[ANY, TEXTS, NUMBERS, LISTS, OBJECTS],
        };
        let keys = families.iter().flat_map(|keys| keys.iter().copied());
        keys.filter(|key| self.json.get(key).is_some_and(|value| demands(key, value)))
    }

    pub(super) fn number(&self, key: &str) -> Option<f64> {
        self.json.get(key)?.as_f64()
    }

    /// A count, which may be written as `2.0`.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "whole and positive"
    )]
    pub(super) fn size(&self, key: &str) -> Option<usize> {
        let number = self.number(key)?;
        (number.fract() == 0.0 && (0.0..1e15).contains(&number)).then_some(number as usize)
    }
}

/// Whether a keyword with this value allows less than everything.
fn demands(key: &str, value: &Value) -> bool {
    match (key, value) {
        ("contains" | "if" | "not" | "enum" | "const", _) => true,
        ("format", Value::String(format)) => FORMATS.contains(&format.as_str()),
        ("uniqueItems", truth) => *truth == Value::Bool(true),
        (_, Value::Bool(true)) => key.starts_with("exclusive"),
        (_, Value::Object(members)) => !members.is_empty(),
        (_, Value::Array(items)) => !items.is_empty(),
        _ => true,
    }
}
