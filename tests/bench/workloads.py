#!/usr/bin/env python3
"""Measures what users run: Debian's programs in foreign roots, natively, under calque and under
qemu-user, by way of binfmt_misc as in a container. Needs root, and roots made by
tests/programs/fetch-root.sh; a workload whose program a root lacks is left out, and said so.

Each emulator gets a user and a mount namespace of its own with a private binfmt_misc, so nothing is
registered outside. All of a workload's runs alternate within one run; what counts is user + system
CPU time of all its processes (wait4); the figure is the median of the rounds' ratios to native.
Where a workload has a `base` (the program's start with nothing to do), `real` figures leave it out.
Output must be native's unless the workload says that it differs between processors.

usage: workloads.py --calque FILE --roots FOLDER [--qemu FILE-WITH-%s ...] [--match REGEX]
                    [--rounds N] [--csv FILE] [--guest arm64|riscv64] [--cold] [--no-store]
                    [--data FOLDER] [--store FOLDER]

--cold gives every run of calque an empty translation store; otherwise a first run warms it up, and
--store keeps it for later ones: configure and make fill one for two to three rounds.
"""
import argparse
import csv
import ctypes
import json
import math
import os
import random
import re
import resource  # noqa: os.wait4 wants it, and after chroot it is too late
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile

import debian_data

CLONE_NEWNS, CLONE_NEWUSER, MS_BIND_REC = 0x20000, 0x10000000, 0x5000
GUESTS = {  # Debian's name: (suite, the kernel's name, ELF machine, qemu's name)
    'arm64': ('bookworm', 'aarch64', 183, 'aarch64'),
    'riscv64': ('trixie', 'riscv64', 243, 'riscv64'),
}

PYTHON = '''
import random
def nbody(n):
    a, b, c = 0.1, 0.2, 0.3
    for i in range(n):
        a, b, c = b * c + 0.1, a - c * 0.5, (a + b) % 1.0
    return a
def words(n):
    r, d = random.Random(7), {}
    for i in range(n):
        k = "w%d" % r.randrange(5000)
        d[k] = d.get(k, 0) + len(k)
    return sorted(d.items(), key=lambda x: (-x[1], x[0]))[:3]
class P:
    def __init__(s, x): s.x = x
    def step(s): s.x = (s.x * 1103515245 + 12345) & 0x7fffffff; return s.x >> 16
def objects(n):
    p = P(1)
    return sum(p.step() & 1 for _ in range(n))
'''
PERL = '''my %h; my $x = 1; for my $i (1..N) { $x = ($x * 1103515245 + 12345) % 2147483648;
 my $k = "k" . ($x % 5000); $h{$k} += length $k; $s .= $k if $i % 16 == 0; }
my $n = () = $s =~ /k[0-9]*7[0-9]/g; print scalar(keys %h), " $n\\n";'''
LUA = '''local t, x = {}, 1 for i = 1, N do x = (x * 1103515245 + 12345) % 2147483648
 local k = "k" .. x % 5000 t[k] = (t[k] or 0) + i % 7 end local s = 0 for _, v in pairs(t) do
 s = s + v end print(s)'''
RUBY = '''h = Hash.new(0); x = 1; N.times { |i| x = (x * 1103515245 + 12345) & 0x7fffffff
 h["k#{x % 5000}"] += i % 7 }; puts h.values.sum'''
NODE = '''let x = 1, s = 0; const m = new Map(), f = new Float64Array(1000);
for (let i = 0; i < N; i++) { x = (Math.imul(x, 1103515245) + 12345) & 0x7fffffff;
 f[x % 1000] += x * 0.5; if (i % 8 == 0) m.set(x % 5000, i); s = (s + (x >> 7)) | 0; }
console.log(s, m.size, f[7]);'''
SQL = '''CREATE TABLE t (a INTEGER PRIMARY KEY, b, c TEXT);
INSERT INTO t WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < N)
 SELECT n, n * 7919 % 10007, 'row ' || n FROM s;
CREATE INDEX i ON t(b);
SELECT count(*), sum(b), max(c) FROM t WHERE b > 5000;
SELECT b, count(*) FROM t GROUP BY b % 97 ORDER BY 2 DESC, 1 LIMIT 3;
SELECT sum(length(x.c || y.c)) FROM t x JOIN t y ON x.a = y.b WHERE x.a < 10000;'''


