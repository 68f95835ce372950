//! The same with the crate `taskcluster` of crates.io.

use taskcluster::{ClientBuilder, Credentials, Queue};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let root_url = std::env::var("TASKCLUSTER_ROOT_URL")?;
    let credentials = Credentials::from_env()?;
    let queue = Queue::new(ClientBuilder::new(root_url).credentials(credentials))?;
    let response = queue.status("fN1SbArXTPSVFNUvaOlinQ").await?;
    println!("{}: {}", response["status"]["taskId"], response["status"]["state"]);
    Ok(())
}
