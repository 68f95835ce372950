//! What can go wrong on the way to the embedded deployment and back, as a test asks for it.

use std::io::{Read as _, Write as _};

use serde_json::{Value, json};
use taskcluster::reqwest::header::{CONTENT_TYPE, DATE, HeaderValue};
use taskcluster::testing::{Deployment, Fault};
use taskcluster::{Auth, Client, Endpoint, ErrorKind, Retry, Secrets, StatusCode};

fn current_scopes() -> &'static Endpoint {
    Auth::REFERENCE.endpoint("currentScopes")
}

/// A deployment and a client of it that tries once.
async fn once() -> (Deployment, Client) {
    let fake = Deployment::start().await.unwrap();
    let credentials = fake.client("tester", "no-secret", ["*"]);
    let client = fake.builder().unwrap().credentials(credentials).retry(Retry::never());
    let client = client.build().unwrap();
    (fake, client)
}

async fn set(client: &Client) -> Result<(), taskcluster::Error> {
    let secret = json!({"secret": {"a": 1}, "expires": "2100-01-01T00:00:00.000Z"});
    let call = client.call(&Secrets::REFERENCE, "set").unwrap();
    call.param("name", "x").payload(secret).send().await.map(|_| ())
}

#[tokio::test]
async fn an_answer_can_be_lost_though_the_call_is_carried_out() {
    let (fake, client) = once().await;
    fake.on(Secrets::REFERENCE.endpoint("set")).times(1).fault(Fault::LoseAnswer);
    let error = set(&client).await.unwrap_err();
    assert!(error.is_transport() && !error.is_timeout(), "{error}");
    assert_eq!((error.status(), fake.calls()[0].status), (None, None));
    let kept: Value = Secrets::new(&client).get("x").send_as().await.unwrap();
    assert_eq!(kept["secret"], json!({"a": 1}));
}

