//! Whose clock signatures follow, how far, and since when.

use std::future::IntoFuture as _;
use std::time::Duration;

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use serde_json::json;
use taskcluster::hawk::verify::Header;
use taskcluster::testing::Deployment;
use taskcluster::{Auth, Client, ClientBuilder, Credentials, Queue, Retry, StatusCode};
use taskcluster_tests::{RawServer, TASK_ID, answer, json};

use crate::support::log::Log;

const HOUR: i64 = 3600;
const LIFETIME: i64 = 900;

fn builder(server: &RawServer) -> ClientBuilder {
    let retry = Retry::default().first_delay(Duration::from_millis(1)).max_retries(2);
    Client::builder(&server.url).credentials(Credentials::new("tester", "no-secret")).retry(retry)
}

fn now() -> i64 {
    chrono::Utc::now().timestamp()
}

/// A refusal of a signature as stale, by a service whose clock is so many seconds ahead.
fn stale(ahead: i64) -> String {
    let date = chrono::Utc::now() + chrono::TimeDelta::seconds(ahead);
    stale_at(&date.format("%a, %d %b %Y %H:%M:%S GMT").to_string())
}

fn stale_at(date: &str) -> String {
    let body = json!({"code": "AuthenticationFailed", "message": "Stale timestamp"}).to_string();
    answer("401 Unauthorized", &[&format!("Date: {date}")], &body)
}

/// How many seconds ahead of this machine each request was signed.
fn signed_ahead(server: &RawServer) -> Vec<i64> {
    let authorization = |request: &String| {
        let line = request.lines().find(|line| line.to_lowercase().starts_with("authorization: "));
        let header = line.unwrap().split_once(": ").unwrap().1.to_owned();
        Header::parse(&header).unwrap().time
    };
    server.requests().iter().map(|request| authorization(request) - now()).collect()
}

/// How many seconds from now a URL ends that is signed for [`LIFETIME`].
fn signed_url_ends_in(client: &Client) -> i64 {
    let lifetime = Duration::from_secs(LIFETIME.unsigned_abs());
    let url = Auth::new(client).current_scopes().signed_url(lifetime).unwrap();
    let bewit = url.query().unwrap().strip_prefix("bewit=").unwrap();
    let bewit = String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(bewit).unwrap()).unwrap();
    bewit.split('\\').nth(1).unwrap().parse::<i64>().unwrap() - now()
}

/// The same, give or take what a busy machine may lose.
fn about(seconds: i64, expected: i64) -> bool {
    seconds.abs_diff(expected) < 50
}

#[tokio::test]
async fn a_clock_that_is_off_is_corrected_once() {
    let deployment = Deployment::start().await.unwrap();
    deployment.client("tester", "no-secret", ["*"]);
    for offset in [3600, -86_400] {
        deployment.set_clock_offset(offset);
        deployment.clear_calls();
        let client = deployment.connect("tester").unwrap();
        let auth = Auth::new(&client);
        auth.current_scopes().await.unwrap();
        assert_eq!(deployment.calls().len(), 2, "refused, then signed again");
        // The correction is kept, also by derived clients.
        auth.current_scopes().await.unwrap();
        let derived = client.with_authorized_scopes(["auth:current-scopes"]).unwrap();
        Auth::new(&derived).current_scopes().await.unwrap();
        assert_eq!(deployment.calls().len(), 4);
        // A bewit ends by the server's clock, too.
        let url = auth.current_scopes().signed_url(Duration::from_secs(60)).unwrap();
        let http = taskcluster::http_client_builder().unwrap().build().unwrap();
        assert_eq!(http.get(url).send().await.unwrap().status(), StatusCode::OK);
    }
}

#[tokio::test]
async fn calls_at_once_all_survive_a_clock_that_is_off() {
    let deployment = Deployment::start().await.unwrap();
    deployment.client("tester", "no-secret", ["*"]);
    deployment.set_clock_offset(3600);
    let auth = Auth::new(&deployment.connect("tester").unwrap());
    let calls = (0..10).map(|_| auth.current_scopes().into_future());
    futures::future::try_join_all(calls).await.unwrap();
}

#[tokio::test]
async fn a_stale_timestamp_with_a_right_clock_is_an_error() {
    let date = chrono::Utc::now().format("Date: %a, %d %b %Y %H:%M:%S GMT").to_string();
    let body = json!({"code": "AuthenticationFailed", "message": "Stale timestamp"}).to_string();
    let server = RawServer::start([answer("401 Unauthorized", &[&date], &body)]).await.unwrap();
    let error = Queue::new(&builder(&server).build().unwrap()).ping().await.unwrap_err();
    assert_eq!((error.attempts(), error.code()), (1, Some("AuthenticationFailed")));
}

