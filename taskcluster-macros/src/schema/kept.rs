//! The texts of schemas that types and rules cannot express, for a validator at run time. A text stands by itself: what it
//! refers to is part of it.

use std::rc::Rc;

use serde_json::{Map, Value};

use crate::schema::patterns::{self, Engine};
use crate::schema::resolve::{Lost, Resolver, Schema};
use crate::schema::types::Place;

/// The longest text that is kept, in bytes: it becomes a part of the program.
const LONGEST: usize = 64 * 1024;

/// How many schemas a schema may refer to, by itself and by those.
const MOST_DEFINITIONS: usize = 256;

/// The text of a schema.
///
/// # Errors
///
/// Says why it cannot be checked.
pub(super) fn text(resolver: &mut Resolver<'_>, schema: &Schema) -> Result<String, String> {
    let draft = draft(resolver, &schema.place);
    let heeds_siblings = draft.as_ref().is_some_and(|draft| draft.contains("/draft/20"));
    let mut copy = Copy { resolver, places: vec![schema.place.clone()], heeds_siblings };
    let mut whole = copy.of(schema)?;
    let mut definitions = Map::new();
    while let Some(place) = copy.places.get(definitions.len() + 1).cloned() {
        if copy.places.len() > MOST_DEFINITIONS {
            return Err(format!("it refers to more than {MOST_DEFINITIONS} others"));
        }
        if self::draft(copy.resolver, &place) != draft {
            return Err("it refers to a schema of another draft".to_owned());
        }
        let file = copy.resolver.files.read(&place.path)?;
        let json = file.at(&place.pointer).unwrap_or_else(|| Rc::new(Value::Bool(true)));
        let definition = copy.of(&Schema { place, json })?;
        definitions.insert((definitions.len() + 1).to_string(), definition);
    }
    if let Value::Object(members) = &mut whole {
        if !definitions.is_empty() {
            members.insert("definitions".to_owned(), definitions.into());
        }
        members.extend(draft.map(|draft| ("$schema".to_owned(), draft.into())));
    }
    match whole.to_string() {
        text if text.len() > LONGEST => Err(format!("it is longer than {} KiB", LONGEST / 1024)),
        text => Ok(text),
    }
}

/// The draft of JSON Schema that a file names, unless it is the seventh.
fn draft(resolver: &mut Resolver<'_>, place: &Place) -> Option<String> {
    let file = resolver.files.read(&place.path).ok()?;
    let draft = file.json.get("$schema")?.as_str()?;
    (draft.contains("://json-schema.org/") && !draft.contains("draft-07")).then(|| draft.to_owned())
}

struct Copy<'a, 'r> {
    resolver: &'a mut Resolver<'r>,
    /// The places that are copied. The first is the whole, the others are definitions.
    places: Vec<Place>,
    heeds_siblings: bool,
}

impl Copy<'_, '_> {
    fn of(&mut self, schema: &Schema) -> Result<Value, String> {
        let Some(members) = schema.members() else { return Ok((*schema.json).clone()) };
        let mut copy = Map::new();
        if schema.text("$ref").is_some() {
            let target = self.resolver.follow(schema.clone()).map_err(missing)?.place;
            let number = self.places.iter().position(|place| *place == target);
            let number = number.unwrap_or_else(|| {
                self.places.push(target);
                self.places.len() - 1
            });
            let target =
                if number == 0 { "#".to_owned() } else { format!("#/definitions/{number}") };
            copy.insert("$ref".to_owned(), target.into());
            if !self.heeds_siblings {
                return Ok(copy.into());
            }
        }
        for (key, value) in members {
            let all = |copy: &mut Self, steps: &[&str]| match schema.part(steps) {
                Some(part) => copy.of(&part),
                None => Ok(Value::Null),
            };
            let copied = match key.as_str() {
                "$ref" | "$id" | "id" | "$schema" | "$defs" | "definitions" | "title"
                | "description" | "default" | "examples" | "$comment" => continue,
                "additionalItems"
                | "additionalProperties"
                | "contains"
                | "else"
                | "if"
                | "not"
                | "propertyNames"
                | "then"
                | "unevaluatedItems"
                | "unevaluatedProperties" => all(self, &[key])?,
                "items" if !value.is_array() => all(self, &[key])?,
                "allOf" | "anyOf" | "items" | "oneOf" | "prefixItems" => {
                    let count = value.as_array().map_or(0, Vec::len);
                    (0..count)
                        .map(|index| all(self, &[key, &index.to_string()]))
                        .collect::<Result<Value, _>>()?
                }
                "dependencies" | "dependentSchemas" | "patternProperties" | "properties" => {
                    let mut parts = Map::new();
                    for (name, part) in value.as_object().into_iter().flatten() {
                        let copied = match part {
                            Value::Array(_) => part.clone(),
                            _ => all(self, &[key, name])?,
                        };
                        let name = match key.as_str() {
                            "patternProperties" => pattern(name)?,
                            _ => name.clone(),
                        };
                        parts.insert(name, copied);
                    }
                    parts.into()
                }
                "pattern" => pattern(value.as_str().unwrap_or_default())?.into(),
                _ => value.clone(),
            };
            copy.insert(key.clone(), copied);
        }
        Ok(copy.into())
    }
}

/// A pattern for the validator's engine.
fn pattern(pattern: &str) -> Result<String, String> {
    patterns::translate(pattern, Engine::Full).map_err(|why| format!("`{pattern}` has {why}"))
}

/// Why a schema with a missing part is not checked.
fn missing(_: Lost) -> String {
    "it refers to a schema that is missing".to_owned()
}
