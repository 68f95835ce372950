//! References that tests write, and what becomes of them.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::expansion;

/// A folder with a reference and its schemas, removed at the end.
pub(super) struct Folder(pub(super) PathBuf);

impl Folder {
    /// A reference in `api.json`, and schemas by name.
    pub(super) fn of(reference: &Value, schemas: &[(&str, Value)]) -> Self {
        static NEXT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let name = format!("taskcluster-macros-{}-{number}", std::process::id());
        let folder = Self(std::env::temp_dir().join(name));
        let schemas_folder = folder.0.join("schemas/builds/v1");
        std::fs::create_dir_all(&schemas_folder).unwrap();
        write(&folder.0.join("api.json"), reference);
        for (name, schema) in schemas {
            write(&schemas_folder.join(name), schema);
        }
        folder
    }

    pub(super) fn expansion(&self) -> String {
        self.expansion_with("")
    }

    /// The expansion of a struct with these attributes.
    pub(super) fn expansion_with(&self, attributes: &str) -> String {
        let item = format!("{attributes} pub struct Builds = {:?};", self.0.join("api.json"));
        expansion(syn::parse_str(&item).unwrap()).to_string()
    }

    /// The errors of the expansion, with paths below the folder.
    pub(super) fn errors(&self) -> Vec<String> {
        let folder = format!("{}/", self.0.display());
        errors(&self.expansion()).into_iter().map(|error| error.replace(&folder, "")).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The errors in an expansion.
pub(super) fn errors(rust: &str) -> Vec<String> {
    let messages = rust.split("compile_error ! {").skip(1).map(|rest| {
        let literal = rest[..rest.find("\" }").unwrap() + 1].trim();
        syn::parse_str::<syn::LitStr>(literal).unwrap().value()
    });
    messages.collect()
}

fn write(path: &Path, json: &Value) {
    std::fs::write(path, json.to_string()).unwrap();
}

pub(super) fn endpoint(name: &str, method: &str, route: &str, args: &[&str]) -> Value {
    json!({"type": "function", "name": name, "method": method, "route": route, "args": args})
}

/// A reference of the service `builds` with these entries.
pub(super) fn builds(entries: impl Into<Value>) -> Value {
    let entries: Value = entries.into();
    json!({"serviceName": "builds", "apiVersion": "v1", "entries": entries})
}

/// A reference of one endpoint, which takes this schema.
pub(super) fn taking(schema: Value) -> Folder {
    let mut build = endpoint("build", "post", "/build", &[]);
    build["input"] = json!("v1/build.json#");
    Folder::of(&builds([build]), &[("build.json", schema)])
}
