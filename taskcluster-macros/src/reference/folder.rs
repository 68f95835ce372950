//! Finds the references below a folder, and names a struct for each.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::Ident;
use syn::{LitStr, Token, Visibility};

use crate::input::files::Files;
use crate::input::invocation::Item;
use crate::input::problems::{Problems, ProblemsAt, did_you_mean};
use crate::names;
use crate::reference::read;

/// The items of a folder: one for each JSON file below it that has `entries`.
pub(crate) fn items(folder: &Item, files: &mut Files, problems: &mut Problems) -> Vec<Item> {
    let mut problems = problems.at(folder.path.span());
    let paths = match files.below(folder.path.value().trim_end_matches('/')) {
        Ok(paths) => paths,
        Err(message) => {
            problems.report(message);
            return Vec::new();
        }
    };
    let mut found = BTreeMap::new();
    let mut is_empty = true;
    for path in paths {
        let document = match files.read(&path) {
            Ok(document) if document.json.get("entries").is_some() => document,
            // Some other file.
            Ok(_) => continue,
            Err(message) => {
                problems.report(message);
                continue;
            }
        };
        is_empty = false;
        let Some(heading) = read::heading(&document, &mut problems) else { continue };
        let name = names::service(&heading.service, &heading.version, heading.of_exchanges);
        if let Some(other) = found.get(&name) {
            problems.report(format!("`{other}` and `{path}` are both named `{name}`"));
        } else {
            found.insert(name, path);
        }
    }
    if is_empty {
        let path = folder.path.value();
        problems
            .report(format!("no API reference in `{path}`: no JSON file below it has `entries`"));
    }
    keep_listed(folder, &mut found, &mut problems);
    let item = |(name, path): (String, String)| Item {
        attributes: Vec::new(),
        visibility: Visibility::Public(<Token![pub]>::default()),
        name: Ident::new(&name, folder.name.span()),
        path: LitStr::new(&path, folder.path.span()),
        keep: None,
        free_form_if_missing: folder.free_form_if_missing,
    };
    found.into_iter().map(item).collect()
}

/// Drops what the folder's list does not name, if it has one, and reports names that are not found.
fn keep_listed(folder: &Item, found: &mut BTreeMap<String, String>, problems: &mut ProblemsAt<'_>) {
    let Some(keep) = &folder.keep else { return };
    let mut kept = BTreeSet::new();
    for ident in keep {
        let name = ident.to_string();
        if !found.contains_key(&name) {
            let hint = did_you_mean(&name, found.keys().map(String::as_str));
            let path = folder.path.value();
            problems
                .report_at(ident.span(), format!("no reference for `{name}` in `{path}`{hint}"));
        } else if !kept.insert(name) {
            problems.report_at(ident.span(), format!("`{ident}` is listed twice"));
        }
    }
    found.retain(|name, _| kept.contains(name));
}
