//! Uploads a report as an artifact of a task, with a progress bar.
//!
//! Inside a task with the proxy feature, `upload_report FILE` adds the file to that task, as `public/<name of the file>`.
//! Without arguments, the example makes a task in the embedded deployment, uploads a report of 20 MB to it, and downloads it
//! again.

mod shared;

use std::io::Read as _;
use std::path::Path;

use indicatif::ProgressBar;
use taskcluster::queue::ClaimWorkRequest;
use taskcluster::{Client, Queue, Result, artifacts, slugid};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    taskcluster::debug_logging();
    if let Some(file) = std::env::args().nth(1) {
        let queue = Queue::new(&Client::from_env()?);
        let run_id = std::env::var("RUN_ID")?.parse()?;
        return upload(&queue, &std::env::var("TASK_ID")?, run_id, Path::new(&file));
    }
    let (_deployment, client) = shared::embedded_deployment()?;
    let queue = Queue::new(&client);
    let task_id = slugid::nice();
    queue.create_task(&task_id, &shared::task(&task_id, 0)).send_blocking()?;
    queue
        .claim_work(shared::TASK_QUEUE_ID, &ClaimWorkRequest::new("here", "me", 1))
        .send_blocking()?;

    let file = std::env::temp_dir().join(format!("report-{task_id}.json"));
    std::fs::write(&file, format!("[{}0]", "0, ".repeat(7_000_000)))?;
    upload(&queue, &task_id, 0, &file)?;
    std::fs::remove_file(&file)?;

    let name = format!("public/report-{task_id}.json");
    let mut start = [0; 10];
    artifacts::latest(&queue, &task_id, name).reader_blocking()?.read_exact(&mut start)?;
    println!("it begins with {:?}", String::from_utf8_lossy(&start));
    Ok(())
}

fn upload(
    queue: &Queue,
    task_id: &str,
    run_id: u32,
    file: &Path,
) -> Result<(), Box<dyn std::error::Error>> {
    let name = file.file_name().and_then(|name| name.to_str()).ok_or("not a file")?;
    let bar = ProgressBar::new(file.metadata()?.len()).with_message(name.to_owned());
    let shown = bar.clone();
    let uploaded = artifacts::upload(queue, task_id, run_id, format!("public/{name}"))
        .content_type("application/json")
        .on_progress(move |progress| shown.set_position(progress.bytes))
        .file(file)
        .send_blocking()?;
    bar.finish();
    println!("{name}: {} bytes, sha256 {}", uploaded.size, uploaded.hashes.sha256);
    Ok(())
}
