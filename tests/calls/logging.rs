//! The log that a program gets by one call. A log is that of a process, so each case runs in one of its own.

use taskcluster::Queue;
use taskcluster::testing::Deployment;

use crate::support::process;

#[test]
#[ignore = "run by the tests below, with an environment"]
fn child() {
    taskcluster::debug_logging();
    // It may be called again, and keeps the first log.
    taskcluster::debug_logging();
    let fake = Deployment::start_blocking().unwrap();
    Queue::new(&fake.anonymous().unwrap()).ping().send_blocking().unwrap();
}

fn logged(variables: &[(&str, &str)]) -> Vec<String> {
    let (_, log) = process::run_both(concat!(module_path!(), "::child"), variables);
    log.lines().map(str::to_owned).collect()
}

#[test]
fn the_lines_of_this_crate_and_no_others_are_logged() {
    let lines = logged(&[("DEBUG_TASKCLUSTER_CLIENT", "1")]);
    assert!(lines.iter().all(|line| line.contains(" taskcluster::")), "{lines:#?}");
    let answered: Vec<_> = lines.iter().filter(|line| line.contains(": answered")).collect();
    assert_eq!(answered.len(), 1, "{lines:#?}");
    for part in ["DEBUG taskcluster::call::", "endpoint=\"ping\"", "attempt=1", "status=200"] {
        assert!(answered[0].contains(part), "{lines:#?}");
    }
}

#[test]
fn nothing_is_logged_unless_it_is_asked_for() {
    for variables in [&[][..], &[("DEBUG_TASKCLUSTER_CLIENT", "")]] {
        assert!(logged(variables).is_empty());
    }
}
