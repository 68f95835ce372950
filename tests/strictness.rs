//! The embedded deployment is as strict as the references: what it refuses, for every endpoint of both generations.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::{Value, json};
use taskcluster::hawk::{Signer, Target};
use taskcluster::reqwest::{
    self,
    header::{AUTHORIZATION, CONTENT_TYPE},
};
use taskcluster::testing::{Deployment, RecordedCall};
use taskcluster::{
    Auth, Client, Credentials, Endpoint, Error, Hooks, Index, Method, Queue, Reference, Secrets,
    StatusCode, from_now_json, legacy, taskcluster_api,
};

use tokio::runtime::Runtime;

use crate::references::{PREBUILT, count_endpoints, count_in_files, of_2017};

taskcluster_api! {
    struct Builds = "compile/api/builds.json" { new_, list_builds }
}

const TASK_ID: &str = "fN1SbArXTPSVFNUvaOlinQ";

/// Deployments with all endpoints of one generation each, and the references.
fn generations() -> [(Deployment, Vec<&'static Reference>); 2] {
    [PREBUILT.to_vec(), of_2017().collect()].map(|references| {
        let fake = Deployment::start_blocking().unwrap();
        fake.client("tester", "no-secret", ["*"]);
        for reference in &references {
            fake.serve(reference);
        }
        (fake, references)
    })
}

/// Runs the check for every endpoint of both generations that the filter lets through, and counts them.
fn for_every_endpoint(
    filter: impl Fn(&Endpoint) -> bool,
    check: impl Fn(&Deployment, &'static Reference, &'static Endpoint),
) -> [usize; 2] {
    generations().map(|(fake, references)| {
        let mut count = 0;
        for reference in references {
            for endpoint in reference.endpoints.iter().filter(|endpoint| filter(endpoint)) {
                check(&fake, reference, endpoint);
                count += 1;
            }
        }
        count
    })
}

/// The path of a call, all of whose arguments are `a`.
fn path(reference: &Reference, endpoint: &Endpoint) -> String {
    let mut path = format!("/api/{}/{}{}", reference.service, reference.version, endpoint.route);
    for arg in endpoint.args {
        path = path.replace(&format!("<{arg}>"), "a");
    }
    path
}

thread_local! {
    /// Made once for all requests of a test.
    static HTTP: (Runtime, reqwest::Client) = (
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap(),
        taskcluster::http_client_builder().unwrap().no_proxy().build().unwrap(),
    );
}

/// Sends a signed request by hand that is refused with status 400, and returns code and message of the error.
fn send(
    fake: &Deployment,
    method: &Method,
    resource: &str,
    body: Option<&str>,
) -> (String, String) {
    let port = fake.root_url().rsplit_once(':').unwrap().1.parse().unwrap();
    let target = Target { method: method.as_str(), resource, host: "127.0.0.1", port };
    let signer = Signer::new(&Credentials::new("tester", "no-secret"), None).unwrap();
    let header = signer.header(&target, None, chrono::Utc::now().timestamp(), "nonce");
    HTTP.with(|(runtime, http)| {
        let url = format!("{}{resource}", fake.root_url());
        let mut request = http.request(method.clone(), url).header(AUTHORIZATION, header);
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.to_owned());
        }
        let (status, answer) = runtime.block_on(async {
            let response = request.send().await.unwrap();
            (response.status(), response.bytes().await.unwrap())
        });
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        assert_eq!(status, StatusCode::BAD_REQUEST, "{method} {resource}: {answer}");
        let text = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
        (text("code"), text("message"))
    })
}

#[track_caller]
fn assert_api_error(error: &Error, status: StatusCode, code: &str, messages: &[&str]) {
    assert_eq!((error.status(), error.code()), (Some(status), Some(code)), "{error}");
    for message in messages {
        assert!(error.message().contains(message), "{error}");
    }
}

// Of every endpoint

#[test]
fn no_endpoint_takes_an_unknown_query_option() {
    let counts = for_every_endpoint(
        |_| true,
        |fake, reference, endpoint| {
            let resource = format!("{}?nonsense=1", path(reference, endpoint));
            let (code, message) = send(fake, &endpoint.method, &resource, None);
            assert_eq!(code, "InvalidRequestArguments", "{endpoint}: {message}");
            assert!(message.contains("`nonsense`"), "{endpoint}: {message}");
        },
    );
    assert_eq!(counts, [count_in_files("api"), 123]);
}

#[test]
fn every_endpoint_with_a_payload_wants_one_and_the_others_none() {
    let counts = for_every_endpoint(
        |_| true,
        |fake, reference, endpoint| {
            let body = if endpoint.input.is_some() { None } else { Some("{}") };
            let (code, message) = send(fake, &endpoint.method, &path(reference, endpoint), body);
            assert_eq!(code, "InputError", "{endpoint}: {message}");
            assert!(message.contains(endpoint.name), "{endpoint}: {message}");
        },
    );
    assert_eq!(counts, [count_in_files("api"), 123]);
}

