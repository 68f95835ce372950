//! Deployments that serve references, and folders that these are fetched into.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use taskcluster::references::{Change, Changes};
use taskcluster::*;
use taskcluster_tests::json as json_answer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// A folder that is gone when its test is over.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        let path = std::env::temp_dir().join(format!("taskcluster-{}", slugid::v4()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn json(&self, path: &str) -> Value {
        serde_json::from_str(&fs::read_to_string(self.0.join(path)).unwrap()).unwrap()
    }

    /// All files below it.
    pub(crate) fn files(&self) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        let mut folders = vec![self.0.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let name = path.strip_prefix(&self.0).unwrap().to_str().unwrap().to_owned();
                    found.insert(name, fs::read_to_string(path).unwrap());
                }
            }
        }
        found
    }
}

impl AsRef<Path> for Folder {
    fn as_ref(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A server of documents: the raw answer of each path, and the paths that were asked for.
#[derive(Clone, Default)]
pub(crate) struct Documents {
    answers: Arc<Mutex<BTreeMap<String, String>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Documents {
    /// Serves; what is not there is 404.
    pub(crate) async fn start(&self) -> Client {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let root = format!("http://{}/tc", listener.local_addr().unwrap());
        let (served, root_url) = (self.clone(), root.clone());
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let (served, root) = (served.clone(), root_url.clone());
                tokio::spawn(async move {
                    let mut request = Vec::new();
                    while !request.ends_with(b"\r\n\r\n") {
                        if stream.read_buf(&mut request).await.unwrap_or(0) == 0 {
                            return;
                        }
                    }
                    let head = String::from_utf8(request).unwrap();
                    assert!(!head.to_ascii_lowercase().contains("authorization"), "{head}");
                    let path = head.split(' ').nth(1).unwrap().strip_prefix("/tc/").unwrap();
                    served.asked.lock().unwrap().push(path.to_owned());
                    let answer = served.answers.lock().unwrap().get(path).cloned();
                    let missing = || json_answer("404 Not Found", "{}");
                    let answer = answer.unwrap_or_else(missing).replace("ROOT", &root);
                    // A client that has seen enough goes away.
                    let _ = stream.write_all(answer.as_bytes()).await;
                    let _ = stream.shutdown().await;
                });
            }
        });
        let retry = Retry::default().first_delay(std::time::Duration::ZERO);
        let credentials = Credentials::new("tester", "no-secret");
        let http = super::plain();
        Client::builder(root)
            .http_client(http)
            .credentials(credentials)
            .retry(retry)
            .build()
            .unwrap()
    }

    pub(crate) fn put(&self, path: &str, document: &Value) {
        // `ROOT` is shorter than what takes its place, so that the length is left out.
        let answer = format!(
            "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json\r\n\r\n{document}"
        );
        self.put_raw(path, answer);
    }

    pub(crate) fn put_raw(&self, path: &str, answer: String) {
        self.answers.lock().unwrap().insert(path.to_owned(), answer);
    }

    pub(crate) fn remove(&self, path: &str) {
        self.answers.lock().unwrap().remove(path);
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }

    /// As `references.json`, the form in which everything is in one document.
    pub(crate) fn put_whole(&self, documents: &[(&str, Value)]) {
        let items: Vec<_> = documents
            .iter()
            .map(|(path, content)| json!({"filename": path, "content": content}))
            .collect();
        self.put("references/references.json", &json!(items));
    }

    /// Each by itself, with absolute `$schema` and `$id`.
    pub(crate) fn put_each(&self, documents: &[(&str, Value)]) {
        for (path, document) in documents {
            let mut document = document.clone();
            for key in ["$schema", "$id"] {
                if let Some(path) = document.get(key).and_then(Value::as_str) {
                    document[key] = json!(format!("ROOT{path}"));
                }
            }
            self.put(path, &document);
        }
    }
}

pub(crate) fn api(service: &str, entries: Value) -> Value {
    json!({
        "$schema": "/schemas/common/api-reference-v0.json#",
        "apiVersion": "v1", "serviceName": service, "title": "t", "description": "d", "entries": entries,
    })
}

pub(crate) fn schema(path: &str, rest: Value) -> Value {
    let mut schema =
        json!({"$schema": "/schemas/common/metaschema.json#", "$id": format!("/{path}#")});
    for (key, value) in rest.as_object().unwrap() {
        schema[key] = value.clone();
    }
    schema
}

/// Two services that share a schema, exchanges, what is of an unknown kind, and a schema that nothing needs.
pub(crate) fn deployment() -> Vec<(&'static str, Value)> {
    let entry = |name: &str, rest: Value| {
        let mut entry = json!({
            "type": "function", "name": name, "title": "t", "description": "d", "method": "get", "route": format!("/{name}"),
            "args": [], "query": ["limit"], "stability": "stable", "category": "c",
        });
        for (key, value) in rest.as_object().unwrap() {
            entry[key] = value.clone();
        }
        entry
    };
    let schema = |path: &'static str, rest| (path, schema(path, rest));
    vec![
        (
            "references/cars/v1/api.json",
            api(
                "cars",
                json!([
                    entry("drive", json!({"output": "v1/trip.json#", "scopes": "cars:drive"})),
                    entry(
                        "park",
                        json!({"method": "post", "input": "v1/place.json#", "output": "blob"})
                    ),
                ]),
            ),
        ),
        (
            "references/cars/v1/exchanges.json",
            json!({
                "$schema": "/schemas/common/exchanges-reference-v0.json#", "apiVersion": "v1", "serviceName": "cars",
                "title": "t", "description": "d", "exchangePrefix": "exchange/cars/v1/",
                "entries": [{
                    "type": "topic-exchange", "name": "crashed", "exchange": "crashed", "title": "t", "description": "d",
                    "routingKey": [{"name": "carId", "summary": "s", "required": true, "multipleWords": false}],
                    "schema": "v1/crash.json#",
                }],
            }),
        ),
        (
            "references/cars/v1/logs.json",
            json!({
                "$schema": "/schemas/common/logs-v0.json#", "serviceName": "cars", "apiVersion": "v1", "types": [],
            }),
        ),
        (
            "references/roads/v1/api.json",
            api("roads", json!([entry("build", json!({"output": "v1/road.json#"}))])),
        ),
        schema(
            "schemas/cars/v1/trip.json",
            json!({
                "type": "object",
                "properties": {"from": {"$ref": "place.json#/properties/name"}, "over": {"$ref": "../../roads/v1/road.json#"}},
                "required": ["from"],
            }),
        ),
        schema(
            "schemas/cars/v1/place.json",
            json!({
                "type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"],
            }),
        ),
        schema(
            "schemas/cars/v1/crash.json",
            json!({"type": "object", "properties": {"at": {"$ref": "/schemas/cars/v1/place.json#"}}}),
        ),
        schema("schemas/cars/v1/unused.json", json!({"type": "object"})),
        schema(
            "schemas/roads/v1/road.json",
            json!({"type": "object", "properties": {"next": {"$ref": "#"}}}),
        ),
    ]
}

pub(crate) fn names(folder: &Folder) -> Vec<String> {
    folder.files().into_keys().collect()
}

pub(crate) fn lines(changes: &Changes) -> Vec<String> {
    changes.iter().map(Change::to_string).collect()
}
