//! The same with nothing but an HTTP client and serde's derives.

use serde::Deserialize;

#[derive(Deserialize)]
struct Response {
    status: Status,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    task_id: String,
    state: String,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let root_url = std::env::var("TASKCLUSTER_ROOT_URL")?;
    let url = format!("{root_url}/api/queue/v1/task/fN1SbArXTPSVFNUvaOlinQ/status");
    let body = reqwest::Client::new().get(url).send().await?.bytes().await?;
    let Response { status } = serde_json::from_slice(&body)?;
    println!("{}: {}", status.task_id, status.state);
    Ok(())
}
