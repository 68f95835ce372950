#!/usr/bin/env python3
"""Shows that what a call costs does not grow with their number: CPU time of a call and the peak of resident memory, for calls and
for ten times as many, with 64 and 512 in flight, beside bare reqwest.

    python3 taskcluster/benches/scale.py [CALLS]        # 50,000 unless given; 1,000,000 take minutes to an hour

Calls go by HTTP/1.1, and by HTTP/2 over TLS, where one connection carries all of them.
"""

import os
import subprocess
import sys

sys.dont_write_bytecode = True
from instructions import CERTIFICATES, ENVIRONMENT, serving  # noqa: E402
from table import WORK, programs  # noqa: E402


def run(command):
    """The CPU seconds of a program, and the peak of its memory in MiB, which it prints."""
    environment = dict(ENVIRONMENT, SSL_CERT_FILE=str(CERTIFICATES / "authority.pem"))
    child = subprocess.Popen(list(map(str, command)), env=environment, stdout=subprocess.PIPE, text=True)
    peak = int(child.stdout.read().split()[0]) / 1024
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(f"{command} failed")
    return usage.ru_utime + usage.ru_stime, peak


if __name__ == "__main__":
    most = int(sys.argv[1]) if sys.argv[1:] else 50_000
    made = programs("ours", "floor")
    print("| protocol | in flight | calls | ours: CPU a call, memory, connections | bare reqwest |\n| --- | --- | --- | --- | --- |")
    for protocol, tls in (("HTTP/1.1", False), ("HTTP/2, TLS", True)):
        for in_flight in (64, 512):
            for calls in (most // 10, most):
                cells = []
                for name, what in (("ours", "signed"), ("floor", "typed")):
                    with serving(made["server"], WORK / "answers", tls) as server:
                        seconds, peak = run([made[name], what, server.url, calls, in_flight])
                    cells.append(f"{1e6 * seconds / calls:.1f} µs, {peak:.1f} MiB, {server.connections}")
                print(f"| {protocol} | {in_flight} | {calls:,} | {' | '.join(cells)} |", flush=True)