#[tokio::test]
async fn a_time_is_followed_only_once_the_service_accepts_a_signature_made_by_it() {
    // Refused again: the call tried, nothing was learnt.
    let server = RawServer::start([stale(2 * HOUR)]).await.unwrap();
    let client = builder(&server).build().unwrap();
    let error = Auth::new(&client).current_scopes().await.unwrap_err();
    assert_eq!((error.attempts(), error.status()), (2, Some(StatusCode::UNAUTHORIZED)));
    assert!(about(signed_ahead(&server)[1], 2 * HOUR), "{:?}", signed_ahead(&server));
    assert!(about(signed_url_ends_in(&client), LIFETIME));

    // What a proxy says proves nothing, and the call goes on trying by that time.
    let busy = answer("503 Service Unavailable", &[], "");
    let server = RawServer::start([stale(2 * HOUR), busy]).await.unwrap();
    let client = builder(&server).build().unwrap();
    Auth::new(&client).current_scopes().await.unwrap_err();
    assert!(signed_ahead(&server)[1..].iter().all(|ahead| about(*ahead, 2 * HOUR)));
    let page = answer("403 Forbidden", &[], "<html>");
    let proxy = RawServer::start([stale(2 * HOUR), page]).await.unwrap();
    let behind = builder(&proxy).build().unwrap();
    Auth::new(&behind).current_scopes().await.unwrap_err();
    for client in [client, behind] {
        assert!(about(signed_url_ends_in(&client), LIFETIME));
    }

    // An answer does, and so does a refusal for another reason. The client says what it learnt, once.
    let refused = json("404 Not Found", r#"{"code": "ResourceNotFound", "message": "no"}"#);
    for proof in [json("200 OK", r#"{"scopes": []}"#), refused] {
        let server = RawServer::start([stale(-2 * HOUR), proof]).await.unwrap();
        let client = builder(&server).build().unwrap();
        let (log, call) = (Log::default(), Auth::new(&client).current_scopes());
        let guard = log.install();
        let _ = call.clone().send().await;
        let _ = call.send().await;
        drop(guard);
        let ahead = signed_ahead(&server);
        assert!(about(ahead[1], -2 * HOUR) && about(ahead[2], -2 * HOUR), "{ahead:?}");
        assert!(about(signed_url_ends_in(&client), LIFETIME - 2 * HOUR));
        let derived = client.with_authorized_scopes(["a"]).unwrap();
        assert!(about(signed_url_ends_in(&derived), LIFETIME - 2 * HOUR));
        let warnings: Vec<_> =
            log.text().lines().filter(|l| l.contains("WARN")).map(str::to_owned).collect();
        assert!(warnings.len() == 1 && warnings[0].contains("offset_seconds=-7"), "{warnings:?}");
    }
}

#[tokio::test]
async fn a_redirect_to_an_artifact_is_an_accepted_signature() {
    let redirect = answer("303 See Other", &["Location: https://storage.example.com/"], "{}");
    let server = RawServer::start([stale(2 * HOUR), redirect.clone()]).await.unwrap();
    let client = builder(&server).build().unwrap();
    // Not for endpoints that do not exist to redirect: a proxy may have done it.
    Queue::new(&client).status(TASK_ID).send_raw().await.unwrap();
    assert!(about(signed_url_ends_in(&client), LIFETIME));
    let server = RawServer::start([stale(2 * HOUR), redirect]).await.unwrap();
    let client = builder(&server).build().unwrap();
    Queue::new(&client).get_latest_artifact(TASK_ID, "a").send_raw().await.unwrap();
    assert!(about(signed_url_ends_in(&client), LIFETIME + 2 * HOUR));
}

#[tokio::test]
async fn no_lie_about_the_time_moves_the_clock_by_more_than_the_limit() {
    let good = json("200 OK", r#"{"scopes": []}"#);
    for lie in ["Fri, 31 Dec 9999 23:59:59 GMT", "Sun, 06 Nov 1994 08:49:37 GMT"] {
        let server = RawServer::start([stale_at(lie), good.clone()]).await.unwrap();
        let client = builder(&server).build().unwrap();
        let log = Log::default();
        let guard = log.install();
        let error = Auth::new(&client).current_scopes().await.unwrap_err();
        drop(guard);
        assert_eq!((error.attempts(), error.code()), (1, Some("AuthenticationFailed")));
        assert!(log.text().contains("WARN") && log.text().contains("limit_seconds=86400"));
        assert!(about(signed_url_ends_in(&client), LIFETIME), "{lie}");
    }
    // The limit is a setting.
    for (limit, attempts) in [(HOUR, 1), (3 * HOUR, 2)] {
        let server = RawServer::start([stale(2 * HOUR), good.clone()]).await.unwrap();
        let limit = Duration::from_secs(limit.unsigned_abs());
        let client = builder(&server).max_clock_skew(limit).build().unwrap();
        let _ = Auth::new(&client).current_scopes().await;
        assert_eq!(server.requests().len(), attempts);
    }
}
