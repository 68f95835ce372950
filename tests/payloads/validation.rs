//! Payloads and arguments held against the schemas before anything is sent.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use taskcluster::auth::{AuthenticateHawkMethod, AuthenticateHawkRequest, CreateClientRequest};
use taskcluster::hooks::{Binding, CreateHookRequest, HookMetadata};
use taskcluster::notify::{EmailLink, EmailRequest};
use taskcluster::queue::{CreateTaskRequest, PostArtifactRequest, TaskMetadata, TaskStatus};
use taskcluster::{
    Auth, Client, Credentials, Error, ErrorKind, FreeForm, Queue, Retry, Secrets, WorkerManager,
    slugid,
};
use taskcluster_tests::{RawServer, json as json_answer};

use crate::support::typed;

const DATE: &str = "2026-01-02T03:04:05.678Z";

fn date() -> DateTime<Utc> {
    DATE.parse().unwrap()
}

fn task() -> CreateTaskRequest {
    let metadata = TaskMetadata::new("n", "d", "me@example.com", "https://example.com");
    CreateTaskRequest::new(date(), date(), json!({}), metadata)
}

/// What is wrong, item by item.
#[track_caller]
fn problems(result: Result<(), Error>) -> Vec<String> {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Input);
    let all = error.message().strip_prefix("the payload is not valid: ").unwrap();
    all.split("; ").map(str::to_owned).collect()
}

const SLUG: &str = "^[A-Za-z0-9_-]{8}[Q-T][A-Za-z0-9_-][CGKOSWaeimquy26-][A-Za-z0-9_-]{10}[AQgw]$";

#[test]
fn all_that_is_wrong_is_told_at_once_with_its_place() {
    let mut task = task();
    assert!(task.validate().is_ok());
    task.retries = Some(50);
    task.project_id = Some(String::new());
    task.scheduler_id = Some("hush hush".to_owned());
    task.dependencies = Some(vec![slugid::nice(), "hush".to_owned(), slugid::v4()]);
    task.routes = Some(vec!["r".to_owned(), String::new(), "r".to_owned()]);
    task.scopes = Some(vec!["häsh".to_owned()]);
    task.tags = Some([("a.b".to_owned(), "h".repeat(4097))].into());
    task.metadata.source = format!("https://{}", "hush".repeat(2000));
    assert_eq!(
        problems(task.validate()),
        [
            format!("dependencies[1]: does not match `{SLUG}`"),
            "metadata: source: is longer than 4096 characters".to_owned(),
            "projectId: is empty".to_owned(),
            "retries: is more than 49".to_owned(),
            "routes: has duplicate items".to_owned(),
            "routes[1]: is empty".to_owned(),
            "schedulerId: does not match `^([a-zA-Z0-9-_]*)$`".to_owned(),
            "scopes[0]: does not match `^[ -~]*$`".to_owned(),
            "tags: entry 0: is longer than 4096 characters".to_owned(),
        ]
    );
    let error = task.validate().unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hush"), "{error}");
}

#[test]
fn every_kind_of_demand_is_checked() {
    let check = |task: &CreateTaskRequest| problems(task.validate()).join("; ");

    // Numbers.
    let mut of = task();
    for (retries, problem) in [(-1, Some("retries: is less than 0")), (0, None), (49, None)] {
        of.retries = Some(retries);
        assert_eq!(of.validate().err().map(|_| check(&of)).as_deref(), problem);
    }
    // Lengths, in characters rather than bytes.
    let mut email = EmailRequest::new("a@example.com", "ü".repeat(255), "c");
    let fields = json!(email);
    assert_eq!(fields["subject"].as_str().unwrap().chars().count(), 255);
    assert!(email.validate().is_ok());
    email.subject.push('ü');
    assert_eq!(problems(email.validate()), ["subject: is longer than 255 characters"]);
    // Numbers of items.
    let repositories = |names: &[&str]| {
        typed::<taskcluster::auth::GithubRepoTokenRequest>(
            json!({"repositories": names, "permissions": {"contents": "read"}}),
        )
        .validate()
    };
    assert!(repositories(&["a"]).is_ok());
    assert_eq!(problems(repositories(&[])), ["repositories: has fewer than 1 items"]);
    assert_eq!(
        problems(repositories(&["a"; 501])),
        ["repositories: has more than 500 items"],
        "items may be there twice"
    );
    let mut of = task();
    of.routes = Some((0..65).map(|n| n.to_string()).collect());
    assert_eq!(check(&of), "routes: has more than 64 items");
    // Items are compared whole.
    let metadata = HookMetadata::new("n", "d", "me@example.com");
    let mut hook = CreateHookRequest::new(metadata, json!({}));
    hook.bindings = Some(vec![Binding::new("e", "a"), Binding::new("e", "b")]);
    assert!(hook.validate().is_ok());
    hook.bindings =
        Some(vec![Binding::new("e", "a"), Binding::new("", "b"), Binding::new("e", "a")]);
    assert_eq!(
        problems(hook.validate()),
        ["bindings: has duplicate items", "bindings[1]: exchange: is empty"]
    );
}

