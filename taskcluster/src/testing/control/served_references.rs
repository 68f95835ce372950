//! The references and schemas that the deployment serves, as a real one does: by themselves, all in one file, and listed.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use super::state::State;
use crate::Reference;
use crate::references::{path_of, to_json};
use crate::testing::http::answer::{Refusal, Reply};
use crate::testing::http::request::Incoming;

macro_rules! embed {
    ($($path:literal)*) => { &[$((
        concat!("references/", $path),
        include_str!(concat!("../../../references/current/", $path)),
    )),*] };
}

/// The paths of the references that are built in, with the texts of their files.
const BUILT_IN: &[(&str, &str)] = embed! {
    "auth/v1/api.json"
    "auth/v1/exchanges.json"
    "github/v1/api.json"
    "github/v1/exchanges.json"
    "hooks/v1/api.json"
    "hooks/v1/exchanges.json"
    "index/v1/api.json"
    "notify/v1/api.json"
    "notify/v1/exchanges.json"
    "object/v1/api.json"
    "purge-cache/v1/api.json"
    "queue/v1/api.json"
    "queue/v1/exchanges.json"
    "secrets/v1/api.json"
    "web-server/v1/api.json"
    "worker-manager/v1/api.json"
    "worker-manager/v1/exchanges.json"
};

impl State {
    /// Answers what is below `/references` and `/schemas`; `None` for anything else. No signature is asked for.
    pub(super) fn answer_references(&self, request: &Incoming) -> Option<Reply> {
        let path = request.resource.split('?').next()?.strip_prefix('/')?;
        let is_meant = path.starts_with("references/") || path.starts_with("schemas/");
        if !is_meant || request.method != Method::GET {
            return None;
        }
        let document = match path {
            "references/references.json" => Some(self.everything()),
            "references/manifest.json" => Some(self.manifest()),
            path => self.document(path).map(|document| self.absolute(document)),
        };
        let missing = || Refusal::not_found(format!("there is no document /{path}")).into();
        Some(document.map_or_else(missing, Reply::from))
    }

    /// All documents in one.
    fn everything(&self) -> Value {
        let paths = self.reference_paths().into_iter().chain(self.context().schemas.paths());
        let with_content = |path: String| {
            let content = self.document(&path)?;
            Some(json!({"filename": path, "content": content}))
        };
        paths.filter_map(with_content).collect()
    }

    fn manifest(&self) -> Value {
        let root = self.context().root_url();
        let urls: Vec<_> =
            self.reference_paths().iter().map(|path| format!("{root}/{path}")).collect();
        json!({"$schema": format!("{root}/schemas/common/manifest-v3.json#"), "references": urls})
    }

    fn document(&self, path: &str) -> Option<Value> {
        if path.starts_with("schemas/") {
            self.context().schemas.at(path)
        } else {
            self.reference_at(path)
        }
    }

    /// `$schema` and `$id` as they are in documents that are served by themselves.
    fn absolute(&self, mut document: Value) -> Value {
        for key in ["$schema", "$id"] {
            if let Some(path) = document[key].as_str().filter(|path| path.starts_with('/')) {
                document[key] = format!("{}{path}", self.context().root_url()).into();
            }
        }
        document
    }

    /// The paths of all references.
    fn reference_paths(&self) -> BTreeSet<String> {
        let added = self.added_references().into_iter().map(|(path, _)| path);
        added.chain(BUILT_IN.iter().map(|(path, _)| (*path).to_owned())).collect()
    }

    /// What was added by `serve`, the latest first. Those of 2017 are not: no deployment serves them in this form.
    fn added_references(&self) -> Vec<(String, &'static Reference)> {
        let added = self.references().into_iter().filter(|reference| {
            reference.base_url.is_none() && reference.version_of_taskcluster().is_none()
        });
        added.map(|reference| (path_below_root(reference), reference)).collect()
    }

    /// The reference at a path. Several of one service are one, in which the entries of the latest count.
    fn reference_at(&self, path: &str) -> Option<Value> {
        let built_in = BUILT_IN.iter().find(|(known, _)| *known == path);
        let built_in = built_in.and_then(|(_, text)| serde_json::from_str(text).ok());
        let added = self.added_references().into_iter().filter(|(known, _)| known == path);
        let added = added.map(|(_, reference)| to_json(reference));
        // From the oldest to the latest.
        let mut all = built_in.into_iter().chain(added.rev());
        let mut reference: Value = all.next()?;
        for later in all {
            let entries = reference["entries"].as_array_mut()?;
            for entry in later["entries"].as_array()? {
                match entries.iter_mut().find(|known| known["name"] == entry["name"]) {
                    Some(known) => known.clone_from(entry),
                    None => entries.push(entry.clone()),
                }
            }
        }
        Some(reference)
    }
}

fn path_below_root(reference: &Reference) -> String {
    format!("references/{}", path_of(reference))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reference_that_is_built_in_is_served() {
        let state = State::default();
        let known: BTreeSet<_> = state.references().into_iter().map(path_below_root).collect();
        let served = state.reference_paths();
        assert!(known.is_subset(&served), "{known:?}");
        for (path, _) in BUILT_IN {
            let file = path.replace("references/", "references/current/");
            let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
            let text = std::fs::read_to_string(file).unwrap();
            assert_eq!(
                state.document(path).unwrap(),
                serde_json::from_str::<Value>(&text).unwrap()
            );
        }
        let mut files = BTreeSet::new();
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("references/current");
        for service in std::fs::read_dir(folder).unwrap() {
            let service = service.unwrap();
            for file in ["v1/api.json", "v1/exchanges.json"] {
                if service.path().join(file).is_file() {
                    files.insert(format!(
                        "references/{}/{file}",
                        service.file_name().to_str().unwrap()
                    ));
                }
            }
        }
        assert_eq!(served, files);
    }
}
