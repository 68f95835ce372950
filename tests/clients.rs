//! Making clients: root URLs, credentials, providers, derived clients.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use taskcluster::testing::Deployment;
use taskcluster::{
    Auth, Client, Credentials, CredentialsFuture, CredentialsProvider, ErrorKind, Queue, Service,
    StatusCode,
};

/// What a caller needs to ask for its scopes.
const CURRENT: &str = "auth:current-scopes";

#[test]
fn root_urls_that_are_none_are_refused() {
    for (root, why) in [
        ("", "cannot be read"),
        ("tc.example.com", "cannot be read"),
        ("ftp://tc.example.com", "neither http nor https"),
        ("https://user:secret@tc.example.com", "carries a user or password"),
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
        assert_eq!(answer.scopes, scopes);
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
    assert_eq!(answer.scopes, ["a:x", CURRENT]);
}

#[test]
fn credentials_read_and_write_json() {
    let certificate = r#"{"version":1,"start":0,"expiry":1000,"scopes":["a"]}"#;
    let whole = Credentials::new("a", "b").with_certificate(certificate);
    for (json, expected) in [
        (serde_json::json!({"clientId": "a", "accessToken": "b"}), Credentials::new("a", "b")),
        (
            serde_json::json!({"clientId": "a", "accessToken": "b", "certificate": null}),
            Credentials::new("a", "b"),
        ),
        (
            serde_json::json!({"clientId": "a", "accessToken": "b", "certificate": certificate}),
            whole.clone(),
        ),
    ] {
        assert_eq!(Credentials::from_json(&json.to_string()).unwrap(), expected);
    }
    let object: serde_json::Value = serde_json::from_str(certificate).unwrap();
    let json = serde_json::json!({"clientId": "a", "accessToken": "b", "certificate": object});
    let credentials = Credentials::from_json(&json.to_string()).unwrap();
    assert_eq!(credentials.information().unwrap(), whole.information().unwrap());
    assert_eq!(Credentials::from_json(&whole.to_json().to_string()).unwrap(), whole);

    for (json, why) in [
        ("hush", "not JSON"),
        (r#"["hush"]"#, "`clientId` must be a non-empty string"),
        (
            r#"{"clientId": "a", "accessToken": ["hush"]}"#,
            "`accessToken` must be a non-empty string",
        ),
        (
            r#"{"clientId": "a", "accessToken": "hush", "certificate": 7}"#,
            "`certificate` must be a string or an object",
        ),
    ] {
        let error = Credentials::from_json(json).unwrap_err();
        assert!(
            error.to_string().contains(why) && !format!("{error:?}").contains("hush"),
            "{error}"
        );
    }
}

#[test]
fn credentials_tell_of_themselves() {
    let permanent = Credentials::new("a", "b").information().unwrap();
    assert!(permanent.is_active() && !permanent.is_temporary && permanent.scopes.is_none());
    let issuer = Credentials::new("a", "b");
    let start = chrono::Utc::now();
    for (start, active) in [
        (start - chrono::TimeDelta::seconds(30), true),
        (start - chrono::TimeDelta::seconds(61), false),
        (start + chrono::TimeDelta::seconds(30), false),
    ] {
        let temporary = issuer.temporary(Duration::from_secs(60)).start(start).scopes(["x", "y"]);
        let information = temporary.create().unwrap().information().unwrap();
        assert_eq!(information.is_active(), active);
        assert_eq!(information.start.unwrap().timestamp_millis(), start.timestamp_millis());
        assert_eq!(
            information.expiry.unwrap() - information.start.unwrap(),
            chrono::TimeDelta::seconds(60)
        );
        assert_eq!(information.scopes.unwrap(), ["x", "y"]);
        assert_eq!((information.client_id.as_str(), information.issuer), ("a", None));
    }
    for broken in [
        "{",
        "{}",
        r#"{"start": 1, "expiry": "soon", "scopes": []}"#,
        r#"{"start": 1, "expiry": 2, "scopes": [3]}"#,
    ] {
        issuer.clone().with_certificate(broken).information().unwrap_err();
    }
}

/// Gives other temporary credentials each time.
struct Changing {
    issuer: Credentials,
    asked: Arc<AtomicUsize>,
    waits: bool,
}

impl CredentialsProvider for Changing {
    fn credentials(&self) -> CredentialsFuture<'_> {
        Box::pin(async {
            if self.waits {
                tokio::task::yield_now().await;
            }
            let n = self.asked.fetch_add(1, Ordering::Relaxed);
            let scope = format!("round-{n}");
            Ok(self
                .issuer
                .temporary(Duration::from_secs(60))
                .scopes([scope, CURRENT.to_owned()])
                .create()?)
        })
    }
}

#[tokio::test]
async fn a_provider_is_asked_for_every_attempt() {
    let deployment = Deployment::start().await.unwrap();
    deployment.client("tester", "no-secret", ["*"]);
    let asked = Arc::new(AtomicUsize::new(0));
    let issuer = Credentials::new("tester", "no-secret");
    for waits in [false, true] {
        asked.store(0, Ordering::Relaxed);
        let provider = Changing { issuer: issuer.clone(), asked: asked.clone(), waits };
        let client =
            Client::builder(deployment.root_url()).credentials_provider(provider).build().unwrap();
        let auth = Auth::new(&client);
        let early = auth.current_scopes().signed_url(Duration::from_secs(60));
        assert_eq!(early.is_err(), waits, "a provider that waits has given nothing yet");
        let before = asked.load(Ordering::Relaxed);
        for n in before..before + 2 {
            let answer = auth.current_scopes().await.unwrap();
            assert_eq!(answer.scopes, [CURRENT.to_owned(), format!("round-{n}")]);
        }
        auth.current_scopes().signed_url(Duration::from_secs(60)).unwrap();
    }
}

/// Counts on a runtime, as providers do that ask a service.
struct Asking(Credentials);

impl CredentialsProvider for Asking {
    fn credentials(&self) -> CredentialsFuture<'_> {
        Box::pin(async {
            tokio::time::sleep(Duration::from_millis(1)).await;
            Ok(self.0.clone())
        })
    }
}

#[test]
fn a_provider_may_count_on_a_runtime_in_a_program_without_one() {
    let deployment = Deployment::start_blocking().unwrap();
    let credentials = deployment.client("tester", "no-secret", ["*"]);
    let client = Client::builder(deployment.root_url())
        .credentials_provider(Asking(credentials))
        .build()
        .unwrap();
    let call = Auth::new(&client).current_scopes();
    assert!(call.signed_url(Duration::from_secs(60)).is_err(), "nothing has been given yet");
    call.send_blocking().unwrap();
    call.signed_url(Duration::from_secs(60)).unwrap();
}

struct Broken;

impl CredentialsProvider for Broken {
    fn credentials(&self) -> CredentialsFuture<'_> {
        Box::pin(async { Err("the vault is closed".into()) })
    }
}

#[tokio::test]
async fn a_provider_that_fails_is_told() {
    let client =
        Client::builder("http://127.0.0.1:9").credentials_provider(Broken).build().unwrap();
    let error = Queue::new(&client).ping().await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Config, 0));
    assert!(
        error.to_string().contains("the credentials provider failed: the vault is closed"),
        "{error}"
    );
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
