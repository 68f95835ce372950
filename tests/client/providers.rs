//! Credentials that a program gives when they are needed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use taskcluster::testing::Deployment;
use taskcluster::{
    Auth, Client, Credentials, CredentialsFuture, CredentialsProvider, ErrorKind, Queue,
};

use crate::client::CURRENT;
use crate::deployment::with_anybodys;

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
