//! `Debug` tells no secrets.

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use taskcluster::queue::{TaskClaimResponse, TaskStatusRun};
use taskcluster::worker_manager::RegisterWorkerRequest;

use crate::payloads::{EXPIRES, full, of_2017};
use crate::support::typed;

#[test]
fn debug_has_rust_names_and_no_secrets() {
    let claim: TaskClaimResponse = typed(full("queue/v1/task-claim-response.json"));
    let shown = format!("{claim:?}");
    assert!(shown.starts_with("TaskClaimResponse { credentials: TaskCredentials { "), "{shown}");
    assert!(shown.contains("access_token: …, certificate: …, client_id: \"a"), "{shown}");
    assert!(shown.contains("worker_group: ") && !shown.contains("workerGroup"), "{shown}");
    let run: TaskStatusRun = typed(json!({
        "reasonCreated": "scheduled", "runId": 0, "scheduled": EXPIRES, "state": "pending",
    }));
    let lines: Vec<_> = format!("{run:#?}").lines().map(str::to_owned).collect();
    assert_eq!(
        lines[..3],
        ["TaskStatusRun {", "    reason_created: Scheduled,", "    reason_resolved: None,"]
    );
}

/// Replaces all texts and numbers below these keys.
fn hush(json: &mut Value, keys: &[&str], inside: bool) -> usize {
    match json {
        Value::Object(members) => members
            .iter_mut()
            .map(|(key, value)| hush(value, keys, inside || keys.contains(&key.as_str())))
            .sum(),
        Value::Array(items) => items.iter_mut().map(|item| hush(item, keys, inside)).sum(),
        // But for dates.
        Value::String(text) if !inside || text == EXPIRES => 0,
        Value::String(_) | Value::Number(_) if inside => {
            *json = json!("hush");
            1
        }
        _ => 0,
    }
}

/// Whether the values of these properties, and whatever is in them, are told by `Debug`.
#[track_caller]
fn hides<T: DeserializeOwned + Serialize + Debug>(mut document: Value, keys: &[&str]) {
    assert_ne!(hush(&mut document, keys, false), 0, "{document}");
    let read: T = typed(&document);
    assert!(serde_json::to_string(&read).unwrap().contains("hush"));
    for shown in [format!("{read:?}"), format!("{read:#?}")] {
        assert!(!shown.contains("hush"), "{shown}");
        assert!(shown.contains('…'), "{shown}");
    }
}

