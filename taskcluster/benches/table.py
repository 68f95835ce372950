#!/usr/bin/env python3
"""Prints what calls and builds cost, beside the official crate and beside nothing but reqwest and serde's derives (the floor).

    python3 taskcluster/benches/table.py                        # everything: 20 minutes to hours, most of it builds
    python3 taskcluster/benches/table.py --only calls,load      # some of it

| part     | what it measures |
| -------- | --- |
| calls    | instructions and allocations of a call, under valgrind |
| load     | CPU of 5,000 calls with 64 in flight |
| page     | reading a page of 1,000 tasks |
| hawk     | signing |
| clients  | making clients of all services, and a first call: some of a client is made when it is used |
| crates   | crates to build |
| debug    | clean build |
| check    | clean check |
| release  | clean release build, and the stripped binary |
| edit     | building again after a change of one line |

It writes the programs in `tests/benches` into projects below `target/table`, builds and runs them by turns, and takes the CPU
time that the kernel counts for them, the best of several rounds (`--rounds`). CPU time depends on what else the machine does:
compare figures of one run. Instructions are exact to half a percent.
"""

import argparse
import os
import re
import resource
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
import derives  # noqa: E402
from instructions import ENVIRONMENT, PROGRAMS, ROOT, per_call, serving  # noqa: E402

WORK = ROOT / "target" / "table"
BUILDS = ROOT / "tests" / "benches" / "builds"
OFFICIAL_LOCK = BUILDS / "official.lock"

TOKIO = 'tokio = { version = "1.45", features = ["macros", "rt-multi-thread"] }\n'
SERDE = 'serde = { version = "1.0.219", features = ["derive"] }\nserde_json = "1.0.140"\n'
HTTP = """\
reqwest = { version = "0.13.4", default-features = false, features = ["http2", "rustls-no-provider"] }
rustls = { version = "0.23.30", default-features = false, features = ["ring", "std", "tls12"] }
"""
# What each program depends on, as a user would write it.
DEPENDENCIES = {
    "ours": f'taskcluster = {{ path = "{ROOT}/taskcluster" }}\n',
    "queue": f'taskcluster = {{ path = "{ROOT}/taskcluster", default-features = false, features = ["queue", "rustls"] }}\n',
    "official": 'taskcluster = "=114.0.0"\n',
    "floor": HTTP + SERDE,
}
# And to measure more than its build.
MORE = {
    "ours": SERDE + 'futures = { version = "0.3.31", default-features = false, features = ["std"] }\n',
    "official": 'hawk = "=5.0.1"\nserde_json = "1.0.140"\n',
    "floor": """\
bytes = "1.10"
chrono = { version = "0.4.41", default-features = false, features = ["serde", "std"] }
hmac = { version = "0.13", default-features = false }
http-body-util = "0.1.2"
hyper = { version = "1.6", default-features = false, features = ["client", "http1"] }
hyper-util = { version = "0.1.16", default-features = false, features = ["client-legacy", "http1", "tokio"] }
sha2 = { version = "0.11", default-features = false }
""",
    "server": """\
bytes = "1.10"
http-body-util = "0.1.2"
hyper = { version = "1.6", default-features = false, features = ["http1", "http2", "server"] }
hyper-util = { version = "0.1.16", default-features = false, features = ["tokio"] }
rustls = { version = "0.23.30", default-features = false, features = ["ring", "std", "tls12"] }
tokio-rustls = { version = "0.26", default-features = false, features = ["tls12"] }
""",
}


def project(name, dependencies, main):
    """Writes a project with one program, and returns its folder. Ours and the floor use the versions that the workspace uses."""
    folder = WORK / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "Cargo.toml").write_text(
        f'[package]\nname = "{name}"\nversion = "0.0.0"\nedition = "2024"\n\n[workspace]\n\n'
        f'[[bin]]\nname = "{name}"\npath = "{main}"\n\n[dependencies]\n{dependencies}\n[profile.release]\nstrip = false\n')
    lock = OFFICIAL_LOCK if "official" in name else ROOT / "Cargo.lock"
    if lock.exists():
        (folder / "Cargo.lock").write_text(lock.read_text().replace('name = "official"', f'name = "{name}"'))
    return folder


def cargo(folder, *arguments, target):
    """Runs cargo, for its CPU seconds."""
    # Neither a profile nor flags of the user's.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("CARGO_PROFILE", "RUSTFLAGS"))}
    environment["CARGO_TARGET_DIR"] = str(target)
    return cpu(["cargo", *arguments], cwd=folder, env=environment)


