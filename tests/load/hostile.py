#!/usr/bin/env python3
"""hostile.py CALQUE: files that aren't what they claim must end in a clear message and status 126 or
127, never in a crash of the emulator. With a seed as the second argument also random damage."""
import os
import random
import signal
import struct
import subprocess
import sys
import tempfile

EM = {"aarch64": 183, "riscv64": 243}
# exit(7): mov x0, #7; mov x8, #93; svc #0 / li a0, 7; li a7, 93; ecall
CODE = {"aarch64": struct.pack("<3I", 0xd28000e0, 0xd2800ba8, 0xd4000001),
        "riscv64": struct.pack("<3I", 0x00700513, 0x05d00893, 0x00000073)}
HEAD, PHDR = 64, 56


def phdr(kind=1, flags=5, offset=0, vaddr=0x400000, filesz=None, memsz=None, align=0x1000):
    return dict(kind=kind, flags=flags, offset=offset, vaddr=vaddr, filesz=filesz, memsz=memsz,
                align=align)


def elf(guest, phdrs=None, kind=2, machine=None, entry=None, phoff=HEAD, phnum=None, phentsize=PHDR,
        ident=b"\x7fELF\x02\x01\x01", tail=b""):
    phdrs = [phdr()] if phdrs is None else phdrs
    code_at = HEAD + PHDR * len(phdrs)
    total = code_at + len(CODE[guest])
    out = ident.ljust(16, b"\0")
    out += struct.pack("<HHIQQQIHHHHHH", kind, EM[guest] if machine is None else machine, 1,
                       0x400000 + code_at if entry is None else entry, phoff, 0, 0, HEAD, phentsize,
                       len(phdrs) if phnum is None else phnum, 0, 0, 0)
    for p in phdrs:
        filesz = total if p["filesz"] is None else p["filesz"]
        out += struct.pack("<IIQQQQQQ", p["kind"], p["flags"], p["offset"], p["vaddr"], p["vaddr"],
                           filesz, filesz if p["memsz"] is None else p["memsz"], p["align"])
    return out + CODE[guest] + tail


