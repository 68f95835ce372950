//! Credentials by themselves.

use std::time::Duration;

use taskcluster::Credentials;

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
fn white_space_around_client_ids_and_tokens_is_dropped() {
    let json = serde_json::json!({"clientId": "a\n", "accessToken": " b\r\n"}).to_string();
    for credentials in [Credentials::new("\ta ", "b\n"), Credentials::from_json(&json).unwrap()] {
        assert_eq!((credentials.client_id(), credentials.access_token()), ("a", "b"));
        assert_eq!(credentials, Credentials::new("a", "b"));
    }
    let blank = serde_json::json!({"clientId": "a", "accessToken": "\n"}).to_string();
    let error = Credentials::from_json(&blank).unwrap_err();
    assert!(error.message().contains("`accessToken` must be a non-empty string"), "{error}");
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
