#!/usr/bin/env python3
"""Counts the instructions of a call, and fails when they grow.

    python3 taskcluster/benches/instructions.py             # compares with instructions.json, as `.ci/run` does
    python3 taskcluster/benches/instructions.py --update    # writes instructions.json

valgrind counts the instructions of the client alone: the server (`tests/benches/programs/server.rs`) is a process of its own.
A call's instructions are the difference between N and 2N calls, so that start-up does not count. They depend a little on
the processor, the C library and the compiler. So does the same call made with bare reqwest and serde's derives, which is
counted beside it: what must not grow is the quotient of the two, and the number of allocations.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import namedtuple
from pathlib import Path

sys.dont_write_bytecode = True
import answers  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ROOT / "tests" / "benches" / "programs"
CERTIFICATES = ROOT / "tests" / "vectors"
CHECKED_IN = Path(__file__).with_suffix(".json")
TOLERANCE = 1.03
CALLS = 300

Count = namedtuple("Count", "instructions hash allocations")
# A proxy or another allocator would be measured, too.
ENVIRONMENT = {
    name: value for name, value in os.environ.items()
    if not name.lower().endswith("_proxy") and not name.startswith(("TASKCLUSTER_", "DEBUG_TASKCLUSTER", "MALLOC_", "LD_PRELOAD"))
}


class serving:
    """Runs the server: `with serving(...) as server`."""

    def __init__(self, program, folder, tls=False):
        answers.write(folder)
        certificate = [CERTIFICATES / "localhost.pem"] * 2 if tls else []
        command = [program, folder, *certificate]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        port = int(self.process.stdout.readline())
        self.url = f"https://localhost:{port}" if tls else f"http://127.0.0.1:{port}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.connections = int(self.process.stdout.readline())
        self.process.wait()


def callgrind(command):
    """Instructions, those of them in SHA-256, and allocations of a program."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        valgrind = ["valgrind", "-q", "--tool=callgrind", f"--callgrind-out-file={out}"]
        subprocess.run([*valgrind, *map(str, command)], env=ENVIRONMENT, check=True, stdout=subprocess.DEVNULL)
        return read_profile(out)


def read_profile(path):
    """What callgrind wrote: functions, each with lines of `<place> <instructions>`, and the calls that they make, of which the
    next line has the instructions of the function that is called."""
    names = {}

    def name_of(text):
        number, _, name = text.partition(" ")
        return names.setdefault(number, name)

    total = hashing = allocations = 0
    function = called = ""
    skip = False
    for line in path.read_text().splitlines():
        if line.startswith("fn="):
            function = name_of(line[3:])
        elif line.startswith("cfn="):
            called = name_of(line[4:])
        elif line.startswith("calls="):
            if re.fullmatch("malloc|calloc|realloc|memalign|posix_memalign|aligned_alloc", called):
                allocations += int(line[6:].split()[0])
            skip = True
        elif line[:1] in "+-*0123456789" and line:
            if not skip:
                cost = int(line.split()[1])
                total += cost
                hashing += cost if re.search("sha2|sha256", function, re.IGNORECASE) else 0
            skip = False
    return Count(total, hashing, allocations)


def per_call(program, what, source, calls=CALLS, in_flight=1):
    """What each call costs."""
    once, twice = (callgrind([program, what, source, times, in_flight]) for times in (calls, 2 * calls))
    return Count(*((b - a) / calls for a, b in zip(once, twice)))


def workspace_programs():
    """The programs as `cargo bench` builds them, from the dependencies of the other benchmarks."""
    command = ["cargo", "bench", "-q", "-p", "taskcluster-tests", "--no-run", "--message-format=json",
               *(f"--bench={name}" for name in ("ours", "floor", "server"))]
    messages = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    artifacts = [json.loads(line) for line in messages.splitlines()]
    return {artifact["target"]["name"]: artifact["executable"] for artifact in artifacts if artifact.get("executable")}


def measure():
    """The figures that are checked in."""
    programs = workspace_programs()
    with tempfile.TemporaryDirectory() as folder, serving(programs["server"], Path(folder)) as server:
        floor = per_call(programs["floor"], "typed", server.url)
        print(f"bare reqwest, typed: {floor.instructions:,.0f} instructions, {floor.allocations:.1f} allocations")
        figures = {}
        for what in ("signed", "named"):
            count = per_call(programs["ours"], what, server.url)
            # SHA-256 costs little on a processor that has instructions for it, and valgrind hides them.
            without = count.instructions - count.hash
            print(f"{what}: {count.instructions:,.0f} instructions ({without:,.0f} without SHA-256), "
                  f"{count.allocations:.1f} allocations")
            figures[what] = {"instructions, of bare reqwest's": round(count.instructions / floor.instructions, 4),
                             "without SHA-256": round(without / floor.instructions, 4),
                             "allocations": round(count.allocations, 1)}
        return figures


def check(figures):
    """Whether nothing has grown too much."""
    known = json.loads(CHECKED_IN.read_text())
    grown = False
    for what, now in figures.items():
        for of, figure in now.items():
            before = known[what][of]
            verdict = "more than 3 % more" if figure > before * TOLERANCE else "fewer" if figure * TOLERANCE < before else "as before"
            grown |= verdict.startswith("more")
            print(f"{what}: {of}: {figure} (checked in: {before}): {verdict}")
    if figures != known:
        print(f"To check in these figures: python3 {Path(__file__).relative_to(ROOT)} --update")
    return not grown


if __name__ == "__main__":
    if not shutil.which("valgrind"):
        sys.exit("valgrind is not installed")
    figures = measure()
    if "--update" in sys.argv[1:]:
        CHECKED_IN.write_text(json.dumps(figures, indent=2) + "\n")
    elif not check(figures):
        sys.exit("A call costs more than before. If it is worth that, check in the new figures.")
