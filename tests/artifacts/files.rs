//! A file appears whole or not at all.

use std::io::ErrorKind as Io;
use std::pin::pin;
use std::time::Duration;

use taskcluster::ErrorKind;
use taskcluster::testing::Fault;

use crate::artifacts::{Folder, PUBLIC, Running, bytes};

/// The kind of the error of the operating system.
fn io_kind(error: &taskcluster::Error) -> Io {
    let source = std::error::Error::source(error).unwrap();
    source.downcast_ref::<std::io::Error>().unwrap().kind()
}

#[tokio::test]
async fn an_existing_file_is_replaced_or_left_as_wanted() {
    let running = Running::new().await;
    running.s3(PUBLIC, b"new", "identity").await;
    let folder = Folder::new();
    let path = folder.path("file");
    std::fs::write(&path, "old").unwrap();
    let artifact = running.latest(PUBLIC).overwrite(false);
    running.fake.clear_calls();
    for artifact in [artifact.clone(), artifact.resume(true), artifact.parallel(2)] {
        let error = artifact.download_to(&path).await.unwrap_err();
        assert_eq!((error.kind(), io_kind(&error)), (ErrorKind::File, Io::AlreadyExists));
        assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
    }
    assert!(running.fake.transfers().is_empty(), "known before anything is fetched");
    assert_eq!(std::fs::read(&path).unwrap(), b"old");
    // Somebody else may be faster.
    let other = folder.path("other");
    let racing = {
        let other = other.clone();
        artifact.on_progress(move |_| std::fs::write(&other, "theirs").unwrap())
    };
    for racing in [racing.clone(), racing.resume(true)] {
        let _ = std::fs::remove_file(&other);
        let error = racing.download_to(&other).await.unwrap_err();
        assert_eq!((error.kind(), io_kind(&error)), (ErrorKind::File, Io::AlreadyExists));
        assert_eq!(std::fs::read(&other).unwrap(), b"theirs");
    }
    running.latest(PUBLIC).download_to(&path).await.unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"new");
    std::fs::remove_file(&other).unwrap();
    artifact.download_to(&other).await.unwrap();
    assert_eq!(std::fs::read(&other).unwrap(), b"new");
}

#[tokio::test]
async fn a_failed_or_dropped_download_leaves_nothing() {
    let running = Running::new().await;
    running.s3(PUBLIC, &bytes(1_000_000), "identity").await;
    let folder = Folder::new();
    running.fake.on_downloads().fault(Fault::CutOff(0));
    running.latest(PUBLIC).download_to(folder.path("x")).await.unwrap_err();
    assert!(folder.names().is_empty());

    running.fake.clear_stubs();
    running.fake.on_downloads().fault(Fault::Stall(600_000));
    for (artifact, left) in [
        (running.latest(PUBLIC), 0),
        (running.latest(PUBLIC).parallel(2), 0),
        (running.latest(PUBLIC).resume(true), 2),
    ] {
        let (sender, mut begun) = tokio::sync::mpsc::unbounded_channel();
        let artifact = artifact.on_progress(move |progress| {
            if progress.bytes == 600_000 {
                sender.send(()).unwrap();
            }
        });
        {
            let mut download = pin!(artifact.download_to(folder.path("x")));
            tokio::select! {
                _ = &mut download => panic!("it ends"),
                _ = begun.recv() => {}
            }
            // Lets it do with the bytes what it does.
            let more = tokio::time::timeout(Duration::from_millis(50), &mut download).await;
            assert!(more.is_err());
        }
        // A thread may still be at work on what was dropped.
        let settled = async {
            while folder.names().len() != left {
                tokio::task::yield_now().await;
            }
        };
        let patience = Duration::from_secs(10);
        let settled = tokio::time::timeout(patience, settled).await;
        settled.unwrap_or_else(|_| panic!("{:?}", folder.names()));
        for name in folder.names() {
            std::fs::remove_file(folder.path(&name)).unwrap();
        }
    }
}

#[tokio::test]
async fn errors_name_the_path_and_are_not_retried() {
    let running = Running::new().await;
    running.s3(PUBLIC, b"hello", "identity").await;
    let folder = Folder::new();
    std::fs::write(folder.path("file"), "").unwrap();
    for (path, kind) in
        [("missing/x", Io::NotFound), ("file/x", Io::NotADirectory), ("..", Io::NotFound)]
    {
        let path = folder.path(path);
        for artifact in [running.latest(PUBLIC), running.latest(PUBLIC).resume(true)] {
            running.fake.clear_calls();
            let error = artifact.download_to(&path).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::File, "{error}");
            assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
            if !path.ends_with("..") {
                assert_eq!(io_kind(&error), kind, "{error}");
            }
            assert!(running.fake.transfers().len() <= 1);
        }
    }
}

