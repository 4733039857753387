#!/usr/bin/env python3
"""Peak memory of big programs in foreign Debian roots, beside the same in a native root: the
largest proportional set size among samples, in MiB. The bound is 1.3 times native's and 16 MiB.
Needs root (chroot), and roots with gcc, nodejs, a JRE and python3.

usage: memory-big.py --calque FILE --roots FOLDER [--match REGEX] [--rounds N] [--guest GUEST]
                     [--detail]

Each program runs natively, with an empty translation store, and once more with a full one. The
status is 1 if a program exceeds the bound or fails. --detail tells which mappings the most is in.
"""
import argparse
import ctypes
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

CLONE_NEWNS = 0x20000
GUESTS = {'arm64': 'bookworm', 'riscv64': 'trixie'}
FACTOR, SLACK_MIB, INTERVAL = 1.3, 16, 0.02

PYTHON = '''
import json, random
r = random.Random(3)
rows = [{"k%d" % i: [r.random() for _ in range(8)], "t": "x" * (i % 90)} for i in range(60000)]
s = json.dumps(rows)
back = json.loads(s)
print(len(s), len(back), sum(len(x) for x in back))
'''
NODE = '''
const rows = []; let x = 1;
for (let i = 0; i < 400000; i++) { x = (Math.imul(x, 1103515245) + 12345) & 0x7fffffff;
 rows.push({k: 'k' + x % 5000, v: [x, i, x * 0.5]}); }
const s = JSON.stringify(rows.slice(0, 150000)), m = new Map();
for (const r of JSON.parse(s)) m.set(r.k, (m.get(r.k) || 0) + r.v[1]);
console.log(s.length, m.size);
'''
SMALL_NODE = '''
let s = 0; const m = new Map();
for (let i = 0; i < 100000; i++) { m.set('k' + i % 5000, i); s += i % 7; }
console.log(s, m.size, require('crypto').createHash('sha256').update('x').digest('hex').length);
'''


def c_source():
    """Some 5,000 lines of everyday C."""
    parts = ['#include <stdio.h>\n#include <string.h>\n#include <stdlib.h>\n']
    for k in range(330):
        parts.append(f'''
struct s{k} {{ int a, b[{k % 7 + 2}]; char name[16]; double d; struct s{k} *next; }};
int f{k}(struct s{k} *p, int n) {{
    int sum = {k};
    for (int i = 0; i < n; i++) {{
        if (p[i].a > {k % 13}) sum += p[i].b[i % {k % 7 + 2}] * {k % 31 + 3};
        else sum ^= (int)(p[i].d * {k % 5}.5) + p[i].name[i & 15];
        switch (sum % 5) {{
        case 0: sum += i; break; case 1: sum -= 3 * i; break;
        case 2: sum ^= {k}; break; default: sum >>= 1; }}
    }}
    for (struct s{k} *q = p; q; q = q->next) sum += (int)strlen(q->name);
    return sum;
}}
''')
    return ''.join(parts)


def find(root, *patterns):
    """The first file below root, by path inside it, whose name matches."""
    for pattern in patterns:
        folder, name = pattern.rsplit('/', 1)
        for at, _, files in os.walk(root + folder):
            if name in files:
                return at[len(root):] + '/' + name
    return None


def programs(root, data):
    """[(name, command or None if the root lacks it)]; data: a folder inside the root."""
    cc1 = find(root, '/usr/lib/gcc/cc1', '/usr/libexec/gcc/cc1')
    java = find(root, '/usr/lib/jvm/java')
    node = '/usr/bin/node' if os.path.exists(f'{root}/usr/bin/node') else None
    python = os.path.exists(f'{root}/usr/bin/python3')
    machine = ['-march=rv64gc', '-mabi=lp64d'] if cc1 and 'riscv64' in cc1 else []
    return [
        ('cc1', cc1 and [cc1, '-quiet', '-O2', *machine, '-imultiarch', cc1.split('/')[-3],
                         f'{data}/big.c', '-o', '/dev/null']),
        ('node-small', node and [node, f'{data}/small.js']),
        ('node', node and [node, f'{data}/big.js']),
        ('java-dump', java and [java, '-Xmx256m', '-Xshare:dump',
                                f'-XX:SharedArchiveFile={data}/classes.jsa']),
        ('python', python and ['/usr/bin/python3', f'{data}/big.py']),
    ]


def put_data(folder):
    for name, text in {'big.c': c_source(), 'big.js': NODE, 'small.js': SMALL_NODE,
                       'big.py': PYTHON}.items():
        with open(f'{folder}/{name}', 'w') as f:
            f.write(text)


def pss(pid):
    """In KiB; 0: it has ended."""
    try:
        with open(f'/proc/{pid}/smaps_rollup') as f:
            for line in f:
                if line.startswith('Pss:'):
                    return int(line.split()[1])
    except (OSError, ProcessLookupError):
        pass
    return 0