def script(text, n):
    return text.replace('N', str(n)) if text is not PYTHON else text


def shell_quote(text):
    return "'" + text.replace("'", "'\\''") + "'"


class Workload:
    def __init__(self, name, group, command, needs, base=None, differs=False, lower=None):
        self.name, self.group, self.command, self.needs = name, group, command, needs
        self.base, self.differs, self.lower = base, differs, lower


def interpreter(name, program, flag, text, n):
    return Workload(name, 'real', f'{program} {flag} {shell_quote(text.replace("N", str(n)))}',
                    [program], f'{program} {flag} {shell_quote(text.replace("N", "1"))}')


def python(name, call):
    return Workload(name, 'real', f'python3 -c {shell_quote(PYTHON + "print(" + call + ")")}',
                    ['python3'], f'python3 -c {shell_quote(PYTHON)}')


def times(n, command):
    return f'i=0; while [ $i -lt {n} ]; do {command}; i=$((i+1)); done'


JAVA = '$(ls -d /usr/lib/jvm/*/bin/java | head -n 1)'
WORKLOADS = [
    python('python-float', 'nbody(4000000)'), python('python-dict', 'words(700000)'),
    python('python-objects', 'objects(3000000)'),
    interpreter('perl', 'perl', '-e', PERL, 1500000),
    interpreter('lua', 'lua5.4', '-e', LUA, 3000000),
    interpreter('ruby', 'ruby', '-e', RUBY, 3000000),
    interpreter('node', 'node', '-e', NODE, 60000000),
    Workload('java', 'real', f'{JAVA} -cp /data Work 60000000', ['java'], f'{JAVA} -cp /data Work 1'),
    Workload('sqlite', 'real', f'sqlite3 :memory: {shell_quote(SQL.replace("< N", "< 300000"))}',
             ['sqlite3'], 'sqlite3 :memory: "select 1"'),
    Workload('xz', 'real', 'xz -6 -T1 -c /data/text | wc -c', ['xz'], 'xz --version | wc -l'),
    Workload('unxz', 'real', 'xz -dc /data/text4.xz | wc -c', ['xz'], 'xz --version | wc -l'),
    Workload('zstd', 'real', 'zstd -q -15 --single-thread -c /data/text | wc -c', ['zstd'],
             'zstd --version | wc -l'),
    Workload('gzip', 'real', 'gzip -9 -c /data/text | wc -c', ['gzip'], 'gzip --version | wc -l'),
    Workload('bzip2', 'real', 'bzip2 -9 -c /data/text | wc -c', ['bzip2'],
             'bzip2 -c /data/hello.c | wc -l'),
    Workload('cc1', 'real', 'gcc -O2 -S -o - /data/big.c | wc -l | sed "s/.*/done/"', ['gcc'],
             'gcc -O2 -S -o - /data/hello.c | wc -l | sed "s/.*/done/"'),
    Workload('openssl-sha256', 'real',
             'for i in 1 2 3 4 5 6 7 8; do cat /data/text /data/text; done | openssl sha256',
             ['openssl'], 'openssl sha256 /data/hello.c > /dev/null; cat /data/text > /dev/null'),
    Workload('openssl-aes', 'real', 'for i in 1 2 3 4 5 6 7 8; do cat /data/text /data/text; done | '
             'openssl enc -aes-256-cbc -K 00 -iv 00 2>/dev/null | wc -c', ['openssl'],
             'openssl sha256 /data/hello.c > /dev/null; cat /data/text > /dev/null'),
    Workload('openssl-rsa', 'real', 'i=0; while [ $i -lt 40 ]; do openssl dgst -sign /data/key.pem '
             '/data/hello.c | wc -c; i=$((i+1)); done', ['openssl'],
             'i=0; while [ $i -lt 40 ]; do openssl dgst -sha1 /data/hello.c | wc -c; i=$((i+1)); done'),
    Workload('grep', 'real', 'grep -cE "(q[a-z]+u|z.*x){2}" /data/text', ['grep'],
             'grep -c main /data/hello.c'),
    Workload('sort', 'real', 'sort /data/text | cksum', ['sort'], 'sort /data/hello.c | cksum'),
    Workload('awk', 'real', 'mawk \'{ for (i = 1; i <= NF; i++) n[$i]++ } END { for (w in n) s += '
             'n[w] * length(w); print s }\' /data/text', ['mawk'], 'mawk "BEGIN { print 1 }"'),

    Workload('true-500', 'start', times(500, '/bin/true'), ['true']),
    Workload('python-start-100', 'start', times(100, 'python3 -c pass'), ['python3']),
    Workload('perl-start-100', 'start', times(100, 'perl -e 1'), ['perl']),
    Workload('ruby-start-20', 'start', times(20, 'ruby -e 1'), ['ruby']),
    Workload('node-start-10', 'start', times(10, 'node -e 0'), ['node']),
    Workload('java-start-5', 'start', times(5, f'{JAVA} -version 2>/dev/null'), ['java']),
    Workload('configure', 'start', 'cp -a /data/hello /tmp/hello && cd /tmp/hello && '
             './configure --build=$(gcc -dumpmachine) > log 2>&1 && tail -n 3 log',
             ['gcc', 'make', '/data/hello'], differs=True),
    Workload('make', 'start', 'cd /data/built-$(dpkg --print-architecture 2>/dev/null || uname -m) && '
             'make clean > /dev/null && make > /tmp/log 2>&1 && tail -n 1 /tmp/log',
             ['gcc', 'make', '/data/hello'], differs=True),
    Workload('gcc-5000-lines', 'start', 'gcc -O2 -c -o /tmp/x.o /data/big.c && echo done', ['gcc']),
    Workload('gcc-hello-10', 'start', times(10, 'gcc -O2 -o /tmp/x /data/hello.c'), ['gcc']),
    Workload('git-clone', 'start', 'git -c safe.directory="*" clone -q --no-local '
             'file:///data/repository.git /tmp/clone && ls /tmp/clone | wc -l', ['git']),
    Workload('shell-pipes-200', 'start',
             times(200, 'echo $i | sed s/1/2/ | grep -c 2 > /dev/null'), ['sed', 'grep']),
    Workload('apt-install-5', 'start', debian_data.APT_INSTALL, ['/data/apt-ARCH'],
             lower='/data/system-ARCH'),
    Workload('second-stage', 'start', debian_data.SECOND_STAGE, ['/data/stage-ARCH'],
             lower='/data/stage-ARCH', differs=True),
]

