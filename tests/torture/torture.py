#!/usr/bin/env python3
"""Runs gcc's gcc.c-torture/execute under calque: everything that passes natively must pass.

The tests come from Debian's package gcc-12-source. Each is built at each optimization level for
this machine and for each guest; a test that doesn't build or pass natively, or that the cross
compiler refuses, says nothing about calque and is counted as not applicable.

usage: torture.py [--calque FILE] [--calque-args ARGS] [--tests FOLDER] [--sample K] [--jobs N]
                  [--guest NAME] [--level -ON] [--match REGEX]

--sample K takes every K-th test (and all levels and guests of it).
"""
import argparse
import concurrent.futures
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

GUESTS = {"aarch64": "aarch64-linux-gnu-gcc", "riscv64": "riscv64-linux-gnu-gcc"}
BASE = ["-w", "-fno-diagnostics-color", "-static"]
TIMEOUT = 60


def unpack(into):
    """gcc's execute folder out of the source package's archive."""
    archives = glob.glob("/usr/src/gcc-*/gcc-*.tar.xz")
    if not archives:
        return None
    subprocess.run(["tar", "-xJf", archives[0], "-C", into, "--strip-components=1", "--wildcards",
                    "*/gcc/testsuite/gcc.c-torture/execute"], check=True)
    return os.path.join(into, "gcc/testsuite/gcc.c-torture/execute")


def options_of(source):
    text = open(source, errors="replace").read()
    found = []
    for m in re.finditer(r'\{\s*dg-(?:additional-)?options\s+"([^"]*)"\s*(\{[^}]*\})?', text):
        if not m.group(2):
            found += m.group(1).split()
    return found


def run(command, cwd):
    try:
        p = subprocess.run(command, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, timeout=TIMEOUT)
        return p.returncode, p.stdout.decode(errors="replace")
    except subprocess.TimeoutExpired:
        return "timeout", ""


class Case:
    def __init__(self, source, level, options):
        self.source, self.level, self.options = source, level, options

    def build(self, compiler, out, folder):
        status, _ = run([compiler, self.level, *BASE, *options_of(self.source), "-o", out,
                         self.source, "-lm"], folder)
        return status == 0

    def check(self):
        """[(guest, verdict, text)]; verdict: pass, fail, na."""
        results = []
        with tempfile.TemporaryDirectory() as folder:
            native = os.path.join(folder, "native")
            works = self.build("gcc", native, folder) and run([native], folder)[0] == 0
            for guest in self.options.guest or GUESTS:
                program = os.path.join(folder, guest)
                if not works or not self.build(GUESTS[guest], program, folder):
                    results.append((guest, "na", ""))
                    continue
                status, text = run([self.options.calque, *self.options.calque_args.split(), program],
                                   folder)
                results.append((guest, "pass" if status == 0 else "fail", f"{status} {text[-300:]}"))
        return self, results


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--calque", default="./calque")
    parser.add_argument("--calque-args", default="")
    parser.add_argument("--tests")
    parser.add_argument("--sample", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--guest", action="append", choices=sorted(GUESTS))
    parser.add_argument("--level", action="append")
    parser.add_argument("--match", default="")
    options = parser.parse_args()
    options.calque = os.path.abspath(options.calque)
    for compiler in GUESTS.values():
        if not shutil.which(compiler):
            print(f"no {compiler}: skipped")
            sys.exit(77)
    counts = {}
    with tempfile.TemporaryDirectory() as work:
        tests = options.tests or unpack(work)
        if not tests:
            print("no gcc source package (gcc-12-source): skipped")
            sys.exit(77)
        sources = sorted(glob.glob(os.path.join(tests, "*.c")) +
                         glob.glob(os.path.join(tests, "ieee", "*.c")))
        sources = [s for s in sources if re.search(options.match, s)][::options.sample]
        cases = [Case(s, level, options) for s in sources for level in options.level or ["-O0", "-O2"]]
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            for case, results in pool.map(Case.check, cases):
                for guest, verdict, text in results:
                    key = (guest, case.level)
                    counts.setdefault(key, {"pass": 0, "fail": 0, "na": 0})[verdict] += 1
                    if verdict == "fail":
                        print(f"FAIL {guest} {case.level} {os.path.basename(case.source)}: {text}",
                              flush=True)
    failed = 0
    for (guest, level), c in sorted(counts.items()):
        failed += c["fail"]
        print(f"{guest} {level}: {c['pass']} passed, {c['fail']} failed, {c['na']} not applicable")
    sys.exit(failed != 0 or not any(c["pass"] for c in counts.values()))


main()
