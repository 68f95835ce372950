//! Responses that hold credentials convert to them.

use taskcluster::{Credentials, json, queue};

use crate::payloads::wire::{Certified, Held};
use crate::support::typed;

#[test]
fn credentials_in_responses_convert() {
    let certificate = r#"{"version":1}"#;
    let of_a_task: queue::TaskCredentials = typed(json!({
        "clientId": "task/x", "accessToken": "no-secret", "certificate": certificate
    }));
    let expected = Credentials::new("task/x", "no-secret").with_certificate(certificate);
    assert_eq!(Credentials::from(&of_a_task), expected);
    assert_eq!(Credentials::from(of_a_task), expected);

    let artifact: queue::ArtifactContentResponse = typed(json!({
        "storageType": "object", "name": "x",
        "credentials": {"clientId": "a", "accessToken": "b", "certificate": certificate}
    }));
    let queue::ArtifactContentResponse::Object(object) = artifact else { panic!("{artifact:?}") };
    let credentials: Credentials = object.credentials.into();
    assert_eq!(credentials, Credentials::new("a", "b").with_certificate(certificate));

    // A certificate of any form, and one that is always an object.
    for (certificate, expected) in [
        (json!({"version": 1}), Some(r#"{"version":1}"#)),
        (json!("{\"version\":1}"), Some(r#"{"version":1}"#)),
        (json!(null), None),
        (json!(""), None),
    ] {
        let json = json!({"clientId": "a", "accessToken": "b", "certificate": certificate});
        let credentials = Credentials::from(typed::<Held>(json));
        assert_eq!(credentials.certificate_json(), expected);
    }
    let json = json!({"clientId": "a", "accessToken": "b", "certificate": {"version": 1, "scopes": ["x"]}});
    let credentials = Credentials::from(typed::<Certified>(json));
    assert_eq!(credentials.certificate_json(), Some(r#"{"scopes":["x"],"version":1}"#));
    let json = json!({"clientId": "a", "accessToken": "b"});
    assert_eq!(Credentials::from(typed::<Held>(json.clone())), Credentials::new("a", "b"));
    assert_eq!(Credentials::from(typed::<Certified>(json)), Credentials::new("a", "b"));
}
