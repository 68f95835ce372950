//! The draft-07 test suite of JSON Schema, as the Python package `jsonschema` carries it: a reference of all of its schemas is
//! expanded and compiled, and all of its documents are read, written and validated. The package is fetched into the target
//! folder. Where that is not possible, a line says so and the test passes; with `CI` in the environment only a missing Python
//! is an excuse.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::support::trybuild_crate;

/// Documents that are not valid and pass `validate()`, though the documentation of their field says so.
const UNCHECKED: &str = include_str!("unchecked.txt");

/// A group of documents for one schema.
struct Group {
    file: String,
    name: String,
    schema: Value,
    documents: Vec<Document>,
}

#[derive(Clone, Deserialize)]
struct Document {
    description: String,
    data: Value,
    valid: bool,
}

/// What became of a document.
#[derive(Deserialize)]
struct Outcome {
    group: usize,
    document: usize,
    /// Why it was not read.
    refused: Option<String>,
    /// What it became when it was read and written, if that is something else.
    changed: Option<Value>,
    /// What `validate()` said.
    invalid: Option<String>,
}

#[test]
fn documents_are_read_without_loss_and_validated() {
    let Some(folder) = fetched() else { return };
    let all = groups(&folder);
    let kept: Vec<_> = all.iter().filter(|group| !is_left_out(group)).collect();
    let outcomes = outcomes(&kept, &folder);

    let mut found = [const { Vec::new() }; 3];
    let mut passed = BTreeSet::new();
    let [mut valid, mut invalid] = [0, 0];
    for outcome in outcomes {
        let group = kept[outcome.group];
        let document = &group.documents[outcome.document];
        let name = format!("{}: {}: {}", group.file, group.name, document.description);
        let Outcome { refused, changed, invalid: why, .. } = outcome;
        if !document.valid {
            invalid += 1;
            if refused.is_none() && why.is_none() {
                passed.insert(name);
            }
            continue;
        }
        valid += 1;
        let problems = [refused, changed.map(|json| json.to_string()), why];
        for (list, problem) in found.iter_mut().zip(problems) {
            list.extend(problem.map(|problem| format!("{name}: {problem}")));
        }
    }
    let [refused, changed, invalidated] = found;
    let report = format!(
        "of {valid} valid documents for {} schemas, {} are refused on reading, {} changed, {} not valid; \
         of {invalid} others, {} pass",
        kept.len(),
        refused.len(),
        changed.len(),
        invalidated.len(),
        passed.len(),
    );
    let _ = writeln!(std::io::stderr(), "{report}");
    assert_eq!(refused, [""; 0], "{report}");
    assert_eq!(changed, [""; 0], "{report}");
    assert_eq!(invalidated, [""; 0], "{report}");
    // The list can only shrink.
    let known: BTreeSet<_> = UNCHECKED.lines().map(str::to_owned).collect();
    let new: Vec<_> = passed.difference(&known).collect();
    let gone: Vec<_> = known.difference(&passed).collect();
    assert!(new.is_empty() && gone.is_empty(), "{report}; new: {new:#?}, gone: {gone:#?}");
    assert!(valid > 600 && invalid > 400, "{report}");
}

/// Whether a group is not for this test.
fn is_left_out(group: &Group) -> bool {
    // Documents that are valid where formats are only remarks. Here they are demands, as they are to services.
    group.file == "format.json" || refers_elsewhere(&group.schema)
}

/// Whether a schema refers to what the macro does not have: the schema of schemas, and what only its `$id` tells where to find.
fn refers_elsewhere(schema: &Value) -> bool {
    match schema {
        Value::Object(members) => members.iter().any(|(key, value)| match value {
            Value::String(target) if key == "$ref" => {
                let is_here = target.starts_with('#');
                let is_served = target.starts_with("http://localhost:1234/")
                    && !target.contains("Pre2019")
                    && !target.contains("detached");
                !is_here && !is_served
            }
            Value::String(id) if key == "$id" => id.contains("localhost"),
            value => refers_elsewhere(value),
        }),
        Value::Array(items) => items.iter().any(refers_elsewhere),
        _ => false,
    }
}