JAVA_SOURCE = '''
import java.util.*;
public class Work {
    interface Shape { double area(); }
    record Square(double a) implements Shape { public double area() { return a * a; } }
    record Circle(double r) implements Shape { public double area() { return r * r * 3.14; } }
    public static void main(String[] args) {
        int n = Integer.parseInt(args[0]), x = 1; double sum = 0; long bits = 0;
        HashMap<Integer, Integer> map = new HashMap<>();
        Shape[] shapes = { new Square(2), new Circle(3), new Square(5) };
        for (int i = 0; i < n; i++) {
            x = (x * 1103515245 + 12345) & 0x7fffffff;
            sum += shapes[(x >> 8) % 3].area();
            if (i % 16 == 0) map.merge(x % 5000, 1, Integer::sum);
            bits += Integer.bitCount(x);
        }
        System.out.println(sum + " " + bits + " " + map.size());
    }
}
'''


def make_data(folder):
    """What the workloads read; the same for every root."""
    rng = random.Random(1)
    words = [''.join(rng.choice('etaoinshrdlucmfwypvbgkjqxz') for _ in range(rng.randint(2, 9)))
             for _ in range(4000)]
    with open(f'{folder}/text', 'w') as f:
        for _ in range(60000):
            f.write(' '.join(rng.choice(words) for _ in range(12)) + '\n')
    with open(f'{folder}/text4.xz', 'wb') as f:
        for _ in range(4):
            f.write(subprocess.check_output(['xz', '-6', '-T1', '-c', f'{folder}/text']))
    with open(f'{folder}/hello.c', 'w') as f:
        f.write('#include <stdio.h>\nint main(void) { puts("hello"); return 0; }\n')
    with open(f'{folder}/big.c', 'w') as f:
        f.write('#include <stdio.h>\n#include <string.h>\n#include <stdlib.h>\n')
        for k in range(330):
            f.write(f'''
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
    subprocess.check_call(['openssl', 'genrsa', '-out', f'{folder}/key.pem', '2048'],
                          stderr=subprocess.DEVNULL)
    repository, work = f'{folder}/repository.git', f'{folder}/work'
    git = ['git', '-c', 'user.name=a', '-c', 'user.email=a@b', '-C', work]
    os.mkdir(work)
    subprocess.check_call([*git, 'init', '-q'])
    for k in range(150):
        for j in range(6):
            with open(f'{work}/file{(k * 7 + j) % 400}.c', 'w') as f:
                f.write(f'/* {k} */\n' + ''.join(f'{rng.choice(words)} = {rng.random()};\n'
                                                 for _ in range(60)))
        subprocess.check_call([*git, 'add', '-A'])
        subprocess.check_call([*git, 'commit', '-q', '-m', f'change {k}'])
    subprocess.check_call(['git', 'clone', '-q', '--bare', work, repository])
    shutil.rmtree(work)
    if shutil.which('javac'):
        with open(f'{folder}/Work.java', 'w') as f:
            f.write(JAVA_SOURCE)
        subprocess.check_call(['javac', '--release', '17', '-d', folder, f'{folder}/Work.java'])
    debian_data.fetch_hello(folder)


def enter_copy(lower, in_place):
    """Changes the root to a copy-on-write one, in a mount namespace of its own; or to `lower`."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS):
        raise OSError(ctypes.get_errno(), 'unshare')

    def mount(source, target, kind=None, options=None):
        if libc.mount(source.encode(), target.encode(), kind and kind.encode(),
                      0 if kind else MS_BIND_REC, options and options.encode()):
            raise OSError(ctypes.get_errno(), f'mount {target}')
    top = lower if in_place else '/tmp/copy/top'
    if not in_place:
        os.mkdir('/tmp/copy')
        mount('tmpfs', '/tmp/copy', 'tmpfs')
        for name in 'up', 'work', 'top':
            os.mkdir(f'/tmp/copy/{name}')
        mount('overlay', top, 'overlay',
              f'lowerdir={lower},upperdir=/tmp/copy/up,workdir=/tmp/copy/work,userxattr')
    for name in 'proc', 'dev', 'data', 'store':
        if os.path.islink(f'{top}/{name}'):  # debootstrap makes one of proc in containers
            os.unlink(f'{top}/{name}')
        os.makedirs(f'{top}/{name}', exist_ok=True)
        mount(f'/{name}', f'{top}/{name}')
    mount('tmpfs', f'{top}/tmp', 'tmpfs')
    os.chroot(top)


class Runner:
    """A process in namespaces of its own that runs commands in one root, under one emulator."""

    def __init__(self, root, arch, data, emulator, guest, store):
        self.root, self.arch = root, arch
        ask, self.ask = os.pipe()
        self.answer, answer = os.pipe()
        ready, go = os.pipe(), os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                libc = ctypes.CDLL(None, use_errno=True)
                libc.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
                if libc.unshare(CLONE_NEWUSER | CLONE_NEWNS):
                    raise OSError(ctypes.get_errno(), 'unshare')
                os.write(ready[1], b'x')
                os.read(go[0], 1)
                os.setgid(0)
                os.setuid(0)
                self.prepare(data, emulator, guest, store)
                os.chroot(root)
                self.serve(os.fdopen(ask), os.fdopen(answer, 'w'))
            except Exception as error:
                print(f'{root}: {error}', file=sys.stderr)
            finally:
                os._exit(1)
        os.close(ask)
        os.close(answer)
        os.read(ready[0], 1)
        for name in 'uid_map', 'gid_map':
            with open(f'/proc/{self.pid}/{name}', 'w') as f:
                f.write('0 0 65536')
        os.write(go[1], b'x')
        for fd in (*ready, *go):
            os.close(fd)
        self.ask, self.answer = os.fdopen(self.ask, 'w'), os.fdopen(self.answer)

    def prepare(self, data, emulator, guest, store):
        def mount(*args):
            subprocess.check_call(['mount', *args])
        for folder in 'data', 'store':
            os.makedirs(f'{self.root}/{folder}', exist_ok=True)
        mount('--make-rprivate', '/')
        mount('--rbind', '/proc', f'{self.root}/proc')
        mount('--rbind', '/dev', f'{self.root}/dev')
        mount('-t', 'tmpfs', 'tmpfs', f'{self.root}/tmp')
        mount('--rbind', data, f'{self.root}/data')
        mount('--rbind', store, f'{self.root}/store')
        if emulator:
            misc = f'{self.root}/tmp/binfmt'
            os.mkdir(misc)
            mount('-t', 'binfmt_misc', 'binfmt_misc', misc)
            machine = GUESTS[guest][2]
            magic = b'\x7fELF\2\1\1' + bytes(9) + b'\2\0' + machine.to_bytes(2, 'little')
            mask = b'\xff' * 7 + b'\0' + bytes(8) + b'\xfe\xff\xff\xff'
            quote = lambda b: ''.join(f'\\x{c:02x}' for c in b)
            with open(f'{misc}/register', 'w') as f:
                f.write(f':guest:M::{quote(magic)}:{quote(mask)}:{emulator}:F')

    def serve(self, ask, answer):
        os.environ.clear()
        os.environ.update(PATH='/usr/bin:/usr/sbin', HOME='/tmp', LC_ALL='C.UTF-8', TERM='dumb',
                          CALQUE_CACHE_DIR='/store', ARCH=self.arch, GIT_CONFIG_COUNT='1',
                          GIT_CONFIG_KEY_0='safe.directory', GIT_CONFIG_VALUE_0='*')
        for line in ask:
            request = json.loads(line)
            with open('/tmp/.out', 'w+b') as out:
                pid = os.fork()
                if pid == 0:
                    null = os.open('/dev/null', os.O_RDWR)
                    os.dup2(null, 0)
                    os.dup2(out.fileno(), 1)
                    os.dup2(null, 2)
                    signal.alarm(0)
                    os.environ.update(request['env'])
                    try:
                        if request['lower']:
                            enter_copy(request['lower'], request['in_place'])
                        os.chdir('/tmp')
                        os.execv('/bin/sh', ['sh', '-c', request['command']])
                    finally:
                        os._exit(126)
                _, status, usage = os.wait4(pid, 0)
                out.seek(0)
                text = out.read().decode('latin-1')
            for name in os.listdir('/tmp'):
                if name not in ('binfmt', '.out'):
                    path = f'/tmp/{name}'
                    shutil.rmtree(path, True) if os.path.isdir(path) else os.unlink(path)
            answer.write(json.dumps([usage.ru_utime + usage.ru_stime, status, text]) + '\n')
            answer.flush()

    def run(self, command, env=None, lower=None, in_place=False):
        """[CPU seconds, status, output]; in a copy of `lower` that lasts as long as the command."""
        self.ask.write(json.dumps({'command': command, 'env': env or {}, 'in_place': in_place,
                                   'lower': lower and lower.replace('ARCH', self.arch)}) + '\n')
        self.ask.flush()
        answer = self.answer.readline()
        if not answer:
            raise SystemExit(f'{self.root}: the namespace could not be prepared')
        return json.loads(answer)

    def has(self, needs, data):
        for need in needs:
            if need == 'java':
                found = os.path.isdir(f'{self.root}/usr/lib/jvm') and \
                    (os.path.exists(f'{data}/Work.class'))
            elif need.startswith('/data'):
                found = os.path.exists(data + need[5:].replace('ARCH', self.arch))
            else:
                found = any(os.path.exists(f'{self.root}/usr/{d}/{need}') for d in ('bin', 'sbin'))
            if not found:
                return False
        return True


def geomean(values):
    return math.exp(sum(map(math.log, values)) / len(values)) if values else float('nan')


def measure(w, runners, options):
    """{name: median ratio to native}; None: failed, with the reason printed."""
    env = {'CALQUE_NO_CACHE': '1'} if options.no_store else {}
    ratios, expected = {name: [] for name in runners}, None
    for name, r in runners.items():  # warms the page cache and the store up
        cpu, status, text = r.run(w.command, env, w.lower)
        if w.base:
            r.run(w.base, env)
        if expected is None:
            expected = (status, text)
            if status:
                print(f'  {w.name}: fails natively, status {status}: {text[-120:]!r}')
                return {}, cpu
        elif (status, text) != expected and not (w.differs and status == expected[0]):
            print(f'  {w.name}: {name} differs: status {status}, native {expected[0]}; '
                  f'{text[-120:]!r}, native {expected[1][-120:]!r}')
            ratios.pop(name)
    for _ in range(options.rounds):
        native = None
        for name in list(ratios):
            r = runners[name]
            if options.cold and name == 'calque':
                for entry in os.listdir(options.store):
                    path = f'{options.store}/{entry}'
                    shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)
            cpu = r.run(w.command, env, w.lower)[0]
            if w.base:
                cpu -= r.run(w.base, env)[0]
            cpu = max(cpu, 0.001)
            native = native or cpu
            ratios[name].append(cpu / native)
    return {name: statistics.median(values) for name, values in ratios.items()}, native


def run_guest(guest, options, rows):
    suite, kernel_name, _, qemu_name = GUESTS[guest]
    data = options.data
    roots = {arch: f'{options.roots}/{arch}-{suite}' for arch in ('amd64', guest)}
    for root in roots.values():
        if not os.path.isdir(root):
            print(f'no root {root}')
            return
    for arch in roots:
        debian_data.fetch_stage(data, f'{arch}-{suite}', arch, suite)
    runners = {'native': Runner(roots['amd64'], f'amd64-{suite}', data, None, guest,
                                options.store),
               'calque': Runner(roots[guest], f'{guest}-{suite}', data,
                                os.path.abspath(options.calque), guest, options.store)}
    for k, path in enumerate(options.qemu):
        runners[f'qemu{k + 1 if k else ""}'] = Runner(roots[guest], f'{guest}-{suite}', data,
                                                      path % qemu_name, guest, options.store)
    for arch, name in ('amd64', 'native'), (guest, 'calque'):
        debian_data.finish_stage(data, f'{arch}-{suite}', runners[name])
        debian_data.fetch_packages(data, f'{arch}-{suite}', arch, suite)
    if os.path.isdir(f'{data}/hello'):
        for name in ('native', 'calque'):
            runners[name].run('d=/data/built-$(dpkg --print-architecture 2>/dev/null || uname -m); '
                              '[ -d $d ] || { cp -a /data/hello $d && cd $d && '
                              './configure --build=$(gcc -dumpmachine); }')
    names = list(runners)
    print(f'\n{guest} {suite}: CPU time, ratio to native, median of {options.rounds} rounds')
    print(f'{"workload":18}{"native s":>9}' + ''.join(f'{n:>9}' for n in names[1:]))
    groups = {}
    for w in WORKLOADS:
        if options.match and not re.search(options.match, w.name) and options.match != w.group:
            continue
        if not all(r.has(w.needs, data) for r in runners.values()):
            print(f'{w.name:18}  left out: a root lacks one of {", ".join(w.needs)}')
            continue
        ratio, native = measure(w, runners, options)
        print(f'{w.name:18}{native:9.3f}' + ''.join(
            f'{ratio[n]:9.2f}' if n in ratio else f'{"fails":>9}' for n in names[1:]), flush=True)
        rows.append([guest, w.group, w.name, f'{native:.3f}',
                     *[f'{ratio[n]:.3f}' if n in ratio else '' for n in names[1:]]])
        for n in names[1:]:
            if n in ratio:
                groups.setdefault(w.group, {}).setdefault(n, []).append(ratio[n])
    for group, figures in groups.items():
        print(f'{group + ", mean":27}' + ''.join(
            f'{geomean(figures.get(n, [])):9.2f}' for n in names[1:]))


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split('usage: ')[1])
    parser.add_argument('--calque', required=True)
    parser.add_argument('--roots', required=True)
    parser.add_argument('--qemu', action='append', default=[])
    parser.add_argument('--match')
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--csv')
    parser.add_argument('--guest', action='append')
    parser.add_argument('--cold', action='store_true')
    parser.add_argument('--no-store', action='store_true')
    parser.add_argument('--data', help='a folder that keeps the generated data between runs')
    parser.add_argument('--store', help='a folder that keeps the translation store between runs')
    options = parser.parse_args()
    options.roots = os.path.abspath(options.roots)
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        options.store = os.path.abspath(options.store or f'{scratch}/store')
        os.makedirs(options.store, exist_ok=True)
        options.data = os.path.abspath(options.data or f'{scratch}/data')
        if not os.path.isdir(options.data):
            os.makedirs(options.data)
            make_data(options.data)
        for guest in options.guest or GUESTS:
            run_guest(guest, options, rows)
    if options.csv:
        with open(options.csv, 'w', newline='') as f:
            csv.writer(f).writerows(rows)


main()
