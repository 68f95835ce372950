//! Fetches the references that a deployment serves, as files for `taskcluster_api!`, or shows what a fetch would change.
//!
//! ```console
//! $ cargo run --example references -- fetch --root-url https://tc.example.com \
//!     --output api/ --service queue
//! $ cargo run --example references -- diff --root-url https://tc.example.com \
//!     --output api/ --service queue
//! ```
//!
//! Repeat `--service` to name several services; the default is all of them. Without `--root-url`, the example starts the
//! embedded deployment and uses it; without any arguments, it writes to a temporary folder. `diff` exits with status 1 if a
//! change can break callers.

mod shared;

use std::path::PathBuf;
use std::process::ExitCode;

use indicatif::{ProgressBar, ProgressStyle};
use taskcluster::references::{Changes, Fetch};
use taskcluster::testing::Deployment;
use taskcluster::{Client, Result};

const USAGE: &str =
    "usage: references [fetch|diff] [--root-url URL] --output FOLDER [--service NAME]...";

#[tokio::main]
async fn main() -> shared::Outcome<ExitCode> {
    let Arguments { fetch, root_url, output, services } =
        Arguments::parse(std::env::args().skip(1)).ok_or(USAGE)?;
    // It runs until this is dropped.
    let embedded = Deployment::start().await?;
    let client = match root_url {
        Some(url) => Client::builder(url).build()?,
        None => embedded.anonymous()?,
    };
    let request = with_progress_bar(Fetch::new(&client))?;
    let request = if services.is_empty() { request } else { request.services(services) };

    let (changes, done) = if fetch {
        (request.write_to(&output).await?, "written to")
    } else {
        (request.diff(&output).await?, "would be written to")
    };
    print!("{changes}");
    println!("{} {done} {}", count(&changes), output.display());
    let failed = !fetch && changes.can_break_callers();
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

struct Arguments {
    fetch: bool,
    root_url: Option<String>,
    output: PathBuf,
    services: Vec<String>,
}

impl Arguments {
    fn parse(mut args: impl Iterator<Item = String>) -> Option<Self> {
        let fetch = match args.next().as_deref().unwrap_or("fetch") {
            "fetch" => true,
            "diff" => false,
            _ => return None,
        };
        let (mut root_url, mut output, mut services) = (None, None, Vec::new());
        while let Some(name) = args.next() {
            match (name.as_str(), args.next()?) {
                ("--root-url", url) => root_url = Some(url),
                ("--output", folder) => output = Some(folder.into()),
                ("--service", service) => services.push(service),
                _ => return None,
            }
        }
        let output = match (output, &root_url) {
            (Some(output), _) => output,
            (None, None) => std::env::temp_dir().join("taskcluster-references"),
            (None, Some(_)) => return None,
        };
        Some(Self { fetch, root_url, output, services })
    }
}

fn with_progress_bar(fetch: Fetch) -> Result<Fetch, indicatif::style::TemplateError> {
    let style = ProgressStyle::with_template("{msg} {bar:40} {pos}/{len}")?;
    let bar = ProgressBar::no_length().with_style(style).with_message("documents");
    Ok(fetch.on_progress(move |progress| {
        bar.set_length(progress.needed as u64);
        bar.set_position(progress.fetched as u64);
        if progress.fetched == progress.needed {
            bar.finish();
        }
    }))
}

fn count(changes: &Changes) -> String {
    match changes.len() {
        0 => "nothing new".to_owned(),
        1 => "1 change".to_owned(),
        n => format!("{n} changes"),
    }
}