#[test]
fn a_connection_is_reset_before_or_after_the_call() {
    for fault in [Fault::Disconnect, Fault::LoseAnswer] {
        let fake = Deployment::start_blocking().unwrap();
        fake.on(Auth::REFERENCE.endpoint("ping")).times(1).fault(fault);
        let address = fake.root_url().strip_prefix("http://").unwrap();
        let ask = || {
            let mut connection = std::net::TcpStream::connect(address).unwrap();
            let request = "GET /api/auth/v1/ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
            connection.write_all(request.as_bytes()).unwrap();
            connection.read_to_end(&mut Vec::new())
        };
        assert_eq!(ask().unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
        assert!(ask().unwrap() > 0);
    }
}

#[tokio::test]
async fn an_answer_can_be_larger_than_anybody_expects() {
    let (fake, client) = once().await;
    fake.on(current_scopes()).fault(Fault::Oversize(3 << 20));
    let response = Auth::new(&client).current_scopes().send_raw().await.unwrap();
    let body = response.bytes().await.unwrap();
    assert_eq!(body.len(), 3 << 20);
    assert_eq!(serde_json::from_slice::<Value>(&body).unwrap(), json!({"scopes": ["*"]}));
    // One that is large enough already stays as it is.
    fake.clear_stubs();
    fake.on(current_scopes()).fault(Fault::Oversize(1));
    Auth::new(&client).current_scopes().await.unwrap();
}

#[tokio::test]
async fn an_answer_can_be_of_another_content_type() {
    let (fake, client) = once().await;
    let csv = HeaderValue::from_static("text/csv");
    fake.on(current_scopes()).fault(Fault::ContentType(csv.clone()));
    let response = Auth::new(&client).current_scopes().send_raw().await.unwrap();
    assert_eq!((response.status(), &response.headers()[CONTENT_TYPE]), (StatusCode::OK, &csv));
    let body: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
    assert_eq!(body, json!({"scopes": ["*"]}));
}

#[tokio::test]
async fn the_clock_can_be_off_for_one_endpoint() {
    let (fake, client) = once().await;
    let auth = Auth::new(&client);
    fake.on(current_scopes()).fault(Fault::Skew(3600));
    auth.current_scopes().await.unwrap();
    let statuses: Vec<_> = fake.calls().iter().map(|call| call.status.unwrap()).collect();
    assert_eq!(statuses, [StatusCode::UNAUTHORIZED, StatusCode::OK], "it learns the time");
    assert!(fake.calls()[0].error.as_ref().unwrap().contains("Stale timestamp"));
    let skewed = auth.current_scopes().send_raw().await.unwrap();
    let right = Auth::new(&fake.anonymous().unwrap()).ping().send_raw().await.unwrap();
    let hours = [skewed, right].map(|response| {
        let date = response.headers()[DATE].to_str().unwrap();
        let date = chrono::DateTime::parse_from_rfc2822(date).unwrap().timestamp();
        (date - chrono::Utc::now().timestamp() + 1800).div_euclid(3600)
    });
    assert_eq!(hours, [1, 0]);
}

#[tokio::test]
async fn a_skew_is_used_up_by_calls_that_it_makes_fail() {
    let (fake, client) = once().await;
    let auth = Auth::new(&client);
    fake.on(current_scopes()).times(1).fault(Fault::Skew(i64::MIN));
    // The time that it learns is wrong for the second attempt, and for the next call once more.
    let error = auth.current_scopes().await.unwrap_err();
    assert_eq!((error.status(), error.attempts()), (Some(StatusCode::UNAUTHORIZED), 2));
    auth.current_scopes().await.unwrap();
    assert_eq!(fake.calls().len(), 4);
    auth.current_scopes().await.unwrap();
    assert_eq!(fake.calls().len(), 5);
}

#[tokio::test]
async fn one_call_in_some_can_fail() {
    let (fake, client) = once().await;
    let auth = Auth::new(&client);
    let unavailable = Fault::Status(StatusCode::SERVICE_UNAVAILABLE);
    fake.on(current_scopes()).one_in(3).times(2).fault(unavailable);
    let mut outcomes = Vec::new();
    for _ in 0..10 {
        outcomes.push(auth.current_scopes().await.is_ok());
    }
    let expected = [true, true, false, true, true, false, true, true, true, true];
    assert_eq!(outcomes, expected);
}

#[tokio::test]
async fn one_call_in_none_is_every_call() {
    let (fake, client) = once().await;
    fake.on(current_scopes()).one_in(0).fault(Fault::Disconnect);
    for _ in 0..2 {
        Auth::new(&client).current_scopes().await.unwrap_err();
    }
}

#[tokio::test]
async fn faults_of_the_answer_add_up() {
    let (fake, client) = once().await;
    let endpoint = current_scopes();
    fake.on(endpoint).times(1).fault(Fault::Oversize(100));
    fake.on(endpoint).times(1).fault(Fault::ContentType(HeaderValue::from_static("text/csv")));
    fake.on(endpoint).times(1).reply(json!({"scopes": []}));
    let response = Auth::new(&client).current_scopes().send_raw().await.unwrap();
    assert_eq!(response.headers()[CONTENT_TYPE], "text/csv");
    assert_eq!(response.bytes().await.unwrap().len(), 100);

    fake.on(endpoint).fault(Fault::Truncate);
    let error = Auth::new(&client).current_scopes().await.unwrap_err();
    assert!(error.is_transport(), "{error}");
    fake.on(endpoint).fault(Fault::Html(StatusCode::OK));
    let error = Auth::new(&client).current_scopes().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Answer, "a newer stub decides before the older one");
}

#[tokio::test]
async fn any_endpoint_can_fail() {
    let (fake, client) = once().await;
    fake.on_any().times(2).fault(Fault::Status(StatusCode::IM_A_TEAPOT));
    fake.on(current_scopes()).times(1).reply(json!({"scopes": ["stubbed"]}));
    let (auth, secrets) = (Auth::new(&client), Secrets::new(&client));
    let errors = [auth.current_scopes().send().await.err(), secrets.list().send().await.err()];
    let statuses = errors.map(|error| error.unwrap().status());
    assert_eq!(statuses, [Some(StatusCode::IM_A_TEAPOT); 2]);
    let answer: Value = auth.current_scopes().send_as().await.unwrap();
    assert_eq!(answer, json!({"scopes": ["stubbed"]}));
    secrets.list().await.unwrap();

    // An answer for all is held against the schema of each.
    fake.on_any().reply(json!({"scopes": []}));
    auth.current_scopes().await.unwrap();
    let error = secrets.list().await.unwrap_err();
    assert!(error.message().contains("this answer of secrets.list does not fit"), "{error}");
}
