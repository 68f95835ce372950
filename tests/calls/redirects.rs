//! Redirects: never followed, and a success only where a redirect is what was asked for.

use futures::TryStreamExt as _;
use serde_json::{Value, json};
use taskcluster::{
    Auth, Client, Error, ErrorKind, Github, Index, NamedCall, Object, Queue, Reference, Secrets,
    StatusCode,
};
use taskcluster_tests::{RawServer, TASK_ID, answer};

const REDIRECTS: [&str; 6] = [
    "300 Multiple Choices",
    "301 Moved Permanently",
    "302 Found",
    "303 See Other",
    "307 Temporary Redirect",
    "308 Permanent Redirect",
];

fn redirect(status: &str, location: &str, body: &str) -> String {
    answer(status, &[&format!("Location: {location}"), "Content-Type: application/json"], body)
}

async fn client(answer: String) -> (RawServer, Client) {
    let server = RawServer::start([answer]).await.unwrap();
    let client = Client::builder(&server.url).build().unwrap();
    (server, client)
}

fn call(client: &Client, reference: &'static Reference, name: &str, args: &[&str]) -> NamedCall {
    client.call(reference, name).unwrap().args(args)
}

fn assert_redirected(error: &Error, status: &str, to: &str) {
    assert_eq!(error.kind(), ErrorKind::Answer, "{error}");
    assert_eq!(error.status().unwrap().as_str(), &status[..3]);
    assert_eq!(error.attempts(), 1);
    assert!(error.message().contains(to), "{error}");
    assert!(!format!("{error} {error:?}").contains("hush"), "{error}");
}

#[tokio::test]
async fn a_redirect_in_place_of_an_answer_is_an_error_that_names_the_host() {
    let location = "https://user:hush@login.example.com:8443/hush?token=hush#hush";
    let secret = json!({"secret": {}, "expires": "2030-01-01T00:00:00.000Z"});
    for status in REDIRECTS.iter().chain(&["304 Not Modified", "399 Odd"]) {
        for body in ["", r#"{"status": {}, "clients": []}"#] {
            let (_server, client) = client(redirect(status, location, body)).await;
            let set = call(&client, &Secrets::REFERENCE, "set", &["a"]).payload(&secret);
            let errors = [
                set.send().await.unwrap_err(),
                Auth::new(&client).delete_client("a").await.unwrap_err(),
                Queue::new(&client).ping().await.unwrap_err(),
                Queue::new(&client).status(TASK_ID).send_as::<Value>().await.unwrap_err(),
                Auth::new(&client).list_clients().pages().try_next().await.unwrap_err(),
                Auth::new(&client).list_clients().items().try_next().await.unwrap_err(),
            ];
            for error in errors {
                assert_redirected(&error, status, "redirects to https://login.example.com instead");
                // HTTP gives a 304 no body.
                assert!(error.body() == body.as_bytes() || status.starts_with("304"));
            }
        }
    }
}

#[tokio::test]
async fn a_redirect_to_a_path_or_to_nowhere_is_an_error_too() {
    for (location, to) in [
        ("/login?hush", "redirects to http://127.0.0.1 instead"),
        ("//other.example.com/hush", "redirects to http://other.example.com instead"),
        ("http://[hush", "redirects without saying where"),
        ("mailto:hush", "redirects without saying where"),
        ("", "redirects to http://127.0.0.1 instead"),
    ] {
        let (_server, client) = client(redirect("302 Found", location, "{}")).await;
        let error = Queue::new(&client).ping().await.unwrap_err();
        assert_redirected(&error, "302", to);
    }
    let (_server, client) = client(answer("302 Found", &[], "")).await;
    let error = Queue::new(&client).ping().await.unwrap_err();
    assert_redirected(&error, "302", "redirects without saying where");
}

#[tokio::test]
async fn endpoints_that_exist_to_redirect_answer_by_it() {
    let json = r#"{"storageType": "s3", "url": "https://x.example.com/a"}"#;
    for status in ["302 Found", "303 See Other"] {
        let (_server, client) = client(redirect(status, "https://x.example.com/a", json)).await;
        let queue = Queue::new(&client);
        let answer: Value = queue.get_latest_artifact(TASK_ID, "a").send_as().await.unwrap();
        assert_eq!(answer["url"], "https://x.example.com/a");
        let answer: Value = queue.get_artifact(TASK_ID, 0, "a").send_as().await.unwrap();
        assert_eq!(answer["url"], "https://x.example.com/a");
    }
    // Without a schema there is nothing but the redirect.
    for status in ["302 Found", "303 See Other"] {
        let (_server, client) =
            client(redirect(status, "https://x.example.com/a", "Redirecting")).await;
        for call in [
            call(&client, &Index::REFERENCE, "findArtifactFromTask", &["a.b", "c"]),
            call(&client, &Object::REFERENCE, "download", &["a"]),
            call(&client, &Github::REFERENCE, "latest", &["a", "b", "c"]),
        ] {
            assert_eq!(call.send().await.unwrap(), json!(null));
        }
    }
    // A redirect that no service sends is a proxy's.
    for status in ["301 Moved Permanently", "308 Permanent Redirect"] {
        let (_server, client) = client(redirect(status, "https://proxy.example.com", json)).await;
        let error = Queue::new(&client).get_latest_artifact(TASK_ID, "a").await.unwrap_err();
        assert_redirected(&error, status, "https://proxy.example.com");
        let error = call(&client, &Object::REFERENCE, "download", &["a"]).send().await.unwrap_err();
        assert_redirected(&error, status, "https://proxy.example.com");
    }
}

#[tokio::test]
async fn send_raw_returns_any_redirect() {
    for status in REDIRECTS {
        let (server, client) = client(redirect(status, "/elsewhere", "there")).await;
        let response = Queue::new(&client).ping().send_raw().await.unwrap();
        assert_eq!(response.status().as_str(), &status[..3]);
        assert_eq!(response.headers()["location"], "/elsewhere");
        assert_eq!(response.text().await.unwrap(), "there");
        assert_eq!(server.requests().len(), 1, "nothing was followed");
    }
}

#[tokio::test]
async fn a_status_that_http_does_not_know_is_no_success() {
    for status in ["600 Odd", "999 Odd"] {
        let (_server, client) = client(answer(status, &[], "{}")).await;
        let ping = Queue::new(&client).ping();
        for error in [ping.clone().send().await.unwrap_err(), ping.send_raw().await.unwrap_err()] {
            assert!(error.is_api(), "{error}");
            assert_eq!(error.status(), StatusCode::from_bytes(&status.as_bytes()[..3]).ok());
        }
    }
}
