//! Validates payloads, answers and messages. Each schema is compiled when it is first needed.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::error::Error as StdError;
use std::fmt;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use boon::{Compiler, Draft, ErrorKind, SchemaIndex, UrlLoader, ValidationError};
use serde_json::Value;

use super::answer::{Refusal, Reply};
use super::call::RecordedCall;
use super::embedded_schemas::{embedded_paths, embedded_schema};
use crate::{Endpoint, Error, Result};

/// The root of the current generation's schemas, whose ids are paths in a deployment.
const CURRENT: &str = "taskcluster:///schemas/";
const OF_2017: &str = "http://schemas.taskcluster.net/";

/// All schemas that a deployment knows.
#[derive(Default)]
pub(crate) struct Schemas(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    /// The schemas added by the test, by URL.
    added: Arc<HashMap<String, Value>>,
    compiled: boon::Schemas,
    indices: HashMap<String, SchemaIndex>,
    /// Schemas read for their defaults, by URL.
    read: HashMap<String, Arc<Value>>,
}

/// The reason for rejecting a value.
#[derive(Debug)]
pub(crate) enum Problem {
    /// It does not fit the schema. Lists the places, one per line.
    Misfit(String),
    /// The schema is unknown or invalid.
    NoSchema(String),
}

impl Schemas {
    /// Checks a value against a schema as a service's reference names it: by URL, or by path below the service's schemas.
    pub(crate) fn check(&self, service: &str, schema: &str, value: &Value) -> Result<(), Problem> {
        let url = url(service, schema);
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let index = inner.index(&url).map_err(Problem::NoSchema)?;
        inner.compiled.validate(value, index).map_err(|mut error| {
            hide_values(&mut error);
            // The first line only says that there are errors.
            let text = error.to_string();
            let places: Vec<_> = text.lines().skip(1).collect();
            Problem::Misfit(places.join("\n").replace("- at '':", "- at the top level:"))
        })
    }

    /// Fills in the defaults of the properties that a call's payload lacks, as the services do before they check it.
    pub(crate) fn fill_defaults(&self, call: &RecordedCall, payload: &mut Value) {
        let Some(schema) = call.endpoint.input else { return };
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inner.fill_defaults(&url(call.service, schema), payload);
    }

    /// Checks a call's payload against the endpoint's schema, if it has one.
    pub(crate) fn check_payload(&self, call: &RecordedCall) -> Result<(), Refusal> {
        let Some(schema) = call.endpoint.input else { return Ok(()) };
        self.check(call.service, schema, call.payload()).map_err(|problem| match problem {
            Problem::Misfit(places) => Refusal::validation(format!(
                "the payload of {} does not fit the schema {schema}:\n\n{places}",
                call.endpoint.name
            )),
            Problem::NoSchema(why) => Refusal::internal(no_schema(schema, &why)),
        })
    }

    /// Checks an answer against the endpoint's schema, unless it is an error.
    pub(crate) fn check_answer(
        &self,
        service: &str,
        endpoint: &Endpoint,
        reply: &Reply,
    ) -> Result<(), String> {
        let (true, Some(schema), Some(body)) =
            (reply.is_promised(), endpoint.output, reply.bytes())
        else {
            return Ok(());
        };
        let misfit = |places: &dyn fmt::Display| {
            format!(
                "this answer of {service}.{name} does not fit the schema {schema}:\n\n{places}",
                name = endpoint.name
            )
        };
        let value = serde_json::from_slice(body).map_err(|error| misfit(&format!("- {error}")))?;
        self.check(service, schema, &value).map_err(|problem| match problem {
            Problem::Misfit(places) => misfit(&places),
            Problem::NoSchema(why) => no_schema(schema, &why),
        })
    }

    /// Removes the properties that a schema forbids only because it does not know them.
    pub(crate) fn prune(&self, service: &str, schema: &str, value: &mut Value) {
        let url = url(service, schema);
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Ok(index) = inner.index(&url) else { return };
        let mut unknown = Vec::new();
        if let Err(error) = inner.compiled.validate(value, index) {
            collect_unknown(&error, &mut unknown);
        }
        for (place, name) in unknown {
            if let Some(Value::Object(members)) = value.pointer_mut(&place) {
                members.remove(&name);
            }
        }
    }

    /// Checks that this is a JSON schema, whatever it refers to.
    pub(crate) fn check_schema(&self, schema: &Value) -> Result<(), Problem> {
        self.check("", "http://json-schema.org/draft-07/schema", schema)
    }

    /// Checks a value against this schema.
    pub(crate) fn check_by(schema: &Value, value: &Value) -> Result<(), Problem> {
        let url = format!("{CURRENT}given.json");
        let added = Arc::new(HashMap::from([(url.clone(), schema.clone())]));
        let schemas = Self(Mutex::new(Inner { added, ..Inner::default() }));
        schemas.check("", &url, value)
    }

    /// Returns the paths of the current generation's schemas in a deployment.
    pub(crate) fn paths(&self) -> BTreeSet<String> {
        let inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let added = inner.added.keys().filter_map(|url| url.strip_prefix(CURRENT));
        let embedded = embedded_paths().filter_map(|path| path.strip_prefix("current/schemas/"));
        added.chain(embedded).map(|path| format!("schemas/{path}")).collect()
    }

    /// Returns the schema at one of these paths.
    pub(crate) fn at(&self, path: &str) -> Option<Value> {
        let path = path.strip_prefix("schemas/")?;
        let inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let added = inner.added.get(&format!("{CURRENT}{path}")).cloned();
        added.or_else(|| {
            serde_json::from_str(embedded_schema(&format!("current/schemas/{path}"))?).ok()
        })
    }