#[test]
fn every_payload_is_held_against_its_schema() {
    let counts = for_every_endpoint(
        |endpoint| endpoint.input.is_some(),
        |fake, reference, endpoint| {
            let (code, message) =
                send(fake, &endpoint.method, &path(reference, endpoint), Some("17"));
            assert_eq!(code, "InputValidationError", "{endpoint}: {message}");
            let schema = endpoint.input.unwrap();
            let start =
                format!("the payload of {} does not fit the schema {schema}", endpoint.name);
            assert!(message.starts_with(&start), "{endpoint}: {message}");
            assert!(message.contains("- at the top level: "), "{endpoint}: {message}");
        },
    );
    assert_eq!(counts, [count_endpoints(|entry| entry.get("input").is_some()), 36]);
}

#[test]
fn every_answer_is_held_against_its_schema() {
    let counts = for_every_endpoint(
        |endpoint| endpoint.output.is_some(),
        |fake, _, endpoint| {
            let stub = AssertUnwindSafe(|| fake.on(endpoint).reply(json!(17)));
            let panic = catch_unwind(stub).unwrap_err();
            let message = panic.downcast_ref::<String>().unwrap();
            let schema = endpoint.output.unwrap();
            assert!(message.contains(&format!("does not fit the schema {schema}")), "{message}");
            assert!(message.contains("- at the top level: "), "{endpoint}: {message}");
        },
    );
    assert_eq!(counts, [count_endpoints(|entry| entry.get("output").is_some()), 89]);
}

#[test]
fn every_endpoint_with_scopes_refuses_who_has_none() {
    let counts = for_every_endpoint(
        |endpoint| endpoint.scopes.is_some() && endpoint.input.is_none(),
        |fake, reference, endpoint| {
            let mut call = fake.anonymous().unwrap().call(reference, endpoint.name).unwrap();
            for arg in endpoint.args {
                call = call.param(arg, "a");
            }
            let error = call.send_blocking().unwrap_err();
            assert_api_error(
                &error,
                StatusCode::FORBIDDEN,
                "InsufficientScopes",
                &[
                    "Client ID static/anonymous does not have sufficient scopes",
                    "missing the following scopes:\n\n```\n",
                    "to satisfy the following scope expression:\n\n```\n",
                ],
            );
        },
    );
    let is_meant = |entry: &Value| entry.get("scopes").is_some() && entry.get("input").is_none();
    assert_eq!(counts, [count_endpoints(is_meant), 31]);
}

// Payloads and answers

fn task() -> Value {
    json!({
        "taskQueueId": "prov/work", "created": from_now_json("0 seconds").unwrap(), "deadline": from_now_json("1 day").unwrap(),
        "payload": {},
        "metadata": {"name": "n", "description": "d", "owner": "o@example.com", "source": "https://example.com"},
    })
}

async fn create(
    client: &Client,
    reference: &'static Reference,
    task: &Value,
) -> Result<Value, Error> {
    let call = client.call(reference, "createTask").unwrap();
    call.param("taskId", TASK_ID).payload(task).send().await
}

#[tokio::test]
async fn all_places_of_a_wrong_payload_are_named() {
    let fake = Deployment::start().await.unwrap();
    let client = fake.connect_as("tester", ["*"]).unwrap();
    let mut wrong = task();
    wrong["deadline"] = json!("tomorrow");
    wrong["dependencies"] = json!([TASK_ID, "x"]);
    wrong["metadata"]["source"] = json!("here");
    wrong["retries"] = json!(50);
    wrong["prioritty"] = json!("low");
    wrong.as_object_mut().unwrap().remove("payload");
    let error = create(&client, &Queue::REFERENCE, &wrong).await.unwrap_err();
    let places = [
        "- at '/deadline': 'tomorrow' is not valid date-time",
        "- at '/dependencies/1': 'x' does not match pattern",
        "- at '/metadata/source': 'here' does not match pattern",
        "- at '/retries': must be <=49, but got 50",
        "missing properties 'payload'",
        "'prioritty' not allowed",
    ];
    assert_api_error(&error, StatusCode::BAD_REQUEST, "InputValidationError", &places);
    assert_eq!(fake.calls()[0].status, Some(StatusCode::BAD_REQUEST));
    create(&client, &Queue::REFERENCE, &task()).await.unwrap();
}

#[tokio::test]
async fn each_generation_has_its_own_schemas() {
    let fake = Deployment::start().await.unwrap();
    fake.serve(&legacy::Queue::REFERENCE);
    let client = fake.connect_as("tester", ["*"]).unwrap();
    let error = create(&client, &legacy::Queue::REFERENCE, &task()).await.unwrap_err();
    let places = ["missing properties 'provisionerId', 'workerType'", "'taskQueueId' not allowed"];
    assert_api_error(&error, StatusCode::BAD_REQUEST, "InputValidationError", &places);
}

