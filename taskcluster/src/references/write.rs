//! Writes documents next to the old files first, then replaces all of these or none.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::documents::{self, Documents};
use super::folder::{cannot, place};
use crate::error::{Error, Result};
use crate::slugid;

/// The prefix of the name of the folder for unfinished files.
const STAGING: &str = ".fetching-";

/// The age at which a folder for unfinished files counts as left behind by an interrupted program.
const ABANDONED: Duration = Duration::from_secs(60 * 60);

/// Writes these documents to a folder and removes stale files. Files that have the right content are not touched.
///
/// All files are written next to their targets before any of these changes; then each is renamed, which is atomic. Schemas
/// are replaced first and stale files removed last, so that every reference finds its schemas at any moment. If a step fails,
/// the earlier ones are undone.
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
            // If undoing fails as well, there is nothing left to try.
            steps[..done].iter().rev().for_each(|step| drop(step.undo()));
            return Err(cannot("write", &step.target, error));
        }
    }
    Ok(())
}

/// Returns the file of a path. No folder on the way may be a link, which could lead anywhere.
fn target(folder: &Path, path: &str) -> Result<PathBuf> {
    let target = place(folder, path);
    let mut on_the_way = target.as_path();
    while let Some(parent) = on_the_way.parent().filter(|parent| *parent != folder) {
        if fs::symlink_metadata(parent).is_ok_and(|found| !found.is_dir()) {
            let message = format!("{} is a link or a file, but must be a folder", parent.display());
            return Err(Error::config(message));
        }
        on_the_way = parent;
    }
    Ok(target)
}

/// A folder for unfinished files inside the target folder, removed on drop.
struct Staging(PathBuf);

impl Staging {
    fn create(folder: &Path) -> Result<Self> {
        remove_abandoned(folder);
        let path = folder.join(format!("{STAGING}{}", slugid::v4()));
        fs::create_dir(&path).map_err(|error| cannot("create", &path, error))?;
        Ok(Self(path))
    }

    /// Prepares the replacement of a file or, without a text, its removal.
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
        // If this fails, a later fetch removes it.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Removes the folders that killed programs have left behind.
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

/// The replacement or removal of one file.
struct Step {
    target: PathBuf,
    /// The new file, or `None` to remove the old one.
    new: Option<PathBuf>,
    /// A copy of the old file, if there was one.
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
