//! A program that is built to see what building costs.

use taskcluster::{Client, Queue};

#[tokio::main]
async fn main() -> Result<(), taskcluster::Error> {
    let queue = Queue::new(&Client::from_env()?);
    let response = queue.status("fN1SbArXTPSVFNUvaOlinQ").await?;
    println!("{}: {}", response.status.task_id, response.status.state);
    Ok(())
}
