#!/usr/bin/env python3
"""Runs gcc's execution tests under calque: everything that passes natively must pass.

The tests come from Debian's package gcc-12-source. Each is built at each optimization level for
this machine and for each guest; a test that doesn't build or pass natively, or that the cross
compiler refuses, says nothing about calque and is counted as not applicable. Those of a suite that
is for one guest can't run natively: there all that build must pass.

usage: torture.py [--calque FILE] [--calque-args ARGS] [--suite NAME] [--tests FOLDER] [--sample K]
                  [--jobs N] [--guest NAME] [--level -ON] [--match REGEX]

--suite: execute (the default), vect, dg-torture, openmp, advsimd (of aarch64), several or all.
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


class Suite:
    """Folders of the archive with their tests; what they are built with; only for a guest."""
    def __init__(self, folders, flags=(), levels=("-O2",), guest=None, runs=True):
        self.folders, self.flags, self.levels, self.guest = folders, flags, levels, guest
        self.runs = runs  # a test is run unless it says otherwise

    def sources(self, top):
        found = [f for folder in self.folders for f in glob.glob(os.path.join(top, folder, "*.c"))]
        return sorted(f for f in found if self.is_run(f))

    def is_run(self, source):
        m = re.search(r"\{\s*dg-do\s+(\w+)", open(source, errors="replace").read())
        return m.group(1) == "run" if m else self.runs


SUITES = {
    "execute": Suite(["gcc/testsuite/gcc.c-torture/execute",
                      "gcc/testsuite/gcc.c-torture/execute/ieee"], levels=("-O0", "-O2")),
    "vect": Suite(["gcc/testsuite/gcc.dg/vect"], levels=("-O3",)),
    "dg-torture": Suite(["gcc/testsuite/gcc.dg/torture"], runs=False),
    "openmp": Suite(["libgomp/testsuite/libgomp.c", "libgomp/testsuite/libgomp.c-c++-common",
                     "libatomic/testsuite/libatomic.c"], ("-fopenmp", "-pthread")),
    "advsimd": Suite(["gcc/testsuite/gcc.target/aarch64/advsimd-intrinsics"], guest="aarch64"),
}


def unpack(into, folders):
    """The suites' folders out of the source package's archive, and what their tests include."""
    archives = glob.glob("/usr/src/gcc-*/gcc-*.tar.xz")
    if not archives:
        return None
    tops = {"/".join(folder.split("/")[:3]) for folder in folders}
    subprocess.run(["tar", "-xJf", archives[0], "-C", into, "--strip-components=1", "--wildcards",
                    *sorted(f"*/{top}" for top in tops)], check=True)
    return into


def options_of(source):
    """Those for all targets, without those that ask the compiler for reports."""
    text = open(source, errors="replace").read()
    found = []
    for m in re.finditer(r'\{\s*dg-(?:additional-)?options\s+"([^"]*)"\s*(\{[^}]*\})?', text):
        if not m.group(2):
            found += m.group(1).split()
    return [o for o in found if not o.startswith(("-fdump", "-save-temps"))]


def sources_of(source):
    text = open(source, errors="replace").read()
    more = re.findall(r'dg-additional-sources\s+"([^"]*)"', text)
    return [source] + [os.path.join(os.path.dirname(source), f) for m in more for f in m.split()]


def run(command, cwd):
    try:
        p = subprocess.run(command, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, timeout=TIMEOUT)
        return p.returncode, p.stdout.decode(errors="replace")
    except subprocess.TimeoutExpired:
        return "timeout", ""


class Case:
    def __init__(self, suite, source, level, options):
        self.suite, self.source, self.level, self.options = suite, source, level, options

    def build(self, compiler, out, folder):
        status, _ = run([compiler, self.level, *BASE, *self.suite.flags, *options_of(self.source),
                         "-I", os.path.dirname(self.source), "-o", out, *sources_of(self.source),
                         "-lm"], folder)
        return status == 0

    def works_natively(self, folder):
        native = os.path.join(folder, "native")
        return self.build("gcc", native, folder) and run([native], folder)[0] == 0

    def guests(self):
        return [g for g in self.options.guest or GUESTS if self.suite.guest in (None, g)]

    def check(self):
        """[(guest, verdict, text)]; verdict: pass, fail, na."""
        results = []
        with tempfile.TemporaryDirectory() as folder:
            works = self.suite.guest or self.works_natively(folder)
            for guest in self.guests():
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
    parser.add_argument("--suite", action="append", choices=[*SUITES, "all"])
    parser.add_argument("--tests", help="the compiler's sources, unpacked")
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
    names = options.suite or ["execute"]
    suites = [SUITES[name] for name in (SUITES if "all" in names else names)]
    counts = {}
    with tempfile.TemporaryDirectory() as work:
        top = options.tests or unpack(work, [f for suite in suites for f in suite.folders])
        if not top:
            print("no gcc source package (gcc-12-source): skipped")
            sys.exit(77)
        sources = [(suite, s) for suite in suites for s in suite.sources(top)]
        sources = [(suite, s) for suite, s in sources if re.search(options.match, s)]
        cases = [Case(suite, s, level, options) for suite, s in sources[::options.sample]
                 for level in options.level or suite.levels]
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
