#!/usr/bin/env python3
"""Makes libc-start.o: glibc's start of a static program, which doesn't ask for the processor.

Before main() glibc asks by some 40 times cpuid for everything that it may ever want to know, each
cache's size by several leaves for each of twelve numbers. In a virtual machine every cpuid is an
exit to the hypervisor, 4 to 20 µs: a fifth of what a short program costs under calque. So the first
one, which asks for the vendor and the highest leaf, becomes an instruction that gives leaf 1 as the
highest and leaves the other three registers as they are, in which no vendor's name can be. glibc
then asks for nothing more, and takes the string functions that every x86-64 processor has. What
depends on sizes of caches main() sets (libc-start.c).

The object comes out of the C library that is linked with. Where it doesn't look like that (another
C library, another version, no cpuid) the object made is empty, and the library's own is linked.

usage: libc-start.py COMPILER AR OBJDUMP OUTPUT
"""
import re
import shlex
import subprocess
import sys

CPUID, LEAF_1 = b'\x0f\xa2', b'\xb0\x01'  # the second: mov $1, %al


def read_library(compiler, ar):
    name = subprocess.check_output([*compiler, '-print-file-name=libc.a'], text=True).strip()
    return subprocess.run([ar, 'p', name, 'libc-start.o'], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL).stdout


def text_offset(objdump, path):
    """Where .text is in the file."""
    for line in subprocess.check_output([objdump, '-h', path], text=True).splitlines():
        fields = line.split()
        if len(fields) == 7 and fields[1] == '.text':
            return int(fields[5], 16)
    return None


def leaf_0(objdump, path):
    """Offsets in .text of cpuid instructions before which the leaf is set to 0, in straight code."""
    found, zero = [], False
    command = [objdump, '-d', '-j', '.text', '--no-show-raw-insn', path]
    for line in subprocess.check_output(command, text=True).splitlines():
        match = re.match(r' *([0-9a-f]+):\s+(\S+)\s*(.*)', line)
        if not match:
            zero = False
            continue
        address, name, operands = match.groups()
        if name == 'cpuid' and zero:
            found.append(int(address, 16))
        if (name, operands) == ('xor', '%eax,%eax'):
            zero = True
        elif name[0] == 'j' or name in ('call', 'ret', 'cpuid') or \
                re.search(r'%([re]?ax|a[lh])$', operands):
            zero = False
    return found


def main():
    compiler, ar, objdump, output = shlex.split(sys.argv[1]), *sys.argv[2:]
    code = bytearray(read_library(compiler, ar))
    with open(output, 'wb') as f:
        f.write(code)
    sites = leaf_0(objdump, output) if code else []
    start = text_offset(objdump, output) if code else None
    if len(sites) == 1 and start and code[start + sites[0]:][:2] == CPUID:
        code[start + sites[0]:start + sites[0] + 2] = LEAF_1
        with open(output, 'wb') as f:
            f.write(code)
        return
    print('libc-start.py: the C library\'s start stays as it is')
    subprocess.run([*compiler, '-x', 'c', '-c', '-o', output, '/dev/null'], check=True)


main()
