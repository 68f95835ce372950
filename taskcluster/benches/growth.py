"""Shows that the macro's time grows as references do: the CPU seconds that rustc takes to expand references of 10, 100 and 1,000
endpoints with schemas of their own, and to check the whole crate.

Needs no nightly compiler: RUSTC_BOOTSTRAP makes rustc stop after expanding, for these crates alone. The macro is built as cargo
builds it in debug, without optimization.
"""

import json
import os
import pathlib
import resource
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
WORK = ROOT / "target" / "growth"
SIZES = [10, 100, 1000]
MANIFEST = """
[package]
name = "growth"
version = "0.0.0"
edition = "2024"

[workspace]

[lib]
path = "lib.rs"

[dependencies]
taskcluster = {{ path = "{root}/taskcluster", default-features = false }}
"""


def schema(n):
    """A resource with what schemas have: texts with rules, dates, choices, lists, a union and a tree."""
    branch = {kind: {"type": "object", "properties": {"kind": {"type": "string", "enum": [kind]}, kind: {"type": "string"}},
                     "required": ["kind"]} for kind in ("file", "link")}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": f"/schemas/growth/v1/resource-{n}.json#",
        "type": "object",
        "properties": {
            "id": {"type": "string", "pattern": "^[a-z]+$", "maxLength": 40, "description": "What it is called."},
            "created": {"type": "string", "format": "date-time"},
            "state": {"type": "string", "enum": ["pending", "running", f"state-{n}"]},
            "steps": {"type": "array", "items": {"type": "object", "properties": {"command": {"type": "string"}}}},
            "content": {"oneOf": list(branch.values())},
            "tree": {"$ref": "#/definitions/tree"},
            "extra": {"type": "object"},
        },
        "required": ["id", "created"],
        "definitions": {"tree": {"type": "object", "properties": {"next": {"$ref": "#/definitions/tree"}}}},
    }


def write(size):
    """A crate with a reference of this many endpoints, two for each resource."""
    folder = WORK / f"growth-{size}"
    schemas = folder / "api" / "schemas" / "growth" / "v1"
    schemas.mkdir(parents=True, exist_ok=True)
    entries = []
    for n in range(size // 2):
        (schemas / f"resource-{n}.json").write_text(json.dumps(schema(n), indent=2))
        name, route = f"v1/resource-{n}.json#", f"/resource-{n}/<id>"
        entry = {"type": "function", "route": route, "args": ["id"], "title": f"Resource {n}", "category": f"Category {n % 7}"}
        entries.append({**entry, "name": f"get{n}", "method": "get", "output": name, "query": ["limit"]})
        entries.append({**entry, "name": f"put{n}", "method": "put", "input": name, "scopes": f"put:{n}:<id>"})
    reference = {"serviceName": "growth", "apiVersion": "v1", "title": "Growth", "entries": entries}
    (folder / "api" / "api.json").write_text(json.dumps(reference, indent=2))
    shutil.copy(ROOT / "Cargo.lock", folder / "Cargo.lock")
    (folder / "Cargo.toml").write_text(MANIFEST.format(root=ROOT))
    (folder / "lib.rs").write_text('taskcluster::taskcluster_api! { pub struct Growth = "api/api.json"; }\n')
    return folder


def rustc(folder):
    """The command by which cargo checks the crate, and its environment; the dependencies are built."""
    target = os.environ.get("CARGO_TARGET_DIR", str(WORK / "target"))
    environment = dict(os.environ, CARGO_TARGET_DIR=target, CARGO_INCREMENTAL="0")

    def cargo(*arguments):
        return subprocess.run(["cargo", *arguments], cwd=folder, env=environment, check=True, capture_output=True, text=True).stderr

    cargo("clean", "-p", "growth")
    line = next(line for line in cargo("check", "-v").splitlines() if "--crate-name growth " in line)
    command = line[line.index("`") + 1:line.rindex("`")]
    return command, dict(environment, RUSTC_BOOTSTRAP="1", CARGO_MANIFEST_DIR=str(folder))


def seconds(folder):
    """The CPU seconds of expanding all macros, and of the whole check: the best of three."""
    command, environment = rustc(folder)

    def run(flags):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(f"{command} {flags}", shell=True, cwd=folder, env=environment, check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    return tuple(min(run(flags) for _ in range(3)) for flags in ("-Zno-analysis", ""))


if __name__ == "__main__":
    for size in [int(size) for size in sys.argv[1:]] or SIZES:
        expand, total = seconds(write(size))
        print(f"{size:5} endpoints: {expand:.2f} s in the macro ({1000 * expand / size:.1f} ms each), {total:.2f} s to check")
