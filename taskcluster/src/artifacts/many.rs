//! All artifacts of a task at once.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::future::IntoFuture;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::artifact::{Artifact, DownloadedFile};
use super::file::failed;
use super::progress::Progress;
use super::source::Source;
use crate::error::{Error, Result};
use crate::runtime::block_on;
use crate::services::Queue;
use crate::slugid;

/// How many artifacts are downloaded at once unless set.
const AT_ONCE: usize = 8;

/// Downloads of all artifacts of a task, or of some; created by [`download_all`](super::download_all). Await it, or call
/// [`send_blocking`](Self::send_blocking).
#[must_use = "nothing is downloaded until it is awaited"]
pub struct DownloadAll {
    queue: Queue,
    task_id: String,
    run_id: Option<u32>,
    choose: Box<dyn Fn(&str) -> bool + Send + Sync>,
    folder: PathBuf,
    at_once: usize,
    configure: Box<dyn Fn(Artifact) -> Artifact + Send + Sync>,
    on_progress: Option<OnProgressOfAll>,
}

/// Called with the name of an artifact and how far its download has come.
type OnProgressOfAll = Arc<dyn Fn(&str, Progress) + Send + Sync>;

impl DownloadAll {
    pub(super) fn new(
        queue: &Queue,
        task_id: String,
        choose: impl Fn(&str) -> bool + Send + Sync + 'static,
    ) -> Self {
        Self {
            queue: queue.clone(),
            task_id,
            run_id: None,
            choose: Box::new(choose),
            folder: PathBuf::from("."),
            at_once: AT_ONCE,
            configure: Box::new(|artifact| artifact),
            on_progress: None,
        }
    }

    /// Sets the folder to download to; the current one by default. It is created if it does not exist.
    pub fn to(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = folder.into();
        self
    }

    /// Downloads the artifacts of this run rather than the latest. Choose one if the task may be run again meanwhile.
    pub fn run(mut self, run_id: u32) -> Self {
        self.run_id = Some(run_id);
        self
    }

    /// Sets how many artifacts are downloaded at once; 8 by default. 0 is treated as 1.
    pub fn concurrency(mut self, downloads: usize) -> Self {
        self.at_once = downloads.max(1);
        self
    }

    /// Sets options of each download.
    ///
    /// ```no_run
    /// # async fn f(queue: taskcluster::Queue, task_id: &str) -> Result<(), taskcluster::Error> {
    /// use taskcluster::artifacts;
    ///
    /// let files = artifacts::download_all(&queue, task_id, |name| name.starts_with("public/"))
    ///     .to("artifacts")
    ///     .with(|artifact| artifact.overwrite(false).managed_only())
    ///     .await?;
    /// # Ok(()) }
    /// ```
    pub fn with(
        mut self,
        configure: impl Fn(Artifact) -> Artifact + Send + Sync + 'static,
    ) -> Self {
        self.configure = Box::new(configure);
        self
    }

    /// Calls this function, often, with the name of an artifact and how far its download has come.
    pub fn on_progress(mut self, call: impl Fn(&str, Progress) + Send + Sync + 'static) -> Self {
        self.on_progress = Some(Arc::new(call));
        self
    }

    /// Downloads the artifacts, blocking.
    ///
    /// # Errors
    ///
    /// As [`download_all`](super::download_all), and inside an async runtime.
    pub fn send_blocking(self) -> Result<Vec<DownloadedFile>> {
        block_on(self.into_future())?
    }

    async fn send(self) -> Result<Vec<DownloadedFile>> {
        let names = self.names().await?;
        let artifacts: Vec<_> = names.iter().map(|name| self.artifact(name)).collect();
        if artifacts.iter().any(Artifact::resumes) {
            check_parts(&names)?;
        }
        let paths = paths(&self.folder, &names)?;
        let mut downloads = Vec::with_capacity(names.len());
        for (n, (artifact, path)) in artifacts.into_iter().zip(paths).enumerate() {
            downloads.push(async move { Ok::<_, Error>((n, artifact.download_to(path).await?)) });
        }
        let mut files: Vec<(usize, DownloadedFile)> =
            stream::iter(downloads).buffer_unordered(self.at_once).try_collect().await?;
        files.sort_by_key(|(n, _)| *n);
        Ok(files.into_iter().map(|(_, file)| file).collect())
    }

    /// The names of the artifacts that are wanted.
    async fn names(&self) -> Result<Vec<String>> {
        let artifacts = match self.run_id {
            Some(run_id) => self.queue.list_artifacts(&self.task_id, run_id).items(),
            None => self.queue.list_latest_artifacts(&self.task_id).items(),
        };
        let names = artifacts.map_ok(|artifact| artifact.name);
        names.try_filter(|name| std::future::ready((self.choose)(name))).try_collect().await
    }

    fn artifact(&self, name: &str) -> Artifact {
        let source = match self.run_id {
            Some(run_id) => self.queue.artifact(&self.task_id, run_id, name),
            None => self.queue.latest_artifact(&self.task_id, name),
        };
        let artifact = (self.configure)(Artifact::new(Source::Artifact(source)));
        let Some(report) = self.on_progress.clone() else { return artifact };
        let name = name.to_owned();
        artifact.on_progress(move |progress| report(&name, progress))
    }
}

