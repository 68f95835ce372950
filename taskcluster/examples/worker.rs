//! A worker that carries out tasks by running their commands.
//!
//! `cargo run --example worker --features follow,worker -- TASK_QUEUE_ID` works for a deployment, until Ctrl-C, with credentials
//! that have the scopes `queue:claim-work:<taskQueueId>` and `queue:worker-id:examples/<workerId>`. The payload of its tasks is
//! `{"command": ["make", "check"], "maxRunTime": 600}`.
//!
//! Without arguments, it works for the embedded deployment, until a group of tasks is resolved.

mod shared;

use std::process::Stdio;
use std::time::Duration;

use taskcluster::worker::{ClaimedTask, Outcome, Reason, Shutdown, TaskError, Worker};
use taskcluster::{Client, Queue, Value, artifacts, json, slugid};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    taskcluster::debug_logging();
    match std::env::args().nth(1) {
        Some(task_queue_id) => {
            work(&Client::from_env()?, &task_queue_id, tokio::signal::ctrl_c()).await
        }
        None => demo().await,
    }
}

/// Works until `signal` is ready, and then at most a minute more.
async fn work(
    client: &Client,
    task_queue_id: &str,
    signal: impl Future + Send + 'static,
) -> Result<(), Box<dyn std::error::Error>> {
    let worker_id = format!("worker-{}", std::process::id());
    let worker = Worker::new(client, task_queue_id, "examples", worker_id)
        .capacity(4)
        .on_shutdown(Shutdown::Within(Duration::from_secs(60)));
    let tally = worker.run(carry_out).shutdown_on(signal).await?;
    println!(
        "{} completed, {} failed, {} exceptions, {} lost",
        tally.completed, tally.failed, tally.exceptions, tally.lost
    );
    Ok(())
}

async fn carry_out(task: ClaimedTask) -> Result<Outcome, TaskError> {
    println!("{} begins", task.task_id());
    let payload: Value = task.payload()?;
    let command: Vec<&str> =
        payload["command"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let [program, arguments @ ..] = &command[..] else {
        task.log("the payload has no command\n").await?;
        return Ok(Outcome::Exception(Reason::MalformedPayload));
    };
    task.log(format!("$ {}\n", command.join(" "))).await?;
    // Ends with this future: if the task is cancelled, for example.
    let run = tokio::process::Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let limit = Duration::from_secs(payload["maxRunTime"].as_u64().unwrap_or(3600));
    let output = task.within(limit, run).await??;
    task.log([output.stdout, output.stderr].concat()).await?;
    Ok(if output.status.success() { Outcome::Completed } else { Outcome::Failed })
}

/// Works for tasks of this program's own.
async fn demo() -> Result<(), Box<dyn std::error::Error>> {
    let (_deployment, client) = shared::embedded_deployment()?;
    let queue = Queue::new(&client);
    let group = slugid::nice();
    let commands = [json!(["echo", "hello"]), json!(["false"]), json!(["sleep", "60"]), json!([])];
    for (n, command) in commands.iter().enumerate() {
        let mut task = shared::task(&group, n);
        task.payload = json!({"command": command, "maxRunTime": 1}).into();
        queue.create_task(slugid::nice(), &task).await?;
    }
    let following = tokio::spawn(queue.follow_group(&group).into_future());
    let (done, signal) = tokio::sync::oneshot::channel();
    let working = work(&client, shared::TASK_QUEUE_ID, signal);
    let watching = async {
        let states = following.await??;
        for task in states.tasks() {
            let log =
                artifacts::latest(&queue, &task.task_id, "public/logs/live.log").bytes().await?;
            println!("{} {}: {:?}", task.task_id, task.state, String::from_utf8_lossy(&log));
        }
        let _ = done.send(());
        Ok(())
    };
    tokio::try_join!(working, watching)?;
    Ok(())
}
