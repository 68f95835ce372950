//! The forms that an object may have, from a schema and all that stands beside its properties: `allOf`, `oneOf`, `anyOf`.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::schema::demands::Family;
use crate::schema::resolve::Schema;
use crate::schema::types::{Place, Rule};

/// How many alternatives an object may have. Alternatives beside alternatives multiply.
const MOST_FORMS: usize = 64;

/// One of the forms of an object.
#[derive(Clone)]
pub(super) struct Form {
    pub(super) place: Place,
    pub(super) description: String,
    /// What each property must be: all of these.
    pub(super) properties: Vec<(String, Vec<Schema>)>,
    pub(super) required: Vec<String>,
    /// The only names that are allowed, if there are such.
    pub(super) closed: Option<BTreeSet<String>>,
    /// Whether the schema says that there may be other properties.
    pub(super) speaks_of_others: bool,
    /// Whether the schema says that it is an object.
    pub(super) is_object: bool,
    /// How many properties there may be.
    pub(super) counts: Vec<Rule>,
    /// Whether a record and these rules say all that the schemas say.
    pub(super) is_whole: bool,
}

/// Keywords of schemas that a record expresses, or that are combined here.
const EXPRESSED: &[&str] = &[
    "type",
    "properties",
    "required",
    "additionalProperties",
    "minProperties",
    "maxProperties",
    "allOf",
    "oneOf",
    "anyOf",
];

impl Form {
    /// What a schema says itself.
    pub(super) fn of(schema: &Schema) -> Result<Self, String> {
        let kinds = schema.kinds();
        if kinds.iter().any(|kind| kind != "object") || schema.allowed().is_some() {
            return Err("alternatives of different shapes".to_owned());
        }
        if schema.json["patternProperties"].as_object().is_some_and(|all| !all.is_empty()) {
            return Err("`patternProperties` next to other properties".to_owned());
        }
        let names: Vec<String> = match schema.json["properties"].as_object() {
            Some(members) => members.keys().cloned().collect(),
            None => Vec::new(),
        };
        let properties: Vec<_> = names
            .iter()
            .filter_map(|name| Some((name.clone(), vec![schema.part(&["properties", name])?])))
            .collect();
        let others = schema.json.get("additionalProperties");
        let least = schema.size("minProperties").map(Rule::MinProperties);
        let most = schema.size("maxProperties").map(Rule::MaxProperties);
        let more = schema.demands(Family::Objects).any(|key| !EXPRESSED.contains(&key));
        Ok(Self {
            place: schema.place.clone(),
            description: schema.description().to_owned(),
            properties,
            required: schema.required(),
            closed: (others == Some(&Value::Bool(false))).then(|| names.into_iter().collect()),
            speaks_of_others: others.is_some_and(|others| *others != Value::Bool(false)),
            is_object: !kinds.is_empty(),
            counts: least.into_iter().chain(most).collect(),
            is_whole: *schema.json != Value::Bool(false)
                && !more
                && others.and_then(Value::as_object).is_none_or(Map::is_empty),
        })
    }

    /// What both say. The place is the first's.
    fn and(&self, other: &Self) -> Self {
        let mut both = self.clone();
        for (name, schemas) in &other.properties {
            match both.properties.iter_mut().find(|(known, _)| known == name) {
                Some((_, known)) => known.extend(schemas.iter().cloned()),
                None => both.properties.push((name.clone(), schemas.clone())),
            }
        }
        let new: Vec<_> =
            other.required.iter().filter(|name| !both.required.contains(name)).cloned().collect();
        both.required.extend(new);
        both.closed = match (&self.closed, &other.closed) {
            (Some(one), Some(other)) => Some(one.intersection(other).cloned().collect()),
            (one, other) => one.as_ref().or(other.as_ref()).cloned(),
        };
        if both.description.is_empty() {
            both.description.clone_from(&other.description);
        }
        both.speaks_of_others |= other.speaks_of_others;
        both.is_object |= other.is_object;
        both.counts.extend(other.counts.iter().cloned());
        both.is_whole &= other.is_whole;
        both
    }

    /// Whether it says nothing about properties.
    pub(super) fn is_bare(&self) -> bool {
        self.properties.is_empty() && self.required.is_empty() && self.closed.is_none()
    }

    /// Takes away what no document of this form can have, and names what it must have.
    ///
    /// # Errors
    ///
    /// Says why no document can have this form.
    pub(super) fn settle(mut self) -> Result<Self, String> {
        if let Some(closed) = &self.closed {
            if let Some(name) = self.required.iter().find(|name| !closed.contains(*name)) {
                return Err(format!("`{name}` is required and not allowed"));
            }
            self.properties.retain(|(name, _)| closed.contains(name));
        }
        for name in &self.required {
            if self.properties.iter().all(|(known, _)| known != name) {
                self.properties.push((name.clone(), Vec::new()));
            }
        }
        Ok(self)
    }

    /// Whether it says what a property is.
    pub(super) fn has(&self, name: &str) -> bool {
        self.properties.iter().any(|(known, _)| known == name)
    }

    /// Whether no document can have both forms.
    pub(super) fn excludes(&self, other: &Self) -> bool {
        let lacks = |form: &Self, name: &String| {
            form.closed.as_ref().is_some_and(|closed| !closed.contains(name))
        };
        let differ = |name: &String| {
            let values = |form: &Self| form.values_of(name);
            matches!((values(self), values(other)), (Some(one), Some(other))
                if one.iter().all(|value| !other.contains(value)))
        };
        self.required
            .iter()
            .any(|name| lacks(other, name) || (other.required.contains(name) && differ(name)))
            || other.required.iter().any(|name| lacks(self, name))
    }

    /// The values that a property is limited to, if it is: texts, numbers, booleans and `null`.
    pub(super) fn values_of(&self, name: &str) -> Option<Vec<Value>> {
        let (_, schemas) = self.properties.iter().find(|(known, _)| known == name)?;
        let mut limits = schemas.iter().filter_map(Schema::allowed);
        let first = limits.next()?;
        let others: Vec<_> = limits.collect();
        let values: Vec<_> = first
            .into_iter()
            .filter(|value| others.iter().all(|other| other.contains(value)))
            .collect();
        let is_plain = |value: &Value| !value.is_array() && !value.is_object();
        (!values.is_empty() && values.iter().all(is_plain)).then_some(values)
    }
}

/// All that a form of the first and one of the others say together.
pub(super) fn both(some: &[Form], others: &[Form]) -> Result<Vec<Form>, String> {
    if some.len() > 1 && others.len() > 1 {
        return Err("alternatives beside other alternatives".to_owned());
    }
    if some.len() * others.len() > MOST_FORMS {
        return Err(format!("more than {MOST_FORMS} alternatives"));
    }
    let joined = some.iter().flat_map(|one| {
        others.iter().map(move |other| {
            let mut joined = one.and(other);
            if others.len() > 1 {
                joined.place = other.place.clone();
                joined.description.clone_from(&other.description);
            }
            joined
        })
    });
    Ok(joined.collect())
}
