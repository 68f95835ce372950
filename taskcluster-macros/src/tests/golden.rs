//! Compares the expansions of six representative schemas with those that were last reviewed.
//!
//! After an intended change, run `UPDATE_GOLDEN=1 cargo test -p taskcluster-macros` to write the files in `golden` again, and
//! read the difference before you commit it.

use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::expansion as expansion_of;
use crate::input::invocation::Invocation;

/// Expands a reference in `golden`.
fn expansion(name: &str) -> String {
    let invocation: Invocation =
        syn::parse_str(&format!("pub struct Golden = \"golden/{name}.json\";")).unwrap();
    let tokens = expansion_of(invocation).to_string();
    assert!(!tokens.contains("compile_error"), "{tokens}");
    tokens
}

/// Formats Rust; `None` without rustfmt.
fn formatted(rust: &str) -> Option<String> {
    let rustfmt = Command::new("rustfmt")
        .args(["--edition", "2024", "--config", "max_width=100,use_small_heuristics=Max"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let mut rustfmt = rustfmt.ok()?;
    // It reads everything before it writes.
    rustfmt.stdin.take().unwrap().write_all(rust.as_bytes()).unwrap();
    let output = rustfmt.wait_with_output().unwrap();
    // rustup's proxy exists even if rustfmt is not installed.
    output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
}

#[test]
fn expansions_are_those_last_reviewed() {
    if formatted("fn f() {}").is_none() {
        eprintln!("not checked: rustfmt is not installed");
        return;
    }
    for name in ["record", "tagged-union", "untagged-union", "enum", "open-record", "conversion"] {
        let now = formatted(&expansion(name)).unwrap();
        let file = format!("{}/golden/{name}.rs", env!("CARGO_MANIFEST_DIR"));
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(&file, &now).unwrap();
        }
        let then = std::fs::read_to_string(&file).unwrap();
        let first = now.lines().zip(then.lines()).position(|(now, then)| now != then);
        assert!(
            now == then,
            "{file}:{}: the expansion has changed; see `UPDATE_GOLDEN` in src/tests/golden.rs\n\n{now}",
            first.map_or(0, |line| line + 1),
        );
    }
}
