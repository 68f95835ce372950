//! Checks that schemas are schemas: that the values of their keywords have the form that draft 7 of JSON Schema gives them.
//!
//! Unknown keywords are allowed, as draft 7 says, unless they are misspelt beyond doubt: without `required` by its name, every
//! property would be optional.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use crate::input::files::Document;
use crate::input::locate::JsonPath;
use crate::input::pointer;
use crate::input::problems::{ProblemsAt, expected, misspelt};
use crate::schema::expressions;
use crate::schema::resolve::{Resolver, Schema};
use crate::schema::types::Place;

/// What the value of a keyword is.
#[derive(Clone, Copy)]
enum Form {
    Anything,
    Text,
    Number,
    /// A number; in draft 4, `true` or `false`.
    Limit,
    Positive,
    Size,
    Flag,
    List,
    Names,
    Type,
    Pattern,
    Schema,
    Schemas,
    OneOrSchemas,
    SchemasByName,
    SchemasByPattern,
    Dependencies,
}

const KEYWORDS: &[(&str, Form)] = &[
    ("$comment", Form::Text),
    ("$defs", Form::SchemasByName),
    ("$id", Form::Text),
    ("$ref", Form::Text),
    ("$schema", Form::Text),
    ("additionalItems", Form::Schema),
    ("additionalProperties", Form::Schema),
    ("allOf", Form::Schemas),
    ("anyOf", Form::Schemas),
    ("const", Form::Anything),
    ("contains", Form::Schema),
    ("contentEncoding", Form::Text),
    ("contentMediaType", Form::Text),
    ("default", Form::Anything),
    ("definitions", Form::SchemasByName),
    ("dependencies", Form::Dependencies),
    ("description", Form::Text),
    ("else", Form::Schema),
    ("enum", Form::List),
    ("examples", Form::List),
    ("exclusiveMaximum", Form::Limit),
    ("exclusiveMinimum", Form::Limit),
    ("format", Form::Text),
    ("if", Form::Schema),
    ("items", Form::OneOrSchemas),
    ("maxItems", Form::Size),
    ("maxLength", Form::Size),
    ("maxProperties", Form::Size),
    ("maximum", Form::Number),
    ("minItems", Form::Size),
    ("minLength", Form::Size),
    ("minProperties", Form::Size),
    ("minimum", Form::Number),
    ("multipleOf", Form::Positive),
    ("not", Form::Schema),
    ("oneOf", Form::Schemas),
    ("pattern", Form::Pattern),
    ("patternProperties", Form::SchemasByPattern),
    ("properties", Form::SchemasByName),
    ("propertyNames", Form::Schema),
    ("readOnly", Form::Flag),
    ("required", Form::Names),
    ("then", Form::Schema),
    ("title", Form::Text),
    ("type", Form::Type),
    ("uniqueItems", Form::Flag),
    ("writeOnly", Form::Flag),
];

const TYPES: &[&str] = &["array", "boolean", "integer", "null", "number", "object", "string"];

/// The schemas that have been checked, of all items: pointers by file.
#[derive(Default)]
pub(crate) struct Checked(HashMap<String, HashSet<String>>);

impl Checked {
    /// Checks a schema, and those that it refers to, unless that has been done.
    pub(crate) fn check(
        &mut self,
        schema: Schema,
        resolver: &mut Resolver<'_>,
        problems: &mut ProblemsAt<'_>,
    ) {
        let mut open = vec![schema];
        while let Some(schema) = open.pop() {
            let Ok(document) = resolver.files.read(&schema.place.path) else { continue };
            let mut targets = Vec::new();
            let Place { path, mut pointer } = schema.place;
            let checked = self.0.entry(path.clone()).or_default();
            Check { document: &document, checked, problems, targets: &mut targets }
                .schema(&schema.json, &mut pointer);
            // What cannot be found is reported where its type is needed.
            open.extend(targets.into_iter().filter_map(|(pointer, target)| {
                resolver.target(&Place { path: path.clone(), pointer }, &target).ok()
            }));
        }
    }
}

struct Check<'a, 'p> {
    document: &'a Document,
    checked: &'a mut HashSet<String>,
    problems: &'a mut ProblemsAt<'p>,
    /// The `$ref`s found, behind the pointers to their schemas.
    targets: &'a mut Vec<(String, String)>,
}

impl Check<'_, '_> {
    fn schema(&mut self, json: &Value, pointer: &mut String) {
        let members = match json {
            Value::Object(members) => members,
            Value::Bool(_) => return,
            _ => return self.fail(pointer, "a schema must be an object, `true` or `false`"),
        };
        if !self.checked.insert(pointer.clone()) {
            return;
        }
        if let Some(Value::String(target)) = members.get("$ref") {
            self.targets.push((pointer.clone(), target.clone()));
        }
        for (key, value) in members {
            if let Ok(index) = KEYWORDS.binary_search_by_key(&key.as_str(), |(known, _)| known) {
                let form = KEYWORDS[index].1;
                self.inside(pointer, key, |check, at| check.keyword(key, form, value, at));
            } else if !key.starts_with("x-")
                && let Some(near) = misspelt(key, KEYWORDS.iter().map(|(known, _)| *known))
                && !members.contains_key(near)
            {
                let message = format!("unknown keyword `{key}`; did you mean `{near}`?");
                self.inside(pointer, key, |check, at| check.fail(at, &message));
            }
        }
    }