#[test]
fn no_service_has_a_secret_that_debug_tells() {
    use taskcluster::{auth, hooks, object, queue, secrets, worker_manager};

    let login = ["accessToken", "certificate"];
    hides::<auth::AuthenticateHawkRequest>(
        full("auth/v1/authenticate-hawk-request.json"),
        // A bewit is part of the resource.
        &["authorization", "resource"],
    );
    hides::<auth::AwsS3CredentialsResponse>(
        full("auth/v1/aws-s3-credentials-response.json"),
        &["secretAccessKey", "sessionToken"],
    );
    hides::<auth::CreateClientResponse>(full("auth/v1/create-client-response.json"), &login);
    hides::<auth::GcpCredentialsResponse>(full("auth/v1/gcp-credentials-response.json"), &login);
    hides::<auth::GithubTokenResponse>(full("auth/v1/github-token-response.json"), &["token"]);
    hides::<auth::SentryDsnResponse>(full("auth/v1/sentry-dsn-response.json"), &["secret"]);
    hides::<auth::WebsocktunnelTokenResponse>(
        full("auth/v1/websocktunnel-token-response.json"),
        &["token"],
    );
    hides::<hooks::TriggerTokenResponse>(full("hooks/v1/trigger-token-response.json"), &["token"]);
    hides::<object::CreateUploadResponse>(
        full("object/v1/create-upload-response.json"),
        &["putUrl"],
    );
    hides::<object::UploadMethodPutUrlResponse>(
        json!({"url": "u", "headers": {"Authorization": "h"}, "expires": EXPIRES}),
        &["url", "headers"],
    );
    for method in ["simple", "getUrl"] {
        let hashes = json!({"sha256": "0"});
        let document = json!({"method": method, "url": "u", "expires": EXPIRES, "hashes": hashes});
        hides::<object::DownloadObjectResponse>(document, &["url"]);
    }
    hides::<queue::ArtifactContentResponse>(json!({"storageType": "s3", "url": "u"}), &["url"]);
    hides::<queue::GetArtifactResponse>(full("queue/v1/get-artifact-response.json"), &["url"]);
    hides::<queue::PostArtifactResponse>(full("queue/v1/post-artifact-response.json"), &["putUrl"]);
    hides::<queue::ClaimWorkResponse>(full("queue/v1/claim-work-response.json"), &login);
    hides::<queue::TaskClaimResponse>(full("queue/v1/task-claim-response.json"), &login);
    hides::<queue::TaskReclaimResponse>(full("queue/v1/task-reclaim-response.json"), &login);
    hides::<secrets::Secret>(full("secrets/v1/secret.json"), &["secret"]);
    hides::<worker_manager::CreateWorkerRequest>(
        full("worker-manager/v1/create-worker-request.json"),
        &["staticSecret"],
    );
    let mut register = full("worker-manager/v1/register-worker-request.json");
    for proof in [
        json!({"token": "t"}),
        json!({"staticSecret": "s"}),
        json!({"document": "d", "signature": "s"}),
        json!({"document": "d"}),
        json!({"newer": "n"}),
    ] {
        register["workerIdentityProof"] = proof;
        hides::<RegisterWorkerRequest>(register.clone(), &["workerIdentityProof"]);
    }
    let login = ["accessToken", "certificate", "secret"];
    hides::<worker_manager::RegisterWorkerResponse>(
        full("worker-manager/v1/register-worker-response.json"),
        &[&login[..], &["workerConfig"]].concat(),
    );
    hides::<worker_manager::ReregisterWorkerRequest>(
        full("worker-manager/v1/reregister-worker-request.json"),
        &["secret"],
    );
    hides::<worker_manager::ReregisterWorkerResponse>(
        full("worker-manager/v1/reregister-worker-response.json"),
        &login,
    );
}

#[test]
fn no_service_of_2017_has_a_secret_that_debug_tells() {
    use taskcluster::legacy::{auth, aws_provisioner, login, pulse, queue};

    hides::<queue::PollTaskUrlsResponse>(
        of_2017("queue/v1/poll-task-urls-response.json"),
        &["signedDeleteUrl", "signedPollUrl"],
    );
    let blob = json!({
        "storageType": "blob", "expires": EXPIRES,
        "requests": [{"url": "u", "method": "PUT", "headers": {"Authorization": "h"}}],
    });
    hides::<queue::PostArtifactResponse>(blob, &["url", "headers"]);
    hides::<auth::AzureBlobResponse>(of_2017("auth/v1/azure-blob-response.json"), &["sas"]);
    hides::<auth::StatsumTokenResponse>(of_2017("auth/v1/statsum-token-response.json"), &["token"]);
    hides::<aws_provisioner::CreateSecretRequest>(
        of_2017("aws-provisioner/v1/create-secret-request.json"),
        &["secrets", "token"],
    );
    hides::<aws_provisioner::GetSecretResponse>(
        of_2017("aws-provisioner/v1/get-secret-response.json"),
        &["data", "accessToken", "certificate"],
    );
    hides::<aws_provisioner::CreateWorkerTypeRequest>(
        of_2017("aws-provisioner/v1/create-worker-type-request.json"),
        &["secrets"],
    );
    hides::<login::OidcCredentialsResponse>(
        of_2017("login/v1/oidc-credentials-response.json"),
        &["accessToken", "certificate"],
    );
    hides::<pulse::NamespaceResponse>(
        of_2017("pulse/v1/namespace-response.json"),
        &["connectionString"],
    );
}