#[tokio::test]
async fn a_stub_that_makes_a_wrong_answer_is_told_by_the_call() {
    let fake = Deployment::start().await.unwrap();
    let endpoint = Auth::REFERENCE.endpoint("currentScopes");
    fake.on(endpoint).reply_with(|_| json!({"scopes": ["a", 1]}));
    let client = fake.connect_as("tester", ["*"]).unwrap();
    let error = Auth::new(&client).current_scopes().await.unwrap_err();
    let message = "this answer of auth.currentScopes does not fit the schema v1/scopeset.json#:";
    let place = "- at '/scopes/1': want string, but got number";
    let status = StatusCode::INTERNAL_SERVER_ERROR;
    assert_api_error(&error, status, "InternalServerError", &[message, place]);
    assert!(fake.calls()[0].error.as_ref().unwrap().contains(place));
}

#[tokio::test]
async fn an_unchecked_stub_answers_as_it_likes() {
    let fake = Deployment::start().await.unwrap();
    let endpoint = Auth::REFERENCE.endpoint("currentScopes");
    let auth = Auth::new(&fake.connect_as("tester", ["*"]).unwrap());
    fake.on(endpoint).times(1).unchecked().reply(json!({"scopes": 1}));
    assert_eq!(auth.current_scopes().send_as::<Value>().await.unwrap(), json!({"scopes": 1}));
    fake.on(endpoint).unchecked().reply_with(|_| json!({"scopes": 2}));
    assert_eq!(auth.current_scopes().send_as::<Value>().await.unwrap(), json!({"scopes": 2}));
}

#[tokio::test]
async fn errors_and_redirects_of_a_stub_have_no_schema() {
    let fake = Deployment::start().await.unwrap();
    let endpoint = Auth::REFERENCE.endpoint("currentScopes");
    fake.on(endpoint).reply_status(StatusCode::IM_A_TEAPOT, json!("tea"));
    let auth = Auth::new(&fake.connect_as("tester", ["*"]).unwrap());
    let error = auth.current_scopes().await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::IM_A_TEAPOT));
}

#[tokio::test]
#[should_panic(expected = "expected value at line 1 column 1")]
async fn an_answer_that_is_no_json_is_told_where_it_is_written() {
    let fake = Deployment::start().await.unwrap();
    let page = taskcluster::testing::Reply::new(StatusCode::OK)
        .body(taskcluster::reqwest::header::HeaderValue::from_static("text/html"), "<html>");
    fake.on(Auth::REFERENCE.endpoint("currentScopes")).reply(page);
}

// References of one's own

