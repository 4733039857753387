#!/usr/bin/env python3
"""Makes a guest's vDSO, an ELF image in one page, as C: vdsogen.py NAME WORDS > C-FILE.

It has one load segment, the dynamic symbols under the version that the kernel's have, and section
headers, so that debuggers that read the image from memory find the symbols too. Layout: ELF gABI,
chapters 4 and 5; symbol versions: LSB Core, 10.7."""
import struct
import sys

PAGE = 4096
ALLOC, EXEC = 2, 4
SECTIONS = [  # name, type, flags, link, info, alignment, entry size
    ('hash', 5, ALLOC, 'dynsym', 0, 4, 4),
    ('dynsym', 11, ALLOC, 'dynstr', 1, 8, 24),
    ('dynstr', 3, ALLOC, None, 0, 1, 0),
    ('gnu.version', 0x6fffffff, ALLOC, 'dynsym', 0, 2, 2),
    ('gnu.version_d', 0x6ffffffd, ALLOC, 'dynstr', 2, 4, 0),
    ('dynamic', 6, ALLOC, 'dynstr', 0, 8, 16),
    ('text', 1, ALLOC | EXEC, None, 0, 16, 0),
]
SONAME = 'linux-vdso.so.1'


def read(path):
    """Functions as (name, offset, bytes), the words, the settings."""
    starts, words, settings = [], [], {}
    for line in open(path):
        fields = line.split()
        if len(fields) == 2:
            settings[fields[0]] = fields[1]
        elif line.rstrip().endswith(':'):
            starts.append((fields[0][:-1], 4 * len(words)))
        else:
            words.append(int(fields[0], 16))
    ends = [start for _, start in starts[1:]] + [4 * len(words)]
    return [(name, at, end - at) for (name, at), end in zip(starts, ends)], words, settings


def elf_hash(name):
    h = 0
    for c in name.encode():
        h = (h << 4) + c
        h = (h ^ (h >> 24 & 0xf0)) & 0x0fffffff
    return h


class Strings:
    def __init__(self):
        self.data = b'\0'

    def add(self, s):
        self.data += s.encode() + b'\0'
        return len(self.data) - len(s) - 1


def verdef(flags, index, name, name_at, last):
    return (struct.pack('<HHHHIII', 1, flags, index, 1, elf_hash(name), 20, 0 if last else 28) +
            struct.pack('<II', name_at, 0))


def contents(functions, words, settings, at):
    """The sections' bytes; `at` is where each will be, or {} in the first round."""
    strings = Strings()
    soname, version = strings.add(SONAME), strings.add(settings['version'])
    names = [strings.add(f[0]) for f in functions]
    n = len(functions) + 1
    where = lambda section: at.get(section, 0)
    symbols = b''.join(struct.pack('<IBBHQQ', name, 0x12, 0, len(SECTIONS),
                                   where('text') + f[1], f[2])
                       for name, f in zip(names, functions))
    chain = [k + 1 if k + 1 < n else 0 for k in range(1, n)]  # one bucket: all symbols in a row
    tags = [(14, soname), (4, where('hash')), (5, where('dynstr')), (6, where('dynsym')),
            (10, len(strings.data)), (11, 24), (0x6ffffff0, where('gnu.version')),
            (0x6ffffffc, where('gnu.version_d')), (0x6ffffffd, 2), (0, 0)]
    return {
        'hash': struct.pack(f'<{3 + n}I', 1, n, 1, 0, *chain),
        'dynsym': bytes(24) + symbols,
        'dynstr': strings.data,
        'gnu.version': struct.pack(f'<{n}H', 0, *[2] * (n - 1)),
        'gnu.version_d': verdef(1, 1, SONAME, soname, False) +
                         verdef(0, 2, settings['version'], version, True),
        'dynamic': b''.join(struct.pack('<QQ', *tag) for tag in tags),
        'text': struct.pack(f'<{len(words)}I', *words),
    }


def image(functions, words, settings):
    at, end = {}, 64 + 2 * 56
    for name, data in contents(functions, words, settings, {}).items():
        at[name] = end = (end + 15) & ~15
        end += len(data)
    body = contents(functions, words, settings, at)
    section_names = Strings()
    section_name = {s[0]: section_names.add('.' + s[0]) for s in SECTIONS}
    own_name = section_names.add('.shstrtab')
    shstrtab = end
    shoff = (end + len(section_names.data) + 15) & ~15
    number = {s[0]: k + 1 for k, s in enumerate(SECTIONS)}
    header = (b'\x7fELF\2\1\1' + bytes(9) +
              struct.pack('<HHIQQQIHHHHHH', 3, int(settings['machine']), 1, 0, 64, shoff, 0, 64,
                          56, 2, 64, len(SECTIONS) + 2, len(SECTIONS) + 1))
    segments = (struct.pack('<IIQQQQQQ', 1, 5, 0, 0, 0, end, end, PAGE) +
                struct.pack('<IIQQQQQQ', 2, 4, *[at['dynamic']] * 3, *[len(body['dynamic'])] * 2,
                            8))
    out = bytearray(header + segments)
    for name, data in body.items():
        out += bytes(at[name] - len(out)) + data
    out += section_names.data
    out += bytes(shoff - len(out)) + bytes(64)
    for name, kind, flags, link, info, align, entry in SECTIONS:
        out += struct.pack('<IIQQQQIIQQ', section_name[name], kind, flags, at[name], at[name],
                           len(body[name]), number.get(link, 0), info, align, entry)
    out += struct.pack('<IIQQQQIIQQ', own_name, 3, 0, 0, shstrtab, len(section_names.data), 0, 0,
                       1, 0)
    assert len(out) <= PAGE, 'the vDSO is one page'
    return bytes(out), at['text']


def main(name, path):
    functions, words, settings = read(path)
    data, text = image(functions, words, settings)
    sigreturn = next(f[1] for f in functions if f[0].endswith('_rt_sigreturn'))
    print(f'/* Generated by vdsogen.py. */\n#include "linux-user/vdso/vdso.h"\n')
    print(f'static const unsigned char image[{len(data)}] = {{')
    for k in range(0, len(data), 16):
        print('    ' + ' '.join(f'{b},' for b in data[k:k + 16]))
    print(f'}};\n\nconst VdsoImage vdso_{name} = {{image, sizeof image, {text + sigreturn}}};')


main(*sys.argv[1:])
