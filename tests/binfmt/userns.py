#!/usr/bin/env python3
"""Runs a command in a user and mount namespace with a binfmt_misc of its own.

usage: userns.py [--one-id] [--root FOLDER] COMMAND [ARGUMENT...]

Root maps 65,536 ids (not with --one-id: only its own, as anybody may). Ends with 77 if the kernel
has no binfmt_misc in user namespaces (before Linux 6.7) or allows no such namespace.
"""
import argparse
import ctypes
import os
import sys

libc = ctypes.CDLL(None, use_errno=True)
NEWNS, NEWUSER, NEWPID = 0x20000, 0x10000000, 0x20000000
REC_PRIVATE, BIND_REC, DETACH = 1 << 18 | 1 << 14, 1 << 12 | 1 << 14, 2
SYS_PIVOT_ROOT = {"x86_64": 155}.get(os.uname().machine, 41)
BINFMT = "/proc/sys/fs/binfmt_misc"


def check(result, what):
    if result:
        print(f"{what}: {os.strerror(ctypes.get_errno())}", file=sys.stderr)
        sys.exit(77)


def mount(source, target, kind, flags=0):
    check(libc.mount(source.encode(), target.encode(), kind and kind.encode(), flags, None),
          f"mount {target}")


def enter_root(root):
    """Leaves the old root behind, which a chroot doesn't: in one no user namespace can be made."""
    mount(root, root, None, BIND_REC)
    for folder in "proc", "dev", "sys", "tmp":
        os.makedirs(f"{root}/{folder}", exist_ok=True)
    mount("proc", root + "/proc", "proc")
    mount("none", root + BINFMT, "binfmt_misc")
    mount("/dev", root + "/dev", None, BIND_REC)
    mount("/sys", root + "/sys", None, BIND_REC)
    mount("tmpfs", root + "/tmp", "tmpfs")
    os.chdir(root)
    check(libc.syscall(SYS_PIVOT_ROOT, b".", b"."), "pivot_root")
    check(libc.umount2(b".", DETACH), "umount")
    os.chdir("/")


def inside(args):
    mount("none", "/", None, REC_PRIVATE)
    mount("proc", "/proc", "proc")
    mount("none", BINFMT, "binfmt_misc")
    if args.root:
        enter_root(os.path.abspath(args.root))
    if args.mapped:
        os.setgroups([])
        os.setgid(0)
        os.setuid(0)
    os.closerange(3, 1024)
    os.execvp(args.command[0], args.command)


def wait(pid):
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) & 255


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--one-id", action="store_true")
    parser.add_argument("--root")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    args = parser.parse_args()
    uid, gid = os.getuid(), os.getgid()
    args.mapped = uid == 0 and not args.one_id
    ready, go = os.pipe(), os.pipe()
    pid = os.fork()
    if pid == 0:
        check(libc.unshare(NEWUSER | NEWNS | NEWPID), "unshare")
        os.write(ready[1], b"x")
        os.read(go[0], 1)
        for fd in ready + go:
            os.close(fd)
        child = os.fork()
        if child == 0:
            inside(args)
        os._exit(wait(child))
    os.close(ready[1])
    if os.read(ready[0], 1):
        if not args.mapped:
            open(f"/proc/{pid}/setgroups", "w").write("deny")
        for name, own in ("uid_map", uid), ("gid_map", gid):
            text = "0 0 65536" if args.mapped else f"0 {own} 1"
            open(f"/proc/{pid}/{name}", "w").write(text)
        os.write(go[1], b"x")
    sys.exit(wait(pid))


main()
