#!/usr/bin/env python3
"""The tables of syscall-tables/ against the kernel's headers.

For each ABI whose compiler is there: numbers, constants, sizes and offsets become _Static_asserts
that the compiler checks. Names that an older header lacks are left out, but never all of them.

usage: check-tables.py SOURCE-DIRECTORY [ABI=COMPILER …]
"""

import os
import re
import subprocess
import sys

top = sys.argv[1]
compilers = dict(a.split('=', 1) for a in sys.argv[2:])
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(top, 'syscall-tables', 'gen'))
import model  # noqa: E402

# The kernel's headers and libc's can't all be in one unit: structures come in groups.
STRUCTS = [
    ('#include <linux/fs.h>\n#include <linux/stat.h>\n#include <asm/stat.h>\n#include <asm/statfs.h>\n'
     '#include <linux/openat2.h>\n#include <linux/mount.h>\n#include <asm/fcntl.h>\n'
     '#include <linux/fiemap.h>\n',
     ['stat', 'statx', 'statx_timestamp', 'statfs', 'open_how', 'mount_attr', 'flock', 'f_owner_ex',
      'fsxattr', 'fiemap', 'file_clone_range', 'fstrim_range']),
    ('#include <linux/time.h>\n#include <linux/timex.h>\n#include <linux/times.h>\n'
     '#include <linux/resource.h>\n#include <linux/utsname.h>\n#include <linux/sysinfo.h>\n'
     '#include <linux/uio.h>\n#include <asm/poll.h>\n#include <linux/mqueue.h>\n',
     ['timezone', 'tms', 'rlimit64', 'iovec', 'pollfd', 'mq_attr', 'sysinfo']),
    ('#include <linux/fcntl.h>\n#include <linux/eventpoll.h>\n', ['epoll_event']),
    ('#include <linux/sem.h>\n#include <linux/msg.h>\n#include <linux/shm.h>\n',
     ['sembuf', 'semid_ds=semid64_ds', 'msqid_ds=msqid64_ds', 'shmid_ds=shmid64_ds',
      'ipc_perm=ipc64_perm']),
    ('#include <sys/time.h>\n#include <sys/resource.h>\n#include <sys/timex.h>\n#include <time.h>\n'
     '#include <sys/utsname.h>\n',
     ['timespec', 'timeval', 'itimerspec', 'itimerval', 'rusage', 'rlimit', 'timex', 'utsname']),
    ('#include <asm/termbits.h>\n#include <asm/termios.h>\n',
     ['termios', 'termios2', 'winsize']),
    ('#include <linux/loop.h>\n#include <linux/rtc.h>\n#include <linux/serial.h>\n'
     '#include <linux/hdreg.h>\n#include <linux/blkpg.h>\n',
     ['loop_info64', 'rtc_time', 'serial_struct', 'hd_geometry', 'blkpg_ioctl_arg']),
    ('#include <linux/sched/types.h>\n#include <linux/sched.h>\n#include <linux/types.h>\n',
     ['clone_args']),
]
# libc's headers name some fields otherwise, or have a union there.
SKIP = {'cc', '_'}

