//! Making clients: root URLs, credentials, providers, derived clients.

mod checks;
mod credentials;
mod environment;
mod providers;
mod runtimes;
mod saved;
mod tls;

use taskcluster::testing::Deployment;
use taskcluster::{Auth, Client, Credentials, ErrorKind, Queue, Service, StatusCode};

use crate::deployment::with_anybodys;

/// What a caller needs to ask for its scopes.
const CURRENT: &str = "auth:current-scopes";

#[test]
fn root_urls_that_are_none_are_refused() {
    for (root, why) in [
        ("", "cannot be read"),
        ("tc.example.com", "cannot be read"),
        ("ftp://tc.example.com", "neither http nor https"),
        (
            "https://user:secret@tc.example.com",
            "contains a user or password; pass credentials to the client instead",
        ),
        ("https://tc.example.com?a=b", "query or fragment"),
        ("https://tc.example.com/#a", "query or fragment"),
    ] {
        let error = Client::builder(root).build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains(why), "{root}: {error}");
        assert!(!error.to_string().contains("secret"));
    }
}

#[test]
fn authorized_scopes_need_credentials() {
    let error =
        Client::builder("https://tc.example.com").authorized_scopes(["a"]).build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    let client = Client::builder("https://tc.example.com").build().unwrap();
    assert_eq!(client.with_authorized_scopes(["a"]).unwrap_err().kind(), ErrorKind::Config);
}

#[test]
fn services_live_below_the_root_url_or_at_one_of_their_own() {
    let client = Client::builder("https://tc.example.com/a/b//").build().unwrap();
    assert_eq!(client.root_url(), Some("https://tc.example.com/a/b"));
    let queue = Queue::new(&client);
    assert_eq!(
        queue.ping().url().unwrap().as_str(),
        "https://tc.example.com/a/b/api/queue/v1/ping"
    );
    for base in ["http://localhost:8080/q", "http://localhost:8080/q//"] {
        let service = Service::with_base_url(&client, &Queue::REFERENCE, base).unwrap();
        assert_eq!(
            Queue::from(service).ping().url().unwrap().as_str(),
            "http://localhost:8080/q/ping"
        );
    }
    let service =
        Service::with_base_url(&client, &Queue::REFERENCE, "http://localhost:8080").unwrap();
    assert_eq!(Queue::from(service).ping().url().unwrap().as_str(), "http://localhost:8080/ping");
    Service::with_base_url(&client, &Queue::REFERENCE, "localhost").unwrap_err();
}

#[tokio::test]
async fn derived_clients_have_other_rights_and_the_same_connections() {
    let deployment = Deployment::start().await.unwrap();
    deployment.client("all", "no-secret", ["*"]);
    deployment.client("few", "other-secret", ["a:*", "auth:current-scopes"]);
    let all = deployment.connect("all").unwrap();
    let few = all.with_credentials(Credentials::new("few", "other-secret")).unwrap();
    let limited = few.with_authorized_scopes(["a:b", "auth:current-scopes"]).unwrap();
    let nobody = limited.without_credentials();
    for (client, scopes) in
        [(&all, vec!["*"]), (&few, vec!["a:*", CURRENT]), (&limited, vec!["a:b", CURRENT])]
    {
        let answer = Auth::new(client).current_scopes().await.unwrap();
        assert_eq!(answer.scopes, with_anybodys(&scopes));
    }
    let error = Auth::new(&nobody).current_scopes().await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::FORBIDDEN));
    let over = few.with_authorized_scopes(["b"]).unwrap();
    let error = Auth::new(&over).current_scopes().await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::UNAUTHORIZED));
    // New credentials keep the limit.
    let still_limited = few.with_authorized_scopes(["a:x", CURRENT]).unwrap();
    let still_limited =
        still_limited.with_credentials(Credentials::new("all", "no-secret")).unwrap();
    let answer = Auth::new(&still_limited).current_scopes().await.unwrap();
    assert_eq!(answer.scopes, with_anybodys(&["a:x", CURRENT]));
}

#[tokio::test]
async fn clients_are_shared_by_tasks() {
    let deployment = Deployment::start().await.unwrap();
    deployment.client("tester", "no-secret", ["*"]);
    let auth = Auth::new(&deployment.connect("tester").unwrap());
    let calls = (0..50).map(|_| tokio::spawn(auth.current_scopes().into_future()));
    futures::future::try_join_all(calls).await.unwrap();
    let calls = deployment.calls();
    let nonces: std::collections::HashSet<_> =
        calls.iter().map(|call| format!("{:?}", call.signature)).collect();
    assert_eq!((calls.len(), nonces.len()), (50, 50));
}
