//! Downloads and uploads of artifacts and objects: whole, verified, whatever happens on the way.

mod downloads;
mod encodings;
mod faults;
mod files;
mod many;
mod resume;
mod retries;
mod secrecy;
mod uploads;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use taskcluster::artifacts::{self, Artifact};
use taskcluster::dates::to_json;
use taskcluster::reqwest::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use taskcluster::testing::Deployment;
use taskcluster::{Client, Credentials, Object, Queue, slugid};

use crate::deployment::{task_of, with};
use crate::support::plain;

const PUBLIC: &str = "public/data.bin";

/// A running task whose artifacts a test makes.
struct Running {
    fake: Deployment,
    client: Client,
    queue: Queue,
    task_id: String,
}

impl Running {
    async fn new() -> Self {
        let fake = Deployment::start().await.unwrap();
        fake.client("tester", "no-secret", ["*"]);
        let client = fake.connect("tester").unwrap();
        let (queue, task_id, now) = (Queue::new(&client), slugid::nice(), fake.now());
        let hours = json!({"deadline": to_json(now + TimeDelta::hours(20)), "projectId": "proj"});
        let task = with(with(task_of(now), hours), json!({"taskQueueId": "p/w"}));
        let call = |name| client.call(&Queue::REFERENCE, name).unwrap().param("taskId", &task_id);
        call("createTask").payload(task).await.unwrap();
        let worker = json!({"workerGroup": "g", "workerId": "w"});
        call("claimTask").param("runId", 0).payload(worker).await.unwrap();
        Self { fake, client, queue, task_id }
    }

    fn expires(&self) -> DateTime<Utc> {
        self.fake.now() + TimeDelta::hours(20)
    }

    fn latest(&self, name: &str) -> Artifact {
        artifacts::latest(&self.queue, &self.task_id, name)
    }

    /// The same of the first run, which stays the same when the claim expires.
    fn of_run(&self, name: &str) -> Artifact {
        artifacts::of_run(&self.queue, &self.task_id, 0, name)
    }

    async fn create(&self, name: &str, artifact: Value) -> Value {
        let artifact = with(artifact, json!({"expires": to_json(self.expires())}));
        let call = self.client.call(&Queue::REFERENCE, "createArtifact").unwrap();
        let call = call.param("taskId", &self.task_id).param("runId", 0).param("name", name);
        call.payload(artifact).await.unwrap()
    }

    /// Stores an artifact of type `s3`.
    async fn s3(&self, name: &str, body: &[u8], encoding: &str) {
        let artifact = json!({"storageType": "s3", "contentType": "text/plain"});
        let url = self.create(name, artifact).await["putUrl"].as_str().unwrap().to_owned();
        let put = plain().put(url).header(CONTENT_TYPE, "text/plain");
        let put = put.header(CONTENT_ENCODING, encoding).header(CONTENT_LENGTH, body.len());
        let put = put.body(body.to_vec());
        assert!(put.send().await.unwrap().status().is_success());
    }

    /// Stores an artifact of type `object` with these hashes.
    async fn object(&self, name: &str, body: &[u8], hashes: Value) {
        let artifact = json!({"storageType": "object", "contentType": "text/plain"});
        let upload = self.create(name, artifact).await;
        let credentials = Credentials::from_json(&upload["credentials"].to_string()).unwrap();
        let client = self.client.with_credentials(credentials).unwrap();
        store(&client, &upload, body, hashes).await;
        let call = self.client.call(&Queue::REFERENCE, "finishArtifact").unwrap();
        let call = call.param("taskId", &self.task_id).param("runId", 0).param("name", name);
        call.payload(json!({"uploadId": upload["uploadId"]})).await.unwrap();
    }

    /// The `Range` headers that storage got, in their order.
    fn ranges(&self) -> Vec<Option<String>> {
        let transfers = self.fake.transfers().into_iter();
        let range = |call: taskcluster::testing::RecordedCall| {
            call.headers.get("range").map(|range| range.to_str().unwrap().to_owned())
        };
        transfers.filter(|call| call.endpoint.name == "download").map(range).collect()
    }

    /// How often an endpoint was called.
    fn count(&self, endpoint: &str) -> usize {
        self.fake.calls().iter().filter(|call| call.endpoint.name == endpoint).count()
    }
}

/// Stores an object.
async fn store(client: &Client, upload: &Value, body: &[u8], hashes: Value) {
    let object = |name| {
        client
            .call(&Object::REFERENCE, name)
            .unwrap()
            .param("name", upload["name"].as_str().unwrap())
    };
    let put = json!({"contentType": "text/plain", "contentLength": body.len()});
    let created = object("createUpload").payload(json!({
        "projectId": upload["projectId"], "uploadId": upload["uploadId"],
        "expires": upload["expires"], "proposedUploadMethods": {"putUrl": put},
    }));
    let method = created.await.unwrap()["uploadMethod"]["putUrl"].clone();
    let mut put = plain().put(method["url"].as_str().unwrap()).body(body.to_vec());
    for (name, value) in method["headers"].as_object().unwrap() {
        // The HTTP client adds the length.
        if name != "Content-Length" {
            put = put.header(name, value.as_str().unwrap());
        }
    }
    let stored = put.send().await.unwrap();
    assert!(stored.status().is_success(), "{stored:?}");
    let ids =
        json!({"projectId": upload["projectId"], "uploadId": upload["uploadId"], "hashes": hashes});
    object("finishUpload").payload(ids).await.unwrap();
}

/// Bytes that look different everywhere.
fn bytes(length: usize) -> Vec<u8> {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    (0..length).map(|_| (next() >> 32) as u8).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn sha256(bytes: &[u8]) -> String {
    digest("sha256sum", bytes)
}

fn sha512(bytes: &[u8]) -> String {
    digest("sha512sum", bytes)
}

/// The digest by a program that is not ours.
fn digest(program: &str, bytes: &[u8]) -> String {
    let folder = Folder::new();
    std::fs::write(folder.path("x"), bytes).unwrap();
    let output = std::process::Command::new(program).arg(folder.path("x")).output().unwrap();
    String::from_utf8(output.stdout).unwrap().split_whitespace().next().unwrap().to_owned()
}

/// A folder that goes with its test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("taskcluster-artifacts-{}", slugid::v4()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The names of all that is in it.
    fn names(&self) -> Vec<String> {
        names_in(&self.0)
    }
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
