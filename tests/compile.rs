//! What the compiler says: every endpoint can be called, and every mistake has its message.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// Where trybuild puts the crate that it compiles the cases in: paths in the cases are relative to it.
fn trybuild_crate() -> PathBuf {
    let test_binary = std::env::current_exe().unwrap();
    let target = test_binary.ancestors().nth(3).unwrap();
    target.join("tests/trybuild/taskcluster-tests")
}

fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            copy(&entry.path(), &to.join(entry.file_name()));
        }
    } else {
        fs::copy(from, to).unwrap();
    }
}

#[test]
fn the_compiler_says_what_is_right_and_what_is_wrong() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    copy(&here.join("compile/api"), &trybuild_crate().join("api"));
    let every_endpoint = trybuild_crate().join("every_endpoint.rs");
    fs::write(&every_endpoint, every_endpoint_called(&here.join("../references/current"))).unwrap();

    let cases = trybuild::TestCases::new();
    cases.pass(&every_endpoint);
    cases.pass(here.join("compile/pass/*.rs"));
    cases.compile_fail(here.join("compile/fail/*.rs"));
}

/// The compiler's list of what this test was built from, in which `tests/urls.rs` has an item of 2017.
#[test]
fn the_compiler_watches_every_file_that_is_read() {
    let list = fs::read_to_string(std::env::current_exe().unwrap().with_extension("d")).unwrap();
    for file in ["queue.json", "schemas/queue/v1/list-task-group-response.json"] {
        assert!(list.contains(&format!("references/2017/{file}")), "{file}");
    }
}

/// A program that calls each endpoint of the reference files by its typed method, with every query option, and holds
/// the URL against the one that the reference describes.
fn every_endpoint_called(references: &Path) -> String {
    let mut program = "#![allow(deprecated)]\nuse taskcluster::*;\n\nfn main() {\n    \
        let client = Client::builder(\"https://tc.example.com\").build().unwrap();\n    \
        let payload = json!({});\n    let mut count = 0;\n"
        .to_owned();
    let mut services: Vec<_> =
        fs::read_dir(references).unwrap().map(|entry| entry.unwrap().path()).collect();
    services.sort();
    for service in services {
        let Ok(text) = fs::read_to_string(service.join("v1/api.json")) else { continue };
        let reference: Value = serde_json::from_str(&text).unwrap();
        let service = reference["serviceName"].as_str().unwrap();
        let name: String =
            service.split('-').map(|word| word[..1].to_uppercase() + &word[1..]).collect();
        writeln!(program, "\n    let service = {name}::new(&client);").unwrap();
        for entry in reference["entries"].as_array().unwrap() {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            let mut url =
                format!("https://tc.example.com/api/{service}/v1{}", text(&entry["route"]));
            let mut arguments = Vec::new();
            for (i, arg) in entry["args"].as_array().unwrap().iter().enumerate() {
                arguments.push(format!("\"{i}/\""));
                url = url.replace(&format!("<{}>", text(arg)), &format!("{i}%2F"));
            }
            if entry.get("input").is_some() {
                arguments.push("&payload".to_owned());
            }
            let mut call =
                format!("service.{}({})", snake(&text(&entry["name"])), arguments.join(", "));
            for (i, option) in entry["query"].as_array().unwrap().iter().enumerate() {
                let option = text(option);
                write!(call, ".{}({i})", snake(&option)).unwrap();
                write!(url, "{}{option}={i}", if i == 0 { '?' } else { '&' }).unwrap();
            }
            writeln!(program, "    assert_eq!({call}.url().unwrap().as_str(), {url:?});").unwrap();
            program.push_str("    count += 1;\n");
        }
    }
    program + "\n    assert_eq!(count, 192);\n}\n"
}

/// The few rules that wire names need, written without those of the macro.
fn snake(name: &str) -> String {
    let name = name.replace("SAS", "Sas").replace("DSN", "Dsn");
    let mut out = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() {
            out.push('_');
        }
        out.extend(letter.to_lowercase());
    }
    out
}
