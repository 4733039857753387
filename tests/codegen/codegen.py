#!/usr/bin/env python3
"""Host instructions for small guest loops, against the figures that are checked in.

Each kernel of GUEST.S is a loop that begins at its label. It is run in each tier with
--host-cpu x86-64-v3, and the host instructions of its loops are counted from the log: from the first
to which a jump leads back to the last such jump (of a unit that leads to others only: all before the
code out of line). The table is compared with GUEST.golden; a change shows in review, for the better
or the worse.

usage: codegen.py --calque FILE [--update] [--show KERNEL] [--guest NAME]

Exit status 77 (skipped) without an assembler for any guest, or on a host without x86-64-v3.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
GUESTS = {"aarch64": "aarch64-linux-gnu-", "riscv64": "riscv64-linux-gnu-"}
TIERS = ["baseline", "optimize"]
NEEDED = ["avx2", "bmi1", "bmi2", "fma", "f16c", "movbe", "abm"]
UNIT = re.compile(r"^OUT: \[(0x[0-9a-f]+), \d+ guest, \d+ host bytes, (\d+) straight\]\n"
                  r"((?:0x.*\n)*)", re.M)


def build(guest, folder):
    program = os.path.join(folder, guest)
    gcc = GUESTS[guest] + "gcc"
    done = subprocess.run([gcc, "-nostdlib", "-static", "-Wl,--build-id=none", "-o", program,
                           os.path.join(HERE, guest + ".S")], stderr=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"{gcc}: {done.stderr}")
    return program


def kernels(guest, program):
    """Names in order, with address and number of instructions up to the return."""
    nm = subprocess.run([GUESTS[guest] + "nm", program], stdout=subprocess.PIPE, text=True,
                        check=True).stdout
    address = {name: int(at, 16) for at, _, name in (line.split() for line in nm.splitlines())}
    text = open(os.path.join(HERE, guest + ".S")).read()
    found = []
    for part in re.split(r"^    kernel ", text, flags=re.M)[1:]:
        name, *lines = part.split("\n")
        count = 0
        for line in lines:
            line = re.sub(r"^\w+:\s*", "    ", line).strip()
            if line == "ret":
                break
            count += bool(line)
        found.append((name, address[name], count))
    return found


def loop(match):
    """The lines of the unit's loops, or of all before the code out of line."""
    lines = [(int(line.split(":")[0], 16), line) for line in match.group(3).splitlines()]
    end = lines[0][0] + int(match.group(2)) if lines else 0
    lines = [(at, line) for at, line in lines if at < end and not re.search(r"\s+nop\b", line)]
    back = [(int(m.group(1), 16), at) for at, line in lines
            if (m := re.search(r"\sj\w+\s+(0x[0-9a-f]+)$", line)) and int(m.group(1), 16) <= at]
    back = [(to, at) for to, at in back if to >= lines[0][0]]
    first = min((to for to, _ in back), default=0)
    last = max((at for _, at in back), default=end)
    return [line for at, line in lines if first <= at <= last]


def units(calque, tier, program):
    """For each unit's address the loop of the last one made for it."""
    done = subprocess.run([calque, "--no-cache", "--host-cpu", "x86-64-v3", "--tier", tier, "-d",
                           "out_asm", program], stderr=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"{program} --tier {tier}: {done.returncode}: {done.stderr[-500:]}")
    return {int(m.group(1), 16): loop(m) for m in UNIT.finditer(done.stderr)}


def table(calque, guest, folder, show):
    program = build(guest, folder)
    code = {tier: units(calque, tier, program) for tier in TIERS}
    rows = [f"# {'kernel':18} guest  " + "  ".join(TIERS)]
    for name, at, count in kernels(guest, program):
        for tier in TIERS:
            if not code[tier].get(at):
                sys.exit(f"{guest} {name}: no unit in the log (built without capstone?)")
        if name == show:
            for tier in TIERS:
                print(f"{guest} {name} {tier}:", *code[tier][at], sep="\n")
        rows.append(f"{name:20} {count:5}  " + "  ".join(f"{len(code[t][at]):{len(t)}}"
                                                        for t in TIERS))
    total = [sum(len(code[t][at]) for _, at, _ in kernels(guest, program)) for t in TIERS]
    guest_total = sum(count for _, _, count in kernels(guest, program))
    rows.append(f"{'# all':20} {guest_total:5}  " +
                "  ".join(f"{n:{len(t)}}" for n, t in zip(total, TIERS)))
    return "\n".join(rows) + "\n"


def compare(guest, path, got):
    want = open(path).read() if os.path.exists(path) else ""
    if want == got:
        return True
    before = dict((line.split()[0], line) for line in want.splitlines() if line[:1] != "#")
    for line in got.splitlines():
        if line[:1] != "#" and before.get(line.split()[0]) != line:
            print(f"{guest}: {line}    was: {before.get(line.split()[0])}")
    return False


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--calque", required=True)
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--show")
    parser.add_argument("--guest", choices=GUESTS, action="append")
    options = parser.parse_args()
    flags = set(re.search(r"^flags\s*: (.*)$", open("/proc/cpuinfo").read(), re.M).group(1).split())
    guests = [g for g in options.guest or GUESTS if shutil.which(GUESTS[g] + "gcc")]
    if not guests or not flags.issuperset(NEEDED):
        sys.exit(77)
    same = True
    with tempfile.TemporaryDirectory() as folder:
        for guest in guests:
            got = table(options.calque, guest, folder, options.show)
            path = os.path.join(HERE, guest + ".golden")
            if options.update:
                open(path, "w").write(got)
            else:
                same &= compare(guest, path, got)
    if not same:
        sys.exit("the code has changed; if it is meant so: make codegen-golden")


if __name__ == "__main__":
    main()