    /// Adds all schema files below a folder that is laid out like a deployment's `/schemas`.
    pub(crate) fn add(&self, folder: &Path) -> Result<()> {
        let mut files = Vec::new();
        collect(folder, CURRENT, &mut files)?;
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Schemas that are already compiled may refer to replaced ones.
        let mut added = HashMap::clone(&inner.added);
        for (url, schema) in files {
            if let Some(id) = schema["$id"].as_str().or(schema["id"].as_str())
                && id.contains("://")
            {
                added.insert(id.trim_end_matches('#').to_owned(), schema.clone());
            }
            added.insert(url, schema);
        }
        *inner = Inner { added: Arc::new(added), ..Inner::default() };
        Ok(())
    }
}

fn no_schema(schema: &str, why: &str) -> String {
    format!(
        "the embedded deployment cannot use the schema {schema}: {why}; \
         add schemas of your own references with `deployment.schemas(folder)`"
    )
}

fn url(service: &str, schema: &str) -> String {
    match schema.contains("://") {
        true => schema.to_owned(),
        false => format!("{CURRENT}{service}/{schema}"),
    }
}

/// Resolves a reference to another file in the same folder, or within the same file.
fn resolve(url: &str, reference: &str) -> String {
    let file = url.split_once('#').map_or(url, |(file, _)| file);
    if reference.starts_with('#') {
        return format!("{file}{reference}");
    }
    let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
    format!("{folder}/{reference}")
}

/// Leaves out the texts that are wrong: they may be secret.
fn hide_values(error: &mut ValidationError<'_, '_>) {
    match &mut error.kind {
        ErrorKind::Pattern { got, .. } => *got = "…".into(),
        ErrorKind::Format { got, .. } => *got = Cow::Owned("…".into()),
        _ => {}
    }
    error.causes.iter_mut().for_each(hide_values);
}

/// Collects the properties that a schema does not know, with their places.
fn collect_unknown(error: &ValidationError<'_, '_>, found: &mut Vec<(String, String)>) {
    if let ErrorKind::AdditionalProperties { got } = &error.kind {
        let place = error.instance_location.to_string();
        found.extend(got.iter().map(|name| (place.clone(), name.to_string())));
    }
    for cause in &error.causes {
        collect_unknown(cause, found);
    }
}

impl Inner {
    /// Returns a schema, or a part of it that a fragment names.
    fn read(&mut self, url: &str) -> Option<Value> {
        let (file, place) = url.split_once('#').unwrap_or((url, ""));
        if !self.read.contains_key(file) {
            let schema = Loader(self.added.clone()).load(file).ok()?;
            self.read.insert(file.to_owned(), Arc::new(schema));
        }
        self.read[file].pointer(place).cloned()
    }

    fn fill_defaults(&mut self, url: &str, value: &mut Value) {
        let (Some(schema), Value::Object(members)) = (self.read(url), value) else { return };
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            if let Some(default) = property.get("default") {
                members.entry(name.as_str()).or_insert_with(|| default.clone());
            }
            if let Some(member) = members.get_mut(name)
                && let Some(other) = property["$ref"].as_str()
            {
                self.fill_defaults(&resolve(url, other), member);
            }
        }
    }

    fn index(&mut self, url: &str) -> Result<SchemaIndex, String> {
        if let Some(index) = self.indices.get(url) {
            return Ok(*index);
        }
        // Made anew each time because it cannot be sent between threads; what it has compiled stays.
        let mut compiler = Compiler::new();
        compiler.set_default_draft(Draft::V7);
        compiler.use_loader(Box::new(Loader(self.added.clone())));
        let index =
            compiler.compile(url, &mut self.compiled).map_err(|error| format!("{error:#}"))?;
        self.indices.insert(url.to_owned(), index);
        Ok(index)
    }
}

/// Finds schemas by URL.
struct Loader(Arc<HashMap<String, Value>>);

impl UrlLoader for Loader {
    fn load(&self, url: &str) -> Result<Value, Box<dyn StdError>> {
        let mut schema = match self.0.get(url) {
            Some(schema) => schema.clone(),
            None => {
                let path = if let Some(path) = url.strip_prefix(CURRENT) {
                    format!("current/schemas/{path}")
                } else {
                    format!("2017/schemas/{}", url.strip_prefix(OF_2017).unwrap_or(url))
                };
                let text = embedded_schema(&path).ok_or("no such schema")?;
                serde_json::from_str(text)?
            }
        };
        // Taskcluster's own metaschema has no keywords that draft 7 lacks.
        if schema["$schema"].as_str().is_some_and(|draft| draft.starts_with("/schemas/common/")) {
            schema["$schema"] = "http://json-schema.org/draft-07/schema#".into();
        }
        Ok(schema)
    }
}

/// Reads all JSON files below a folder; `url` is the folder's.
fn collect(folder: &Path, url: &str, found: &mut Vec<(String, Value)>) -> Result<()> {
    let unreadable = |path: &Path, error: &dyn fmt::Display| {
        Error::config(format!("cannot read the schemas in {}: {error}", path.display()))
    };
    for entry in fs::read_dir(folder).map_err(|error| unreadable(folder, &error))? {
        let path = entry.map_err(|error| unreadable(folder, &error))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            collect(&path, &format!("{url}{name}/"), found)?;
        } else if name.ends_with(".json") {
            let text = fs::read_to_string(&path).map_err(|error| unreadable(&path, &error))?;
            let schema = serde_json::from_str(&text).map_err(|error| unreadable(&path, &error))?;
            found.push((format!("{url}{name}"), schema));
        }
    }
    Ok(())
}
