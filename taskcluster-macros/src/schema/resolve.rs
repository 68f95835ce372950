//! JSON schemas and the references between them.

use std::rc::Rc;

use serde_json::{Map, Value};

use crate::input::files::{Document, Files};
use crate::input::locate::{JsonPath, locate};
use crate::input::pointer;
use crate::schema::types::Place;

/// A schema and its place.
#[derive(Clone)]
pub(crate) struct Schema {
    pub(crate) place: Place,
    pub(crate) json: Rc<Value>,
}

impl Schema {
    /// The part of this schema that `steps` lead to.
    pub(crate) fn part(&self, steps: &[&str]) -> Option<Self> {
        let mut pointer = self.place.pointer.clone();
        let mut json = &*self.json;
        for step in steps {
            json = match json {
                Value::Array(items) => items.get(step.parse::<usize>().ok()?)?,
                other => other.get(step)?,
            };
            pointer::push(&mut pointer, step);
        }
        let place = Place { path: self.place.path.clone(), pointer };
        Some(Self { place, json: Rc::new(json.clone()) })
    }

    pub(crate) fn members(&self) -> Option<&Map<String, Value>> {
        self.json.as_object()
    }

    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        self.json.get(key)?.as_str()
    }

    /// The schemas of a list, such as `oneOf`.
    pub(crate) fn list(&self, key: &str) -> Option<Vec<Self>> {
        let count = self.json.get(key)?.as_array()?.len();
        (0..count).map(|index| self.part(&[key, &index.to_string()])).collect()
    }

    /// The values of `enum` or `const`.
    pub(crate) fn allowed(&self) -> Option<Vec<Value>> {
        match (self.json.get("const"), self.json.get("enum")) {
            (Some(value), _) => Some(vec![value.clone()]),
            (None, Some(Value::Array(values))) if !values.is_empty() => Some(values.clone()),
            _ => None,
        }
    }

    /// Whether it lists any properties.
    pub(crate) fn has_properties(&self) -> bool {
        self.json["properties"].as_object().is_some_and(|members| !members.is_empty())
    }

    /// The names of required properties.
    pub(crate) fn required(&self) -> Vec<String> {
        let names = self.json.get("required").and_then(Value::as_array);
        names.into_iter().flatten().filter_map(|name| name.as_str().map(str::to_owned)).collect()
    }
}

/// What a message about a missing schema ends with.
pub(crate) const WITHOUT: &str =
    "; to do without it, write `#[schemas(missing = \"free-form\")]` above the item";

/// Why a schema cannot be had.
pub(crate) enum Lost {
    /// There is no such file, or nothing at that place of it: what was looked for, and a message for the user.
    Missing { name: String, message: String },
    /// A file that cannot be read, or `$ref`s without end.
    Wrong(String),
}

/// Follows the references of schemas.
pub(crate) struct Resolver<'a> {
    pub(crate) files: &'a mut Files,
    /// The API reference that names the schemas, and its service: where to look for absolute references.
    pub(crate) reference: &'a str,
    pub(crate) service: &'a str,
}

impl Resolver<'_> {
    /// Returns the schema that the API reference calls so: a file, or a definition in one, as in
    /// `v1/definitions.json#/definitions/build`.
    ///
    /// # Errors
    ///
    /// Returns a message for the user.
    pub(crate) fn named(&mut self, name: &str) -> Result<Schema, Lost> {
        let (file, fragment) = name.split_once('#').unwrap_or((name, ""));
        let missing = |why: String| {
            let message = format!("cannot find the schema `{name}`{why}");
            Lost::Missing { name: name.to_owned(), message }
        };
        let path = self
            .files
            .find_schema(self.reference, self.service, file)
            .map_err(|places| missing(format!("; looked for `{}`", places.join("` and `"))))?;
        let document = self.files.read(&path).map_err(Lost::Wrong)?;
        let pointer = document.ids().find_from_outside(&decoded(fragment));
        within(&document, pointer, fragment).map_err(|why| missing(format!(": {why}")))
    }

    /// Returns the schema at the end of a chain of `$ref`s, with its own place.
    ///
    /// # Errors
    ///
    /// Returns a message for the user.
    pub(crate) fn follow(&mut self, schema: Schema) -> Result<Schema, Lost> {
        let mut schema = schema;
        // More hops than any schema needs; schemas that refer to each other would loop forever.
        for _ in 0..32 {
            let Some(target) = schema.text("$ref") else { return Ok(schema) };
            schema = self.target(&schema.place, target)?;
        }
        Err(Lost::Wrong(format!("{}: `$ref`s form a cycle", schema.place.path)))
    }

    /// Returns the schema that a `$ref` at this place means.
    ///
    /// # Errors
    ///
    /// Returns a message for the user.
    pub(crate) fn target(&mut self, from: &Place, target: &str) -> Result<Schema, Lost> {
        let (file, fragment) = target.split_once('#').unwrap_or((target, ""));
        let (file, pointer) = (decoded(file), decoded(fragment));
        let own = self.files.read(&from.path).map_err(Lost::Wrong)?;
        let lost = |why: String| {
            let place = JsonPath::of_pointer(&from.pointer).key("$ref");
            let (line, column) = locate(&own.text, &place);
            format!("{}:{line}:{column}: cannot resolve `$ref` to `{target}`: {why}", from.path)
        };
        let missing = |why| Lost::Missing { name: target.to_owned(), message: lost(why) };
        let here = own.ids().find(&from.pointer, &file, &pointer);
        if file.is_empty() || here.is_some() {
            return within(&own, here, fragment).map_err(missing);
        }
        let path = self.path_of(&from.path, &file).map_err(missing)?;
        if !self.files.has(&path) {
            return Err(missing(format!("there is no `{path}`")));
        }
        let other = self.files.read(&path).map_err(|why| Lost::Wrong(lost(why)))?;
        within(&other, other.ids().find_from_outside(&pointer), fragment).map_err(missing)
    }

    /// The path of another schema file: relative to this one, or among the schemas of the deployment.
    pub(crate) fn path_of(&self, from: &str, file: &str) -> Result<String, String> {
        if !file.starts_with('/') && !file.contains("://") {
            let folder = from.rsplit_once('/').map_or("", |(folder, _)| folder);
            let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
            for part in file.split('/') {
                match part {
                    "" | "." => {}
                    ".." => drop(parts.pop()),
                    part => parts.push(part),
                }
            }
            let slash = if folder.starts_with('/') { "/" } else { "" };
            return Ok(format!("{slash}{}", parts.join("/")));
        }
        self.files
            .find_schema(self.reference, self.service, file)
            .map_err(|places| format!("no such file; looked for `{}`", places.join("` and `")))
    }
}

/// The part of a document at a pointer, which the fragment of a URI stands for.
fn within(document: &Document, pointer: Option<String>, fragment: &str) -> Result<Schema, String> {
    let path = &document.path;
    let found = pointer.and_then(|pointer| Some((document.at(&pointer)?, pointer)));
    let Some((json, pointer)) = found else {
        return Err(format!("there is nothing at `{fragment}` in `{path}`"));
    };
    Ok(Schema { place: Place { path: path.clone(), pointer }, json })
}

/// Decodes the percent-escapes of a URI. What is no escape stays.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escape = (*first == b'%')
            .then(|| after.get(..2))
            .flatten()
            .filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(escape.unwrap_or(*first));
        rest = if escape.is_some() { &after[2..] } else { after };
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}
