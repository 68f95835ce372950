//! Credentials that a program gives when they are needed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use taskcluster::testing::{Deployment, Reply};
use taskcluster::{
    Auth, Client, Credentials, CredentialsFile, CredentialsFuture, CredentialsProvider, ErrorKind,
    Queue, RefreshingCredentials, Retry, SharedCredentials, StatusCode,
};

use crate::client::CURRENT;
use crate::deployment::with_anybodys;
use crate::support::documents::Folder;

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
            assert_eq!(answer.scopes, with_anybodys(&[CURRENT, &format!("round-{n}")]));
        }
        auth.current_scopes().signed_url(Duration::from_secs(60)).unwrap();
    }
}

/// Counts on a runtime, as providers do that ask a service.
struct Asking(Credentials);

impl CredentialsProvider for Asking {
    fn credentials(&self) -> CredentialsFuture<'_> {
        Box::pin(async {
            // Uses the runtime's timer, and is never ready at once.
            tokio::join!(tokio::time::sleep(Duration::from_millis(1)), tokio::task::yield_now());
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
    call.clone().send_blocking().unwrap();
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

/// The scopes of a client: those of its present credentials.
async fn scopes(client: &Client) -> Result<Vec<String>, taskcluster::Error> {
    Ok(Auth::new(client).current_scopes().await?.scopes)
}

#[tokio::test]
async fn replaced_credentials_sign_from_the_next_attempt_on() {
    let deployment = Deployment::start().await.unwrap();
    let [old, new] = ["old", "new"].map(|id| deployment.client(id, "no-secret", [CURRENT, id]));
    let credentials = SharedCredentials::new(old);
    let client = deployment.anonymous().unwrap().with_credentials_provider(credentials.clone());
    let limited = client.with_authorized_scopes([CURRENT]).unwrap();
    assert_eq!(scopes(&client).await.unwrap(), with_anybodys(&[CURRENT, "old"]));

    // A call that is under way goes on with the new ones.
    let replace = credentials.clone();
    let endpoint = Auth::REFERENCE.endpoint("currentScopes");
    deployment.on(endpoint).times(1).reply_with(move |_| {
        replace.replace(new.clone());
        Reply::new(StatusCode::BAD_GATEWAY)
    });
    assert_eq!(scopes(&client).await.unwrap(), with_anybodys(&[CURRENT, "new"]));
    assert_eq!(scopes(&limited).await.unwrap(), with_anybodys(&[CURRENT]));
    let callers: Vec<_> = deployment.calls().into_iter().map(|call| call.client_id).collect();
    assert_eq!(callers, ["old", "old", "new", "new"].map(|id| Some(id.to_owned())));
    assert_eq!(credentials.get().unwrap().client_id(), "new");
    assert!(!format!("{credentials:?}").contains("no-secret"));

    credentials.withdraw();
    let error = scopes(&client).await.unwrap_err();
    assert!(error.to_string().ends_with("the credentials have been withdrawn"), "{error}");
    assert_eq!(deployment.calls().len(), 4, "nothing is sent");
}

#[tokio::test]
async fn however_many_calls_wait_credentials_are_fetched_once() {
    let deployment = Deployment::start().await.unwrap();
    let issuer = deployment.client("tester", "no-secret", ["*"]);
    let fetched = Arc::new(AtomicUsize::new(0));
    let count = fetched.clone();
    let provider = RefreshingCredentials::new(move || {
        count.fetch_add(1, Ordering::Relaxed);
        let temporary = issuer.temporary(Duration::from_secs(3600)).scopes([CURRENT]).create();
        async {
            // So that the other calls come meanwhile; those that come later find the credentials.
            tokio::time::sleep(Duration::from_millis(20)).await;
            temporary
        }
    });
    // Clones share them, and so do clients and runtimes.
    let client = deployment.anonymous().unwrap().with_credentials_provider(provider.clone());
    let other = deployment.anonymous().unwrap().with_credentials_provider(Arc::new(provider));
    let elsewhere = std::thread::spawn({
        let auth = Auth::new(&other);
        move || auth.current_scopes().send_blocking().unwrap()
    });
    let calls = (0..50).map(|n| scopes(if n % 2 == 0 { &client } else { &other }));
    futures::future::try_join_all(calls).await.unwrap();
    tokio::task::spawn_blocking(|| elsewhere.join().unwrap()).await.unwrap();
    assert_eq!((fetched.load(Ordering::Relaxed), deployment.calls().len()), (1, 51));
}

#[tokio::test]
async fn a_failed_refresh_is_tried_again_and_old_credentials_serve_meanwhile() {
    let deployment = Deployment::start().await.unwrap();
    let credentials = deployment.client("tester", "no-secret", [CURRENT]);
    let fetched = Arc::new(AtomicUsize::new(0));
    let count = fetched.clone();
    let provider = RefreshingCredentials::new(move || {
        let n = count.fetch_add(1, Ordering::Relaxed);
        // Fails twice, succeeds once, and fails from then on.
        let answer = (n == 2).then(|| credentials.clone());
        async move { answer.ok_or("the vault is closed") }
    });
    let soon = Retry::default().first_delay(Duration::ZERO).max_retries(2);
    let provider = provider.retry(soon).max_age(Duration::ZERO);
    let client = deployment.anonymous().unwrap().with_credentials_provider(provider);
    assert_eq!(scopes(&client).await.unwrap(), with_anybodys(&[CURRENT]));
    assert_eq!(fetched.load(Ordering::Relaxed), 3);
    assert_eq!(scopes(&client).await.unwrap(), with_anybodys(&[CURRENT]));
    assert_eq!(fetched.load(Ordering::Relaxed), 6, "they are too old, but nothing newer is there");
    assert_eq!(scopes(&client).await.unwrap(), with_anybodys(&[CURRENT]));
    assert_eq!(fetched.load(Ordering::Relaxed), 6, "not at every call");
}

#[tokio::test]
async fn without_credentials_a_failed_refresh_is_an_error_for_all_who_wait() {
    let fetched = Arc::new(AtomicUsize::new(0));
    let count = fetched.clone();
    let provider = RefreshingCredentials::new(move || {
        count.fetch_add(1, Ordering::Relaxed);
        std::future::pending::<Result<Credentials, &str>>()
    });
    let provider = provider.retry(Retry::never()).timeout(Duration::from_millis(20));
    let client =
        Client::builder("http://127.0.0.1:9").credentials_provider(provider).build().unwrap();
    let calls = (0..10).map(|_| scopes(&client));
    for error in futures::future::join_all(calls).await {
        let error = error.unwrap_err();
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::Config, 0));
        assert!(error.to_string().contains("no credentials within 20ms"), "{error}");
    }
    assert_eq!(fetched.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_file_that_changes_is_read_again() {
    let deployment = Deployment::start().await.unwrap();
    let [old, new] = ["old", "new"].map(|id| deployment.client(id, "no-secret", [CURRENT, id]));
    let folder = Folder::new();
    let path = folder.0.join("credentials.json");
    let client = deployment.anonymous().unwrap();
    let client = client.with_credentials_provider(CredentialsFile::new(&path));
    let error = scopes(&client).await.unwrap_err();
    assert!(error.to_string().contains("the credentials provider failed: "), "{error}");

    folder.write("credentials.json", &old.to_json().to_string());
    assert_eq!(scopes(&client).await.unwrap(), with_anybodys(&[CURRENT, "old"]));
    for incomplete in ["", "{\"clientId\": \"new\"", "{}", &"x".repeat(300_000)] {
        folder.write("credentials.json", incomplete);
        assert_eq!(
            scopes(&client).await.unwrap(),
            with_anybodys(&[CURRENT, "old"]),
            "the last ones serve"
        );
    }
    folder.write("credentials.json", &new.to_json().to_string());
    assert_eq!(scopes(&client).await.unwrap(), with_anybodys(&[CURRENT, "new"]));
    Auth::new(&client).current_scopes().signed_url(Duration::from_secs(60)).unwrap();

    // Expired ones do not serve.
    let start = chrono::Utc::now() - chrono::TimeDelta::hours(2);
    let expired = new.temporary(Duration::from_secs(60)).start(start).create().unwrap();
    folder.write("credentials.json", &expired.to_json().to_string());
    scopes(&client).await.unwrap_err();
    folder.write("credentials.json", "");
    let error = scopes(&client).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config, "{error}");
}

#[cfg(unix)]
#[tokio::test]
async fn a_command_prints_credentials() {
    let deployment = Deployment::start().await.unwrap();
    let credentials = deployment.client("tester", "no-secret", [CURRENT]);
    let shell = |script: &str| {
        let mut command = std::process::Command::new("sh");
        command.args(["-c", script]).env("CREDENTIALS", credentials.to_json().to_string());
        RefreshingCredentials::from_command(command).retry(Retry::never())
    };
    let client = |provider| deployment.anonymous().unwrap().with_credentials_provider(provider);
    let folder = Folder::new();
    let runs = folder.0.join("runs");
    let script =
        format!("cat; echo >&2 hush; echo run >> {}; echo \"$CREDENTIALS\"", runs.display());
    let works = client(shell(&script));
    for _ in 0..3 {
        assert_eq!(scopes(&works).await.unwrap(), with_anybodys(&[CURRENT]));
    }
    assert_eq!(std::fs::read_to_string(runs).unwrap(), "run\n");

    let hanging = shell("echo hush; exec sleep 1000").timeout(Duration::from_millis(50));
    for (provider, why) in [
        (shell("echo hush; echo hush >&2; exit 7"), "failed: exit status: 7"),
        (shell("echo hush"), "invalid credentials: not JSON"),
        (
            shell("echo '{\"clientId\": \"a\", \"accessToken\": [\"hush\"]}'"),
            "`accessToken` must be",
        ),
        (shell("printf '\\377'"), "did not print text"),
        (shell("yes hush"), "printed more than 262144 bytes"),
        (hanging, "no credentials within 50ms"),
        (
            RefreshingCredentials::from_command(std::process::Command::new("/nonexistent"))
                .retry(Retry::never()),
            "the credentials provider failed: ",
        ),
    ] {
        let error = scopes(&client(provider)).await.unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(shown.contains(why) && !shown.contains("hush"), "{shown}");
    }
}
