//! Downloads all public artifacts of all tasks of a group, with a progress bar for each file.
//!
//! `cargo run --example download_artifacts -- TASK_GROUP_ID FOLDER`, with `TASKCLUSTER_ROOT_URL`. Files that are there already
//! stay, so that an interrupted download can be repeated.
//!
//! Without arguments, the example makes a group with a few artifacts in the embedded deployment and downloads them to a
//! temporary folder.

mod shared;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Mutex;

use futures::TryStreamExt as _;
use indicatif::{MultiProgress, ProgressBar};
use taskcluster::queue::ClaimWorkRequest;
use taskcluster::{Client, Queue, Result, artifacts, slugid};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    taskcluster::debug_logging();
    let mut arguments = std::env::args().skip(1);
    if let (Some(group), Some(folder)) = (arguments.next(), arguments.next()) {
        let queue = Queue::new(&Client::from_env()?);
        return Ok(download(&queue, &group, Path::new(&folder)).await?);
    }
    let (_deployment, client) = shared::embedded_deployment()?;
    let queue = Queue::new(&client);
    let group = slugid::nice();
    fill(&queue, &group).await?;
    let folder = std::env::temp_dir().join(&group);
    download(&queue, &group, &folder).await?;
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

/// Downloads the artifacts of each task to a folder of its name.
async fn download(queue: &Queue, group: &str, folder: &Path) -> Result<()> {
    let bars = MultiProgress::new();
    let mut tasks = queue.list_task_group(group).items();
    while let Some(task) = tasks.try_next().await? {
        let task_id = task.status.task_id;
        if task.status.runs.is_empty() {
            continue;
        }
        let to = folder.join(&task_id);
        let missing = {
            let to = to.clone();
            move |name: &str| name.starts_with("public/") && !to.join(name).exists()
        };
        let (bars, shown) = (bars.clone(), Mutex::new(HashMap::<String, ProgressBar>::new()));
        let files = artifacts::download_all(queue, &task_id, missing)
            .to(to)
            .on_progress(move |name, progress| {
                let Ok(mut shown) = shown.lock() else { return };
                let bar = shown.entry(name.to_owned()).or_insert_with(|| {
                    bars.add(ProgressBar::no_length().with_message(name.to_owned()))
                });
                bar.set_length(progress.total.unwrap_or(progress.bytes));
                bar.set_position(progress.bytes);
            })
            .await?;
        let size: u64 = files.iter().map(|file| file.size).sum();
        println!("{task_id}: {} files, {size} bytes", files.len());
    }
    Ok(())
}

/// Makes three tasks with three artifacts each.
async fn fill(queue: &Queue, group: &str) -> Result<()> {
    for n in 0..3 {
        let task_id = slugid::nice();
        queue.create_task(&task_id, &shared::task(group, n)).await?;
        queue.claim_work(shared::TASK_QUEUE_ID, &ClaimWorkRequest::new("here", "me", 1)).await?;
        for part in 0..3 {
            artifacts::upload(queue, &task_id, 0, format!("public/parts/{part}.bin"))
                .bytes(vec![b'x'; 1 << (4 * part + 10)])
                .await?;
        }
        queue.report_completed(&task_id, 0).await?;
    }
    Ok(())
}
