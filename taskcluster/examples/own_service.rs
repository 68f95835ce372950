//! A service of your own: its reference and schemas are in the folder `own_service`, and the macro makes a client of them. The
//! format is described in `taskcluster::reference_format`.

mod shared;

use futures::TryStreamExt as _;
use taskcluster::json;
use taskcluster::testing::Deployment;

taskcluster::taskcluster_api! {
    /// Releases of our company.
    pub struct Releases = "examples/own_service/api.json";
    pub struct ReleasesEvents = "examples/own_service/exchanges.json";
}

use releases::{ReleaseChannel, ReleaseNew};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Outcome {
    // The embedded deployment serves it, checks calls as it does those of Taskcluster, and answers as it is told.
    let fake = Deployment::start().await?;
    fake.serve(&Releases::REFERENCE);
    fake.schemas(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/own_service/schemas"))?;
    let release =
        json!({"version": "1.2", "channel": "beta", "released": "2026-01-02T03:04:05.000Z"});
    fake.on(Releases::REFERENCE.endpoint("release")).reply(release.clone());
    fake.on(Releases::REFERENCE.endpoint("listReleases")).reply(json!({"releases": [release]}));

    let client = fake.connect_as("release-bot", ["releases:release:browser"])?;
    let releases = Releases::new(&client);
    let new = ReleaseNew::new("fN1SbArXTPSVFNUvaOlinQ", ReleaseChannel::Beta).note("It is faster.");
    let release = releases.release("browser", "1.2", &new).await?;
    println!("released    {} for {}", release.version, release.channel);

    let all: Vec<_> = releases.list_releases("browser").limit(10).items().try_collect().await?;
    println!("all         {}", all.len());
    if let Err(error) = releases.withdraw("browser", "1.2").await {
        println!("withdrawn   {error}");
    }

    let binding = ReleasesEvents::released().product("browser").binding()?;
    println!("listens to  {} {}", binding.exchange, binding.routing_key_pattern);
    Ok(())
}
