//! The same with the crate `taskcluster` of crates.io.

use taskcluster::{
    Auth, ClientBuilder, Credentials, Github, Hooks, Index, Notify, Object, PurgeCache, Queue,
    Secrets, WebServer, WorkerManager,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let root_url = std::env::var("TASKCLUSTER_ROOT_URL")?;
    let to = ClientBuilder::new(root_url).credentials(Credentials::from_env()?);
    println!("{}", Auth::new(to.clone())?.currentScopes().await?["scopes"]);
    let github = Github::new(to.clone())?;
    println!("{}", github.builds(None, None, None, None, None, None).await?["builds"]);
    println!("{}", Hooks::new(to.clone())?.listHookGroups().await?["groups"]);
    println!("{}", Index::new(to.clone())?.findTask("a.b").await?["taskId"]);
    println!("{}", Notify::new(to.clone())?.listDenylist(None, None).await?["addresses"]);
    println!("{}", Object::new(to.clone())?.object("a/b").await?["expires"]);
    println!("{}", PurgeCache::new(to.clone())?.allPurgeRequests(None, None).await?["requests"]);
    println!("{}", Queue::new(to.clone())?.status("fN1SbArXTPSVFNUvaOlinQ").await?["status"]);
    println!("{}", Secrets::new(to.clone())?.list(None, None).await?["secrets"]);
    WebServer::new(to.clone())?.ping().await?;
    println!("{}", WorkerManager::new(to)?.listProviders(None, None).await?["providers"]);
    println!("change 0");
    Ok(())
}
