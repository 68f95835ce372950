//! The order of files that CONTRIBUTING.md states is the order that they keep: each imports only what stands above it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use regex_lite::Regex;

/// A source file: its name in CONTRIBUTING.md (`client/clock`; `client` for `client/mod.rs`) and its text.
struct File {
    name: String,
    path: PathBuf,
    text: String,
}

#[test]
fn files_import_only_what_stands_above_them_in_contributing() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let contributing = fs::read_to_string(root.join("CONTRIBUTING.md")).unwrap();
    let orders = stated_orders(&contributing);
    assert_eq!(orders.keys().collect::<Vec<_>>(), ["taskcluster-macros/src", "taskcluster/src"]);
    let problems: Vec<String> = orders
        .into_iter()
        .flat_map(|(folder, order)| violations(&files_below(root, &folder), &order))
        .collect();
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

#[test]
fn an_import_against_the_order_is_found_with_its_line() {
    let file = |name: &str, path: &str, text: &str| File {
        name: name.to_owned(),
        path: path.into(),
        text: text.to_owned(),
    };
    let files = [
        file("error", "error.rs", ""),
        file("client", "client/mod.rs", "mod clock;\n\npub use clock::Clock;\n"),
        file("client/clock", "client/clock.rs", "//! Time.\nuse super::Client;\n"),
        file(
            "call",
            "call.rs",
            "use crate::{\n    client::{clock::Clock, Client},\n    error::Error,\n};\n",
        ),
        file(
            "odd",
            "odd.rs",
            "fn f() {\n    // crate::call is fine in comments.\n    crate::call::f()\n}\n",
        ),
    ];
    let (_, order) =
        stated_orders("```text\nsrc\n  error\n  client/clock odd\n  client\n  call\n```")
            .pop_first()
            .unwrap();
    assert_eq!(
        violations(&files, &order),
        [
            "client/clock.rs:2: `super::Client` is in `client`, which does not stand above `client/clock`",
            "odd.rs:3: `crate::call::f` is in `call`, which does not stand above `odd`",
        ]
    );
    let (_, short) =
        stated_orders("```text\nsrc\n  error gone\n  client call\n  odd\n```").pop_first().unwrap();
    let found = violations(&files, &short);
    assert!(found.contains(&"`gone` has no file".to_owned()), "{found:?}");
    assert!(
        found.contains(
            &"client/clock.rs: `client/clock` has no place in CONTRIBUTING.md".to_owned()
        ),
        "{found:?}"
    );
    assert!(
        found.contains(
            &"call.rs:1: `crate::client::Client` is in `client`, which does not stand above `call`"
                .to_owned()
        ),
        "{found:?}"
    );
}

/// The lists of files, lowest first, by folder; what stands on one line does not import each other.
fn stated_orders(page: &str) -> BTreeMap<String, Vec<BTreeSet<String>>> {
    let blocks = page.split("```text\n").skip(1).filter_map(|block| block.split_once("```"));
    blocks
        .filter_map(|(block, _)| block.split_once('\n'))
        .filter(|(folder, _)| folder.ends_with("src"))
        .map(|(folder, lines)| {
            let names = |line: &str| line.split_whitespace().map(str::to_owned).collect();
            (folder.to_owned(), lines.lines().map(names).collect())
        })
        .collect()
}

