//! What the documentation looks like where it is read.

use std::fs;
use std::path::{Path, PathBuf};

/// How many characters of a line of code docs.rs shows without scrolling.
const WIDTH: usize = 100;

/// All files below a folder with one of these extensions.
fn files(folder: &Path, extensions: &[&str], found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, extensions, found);
        } else if path.extension().is_some_and(|end| extensions.iter().any(|known| end == *known)) {
            found.push(path);
        }
    }
}

/// The lines of code in a file's documentation that readers see, with their numbers.
fn code(text: &str, is_rust: bool) -> impl Iterator<Item = (usize, &str)> {
    let mut in_code = false;
    text.lines().enumerate().filter_map(move |(index, line)| {
        let line = if is_rust {
            let line = line.trim_start();
            let docs = line.strip_prefix("//!").or_else(|| line.strip_prefix("///"));
            let Some(docs) = docs else {
                in_code = false;
                return None;
            };
            docs.strip_prefix(' ').unwrap_or(docs)
        } else {
            line
        };
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
            return None;
        }
        let is_hidden = line == "#" || line.starts_with("# ");
        (in_code && !is_hidden).then_some((index + 1, line))
    })
}

#[test]
fn no_line_of_code_is_cut_off() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut found = vec![root.join("README.md")];
    files(&root.join("taskcluster/src"), &["rs", "md"], &mut found);
    files(&root.join("taskcluster/examples"), &["rs"], &mut found);
    files(&root.join("references"), &["md"], &mut found);
    let (mut lines, mut long) = (0, Vec::new());
    for path in found {
        let text = fs::read_to_string(&path).unwrap();
        for (number, line) in code(&text, path.extension().is_some_and(|end| end == "rs")) {
            lines += 1;
            if line.chars().count() > WIDTH {
                long.push(format!("{}:{number}: {line}", path.display()));
            }
        }
    }
    assert!(lines > 1_000, "found only {lines} lines of code");
    assert!(long.is_empty(), "longer than {WIDTH} characters:\n{}", long.join("\n"));
}

#[test]
fn code_in_documentation_is_found() {
    let rust =
        "//! ```\n//! # hidden\n//! a\n//! ```\n//! text\n/// ```text\n///  b\nfn f() {}\n/// c";
    assert_eq!(code(rust, true).collect::<Vec<_>>(), [(3, "a"), (7, " b")]);
    let markdown = "text\n```rust\na\n#[b]\n```\nc";
    assert_eq!(code(markdown, false).collect::<Vec<_>>(), [(3, "a"), (4, "#[b]")]);
}
