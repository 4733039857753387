#!/usr/bin/env python3
"""The generator: what it must refuse, and that check-tables.py notices a wrong table.

usage: test-generator.py SOURCE-DIRECTORY
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile

top = sys.argv[1]
text = os.path.join(top, 'syscall-tables')
failures = []


def generate(folder, host='x86_64'):
    out = tempfile.mkdtemp()
    r = subprocess.run([sys.executable, '-B', os.path.join(text, 'gen', 'generate.py'), '--top',
                        folder, '--out', out, '--host', host], capture_output=True, text=True)
    files = {f: open(os.path.join(out, f), encoding='utf-8').read() for f in os.listdir(out)}
    shutil.rmtree(out)
    return r, files


def with_change(change):
    d = tempfile.mkdtemp()
    folder = os.path.join(d, 'syscall-tables')
    shutil.copytree(text, folder)
    change(folder)
    return d, folder


def add(name, line):
    def change(folder):
        with open(os.path.join(folder, name), 'a', encoding='utf-8') as f:
            f.write(line + '\n')
    return change


def replace(name, pattern, new):
    def change(folder):
        path = os.path.join(folder, name)
        with open(path, encoding='utf-8') as f:
            s = f.read()
        s, n = re.subn(pattern, new, s, count=1, flags=re.M)
        assert n == 1, (name, pattern)
        with open(path, 'w', encoding='utf-8') as f:
            f.write(s)
    return change


BAD = [
    (add('protos/file.tbl', 'frobnicate fd=fish'), 'no kind of value fish'),
    (add('protos/file.tbl', 'frobnicate buf=out:fish'), 'no kind of pointer fish'),
    (add('protos/file.tbl', 'frobnicate buf=out:bytes[size]'), 'no argument size'),
    (add('protos/file.tbl', 'frobnicate f=flags:nonsense'), 'no set nonsense'),
    (add('protos/file.tbl', 'frobnicate s=in:struct.nonsense'), 'no struct nonsense'),
    (add('protos/file.tbl', 'frobnicate | refuse ENOSYS'), 'an errno and a reason'),
    (add('protos/file.tbl', 'frobnicate | nonsense'), 'no option nonsense'),
    (add('protos/file.tbl', 'getpid -> pid'), 'getpid is there already'),
    (add('numbers/aarch64.tbl', '39 renameatx'), '39 is umount2 already'),
    (add('numbers/aarch64.tbl', '- nonsense'), 'no call nonsense'),
    (add('numbers/aarch64.tbl', 'nonsense'), 'want `NUMBER NAME`'),
    (add('consts/file.tbl', 'set open flags'), 'set open is there already'),
    (add('consts/file.tbl', '  NAME 1 vax=2'), 'no ABI vax'),
    (add('consts/file.tbl', 'set narrow flags\n  field 3\n    WIDE 7'), 'wider than its field'),
    (add('structs/file.tbl', '  oops fish'), 'no type fish'),
    (add('structs/file.tbl', 'struct only @arm\n  a i32'), 'no generic layout'),
    (add('structs/file.tbl', 'struct stat\n  a i32'), 'struct stat is there already'),
    (add('ioctls/tty.tbl', 'TWICE 0x5401 -'), 'has the number of'),
    (add('ioctls/tty.tbl', 'refuse 0x99 ENOTTY'), 'an errno and a reason'),
    (add('ioctls/tty.tbl', 'SIZED IOR(1,2,fish) -'), 'what is fish'),
    (add('sockopts/options.tbl', 'SO_THING 999'), 'want `level|control'),
    (add('sockopts/options.tbl', 'SO_THING 999 fish'), 'no kind of pointer fish'),
    (add('sockopts/options.tbl', 'level SOL_SOCKET 1\nSO_TWICE 1 i32'), 'has the number'),
    (add('abis.tbl', 'abu x'), 'want `abi NAME'),
]
for change, message in BAD:
    d, folder = with_change(change)
    r, _ = generate(folder)
    if r.returncode == 0 or message not in r.stderr or 'Traceback' in r.stderr:
        failures.append(f'want "{message}", got {r.returncode}: {r.stderr.strip()}')
    shutil.rmtree(d)

# The same text gives the same C, and a host of another kind gives other decisions.
r1, one = generate(text)
r2, two = generate(text)
if r1.returncode or one != two:
    failures.append(f'not the same twice: {r1.stderr}')
r3, arm = generate(text, 'aarch64')
if r3.returncode:
    failures.append(f'host aarch64: {r3.stderr}')


def how(files, abi, call):
    m = re.search(r'TABLE_(\w+),.*/\* ' + call + r' \*/', files[f'abi-{abi}.c'])
    return m[1] if m else None


for files, abi, call, want in [
        (one, 'aarch64', 'fstat', 'CONVERT'), (one, 'x86_64', 'fstat', 'PASS'),
        (arm, 'aarch64', 'fstat', 'PASS'), (arm, 'x86_64', 'fstat', 'CONVERT'),
        (arm, 'riscv64', 'fstat', 'PASS'), (one, 'aarch64', 'getpid', 'PASS'),
        (one, 'riscv64', 'epoll_ctl', 'CONVERT'), (arm, 'riscv64', 'epoll_ctl', 'PASS'),
        (one, 'arm', 'sendmsg', 'OWN'),
        (one, 'arm', 'vmsplice', 'REFUSE'), (one, 'aarch64', 'sendmsg', 'PASS'),
        (arm, 'x86_64', 'open', 'REFUSE'), (one, 'x86_64', 'open', 'CONVERT')]:
    if how(files, abi, call) != want:
        failures.append(f'{call} on {abi} is {how(files, abi, call)}, not {want}')

# Every call of the generic table has a row that says what becomes of it.
rows = re.findall(r'^ +\d+ (\w+) +(\w+)', one['coverage.txt'].split('riscv64:')[0], re.M)
if len(rows) < 320 or any('no prototype' in line for line in one['coverage.txt'].splitlines()[:330]):
    failures.append('the coverage of aarch64 has holes')

# check-tables.py must see wrong numbers, constants, orders of fields.
check = os.path.join(top, 'tests', 'syscalls', 'check-tables.py')
for change, message in [
        (replace('numbers/x86_64.tbl', '^0 read$', '660 read'), '__NR_read 660'),
        (replace('consts/errno.tbl', 'ENOENT 2', 'ENOENT 3'), 'ENOENT'),
        (replace('structs/file.tbl', r'(  f_bfree.*\n)(  f_bavail.*\n)', r'\2\1'), 'statfs.f_b'),
        (replace('ioctls/tty.tbl', '0x5413', '0x5499'), 'TIOCGWINSZ')]:
    d, folder = with_change(change)
    r = subprocess.run([sys.executable, '-B', check, d, f'x86_64={os.environ.get("CC", "cc")}'], capture_output=True, text=True)
    if r.returncode == 0 or message not in r.stdout:
        failures.append(f'check-tables.py did not see {message}: {r.stdout[-300:]}{r.stderr[-300:]}')
    shutil.rmtree(d)

for f in failures:
    print(f)
print(f'{len(BAD) + 18} checks, {len(failures)} failed')
sys.exit(1 if failures else 0)
