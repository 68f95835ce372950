//! Credentials for other services, which are good for nothing, except to show that a program asks for them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use taskcluster::StatusCode;

use super::call;
use crate::deployment::services::connected;
use crate::support::assert_api_error;

#[tokio::test]
async fn credentials_are_of_the_right_form_and_expire() {
    let (fake, tc) = connected().await;
    let aws = |level: &str, prefix: &str| {
        let aws = call(&tc, "awsS3Credentials").param("level", level);
        aws.param("bucket", "a-bucket").param("prefix", prefix)
    };
    let gcp = call(&tc, "gcpCredentials").param("projectId", "p").param("serviceAccount", "s");
    let github = call(&tc, "githubRepoToken").param("appName", "app").param("owner", "octo");
    let token = json!({"repositories": ["app"], "permissions": {"contents": "read"}});
    let time = |text: &Value| text.as_str().unwrap().parse::<DateTime<Utc>>().unwrap();
    for (name, answer, expires, hours) in [
        ("aws", aws("read-only", "p/").await.unwrap(), "expires", 1),
        ("gcp", gcp.await.unwrap(), "expireTime", 1),
        ("github", github.payload(token).await.unwrap(), "expires", 1),
        ("sentry", call(&tc, "sentryDSN").param("project", "p").await.unwrap(), "expires", 24),
    ] {
        let left = time(&answer[expires]) - fake.now();
        assert!(left <= TimeDelta::hours(hours) && left > TimeDelta::zero(), "{name}: {left}");
    }
    // As the metadata service of EC2 has it.
    let compatible = aws("read-write", "p/").query("format", "iam-role-compat").await.unwrap();
    assert_eq!((&compatible["Code"], &compatible["Type"]), (&json!("Success"), &json!("AWS-HMAC")));
    let error = aws("write", "p/").await.unwrap_err();
    assert_api_error(&error, StatusCode::BAD_REQUEST, "InvalidRequestArguments", "level");
    let error = aws("read-only", "/p").await.unwrap_err();
    assert_api_error(&error, StatusCode::BAD_REQUEST, "InputError", "slash");
}

#[tokio::test]
async fn the_token_of_websocktunnel_says_who_may_do_what() {
    let (fake, _) = connected().await;
    let tc = fake.connect_as("worker", ["auth:websocktunnel-token:audience/w~1"]).unwrap();
    let token = call(&tc, "websocktunnelToken").param("wstAudience", "audience");
    let answer = token.param("wstClient", "w~1").await.unwrap();
    let parts: Vec<_> = answer["token"].as_str().unwrap().split('.').collect();
    let part = |i: usize| -> Value {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[i]).unwrap()).unwrap()
    };
    assert_eq!((part(0), parts.len()), (json!({"alg": "HS256", "typ": "JWT"}), 3));
    let claims = part(1);
    let expires: DateTime<Utc> = answer["expires"].as_str().unwrap().parse().unwrap();
    assert_eq!(claims["exp"], expires.timestamp());
    for (name, value) in
        [("tid", "w~1"), ("aud", "audience"), ("sub", "worker"), ("iss", "taskcluster-auth")]
    {
        assert_eq!(claims[name], value);
    }
}
