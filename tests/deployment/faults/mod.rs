//! What can go wrong on the way to the embedded deployment and back, as a test asks for it.

mod answers;
mod clock;
mod connections;
mod occurrence;

use taskcluster::testing::{Deployment, Fault};
use taskcluster::{Auth, Client, Endpoint, Error, Retry};

use crate::deployment::{deployment, tester};

/// A client that tries once, and the error of its one call under a fault.
async fn under_fault(fault: Fault) -> Error {
    let fake = deployment().await;
    fake.on(Auth::REFERENCE.endpoint("currentScopes")).fault(fault);
    let tc = fake.builder().unwrap().credentials(tester()).retry(Retry::never()).build().unwrap();
    let error = Auth::new(&tc).current_scopes().await.unwrap_err();
    assert_eq!(fake.calls().len(), 1);
    assert_eq!(fake.calls()[0].status, error.status());
    error
}

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
