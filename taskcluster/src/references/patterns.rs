//! The patterns of arguments and query options, which deployments do not serve.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use serde_json::{Map, Value};

use super::documents::{Documents, reference_at};

/// The file in which the macro looks for patterns: beside a reference, or in a folder above it.
const FILE: &str = "patterns.json";

/// Those of the built-in services.
const KNOWN: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/references/current/patterns.json"));

/// Adds the file to new documents if it lacks a service of theirs whose patterns are known. What it says stays.
pub(super) fn add(folder: &Path, new: &mut Documents) {
    let mut file: Map<String, Value> = match fs::read(folder.join(FILE)) {
        Ok(text) => match serde_json::from_slice(&text) {
            Ok(file) => file,
            // The macro says what is wrong with it.
            Err(_) => return,
        },
        // A new file would hide one above.
        Err(error) if error.kind() != ErrorKind::NotFound || is_above(folder) => return,
        Err(_) => Map::new(),
    };
    let known: Map<String, Value> = serde_json::from_str(KNOWN).unwrap_or_default();
    let is_new = |service: &String| {
        let mut services = new.keys().filter_map(|path| reference_at(path));
        services.any(|(name, ..)| name == service) && !file.contains_key(service)
    };
    let mut added: Map<_, _> = known.into_iter().filter(|(service, _)| is_new(service)).collect();
    if !added.is_empty() {
        file.append(&mut added);
        new.insert(FILE.to_owned(), file.into());
    }
}

fn is_above(folder: &Path) -> bool {
    folder.ancestors().skip(1).any(|above| above.join(FILE).exists())
}
