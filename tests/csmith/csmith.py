#!/usr/bin/env python3
"""Random C programs by Csmith: each must print in every tier what its native build prints.

A seed names everything: the program, the guest's optimization level and the choices of tiers. A
program prints checksums of its global variables; it has no undefined behaviour, so that the native
compiler's build is the expected output. Programs that the native run doesn't end in time are counted
as not applicable. A failing seed's source and outputs stay in --keep.

usage: csmith.py [--calque FILE] [--guest NAME] [--seed N] [--count K] [--seconds S] [--keep FOLDER]
"""
import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

GUESTS = {"aarch64": "aarch64-linux-gnu-gcc", "riscv64": "riscv64-linux-gnu-gcc"}
LEVELS = ["-O0", "-O1", "-O2", "-O3", "-Os", "-O2 -funroll-loops", "-O2 -fno-inline"]
# Contraction to fused operations is a compiler's choice, so it's off on both sides.
BASE = ["-w", "-static", "-ffp-contract=off", "-fwrapv", "-fno-strict-aliasing",
        "-I/usr/include/csmith"]
SHAPES = [
    [],
    ["--float"],
    ["--max-funcs", "4", "--max-block-depth", "6"],
    ["--max-funcs", "20", "--max-block-size", "3", "--inline-function"],
    ["--max-pointer-depth", "4", "--max-array-dim", "2", "--no-bitfields"],
    ["--no-math64"],
    ["--float", "--max-funcs", "3", "--max-expr-complexity", "15"],
]
TIERS = {
    "auto": [],
    "baseline": ["--tier=baseline"],
    "optimize": ["--tier=optimize"],
    "threshold 1": ["--tier-threshold=1"],
    "threshold 20": ["--tier-threshold=20"],
}
NATIVE_SECONDS, GUEST_SECONDS = 3, 120


def run(command, seconds):
    """(status, output); status is "timeout" when it didn't end."""
    try:
        p = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, timeout=seconds)
        return p.returncode, p.stdout.decode(errors="replace")
    except subprocess.TimeoutExpired:
        return "timeout", ""


def build(compiler, level, source, program):
    return run([compiler, *level.split(), *BASE, "-o", program, source], 120)[0] == 0


def check(seed, options, folder):
    """A list of failures (text), or None when the seed says nothing."""
    rng = random.Random(seed)
    source = os.path.join(folder, "program.c")
    shape = rng.choice(SHAPES)
    status, text = run(["csmith", "--seed", str(seed), *shape, "--output", source], 30)
    native = os.path.join(folder, "native")
    if status != 0 or not build("gcc", "-O1", source, native):
        return None
    expected = run([native], NATIVE_SECONDS)
    if expected[0] != 0:
        return None
    failures = []
    for guest in options.guest or GUESTS:
        level = rng.choice(LEVELS)
        program = os.path.join(folder, guest)
        if not build(GUESTS[guest], level, source, program):
            continue
        for name, switches in TIERS.items():
            got = run([options.calque, "--no-cache", *switches, program], GUEST_SECONDS)
            if got != expected:
                failures.append(f"seed {seed}: {guest} {level}, {name}: status {got[0]}, "
                                f"output {got[1][-200:]!r}, native {expected[1][-200:]!r}")
    if failures and options.keep:
        kept = os.path.join(options.keep, str(seed))
        shutil.copytree(folder, kept, dirs_exist_ok=True)
    return failures


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--calque", default="./calque")
    parser.add_argument("--guest", action="append", choices=sorted(GUESTS))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--seconds", type=float, help="go on for so long instead of --count")
    parser.add_argument("--keep")
    options = parser.parse_args()
    options.calque = os.path.abspath(options.calque)
    for tool in ("csmith", *GUESTS.values()):
        if not shutil.which(tool):
            print(f"no {tool}: skipped")
            sys.exit(77)
    seed, ended, silent, failed = options.seed, 0, 0, 0
    end = time.monotonic() + options.seconds if options.seconds else None
    while time.monotonic() < end if end else seed < options.seed + options.count:
        with tempfile.TemporaryDirectory() as folder:
            failures = check(seed, options, folder)
        seed += 1
        if failures is None:
            silent += 1
            continue
        ended += 1
        failed += bool(failures)
        for failure in failures:
            print(failure, flush=True)
    print(f"csmith, seeds {options.seed} to {seed - 1}: {ended - failed} passed, {failed} failed, "
          f"{silent} not applicable")
    sys.exit(1 if failed or not ended else 0)


main()
