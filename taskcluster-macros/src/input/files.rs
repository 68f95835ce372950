//! The JSON files that an expansion reads and the compiler must watch.

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use serde_json::Value;

use crate::input::ids::Ids;
use crate::input::order::Ordered;

/// A JSON file.
pub(crate) struct Document {
    /// As the user wrote it or derived from that, relative to the folder of the crate's Cargo.toml.
    pub(crate) path: String,
    pub(crate) text: String,
    pub(crate) json: Rc<Value>,
    ordered: OnceCell<Ordered>,
    /// Parts that were asked for, by their pointers.
    parts: RefCell<HashMap<String, Rc<Value>>>,
    ids: OnceCell<Ids>,
}

impl Document {
    /// The same JSON, with the members of objects in the order of the file.
    pub(crate) fn ordered(&self) -> &Ordered {
        self.ordered.get_or_init(|| Ordered::of(&self.text))
    }

    /// The value at a JSON pointer. However often it is asked for, it is copied only once.
    pub(crate) fn at(&self, pointer: &str) -> Option<Rc<Value>> {
        if pointer.is_empty() {
            return Some(self.json.clone());
        }
        let mut parts = self.parts.borrow_mut();
        if !parts.contains_key(pointer) {
            parts.insert(pointer.to_owned(), Rc::new(self.json.pointer(pointer)?.clone()));
        }
        parts.get(pointer).cloned()
    }

    /// What the `$id`s in it name.
    pub(crate) fn ids(&self) -> &Ids {
        self.ids.get_or_init(|| Ids::of(&self.text, &self.json))
    }
}

/// Reads files relative to the folder of a crate's Cargo.toml, each once.
pub(crate) struct Files {
    root: PathBuf,
    read: BTreeMap<String, Rc<Document>>,
}

impl Files {
    pub(crate) fn in_this_crate() -> Self {
        let root = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default();
        Self { root: root.into(), read: BTreeMap::new() }
    }

    /// Reads and parses a file.
    ///
    /// # Errors
    ///
    /// Returns a message for the user.
    pub(crate) fn read(&mut self, path: &str) -> Result<Rc<Document>, String> {
        if let Some(document) = self.read.get(path) {
            return Ok(document.clone());
        }
        let text = std::fs::read_to_string(self.root.join(path)).map_err(|error| {
            format!(
                "cannot read `{path}`: {error}; the path is relative to the folder of Cargo.toml"
            )
        })?;
        let json = serde_json::from_str(&text).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            let what = error.to_string();
            match what.split(" at line ").next().unwrap_or_default() {
                "recursion limit exceeded" => {
                    format!("{path}:{line}:{column}: values are nested more than 127 deep")
                }
                what => format!("{path}:{line}:{column}: invalid JSON: {what}"),
            }
        })?;
        let document = Rc::new(Document {
            path: path.to_owned(),
            text,
            json: Rc::new(json),
            ordered: OnceCell::new(),
            parts: RefCell::default(),
            ids: OnceCell::new(),
        });
        self.read.insert(path.to_owned(), document.clone());
        Ok(document)
    }

    /// Whether there is such a file.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.read.contains_key(path) || self.root.join(path).is_file()
    }

    /// Finds the JSON files below a folder, except in folders called `schemas` and hidden ones.
    ///
    /// # Errors
    ///
    /// Returns a message for the user.
    pub(crate) fn below(&self, folder: &str) -> Result<Vec<String>, String> {
        let failed = |error| {
            format!(
                "cannot read the folder `{folder}`: {error}; the path is relative to the folder of Cargo.toml"
            )
        };
        let mut found = Vec::new();
        for entry in std::fs::read_dir(self.root.join(folder)).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = Path::new(folder).join(&name).to_string_lossy().replace('\\', "/");
            if name.starts_with('.') || name == "schemas" {
                continue;
            }
            // A link to a folder is not followed: it may lead in a circle.
            if entry.file_type().map_err(failed)?.is_dir() {
                found.extend(self.below(&path)?);
            } else if name.ends_with(".json") {
                found.push(path);
            }
        }
        found.sort();
        Ok(found)
    }

    /// The paths of all files read so far.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &str> {
        self.read.keys().map(String::as_str)
    }

    /// Finds the nearest file of this name: next to a reference or further up.
    pub(crate) fn find_above(&self, reference: &str, name: &str) -> Option<String> {
        places_above(reference, name).into_iter().find(|place| self.has(place))
    }

    /// Finds the file of a schema that a reference names: in a folder `schemas/<service>` next to the reference or further up.
    ///
    /// # Errors
    ///
    /// Returns the paths that were tried.
    pub(crate) fn find_schema(
        &self,
        reference: &str,
        service: &str,
        schema: &str,
    ) -> Result<String, Vec<String>> {
        // References of 2017 name schemas by full URLs, `https://host[/schemas]/<service>/<version>/<name>.json`.
        let absolute = schema.split_once("://").and_then(|(_, rest)| rest.split_once('/'));
        let below_schemas = match absolute {
            Some((_, path)) => path.trim_start_matches("schemas/").to_owned(),
            None => match schema.strip_prefix("/schemas/") {
                Some(path) => path.to_owned(),
                None => format!("{service}/{schema}"),
            },
        };
        let places = places_above(reference, &format!("schemas/{below_schemas}"));
        match places.iter().find(|place| self.has(place)) {
            Some(place) => Ok(place.clone()),
            None => Err(places),
        }
    }
}

/// The path next to a file and in each folder above it, the nearest first.
fn places_above(file: &str, path: &str) -> Vec<String> {
    let folders = Path::new(file).ancestors().skip(1);
    folders.map(|folder| folder.join(path).to_string_lossy().replace('\\', "/")).collect()
}