#[test]
fn forms_of_texts_are_checked() {
    let mut email = EmailRequest::new("a@example.com", "s", "c");
    for (address, good) in [
        ("a@b", true),
        ("a.b+c@example.com", true),
        ("a", false),
        ("@b", false),
        ("a@", false),
        ("a@b@c", false),
        ("a b@c", false),
    ] {
        address.clone_into(&mut email.address);
        assert_eq!(email.validate().is_ok(), good, "{address}");
    }
    assert_eq!(problems(email.validate()), ["address: is not an e-mail address"]);

    "a@b".clone_into(&mut email.address);
    for (uri, good) in [
        ("https://example.com/a?b#c", true),
        ("mailto:a@b", true),
        ("example.com", false),
        ("/a", false),
    ] {
        email.link = Some(EmailLink::new("t", uri));
        assert_eq!(email.validate().is_ok(), good, "{uri}");
    }
    assert_eq!(problems(email.validate()), ["link: href: is not a URI"]);

    // One group of several must be kept.
    let mut hawk = AuthenticateHawkRequest::new(AuthenticateHawkMethod::Get, "/", "h", 443);
    for (address, good) in
        [("127.0.0.1", true), ("::1", true), ("127.0.0.256", false), ("localhost", false)]
    {
        hawk.source_ip = Some(address.to_owned());
        assert_eq!(hawk.validate().is_ok(), good, "{address}");
    }
    assert_eq!(
        problems(hawk.validate()),
        ["sourceIp: is not an IPv6 address, or is not an IPv4 address"]
    );
    hawk.source_ip = None;
    hawk.port = 65536;
    assert_eq!(problems(hawk.validate()), ["port: is more than 65535"]);
}

#[test]
fn branches_of_unions_are_checked() {
    let mut document = json!({
        "storageType": "s3", "contentType": "x".repeat(256), "expires": DATE, "contentLength": -1,
    });
    let request: PostArtifactRequest = typed(&document);
    assert_eq!(
        problems(request.validate()),
        ["contentLength: is less than 0", "contentType: is longer than 255 characters"]
    );
    // As a value that an enum does not have.
    document["storageType"] = json!("tape");
    assert_eq!(
        problems(typed::<PostArtifactRequest>(document).validate()),
        ["has none of the forms that the schema has"]
    );
}

/// A client that validates, and what it has sent.
async fn client(validate: bool, answer: Value) -> (Client, RawServer) {
    let server = RawServer::start([json_answer("200 OK", &answer.to_string())]).await.unwrap();
    let builder = Client::builder(&server.url).retry(Retry::never()).validate(validate);
    (builder.build().unwrap(), server)
}