    fn keyword(&mut self, key: &str, form: Form, value: &Value, pointer: &mut String) {
        let must = |what: &str| format!("`{key}` must be {what}");
        let wrong = match (form, value) {
            (Form::Anything, _)
            | (Form::Text, Value::String(_))
            | (Form::Number | Form::Limit, Value::Number(_))
            | (Form::Flag | Form::Limit, Value::Bool(_))
            | (Form::List, Value::Array(_)) => None,
            (Form::Text, _) => Some(must("a string")),
            (Form::Number | Form::Limit, _) => Some(must("a number")),
            (Form::Flag, _) => Some(must("`true` or `false`")),
            (Form::List, _) => Some(must("a list of values")),
            (Form::Positive, value) if value.as_f64().is_some_and(|number| number > 0.0) => None,
            (Form::Positive, _) => Some(must("a number above 0")),
            (Form::Size, value) if value.as_f64().is_some_and(is_size) => None,
            (Form::Size, _) => Some(must("a whole number, 0 or more")),
            (Form::Names, Value::Array(names)) => return self.names(key, names, pointer),
            (Form::Names, _) => Some(must("a list of the names of properties")),
            (Form::Type, value) => return self.types(value, pointer),
            (Form::Pattern, Value::String(pattern)) => return self.pattern(pattern, pointer),
            (Form::Pattern, _) => Some(must("a string with a regular expression")),
            (Form::Schema, value) => return self.schema(value, pointer),
            (Form::OneOrSchemas, Value::Array(schemas)) => return self.schemas(schemas, pointer),
            (Form::OneOrSchemas, value) => return self.schema(value, pointer),
            (Form::Schemas, Value::Array(schemas)) if !schemas.is_empty() => {
                return self.schemas(schemas, pointer);
            }
            (Form::Schemas, _) => Some(must("a list of at least one schema")),
            (_, Value::Object(members)) => {
                for (name, value) in members {
                    self.inside(pointer, name, |check, pointer| match (form, value) {
                        (Form::Dependencies, Value::Array(names)) => {
                            check.names(name, names, pointer);
                        }
                        (Form::SchemasByPattern, value) => {
                            check.pattern(name, pointer);
                            check.schema(value, pointer);
                        }
                        (_, value) => check.schema(value, pointer),
                    });
                }
                None
            }
            (Form::SchemasByPattern, _) => {
                Some(must("an object with a schema for each regular expression"))
            }
            _ => Some(must("an object with a schema for each name")),
        };
        if let Some(message) = wrong {
            self.fail(pointer, &message);
        }
    }

    fn schemas(&mut self, schemas: &[Value], pointer: &mut String) {
        for (i, schema) in schemas.iter().enumerate() {
            self.inside(pointer, &i.to_string(), |check, pointer| check.schema(schema, pointer));
        }
    }

    fn names(&mut self, key: &str, names: &[Value], pointer: &mut String) {
        for (i, name) in names.iter().enumerate() {
            let message = if !name.is_string() {
                format!("`{key}` must contain only the names of properties")
            } else if names[..i].contains(name) {
                format!("`{key}` lists {name} twice")
            } else {
                continue;
            };
            self.inside(pointer, &i.to_string(), |check, pointer| check.fail(pointer, &message));
        }
    }

    fn types(&mut self, value: &Value, pointer: &mut String) {
        match value {
            Value::String(name) if TYPES.contains(&name.as_str()) => {}
            Value::String(name) => {
                self.fail(pointer, &format!("unknown type `{name}`{}", expected(name, TYPES)));
            }
            Value::Array(names) if !names.is_empty() && names.iter().all(Value::is_string) => {
                self.names("type", names, pointer);
                for (i, name) in names.iter().enumerate() {
                    self.inside(pointer, &i.to_string(), |check, pointer| {
                        check.types(name, pointer);
                    });
                }
            }
            _ => self.fail(pointer, "`type` must be the name of a type or a list of such names"),
        }
    }

    fn pattern(&mut self, pattern: &str, pointer: &str) {
        if let Some(mistake) = expressions::mistake(pattern) {
            self.fail(pointer, &format!("the regular expression `{pattern}` {mistake}"));
        }
    }

    /// Goes one step further from a place.
    fn inside(
        &mut self,
        pointer: &mut String,
        step: &str,
        go: impl FnOnce(&mut Self, &mut String),
    ) {
        let length = pointer.len();
        pointer::push(pointer, step);
        go(self, pointer);
        pointer.truncate(length);
    }

    fn fail(&mut self, pointer: &str, message: &str) {
        self.problems.report_in(self.document, &JsonPath::of_pointer(pointer), message);
    }
}

/// Whether a number is a length or a count, which may be written as `2.0`.
fn is_size(number: f64) -> bool {
    number >= 0.0 && number.fract() == 0.0
}
