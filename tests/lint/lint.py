#!/usr/bin/env python3
"""Checks what the compiler doesn't: who includes whom, what data-plane files may call, size and form.

usage: lint.py [SOURCE FOLDER]
"""
import os
import re
import sys

# A folder may include only from these (and from itself).
MAY_INCLUDE = {
    "translator": {"translator"},
    "binfmt": {"binfmt"},
    "linux-user": {"linux-user", "translator", "syscall-tables"},
    "sysemu-plugin": {"sysemu-plugin", "translator"},
    "hw-plugins": {"hw-plugins", "sysemu-plugin/hw-api"},
}
# The public header, the guests' registers and features are what linux-user sees of the translator.
LINUX_USER_SEES = re.compile(r"translator/(translator\.h|guest/\w+/(cpu|features)\.h|cache/admin\.h|"
                             r"memory/(own-pages|shared-lock)\.h)")
FORBIDDEN_IN_DATA_PLANE = re.compile(r"\b(g_(malloc|new|free|strdup|string_|hash_table_|array_|list_|"
                                     r"autoptr|autofree)\w*|(f|s|sn|vs|vf)?printf|fopen|fputs|puts|"
                                     r"strerror)\s*\(")
GENERATED = ("build", "autom4te.cache", ".git")
MAX_LINES, MAX_COLUMNS, MAX_HEADERS = 1000, 100, 30


def sources(top):
    for folder, names, files in os.walk(top):
        names[:] = [n for n in names if not n.startswith(GENERATED) and n != "build-aux"]
        if "config.status" in files and folder != top:  # a build tree, such as distcheck's
            names.clear()
            continue
        for f in sorted(files):
            if f.endswith((".c", ".h", ".S")):
                path = os.path.join(folder, f)
                yield os.path.relpath(path, top), open(path, errors="replace").read()


def check(path, text):
    lines = text.split("\n")
    top = path.split("/")[0]
    bench = path.startswith("tests/bench/")
    if len(lines) > MAX_LINES:
        yield 1, f"{len(lines)} lines; at most {MAX_LINES}"
    project = [m for m in re.findall(r'^#include "([^"]+)"', text, re.M)]
    if len(project) > MAX_HEADERS:
        yield 1, f"{len(project)} project headers; at most {MAX_HEADERS}"
    for n, line in enumerate(lines, 1):
        if len(line) > MAX_COLUMNS and not bench:
            yield n, f"{len(line)} columns; at most {MAX_COLUMNS}"
        if line.rstrip() != line:
            yield n, "space at the end of the line"
        if re.search(r"\b(TODO|FIXME|XXX)\b", line):
            yield n, "a promise in a comment; make it an UNIMP row or do it"
        m = re.match(r'#include "([^"]+)"', line)
        if m and top in MAY_INCLUDE and "/" in m.group(1):
            if not any(m.group(1).startswith(a + "/") for a in MAY_INCLUDE[top]):
                yield n, f"{top} may not include {m.group(1)}"
            if top == "linux-user" and m.group(1).startswith("translator/") and \
                    not LINUX_USER_SEES.fullmatch(m.group(1)):
                yield n, f"{m.group(1)} is private to the translator"
        if lines[0].startswith("/* data plane */") and not line.lstrip().startswith(("*", "/*")):
            m = FORBIDDEN_IN_DATA_PLANE.search(re.sub(r'"(\\.|[^"])*"', '""', line))
            if m:
                yield n, f"a data-plane file calls {m.group(0).rstrip('(').strip()}"
    if path.endswith(".h") and not path.startswith("tests/linux/") and \
            not re.search(r"#ifndef \w+_H\n#define", text):
        yield 1, "header without a guard"


def claimed(top):
    """Features of AArch64's default processor, which has all that are listed, without their
    instructions."""
    guest = os.path.join(top, "translator/guest/aarch64")
    has = set(re.findall(r"A64_FEAT_(\w+)", open(os.path.join(guest, "features.h")).read()))
    for name in sorted(os.listdir(guest)):
        if name.endswith(".decode"):
            for n, line in enumerate(open(os.path.join(guest, name)), 1):
                m = re.match(r"UNIMP\(FEAT_(\w+)\)", line)
                if m and m.group(1) in has:
                    yield f"translator/guest/aarch64/{name}:{n}: FEAT_{m.group(1)} is claimed"


def main():
    top = sys.argv[1] if len(sys.argv) > 1 else "."
    found = 0
    for path, text in sources(top):
        for line, what in check(path, text):
            print(f"{path}:{line}: {what}")
            found += 1
    for complaint in claimed(top):
        print(complaint)
        found += 1
    if found:
        sys.exit(f"{found} complaints")


main()
