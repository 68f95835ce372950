//! The embedded deployment as a standalone program, for Taskcluster clients in any language.
//!
//! `cargo run --example deployment -- --port 8080` prints shell commands that set the environment variables for clients,
//! then logs each call as one line on standard error. Port 0 picks a free port. Stop it with Ctrl-C.
//!
//! With `--anonymous`, everybody may read what is public, as in most deployments.

use taskcluster::slugid;
use taskcluster::testing::Deployment;

/// A client with all scopes, by the name that it has in every deployment.
const CLIENT_ID: &str = "static/taskcluster/root";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (port, is_public) =
        options(std::env::args().skip(1)).ok_or("usage: deployment --port PORT [--anonymous]")?;
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::INFO)
        .without_time()
        .with_level(false)
        .with_target(false)
        .with_writer(std::io::stderr)
        .init();

    let deployment = Deployment::start_on(port)?;
    let access_token = slugid::v4() + &slugid::v4();
    deployment.client(CLIENT_ID, &access_token, ["*"]);
    if is_public {
        deployment.anonymous_scopes(Deployment::PUBLIC_SCOPES.iter().copied());
    }
    println!("export TASKCLUSTER_ROOT_URL={}", deployment.root_url());
    println!("export TASKCLUSTER_CLIENT_ID={CLIENT_ID}");
    println!("export TASKCLUSTER_ACCESS_TOKEN={access_token}");
    loop {
        std::thread::park();
    }
}

/// Parses the port, and whether the deployment is open to the public.
fn options(mut args: impl Iterator<Item = String>) -> Option<(u16, bool)> {
    let (mut port, mut is_public) = (None, false);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--port" => port = Some(args.next()?.parse().ok()?),
            "--anonymous" => is_public = true,
            _ => return None,
        }
    }
    Some((port?, is_public))
}