async fn builds(schemas: Option<&str>) -> (Deployment, Client) {
    let fake = Deployment::start().await.unwrap();
    fake.serve(&Builds::REFERENCE);
    if let Some(folder) = schemas {
        fake.schemas(format!("{}/{folder}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    }
    let client = fake.connect_as("tester", ["*"]).unwrap();
    (fake, client)
}

async fn build(client: &Client, payload: Value) -> Result<Value, Error> {
    let call = client.call(&Builds::REFERENCE, "new").unwrap();
    call.params([("self", "me"), ("payload", "it")]).payload(payload).send().await
}

#[tokio::test]
async fn schemas_of_ones_own_are_checked_too() {
    let (fake, client) = builds(Some("compile/api/schemas")).await;
    fake.on(Builds::REFERENCE.endpoint("new")).reply(json!({}));
    build(&client, json!({"revision": "abc"})).await.unwrap();
    let error = build(&client, json!({"revision": 1})).await.unwrap_err();
    let place = "- at '/revision': want string, but got number";
    assert_api_error(&error, StatusCode::BAD_REQUEST, "InputValidationError", &[place]);

    let list = Builds::REFERENCE.endpoint("listBuilds");
    fake.on(list).reply(json!({"builds": [{"revision": "abc"}]}));
    let wrong = AssertUnwindSafe(|| fake.on(list).reply(json!({"builds": [{}]})));
    let panic = catch_unwind(wrong).unwrap_err();
    let message = panic.downcast_ref::<String>().unwrap();
    assert!(message.contains("- at '/builds/0': missing properties 'revision'"), "{message}");
}

#[tokio::test]
async fn a_schema_that_is_not_known_is_asked_for() {
    let (_fake, client) = builds(None).await;
    let error = build(&client, json!({"revision": "abc"})).await.unwrap_err();
    let status = StatusCode::INTERNAL_SERVER_ERROR;
    let messages = ["v1/build.json#", "`deployment.schemas(folder)`"];
    assert_api_error(&error, status, "InternalServerError", &messages);
}

#[tokio::test]
async fn a_folder_of_schemas_that_cannot_be_read_is_an_error() {
    let (fake, _) = builds(None).await;
    let error = fake.schemas("no/such/folder").unwrap_err();
    assert!(error.message().contains("no/such/folder"), "{error}");
    let error = fake.schemas(format!("{}/compile/api", env!("CARGO_MANIFEST_DIR"))).unwrap_err();
    assert!(error.message().contains("broken.json"), "{error}");
}

// The record

#[tokio::test]
async fn the_record_notes_deprecated_endpoints_and_errors() {
    let fake = Deployment::start().await.unwrap();
    let client = fake.connect_as("tester", ["secrets:*"]).unwrap();
    Secrets::new(&client).list().limit(1).await.unwrap();
    let hooks = Hooks::REFERENCE.endpoint("getHookStatus");
    let call = client.call(&Hooks::REFERENCE, hooks.name).unwrap();
    call.params([("hookGroupId", "g"), ("hookId", "h")]).send().await.unwrap_err();

    let calls = fake.calls();
    assert_eq!(calls.iter().map(|call| call.is_deprecated()).collect::<Vec<_>>(), [false, true]);
    assert_eq!(calls[0].error, None);
    assert_eq!(calls[0].to_string(), "secrets.list ?limit=\"1\" by tester: 200");
    let error = calls[1].error.as_ref().unwrap();
    assert!(error.starts_with("InsufficientScopes: Client ID tester does not have"), "{error}");
    let line = calls[1].to_string();
    let start =
        "hooks.getHookStatus hookGroupId=\"g\" hookId=\"h\" (deprecated) by tester: 403 Insuff";
    assert!(line.starts_with(start) && !line.contains('\n'), "{line}");
}

// What is built in

#[tokio::test]
async fn what_is_built_in_answers_as_the_references_say() {
    let fake = Deployment::start().await.unwrap();
    fake.role("r", ["a"]);
    let client = fake.connect_as("tester", ["*"]).unwrap();
    let send = async |reference, name: &str, args: &[(&str, &str)], payload: Value| {
        let call = client.call(reference, name).unwrap().params(args.iter().copied());
        call.payload(payload).send().await.unwrap_or_else(|error| panic!("{error}"))
    };
    let (task_id, run) = (("taskId", TASK_ID), ("runId", "0"));
    let mut definition = task();
    definition["routes"] = json!(["index.a.b"]);
    send(&Queue::REFERENCE, "createTask", &[task_id], definition).await;
    let claim = json!({"workerGroup": "g", "workerId": "w", "tasks": 1});
    send(&Queue::REFERENCE, "claimWork", &[("taskQueueId", "prov/work")], claim).await;
    let expires = from_now_json("1 hour").unwrap();
    let artifact = json!({"storageType": "error", "reason": "file-missing-on-worker", "message": "m", "expires": expires});
    send(&Queue::REFERENCE, "createArtifact", &[task_id, run, ("name", "a")], artifact).await;
    let entry = json!({"taskId": TASK_ID, "rank": 1, "data": {}, "expires": expires});
    send(&Index::REFERENCE, "insertTask", &[("namespace", "a.b")], entry).await;
    let secret = json!({"secret": {}, "expires": expires});
    send(&Secrets::REFERENCE, "set", &[("name", "a")], secret).await;
    fake.clear_calls();

    for reference in PREBUILT {
        let reads = |endpoint: &&Endpoint| endpoint.method == Method::GET;
        for endpoint in reference.endpoints.iter().filter(reads) {
            let mut call = client.call(reference, endpoint.name).unwrap();
            for name in endpoint.args {
                let value = match *name {
                    "taskId" | "taskGroupId" => TASK_ID,
                    "runId" => "0",
                    "taskQueueId" => "prov/work",
                    "provisionerId" => "prov",
                    "workerType" => "work",
                    "workerGroup" => "g",
                    "workerId" => "w",
                    "clientId" => "tester",
                    "roleId" => "r",
                    "indexPath" => "a.b",
                    _ => "a",
                };
                call = call.param(name, value);
            }
            // Whether it is built in, or has what it is asked for, does not matter here.
            let _ = call.send().await;
        }
    }
    let calls = fake.calls();
    let misfits: Vec<_> =
        calls.iter().filter(|call| call.status.is_none_or(|s| s.is_server_error())).collect();
    assert_eq!(misfits.iter().map(ToString::to_string).collect::<Vec<_>>(), [""; 0]);
    let answered = |call: &&RecordedCall| {
        call.endpoint.output.is_some() && call.status == Some(StatusCode::OK)
    };
    let answered: Vec<_> = calls.iter().filter(answered).map(ToString::to_string).collect();
    assert!(answered.len() > 30, "{}: {answered:#?}", answered.len());
}