impl IntoFuture for DownloadAll {
    type Output = Result<Vec<DownloadedFile>>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

/// Shows the task and the folder.
impl fmt::Debug for DownloadAll {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DownloadAll")
            .field("task_id", &self.task_id)
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}

/// The files that artifacts of these names go to, all below the folder, whose folders are created.
fn paths(folder: &Path, names: &[String]) -> Result<Vec<PathBuf>> {
    let paths: Vec<PathBuf> =
        names.iter().map(|name| path_below(folder, name)).collect::<Result<_>>()?;
    fs::create_dir_all(folder).map_err(|error| failed("create", folder, error))?;
    check_case(folder, names)?;
    check_folders(folder, names)?;
    for path in &paths {
        let Some(parent) = path.parent() else { continue };
        check_links(folder, parent)?;
        fs::create_dir_all(parent).map_err(|error| failed("create", parent, error))?;
    }
    Ok(paths)
}

/// Where an artifact's name leads, if that is below the folder.
fn path_below(folder: &Path, name: &str) -> Result<PathBuf> {
    let mut path = folder.to_owned();
    for part in name.split('/') {
        if !is_file_name(part) {
            return Err(Error::file(format!(
                "the artifact {name:?} cannot be a file below {}",
                folder.display()
            )));
        }
        path.push(part);
    }
    Ok(path)
}

/// Whether a part of an artifact's name is a file's name, and nothing else, on all systems that this may be.
fn is_file_name(part: &str) -> bool {
    let means_another_place = matches!(part, "" | "." | "..") || part.contains('\0');
    !means_another_place && (!cfg!(windows) || is_windows_file_name(part))
}

fn is_windows_file_name(part: &str) -> bool {
    const DEVICES: [&str; 4] = ["CON", "PRN", "AUX", "NUL"];
    let stem = part.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
    let is_device = DEVICES.contains(&&*stem)
        || (stem.len() == 4
            && (stem.starts_with("COM") || stem.starts_with("LPT"))
            && stem.ends_with(|c: char| c.is_ascii_digit()));
    let is_odd = |c: char| c.is_control() || "<>:\"|?*\\".contains(c);
    !is_device && !part.contains(is_odd) && !part.ends_with(['.', ' '])
}

/// Refuses names that are one file on a file system that does not tell upper from lower case.
fn check_case(folder: &Path, names: &[String]) -> Result<()> {
    let mut seen = BTreeMap::new();
    for name in names {
        if let Some(other) = seen.insert(name.to_lowercase(), name)
            && (other == name || ignores_case(folder)?)
        {
            return Err(Error::file(format!(
                "the artifacts {other:?} and {name:?} would be the same file"
            )));
        }
    }
    Ok(())
}

/// Refuses a name that the unfinished file of another artifact has.
fn check_parts(names: &[String]) -> Result<()> {
    let lower: BTreeSet<_> = names.iter().map(|name| name.to_lowercase()).collect();
    for name in names {
        let unfinished = [".part", ".part.json"].map(|end| format!("{name}{end}"));
        if let Some(other) = unfinished.iter().find(|name| lower.contains(&name.to_lowercase())) {
            return Err(Error::file(format!(
                "the artifact {other:?} would be the unfinished file of {name:?}"
            )));
        }
    }
    Ok(())
}

/// Refuses a name that is a file for one artifact and a folder for another.
fn check_folders(folder: &Path, names: &[String]) -> Result<()> {
    let files: BTreeMap<String, &String> =
        names.iter().map(|name| (name.to_lowercase(), name)).collect();
    for name in names {
        for (end, _) in name.match_indices('/') {
            let parent = &name[..end];
            if let Some(file) = files.get(&parent.to_lowercase())
                && (*file == parent || ignores_case(folder)?)
            {
                return Err(Error::file(format!(
                    "the artifact {file:?} would be the folder of {name:?}"
                )));
            }
        }
    }
    Ok(())
}

fn ignores_case(folder: &Path) -> Result<bool> {
    let name = format!(".{}a", slugid::v4());
    let path = folder.join(&name);
    fs::File::create(&path).map_err(|error| failed("create", &path, error))?;
    let ignores = folder.join(format!("{}A", &name[..name.len() - 1])).exists();
    // Nobody knows its name.
    let _ = fs::remove_file(&path);
    Ok(ignores)
}

/// Refuses to go through a link that is in the folder already: it may lead out of it.
fn check_links(folder: &Path, parent: &Path) -> Result<()> {
    let inside = parent.ancestors().take_while(|path| *path != folder);
    for path in inside {
        if path.symlink_metadata().is_ok_and(|metadata| metadata.is_symlink()) {
            return Err(Error::file(format!("{} is a link", path.display())));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_has_names_that_are_no_files() {
        for name in ["con", "NUL.txt", "com1", "LPT9.log", "a:b", "a\\b", "a.", "a ", "a?"] {
            assert!(!is_windows_file_name(name), "{name:?}");
        }
        for name in ["console", "com", "com10", "a b", "a.tar.gz", "ü"] {
            assert!(is_windows_file_name(name), "{name:?}");
        }
    }
}
