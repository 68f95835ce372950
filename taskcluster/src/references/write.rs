//! Writing documents: beside the old ones first, then in their places, all or none of them.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::documents::{self, Documents};
use super::folder::{cannot, place};
use crate::error::{Error, Result};
use crate::slugid;

/// What the folder for unfinished files is called, before something random.
const STAGING: &str = ".fetching-";

/// After which time the folder for unfinished files is one that an interrupted program left behind.
const ABANDONED: Duration = Duration::from_secs(60 * 60);

/// Brings a folder to these documents and takes away what is stale. Files that are right already are not touched.
///
/// Nothing in its place changes before every file is written beside it; then each is renamed, which no reader sees half
/// done. Schemas come first and what is stale goes last, so that at any moment every reference finds its schemas. What fails
/// is undone.
pub(super) fn write(folder: &Path, new: &Documents, stale: &BTreeSet<String>) -> Result<()> {
    fs::create_dir_all(folder).map_err(|error| cannot("create", folder, error))?;
    let mut changed = Vec::new();
    for (path, document) in new {
        let text = documents::text(document)?;
        let target = target(folder, path)?;
        if !fs::read(&target).is_ok_and(|present| present == text.as_bytes()) {
            changed.push((path, target, text));
        }
    }
    let stale: Vec<_> = stale.iter().map(|path| target(folder, path)).collect::<Result<_>>()?;
    if changed.is_empty() && stale.is_empty() {
        return Ok(());
    }
    changed.sort_by_key(|(path, ..)| !path.starts_with("schemas/"));

    let staging = Staging::create(folder)?;
    let mut steps = Vec::new();
    for (_, target, text) in changed {
        steps.push(staging.prepare(steps.len(), target, Some(&text))?);
    }
    for target in stale {
        steps.push(staging.prepare(steps.len(), target, None)?);
    }
    take_all(&steps)
}

/// Takes all steps, or none.
fn take_all(steps: &[Step]) -> Result<()> {
    for (done, step) in steps.iter().enumerate() {
        if let Err(error) = step.take() {
            // What cannot be undone either is as broken as the disk.
            steps[..done].iter().rev().for_each(|step| drop(step.undo()));
            return Err(cannot("write", &step.target, error));
        }
    }
    Ok(())
}

/// Where a file belongs. No folder on the way may be a link, which could lead anywhere.
fn target(folder: &Path, path: &str) -> Result<PathBuf> {
    let target = place(folder, path);
    let mut on_the_way = target.as_path();
    while let Some(parent) = on_the_way.parent().filter(|parent| *parent != folder) {
        if fs::symlink_metadata(parent).is_ok_and(|found| !found.is_dir()) {
            let message =
                format!("{} is a link or a file where a folder would be", parent.display());
            return Err(Error::config(message));
        }
        on_the_way = parent;
    }
    Ok(target)
}

/// A folder for unfinished files, below the one that they are for. Dropping it removes it.
struct Staging(PathBuf);

impl Staging {
    fn create(folder: &Path) -> Result<Self> {
        remove_abandoned(folder);
        let path = folder.join(format!("{STAGING}{}", slugid::v4()));
        fs::create_dir(&path).map_err(|error| cannot("create", &path, error))?;
        Ok(Self(path))
    }

    /// Makes everything ready for a file's replacement or, without a text, its removal.
    fn prepare(&self, number: usize, target: PathBuf, text: Option<&str>) -> Result<Step> {
        let failed = |error| cannot("write beside", &target, error);
        let new = self.0.join(format!("{number}.new"));
        let old = self.0.join(format!("{number}.old"));
        if let Some(text) = text {
            let mut file = File::create_new(&new).map_err(failed)?;
            file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
        }
        let had_one = match fs::copy(&target, &old) {
            Ok(_) => true,
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(error) => return Err(failed(error)),
        };
        Ok(Step { target, new: text.is_some().then_some(new), old: had_one.then_some(old) })
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // What stays is removed by a later fetch.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Removes what programs that were killed have left behind.
fn remove_abandoned(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let is_ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(STAGING));
        let age = entry
            .metadata()
            .and_then(|found| found.modified())
            .ok()
            .and_then(|time| time.elapsed().ok());
        if is_ours && age.is_some_and(|age| age > ABANDONED) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// One file on its way.
struct Step {
    target: PathBuf,
    /// What is to stand there; nothing to remove it.
    new: Option<PathBuf>,
    /// A copy of what stood there.
    old: Option<PathBuf>,
}

impl Step {
    fn take(&self) -> io::Result<()> {
        match &self.new {
            Some(new) => {
                if let Some(folder) = self.target.parent() {
                    fs::create_dir_all(folder)?;
                }
                fs::rename(new, &self.target)
            }
            None => fs::remove_file(&self.target),
        }
    }

    fn undo(&self) -> io::Result<()> {
        match &self.old {
            Some(old) => fs::rename(old, &self.target),
            None => fs::remove_file(&self.target),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_done_before_a_failure_is_undone() {
        let folder = std::env::temp_dir().join(format!("taskcluster-{}", slugid::v4()));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("a.json"), "old a").unwrap();
        fs::write(folder.join("gone.json"), "old").unwrap();
        let staging = Staging::create(&folder).unwrap();
        let at = |name: &str| folder.join(name);
        let steps = [
            staging.prepare(0, at("a.json"), Some("new a")).unwrap(),
            staging.prepare(1, at("b/b.json"), Some("new b")).unwrap(),
            staging.prepare(2, at("gone.json"), None).unwrap(),
            staging.prepare(3, at("c.json"), Some("new c")).unwrap(),
        ];
        let staged = steps[3].new.as_ref().unwrap();
        fs::remove_file(staged).unwrap();
        let error = take_all(&steps).unwrap_err();
        assert!(error.to_string().contains("c.json: "), "{error}");
        assert_eq!(fs::read_to_string(at("a.json")).unwrap(), "old a");
        assert_eq!(fs::read_to_string(at("gone.json")).unwrap(), "old");
        assert!(!at("b/b.json").exists() && !at("c.json").exists());

        let steps = [staging.prepare(4, at("a.json"), Some("new a")).unwrap()];
        take_all(&steps).unwrap();
        assert_eq!(fs::read_to_string(at("a.json")).unwrap(), "new a");
        drop(staging);
        assert!(
            fs::read_dir(&folder).unwrap().all(|entry| {
                !entry.unwrap().file_name().to_str().unwrap().starts_with(STAGING)
            })
        );
        fs::remove_dir_all(&folder).unwrap();
    }
}