#[cfg(unix)]
#[tokio::test]
async fn neither_folders_nor_devices_are_replaced_and_links_are() {
    let running = Running::new().await;
    running.s3(PUBLIC, b"hello", "identity").await;
    let (folder, outside) = (Folder::new(), Folder::new());
    std::fs::create_dir(folder.path("folder")).unwrap();
    running.fake.clear_calls();
    for path in [folder.path("folder"), "/dev/null".into(), "/dev/full".into()] {
        for artifact in [running.latest(PUBLIC), running.latest(PUBLIC).resume(true)] {
            let error = artifact.download_to(&path).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::File, "{error}");
            assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
        }
    }
    assert!(running.fake.calls().is_empty() && running.fake.transfers().is_empty());
    assert_eq!(folder.names(), ["folder"]);
    std::fs::write(outside.path("theirs"), "theirs").unwrap();
    std::os::unix::fs::symlink(outside.path("theirs"), folder.path("link")).unwrap();
    running.latest(PUBLIC).download_to(folder.path("link")).await.unwrap();
    assert_eq!(std::fs::read(folder.path("link")).unwrap(), b"hello");
    assert_eq!(std::fs::read(outside.path("theirs")).unwrap(), b"theirs");
}

#[cfg(unix)]
#[tokio::test]
async fn the_umask_decides_about_permissions() {
    use std::os::unix::fs::PermissionsExt as _;

    let running = Running::new().await;
    running.s3(PUBLIC, b"hello", "identity").await;
    let folder = Folder::new();
    std::fs::File::create(folder.path("plain")).unwrap();
    running.latest(PUBLIC).download_to(folder.path("x")).await.unwrap();
    running.latest(PUBLIC).resume(true).download_to(folder.path("y")).await.unwrap();
    let mode = |name| folder.path(name).metadata().unwrap().permissions().mode();
    assert_eq!([mode("x"), mode("y")], [mode("plain"); 2]);
}

#[cfg(unix)]
#[tokio::test]
async fn a_folder_that_may_not_be_written_to_is_an_error_with_the_path() {
    use std::os::unix::fs::PermissionsExt as _;

    let running = Running::new().await;
    running.s3(PUBLIC, b"hello", "identity").await;
    let folder = Folder::new();
    let locked = folder.path("locked");
    std::fs::create_dir(&locked).unwrap();
    std::fs::set_permissions(&locked, std::fs::Permissions::from_mode(0o555)).unwrap();
    if std::fs::File::create(locked.join("x")).is_ok() {
        eprintln!("skipped: root may write everywhere; run the tests as another user");
        return;
    }
    let artifact = running.latest(PUBLIC);
    for artifact in [artifact.clone(), artifact.resume(true), artifact.parallel(2)] {
        let error = artifact.download_to(locked.join("x")).await.unwrap_err();
        assert_eq!((error.kind(), io_kind(&error)), (ErrorKind::File, Io::PermissionDenied));
        assert!(error.to_string().contains(locked.to_str().unwrap()), "{error}");
    }
    assert_eq!(std::fs::read_dir(&locked).unwrap().count(), 0);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_disk_is_an_error_with_the_path() {
    // A file system of one page, if this program may mount one.
    let folder = Folder::new();
    let mount = |arguments: &[&str]| {
        let status = std::process::Command::new(arguments[0])
            .args(&arguments[1..])
            .arg(&folder.0)
            .stderr(std::process::Stdio::null())
            .status();
        status.is_ok_and(|status| status.success())
    };
    if !mount(&["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs"]) {
        eprintln!("skipped: only root can mount a small file system");
        return;
    }
    let running = Running::new().await;
    running.s3(PUBLIC, &bytes(1_000_000), "identity").await;
    for artifact in [running.latest(PUBLIC), running.latest(PUBLIC).parallel(2)] {
        running.fake.clear_calls();
        let error = artifact.download_to(folder.path("x")).await.unwrap_err();
        let names = folder.names();
        assert_eq!((error.kind(), io_kind(&error)), (ErrorKind::File, Io::StorageFull), "{error}");
        assert!(error.to_string().contains(folder.0.to_str().unwrap()), "{error}");
        assert_eq!(running.fake.transfers().len(), 1);
        assert!(names.is_empty(), "{names:?}");
    }
    assert!(mount(&["umount"]));
}
