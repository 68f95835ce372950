//! The references of any deployment become files for the macro, and what differs between two is told.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use futures::FutureExt as _;
use taskcluster::references::{Change, ChangeKind, Changes, Fetch, Progress, Subject};
use taskcluster::testing::Deployment;
use taskcluster::*;
use taskcluster_tests::{answer, json as json_answer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

taskcluster_api! {
    struct Builds = "compile/api/builds.json";
    struct BuildEvents = "compile/api/build-events.json";
}

/// A folder that is gone when its test is over.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("taskcluster-{}", slugid::v4()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn json(&self, path: &str) -> Value {
        serde_json::from_str(&fs::read_to_string(self.0.join(path)).unwrap()).unwrap()
    }

    /// All files below it.
    fn files(&self) -> BTreeMap<String, String> {
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
struct Documents {
    answers: Arc<Mutex<BTreeMap<String, String>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Documents {
    /// Serves; what is not there is 404.
    async fn start(&self) -> Client {
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
        let http = http_client_builder().unwrap().no_proxy().build().unwrap();
        Client::builder(root)
            .http_client(http)
            .credentials(credentials)
            .retry(retry)
            .build()
            .unwrap()
    }

    fn put(&self, path: &str, document: &Value) {
        // `ROOT` is shorter than what takes its place, so that the length is left out.
        let answer = format!(
            "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json\r\n\r\n{document}"
        );
        self.put_raw(path, answer);
    }

    fn put_raw(&self, path: &str, answer: String) {
        self.answers.lock().unwrap().insert(path.to_owned(), answer);
    }

    fn remove(&self, path: &str) {
        self.answers.lock().unwrap().remove(path);
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }

    /// As `references.json`, the form in which everything is in one document.
    fn put_whole(&self, documents: &[(&str, Value)]) {
        let items: Vec<_> = documents
            .iter()
            .map(|(path, content)| json!({"filename": path, "content": content}))
            .collect();
        self.put("references/references.json", &json!(items));
    }

    /// Each by itself, with absolute `$schema` and `$id`.
    fn put_each(&self, documents: &[(&str, Value)]) {
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

fn api(service: &str, entries: Value) -> Value {
    json!({
        "$schema": "/schemas/common/api-reference-v0.json#",
        "apiVersion": "v1", "serviceName": service, "title": "t", "description": "d", "entries": entries,
    })
}

fn schema(path: &str, rest: Value) -> Value {
    let mut schema =
        json!({"$schema": "/schemas/common/metaschema.json#", "$id": format!("/{path}#")});
    for (key, value) in rest.as_object().unwrap() {
        schema[key] = value.clone();
    }
    schema
}

/// Two services that share a schema, exchanges, what is of an unknown kind, and a schema that nothing needs.
fn deployment() -> Vec<(&'static str, Value)> {
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

const OF_CARS: [&str; 6] = [
    "cars/v1/api.json",
    "cars/v1/exchanges.json",
    "schemas/cars/v1/crash.json",
    "schemas/cars/v1/place.json",
    "schemas/cars/v1/trip.json",
    "schemas/roads/v1/road.json",
];

fn names(folder: &Folder) -> Vec<String> {
    folder.files().into_keys().collect()
}

fn lines(changes: &Changes) -> Vec<String> {
    changes.iter().map(Change::to_string).collect()
}

#[tokio::test]
async fn all_forms_in_which_a_deployment_lists_its_references_yield_the_same_files() {
    let documents = deployment();
    let whole = Documents::default();
    whole.put_whole(&documents);

    let with_manifest = Documents::default();
    with_manifest.put_each(&documents);
    let urls: Vec<_> = documents
        .iter()
        .filter(|(path, _)| path.starts_with("references/"))
        .map(|(path, _)| format!("ROOT/{path}"))
        .collect();
    let manifest = json!({"$schema": "ROOT/schemas/common/manifest-v3.json#", "references": urls});
    with_manifest.put("references/manifest.json", &manifest);

    let with_older_manifest = Documents::default();
    with_older_manifest.put_each(&documents);
    // A web server that has a page for everything, and a deployment that calls itself by another name.
    let page = answer(
        "200 OK",
        &["Content-Type: text/html"],
        "\n<!doctype html><title>Taskcluster</title>",
    );
    with_older_manifest.put_raw("references/references.json", page);
    let url = |path: &str| json!({"version": "v1", "reference": format!("https://tc.example.com/references/{path}")});
    with_older_manifest.put("references/manifest.json", &json!({
        "$schema": "https://tc.example.com/schemas/common/manifest-v2.json#",
        "services": [
            {"serviceName": "cars", "apis": [url("cars/v1/api.json")], "pulse": [url("cars/v1/exchanges.json")]},
            {"serviceName": "roads", "apis": [url("roads/v1/api.json")]},
        ],
    }));

    let mut results = Vec::new();
    for served in [&whole, &with_manifest, &with_older_manifest] {
        let folder = Folder::new();
        let client = served.start().await;
        let changes = Fetch::new(&client).services(["cars"]).write_to(&folder).await.unwrap();
        assert_eq!(
            lines(&changes),
            [
                "cars v1: all endpoints added",
                "cars v1: all exchanges added",
                "roads v1: schema road.json added"
            ]
        );
        assert_eq!(names(&folder), OF_CARS);
        results.push(folder.files());
        assert!(Fetch::new(&client).services(["cars"]).write_to(&folder).await.unwrap().is_empty());
        assert_eq!(folder.files(), results[0]);
    }
    assert_eq!(results[0], results[1]);
    assert_eq!(results[0], results[2]);
    let text = &results[0]["schemas/cars/v1/place.json"];
    assert!(text.starts_with("{\n  \"$id\": \"/schemas/cars/v1/place.json#\",\n"), "{text}");
    assert!(text.ends_with("\n}\n"), "{text}");

    assert_eq!(whole.asked().len(), 2, "everything is one document");
    let asked = with_manifest.asked();
    let other =
        asked.iter().find(|path| path.starts_with("references/roads") || path.contains("unused"));
    assert_eq!(other, None, "nothing is fetched that is not needed");
}

#[tokio::test]
async fn a_fetch_tells_how_far_it_has_come() {
    let served = Documents::default();
    served.put_whole(&deployment());
    let told = Arc::new(Mutex::new(Vec::new()));
    let teller = told.clone();
    let fetch = Fetch::new(&served.start().await).on_progress(move |progress: Progress| {
        teller.lock().unwrap().push((progress.fetched, progress.needed));
    });
    fetch.write_to(&Folder::new()).await.unwrap();
    let told = told.lock().unwrap();
    assert_eq!(told.first(), Some(&(3, 7)));
    assert_eq!(told.last(), Some(&(7, 7)));
}

#[tokio::test]
async fn what_was_not_fetched_is_left_alone_and_what_is_gone_is_removed() {
    let served = Documents::default();
    let mut documents = deployment();
    served.put_whole(&documents);
    let client = served.start().await;
    let folder = Folder::new();
    Fetch::new(&client).write_to(&folder).await.unwrap();

    // Hand-written, and in the way of nothing.
    let own = api(
        "bikes",
        json!([{"name": "ride", "output": "v1/ride.json", "input": "/schemas/cars/v1/place.json"}]),
    );
    folder.write("bikes.json", &own.to_string());
    folder.write("schemas/bikes/v1/ride.json", "{}");
    folder.write("cars/notes.txt", "mine");
    folder.write("cars/v1/broken.json", "{");
    folder.write("schemas/cars/v1/old.json", "{}");

    // No entry of cars names a schema any more.
    for (path, document) in &mut documents {
        if path.starts_with("references/cars/v1/api") {
            *document = api("cars", json!([]));
        }
    }
    documents.retain(|(path, _)| !path.ends_with("exchanges.json"));
    served.put_whole(&documents);
    let before = folder.files();
    let diff = Fetch::new(&client).services(["cars"]).diff(&folder).await.unwrap();
    assert_eq!(folder.files(), before, "a comparison writes nothing");
    let changes = Fetch::new(&client).services(["cars"]).write_to(&folder).await.unwrap();
    assert_eq!(diff, changes);
    assert_eq!(
        lines(&changes),
        [
            "cars v1: endpoint drive removed (can break callers)",
            "cars v1: endpoint park removed (can break callers)",
            "cars v1: all exchanges removed (can break callers)",
            "cars v1: schema crash.json removed (can break callers)",
            "cars v1: schema old.json removed (can break callers)",
            "cars v1: schema trip.json removed (can break callers)",
        ]
    );
    assert_eq!(
        names(&folder),
        [
            "bikes.json",
            "cars/notes.txt",
            "cars/v1/api.json",
            "cars/v1/broken.json",
            "roads/v1/api.json",
            "schemas/bikes/v1/ride.json",
            // Which the hand-written one needs.
            "schemas/cars/v1/place.json",
            "schemas/roads/v1/road.json",
        ]
    );
    assert_eq!(folder.json("bikes.json"), own);
}

#[tokio::test]
async fn no_name_that_a_server_sends_leads_out_of_the_folder() {
    let served = Documents::default();
    let client = served.start().await;
    let place = Folder::new();
    let folder = place.0.join("api");
    let everything = |name: &str| {
        vec![
            ("references/cars/v1/api.json", api("cars", json!([{"name": "a", "output": name}]))),
            ("../../evil.json", json!({})),
            ("/etc/evil.json", json!({})),
            ("schemas/../../evil.json", json!({})),
        ]
    };
    for name in [
        "../../../evil.json",
        "../../../../schemas/../evil.json",
        "/etc/evil.json",
        "/schemas/../evil.json",
        "v1/../../../evil.json",
        "v1/evil\u{0}.json",
        "v1\\..\\..\\..\\evil.json",
        "C:/evil.json",
        "v1/evil",
        "v1/.evil.json",
    ] {
        served.put_whole(&everything(name));
        let error = Fetch::new(&client).write_to(&folder).await.unwrap_err();
        assert!(error.message().contains("which is not written anywhere"), "{name}: {error}");
        assert_eq!(names(&place), [""; 0], "{name}");
    }
    for service in ["..", "../x", "/etc", "a/b", "schemas", "", ".git", "a\u{1b}[31m"] {
        served.put_whole(&[("references/x/v1/api.json", api(service, json!([])))]);
        let error = Fetch::new(&client).write_to(&folder).await.unwrap_err();
        assert!(error.message().contains("which is not written anywhere"), "{service}: {error}");
        assert!(!error.to_string().contains('\u{1b}'));
        let mut reference = api("x", json!([]));
        reference["apiVersion"] = json!(service);
        served.put_whole(&[("references/x/v1/api.json", reference)]);
        if service != "schemas" {
            Fetch::new(&client).write_to(&folder).await.unwrap_err();
        }
    }
    served.remove("references/references.json");
    for url in [
        "ROOT/references/../../evil.json",
        "ROOT/references/%2e%2e/evil.json",
        "ROOT/references/a.json?b",
        "ROOT/evil.json",
    ] {
        served.put("references/manifest.json", &json!({"references": [url]}));
        Fetch::new(&client).write_to(&folder).await.unwrap_err();
    }
    // What is not reached is not even looked at.
    served.put_whole(
        &everything("v1/good.json")
            .into_iter()
            .chain([("schemas/cars/v1/good.json", json!({}))])
            .collect::<Vec<_>>(),
    );
    Fetch::new(&client).write_to(&folder).await.unwrap();
    assert_eq!(names(&place), ["api/cars/v1/api.json", "api/schemas/cars/v1/good.json"]);
}

#[cfg(unix)]
#[tokio::test]
async fn no_link_in_the_folder_leads_out_of_it() {
    let served = Documents::default();
    served.put_whole(&deployment());
    let client = served.start().await;
    for link in ["cars", "schemas", "schemas/cars/v1"] {
        let (folder, outside) = (Folder::new(), Folder::new());
        outside.write("v1/api.json", "mine");
        let link = folder.0.join(link);
        fs::create_dir_all(link.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(&outside, &link).unwrap();
        let error = Fetch::new(&client).write_to(&folder).await.unwrap_err();
        assert!(error.message().contains("is a link"), "{error}");
        assert_eq!(names(&outside), ["v1/api.json"]);
        assert_eq!(outside.files()["v1/api.json"], "mine");
    }
    // A link in a file's place is replaced; what it leads to stays as it is.
    let (folder, outside) = (Folder::new(), Folder::new());
    outside.write("mine.json", "mine");
    fs::create_dir_all(folder.0.join("cars/v1")).unwrap();
    std::os::unix::fs::symlink(outside.0.join("mine.json"), folder.0.join("cars/v1/api.json"))
        .unwrap();
    Fetch::new(&client).write_to(&folder).await.unwrap();
    assert_eq!(outside.files()["mine.json"], "mine");
    assert_eq!(folder.json("cars/v1/api.json")["serviceName"], "cars");
}

#[tokio::test]
async fn an_interrupted_fetch_leaves_the_old_files_whole() {
    let served = Documents::default();
    let mut documents = deployment();
    served.put_each(&documents);
    served.put("references/manifest.json", &json!({"references": ["ROOT/references/cars/v1/api.json", "ROOT/references/roads/v1/api.json"]}));
    let client = served.start().await;
    let folder = Folder::new();
    Fetch::new(&client).write_to(&folder).await.unwrap();
    let before = folder.files();

    for (_, document) in &mut documents {
        document["description"] = json!("Of a newer version.");
    }
    served.put_each(&documents);
    // The last document that is needed: gone, cut off, not JSON, an error.
    let cut_off = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"type\":".to_owned();
    for answer in [
        json_answer("404 Not Found", "{}"),
        cut_off,
        json_answer("200 OK", "{"),
        json_answer("503 No", "{}"),
    ] {
        served.put_raw("schemas/roads/v1/road.json", answer);
        let error = Fetch::new(&client).write_to(&folder).await.unwrap_err();
        assert!(error.to_string().contains("/schemas/roads/v1/road.json: "), "{error}");
        assert_eq!(folder.files(), before);
    }
    served.put_each(&documents);

    // A file that cannot be put in its place: the ones before it go back.
    fs::remove_file(folder.0.join("roads/v1/api.json")).unwrap();
    fs::create_dir_all(folder.0.join("roads/v1/api.json/in-the-way")).unwrap();
    let before = folder.files();
    Fetch::new(&client).write_to(&folder).await.unwrap_err();
    assert_eq!(folder.files(), before);

    fs::remove_dir_all(folder.0.join("roads/v1/api.json")).unwrap();
    // Dropped on the way.
    let fetch = Fetch::new(&client);
    assert!(fetch.write_to(&folder).now_or_never().is_none());
    assert_eq!(folder.files(), before);

    Fetch::new(&client).write_to(&folder).await.unwrap();
    assert_eq!(folder.json("schemas/roads/v1/road.json")["description"], "Of a newer version.");
    assert!(names(&folder).iter().all(|name| !name.contains("fetching")), "{:?}", names(&folder));
}

#[tokio::test]
async fn a_server_cannot_send_without_end() {
    let served = Documents::default();
    let client = served.start().await;
    served.put_raw(
        "references/references.json",
        answer("200 OK", &[], &" ".repeat(65 * 1024 * 1024)),
    );
    let error = Fetch::new(&client).write_to(&Folder::new()).await.unwrap_err();
    assert!(error.message().contains("larger than it may be"), "{error}");
    assert_eq!(served.asked().len(), 1, "that is not worth a repetition");

    let many: Vec<_> = (0..10_001)
        .map(|n| json!({"name": n.to_string(), "output": format!("v1/{n}.json")}))
        .collect();
    served.put_whole(&[("references/a/v1/api.json", api("a", json!(many)))]);
    let error = Fetch::new(&client).write_to(&Folder::new()).await.unwrap_err();
    assert!(error.message().contains("more than 10000 documents"), "{error}");
}

#[tokio::test]
async fn what_is_wrong_with_a_deployment_is_said() {
    let served = Documents::default();
    let client = served.start().await;
    let error = |fetch: Fetch| async move { fetch.write_to(&Folder::new()).await.unwrap_err() };
    let missing = error(Fetch::new(&client)).await;
    assert_eq!(missing.status(), Some(StatusCode::NOT_FOUND));
    assert!(missing.to_string().contains("/tc/references/manifest.json: 404"), "{missing}");

    served.put_whole(&deployment());
    let unknown = error(Fetch::new(&client).services(["car"])).await;
    assert_eq!(
        unknown.to_string(),
        "the deployment has no reference of `car`; did you mean `cars`?"
    );

    for (content, message) in [
        (json!({}), "is not a list of documents"),
        (json!([{"content": {}}]), "a document without a name"),
        (json!([]), "no reference of a kind that is known here"),
    ] {
        served.put("references/references.json", &content);
        let error = error(Fetch::new(&client)).await;
        assert!(error.message().contains(message), "{error}");
    }
    let reference = |name: &str| api("a", json!([{"name": "x", "output": name}]));
    for (documents, message) in [
        (
            vec![("references/a/v1/api.json", reference("v1/gone.json"))],
            "does not serve `schemas/a/v1/gone.json`, which `a/v1/api.json` needs",
        ),
        (
            vec![("references/a", api("a", json!([]))), ("references/b", api("a", json!([])))],
            "serves `a/v1/api.json` twice",
        ),
        (
            vec![("references/a", api("a", json!([]))), ("references/b", api("A", json!([])))],
            "would be one file on some systems",
        ),
        (
            vec![(
                "references/a",
                json!({"$schema": "/schemas/common/api-reference-v0.json#", "apiVersion": "v1"}),
            )],
            "lacks `serviceName`",
        ),
    ] {
        served.put_whole(&documents);
        let error = error(Fetch::new(&client)).await;
        assert!(error.message().contains(message), "{error}");
    }
    let error = error(Fetch::new(&Client::legacy().build().unwrap())).await;
    assert!(error.message().contains("without a root URL"), "{error}");
}

#[test]
fn a_program_without_async_has_it_all() {
    let fake = Deployment::start_blocking().unwrap();
    let client = fake.anonymous().unwrap();
    let folder = Folder::new();
    let fetch = Fetch::new(&client).services(["secrets"]);
    assert_eq!(fetch.write_to_blocking(&folder).unwrap().len(), 1);
    assert!(fetch.diff_blocking(&folder).unwrap().is_empty());
    assert!(client.check_blocking(&Secrets::REFERENCE).unwrap().is_empty());
}

// What has changed

async fn changes_between(old: &[(&str, Value)], new: &[(&str, Value)]) -> Changes {
    let (served, folder) = (Documents::default(), Folder::new());
    let client = served.start().await;
    served.put_whole(old);
    Fetch::new(&client).write_to(&folder).await.unwrap();
    served.put_whole(new);
    Fetch::new(&client).diff(&folder).await.unwrap()
}

#[tokio::test]
async fn changes_of_entries_say_whether_they_can_break_callers() {
    let entry = json!({
        "type": "function", "name": "a", "title": "t", "description": "d", "method": "get", "route": "/a/<x>",
        "args": ["x"], "query": ["limit"], "stability": "stable", "scopes": "a:<x>",
    });
    for (key, value, expected) in [
        ("description", json!("other"), "endpoint a changed: description"),
        ("stability", json!("deprecated"), "endpoint a changed: stability"),
        ("method", json!("post"), "endpoint a changed: method (can break callers)"),
        ("route", json!("/b/<x>"), "endpoint a changed: route (can break callers)"),
        ("scopes", json!("b:<x>"), "endpoint a changed: scopes (can break callers)"),
        ("scopes", Value::Null, "endpoint a changed: scopes"),
        ("query", json!([]), "option limit of a removed (can break callers)"),
        ("query", json!(["limit", "more"]), "option more of a added"),
        ("output", json!("blob"), "endpoint a changed: output (can break callers)"),
        ("name", json!("b"), "endpoint a removed (can break callers)"),
    ] {
        let mut newer = entry.clone();
        newer[key] = value;
        let (old, new) = (api("s", json!([entry])), api("s", json!([newer])));
        let changes = changes_between(&[("references/s", old)], &[("references/s", new)]).await;
        assert_eq!(lines(&changes)[0], format!("s v1: {expected}"));
        assert_eq!(changes.can_break_callers(), expected.ends_with("(can break callers)"));
        assert_eq!(changes.len(), if key == "name" { 2 } else { 1 });
    }
    // What says the same in other words is no change.
    let (mut old, mut new) = (entry.clone(), entry.clone());
    old["method"] = json!("GET");
    for key in ["stability", "input"] {
        new.as_object_mut().unwrap().remove(key);
    }
    let (old, new) = (api("s", json!([old])), api("s", json!([new])));
    assert!(changes_between(&[("references/s", old)], &[("references/s", new)]).await.is_empty());
}

#[tokio::test]
async fn changes_of_exchanges_are_told() {
    let old = deployment();
    for (pointer, value, expected) in [
        (
            "/exchangePrefix",
            json!("exchange/x/v1/"),
            "exchange crashed changed: exchange (can break callers)",
        ),
        (
            "/entries/0/routingKey/0/required",
            json!(false),
            "exchange crashed changed: routingKey (can break callers)",
        ),
        ("/entries/0/routingKey/0/summary", json!("other"), ""),
        ("/entries/0/title", json!("other"), "exchange crashed changed: title"),
        ("/title", json!("other"), "all exchanges changed: title"),
    ] {
        let mut new = old.clone();
        *new[1].1.pointer_mut(pointer).unwrap() = value;
        let changes = changes_between(&old, &new).await;
        let expected: Vec<_> = Some(format!("cars v1: {expected}"))
            .filter(|_| !expected.is_empty())
            .into_iter()
            .collect();
        assert_eq!(lines(&changes), expected);
    }
}

#[tokio::test]
async fn changes_of_schemas_are_judged_by_who_sends_what_they_describe() {
    let documents = |sent: &Value, received: &Value| {
        let both = |name: &str, content: &Value| {
            schema(&format!("schemas/s/v1/{name}.json"), content.clone())
        };
        vec![
            (
                "references/s",
                api(
                    "s",
                    json!([{"name": "a", "input": "v1/sent.json", "output": "v1/received.json"}]),
                ),
            ),
            ("schemas/s/v1/sent.json", both("sent", sent)),
            ("schemas/s/v1/received.json", both("received", received)),
        ]
    };
    let old = json!({
        "type": "object", "description": "d",
        "properties": {"a": {"type": "string", "maxLength": 9, "enum": ["x", "y"]}, "b": {"type": "array", "items": {"type": "integer"}}},
        "required": ["a"],
    });
    // What changes, where, and whether it can break those who send it and those who receive it.
    for (pointer, value, place, sent, received) in [
        ("/description", json!("other"), "description", false, false),
        ("/properties/a/maxLength", json!(8), "a: maxLength", true, false),
        ("/properties/a/enum", json!(["x", "y", "z"]), "a: enum", false, false),
        ("/properties/a/enum", json!(["x"]), "a: enum", true, true),
        ("/properties/a/type", json!("integer"), "a: type", true, true),
        ("/properties/b/items/type", json!("string"), "b[]: type", true, true),
        ("/required", json!([]), "required", false, true),
        ("/required", json!(["a", "b"]), "required", true, false),
        ("/properties", json!({"a": old["properties"]["a"]}), "b: removed", true, true),
        (
            "/properties",
            json!({"a": old["properties"]["a"], "b": old["properties"]["b"], "c": {}}),
            "c: added",
            false,
            false,
        ),
        ("/type", json!(["object", "null"]), "type", true, true),
    ] {
        let mut new = old.clone();
        *new.pointer_mut(pointer).unwrap() = value;
        for (is_sent, can_break) in [(true, sent), (false, received)] {
            let (sent, received) = if is_sent { (&new, &old) } else { (&old, &new) };
            let changes = changes_between(&documents(&old, &old), &documents(sent, received)).await;
            let changes: Vec<_> = changes.into_iter().collect();
            let [change] = &*changes else { panic!("{changes:?}") };
            let name = if is_sent { "sent.json" } else { "received.json" };
            assert_eq!(change.subject, Subject::Schema(name.to_owned()));
            assert_eq!(change.kind, ChangeKind::Changed(vec![place.to_owned()]));
            assert_eq!(change.can_break_callers, can_break, "{pointer} {change}");
        }
    }
}

#[tokio::test]
async fn changes_are_printed_as_a_table() {
    let (old, mut new) = (deployment(), deployment());
    new[0].1["entries"][0]["query"] = json!([]);
    new[3].1["entries"][0]["title"] = json!("other\u{1b}[31m");
    new[3].1["entries"][0]["name"] = json!("bu\nild");
    let changes = changes_between(&old, &new).await;
    assert_eq!(
        changes.to_string(),
        "\
        cars v1   option limit of drive  can break callers  removed\n\
        roads v1  endpoint build         can break callers  removed\n\
        roads v1  endpoint bu\\nild                          added\n"
    );
}

// The embedded deployment, and what is built in

#[tokio::test]
async fn the_embedded_deployment_serves_the_references_that_are_built_in() {
    let fake = Deployment::start().await.unwrap();
    let client = fake.anonymous().unwrap();
    let folder = Folder::new();
    let changes = Fetch::new(&client).write_to(&folder).await.unwrap();
    let references = Path::new(env!("CARGO_MANIFEST_DIR")).join("../references/current");
    let files = folder.files();
    assert_eq!(changes.len(), crate::references::PREBUILT.len(), "one for each reference");
    for (path, text) in &files {
        let ours = fs::read_to_string(references.join(path)).unwrap();
        assert_eq!(
            serde_json::from_str::<Value>(text).unwrap(),
            serde_json::from_str::<Value>(&ours).unwrap(),
            "{path}"
        );
    }
    let count = |folder: &str| {
        files.keys().filter(|path| path.starts_with("schemas/") == (folder == "schemas")).count()
    };
    assert_eq!(count("references"), crate::references::PREBUILT.len());
    assert!(count("schemas") > 150, "{}", count("schemas"));
    assert!(Fetch::new(&client).diff(&references).await.unwrap().is_empty());
    assert!(fake.calls().is_empty(), "that is no call of any service");
}

#[tokio::test]
async fn the_embedded_deployment_serves_documents_by_themselves_too() {
    let fake = Deployment::start().await.unwrap();
    let http = http_client_builder().unwrap().no_proxy().build().unwrap();
    let root = fake.root_url();
    let get = async |path: &str| -> Value {
        let response = http.get(format!("{root}/{path}")).send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "application/json; charset=utf-8");
        serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()
    };
    let manifest = get("references/manifest.json").await;
    assert_eq!(manifest["$schema"], format!("{root}/schemas/common/manifest-v3.json#"));
    let urls = manifest["references"].as_array().unwrap();
    assert_eq!(urls.len(), crate::references::PREBUILT.len());
    assert!(
        urls.contains(&json!(format!("{root}/references/queue/v1/exchanges.json"))),
        "{urls:?}"
    );

    let queue = get("references/queue/v1/api.json").await;
    assert_eq!(queue["$schema"], format!("{root}/schemas/common/api-reference-v0.json#"));
    assert_eq!(queue["entries"].as_array().unwrap().len(), Queue::REFERENCE.endpoints.len());
    let schema = get("schemas/queue/v1/task.json").await;
    assert_eq!(schema["$id"], format!("{root}/schemas/queue/v1/task.json#"));
    assert_eq!(get("schemas/queue/v1/gone.json").await["code"], "ResourceNotFound");
}

#[tokio::test]
async fn what_was_added_to_the_embedded_deployment_is_served_too() {
    let fake = Deployment::start().await.unwrap();
    fake.serve(&Builds::REFERENCE);
    fake.serve(&BuildEvents::REFERENCE);
    fake.serve(&legacy::Queue::REFERENCE);
    fake.schemas(concat!(env!("CARGO_MANIFEST_DIR"), "/compile/api/schemas")).unwrap();
    let client = fake.anonymous().unwrap();
    let folder = Folder::new();
    Fetch::new(&client).services(["builds"]).write_to(&folder).await.unwrap();
    let names = names(&folder);
    assert!(
        names
            .starts_with(&["builds/v1/api.json".to_owned(), "builds/v1/exchanges.json".to_owned()]),
        "{names:?}"
    );
    let mut ours: Value = serde_json::from_str(include_str!("compile/api/builds.json")).unwrap();
    for entry in ours["entries"].as_array_mut().unwrap() {
        let entry = entry.as_object_mut().unwrap();
        entry.remove("unknown");
        entry.remove("description");
        entry.entry("title").or_insert(json!(""));
        entry.entry("stability").or_insert(json!("stable"));
        entry.entry("query").or_insert(json!([]));
    }
    let old = json!({"AnyOf": [{"AllOf": ["a", "b"]}, {"AllOf": ["c"]}]});
    ours["entries"][2]["scopes"] = old;
    assert_eq!(folder.json("builds/v1/api.json")["entries"], ours["entries"]);
    assert!(client.check(&Builds::REFERENCE).await.unwrap().is_empty());
    assert!(client.check(&BuildEvents::REFERENCE).await.unwrap().is_empty());
    assert!(
        client.check(&Queue::REFERENCE).await.unwrap().is_empty(),
        "that of 2017 is another one"
    );
}

#[tokio::test]
async fn a_program_finds_out_what_its_deployment_lacks() {
    for reference in crate::references::PREBUILT {
        assert_eq!(reference.version_of_taskcluster(), Some("114.0.0"), "{}", reference.service);
    }
    for reference in [&Builds::REFERENCE, &BuildEvents::REFERENCE, &legacy::Queue::REFERENCE] {
        assert_eq!(reference.version_of_taskcluster(), None, "{}", reference.service);
    }

    let references = Path::new(env!("CARGO_MANIFEST_DIR")).join("../references/current");
    let read = |path: &str| -> Value {
        serde_json::from_slice(&fs::read(references.join(path)).unwrap()).unwrap()
    };
    // An older deployment, with an endpoint that has since gone.
    let mut older = read("queue/v1/api.json");
    let entries = older["entries"].as_array_mut().unwrap();
    entries.retain(|entry| entry["name"] != "taskQueueCountsBatch");
    entries.iter_mut().find(|entry| entry["name"] == "listTaskGroup").unwrap()["query"] =
        json!(["continuationToken"]);
    entries.iter_mut().find(|entry| entry["name"] == "status").unwrap()["description"] =
        json!("other words");
    entries.push(json!({"type": "function", "name": "pollTaskUrls", "method": "get", "route": "/poll", "args": []}));
    let served = Documents::default();
    served.put_whole(&[
        ("references/queue/v1/api.json", older),
        ("references/queue/v1/exchanges.json", read("queue/v1/exchanges.json")),
    ]);
    let client = served.start().await;
    let changes = client.check(&Queue::REFERENCE).await.unwrap();
    assert_eq!(
        lines(&changes),
        [
            "queue v1: option limit of listTaskGroup removed (can break callers)",
            "queue v1: endpoint taskQueueCountsBatch removed (can break callers)",
            "queue v1: endpoint pollTaskUrls added",
        ]
    );
    let missing: Vec<_> = changes.removed().map(|change| &change.subject).collect();
    let option =
        Subject::Option { endpoint: "listTaskGroup".to_owned(), option: "limit".to_owned() };
    assert_eq!(missing, [&option, &Subject::Endpoint("taskQueueCountsBatch".to_owned())]);
    assert!(client.check(&QueueEvents::REFERENCE).await.unwrap().is_empty());

    let changes = client.check(&Auth::REFERENCE).await.unwrap();
    assert_eq!(lines(&changes), ["auth v1: all endpoints removed (can break callers)"]);
}
