//! Requests that no endpoint takes.

use serde_json::json;
use taskcluster::reqwest::Method;
use taskcluster::reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use taskcluster::{Queue, Secrets, StatusCode};

use crate::deployment::{
    LIST_CLIENTS, TASK_ID, assert_refused, deployment, header, now, secret, send, send_with,
    task_definition,
};
use crate::support::{assert_api_error, plain, typed};

#[tokio::test]
async fn an_unknown_route_is_not_found() {
    let fake = deployment().await;
    let requests = [
        (Method::GET, "/", "/api/<service>/<version>"),
        (Method::GET, "/api/queue", "/api/<service>/<version>"),
        (Method::GET, "/api/quue/v1/ping", "did you mean `queue`?"),
        (Method::GET, "/api/queue/v2/ping", "no service `queue` of version `v2`"),
        (Method::GET, "/api/queue/v1/pong", "no endpoint GET /pong"),
        (Method::GET, "/api/queue/v1/ping//", "no endpoint GET /ping//"),
        (Method::POST, "/api/queue/v1/ping", "no endpoint POST /ping"),
        (Method::GET, "/api/queue/v1/task//status", "no endpoint GET /task//status"),
    ];
    for (method, path, message) in requests {
        let answer = send(plain().request(method, format!("{}{path}", fake.root_url()))).await;
        assert_refused(&answer, StatusCode::NOT_FOUND, "ResourceNotFound", message);
    }
    assert!(fake.calls().is_empty());
}

#[tokio::test]
async fn a_slash_at_the_end_of_a_path_does_not_count() {
    let fake = deployment().await;
    for resource in
        ["/api/queue/v1/ping", "/api/queue/v1/ping/", LIST_CLIENTS, "/api/auth/v1/clients"]
    {
        let header = header(&fake, "GET", resource, now());
        let (status, answer) = send_with(&fake, Method::GET, resource, &header).await;
        assert_eq!(status, StatusCode::OK, "{resource}: {answer}");
    }
}

#[tokio::test]
async fn an_unknown_query_option_is_refused_with_the_nearest_one() {
    let fake = deployment().await;
    for (option, message) in [
        ("limits", "listClients has no query option `limits`; did you mean `limit`?"),
        ("zzz", "listClients has no query option `zzz`"),
    ] {
        let resource = format!("{LIST_CLIENTS}?{option}=1");
        let header = header(&fake, "GET", &resource, now());
        let answer = send_with(&fake, Method::GET, &resource, &header).await;
        assert_refused(&answer, StatusCode::BAD_REQUEST, "InvalidRequestArguments", message);
    }
}

#[tokio::test]
async fn a_body_that_is_not_what_the_reference_says_is_refused() {
    let fake = deployment().await;
    let json = "application/json";
    let (set, cancel) =
        ("/api/secrets/v1/secret/x", format!("/api/queue/v1/task/{TASK_ID}/cancel"));
    let requests = [
        (Method::PUT, set, json, "", "InputError", "set requires a payload (v1/secret.json#)"),
        (Method::PUT, set, json, "{\"secret\"", "MalformedPayload", "not JSON"),
        (Method::PUT, set, "text/plain", "{}", "MalformedPayload", "not \"text/plain\""),
        (Method::PUT, set, json, "{\"secret\": {}}", "InputValidationError", "'expires'"),
        (Method::POST, &cancel, json, "{}", "InputError", "cancelTask takes no payload"),
    ];
    for (method, resource, content_type, body, code, message) in requests {
        let header = header(&fake, method.as_str(), resource, now());
        let request = plain().request(method, format!("{}{resource}", fake.root_url()));
        let request =
            request.header(AUTHORIZATION, header).header(CONTENT_TYPE, content_type).body(body);
        assert_refused(&send(request).await, StatusCode::BAD_REQUEST, code, message);
    }
}

#[tokio::test]
async fn a_body_of_over_ten_mebibytes_is_refused() {
    let fake = deployment().await;
    let secrets = Secrets::new(&fake.connect("tester").unwrap());
    let of_size = |size: usize| {
        let mut secret = secret();
        secret["secret"]["password"] = json!("x".repeat(size));
        secret
    };
    secrets.set("x", &typed(of_size(10 << 20))).await.unwrap_err();
    let error = secrets.set("x", &typed(of_size(12 << 20))).await.unwrap_err();
    assert_api_error(&error, StatusCode::PAYLOAD_TOO_LARGE, "InputTooLarge", "10485760 bytes");
    secrets.set("x", &typed(of_size(9 << 20))).await.unwrap();
}

#[tokio::test]
async fn an_error_repeats_the_request() {
    let fake = deployment().await;
    let queue = Queue::new(&fake.connect("tester").unwrap());
    queue.create_task(TASK_ID, &typed(task_definition())).await.unwrap();
    let mut other = task_definition();
    other["retries"] = json!(1);
    let error = queue.create_task(TASK_ID, &typed(&other)).await.unwrap_err();
    let info = error.request_info().unwrap();
    assert_eq!(info["method"], "createTask");
    assert_eq!(info["params"], json!({"taskId": TASK_ID}));
    assert_eq!(info["payload"], other);
    let time = info["time"].as_str().unwrap();
    assert!(time.ends_with('Z') && chrono::DateTime::parse_from_rfc3339(time).is_ok(), "{time}");
    let (_, trailer) = error.message().split_once("\n\n---\n\n").unwrap();
    let lines: Vec<_> =
        trailer.lines().map(|line| line.split_whitespace().collect::<Vec<_>>()).collect();
    assert_eq!(
        lines,
        [
            ["*", "method:", "createTask"],
            ["*", "errorCode:", "RequestConflict"],
            ["*", "statusCode:", "409"],
            ["*", "time:", time],
        ]
    );
}
