//! What the compiler says: every endpoint can be called, and every mistake has its message.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use taskcluster::references::Fetch;
use taskcluster::testing::Deployment;
use taskcluster_tests::TASK_ID;

use crate::references::count_in_files;
use crate::support::samples::{self, Extent, Sample};
use crate::support::trybuild_crate;

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
    for (name, depth) in [("deep", 4_000), ("deepest", 47)] {
        let folder = trybuild_crate().join(format!("api/schemas/{name}/v1"));
        fs::create_dir_all(&folder).unwrap();
        let schema = records_in_records(depth).to_string();
        fs::write(folder.join(format!("{name}.json")), schema).unwrap();
    }
    let every_endpoint = trybuild_crate().join("every_endpoint.rs");
    fs::write(&every_endpoint, every_endpoint_called(&here.join("../references/current"))).unwrap();

    let current = trybuild_crate().join("every_schema.rs");
    fs::write(&current, every_schema_round_trips(&here.join("../references/current"), "")).unwrap();
    let of_2017 = trybuild_crate().join("every_schema_of_2017.rs");
    let program = every_schema_round_trips(&here.join("../references/2017"), "legacy::");
    fs::write(&of_2017, program).unwrap();

    // What is fetched is for the macro as it is.
    let fake = Deployment::start_blocking().unwrap();
    let fetched = trybuild_crate().join("fetched");
    Fetch::new(&fake.anonymous().unwrap()).write_to_blocking(&fetched).unwrap();

    let cases = trybuild::TestCases::new();
    cases.pass(&every_endpoint);
    cases.pass(&current);
    cases.pass(&of_2017);
    cases.pass(here.join("compile/pass/*.rs"));
    cases.compile_fail(here.join("compile/fail/*.rs"));
}

/// A schema of a record that contains another, which contains another, and so on.
fn records_in_records(depth: usize) -> Value {
    let record = |n: usize| {
        let next = json!({"$ref": format!("#/definitions/record{n}")});
        json!({"type": "object", "properties": {"next": next}})
    };
    let mut whole = record(1);
    for n in 1..depth {
        whole["definitions"][format!("record{n}")] = record(n + 1);
    }
    whole["definitions"][format!("record{depth}")] = json!({"type": "string"});
    whole
}

/// The compiler's list of what this test was built from, in which `tests/values/urls_and_keys.rs` has an item of 2017.
#[test]
fn the_compiler_watches_every_file_that_is_read() {
    let list = fs::read_to_string(std::env::current_exe().unwrap().with_extension("d")).unwrap();
    for file in ["queue.json", "schemas/queue/v1/list-task-group-response.json"] {
        assert!(list.contains(&format!("references/2017/{file}")), "{file}");
    }
}

/// A program that calls each endpoint of the current reference files by its typed method, with every query option, and
/// holds the URL against the one that the reference describes.
fn every_endpoint_called(references: &Path) -> String {
    let mut program = "#![allow(deprecated)]\nuse taskcluster::*;\n\n\
        fn typed<T: serde::de::DeserializeOwned>(json: &str) -> T {\n    \
        serde_json::from_str(json).unwrap()\n}\n\nfn main() {\n    \
        let client = Client::builder(\"https://tc.example.com\").validate(false).build().unwrap();\n    \
        let mut count = 0;\n"
        .to_owned();
    for entries in all_entries(references).iter().filter(|entries| !entries.of_exchanges) {
        let Entries { service, module, .. } = entries;
        writeln!(program, "\n    let service = {module}::new(&client);").unwrap();
        for entry in &entries.all {
            let mut url =
                format!("https://tc.example.com/api/{service}/v1{}", text(&entry["route"]));
            let mut arguments = arguments(entry);
            for (i, arg) in entry["args"].as_array().unwrap().iter().enumerate() {
                let value = value(text(arg), i).replace('/', "%2F");
                url = url.replace(&format!("<{}>", text(arg)), value.trim_matches('"'));
            }
            if let Some(input) = entry.get("input") {
                let sample = samples::of(&entries.schema(input), Extent::Least).remove(0).document;
                arguments.push(format!("&typed({:?})", sample.to_string()));
            }
            // The one payload that is free form.
            let arguments = arguments.join(", ").replace(
                "&typed(",
                match text(&entry["name"]) {
                    "triggerHook" | "triggerHookWithToken" => "typed::<Value>(",
                    _ => "&typed(",
                },
            );
            let mut call = format!("service.{}({arguments})", snake(text(&entry["name"])));
            for (i, option) in entry["query"].as_array().unwrap().iter().enumerate() {
                let option = text(option);
                let value = match option {
                    "quarantined" | "includeArchived" => "true".to_owned(),
                    _ => i.to_string(),
                };
                write!(call, ".{}({value})", snake(option)).unwrap();
                write!(url, "{}{option}={value}", if i == 0 { '?' } else { '&' }).unwrap();
            }
            writeln!(program, "    assert_eq!({call}.url().unwrap().as_str(), {url:?});").unwrap();
            program.push_str("    count += 1;\n");
        }
    }
    program + &format!("\n    assert_eq!(count, {});\n}}\n", count_in_files("api"))
}

