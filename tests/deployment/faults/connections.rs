//! Connections that break, before or after the call is carried out.

use std::io::{Read as _, Write as _};

use serde_json::{Value, json};
use taskcluster::testing::{Deployment, Fault};
use taskcluster::{Auth, Client, Retry, Secrets, StatusCode};

use crate::deployment::faults::{once, under_fault};
use crate::deployment::{deployment, secret, tester};
use crate::support::typed;

#[tokio::test]
async fn a_connection_can_be_closed_without_an_answer() {
    let error = under_fault(Fault::Disconnect).await;
    assert!(error.is_transport() && !error.is_timeout(), "{error}");
    assert_eq!(error.status(), None);
}

#[tokio::test]
async fn a_closed_connection_leaves_the_call_undone_and_is_tried_again() {
    let fake = deployment().await;
    let set = Secrets::REFERENCE.endpoint("set");
    fake.on(set).times(1).fault(Fault::Disconnect);
    let once = fake.builder().unwrap().credentials(tester()).retry(Retry::never()).build().unwrap();
    Secrets::new(&once).set("x", &typed(secret())).await.unwrap_err();
    let secrets = Secrets::new(&fake.connect("tester").unwrap());
    assert_eq!(secrets.get("x").await.unwrap_err().status(), Some(StatusCode::NOT_FOUND));
    fake.on(set).times(2).fault(Fault::Disconnect);
    secrets.set("x", &typed(secret())).await.unwrap();
    secrets.get("x").await.unwrap();
}

#[tokio::test]
async fn an_answer_can_break_off_though_the_call_is_carried_out() {
    let fake = deployment().await;
    fake.on(Secrets::REFERENCE.endpoint("set")).times(1).fault(Fault::Truncate);
    let once = fake.builder().unwrap().credentials(tester()).retry(Retry::never()).build().unwrap();
    let error = Secrets::new(&once).set("x", &typed(secret())).await.unwrap_err();
    assert!(error.is_transport() && !error.is_timeout(), "{error}");
    assert_eq!(error.status(), Some(StatusCode::OK), "the head of the answer did arrive");
    let kept: Value = Secrets::new(&once).get("x").send_as().await.unwrap();
    assert_eq!(kept, secret());
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