fn files_below(root: &Path, folder: &str) -> Vec<File> {
    let mut files = Vec::new();
    let mut folders = vec![root.join(folder)];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            if path.extension().is_none_or(|extension| extension != "rs") {
                continue;
            }
            let name = path.strip_prefix(root.join(folder)).unwrap().with_extension("");
            let name = name.to_str().unwrap().trim_end_matches("/mod").to_owned();
            let text = fs::read_to_string(&path).unwrap();
            files.push(File { name, path: path.strip_prefix(root).unwrap().to_owned(), text });
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

/// Everything that is not as the order says.
fn violations(files: &[File], order: &[BTreeSet<String>]) -> Vec<String> {
    let place = |name: &str| order.iter().position(|line| line.contains(name));
    let is_file = |name: &str| files.iter().any(|file| file.name == name);
    let mut found: Vec<String> = order
        .iter()
        .flatten()
        .filter(|name| !is_file(name))
        .map(|name| format!("`{name}` has no file"))
        .collect();
    for File { name, path, text } in files {
        let path = path.display();
        let Some(own) = place(name) else {
            found.push(format!("{path}: `{name}` has no place in CONTRIBUTING.md"));
            continue;
        };
        for (line, import) in imports(text) {
            let Some(target) = target(name, &import, &is_file) else { continue };
            if target != *name && place(&target).is_none_or(|place| place >= own) {
                found.push(format!(
                    "{path}:{line}: `{import}` is in `{target}`, which does not stand above `{name}`"
                ));
            }
        }
    }
    found
}

/// The paths that a file imports, with their lines: by `use` items of the file itself, and by `crate::` within its code.
fn imports(text: &str) -> Vec<(usize, String)> {
    let item = Regex::new(r"(?m)^(?:pub(?:\([a-z ]+\))? )?use ([^;]+);").unwrap();
    let inline = Regex::new(r"(?:^|[^$\w])(crate(?:::\w+)+)").unwrap();
    let line_of = |offset: usize| 1 + text[..offset].matches('\n').count();
    let mut found = Vec::new();
    let mut code = text.to_owned();
    for captures in item.captures_iter(text) {
        let (whole, tree) = (captures.get(0).unwrap(), captures.get(1).unwrap());
        let line = line_of(tree.start());
        found.extend(leaves("", tree.as_str()).into_iter().map(|leaf| (line, leaf)));
        let blank: String =
            whole.as_str().chars().map(|c| if c == '\n' { c } else { ' ' }).collect();
        code.replace_range(whole.range(), &blank);
    }
    for (index, line) in code.lines().enumerate() {
        if !line.trim_start().starts_with("//") {
            let paths = inline.captures_iter(line);
            found.extend(paths.map(|captures| (index + 1, captures[1].to_owned())));
        }
    }
    found
}

/// The paths of a `use` tree.
fn leaves(prefix: &str, tree: &str) -> Vec<String> {
    let tree = tree.trim();
    let Some((path, group)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().unwrap_or_default();
        return vec![format!("{prefix}{path}").trim_end_matches("::self").to_owned()];
    };
    let group = group.trim_end().strip_suffix('}').unwrap_or(group);
    let (mut depth, mut start, mut parts) = (0, 0, Vec::new());
    for (i, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&group[start..i]);
                start = i + 1;
            }
            _ => {}
        }
    }
    parts.push(&group[start..]);
    let parts = parts.into_iter().filter(|part| !part.trim().is_empty());
    parts.flat_map(|part| leaves(&format!("{prefix}{path}"), part)).collect()
}

/// The file that a path leads to; `lib` for items of the crate's root, nothing for other crates.
fn target(from: &str, import: &str, is_file: &dyn Fn(&str) -> bool) -> Option<String> {
    let mut segments: Vec<&str> = import.split("::").collect();
    let mut base: Vec<&str> = match segments[0] {
        "crate" => Vec::new(),
        "super" => from.split('/').collect(),
        _ if from == "lib" => Vec::new(),
        _ => from.split('/').collect(),
    };
    let is_relative = !matches!(segments[0], "crate" | "self" | "super");
    while let Some(&first) = segments.first() {
        match first {
            "crate" | "self" => {}
            "super" => drop(base.pop()),
            _ => break,
        }
        segments.remove(0);
    }
    let child = |base: &[&str], name: &str| {
        base.iter().copied().chain([name]).collect::<Vec<_>>().join("/")
    };
    if is_relative && !is_file(&child(&base, segments[0])) {
        return None;
    }
    for segment in segments {
        if !is_file(&child(&base, segment)) {
            break;
        }
        base.push(segment);
    }
    Some(if base.is_empty() { "lib".to_owned() } else { base.join("/") })
}