/// The groups of the suite.
fn groups(folder: &Path) -> Vec<Group> {
    let mut groups = Vec::new();
    for subfolder in ["", "optional", "optional/format"] {
        let mut files: Vec<_> = fs::read_dir(folder.join("json/tests/draft7").join(subfolder))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.is_file())
            .collect();
        files.sort();
        for path in files {
            let file = Path::new(subfolder).join(path.file_name().unwrap());
            for group in read(&path).as_array().unwrap() {
                let mut documents: Vec<Document> =
                    serde_json::from_value(group["tests"].clone()).unwrap();
                // An `integer` is an `i64`; larger ones are an error, as the macro's documentation says.
                let is_small =
                    |data: &Value| data.as_f64().is_none_or(|number| number.abs() < 1e15);
                documents.retain(|document| {
                    group["schema"]["type"] != "integer" || is_small(&document.data)
                });
                groups.push(Group {
                    file: file.to_str().unwrap().to_owned(),
                    name: group["description"].as_str().unwrap().to_owned(),
                    schema: group["schema"].clone(),
                    documents,
                });
            }
        }
    }
    groups
}

fn read(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// Compiles and runs a program with a type for each schema.
fn outcomes(groups: &[&Group], folder: &Path) -> Vec<Outcome> {
    let target = trybuild_crate().join("suite");
    let _ = fs::remove_dir_all(&target);
    let schemas = target.join("schemas/suite/v1");
    fs::create_dir_all(&schemas).unwrap();
    let write = |path: PathBuf, json: &Value| fs::write(path, json.to_string()).unwrap();
    let mut entries = Vec::new();
    let mut checks = String::new();
    let mut documents = Vec::new();
    for (index, group) in groups.iter().enumerate() {
        write(schemas.join(format!("value{index}.json")), &group.schema);
        let payload = json!({
            "type": "object",
            "properties": {"value": {"$ref": format!("value{index}.json")}},
            "required": ["value"],
            "additionalProperties": false,
        });
        write(schemas.join(format!("payload{index}.json")), &payload);
        entries.push(json!({
            "type": "function", "name": format!("put{index}"), "method": "put",
            "route": format!("/{index}"), "args": [], "query": [], "title": "", "description": "",
            "category": "C", "stability": "stable", "input": format!("v1/payload{index}.json#"),
        }));
        checks.push_str(&format!(
            "    all.check::<Payload{index}>({index}, Payload{index}::validate);\n"
        ));
        documents.push(group.documents.iter().map(|document| &document.data).collect::<Vec<_>>());
    }
    write(target.join("documents.json"), &json!(documents));
    let reference = json!({
        "$schema": "/schemas/common/api-reference-v0.json#", "serviceName": "suite", "apiVersion": "v1",
        "title": "", "description": "", "entries": entries,
    });
    write(target.join("suite.json"), &reference);
    copy_remotes(&folder.join("json/remotes"), &target.join("schemas"));
    let program = include_str!("program.rs")
        .replace("// checks\n", &checks)
        .replace("FOLDER", target.to_str().unwrap());
    fs::write(target.join("main.rs"), program).unwrap();
    trybuild::TestCases::new().pass(target.join("main.rs"));
    serde_json::from_value(read(&target.join("outcomes.json"))).unwrap()
}

/// The schemas that others refer to at `http://localhost:1234/`.
fn copy_remotes(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let to = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_remotes(&path, &to);
        } else {
            fs::copy(path, to).unwrap();
        }
    }
}

/// The unpacked package. `None` if the test is to be skipped.
fn fetched() -> Option<PathBuf> {
    const PACKAGE: &str = "jsonschema-4.23.0";
    const PYTHON: &str = "python3";
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("suite");
    let unpacked = folder.join(PACKAGE);
    if unpacked.join("json/tests/draft7").is_dir() {
        return Some(unpacked);
    }
    fs::create_dir_all(&folder).unwrap();
    let skip = |reason: &str| {
        let _ = writeln!(std::io::stderr(), "skipped: the suite of JSON Schema: {reason}");
    };
    let run = |program: &str, arguments: &[&str]| {
        let output =
            Command::new(if program == PYTHON { program.into() } else { folder.join(program) })
                .args(arguments)
                .current_dir(&folder)
                .output();
        match output {
            Ok(output) if output.status.success() => Ok(()),
            Ok(output) => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
            Err(error) => Err(error.to_string()),
        }
    };
    if let Err(error) = run(PYTHON, &["--version"]) {
        skip(&error);
        return None;
    }
    let package = PACKAGE.replace('-', "==");
    let download = ["download", "--quiet", "--no-deps", "--no-binary", "jsonschema", &package];
    let fetching = run(PYTHON, &["-m", "venv", "--clear", "venv"])
        .and_then(|()| run("venv/bin/pip", &download))
        .and_then(|()| run(PYTHON, &["-m", "tarfile", "-e", &format!("{PACKAGE}.tar.gz"), "."]));
    if let Err(error) = fetching {
        assert!(std::env::var_os("CI").is_none(), "{error}");
        skip(&error);
        return None;
    }
    Some(unpacked)
}
