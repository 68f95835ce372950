//! A program that calls all services, and is built again after its last line has changed.

use taskcluster::{
    Auth, Client, Github, Hooks, Index, Notify, Object, PurgeCache, Queue, Secrets, WebServer,
    WorkerManager,
};

#[tokio::main]
async fn main() -> Result<(), taskcluster::Error> {
    let client = Client::from_env()?;
    println!("{:?}", Auth::new(&client).current_scopes().await?.scopes);
    println!("{}", Github::new(&client).builds().await?.builds.len());
    println!("{:?}", Hooks::new(&client).list_hook_groups().await?.groups);
    println!("{}", Index::new(&client).find_task("a.b").await?.task_id);
    println!("{}", Notify::new(&client).list_denylist().await?.addresses.len());
    println!("{}", Object::new(&client).object("a/b").await?.expires);
    println!("{}", PurgeCache::new(&client).all_purge_requests().await?.requests.len());
    println!("{}", Queue::new(&client).status("fN1SbArXTPSVFNUvaOlinQ").await?.status.state);
    println!("{:?}", Secrets::new(&client).list().await?.secrets);
    WebServer::new(&client).ping().await?;
    println!("{}", WorkerManager::new(&client).list_providers().await?.providers.len());
    println!("change 0");
    Ok(())
}
