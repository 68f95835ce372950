//! A real browser, Chromium without a window. Without one, the test does nothing but say so.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use std::{env, fs, io};

use taskcluster::testing::Deployment;
use taskcluster::{Url, Value};
use tokio::time::sleep;

use super::sign_in;
use crate::support::documents::Folder;

/// Long enough for a browser to start on a busy machine. Nothing is measured by it: it keeps a broken test from hanging.
const HANGING: Duration = Duration::from_secs(120);

/// A browser with a profile of its own. It ends when it is dropped.
struct Browser {
    process: Child,
    profile: Folder,
}

impl Browser {
    fn start(program: &PathBuf, url: &str) -> io::Result<Self> {
        let profile = Folder::new();
        let process = Command::new(program)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"])
            // Not where the browser looks for updates, for example.
            .args(["--disable-background-networking", "--disable-component-update"])
            .args(["--no-proxy-server", "--remote-debugging-port=0"])
            .arg(format!("--user-data-dir={}", profile.0.display()))
            .arg(url)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Self { process, profile })
    }

    /// The URL and title of the page that it shows, once there is one.
    async fn shows(&self) -> Option<(String, String)> {
        let port = fs::read_to_string(self.profile.0.join("DevToolsActivePort")).ok()?;
        let url = format!("http://127.0.0.1:{}/json/list", port.lines().next()?);
        let http = taskcluster::http_client_builder().unwrap().no_proxy().build().unwrap();
        let list = http.get(url).send().await.ok()?.text().await.ok()?;
        let list: Value = serde_json::from_str(&list).ok()?;
        let page = list.as_array()?.iter().find(|target| target["type"] == "page")?;
        Some((page["url"].as_str()?.to_owned(), page["title"].as_str()?.to_owned()))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The browser of this machine, if there is one.
fn browser() -> Option<PathBuf> {
    let names = ["chromium", "chromium-headless-shell", "chromium-browser", "google-chrome"];
    let folders: Vec<_> = env::split_paths(&env::var_os("PATH")?).collect();
    names
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)))
        .find(|path| path.is_file())
}

#[tokio::test]
async fn a_browser_signs_a_person_in() {
    let Some(program) = browser() else {
        // Not by `eprintln`, which is shown of failing tests only.
        let _ = writeln!(
            io::stderr(),
            "The sign-in is not tested with a browser: there is no Chromium. `.ci/run` installs it."
        );
        return;
    };
    let deployment = Deployment::start().await.unwrap();
    deployment.web_user("ad|a+b@x.org:1", ["queue:*", "auth:current-scopes"]);
    let (tell, told) = tokio::sync::oneshot::channel();
    let open = move |page: &Url| -> io::Result<()> {
        // The page saves the client by itself.
        let browser = Browser::start(&program, &format!("{page}#save"))?;
        tell.send(browser).map_err(|_| io::Error::other("nobody waits"))
    };
    let signing_in = tokio::spawn(sign_in(&deployment).timeout(HANGING).open_with(open).run());
    let browser = told.await.unwrap();
    let credentials = signing_in.await.unwrap().unwrap();
    assert!(credentials.client_id().starts_with("ad|a+b@x.org:1/builds-"), "{credentials:?}");

    let shown = tokio::time::timeout(HANGING, async {
        loop {
            match browser.shows().await {
                Some((url, title)) if title == "You are signed in" => return url,
                _ => sleep(Duration::from_millis(50)).await,
            }
        }
    });
    let url = shown.await.unwrap();
    assert!(url.starts_with("http://localhost:") && url.ends_with("/done"), "{url}");
    assert!(!url.contains(credentials.access_token()) && !url.contains('?'), "{url}");
}