#[tokio::test]
async fn a_client_checks_payloads_if_it_is_told_to() {
    let mut task = task();
    task.retries = Some(50);
    task.project_id = Some(String::new());
    let id = slugid::nice();

    let (checking, server) = client(true, json!({})).await;
    for client in [
        checking.clone(),
        checking.with_credentials(Credentials::new("c", "t")).unwrap(),
        checking.without_credentials(),
    ] {
        let error = Queue::new(&client).create_task(&id, &task).await.unwrap_err();
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::Input, 0));
        assert_eq!(
            error.message(),
            "createTask: the payload is not valid: projectId: is empty; retries: is more than 49"
        );
    }
    assert!(server.requests().is_empty(), "nothing is sent");
    task.retries = None;
    task.project_id = None;
    let sent = Queue::new(&checking).create_task(&id, &task).send_as::<Value>().await;
    assert_eq!(sent.unwrap(), json!({}));

    // Unless it is, that is for the service.
    task.retries = Some(50);
    let server = RawServer::start([json_answer("200 OK", "{}")]).await.unwrap();
    let client = Client::builder(&server.url).validate(false).build().unwrap();
    Queue::new(&client).create_task(slugid::nice(), &task).send_as::<Value>().await.unwrap();
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn slug_ids_and_integers_are_checked_by_every_client() {
    let (client, server) = client(false, json!({})).await;
    let queue = Queue::new(&client);
    let named = |name| client.call(&Queue::REFERENCE, name).unwrap();
    let id = slugid::nice();
    let slug_id = "`^[A-Za-z0-9_-]{8}[Q-T][A-Za-z0-9_-][CGKOSWaeimquy26-][A-Za-z0-9_-]{10}[AQgw]$`";
    for (result, message) in [
        // An id and a name in each other's place.
        (
            queue.get_artifact("public/log", 0, &id).send_raw().await,
            format!("getArtifact: argument `taskId` does not match {slug_id}"),
        ),
        (
            queue.list_task_group(&id[1..]).send_raw().await,
            format!("listTaskGroup: argument `taskGroupId` does not match {slug_id}"),
        ),
        (
            queue.list_artifacts(&id, -1).send_raw().await,
            "listArtifacts: argument `runId` does not match `^[1-9]*[0-9]+$`".to_owned(),
        ),
        (
            named("listArtifacts").args(["0", &id]).into_call().send_raw().await,
            format!(
                "listArtifacts: argument `taskId` does not match {slug_id}; \
                 argument `runId` does not match `^[1-9]*[0-9]+$`"
            ),
        ),
        (
            named("listTaskGroup").args([&id]).query("limit", "ten").into_call().send_raw().await,
            "listTaskGroup: query option `limit` does not match `^[0-9]+$`".to_owned(),
        ),
    ] {
        let error = result.unwrap_err();
        assert_eq!((error.kind(), error.message()), (ErrorKind::Input, &*message));
    }
    assert!(server.requests().is_empty(), "nothing is sent");

    queue.list_artifacts(&id, 12_u8).limit(5_usize).send_raw().await.unwrap();
    queue.get_artifact(slugid::v4(), i64::MAX, "public/log").send_raw().await.unwrap();
    named("listArtifacts").args([&*id, "0"]).into_call().send_raw().await.unwrap();
    // Other patterns are for the service.
    queue.task_queue_counts("none").send_raw().await.unwrap();
    assert_eq!(server.requests().len(), 4);
}