/// A program that reads and writes documents made from the schemas of every payload, answer and message of a generation,
/// each as the type that the entry has for it.
fn every_schema_round_trips(references: &Path, prefix: &str) -> String {
    let mut program = format!(
        "#![allow(deprecated)]\nuse taskcluster::{prefix}*;\n\
         include!({:?});\n\nfn main() {{\n    let client = client();\n",
        Path::new(env!("CARGO_MANIFEST_DIR")).join("compile/round_trips.rs")
    );
    let mut bodies = String::new();
    for (n, entries) in all_entries(references).iter().enumerate() {
        let module = &entries.module;
        writeln!(program, "    service_{n}(&client);").unwrap();
        write!(bodies, "\nfn service_{n}(client: &taskcluster::Client) {{\n").unwrap();
        if !entries.of_exchanges {
            writeln!(bodies, "    let service = {module}::new(client);\n    let _ = &service;")
                .unwrap();
        }
        bodies.push_str("    let _ = client;\n");
        for entry in &entries.all {
            let name = snake(text(&entry["name"]));
            if entries.of_exchanges {
                let call = format!("message({module}::{name}(), ");
                round_trip(&mut bodies, &call, &entries.schema(&entry["schema"]));
                continue;
            }
            let mut arguments = arguments(entry);
            if let Some(input) = entry.get("input") {
                let schema = entries.schema(input);
                arguments.push("payload".to_owned());
                let free = FREE_FORM.contains(&name.as_str());
                if !free {
                    let call = format!("service.{name}({})", arguments.join(", "));
                    let check = format!("{{ drop({call}); payload.validate() }}");
                    let program = &mut bodies;
                    for_samples(&schema, |Sample { document, again }| {
                        let fits = samples::fits(&schema, &document);
                        let (document, again) = (document.to_string(), again.to_string());
                        writeln!(
                            program,
                            "    payload(|payload| {check}, {document:?}, {again:?}, {fits});"
                        )
                        .unwrap();
                    });
                }
                arguments.pop();
                arguments.push(if free { "FreeForm::default()" } else { "&typed()" }.to_owned());
            }
            if let Some(output) = entry.get("output") {
                let typed = format!("service.{name}({})", arguments.join(", "));
                // Only the type matters; nothing is called.
                let call = format!("answer(|| into_call({typed}), ");
                round_trip(&mut bodies, &call, &entries.schema(output));
            }
        }
        bodies.push_str("}\n");
    }
    program + "}\n" + &bodies
}

/// Endpoints whose payload is free form.
const FREE_FORM: &[&str] = &["trigger_hook", "trigger_hook_with_token"];

fn round_trip(program: &mut String, call: &str, schema: &Path) {
    for_samples(schema, |Sample { document, again }| {
        let (document, again) = (document.to_string(), again.to_string());
        writeln!(program, "    {call}{document:?}, {again:?});").unwrap();
    });
}

fn for_samples(schema: &Path, each: impl FnMut(Sample)) {
    let extents = [Extent::Least, Extent::Most, Extent::Fitting, Extent::Newer];
    extents.into_iter().flat_map(|extent| samples::of(schema, extent)).for_each(each);
}

/// One reference file.
struct Entries {
    service: String,
    /// The struct.
    module: String,
    of_exchanges: bool,
    all: Vec<Value>,
    /// Where its schemas lie.
    schemas: PathBuf,
}

impl Entries {
    fn schema(&self, name: &Value) -> PathBuf {
        let name = text(name).trim_end_matches('#');
        match name.split_once("schemas.taskcluster.net/") {
            Some((_, path)) => self.schemas.parent().unwrap().join(path),
            None => self.schemas.join(name),
        }
    }
}

fn all_entries(references: &Path) -> Vec<Entries> {
    let mut files = Vec::new();
    for entry in fs::read_dir(references).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some() {
            files.push(path);
        } else {
            files.extend(["v1/api.json", "v1/exchanges.json"].map(|file| path.join(file)));
        }
    }
    files.sort();
    let texts = files.iter().filter_map(|file| Some((file, fs::read_to_string(file).ok()?)));
    let references_found = texts.filter_map(|(file, text)| {
        let reference: Value = serde_json::from_str(&text).unwrap();
        // Some other file.
        reference.get("entries")?;
        let of_exchanges = reference.get("exchangePrefix").is_some();
        // The references of 2017 do not name their services; their files do.
        let service = match reference.get("serviceName") {
            Some(name) => name.as_str().unwrap().to_owned(),
            None => file.file_stem()?.to_str()?.trim_end_matches("-events").to_owned(),
        };
        let pascal: String =
            service.split('-').map(|word| word[..1].to_uppercase() + &word[1..]).collect();
        Some(Entries {
            module: pascal + if of_exchanges { "Events" } else { "" },
            of_exchanges,
            all: reference["entries"].as_array().unwrap().clone(),
            schemas: references.join("schemas").join(&service),
            service,
        })
    });
    references_found.collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// An argument for each parameter, with a slash in each that is neither a slug id nor an integer.
fn arguments(entry: &Value) -> Vec<String> {
    let args = entry["args"].as_array().unwrap().iter().enumerate();
    args.map(|(i, arg)| value(text(arg), i)).collect()
}

/// The Rust of a value for an argument.
fn value(arg: &str, i: usize) -> String {
    match arg {
        "taskId" | "taskGroupId" => format!("{TASK_ID:?}"),
        "runId" => i.to_string(),
        _ => format!("\"{i}/\""),
    }
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
