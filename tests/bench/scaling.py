#!/usr/bin/env python3
"""How threads scale: two threads' throughput against one's, and contended locks against native.

The program counts what its threads do until it is stopped, so that nothing depends on a machine's
speed: independent work (each thread for itself), one atomic counter that all add to, and one mutex
that all take. Native and calque (and qemu-user, when it's there) run in turns; the figures are
medians of the rounds' ratios. It needs two cores that nobody else uses.

usage: scaling.py [--calque FILE] [--rounds N] [--seconds S] [--guest NAME] [--qemu FILE-WITH-%s]
"""
import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

GUESTS = {"aarch64": "aarch64-linux-gnu-gcc", "riscv64": "riscv64-linux-gnu-gcc"}
HERE = os.path.dirname(os.path.abspath(__file__))


def build(compiler, out):
    subprocess.run([compiler, "-O2", "-w", "-static", "-pthread", "-o", out,
                    os.path.join(HERE, "scaling", "scaling.c")], check=True)


def rate(command, kind, threads, seconds):
    p = subprocess.run([*command, kind, str(threads), str(seconds)], stdout=subprocess.PIPE,
                       check=True, text=True)
    return float(p.stdout)


def measure(tools, options):
    """{tool: {figure: [one per round]}}"""
    figures = {tool: {"two over one": [], "counter": [], "mutex": []} for tool in tools}
    for _ in range(options.rounds):
        native = {}
        for tool, command in tools.items():
            of = {(kind, n): rate(command, kind, n, options.seconds)
                  for kind, n in [("independent", 1), ("independent", 2), ("counter", 2),
                                  ("mutex", 2)]}
            native = native or of
            mine = figures[tool]
            mine["two over one"].append(of["independent", 2] / of["independent", 1])
            for kind in ("counter", "mutex"):
                mine[kind].append(native[kind, 2] / of[kind, 2])
    return figures


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--calque", default="./calque")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--guest", action="append", choices=sorted(GUESTS))
    parser.add_argument("--qemu", default="qemu-%s-static")
    options = parser.parse_args()
    if os.cpu_count() < 2:
        sys.exit("scaling needs two processors")
    with tempfile.TemporaryDirectory() as folder:
        native = os.path.join(folder, "native")
        build("gcc", native)
        print("                    two over one   counter/native   mutex/native")
        for guest in options.guest or GUESTS:
            program = os.path.join(folder, guest)
            build(GUESTS[guest], program)
            tools = {"native": [native], "calque": [os.path.abspath(options.calque), program]}
            qemu = shutil.which(options.qemu.replace("%s", guest))
            if qemu:
                tools["qemu"] = [qemu, program]
            for tool, of in measure(tools, options).items():
                row = [statistics.median(of[k]) for k in ("two over one", "counter", "mutex")]
                print(f"{guest:8} {tool:8} {row[0]:13.2f} {row[1]:16.2f} {row[2]:14.2f}", flush=True)


main()