CONST_HEADERS = '''
#include <fcntl.h>
#include <sys/stat.h>
#include <linux/stat.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/xattr.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <unistd.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <sys/time.h>
#include <signal.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/sem.h>
#include <sys/msg.h>
#include <sys/resource.h>
#include <sys/random.h>
#include <sched.h>
#include <sys/wait.h>
#include <sys/prctl.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <linux/close_range.h>
#include <linux/falloc.h>
#include <errno.h>
#include <asm/unistd.h>
'''
# What libc's headers and the kernel's say in conflict, or only the kernel's.
KERNEL_HEADERS = '''
#include <linux/types.h>
#include <linux/keyctl.h>
#include <linux/bpf.h>
#include <linux/landlock.h>
#include <linux/kcmp.h>
#include <linux/seccomp.h>
#include <linux/fanotify.h>
#include <linux/io_uring.h>
#include <linux/mempolicy.h>
#include <linux/ioprio.h>
#include <linux/perf_event.h>
#include <linux/reboot.h>
#include <linux/mount.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/prctl.h>
#include <linux/membarrier.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <linux/net_tstamp.h>
#include <asm/socket.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/if_alg.h>
#include <linux/udp.h>
#include <linux/tls.h>
'''
IOCTL_HEADERS = '''
#include <asm/ioctls.h>
#include <asm/termbits.h>
#include <linux/fs.h>
#include <linux/fiemap.h>
#include <linux/if_tun.h>
#include <linux/loop.h>
#include <linux/rtc.h>
#include <linux/sockios.h>
#include <linux/random.h>
#include <linux/hdreg.h>
#include <linux/kd.h>
#include <linux/vt.h>
#include <linux/cdrom.h>
#include <linux/blkpg.h>
#include <linux/userfaultfd.h>
'''
# ioctls and their structures by area, with the kernel's headers alone: file of ioctls/ -> headers.
AREAS = {
    'block': 'linux/fs.h linux/loop.h linux/nbd.h linux/blkzoned.h linux/random.h linux/raid/md_u.h '
             'linux/nvme_ioctl.h linux/fscrypt.h linux/fsverity.h linux/blktrace_api.h',
    'btrfs': 'linux/fs.h linux/btrfs.h', 'cdrom': 'linux/cdrom.h', 'dm': 'linux/dm-ioctl.h',
    'drm': 'drm/drm.h', 'input': 'linux/input.h linux/uinput.h',
    'kernel': 'linux/userfaultfd.h linux/seccomp.h linux/nsfs.h linux/fuse.h linux/perf_event.h',
    'netdev': 'linux/filter.h linux/if_tun.h linux/ppp-ioctl.h linux/vhost.h sys/socket.h '
              'linux/vm_sockets.h',
    'rtc': 'linux/rtc.h linux/watchdog.h linux/pps.h linux/ptp_clock.h', 'sound': 'sound/asound.h',
    'usb': 'linux/usbdevice_fs.h', 'video': 'linux/videodev2.h',
    'vt': 'linux/kd.h linux/vt.h linux/fb.h',
}
# Structures that have grown, and with them the numbers: the kernel takes either.
GREW = {'DRM_IOCTL_SYNCOBJ_FD_TO_HANDLE', 'DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD', 'drm_syncobj_handle',
        'DRM_IOCTL_SYNCOBJ_TIMELINE_WAIT', 'DRM_IOCTL_SYNCOBJ_WAIT', 'drm_syncobj_timeline_wait',
        'drm_syncobj_wait'}
# In 64-bit libcs these are 0 or hold other bits as well.
LIBC_ONLY = {'O_LARGEFILE', 'O_TMPFILE', 'EPOLLMSG'}


def compile_asserts(cc, headers, asserts):
    """Left-out names and failures: unknown names are dropped and the rest is tried again."""
    dropped = set()
    while True:
        src = '#define _GNU_SOURCE\n#include <stddef.h>\n' + headers + '\n'.join(
            a for name, a in asserts if name not in dropped)
        r = subprocess.run([*cc.split(), '-fsyntax-only', '-w', '-x', 'c', '-'], input=src,
                           capture_output=True, text=True, env={**os.environ, 'LC_ALL': 'C'})
        if r.returncode == 0:
            return len([1 for name, _ in asserts if name not in dropped]), [], dropped
        gone = re.search(r'fatal error: (\S+): No such file', r.stderr)
        if gone and f'<{gone[1]}>' in headers:
            headers = headers.replace(f'#include <{gone[1]}>\n', '')
            continue
        missing = set(re.findall(r"'(\w+)' undeclared|has no member named '(\w+)'|"
                                 r"incomplete type 'struct (\w+)'|undefined type 'struct (\w+)'|'(\w+)' has not been declared",
                                 r.stderr.replace('‘', "'").replace('’', "'")))
        names = {n for m in missing for n in m if n} - dropped
        failed = re.findall(r'static assertion failed: (.*)', r.stderr)
        if not names and not failed:
            # what else an older header makes of a line: its type isn't there
            body = src.split('\n')
            for n in re.findall(r'<stdin>:(\d+):\d+: error: (?!static)', r.stderr):
                names |= {name for name, a in asserts if a == body[int(n) - 1]} - dropped
        if not names:
            return 0, failed or [r.stderr], dropped
        dropped |= names


def wordy(abi, struct):
    """Unions are written for 64-bit words only, and refused elsewhere."""
    return struct is not None and abi.word != 8 and abi.has_union(struct)


