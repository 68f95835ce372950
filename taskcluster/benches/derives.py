#!/usr/bin/env python3
"""Compares the generated payload types with plain serde derives of the same types.

    python3 taskcluster/benches/derives.py [build] [decode]      # both unless one is named

It expands the crate, writes the same structs and enums with derives into a crate under target/derives, with a function
that reads and writes each of them, and measures that crate beside one that has them from `taskcluster_api!`: CPU time to
build in debug and release, for all services and for the queue alone, and time and heap to decode a page of 1,000 tasks, also beside a `serde_json::Value`.
The macro makes methods and facts, too. What it costs without any type is measured in a third crate, from the same
references with empty schemas, and taken away.
"""

import os
import re
import resource
import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True
import answers  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
WORK = ROOT / "target" / "derives"
SERVICES = [
    "auth", "github", "hooks", "index", "notify", "object", "purge-cache", "queue", "secrets", "web-server",
    "worker-manager",
]
MANIFEST = """[package]
name = "{name}"
version = "0.0.0"
edition = "2024"

[workspace]

[lib]
path = "lib.rs"

[[bin]]
name = "{name}"
path = "main.rs"

[dependencies]
serde = {{ version = "1", features = ["derive"] }}
serde_json = {{ version = "1", features = ["raw_value"] }}
chrono = {{ version = "0.4", default-features = false, features = ["serde", "std"] }}
taskcluster = {{ path = "{root}/taskcluster", default-features = false }}

[profile.release]
debug = false
"""
HEADER = """
#![allow(warnings)]

/// JSON as it came, which can be compared.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct FreeForm(pub Box<serde_json::value::RawValue>);
impl PartialEq for FreeForm {
    fn eq(&self, other: &Self) -> bool { self.0.get() == other.0.get() }
}
"""
MAIN = """
// Decodes a page again and again: `{name} PAGE TIMES [value]`; a single time also tells the peak of the heap in bytes.
use std::alloc::{{GlobalAlloc, Layout, System}};
use std::sync::atomic::{{AtomicBool, AtomicUsize, Ordering::Relaxed}};

struct Counting;
static ON: AtomicBool = AtomicBool::new(false);
static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

unsafe impl GlobalAlloc for Counting {{
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {{
        if ON.load(Relaxed) {{
            let now = NOW.fetch_add(layout.size(), Relaxed) + layout.size();
            PEAK.fetch_max(now, Relaxed);
        }}
        unsafe {{ System.alloc(layout) }}
    }}
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {{
        if ON.load(Relaxed) {{
            NOW.fetch_sub(layout.size(), Relaxed);
        }}
        unsafe {{ System.dealloc(at, layout) }}
    }}
}}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() {{
    let mut args = std::env::args().skip(1);
    let page = std::fs::read_to_string(args.next().unwrap()).unwrap();
    let times: usize = args.next().unwrap().parse().unwrap();
    let as_value = args.next().is_some();
    ON.store(times == 1, Relaxed);
    for _ in 0..times {{
        if as_value {{
            std::hint::black_box(serde_json::from_str::<serde_json::Value>(&page).unwrap());
        }} else {{
            std::hint::black_box(serde_json::from_str::<{name}::queue::ListTaskGroupResponse>(&page).unwrap());
        }}
    }}
    println!("{{}}", PEAK.load(Relaxed));
}}
"""


def balanced(text, start):
    """The end of what is opened at `start`."""
    depth, quoted, at = 0, False, start
    while True:
        char = text[at]
        if quoted:
            at += char == "\\"
            quoted = char != '"'
        elif char == '"':
            quoted = True
        elif char in "{[(":
            depth += 1
        elif char in "}])":
            depth -= 1
            if depth == 0:
                return at + 1
        at += 1


def modules():
    """The types of each module: name -> the source of its items."""
    command = ["cargo", "rustc", "-q", "-p", "taskcluster", "--lib", "--", "-Zunpretty=expanded"]
    environment = dict(os.environ, RUSTC_BOOTSTRAP="1")
    source = subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout
    found = {}
    for match in re.finditer(r"pub mod (\w+) \{", source):
        body = source[match.end():balanced(source, match.end() - 1)]
        if "pub(super) use ::taskcluster as __runtime" in body:
            found[match.group(1)] = body
    return found


def split(text):
    """The parts between the outermost commas."""
    parts, depth, last = [], 0, 0
    for at, char in enumerate(text):
        depth += char in "<([{"
        depth -= char in ">)]}"
        if char == "," and depth == 0:
            parts.append(text[last:at])
            last = at + 1
    return [part.strip() for part in parts + [text[last:]] if part.strip()]


