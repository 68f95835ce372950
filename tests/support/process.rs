//! Tests in a process of their own: environment variables and the log are those of a process.

use std::process::Command;

/// Runs an ignored test with this environment and no other, and returns what it prints. The test is given by its module
/// and name, as `concat!(module_path!(), "::child")` is.
pub(crate) fn run(test: &str, variables: &[(&str, &str)]) -> String {
    run_both(test, variables).0
}

/// The same, with what it prints to standard error.
pub(crate) fn run_both(test: &str, variables: &[(&str, &str)]) -> (String, String) {
    let (_, test) = test.split_once("::").unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--ignored", "--nocapture"])
        .env_clear()
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let log = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{log}");
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(shown.contains("1 passed"), "there is no test {test}");
    (shown, log)
}
