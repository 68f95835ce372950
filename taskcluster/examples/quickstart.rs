//! A first tour: real HTTP calls with real signatures.
//!
//! By default, it starts the embedded deployment and runs the whole tour there. With `TASKCLUSTER_ROOT_URL` set (and
//! `TASKCLUSTER_CLIENT_ID`, `TASKCLUSTER_ACCESS_TOKEN`), it makes only harmless calls to that deployment.

mod shared;

use std::error::Error;
use std::time::Duration;

use futures::TryStreamExt as _;
use shared::{ACCESS_TOKEN, CLIENT_ID, task};
use taskcluster::{
    Auth, Client, Credentials, Queue, QueueEvents, Result, http_client_builder, slugid,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    taskcluster::debug_logging();
    if let Some(client) = shared::real_deployment()? {
        return Ok(look_around(&client).await?);
    }
    let (_deployment, client) = shared::embedded_deployment()?;
    look_around(&client).await?;
    tour(&client).await
}

/// Calls that are safe on every deployment.
async fn look_around(client: &Client) -> Result<()> {
    println!("deployment       {}", client.root_url().unwrap_or_default());
    let auth = Auth::new(client);
    println!("ping             alive: {}", auth.ping().await?["alive"]);
    println!("my scopes        {:?}", auth.current_scopes().await?.scopes);

    // Query options are setters. The signature covers them.
    let page = auth.list_clients().limit(5).await?;
    for client in page.clients {
        println!("client           {}", client.client_id);
    }
    Ok(())
}

async fn tour(client: &Client) -> Result<(), Box<dyn Error>> {
    let queue = Queue::new(client);

    // Create tasks of one group, named after the first task's id.
    let group = slugid::nice();
    for n in 0..5 {
        let task_id = if n == 0 { group.clone() } else { slugid::nice() };
        let response = queue.create_task(&task_id, &task(&group, n)).await?;
        println!("created task     {task_id}: {}", response.status.state);
    }

    // Fetch all pages, two tasks each.
    let tasks: Vec<_> = queue.list_task_group(&group).limit(2).items().try_collect().await?;
    println!("tasks in group   {}", tasks.len());

    // A signed URL works for anyone who has it, with any HTTP client.
    let url = queue.list_task_group(&group).signed_url(Duration::from_secs(15 * 60))?;
    let plain_http = http_client_builder()?.build()?;
    println!("signed URL       {}", plain_http.get(url).send().await?.status());

    // Issue temporary credentials, without calling a service. They have only the scopes listed here.
    let temporary = Credentials::new(CLIENT_ID, ACCESS_TOKEN)
        .temporary(Duration::from_secs(3600))
        .scopes(["queue:cancel-task:*"])
        .create()?;
    let restricted = Queue::new(&client.with_credentials(temporary)?);
    let cancelled = restricted.cancel_task(&group).await?;
    println!("cancelled task   {group}: {}", cancelled.status.state);
    match restricted.list_task_group(&group).await {
        Err(error) => println!("an error         {error}"),
        Ok(_) => println!("the restricted credentials were not restricted"),
    }

    // The binding that subscribes to the completion of these tasks.
    let binding = QueueEvents::task_completed().task_group_id(&group).binding()?;
    println!("exchange         {}", binding.exchange);
    println!("routing key      {}", binding.routing_key_pattern);
    Ok(())
}
