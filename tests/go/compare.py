#!/usr/bin/env python3
"""Two logs of `go test -json`, native and of a guest: what passes natively must not fail.

usage: compare.py NATIVE GUEST"""
import collections
import json
import sys


def read(path):
    """(package, test) -> its last action and its output; a package itself is the test ''."""
    ends, output = {}, collections.defaultdict(str)
    for line in open(path):
        try:
            event = json.loads(line)
        except ValueError:
            continue  # what the go command says itself
        key = event.get("Package", ""), event.get("Test", "")
        if event["Action"] in ("pass", "fail", "skip"):
            ends[key] = event["Action"]
        elif event["Action"] == "output":
            output[key] += event["Output"]
    return ends, output


def main():
    native, _ = read(sys.argv[1])
    guest, output = read(sys.argv[2])
    bad = 0
    for key in sorted(guest):
        package, test = key
        if guest[key] != "fail" or native.get(key) == "fail":
            continue
        # A package fails with its tests, and natively with others.
        if not test and any(p == package and t and guest[p, t] == "fail" for p, t in guest):
            continue
        bad += 1
        print(f"FAIL {package} {test} (natively: {native.get(key, 'none')})")
        print("".join("    " + line + "\n" for line in output[key].splitlines()[-12:]), end="")
    count = collections.Counter(end for (_, test), end in guest.items() if test)
    print(f"{sys.argv[2].rsplit('/', 1)[-1]}: {count['pass']} tests passed, {count['fail']} failed, "
          f"{count['skip']} skipped; {bad} of them not as natively")
    sys.exit(bad != 0 or not count["pass"])


main()