#[tokio::test]
async fn a_client_checks_path_arguments_if_it_is_told_to() {
    let (checking, server) = client(true, json!({})).await;
    let (queue, auth) = (Queue::new(&checking), Auth::new(&checking));
    let pools = WorkerManager::new(&checking);
    let create = CreateClientRequest::new(date(), "d");
    let wrong = [
        queue.status("hush").send_raw().await,
        queue.list_artifacts("hush", 0).send_raw().await,
        queue.list_task_group(slugid::nice() + "=").send_raw().await,
        auth.client("hush hush").send_raw().await,
        auth.create_client("hüsh", &create).send_raw().await,
        pools.worker_pool("hush").send_raw().await,
        pools.worker_pool("hush/-").send_raw().await,
        queue.get_latest_artifact(slugid::nice(), "hüsh").send_raw().await,
        auth.list_clients().prefix("hüsh").send_raw().await,
    ];
    for (result, argument) in wrong.into_iter().zip([
        "status: argument `taskId` does not match `^[A-Za-z",
        "listArtifacts: argument `taskId` does not match `^[A-Za-z",
        "listTaskGroup: argument `taskGroupId` does not match `^[A-Za-z",
        "client: argument `clientId` does not match `^[A-Za-z0-9!@/:.+|_-]+$`",
        "createClient: argument `clientId` does not match `^[A-Za-z0-9!@/:.+|_-]+$`",
        "workerPool: argument `workerPoolId` does not match `^[a-zA-Z",
        "workerPool: argument `workerPoolId` does not match `^[a-zA-Z",
        "getLatestArtifact: argument `name` does not match `^[\\x20-\\x7e]+$`",
        "listClients: query option `prefix` does not match `^[A-Za-z0-9!@/:.+|_-]+$`",
    ]) {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Input);
        assert!(error.message().starts_with(argument), "{error}");
        assert!(!error.to_string().contains("hush"), "{error}");
    }
    assert!(server.requests().is_empty());

    // By wire name, and for URLs, it is the same.
    let call = checking.call(&Queue::REFERENCE, "status").unwrap().param("taskId", "hush");
    assert_eq!(call.send().await.unwrap_err().kind(), ErrorKind::Input);
    assert!(queue.status("hush").url().is_err());

    queue.status(slugid::nice()).send_raw().await.unwrap();
    auth.client("mozilla-auth0/ad|x/y z".replace(' ', "@")).send_raw().await.unwrap();
    pools.worker_pool("proj-x/ci").send_raw().await.unwrap();
    queue.get_latest_artifact(slugid::nice(), "public/a b?.log").send_raw().await.unwrap();
    // An argument of which nothing is known.
    Secrets::new(&checking).get("wörld?").send_raw().await.unwrap();
    assert_eq!(server.requests().len(), 5);
}

#[tokio::test]
async fn answers_are_never_checked() {
    let odd = json!({
        "status": {
            "taskId": "not a slug", "taskGroupId": "", "provisionerId": "", "workerType": "ü",
            "taskQueueId": "x".repeat(1000), "schedulerId": "!", "projectId": "", "state": "new",
            "retriesLeft": -5, "deadline": DATE, "expires": DATE, "runs": [],
        },
    });
    let (checking, _server) = client(true, odd.clone()).await;
    let status = Queue::new(&checking).status(slugid::nice()).await.unwrap().status;
    assert_eq!((&*status.task_id, status.retries_left), ("not a slug", -5));
    assert_eq!(typed::<TaskStatus>(&odd["status"]), status);
}

#[test]
fn free_form_is_not_looked_into() {
    let mut task = task();
    task.payload = FreeForm::from_text("{\"a\": [1, 1], \"b\": \"\"}").unwrap();
    assert!(task.validate().is_ok());
}

/// A pattern that the engine does not take would be passed over in silence.
#[test]
fn every_pattern_of_the_references_is_one_for_the_engine() {
    let mut patterns = BTreeSet::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../references"), &mut patterns);
    assert!(patterns.len() > 20, "{patterns:?}");
    for pattern in patterns {
        let regex = regex_lite::Regex::new(&pattern);
        assert!(regex.is_ok(), "{pattern}: {}", regex.unwrap_err());
    }
}

fn collect(path: &Path, patterns: &mut BTreeSet<String>) {
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            collect(&entry.unwrap().path(), patterns);
        }
    } else if path.extension().is_some_and(|extension| extension == "json") {
        let json: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        patterns_of(&json, patterns);
    }
}

fn patterns_of(json: &Value, patterns: &mut BTreeSet<String>) {
    match json {
        Value::Object(members) => {
            patterns.extend(members.get("pattern").and_then(Value::as_str).map(str::to_owned));
            if let Some(Value::Object(properties)) = members.get("patternProperties") {
                patterns.extend(properties.keys().cloned());
            }
            members.values().for_each(|member| patterns_of(member, patterns));
        }
        Value::Array(items) => items.iter().for_each(|item| patterns_of(item, patterns)),
        _ => {}
    }
}