def cases(guest):
    good = elf(guest)
    yield "good", good, {7}
    yield "empty", b"", {126}
    yield "text", b"hello\n", {126}
    for n in (1, 4, 15, 16, 20, 63, 64, 65, 64 + 55, len(good) - 1):
        yield "cut at %d" % n, good[:n], {126}
    yield "other machine", elf(guest, machine=0xfeed), {126}
    yield "32 bits", elf(guest, ident=b"\x7fELF\x01\x01\x01"), {126}
    yield "big endian", elf(guest, ident=b"\x7fELF\x02\x02\x01"), {126}
    yield "relocatable", elf(guest, kind=1), {126}
    yield "core", elf(guest, kind=4), {126}
    yield "no segments", elf(guest, phnum=0), {126}
    yield "phdrs behind the end", elf(guest, phoff=1 << 40), {126}
    yield "phdrs wrap", elf(guest, phoff=2**64 - 8), {126}
    yield "many phdrs", elf(guest, phnum=65535), {126}
    yield "phentsize", elf(guest, phentsize=57), {126}
    yield "nothing to load", elf(guest, [phdr(kind=0)]), {126}
    yield "filesz > memsz", elf(guest, [phdr(memsz=1)]), {126}
    yield "segment wraps", elf(guest, [phdr(vaddr=2**64 - 4096, memsz=8192)]), {126}
    yield "kernel's addresses", elf(guest, [phdr(vaddr=0xffff << 48)]), {126}
    yield "offset behind the end", elf(guest, [phdr(offset=1 << 40)]), {126}
    yield "offset wraps", elf(guest, [phdr(offset=2**64 - 4096, filesz=8192, memsz=8192)]), {126}
    yield "filesz enormous", elf(guest, [phdr(filesz=2**63)]), {126}
    yield "memsz enormous", elf(guest, [phdr(memsz=2**46)]), {126, -signal.SIGSEGV, 7}
    yield "misaligned offset", elf(guest, [phdr(offset=1, filesz=8)]), {126}
    yield "page 0", elf(guest, [phdr(vaddr=0)]), {126, -signal.SIGSEGV}
    yield "over the emulator", elf(guest, [phdr(vaddr=0x7e000000, memsz=16 << 20)]), {126}
    yield "overlap", elf(guest, [phdr(), phdr(memsz=0x10000), phdr(flags=6)]), {7, -signal.SIGSEGV,
                                                                                -signal.SIGILL}
    yield "odd alignment", elf(guest, [phdr(align=3)]), {7}
    yield "huge alignment", elf(guest, [phdr(align=1 << 62)]), {7}
    yield "entry nowhere", elf(guest, entry=0x1234), {-signal.SIGSEGV}
    yield "entry not canonical", elf(guest, entry=1 << 63), {-signal.SIGSEGV, -signal.SIGBUS}
    yield "not executable segment", elf(guest, [phdr(flags=4)]), {-signal.SIGSEGV}
    yield "no permission at all", elf(guest, [phdr(flags=0)]), {-signal.SIGSEGV}
    yield "interpreter missing", elf(guest, [phdr(), phdr(kind=3, offset=HEAD + 2 * PHDR, filesz=0)]), {126}
    path = b"/nonexistent/ld.so\0"
    two = HEAD + 2 * PHDR + len(CODE[guest])
    yield "interpreter not there", elf(guest, [phdr(), phdr(kind=3, offset=two, filesz=len(path))],
                                       tail=path), {127}
    yield "interpreter no string", elf(guest, [phdr(), phdr(kind=3, offset=two, filesz=4)],
                                       tail=b"abcd"), {126}
    path = b"/etc/passwd\0"
    yield "interpreter no ELF", elf(guest, [phdr(), phdr(kind=3, offset=two, filesz=len(path))],
                                    tail=path), {126}
    yield "script of nothing", b"#!\n", {126}
    yield "script of missing", b"#!/nonexistent/sh\n", {127}
    yield "script without newline", b"#!" + b"a" * 1000, {126}
    yield "NULs", b"\0" * 4096, {126}


def run(calque, path):
    r = subprocess.run([calque, path], stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    return r.returncode, r.stderr


def main():
    calque, bad, n = sys.argv[1], 0, 0
    with tempfile.TemporaryDirectory() as tmp:
        path = os.path.join(tmp, "file")

        def check(name, data, want):
            nonlocal bad, n
            with open(path, "wb") as f:
                f.write(data)
            os.chmod(path, 0o755)
            status, err = run(calque, path)
            n += 1
            silent = status in (126, 127) and not err.startswith(b"calque: ")
            if (want and status not in want) or silent or b"assert" in err or b"in the emulator" in err:
                print("%s: status %d, wanted %s: %s" % (name, status, want, err.decode("utf-8", "replace")))
                bad += 1

        for guest in EM:
            for name, data, want in cases(guest):
                check("%s: %s" % (guest, name), data, want)
        status, err = run(calque, "/nonexistent/x")
        if status != 127:
            print("missing program: %d" % status)
            bad += 1
        status, err = run(calque, tmp)
        if status != 126:
            print("directory: %d" % status)
            bad += 1
        seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
        rng = random.Random(seed)
        allowed = {126, 127, 7} | {-s for s in (4, 5, 6, 7, 8, 11)}
        for i in range(150):
            data = bytearray(elf(rng.choice(list(EM))))
            for _ in range(rng.randint(1, 4)):
                data[rng.randrange(16, HEAD + PHDR)] = rng.choice((0, 1, 0x7f, 0x80, 0xff,
                                                                   rng.randrange(256)))
            check("seed %d, damage %d" % (seed, i), bytes(data), None)
            status = run(calque, path)[0]
            if status < 0 and status not in allowed:
                print("damage %d: %d" % (i, status))
                bad += 1
    print("%d files, %d wrong" % (n, bad))
    return bad != 0


sys.exit(main())