def plain(kind):
    kind = kind.replace("__p::FreeForm", "crate::FreeForm").replace("__p::DateTime", "chrono::DateTime")
    kind = kind.replace("__p::Number", "serde_json::Number").replace("__p::Utc", "chrono::Utc").replace("__p::BTreeMap", "std::collections::BTreeMap")
    return kind.replace("__p::Value", "serde_json::Value").replace("__p::", "")


def without_docs(text):
    text = re.sub(r"///[^\n]*", "", text)
    while (start := text.find("#[doc")) >= 0:
        text = text[:start] + text[balanced(text, start + 1):]
    return text


def derive(body):
    """The types of a module with derives, and their names."""
    out, names = [], []
    derives = "#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]\n"
    for match in re.finditer(r"impl __p::Record for (\w+) \{", body):
        name = match.group(1)
        shape = body[match.end():balanced(body, match.end() - 1)]
        keys = dict(reversed(pair) for pair in re.findall(
            r'__p::(?:required|optional|nullable)\(\s*"([^"]+)",\s*"([^"]+)"', shape))
        start = re.search(rf"pub struct {name} \{{", body).end()
        fields = split(without_docs(body[start:balanced(body, start - 1) - 1]))
        lines = []
        for field in fields:
            rust, kind = field.removeprefix("pub ").split(":", 1)
            key = keys.get(rust)
            if key is None:
                lines.append("#[serde(flatten)]")
            elif kind.strip().startswith("__p::Option"):
                lines.append(f'#[serde(rename = "{key}", default, skip_serializing_if = "Option::is_none")]')
            else:
                lines.append(f'#[serde(rename = "{key}")]')
            lines.append(f"pub {rust}: {plain(kind.strip())},")
        out.append(derives + f"pub struct {name} {{\n" + "\n".join(lines) + "\n}\n")
        names.append(name)
    for match in re.finditer(r"pub enum (\w+) \{", body):
        name = match.group(1)
        variants = split(without_docs(body[match.end():balanced(body, match.end() - 1) - 1]))
        if "Unknown(__p::String)" in variants:
            texts = dict(re.findall(rf'Self::(\w+) =>\s*"([^"]*)"', body[match.end():]))
            lines = [f'#[serde(rename = "{texts[variant]}")] {variant},' for variant in variants[:-1]]
            out.append(derives.replace("PartialEq", "PartialEq, Eq, Hash") + f"pub enum {name} {{\n" + "\n".join(lines)
                       + "\n#[serde(untagged)] Unknown(String),\n}\n")
        else:
            shape = body[re.search(rf"impl __p::Union for {name} \{{", body).end():]
            tag = re.search(r'tag: __p::Tag::(?:Text\("(\w+)"\)|None)', shape).group(1)
            tags = re.findall(r"tags: &\[([^\]]*)\]", shape)
            lines = []
            for variant, texts in zip(variants[:-1], tags):
                texts = re.findall(r'"([^"]+)"', texts)
                rename = f'#[serde(rename = "{texts[0]}")] ' if tag and texts else ""
                lines.append(f"{rename}{plain(variant)},")
            lines.append("#[serde(untagged)] " if tag else "")
            lines.append("Unknown(serde_json::Value),")
            kind = f'tag = "{tag}"' if tag else "untagged"
            out.append(derives + f"#[serde({kind})]\npub enum {name} {{\n" + "\n".join(lines) + "\n}\n")
        names.append(name)
    return "".join(out), names


def everything(names):
    """A function that reads and writes every type, so that all of their code is made, and nothing beside it."""
    arms = "".join(f'        "{name}" => again::<{name}>(from, to),\n' for name in names)
    return f"""
fn again<'a, T>(from: &mut Reader<'a>, to: &mut Writer<'a>) -> serde_json::Result<()>
where
    T: serde::Serialize + serde::de::DeserializeOwned,
{{
    T::deserialize(from)?.serialize(to)
}}

type Reader<'a> = serde_json::Deserializer<serde_json::de::StrRead<'a>>;
type Writer<'a> = serde_json::Serializer<&'a mut Vec<u8>>;

pub fn read_and_write<'a>(name: &str, from: &mut Reader<'a>, to: &mut Writer<'a>) -> serde_json::Result<()> {{
    match name {{
{arms}        _ => Ok(()),
    }}
}}
"""


