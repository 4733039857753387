"""Compares two logs of `python3 -m test -v MODULE`, test by test.

usage: compare.py NATIVE EMULATED

Prints the counts and each test that doesn't end as it does natively; fails if there is one, or if
the native log proves nothing because it has no complete count itself.
"""
import re
import sys

NAME = re.compile(r'^(?P<test>(?:test\w*|setUpClass|tearDownClass|setUpModule|tearDownModule)'
                  r' \([\w.<>]+\))', re.M)
OUTCOME = re.compile(r'(?:\.\.\. |^)(ok|FAIL|ERROR|skipped|expected failure|unexpected success)\b', re.M)
BROKEN = re.compile(r'^(Timeout|Fatal Python error|Segmentation).*', re.M)


def outcomes(log):
    """The outcome by test's name: the last if there are several, as of tests that are repeated."""
    body = log.split('\n======', 1)[0]
    result = {}
    names = list(NAME.finditer(body))
    for name, following in zip(names, names[1:] + [None]):
        text = body[name.end():following.start() if following else len(body)]
        found = OUTCOME.search(text)
        if found:
            result[name['test']] = found[1]
    for found in re.finditer(r'^(FAIL|ERROR|UNEXPECTED SUCCESS): (\w+ \([\w.<>]+\))', log, re.M):
        result[found[2]] = found[1]
    return result


def count(log):
    """What the runs of unittest's in a log say, summed up; None if one has no end."""
    ran = [int(n) for n in re.findall(r'^Ran (\d+) tests?', log, re.M)]
    return sum(ran) if ran else None


def main():
    native_log, log = (open(name, errors='replace').read() for name in sys.argv[1:])
    native, emulated = outcomes(native_log), outcomes(log)
    broken = [found[0] for found in BROKEN.finditer(log)
              if found[0] not in {known[0] for known in BROKEN.finditer(native_log)}]
    different = [f'{test}: {emulated.get(test, "not run")}, natively {native[test]}'
                 for test in sorted(native)
                 if emulated.get(test) not in (native[test], 'ok')]
    different += [f'{test}: {emulated[test]}, natively not run' for test in sorted(emulated)
                  if test not in native and emulated[test] not in ('ok', 'skipped')]
    skipped = {which: sum(outcome == 'skipped' for outcome in found.values())
               for which, found in (('native', native), ('emulated', emulated))}
    failed = {which: sum(outcome in ('FAIL', 'ERROR') for outcome in found.values())
              for which, found in (('native', native), ('emulated', emulated))}
    complete = count(native_log) is not None and len(native) > 0
    print(f'{count(log)} tests, {skipped["emulated"]} skipped, {failed["emulated"]} failed '
          f'(native {count(native_log)}, {skipped["native"]}, {failed["native"]})')
    if not complete:
        print('    the native run has no count')
    for line in broken + different:
        print(f'    {line}')
    if not complete or broken or different or (count(log) or 0) < count(native_log):
        sys.exit(1)


main()
