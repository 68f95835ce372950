//! Credentials in the user's configuration folder. The folder comes from the environment, so each case runs in a process of
//! its own.

use std::time::Duration;

use taskcluster::{Credentials, CredentialsWithSecrets};

use crate::support::documents::Folder;
use crate::support::process;

const ROOT: &str = "https://tc.example.com";

/// Saves and loads, and prints what happens.
#[test]
#[ignore = "run by the tests below, with an environment"]
fn child() {
    let issuer = Credentials::new("a", "no-secret");
    let temporary = issuer.temporary(Duration::from_secs(60)).create().unwrap();
    let load = || match Credentials::load(ROOT) {
        Ok(loaded) => println!("loaded: {loaded:?}"),
        Err(error) => println!("load: {error}"),
    };
    load();
    for credentials in [Credentials::new("b", "no-secret"), temporary] {
        match credentials.save("https://TC.example.com//") {
            Ok(path) => {
                println!("saved: {}", path.display());
                assert_eq!(Credentials::load(ROOT).unwrap().unwrap(), credentials);
                assert_eq!(Credentials::load("https://tc.example.com/other").unwrap(), None);
            }
            Err(error) => println!("save: {error}"),
        }
    }
    load();
    println!("forgotten: {:?}", Credentials::forget(ROOT).ok());
    println!("forgotten again: {:?}", Credentials::forget(ROOT).ok());
    Credentials::load("tc.example.com").unwrap_err();
}

fn with(variables: &[(&str, &str)]) -> String {
    process::run(concat!(module_path!(), "::child"), variables)
}

#[test]
fn what_is_saved_is_loaded_until_it_is_forgotten() {
    let home = Folder::new();
    let config = home.0.join("config").display().to_string();
    for variables in [
        vec![("XDG_CONFIG_HOME", config.as_str())],
        vec![("HOME", home.0.to_str().unwrap())],
        vec![("HOME", home.0.to_str().unwrap()), ("XDG_CONFIG_HOME", "not/absolute")],
    ] {
        let shown = with(&variables);
        let folder = match variables[0].0 {
            "HOME" => home.0.join(".config"),
            _ => home.0.join("config"),
        };
        let file = format!("saved: {}/taskcluster/credentials/tc.example.com-", folder.display());
        assert_eq!(shown.matches(&file).count(), 2, "{shown}");
        for line in [
            "loaded: None",
            "loaded: Some(Credentials { client_id: \"a\", temporary: true, .. })",
            "forgotten: Some(true)",
            "forgotten again: Some(false)",
        ] {
            assert!(shown.contains(line), "{line} in {shown}");
        }
        assert!(!shown.contains("no-secret"));
    }
    assert_eq!(home.files().len(), 0, "nothing is left: {:?}", home.files().keys());
    let shown = with(&[("XDG_CONFIG_HOME", "/proc/nothing")]);
    assert!(shown.contains("save: cannot save credentials in /proc/nothing/"), "{shown}");
}

#[cfg(unix)]
mod on_unix {
    use std::fs;
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    use std::path::Path;

    use super::*;

    /// Saves, and leaves the file.
    #[test]
    #[ignore = "run by the tests below, with an environment"]
    fn saving() {
        println!("{:?}", Credentials::new("a", "no-secret").save(ROOT).map(|_| ()));
        println!("{:?}", Credentials::load(ROOT));
    }

    fn saving_in(folder: &Path) -> String {
        let variables = [("XDG_CONFIG_HOME", folder.to_str().unwrap())];
        process::run(concat!(module_path!(), "::saving"), &variables)
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o777
    }

    #[test]
    fn nobody_else_can_read_them() {
        let config = Folder::new();
        let folder = config.0.join("taskcluster/credentials");
        saving_in(&config.0);
        let file = fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path();
        assert_eq!((mode(&folder), mode(&file)), (0o700, 0o600));

        // What others could have read or written is not used, and not made to look as if they could not.
        let open = |path: &Path, mode: u32| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        };
        open(&folder, 0o750);
        let shown = saving_in(&config.0);
        let refused = format!("other users have access to {}; run `chmod", folder.display());
        assert_eq!(shown.matches(&refused).count(), 2, "{shown}");
        assert_eq!(mode(&folder), 0o750);
        open(&folder, 0o700);
        open(&file, 0o604);
        let variables = [("XDG_CONFIG_HOME", config.0.to_str().unwrap())];
        let shown = process::run(concat!(module_path!(), "::loading"), &variables);
        assert!(
            shown.contains(&format!("other users have access to {}", file.display())),
            "{shown}"
        );
        // A new file takes its place.
        assert!(saving_in(&config.0).contains("Ok(())"));
        assert_eq!((mode(&file), fs::read_dir(&folder).unwrap().count()), (0o600, 1));
    }

    #[test]
    #[ignore = "run by the test above and below, with an environment"]
    fn loading() {
        println!("{:?}", Credentials::load(ROOT));
    }

    #[test]
    fn a_file_of_something_else_is_an_error() {
        let config = Folder::new();
        saving_in(&config.0);
        let folder = config.0.join("taskcluster/credentials");
        let file = fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path();
        let whole = fs::read_to_string(&file).unwrap();
        for (text, why) in [
            (whole.replace("tc.example.com", "elsewhere"), "it is not for https://tc"),
            (whole.replace("accessToken", "token"), "`accessToken` must be a non-empty string"),
            ("{".to_owned(), "it is not for"),
            (whole.replace("no-secret", &"x".repeat(300_000)), "it is larger than 262144 bytes"),
        ] {
            fs::write(&file, text).unwrap();
            let variables = [("XDG_CONFIG_HOME", config.0.to_str().unwrap())];
            let shown = process::run(concat!(module_path!(), "::loading"), &variables);
            assert!(shown.contains(why) && !shown.contains("no-secret"), "{shown}");
        }
    }
}

#[test]
fn serde_writes_credentials_only_if_told_to() {
    #[derive(serde::Serialize, serde::Deserialize, PartialEq, Debug)]
    struct Configuration {
        credentials: CredentialsWithSecrets,
    }

    let permanent = Credentials::new("a", "no-secret");
    let temporary = permanent.temporary(Duration::from_secs(60)).create().unwrap();
    for credentials in [permanent, temporary] {
        let configuration = Configuration { credentials: CredentialsWithSecrets(credentials) };
        let json = serde_json::to_string(&configuration).unwrap();
        assert_eq!(serde_json::from_str::<Configuration>(&json).unwrap(), configuration);
        assert!(!format!("{configuration:?}").contains("no-secret"));
    }
    let wrong = r#"{"credentials": {"clientId": "a", "accessToken": ["no-secret"]}}"#;
    let error = serde_json::from_str::<Configuration>(wrong).unwrap_err().to_string();
    assert!(error.contains("`accessToken` must be a non-empty string"), "{error}");
    assert!(!error.contains("no-secret"), "{error}");
}
