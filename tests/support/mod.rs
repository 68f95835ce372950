//! What tests of several rooms need.

pub(crate) mod broker;
pub(crate) mod documents;
pub(crate) mod hostile;
pub(crate) mod log;
pub(crate) mod process;
pub(crate) mod samples;

/// Nothing is measured by it: it keeps a broken test from hanging.
const HANGING: std::time::Duration = std::time::Duration::from_secs(120);

/// A file of values from other implementations.
pub(crate) fn vectors(name: &str) -> serde_json::Value {
    let path = format!("{}/vectors/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// JSON as a payload type.
#[track_caller]
pub(crate) fn typed<T: serde::de::DeserializeOwned>(
    json: impl std::borrow::Borrow<serde_json::Value>,
) -> T {
    serde_json::from_value(json.borrow().clone()).unwrap()
}

/// An HTTP client that signs nothing.
pub(crate) fn plain() -> reqwest::Client {
    taskcluster::http_client_builder().unwrap().no_proxy().build().unwrap()
}

/// The service refused a call: with this status and code, and a message that says so.
#[track_caller]
pub(crate) fn assert_api_error(
    error: &taskcluster::Error,
    status: taskcluster::StatusCode,
    code: &str,
    message: &str,
) {
    assert_eq!((error.status(), error.code()), (Some(status), Some(code)), "{error}");
    assert!(error.message().contains(message), "{error}");
}

/// The same, with a message that says all of this.
#[track_caller]
pub(crate) fn assert_api_error_saying(
    error: &taskcluster::Error,
    status: taskcluster::StatusCode,
    code: &str,
    messages: &[&str],
) {
    for message in messages {
        assert_api_error(error, status, code, message);
    }
}

/// Lets time pass for a deployment, a step at a time, until something has come of it.
pub(crate) async fn as_time_passes<F: Future>(
    fake: &taskcluster::testing::Deployment,
    step: std::time::Duration,
    future: F,
) -> F::Output {
    let passing = async {
        loop {
            fake.advance(step);
            // As often as clients look at the deployment's clock.
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    tokio::select! {
        output = tokio::time::timeout(HANGING, future) => output.expect("it must not hang"),
        () = passing => unreachable!(),
    }
}

/// Where trybuild puts the crate that it compiles the cases in: paths in the cases are relative to it.
pub(crate) fn trybuild_crate() -> std::path::PathBuf {
    let test_binary = std::env::current_exe().unwrap();
    let target = test_binary.ancestors().nth(3).unwrap();
    target.join("tests/trybuild/taskcluster-tests")
}
