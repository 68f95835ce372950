//! Secret arguments are sent, and shown nowhere.

use serde_json::json;
use taskcluster::legacy::{self, AwsProvisioner};
use taskcluster::testing::Deployment;
use taskcluster::{Client, Endpoint, Hooks, NamedCall, Reference};
use taskcluster_tests::{RawServer, json};

use crate::references::{PREBUILT, of_2017};
use crate::support::log::Log;

/// The endpoints with secret arguments, with the names of these.
fn with_secrets(
    references: impl Iterator<Item = &'static Reference>,
) -> Vec<(&'static str, &'static str, &'static [&'static str])> {
    let all = references.flat_map(|reference| {
        reference.endpoints.iter().map(|endpoint| (reference.service, endpoint))
    });
    all.filter(|(_, endpoint)| !endpoint.secrets.is_empty())
        .map(|(service, Endpoint { name, secrets, .. })| (service, *name, *secrets))
        .collect()
}

#[test]
fn tokens_in_paths_are_secret() {
    let token: &[&str] = &["token"];
    assert_eq!(with_secrets(PREBUILT.iter().copied()), [("hooks", "triggerHookWithToken", token)]);
    assert_eq!(
        with_secrets(of_2017()),
        [
            ("aws-provisioner", "createSecret", token),
            ("aws-provisioner", "getSecret", token),
            ("aws-provisioner", "instanceStarted", token),
            ("aws-provisioner", "removeSecret", token),
            ("hooks", "triggerHookWithToken", token),
        ]
    );
}

#[track_caller]
fn assert_hidden(text: &str) {
    assert!(!text.contains("hush") && text.contains("/trigger/..."), "{text}");
}

#[tokio::test]
async fn a_secret_argument_is_sent_and_shown_nowhere() {
    let log = Log::default();
    let _installed = log.install();
    for answer in [json("200 OK", "{}"), json("404 Not Found", "{}"), json("200 OK", "oops")] {
        let server = RawServer::start([answer]).await.unwrap();
        let client = Client::builder(&server.url).build().unwrap();
        let typed = Hooks::new(&client).trigger_hook_with_token("g", "h", "hush/1", json!({}));
        let named = || -> NamedCall {
            let call = client.call(&Hooks::REFERENCE, "triggerHookWithToken").unwrap();
            call.args(["g", "h", "hush/1"]).payload(json!({}))
        };
        assert!(typed.url().unwrap().path().ends_with("/trigger/hush%2F1"));
        assert_hidden(&format!("{typed:?}"));
        assert_hidden(&format!("{:?}", named()));
        for outcome in [typed.send_as().await, named().await] {
            let outcome: Result<serde_json::Value, _> = outcome;
            if let Err(error) = outcome {
                assert_hidden(&error.to_string());
                assert_hidden(&format!("{error:?}"));
                assert_hidden(error.request().unwrap().1.as_str());
            }
        }
        for request in server.requests() {
            assert!(request.starts_with("POST /api/hooks/v1/hooks/g/h/trigger/hush%2F1 HTTP/1.1"));
        }
    }
    assert_hidden(&log.text());
}

#[test]
fn what_stands_behind_a_secret_argument_is_shown() {
    taskcluster::taskcluster_api! {
        pub struct Doors = "compile/api/doors.json";
    }
    let client = Client::builder("https://tc.example.com").build().unwrap();
    let call = Doors::new(&client).open_door("hush", "front").password("hush").times(2);
    let url = call.url().unwrap();
    assert_eq!(url.path(), "/api/doors/v1/key/hush/door/front");
    assert_eq!(url.query(), Some("password=hush&times=2"));
    let shown = format!("{call:?}");
    assert!(shown.contains("/key/.../door/front?password=...&times=2"), "{shown}");
    assert!(!shown.contains("hush"), "{shown}");
}

#[tokio::test]
async fn a_deployment_does_not_show_it_either() {
    let fake = Deployment::start().await.unwrap();
    fake.serve(&legacy::AwsProvisioner::REFERENCE);
    let provisioner = AwsProvisioner::new(&fake.connect_as("tester", ["*"]).unwrap());
    let _ = provisioner.instance_started("i", "hush").await;
    let call = &fake.calls()[0];
    assert_eq!(call.args["token"], "hush");
    for shown in [format!("{call:?}"), format!("{call:#?}"), call.to_string()] {
        assert!(!shown.contains("hush"), "{shown}");
        assert!(shown.contains('…') && shown.contains("instanceStarted"), "{shown}");
    }
}
