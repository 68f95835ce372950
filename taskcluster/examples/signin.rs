//! Signs a person in through their browser, and saves the credentials for the next time.
//!
//! By default, it starts the embedded deployment, plays the person, and saves nothing. With `TASKCLUSTER_ROOT_URL` set, it
//! opens the browser; with `--print`, it prints the URL instead. `--embedded` shows the embedded deployment's page in the
//! browser.

mod shared;

use taskcluster::signin::SignIn;
use taskcluster::testing::Deployment;
use taskcluster::{Client, Credentials, Result, Url};

/// What this program asks for.
const SCOPES: [&str; 2] = ["queue:create-task:lowest:*", "auth:current-scopes"];

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    taskcluster::debug_logging();
    let argument = std::env::args().nth(1).unwrap_or_default();
    let Ok(root_url) = std::env::var("TASKCLUSTER_ROOT_URL") else {
        return embedded(argument == "--embedded").await;
    };
    let client = Client::builder(&root_url).build()?;
    if let Some(saved) = Credentials::load(&root_url)?
        && saved.check(&client).await?.is_active()
    {
        println!("You have signed in before.");
        return show(&client, &saved).await;
    }
    let mut sign_in = sign_in(&client);
    if argument == "--print" {
        sign_in = sign_in.open_with(|url| {
            println!("To sign in, open {url}");
            Ok::<_, std::io::Error>(())
        });
    }
    let credentials = sign_in.run().await?;
    println!("saved            {}", credentials.save(&root_url)?.display());
    show(&client, &credentials).await
}

async fn embedded(in_browser: bool) -> Result<()> {
    let deployment = Deployment::start().await?;
    let person = deployment.web_user("github/1|octocat", ["queue:*"]);
    let client = deployment.anonymous()?;
    let mut sign_in = sign_in(&client);
    if !in_browser {
        sign_in = sign_in.open_with(move |url: &Url| person.save(url));
    }
    let credentials = sign_in.run().await?;
    show(&client, &credentials).await
}

fn sign_in(client: &Client) -> SignIn {
    SignIn::new(client).name("example").scopes(SCOPES).expires("1 hour")
}

async fn show(client: &Client, credentials: &Credentials) -> Result<()> {
    let checked = credentials.check(client).await?;
    println!("signed in as     {}", checked.client_id);
    println!("scopes           {:?}", checked.scopes.unwrap_or_default());
    if let Some(expiry) = checked.expiry {
        println!("until            {expiry}");
    }
    Ok(())
}
