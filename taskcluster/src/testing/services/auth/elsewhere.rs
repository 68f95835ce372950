//! Credentials for other services: of the right form, but good for nothing. The token of websocktunnel is a real one.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::key::Key;
use crate::slugid;
use crate::testing::http::answer::{Refusal, Reply, timestamp};
use crate::testing::http::call::RecordedCall;
use crate::testing::services::context::Context;

/// How long most of these credentials are good for.
const HOUR: TimeDelta = TimeDelta::hours(1);

/// How long a token of websocktunnel is good for, and from how much earlier.
const TUNNEL: TimeDelta = TimeDelta::hours(96);
const LEEWAY: TimeDelta = TimeDelta::minutes(15);

/// Answers calls for such credentials. Returns `None` for other endpoints.
pub(super) fn answer(context: &Context, call: &RecordedCall) -> Option<Result<Reply, Refusal>> {
    let expires = timestamp(context.now() + HOUR);
    Some(match call.endpoint.name {
        "awsS3Credentials" => aws(context, call),
        "gcpCredentials" => Ok(json!({
            "accessToken": format!("ya29.{}", slugid::v4()), "expireTime": expires,
        })
        .into()),
        "githubRepoToken" => {
            Ok(json!({"token": format!("ghs_{}", slugid::v4()), "expires": expires}).into())
        }
        "sentryDSN" => Ok(sentry(context, call).into()),
        "websocktunnelToken" => Ok(tunnel(context, call).into()),
        // Of 2017.
        "azureAccounts" => Ok(json!({"accounts": ["account"]}).into()),
        "azureTables" => Ok(json!({"tables": ["table"]}).into()),
        "azureTableSAS" | "azureBlobSAS" => {
            Ok(json!({"sas": format!("sig={}", slugid::v4()), "expiry": expires}).into())
        }
        "statsumToken" => Ok(json!({
            "project": call.arg("project"), "token": slugid::v4(), "expires": expires,
            "baseUrl": "https://statsum.example.com",
        })
        .into()),
        "webhooktunnelToken" => Ok(json!({
            "token": slugid::v4(), "tunnelId": slugid::v4(),
            "proxyUrl": "https://webhooktunnel.example.com",
        })
        .into()),
        _ => return None,
    })
}

fn aws(context: &Context, call: &RecordedCall) -> Result<Reply, Refusal> {
    let prefix = call.arg("prefix");
    if prefix.starts_with('/') {
        return Err(Refusal::input(format!("`prefix` must not begin with a slash: {prefix:?}")));
    }
    let (id, secret, token) =
        (format!("ASIA{}", slugid::v4()), slugid::v4() + &slugid::v4(), slugid::v4());
    let expires = timestamp(context.now() + HOUR);
    if call.query_value("format") == Some("iam-role-compat") {
        // As from the metadata service of EC2, which is not what the reference promises.
        let body = json!({
            "Code": "Success", "Type": "AWS-HMAC", "LastUpdated": timestamp(context.now()),
            "AccessKeyId": id, "SecretAccessKey": secret, "Token": token, "Expiration": expires,
        });
        return Ok(Reply::json(StatusCode::OK, &body).unlike_the_reference());
    }
    let credentials = json!({"accessKeyId": id, "secretAccessKey": secret, "sessionToken": token});
    Ok(json!({"credentials": credentials, "expires": expires}).into())
}

fn sentry(context: &Context, call: &RecordedCall) -> Value {
    let project = call.arg("project");
    let (public, secret) = (slugid::v4(), slugid::v4());
    json!({
        "project": project,
        "dsn": {
            "public": format!("https://{public}@sentry.example.com/1"),
            "secret": format!("https://{public}:{secret}@sentry.example.com/1"),
        },
        "expires": timestamp(context.now() + TimeDelta::days(1)),
    })
}

/// Makes a JSON web token for a server that nobody has the secret of.
fn tunnel(context: &Context, call: &RecordedCall) -> Value {
    let (audience, client, now) = (call.arg("wstAudience"), call.arg("wstClient"), context.now());
    let expires = now + TUNNEL;
    let claims = json!({
        "tid": client, "aud": audience, "sub": call.caller(), "iss": "taskcluster-auth",
        "iat": now.timestamp(), "nbf": (now - LEEWAY).timestamp(), "exp": expires.timestamp(),
    });
    let encode = |part: &str| URL_SAFE_NO_PAD.encode(part);
    let signed = [encode(r#"{"alg":"HS256","typ":"JWT"}"#), encode(&claims.to_string())].join(".");
    let signature = URL_SAFE_NO_PAD.encode(Key::new(&slugid::v4()).mac(signed.as_bytes()));
    json!({
        "wstClient": client, "wstAudience": audience, "token": format!("{signed}.{signature}"),
        "expires": timestamp(expires),
    })
}
