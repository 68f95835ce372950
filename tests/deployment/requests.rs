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
        (Method::GET, "/api/queue/v2/ping"),
        (Method::GET, "/api/queue/v1/pong"),
        (Method::GET, "/api/queue/v1/ping//"),
        (Method::POST, "/api/queue/v1/ping"),
        (Method::GET, "/api/queue/v1/task//status"),
        (Method::OPTIONS, "/api/queue/v1/pong"),
    ];
    for (method, path) in requests {
        let answer = send(plain().request(method, format!("{}{path}", fake.root_url()))).await;
        assert_eq!(answer, (StatusCode::NOT_FOUND, json!({"error": "Not found"})), "{path}");
    }
    // Where no service is asked, the proxy in front of them answers.
    for (path, status) in [
        ("/", StatusCode::NOT_FOUND),
        ("/api/queue", StatusCode::NOT_FOUND),
        ("/api/quue/v1/ping", StatusCode::NOT_FOUND),
        ("/api/queue/v1/task/%zz", StatusCode::BAD_REQUEST),
    ] {
        let answer = plain().get(format!("{}{path}", fake.root_url())).send().await.unwrap();
        assert_eq!(answer.status(), status, "{path}");
        assert_eq!(answer.headers()[CONTENT_TYPE], "text/html");
    }
    assert!(fake.calls().is_empty());
}

#[tokio::test]
async fn head_and_options_are_answered() {
    let fake = deployment().await;
    let ask = async |method: Method, path: &str| {
        let url = format!("{}/api/{path}", fake.root_url());
        let answer = plain().request(method, url).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        answer.text().await.unwrap()
    };
    assert_eq!(ask(Method::HEAD, "queue/v1/ping").await, "");
    assert_eq!(ask(Method::OPTIONS, "queue/v1/ping").await, "GET, HEAD");
    let all = ask(Method::OPTIONS, &format!("queue/v1/task/{TASK_ID}")).await;
    let mut all: Vec<_> = all.split(", ").collect();
    all.sort_unstable();
    assert_eq!(all, ["GET", "HEAD", "PUT"]);
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
        (Method::PUT, set, "", "", "MalformedPayload", "set requires a payload (v1/secret.json#)"),
        (Method::PUT, set, json, "", "InputValidationError", "'expires'"),
        (Method::PUT, set, json, "{\"secret\"", "MalformedPayload", "not JSON"),
        (Method::PUT, set, json, "17", "MalformedPayload", "neither a JSON object nor an array"),
        (Method::PUT, set, "text/plain", "{}", "MalformedPayload", "not \"text/plain\""),
        (Method::PUT, set, json, "{\"secret\": {}}", "InputValidationError", "'expires'"),
        (Method::POST, &cancel, json, "{", "MalformedPayload", "not JSON"),
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
    // With what the service has filled in.
    assert_eq!(info["payload"]["retries"], 1);
    assert_eq!(info["payload"]["priority"], "lowest");
    assert_eq!(info["payload"]["workerType"], "work");
    assert_eq!(info["payload"]["taskGroupId"], TASK_ID);
    let expires: Option<chrono::DateTime<chrono::Utc>> =
        info["payload"]["expires"].as_str().and_then(|date| date.parse().ok());
    assert!(expires.unwrap() > fake.now() + chrono::TimeDelta::days(364), "{info}");
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
