//! Credentials that a program keeps in the user's configuration folder.

use std::fs::{self, DirBuilder, File, Metadata};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::{env, fmt::Write as _};

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::Credentials;
use super::file::{read_all, unreadable, wrong};
use crate::client::base_url;
use crate::error::{Error, Result};
use crate::{private_file, slugid};

impl Credentials {
    /// Saves the credentials for a deployment in the user's configuration folder, and returns the path of the file. It replaces
    /// those that were saved for this root URL before, as a whole or not at all.
    ///
    /// The folder is `taskcluster/credentials` in `$XDG_CONFIG_HOME`, by default in `~/.config`, and on Windows in `%APPDATA%`.
    /// On Unix, only the user can read the folder (mode 700) and its files (mode 600), from the moment they exist. On Windows
    /// they inherit the permissions of the user's profile, which others than administrators cannot read.
    ///
    /// # Errors
    ///
    /// Returns an error if the root URL is invalid, if there is no configuration folder, if other users have access to it, or
    /// if the file cannot be written.
    pub fn save(&self, root_url: &str) -> Result<PathBuf> {
        save(&folder()?, &normal(root_url)?, self)
    }

    /// Returns the credentials that were [saved](Self::save) for a deployment, or `None` if there are none. They may have
    /// expired in the meantime; [`check`](Self::check) tells.
    ///
    /// ```no_run
    /// use taskcluster::{Client, Credentials};
    ///
    /// let root_url = "https://tc.example.com";
    /// let mut client = Client::builder(root_url);
    /// if let Some(credentials) = Credentials::load(root_url)? {
    ///     client = client.credentials(credentials);
    /// }
    /// let client = Client::from_env_or(client)?;
    /// # Ok::<(), taskcluster::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if the root URL is invalid, if there is no configuration folder, if other users have access to the
    /// folder or the file (on Unix), or if the file cannot be read.
    pub fn load(root_url: &str) -> Result<Option<Self>> {
        load(&folder()?, &normal(root_url)?)
    }

    /// Deletes the credentials that were [saved](Self::save) for a deployment. Returns whether there were any.
    ///
    /// The client itself stays in the auth service until it expires.
    ///
    /// # Errors
    ///
    /// Returns an error if the root URL is invalid, if there is no configuration folder, or if the file cannot be deleted.
    pub fn forget(root_url: &str) -> Result<bool> {
        let path = path(&folder()?, &normal(root_url)?);
        match fs::remove_file(&path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => {
                Err(Error::file(format!("cannot delete {}", path.display())).because(error))
            }
        }
    }
}

/// The folder of all saved credentials of this user.
fn folder() -> Result<PathBuf> {
    let variable = if cfg!(windows) { "APPDATA" } else { "XDG_CONFIG_HOME" };
    let configured = env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    let folder = configured.or_else(|| Some(env::home_dir()?.join(".config")));
    let folder = folder.filter(|path| path.is_absolute()).ok_or_else(|| {
        Error::config(format!(
            "there is no folder to keep credentials in; set {variable} to an absolute path"
        ))
    })?;
    Ok(folder.join("taskcluster").join("credentials"))
}

/// A root URL in the form in which it is compared.
fn normal(root_url: &str) -> Result<String> {
    Ok(base_url::parse(root_url)?.as_str().trim_end_matches('/').to_owned())
}

/// The file for a deployment: its host, for people, and a hash, because URLs may contain what names of files may not.
fn path(folder: &Path, root_url: &str) -> PathBuf {
    let (_, rest) = root_url.split_once("://").unwrap_or_default();
    let host = rest.split('/').next().unwrap_or_default();
    let safe = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' };
    let mut name: String = host.chars().take(100).map(safe).chain(['-']).collect();
    for byte in &Sha256::digest(root_url)[..8] {
        // Writing to a string does not fail.
        let _ = write!(name, "{byte:02x}");
    }
    folder.join(name + ".json")
}

fn save(folder: &Path, root_url: &str, credentials: &Credentials) -> Result<PathBuf> {
    let cannot = |error: io::Error| {
        Error::file(format!("cannot save credentials in {}", folder.display())).because(error)
    };
    create_folder(folder).map_err(cannot)?;
    check_private(folder, &fs::metadata(folder).map_err(cannot)?)?;
    let mut json = credentials.to_json();
    json["rootUrl"] = Value::from(root_url);
    let (path, new) = (path(folder, root_url), folder.join(format!(".{}", slugid::v4())));
    let written = write(&new, &format!("{json:#}\n")).and_then(|()| fs::rename(&new, &path));
    if let Err(error) = written {
        // It may not have been created.
        let _ = fs::remove_file(&new);
        return Err(cannot(error));
    }
    Ok(path)
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut file = private_file::create(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn create_folder(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn load(folder: &Path, root_url: &str) -> Result<Option<Credentials>> {
    let path = path(folder, root_url);
    let cannot = |error: io::Error| unreadable(&path, error);
    let file = match File::open(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file.map_err(cannot)?,
    };
    check_private(folder, &fs::metadata(folder).map_err(cannot)?)?;
    check_private(&path, &file.metadata().map_err(cannot)?)?;
    let text = read_all(file).map_err(cannot)?;
    let json = serde_json::from_str(&text).unwrap_or(Value::Null);
    if json["rootUrl"] != root_url {
        return Err(wrong(&path, format!("it is not for {root_url}")));
    }
    Credentials::from_value(&json).map(Some).map_err(|error| wrong(&path, error))
}

/// Refuses what other users can read or change.
#[cfg(unix)]
fn check_private(path: &Path, metadata: &Metadata) -> Result<()> {
    use std::os::unix::fs::MetadataExt as _;

    if metadata.mode() & 0o077 == 0 {
        return Ok(());
    }
    let path = path.display();
    Err(Error::config(format!("other users have access to {path}; run `chmod go-rwx` on it")))
}

/// The permissions of a profile are the system's own.
#[cfg(not(unix))]
fn check_private(_path: &Path, _metadata: &Metadata) -> Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_have_safe_names_one_for_each_deployment() {
        let name = |root_url: &str| {
            let path = path(Path::new("f"), &normal(root_url).unwrap());
            path.file_name().unwrap().to_str().unwrap().to_owned()
        };
        let usual = name("https://tc.example.com");
        assert!(usual.starts_with("tc.example.com-") && usual.ends_with(".json"), "{usual}");
        assert_eq!(usual, name("https://TC.example.com:443//"));
        let long = format!("https://{}.example.com", ["a".repeat(60).as_str(); 4].join("."));
        let all =
            ["http://tc.example.com", "https://tc.example.com/a/..b", "http://[::1]:80", &long];
        for other in all.map(name) {
            assert_ne!(other, usual);
            let safe = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
            assert!(other.len() < 130 && other.chars().all(safe), "{other}");
        }
    }
}