def without_schemas(source):
    """The same references from a folder where each schema leaves everything open."""
    current = ROOT / "references" / "current"
    for path in current.rglob("*.json"):
        copy = WORK / "references" / path.relative_to(current)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text("{}" if "schemas" in path.relative_to(current).parts else path.read_text())
    return source.replace(str(current), str(WORK / "references"))


def write(services):
    """Both crates, for these services."""
    wanted = [name + part for name in (s.replace("-", "_") for s in services) for part in ("", "_events")]
    found = {name: derive(body) for name, body in modules().items() if name in wanted}
    paths = [f"{module}::{name}" for module, (_, names) in found.items() for name in names]
    text = HEADER + "".join(f"pub mod {module} {{\n{source}}}\n" for module, (source, _) in found.items())
    invocations = ""
    for service in services:
        items = ""
        pascal = "".join(word.title() for word in service.split("-"))
        for kind, suffix in (("api", ""), ("exchanges", "Events")):
            path = ROOT / "references" / "current" / service / "v1" / f"{kind}.json"
            if path.exists():
                items += f'    pub struct {pascal}{suffix} = "{path}";\n'
        invocations += f"taskcluster::taskcluster_api! {{\n{items}}}\n"
    ours = "#![allow(warnings)]\n" + invocations
    entries = without_schemas(ours)
    for name, source in (("derives", text), ("ours", ours), ("entries", entries)):
        folder = WORK / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "Cargo.toml").write_text(MANIFEST.format(name=name, root=ROOT))
        of_types = name != "entries"
        (folder / "lib.rs").write_text(source + (everything(paths) if of_types else ""))
        main = MAIN.format(name=name) if "queue" in services and of_types else "fn main() {}\n"
        (folder / "main.rs").write_text(main)
    return len(paths)


def cargo(name, *arguments):
    """Runs cargo on a crate, for its CPU seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = dict(os.environ, CARGO_TARGET_DIR=str(WORK / "target"), CARGO_INCREMENTAL="0")
    subprocess.run(["cargo", *arguments], cwd=WORK / name, env=environment, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def build_seconds(name, profile):
    """The CPU seconds of the crate alone: its dependencies are built before."""
    cargo(name, "build", "-q", "--lib", *profile)
    times = []
    for _ in range(3):
        os.utime(WORK / name / "lib.rs")
        times.append(cargo(name, "build", "-q", "--lib", *profile))
    return min(times)


def compare_builds():
    whole = {}
    for what, services in (("all services", SERVICES), ("queue", ["queue"])):
        count = write(services)
        for profile, flags in (("debug", []), ("release", ["--release"])):
            seconds = {name: build_seconds(name, flags) for name in ("ours", "entries", "derives")}
            ours, theirs = seconds["ours"] - seconds["entries"], seconds["derives"]
            whole.setdefault(profile, theirs)
            print(f"build {what}, {count} types, {profile}: {seconds['ours']:.2f} s, {seconds['entries']:.2f} s of it "
                  f"without types, derives {theirs:.2f} s: {ours / theirs:.2f}; of derives of all services "
                  f"{ours / whole[profile]:.2f}")


def compare_decoding():
    write(["queue"])
    answers.write(WORK)
    path = WORK / "page.json"
    binaries = {name: WORK / "target" / "release" / name for name in ("ours", "derives")}
    for name in binaries:
        cargo(name, "build", "-q", "--release", "--bin", name)
    print(f"page: {path.stat().st_size / 1e6:.2f} MB")

    commands = {name: ([binary, path], []) for name, binary in binaries.items()}
    commands["value"] = ([binaries["derives"], path], ["value"])

    def seconds(name, times):
        (command, mode), before = commands[name], resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([*command, str(times), *mode], check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime - before.ru_utime

    def heap(name):
        command, mode = commands[name]
        return int(subprocess.run([*command, "1", *mode], check=True, stdout=subprocess.PIPE).stdout)

    best = {name: 1e9 for name in commands}
    for _ in range(7):
        for name in commands:
            best[name] = min(best[name], seconds(name, 100) / 100)
    for name in ("derives", "value"):
        print(f"decode: {best['ours'] * 1e3:.2f} ms, {name} {best[name] * 1e3:.2f} ms: "
              f"{best['ours'] / best[name]:.2f}; heap {heap('ours') / 1e6:.2f} MB, {name} {heap(name) / 1e6:.2f} MB: "
              f"{heap('ours') / heap(name):.2f}")


if __name__ == "__main__":
    wanted = sys.argv[1:] or ["build", "decode"]
    if "build" in wanted:
        compare_builds()
    if "decode" in wanted:
        compare_decoding()
