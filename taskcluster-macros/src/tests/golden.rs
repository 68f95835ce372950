//! Expansions of five telling schemas, as they were when somebody last looked at them.
//!
//! After a change that is meant, `UPDATE_GOLDEN=1 cargo test -p taskcluster-macros` writes the files in `golden` again;
//! read the difference before it is committed.

use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::input::invocation::Invocation;

/// What a reference in `golden` becomes.
fn expansion(name: &str) -> String {
    let invocation: Invocation =
        syn::parse_str(&format!("pub struct Golden = \"golden/{name}.json\";")).unwrap();
    let tokens = crate::expand(&invocation).to_string();
    assert!(!tokens.contains("compile_error"), "{tokens}");
    tokens
}

/// As rustfmt has it; `None` where there is no rustfmt.
fn formatted(rust: &str) -> Option<String> {
    let rustfmt = Command::new("rustfmt")
        .args(["--edition", "2024", "--config", "max_width=100,use_small_heuristics=Max"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let mut rustfmt = rustfmt.ok()?;
    // It reads all before it writes.
    rustfmt.stdin.take().unwrap().write_all(rust.as_bytes()).unwrap();
    let output = rustfmt.wait_with_output().unwrap();
    // A proxy of rustup is there without what it stands for.
    output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
}

#[test]
fn expansions_are_as_they_were() {
    if formatted("fn f() {}").is_none() {
        eprintln!("not checked, since rustfmt is not there");
        return;
    }
    for name in ["record", "tagged-union", "untagged-union", "enum", "open-record"] {
        let now = formatted(&expansion(name)).unwrap();
        let file = format!("{}/golden/{name}.rs", env!("CARGO_MANIFEST_DIR"));
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(&file, &now).unwrap();
        }
        let then = std::fs::read_to_string(&file).unwrap();
        let first = now.lines().zip(then.lines()).position(|(now, then)| now != then);
        assert!(
            now == then,
            "{file}:{}: another expansion; see `UPDATE_GOLDEN` in src/tests/golden.rs\n\n{now}",
            first.map_or(0, |line| line + 1),
        );
    }
}
