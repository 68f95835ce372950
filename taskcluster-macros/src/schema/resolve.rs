//! JSON schemas and the references between them.

use serde_json::{Map, Value};

use crate::input::files::Files;
use crate::schema::types::Place;

/// A schema and its place.
#[derive(Clone)]
pub(crate) struct Schema {
    pub(crate) place: Place,
    pub(crate) json: Value,
}

impl Schema {
    pub(crate) fn whole(files: &mut Files, path: &str) -> Result<Self, String> {
        let json = files.read(path)?.json.clone();
        Ok(Self { place: Place { path: path.to_owned(), pointer: String::new() }, json })
    }

    /// The part of this schema that `steps` lead to.
    pub(crate) fn part(&self, steps: &[&str]) -> Option<Self> {
        let mut json = &self.json;
        for step in steps {
            json = match json {
                Value::Array(items) => items.get(step.parse::<usize>().ok()?)?,
                other => other.get(step)?,
            };
        }
        Some(Self { place: self.place.inside(steps), json: json.clone() })
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

/// Follows the references of schemas.
pub(crate) struct Resolver<'a> {
    pub(crate) files: &'a mut Files,
    /// The API reference that names the schemas, and its service: where to look for absolute references.
    pub(crate) reference: &'a str,
    pub(crate) service: &'a str,
}

impl Resolver<'_> {
    /// Returns the schema at the end of a chain of `$ref`s, with its own place.
    ///
    /// # Errors
    ///
    /// Returns a message for the user.
    pub(crate) fn follow(&mut self, schema: Schema) -> Result<Schema, String> {
        let mut schema = schema;
        // More hops than any schema needs; schemas that refer to each other would loop forever.
        for _ in 0..32 {
            let Some(target) = schema.text("$ref") else { return Ok(schema) };
            schema = self.target(&schema.place, target)?;
        }
        Err(format!("{}: `$ref`s form a cycle", schema.place.path))
    }

    fn target(&mut self, from: &Place, target: &str) -> Result<Schema, String> {
        let (file, pointer) = target.split_once('#').unwrap_or((target, ""));
        let lost =
            |why: String| format!("{}: cannot resolve `$ref` to `{target}`: {why}", from.path);
        let path = if file.is_empty() {
            from.path.clone()
        } else {
            self.path_of(&from.path, file).map_err(&lost)?
        };
        let document = self.files.read(&path).map_err(&lost)?;
        // Only the part that is meant is copied: a file may have thousands of definitions.
        match document.json.pointer(pointer) {
            Some(json) => Ok(Schema {
                place: Place { path, pointer: pointer.to_owned() },
                json: json.clone(),
            }),
            None => Err(lost(format!("there is nothing at `{pointer}` in `{path}`"))),
        }
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