def mappings(pid):
    """{name: KiB of PSS}, anonymous ones by size and protection."""
    found, name = {}, None
    try:
        with open(f'/proc/{pid}/smaps') as f:
            for line in f:
                head = re.match(r'([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \d+ *(.*)', line)
                if head:
                    start, end = int(head[1], 16), int(head[2], 16)
                    name = head[4] or f'{head[1]} {end - start >> 10} KiB {head[3]}'
                elif line.startswith('Pss:'):
                    found[name] = found.get(name, 0) + int(line.split()[1])
    except (OSError, ProcessLookupError):
        pass
    return found


def peak(root, command, emulator, store, detail):
    """Peak PSS in KiB and the mappings at that time."""
    pid = os.fork()
    if pid == 0:
        try:
            fd = os.open(emulator, os.O_RDONLY) if emulator else -1
            null = os.open('/dev/null', os.O_RDWR)
            for n in range(3 if not detail else 2):
                os.dup2(null, n)
            os.chroot(root)
            os.chdir('/')
            env = {'PATH': '/usr/bin', 'HOME': '/tmp', 'LC_ALL': 'C.UTF-8', **store}
            if emulator:
                os.execve(fd, ['calque', *command], env)
            os.execve(command[0], command, env)
        finally:
            os._exit(126)
    most, where, ended = 0, {}, 0
    while not ended:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            break
        now = pss(pid)
        if now > most:
            if detail and now > most * 1.02:
                where = mappings(pid)
            most = max(most, now)
        time.sleep(INTERVAL)
    code = os.waitstatus_to_exitcode(status)
    if code:
        sys.exit(f'memory-big.py: {" ".join(command)}{" (emulated)" if emulator else ""}: '
                 + (f'status {code}' if code > 0 else signal.Signals(-code).name))
    return most, where


def report(where):
    for name, kib in sorted(where.items(), key=lambda x: -x[1])[:25]:
        print(f'    {kib / 1024:8.1f} {name}')


def run_guest(guest, options):
    suite, good = GUESTS[guest], True
    native, foreign = (f'{options.roots}/{a}-{suite}' for a in ('amd64', guest))
    if not os.path.isdir(native) or not os.path.isdir(foreign):
        print(f'{guest}: no root {foreign} or {native}')
        return True
    data = '/tmp/memory-big'
    for root in native, foreign:
        os.makedirs(root + data, exist_ok=True)
        subprocess.check_call(['mount', '--rbind', '/proc', root + '/proc'])
        subprocess.check_call(['mount', '--rbind', '/dev', root + '/dev'])
        put_data(root + data)
    store = tempfile.mkdtemp(dir=foreign + '/tmp')
    env = {'CALQUE_CACHE_DIR': store[len(foreign):]}
    try:
        for (name, here), (_, there) in zip(programs(native, data), programs(foreign, data)):
            if not re.search(options.match, name):
                continue
            if not here or not there:
                print(f'{guest:8} {name:13} is not in the root')
                continue
            sizes = {'native': [], 'cold': [], 'warm': []}
            last = {}
            for _ in range(options.rounds):
                shutil.rmtree(store)
                os.mkdir(store)
                for kind in sizes:
                    root, command = (native, here) if kind == 'native' else (foreign, there)
                    emulator = None if kind == 'native' else options.calque
                    size, last[kind] = peak(root, command, emulator, env, options.detail)
                    sizes[kind].append(size / 1024)
            mib = {kind: statistics.median(values) for kind, values in sizes.items()}
            bound = FACTOR * mib['native'] + SLACK_MIB
            over = max(mib['cold'], mib['warm']) > bound
            good &= not over
            print(f'{guest:8} {name:13} native {mib["native"]:7.1f}  cold {mib["cold"]:7.1f}  '
                  f'warm {mib["warm"]:7.1f}  bound {bound:7.1f}{"  EXCEEDED" if over else ""}',
                  flush=True)
            if options.detail:
                for kind in last:
                    print(f'  {kind}:')
                    report(last[kind])
    finally:
        shutil.rmtree(store, ignore_errors=True)
        for root in native, foreign:
            shutil.rmtree(root + data, ignore_errors=True)
    return good


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split('usage: ')[1])
    parser.add_argument('--calque', required=True, type=os.path.abspath)
    parser.add_argument('--roots', required=True)
    parser.add_argument('--match', default='')
    parser.add_argument('--rounds', type=int, default=1)
    parser.add_argument('--guest', choices=GUESTS, action='append')
    parser.add_argument('--detail', action='store_true')
    options = parser.parse_args()
    if os.geteuid():
        sys.exit('memory-big.py: chroot needs root')
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS):
        sys.exit(f'memory-big.py: unshare: {os.strerror(ctypes.get_errno())}')
    subprocess.check_call(['mount', '--make-rprivate', '/'])
    print('peak PSS, MiB')
    results = [run_guest(guest, options) for guest in options.guest or GUESTS]
    sys.exit(0 if all(results) else 1)


main()
