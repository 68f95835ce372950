//! Reads the folder that documents are written to.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::documents::{Documents, closure, reference_at, schemas_of_entries};
use super::paths;
use crate::error::{Error, Result};

/// How many folders deep references may be, below the folder.
const MAX_DEPTH: usize = 2;

/// The files of the fetched services that are already in a folder.
pub(super) struct Present {
    /// The documents that are replaced or removed.
    pub(super) documents: Documents,
    /// Those that the deployment no longer serves and that nothing else in the folder refers to.
    pub(super) stale: BTreeSet<String>,
}

impl Present {
    /// Finds what new documents replace: the references and schemas of their services. Other files, and files that are not
    /// JSON, are ignored.
    pub(super) fn read(folder: &Path, new: &Documents) -> Result<Self> {
        let services: BTreeSet<_> =
            new.keys().filter_map(|path| reference_at(path)).map(|(service, ..)| service).collect();
        let read = |path: String| {
            let text = fs::read(place(folder, &path)).ok()?;
            Some((path, serde_json::from_slice::<Value>(&text).ok()?))
        };
        let mut documents: Documents =
            json_files(folder, "", 0)?.into_iter().filter_map(read).collect();

        // The schemas that the references of other services need.
        let mut needed = BTreeSet::new();
        for (path, document) in &documents {
            let is_replaced =
                reference_at(path).is_some_and(|(service, ..)| services.contains(service));
            if !is_replaced && !path.starts_with("schemas/") {
                let service = document["serviceName"].as_str().unwrap_or_default();
                let named = schemas_of_entries(service, document, &[]).unwrap_or_default();
                needed.extend(named.into_iter().map(|(_, path)| path));
            }
        }
        let needed = closure(needed, &documents);

        let is_stale = |path: &str| {
            let service = match path.strip_prefix("schemas/") {
                Some(path) => path.split('/').next(),
                None => reference_at(path).map(|(service, ..)| service),
            };
            let is_ours = service.is_some_and(|service| services.contains(service));
            is_ours && !new.contains_key(path) && !needed.contains(path)
        };
        let stale: BTreeSet<_> = documents.keys().filter(|path| is_stale(path)).cloned().collect();
        documents.retain(|path, _| new.contains_key(path) || stale.contains(path));
        Ok(Self { documents, stale })
    }
}

/// Returns the file of a path below the folder.
pub(super) fn place(folder: &Path, path: &str) -> PathBuf {
    let mut place = folder.to_owned();
    place.extend(path.split('/'));
    place
}

/// Finds the paths of all JSON files with plain names below a folder, without following links.
fn json_files(folder: &Path, below: &str, depth: usize) -> Result<Vec<String>> {
    let unreadable = |error| cannot("read", folder, error);
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(unreadable)?;
        let kind = entry.file_type().map_err(unreadable)?;
        let Some(name) =
            entry.file_name().to_str().filter(|name| paths::is_plain(name)).map(str::to_owned)
        else {
            continue;
        };
        let path = format!("{below}{name}");
        if kind.is_file() && name.ends_with(".json") {
            found.push(path);
        } else if kind.is_dir() && (depth < MAX_DEPTH || path.starts_with("schemas/")) {
            found.extend(json_files(&entry.path(), &format!("{path}/"), depth + 1)?);
        }
    }
    Ok(found)
}

/// An error about a file or folder.
pub(super) fn cannot(what: &str, path: &Path, error: std::io::Error) -> Error {
    Error::config(format!("cannot {what} {}", path.display())).because(error)
}
