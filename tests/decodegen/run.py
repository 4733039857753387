#!/usr/bin/env python3
"""Tests decodegen.

bad/*.decode must be refused with the message of their "# expect:" line (a regular expression) and
leave no output. good/*.decode are compiled with lifters that print their arguments; each
"# decode: WORD RESULT" line gives what the matcher must do with WORD ("undefined", or the lifter's
name and its arguments in the order of their names); "# has:" lists the features that the model has.
"# expect-rows:" is the number of rows in the tables.

usage: run.py DECODEGEN CC TOP_SRCDIR
"""
import glob
import json
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))

HARNESS = '''
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include "out-decode.h"
#include "test-lift.h"
#include "translator/translator.h"
unsigned log_mask = LOG_UNIMP;
void log_write(const char *format, ...) { printf("unimp "); }
int twice(LiftContext *ctx, int x) { return 2 * x; }
const char *features;
%(lifters)s
int main(int argc, char **argv)
{
    features = argv[1];
    for (int i = 2; i < argc; i++) {
        LiftContext ctx = { 0 };
        if (!%(decoder)s_decode(&ctx, strtoull(argv[i], NULL, 0)))
            printf("undefined");
        printf("\\n");
    }
    return 0;
}
'''

LIFT_H = '''
#include <string.h>
#include "translator/guest/isa.h"
enum { SEVEN = 7 };
extern const char *features;
int twice(LiftContext *ctx, int x);
#define T_HAS(ctx, f) (strstr(features, " " #f " ") != NULL)
'''


def comments(path, key):
    with open(path, encoding='utf-8') as stream:
        return [m[1] for m in (re.match(rf'# {key}:\s*(.*?)\s*$', line) for line in stream) if m]


def generate(decodegen, path, directory):
    command = [sys.executable, decodegen, '-o', directory, '--name', 'out', '--include',
               'test-lift.h', path]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_bad(decodegen, path):
    expected = comments(path, 'expect')
    if len(expected) != 1:
        return 'has no "# expect:" line'
    with tempfile.TemporaryDirectory() as directory:
        result = generate(decodegen, path, directory)
        if result.returncode != 1:
            return f'exit status {result.returncode}: {result.stderr}'
        if not re.match(rf'{re.escape(os.path.basename(path))}:\d+: error: .*{expected[0]}',
                        result.stderr):
            return f'expected "{expected[0]}", got "{result.stderr.strip()}"'
        if os.listdir(directory):
            return 'left output behind'
    return None


def lifters(header):
    """Definitions that print, for each prototype in the header."""
    members = {}
    for m in re.finditer(r'typedef struct (\w+) \{ int ([^;]*); \} \w+;', header):
        members[m[1]] = [name for name in m[2].split(', ') if name != 'unused']
    for m in re.finditer(r'typedef (Arg\w+) (Arg\w+);', header):
        members[m[2]] = members[m[1]]
    text = []
    for m in re.finditer(r'^bool (t_lift_(\w+))\(LiftContext \*ctx, const (\w+) \*a\);', header,
                         re.MULTILINE):
        prints = ''.join(f' printf(" {name}=%d", a->{name});' for name in sorted(members[m[3]]))
        text.append(f'bool {m[1]}(LiftContext *ctx, const {m[3]} *a)'
                    f'{{ printf("{m[2]}");{prints} return true; }}')
    return '\n'.join(text)


def test_good(decodegen, compiler, top_srcdir, path):
    with tempfile.TemporaryDirectory() as directory:
        result = generate(decodegen, path, directory)
        if result.returncode != 0:
            return result.stderr.strip()
        with open(f'{directory}/out-decode.json', encoding='utf-8') as stream:
            table = json.load(stream)
        rows = comments(path, 'expect-rows')
        if rows and [str(len(d['rows'])) for d in table] != rows:
            return f'wrong number of rows: {[len(d["rows"]) for d in table]}'
        with open(f'{directory}/out-decode.h', encoding='utf-8') as stream:
            header = stream.read()
        with open(f'{directory}/test-lift.h', 'w', encoding='utf-8') as stream:
            stream.write(LIFT_H)
        with open(f'{directory}/main.c', 'w', encoding='utf-8') as stream:
            stream.write(HARNESS % {'lifters': lifters(header), 'decoder': table[0]['decoder']})
        program = f'{directory}/test'
        subprocess.run([*compiler.split(), '-std=gnu17', '-Wall', '-Wextra', '-Werror',
                        '-Wno-unused-parameter', f'-I{top_srcdir}', f'-I{directory}', '-o', program,
                        f'{directory}/main.c', f'{directory}/out-decode.c',
                        f'{directory}/out-rows.c'], check=True)
        cases = [line.split(None, 1) for line in comments(path, 'decode')]
        has = ' ' + ' '.join(comments(path, 'has')) + ' '
        lines = subprocess.run([program, has, *(word for word, _ in cases)], capture_output=True,
                               text=True, check=True).stdout.splitlines()
        for (word, expected), got in zip(cases, lines, strict=True):
            if got != expected:
                return f'{word}: expected "{expected}", got "{got}"'
    return None if cases else 'has no "# decode:" line'


def main():
    decodegen, compiler, top_srcdir = sys.argv[1:]
    failed = done = 0
    for path in sorted(glob.glob(f'{HERE}/bad/*.decode') + glob.glob(f'{HERE}/good/*.decode')):
        if '/bad/' in path:
            problem = test_bad(decodegen, path)
        else:
            problem = test_good(decodegen, compiler, top_srcdir, path)
        done += 1
        if problem:
            failed += 1
            print(f'FAIL {os.path.relpath(path, HERE)}: {problem}')
    print(f'{done} files, {failed} failed')
    return 1 if failed or not done else 0


if __name__ == '__main__':
    sys.exit(main())