def cpu(command, **options):
    """The CPU seconds of a command and its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(list(map(str, command)), check=True, stdout=subprocess.DEVNULL, **options)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def programs(*names):
    """The measured programs, built."""
    target = WORK / "programs"
    for name in (*names, "server"):
        dependencies = DEPENDENCIES.get(name, "") + MORE[name] + TOKIO.replace("[", '["net", ')
        cargo(project(name, dependencies, PROGRAMS / f"{name}.rs"), "build", "-q", "--release", target=target)
    return {name: target / "release" / name for name in (*names, "server")}


def best(commands, times, rounds):
    """The CPU seconds of one time of each command, which takes the number of times as its last argument but one: the best of
    rounds in which all take turns. What a program costs that does nothing is taken away."""
    least = {}
    for _ in range(rounds):
        for key, (program, what, source, in_flight) in commands.items():
            for number in (0, times):
                seconds = cpu([program, what, source, number, in_flight], env=ENVIRONMENT)
                least[key, number] = min(seconds, least.get((key, number), seconds))
    return {key: (least[key, times] - least[key, 0]) / times for key in commands}


class Table:
    """Rows as they come; printed as a table at the end, too."""

    def __init__(self):
        self.rows = []

    def row(self, what, form, ours=None, official=None, floor=None, goal=None):
        """A goal is a limit, and how to write it."""
        shown = [what, *("-" if figure is None else form.format(figure) for figure in (ours, official, floor))]
        reached = "" if goal is None else "yes" if ours <= goal[0] else "no"
        self.rows.append([*shown, goal[1] if goal else "", reached])
        print(" | ".join(self.rows[-1]), flush=True)

    def __str__(self):
        head = ["what", "ours", "official", "floor", "goal", "reached"]
        return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *self.rows))


def of_floor(goal, floor):
    """A goal that holds on any machine."""
    return goal * floor, f"{goal} of the floor"


def calls(table, _rounds):
    made = programs("ours", "official", "floor")
    with serving(made["server"], WORK / "answers") as server:
        count = {(name, what): per_call(made[name], what, server.url) for name, what in (
            ("ours", "signed"), ("ours", "unsigned"), ("ours", "raw"), ("ours", "named"), ("official", "signed"),
            ("floor", "typed"), ("floor", "bytes"), ("floor", "hyper"))}
    total = {key: each.instructions for key, each in count.items()}
    rest = {key: each.instructions - each.hash for key, each in count.items()}
    ours, official, floor = ("ours", "signed"), ("official", "signed"), ("floor", "typed")
    named = ("ours", "named")
    form = "{:,.0f}"
    table.row("instructions: signed POST, answer of 0.9 KiB, typed", form, total[ours], total[official], total[floor],
              of_floor(0.99, total[floor]))
    table.row("the same without SHA-256", form, rest[ours], rest[official], rest[floor])
    table.row("unsigned", form, total["ours", "unsigned"], None, total[floor])
    table.row("raw, signed (floor: unsigned)", form, total["ours", "raw"], None, total["floor", "bytes"])
    table.row("raw without SHA-256", form, rest["ours", "raw"], None, total["floor", "bytes"])
    table.row("by wire name", form, total[named], total[official], None, of_floor(1.16, total[floor]))
    table.row("by wire name without SHA-256", form, rest[named], rest[official])
    table.row("hyper-util alone, bytes", form, None, None, total["floor", "hyper"])
    form = "{:.1f}"
    table.row("allocations: signed POST, typed", form, count[ours].allocations, count[official].allocations,
              count[floor].allocations, of_floor(0.73, count[floor].allocations))
    table.row("by wire name", form, count[named].allocations, count[official].allocations, None, of_floor(1.07, count[floor].allocations))


def load(table, rounds):
    made = programs("ours", "official", "floor")
    with serving(made["server"], WORK / "answers") as server:
        each = best({(name, what): (made[name], what, server.url, 64) for name, what in (
            ("ours", "signed"), ("official", "signed"), ("floor", "typed"), ("ours", "named"), ("ours", "raw"),
            ("floor", "bytes"), ("floor", "hyper"))}, 5000, rounds)
    of_official = {key: seconds / each["official", "signed"] for key, seconds in each.items()}
    print(f"official: {each['official', 'signed'] * 5000:.2f} s")
    form = "{:.2f}"
    table.row("CPU: 5,000 signed calls, 64 in flight, of official's", form, of_official["ours", "signed"], 1,
              of_official["floor", "typed"], (0.70, "0.70"))
    table.row("by wire name", form, of_official["ours", "named"], 1, None, (0.80, "0.80"))
    table.row("raw, signed (floor: unsigned)", form, of_official["ours", "raw"], None, of_official["floor", "bytes"])
    table.row("hyper-util alone, bytes", form, None, None, of_official["floor", "hyper"])


def page(table, rounds):
    made = programs("ours", "official", "floor")
    derives.write(["queue"])
    derives.cargo("derives", "build", "-q", "--release", "--bin", "derives")
    derived = derives.WORK / "target" / "release" / "derives"
    with serving(made["server"], WORK / "answers") as server:
        file = WORK / "answers" / "page.json"
        whole = [("ours", what) for what in ("page", "page-own", "page-items", "page-pages", "page-named", "page-raw")]
        whole += [("official", "page"), ("floor", "page-own"), ("floor", "page-bytes")]
        commands = {key: (made[key[0]], key[1], server.url, 1) for key in whole}
        commands |= {key: (made[key[0]], key[1], file, 1)
                     for key in (("ours", "decode"), ("official", "decode"), ("floor", "decode-own"))}
        times = best(commands, 50, rounds)
        count = {key: per_call(made[key[0]], key[1], server.url, 4).instructions for key in whole}
    # Its arguments are in another order.
    times["derives"] = min(cpu([derived, file, 100]) for _ in range(rounds)) / 100
    form = "{:.2f} ms"
    milliseconds = {key: 1e3 * seconds for key, seconds in times.items()}
    table.row("page of 1,000 tasks: decode (official: `Value`; floor: derives)", form, milliseconds["ours", "decode"],
              milliseconds["official", "decode"], milliseconds["derives"], of_floor(0.51, milliseconds["derives"]))
    for figures, form in ((milliseconds, "{:.2f} ms"), (count, "{:.4g} instructions")):
        def less(key, raw, figures=figures):
            return figures[key] - figures[raw]

        raw, floor = ("ours", "page-raw"), less(("floor", "page-own"), ("floor", "page-bytes"))
        table.row("whole call less a raw one: typed", form, less(("ours", "page"), raw))
        table.row("small type of the program's own", form, less(("ours", "page-own"), raw), None, floor, of_floor(1.08, floor))
        table.row("`items_as` of such a type", form, less(("ours", "page-items"), raw), None, floor)
        table.row("`pages()`, typed", form, less(("ours", "page-pages"), raw))
        table.row("by wire name", form, less(("ours", "page-named"), raw), less(("official", "page"), raw))


def hawk(table, rounds):
    made = programs("ours", "official", "floor")
    commands = {(name, what): (made[name], what, "https://tc.example.com", 1) for name, what in (
        ("ours", "header"), ("official", "header"), ("floor", "mac"), ("ours", "hash"), ("official", "hash"),
        ("floor", "hash"), ("ours", "bewit"), ("official", "bewit"))}
    nanoseconds = {key: 1e9 * seconds for key, seconds in best(commands, 300_000, rounds).items()}
    form = "{:.0f} ns"
    for name, what, least, goal in (("Hawk: header (floor: its MAC)", "header", "mac", 1.51), ("hash of 1 KiB", "hash", "hash", 1.43),
                                    ("bewit (floor: its MAC)", "bewit", "mac", 2.07)):
        floor = nanoseconds["floor", least]
        table.row(name, form, nanoseconds["ours", what], nanoseconds["official", what], floor, of_floor(goal, floor))


def clients(table, rounds):
    made = programs("ours", "official", "floor")
    # Each in a process of its own: what one loads, the next would have.
    with serving(made["server"], WORK / "answers") as server:
        commands = {name: (made[name], "clients", server.url, 1) for name in ("ours", "official", "floor")}
        milliseconds = {key: 1e3 * seconds for key, seconds in best(commands, 1, 5 * rounds).items()}
    table.row("clients of eleven services, and a first call by http (floor: one client)", "{:.2f} ms", milliseconds["ours"],
              milliseconds["official"], milliseconds["floor"], (1.0, "1.0 ms"))


def build_project(name, which=""):
    """A project that is only built."""
    main = BUILDS / f"{'ours' if name == 'queue' else name}{which}.rs"
    return project(f"build-{name}{which.replace('_', '-')}", DEPENDENCIES[name] + TOKIO, main)


CONTESTANTS = ("ours", "queue", "official", "floor")


def crates(table, _rounds):
    number = {}
    for name in CONTESTANTS:
        command = ["cargo", "tree", "--prefix=none", "--no-dedupe", "--edges=normal,build", "--format={p}"]
        lines = subprocess.run(command, cwd=build_project(name), check=True, stdout=subprocess.PIPE, text=True).stdout
        # The program itself is none.
        number[name] = len({re.sub(r" \(.*", "", line) for line in lines.splitlines()}) - 1
    table.row("crates", "{}", number["ours"], number["official"], number["floor"], (97, "97"))
    table.row("crates with the queue alone", "{}", number["queue"], None, number["floor"])


def clean(table, what, rounds, goals, *arguments):
    """Builds everything, and takes the CPU seconds."""
    seconds = {}
    for name in CONTESTANTS:
        cargo(build_project(name), "fetch", "-q", target=WORK / "clean")
    for _ in range(rounds):
        for name in CONTESTANTS:
            target = WORK / f"clean-{name}"
            shutil.rmtree(target, ignore_errors=True)
            spent = cargo(build_project(name), *arguments, "-q", target=target)
            seconds[name] = min(spent, seconds.get(name, spent))
            print(f"{what}, {name}: {spent:.1f} s", flush=True)
            if arguments[-1] != "--release":
                shutil.rmtree(target)
    for name, goal, label in (("ours", goals[0], "default features"), ("queue", goals[1], "queue alone")):
        table.row(f"{what}, {label}", "{:.1f} s", seconds[name], seconds["official"], seconds["floor"],
                  of_floor(goal, seconds["floor"]))


def debug(table, rounds):
    clean(table, "clean debug build", rounds, (1.10, 1.05), "build")


def check(table, rounds):
    clean(table, "clean check", rounds, (1.10, 1.10), "check")


def release(table, rounds):
    clean(table, "clean release build", rounds, (1.15, 1.15), "build", "--release")
    size = {}
    for name in CONTESTANTS:
        binary = WORK / f"clean-{name}" / "release" / f"build-{name}"
        subprocess.run(["strip", "-o", WORK / "stripped", binary], check=True)
        size[name] = (WORK / "stripped").stat().st_size / 1e6
        shutil.rmtree(WORK / f"clean-{name}")
    goal = of_floor(1.08, size["floor"])
    table.row("stripped binary", "{:.2f} MB", size["ours"], size["official"], size["floor"], goal)
    table.row("stripped binary, queue alone", "{:.2f} MB", size["queue"], None, size["floor"], goal)


def edit(table, rounds):
    """The program is built in a copy, of which the last line changes."""
    folders, seconds = {}, {}
    for name in ("ours", "official", "floor"):
        folders[name] = build_project(name, "_all")
        main = folders[name] / "main.rs"
        manifest = folders[name] / "Cargo.toml"
        manifest.write_text(manifest.read_text().replace(str(BUILDS / f"{name}_all.rs"), "main.rs"))
        main.write_text((BUILDS / f"{name}_all.rs").read_text())
        cargo(folders[name], "build", "-q", target=WORK / "edit")
    for number in range(1, 2 * rounds + 1):
        for name, folder in folders.items():
            main = folder / "main.rs"
            main.write_text(main.read_text().replace(f"change {number - 1}", f"change {number}"))
            spent = cargo(folder, "build", "-q", target=WORK / "edit")
            seconds[name] = min(spent, seconds.get(name, spent))
    table.row("build after a change of one line, eleven services", "{:.2f} s", seconds["ours"], seconds["official"],
              seconds["floor"], (1.0, "1.0 s"))


PARTS = [calls, load, page, hawk, clients, crates, debug, check, release, edit]

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = ",".join(part.__name__ for part in PARTS)
    parser.add_argument("--only", default=names, help=f"some of {names}")
    parser.add_argument("--rounds", type=int, help="how often CPU time is taken: 5 unless given, of clean builds 1")
    options = parser.parse_args()
    table = Table()
    for part in PARTS:
        if part.__name__ in options.only.split(","):
            part(table, options.rounds or (1 if part in (debug, check, release) else 5))
    print(f"\n{table}")
