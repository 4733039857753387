#!/usr/bin/env python3
"""Measures calque against native and qemu-user.

Each benchmark is one C file here; its first line is `/* class: CLASS; what it does; args: ARGS */`.
It is built with -O2 for this machine and for each guest, and all the programs of one benchmark run
in turns in one run, so that what else the machine does hits all alike. What counts is the child's
CPU time (user + system, by wait4); the figure is the median of the rounds' ratios to native.
Classes are summed up by geometric means. Output that differs from native's fails the benchmark.

usage: bench.py [--calque FILE] [--match REGEX] [--rounds N] [--csv FILE] [--qemu FOLDER]
                [--guest NAME] [--build FOLDER] [--calque-args ARGS]

--qemu may be given more than once: folders with qemu-aarch64[-static] and so on; the one on the PATH
is always used when there. "best" is the better of all per program.
"""
import argparse
import csv
import math
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

GUESTS = {"aarch64": "aarch64-linux-gnu-gcc", "riscv64": "riscv64-linux-gnu-gcc"}
HERE = os.path.dirname(os.path.abspath(__file__))


def read_header(path):
    first = open(path).readline()
    fields = dict(re.findall(r"(class|args|flags|guest-flags-\w+|link): ([^;*]*)", first))
    return {k: v.strip() for k, v in fields.items()}


def run(command, output):
    """CPU seconds of one run; None when it fails."""
    output.seek(0)
    output.truncate()
    pid = os.fork()
    if pid == 0:
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 0)
        os.dup2(output.fileno(), 1)
        os.dup2(null, 2)
        try:
            os.execv(command[0], command)
        finally:
            os._exit(127)
    _, status, usage = os.wait4(pid, 0)
    return usage.ru_utime + usage.ru_stime if status == 0 else None


def geomean(values):
    return math.exp(sum(math.log(v) for v in values) / len(values)) if values else float("nan")


class Bench:
    def __init__(self, path, options):
        self.path, self.options = path, options
        self.name = os.path.splitext(os.path.basename(path))[0]
        self.header = read_header(path)
        self.kind = self.header.get("class", "other")
        self.args = self.header.get("args", "").split()
        self.dynamic = "link" in self.header  # else static

    def build(self, compiler, suffix):
        out = os.path.join(self.options.build, self.name + "-" + suffix)
        if not os.path.exists(out) or os.path.getmtime(out) < os.path.getmtime(self.path):
            linkage = [] if self.dynamic else ["-static"]
            subprocess.run([compiler, "-O2", "-w", "-pthread", *self.header.get("flags", "").split(),
                            *linkage, "-o", out, self.path, "-lm"], check=True)
        return out

    def measure(self, guest, tools):
        """{tool: median ratio to native}, and why a tool has none."""
        native = [self.build("gcc", "native"), *self.args]
        # A dynamic program finds its libraries in the cross compiler's folder.
        prefix = ["-L", f"/usr/{guest}-linux-gnu"] if self.dynamic else []
        program = [*prefix, self.build(GUESTS[guest], guest), *self.args]
        runs = {"native": native}
        runs.update({tool: [*command, *program] for tool, command in tools.items()})
        times = {tool: [] for tool in runs}
        wrong = {}
        expected = None
        with tempfile.TemporaryFile("w+b") as output:
            for _ in range(self.options.rounds):
                for tool, command in runs.items():
                    if tool in wrong:
                        continue
                    t = run(command, output)
                    output.seek(0)
                    text = output.read()
                    if tool == "native":
                        expected = text
                    if t is None or text != expected:
                        wrong[tool] = "failed" if t is None else "wrong output"
                        continue
                    times[tool].append(t)
        if "native" in wrong:
            sys.exit(f"{self.name}: fails natively")
        # A native run can be shorter than the clock's tick of accounting; never divide by nothing.
        base = [max(t, 1e-4) for t in times["native"]]
        ratios = {tool: statistics.median(t / b for t, b in zip(times[tool], base))
                  for tool in tools if tool not in wrong}
        extra_ms = {tool: 1000 * statistics.median(t - b for t, b in zip(times[tool], base))
                    for tool in tools if tool not in wrong}
        return ratios, wrong, statistics.median(base), extra_ms


def find_qemus(guest, folders):
    found = {}
    on_path = shutil.which(f"qemu-{guest}-static") or shutil.which(f"qemu-{guest}")
    if on_path:
        found["qemu"] = [on_path]
    for n, folder in enumerate(folders):
        for name in (f"qemu-{guest}", f"qemu-{guest}-static"):
            path = os.path.join(folder, name)
            if os.access(path, os.X_OK):
                found[f"qemu{n + 2}"] = [path]
                break
    return found


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--calque", default="./calque")
    parser.add_argument("--calque-args", default="")
    parser.add_argument("--match", default="")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--csv")
    parser.add_argument("--qemu", action="append", default=[])
    parser.add_argument("--guest", action="append", choices=sorted(GUESTS))
    parser.add_argument("--build", default="bench-programs")
    parser.add_argument("--only-calque", action="store_true")
    options = parser.parse_args()
    os.makedirs(options.build, exist_ok=True)
    benches = [Bench(os.path.join(HERE, f), options) for f in sorted(os.listdir(HERE))
               if f.endswith(".c") and re.search(options.match, f)]
    benches.sort(key=lambda b: (b.kind, b.name))
    failures, rows = 0, []
    for guest in options.guest or sorted(GUESTS):
        if not shutil.which(GUESTS[guest]):
            print(f"{guest}: no {GUESTS[guest]}; skipped")
            continue
        tools = {"calque": [os.path.abspath(options.calque), *options.calque_args.split()],
                 **({} if options.only_calque else find_qemus(guest, options.qemu))}
        qemus = [t for t in tools if t != "calque"]
        print(f"\n{guest}: ratio to native, CPU time, median of {options.rounds} rounds\n")
        print(f"{'class':<9} {'program':<16} {'native s':>8} " + " ".join(f"{t:>8}" for t in tools) +
              f" {'best qemu / calque':>19}  {'calque above native, ms':>23}")
        sums = {}
        for b in benches:
            ratios, wrong, native, extra = b.measure(guest, tools)
            failures += "calque" in wrong
            best = min((ratios[q] for q in qemus if q in ratios), default=float("nan"))
            gain = best / ratios["calque"] if "calque" in ratios else float("nan")
            cells = " ".join(f"{ratios[t]:8.2f}" if t in ratios else f"{wrong[t][:8]:>8}"
                             for t in tools)
            print(f"{b.kind:<9} {b.name:<16} {native:8.3f} {cells} {gain:19.2f}  "
                  f"{extra.get('calque', float('nan')):23.2f}", flush=True)
            rows.append([guest, b.kind, b.name, f"{native:.4f}", *(f"{ratios.get(t, 'nan')}" for t in tools)])
            if "calque" in ratios and best == best:
                sums.setdefault(b.kind, []).append((ratios["calque"], best))
        print()
        for kind, pairs in sums.items():
            ours, best = geomean([p[0] for p in pairs]), geomean([p[1] for p in pairs])
            print(f"{kind:<9} geometric mean of {len(pairs):2}: calque {ours:6.2f}   best qemu {best:6.2f}"
                  f"   {best / ours:5.2f} times as fast")
    if options.csv:
        with open(options.csv, "w", newline="") as out:
            writer = csv.writer(out)
            writer.writerow(["guest", "class", "program", "native_s", "ratios: calque, then each qemu"])
            writer.writerows(rows)
    sys.exit(failures != 0)


main()