def check(abi, cc):
    bad, done = [], 0

    def run(headers, asserts, least, more_headers=None):
        nonlocal done
        n, failed, dropped = compile_asserts(cc, headers, asserts)
        if more_headers and not failed:
            m, failed, _ = compile_asserts(cc, more_headers,
                                           [a for a in asserts if a[0] in dropped])
            n += m
        bad.extend(f'{abi.name}: {f}' for f in failed)
        done += n
        if not failed and n < least:
            bad.append(f'{abi.name}: only {n} of {len(asserts)} could be checked')

    for headers, names in STRUCTS:
        asserts = []
        for n in names:
            mine, _, theirs = n.partition('=')
            theirs = theirs or mine
            lay = abi.layout(mine)
            asserts.append((theirs, f'_Static_assert(sizeof(struct {theirs}) == {lay.size}, '
                            f'"sizeof {theirs} {lay.size}");'))
            for f, offset, _ in lay.fields:
                if not f.name.startswith('_'):
                    asserts.append((f.name, f'_Static_assert(offsetof(struct {theirs}, {f.name}) == '
                                    f'{offset}, "{theirs}.{f.name} {offset}");'))
        run(headers, asserts, len(names) * 2)
    consts = []
    for s in abi.tables.sets.values():
        for v, _, name in s.on(abi.name):
            if name not in LIBC_ONLY:
                consts.append((name, f'_Static_assert((unsigned)({name}) == {v & 0xffffffff}u, '
                               f'"{s.name}.{name} {v:#x}");'))
    for o in abi.tables.sockopts:
        consts.append((o.name, f'_Static_assert((unsigned)({o.name}) == {o.value}u, '
                       f'"{o.name} {o.value}");'))
    run(CONST_HEADERS, consts, len(consts) * 3 // 4, KERNEL_HEADERS)
    others = [i for i in abi.tables.ioctls
              if re.search(r'ioctls/(\w+)\.tbl', i.place)[1] not in AREAS]
    run(IOCTL_HEADERS, [(i.name, f'_Static_assert((unsigned)({i.name}) == '
                         f'{abi.ioctl_number(i)}u, "{i.name} {abi.ioctl_number(i):#x}");')
                        for i in others], len(others) * 3 // 4)
    for area, names in AREAS.items():
        headers = ''.join(f'#include <{h}>\n' for h in names.split())
        mine = [i for i in abi.tables.ioctls if f'ioctls/{area}.tbl' in i.place and
                i.name not in GREW and not wordy(abi, i.ref if i.kind == 'struct' else None)]
        asserts = [(i.name, f'_Static_assert((unsigned)({i.name}) == {abi.ioctl_number(i)}u, '
                    f'"{i.name} {abi.ioctl_number(i):#x}");') for i in mine]
        for n in abi.tables.struct_names():
            s = abi.tables.struct_on(n, abi.name)
            if f'structs/ioctl-{area}.tbl' not in s.place or n in GREW or wordy(abi, n):
                continue
            asserts.append((n, f'_Static_assert(sizeof(struct {n}) == {abi.layout(n).size}, '
                            f'"sizeof {n} {abi.layout(n).size}");'))
            asserts += [(f.name, f'_Static_assert(offsetof(struct {n}, {f.name}) == {offset}, '
                         f'"{n}.{f.name} {offset}");')
                        for f, offset, _ in abi.layout(n).fields if not f.name.startswith('_')]
        # some machines have no headers of an area
        run(headers, asserts, 0 if area == 'drm' else len(asserts) // 3)
    numbers = abi.numbers()
    run('#include <asm/unistd.h>\n',
        [(f'__NR_{n}', f'_Static_assert(__NR_{n} == {v}, "__NR_{n} {v}");')
         for n, v in numbers.items()], len(numbers) * 3 // 4)
    # Nothing that the headers number is missing.
    text = subprocess.run([*cc.split(), '-E', '-dM', '-'], input='#include <asm/unistd.h>\n',
                          capture_output=True, text=True).stdout
    known = set(numbers) | {'syscalls', 'arch_specific_syscall', 'SYSCALL_BASE', 'SYSCALL_MASK',
                            'OABI_SYSCALL_BASE', 'sync_file_range2'}
    for n in re.findall(r'#define __NR_(\w+) ', text):
        if n not in known and not n.startswith('3264'):
            bad.append(f'{abi.name}: no number for {n}')
    for n in numbers:
        if n not in abi.tables.protos and abi.name in ('aarch64', 'riscv64'):
            bad.append(f'{abi.name}: no prototype for {n}')
    print(f'{abi.name}: {done} checked with {cc}, {len(bad)} wrong')
    return bad


tables = model.Tables.load(os.path.join(top, 'syscall-tables'))
problems = []
for abi_name, compiler in compilers.items():
    if compiler != 'no':
        problems += check(tables.abis[abi_name], compiler)
for p in problems:
    print(p)
sys.exit(1 if problems else 0)
