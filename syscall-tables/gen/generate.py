#!/usr/bin/env python3
"""Makes the C tables from the text: generate.py --top DIR --out DIR --host ABI.

Writes ids.h (TABLE_SET_…, TABLE_STRUCT_…, NR_HOST_…, handler numbers), handlers.h, common.c and
abi-NAME.c for each ABI, and coverage.txt. Files that wouldn't change are left alone.
"""

import argparse
import errno as host_errno
import os
import sys

import model

NO_HOST_NR = 0xffff


class Pool:
    """Rows that are used more than once are stored once."""

    def __init__(self):
        self.rows, self.index = [], {}

    def add(self, rows):
        key = tuple(rows)
        if key not in self.index:
            self.index[key] = len(self.rows)
            self.rows.extend(rows)
        return self.index[key]


class Strings:
    def __init__(self):
        self.offsets, self.parts, self.size = {}, [], 0
        self.add('')

    def add(self, s):
        if s not in self.offsets:
            self.offsets[s] = self.size
            self.parts.append(s)
            self.size += len(s.encode()) + 1
        return self.offsets[s]


def kind_name(kind):
    return 'TABLE_' + kind.upper()


class Generator:
    def __init__(self, tables, host):
        self.t, self.host = tables, tables.abis[host]
        self.strings = Strings()
        self.args, self.consts, self.fields = Pool(), Pool(), Pool()
        self.set_ids = {n: i for i, n in enumerate(sorted(tables.sets))}
        self.struct_ids = {n: i for i, n in enumerate(tables.struct_names())}
        self.proto_ids = {n: i for i, n in enumerate(sorted(tables.protos))}
        self.own = sorted(n for n, p in tables.protos.items() if p.own or p.unlike)
        self.own_ids = {n: i for i, n in enumerate(self.own)}

    def ref_id(self, kind, ref):
        if kind in ('flags', 'values'):
            return self.set_ids[ref]
        if kind == 'struct':
            return self.struct_ids[ref]
        return 0

    # What a call needs in a guest: pass, convert or a handler.
    def how(self, abi, p):
        if p.refuse:
            return 'REFUSE', p.refuse
        if p.own:
            return 'OWN', None
        if p.host not in self.host.numbers():
            return 'REFUSE', ('ENOSYS', 'the host has no such call')
        like = abi.word == self.host.word and abi.big == self.host.big
        convert = False
        for a in p.args:
            if a.kind in model.BYTE_ORDER_ONLY and abi.big == self.host.big and not p.unlike:
                continue
            if a.kind in model.WORDY and not like and p.unlike:
                return 'OWN', None
            if a.kind in model.WORDY and not like:
                return 'REFUSE', ('ENOSYS', f'{a.kind} is not converted between word sizes')
            if a.kind in ('path', 'linkpath'):
                convert = True
            elif a.kind in ('flags', 'values') and not abi.set_same(a.ref, self.host):
                convert = True
            elif a.kind == 'struct' and not abi.same_layout(a.ref, self.host):
                convert = True
            elif not like and (a.direction and a.kind not in ('bytes', 'str', 'addr')):
                convert = True
            elif abi.word == 4 and a.kind in ('off', 'hex64', 'slong'):
                convert = True
        return ('CONVERT' if convert else 'PASS'), None

    def wide(self, abi, p):
        if abi.word == 8:
            return 0
        return sum(1 << i for i, a in enumerate(p.args) if a.kind in ('off', 'hex64'))

    def proto_rows(self):
        out = []
        for name in sorted(self.t.protos):
            p = self.t.protos[name]
            rows = []
            for a in p.args:
                count_kind = {'one': 'ONE', 'const': 'CONST', 'arg': 'BY_ARG', 'ret': 'BY_RET',
                              'ptr': 'BY_PTR'}[a.count_kind]
                direction = {None: 'VALUE', 'in': 'IN', 'out': 'OUT', 'io': 'IO'}[a.direction]
                rows.append((self.strings.add(a.name), self.ref_id(a.kind, a.ref), a.count,
                             kind_name(a.kind), 'TABLE_' + direction, 'TABLE_' + count_kind))
            first = self.args.add(rows) if rows else 0
            out.append(f'{{{self.strings.add(name)}, {first}, {len(rows)}, {kind_name(p.ret)}, '
                       f'{self.ref_id(p.ret, p.ret_ref)}}}, /* {name} */')
        return out

    def set_rows(self, abi):
        out = []
        for name in sorted(self.t.sets):
            s = self.t.sets[name]

            def pool(a):
                return self.consts.add([(v, m, self.strings.add(n)) for v, m, n in s.on(a.name)])
            out.append(f'{{{self.strings.add(name)}, {pool(abi)}, {len(s.consts)}, '
                       f'{pool(self.host)}, {int(s.flags)}, '
                       f'{int(abi.set_same(name, self.host))}}}, /* {name} */')
        return out

    def moves(self, abi, name, to_guest, from_at=0, to_at=0):
        """Lines that copy a structure's fields, or None where a constant would have to change."""
        guest, host = abi.layout(name), self.host.layout(name)
        host_fields = {f.name: (o, n) for f, o, n in host.fields}
        out = []
        for f, g_at, g_size in guest.fields:
            if f.name.startswith('_') or f.name not in host_fields:
                continue
            h_at, h_size = host_fields[f.name]
            if f.kind in ('flags', 'values') and not abi.set_same(f.kind_ref, self.host):
                return None
            for k in range(f.count or 1):
                g, h = g_at + k * g_size, h_at + k * h_size
                src, dst = (h, g) if to_guest else (g, h)
                if f.base == 'struct':
                    inner = self.moves(abi, f.ref, to_guest, from_at + src, to_at + dst)
                    if inner is None:
                        return None
                    out += inner
                    continue
                n, m = (h_size, g_size) if to_guest else (g_size, h_size)
                sign = 'int' if model.BASES[f.base][1] else 'uint'
                if n >= m and not (n > m and self.host.big):
                    out.append(f'__builtin_memcpy(to + {to_at + dst}, from + {from_at + src}, {m});')
                else:
                    out.append(f'{{ {sign}{8 * n}_t v; __builtin_memcpy(&v, from + {from_at + src}, '
                               f'{n}); {sign}{8 * m}_t w = ({sign}{8 * m}_t)v; '
                               f'__builtin_memcpy(to + {to_at + dst}, &w, {m}); }}')
        return out

    def layout_code(self, abi):
        """(lines, names of structures that have code)."""
        out, names = [], set()
        if abi.word != self.host.word or abi.big != self.host.big:
            return out, names
        for name in self.t.struct_names():
            if abi.same_layout(name, self.host):
                continue
            guest, host = self.moves(abi, name, True), self.moves(abi, name, False)
            if guest is None or host is None:
                continue
            names.add(name)
            for way, lines, size in (('guest', guest, abi.layout(name).size),
                                     ('host', host, self.host.layout(name).size)):
                out += [f'static void {name}_to_{way}(uint8_t *to, const uint8_t *from)', '{',
                        f'    __builtin_memset(to, 0, {size});']
                out += ['    ' + line for line in lines] + ['}']
        return out, names

    def layout_rows(self, abi, coded):
        out = []
        for name in self.t.struct_names():
            guest, host = abi.layout(name), self.host.layout(name)
            host_fields = {f.name: (f, o, n) for f, o, n in host.fields}
            rows = []
            for f, offset, size in guest.fields:
                if f.name.startswith('_'):
                    continue
                hf = host_fields.get(f.name)
                kind, ref = f.kind, f.kind_ref
                if f.base == 'struct':
                    kind, ref = 'struct', f.ref
                elif kind is None:
                    kind = 'slong' if model.BASES[f.base][1] else 'size'
                is_struct = f.base == 'struct'
                rows.append((self.strings.add(f.name), offset, hf[1] if hf else 0,
                             0 if is_struct else size, 0 if is_struct or not hf else hf[2],
                             int(not is_struct and model.BASES[f.base][1]), kind_name(kind),
                             self.ref_id(kind, ref), f.count, int(f.show), int(hf is not None)))
            first = self.fields.add(rows)
            out.append(f'{{{self.strings.add(name)}, {guest.size}, {host.size}, {first}, '
                       f'{len(rows)}, {int(abi.same_layout(name, self.host))}, '
                       f'{int(any(r[9] for r in rows))}, '
                       + (f'{name}_to_guest, {name}_to_host' if name in coded else 'NULL, NULL')
                       + f'}}, /* {name} */')
        return out

    def ioctl_rows(self, abi):
        like = abi.word == self.host.word and abi.big == self.host.big
        found = {}
        for io in self.t.ioctls:
            g, h = abi.ioctl_number(io), self.host.ioctl_number(io)
            if g in found:
                raise model.TableError(f'{io.place}: {io.name} has the number of {found[g][0]}')
            same = g == h and (like if io.kind != 'struct' else abi.same_layout(io.ref, self.host))
            direction = {None: 'VALUE', 'in': 'IN', 'out': 'OUT', 'io': 'IO'}[io.direction]
            # a union of words is no matter of tables: refused, rather than wrong
            union = io.kind == 'struct' and not like and abi.has_union(io.ref)
            kind, ref = ('addr', None) if union else (io.kind, io.ref)
            found[g] = (io.name, f'{{{g:#x}u, {h:#x}u, {self.strings.add(io.name)}, '
                        f'{self.ref_id(kind, ref)}, {kind_name(kind)}, TABLE_{direction}, '
                        f'{io.count}, {int(same)}}}, /* {io.name} */')
        return [found[g][1] for g in sorted(found)]

    def sockopt_rows(self):
        return [f'    {{{o.level}, {int(o.control)}, {kind_name(o.kind)}, {o.value}, '
                f'{self.ref_id(o.kind, o.ref)}, {self.strings.add(o.name)}}},'
                for o in sorted(self.t.sockopts, key=lambda o: (o.control, o.level, o.value))]

    def call_row(self, abi, name):
        p = self.t.protos.get(name)
        host_nr = self.host.numbers().get(p.host if p else name, NO_HOST_NR)
        if p is None:
            return (f'{{TABLE_REFUSE, 0, 0, {host_nr}, 0, {host_errno.ENOSYS}, '
                    f'{self.strings.add(name)}}},'), 'REFUSE', 'no prototype'
        how, refuse = self.how(abi, p)
        errno, reason = (getattr(host_errno, refuse[0]), refuse[1]) if refuse else (0, '')
        row = (f'{{TABLE_{how}, {self.wide(abi, p):#x}, {self.proto_ids[name]}, {host_nr}, '
               f'{self.own_ids.get(name, 0)}, {errno}, {self.strings.add(reason)}}},')
        return row, how, reason

    def abi_file(self, abi, coverage):
        numbers = {v: k for k, v in abi.numbers().items()}
        low = [n for n in numbers if n < 4096]
        out = ['#include "syscall-tables/table.h"', '', 'static const TableCall calls[] = {']

        def add(nr, base):
            row, how, reason = self.call_row(abi, numbers[nr])
            proto = self.t.protos.get(numbers[nr])
            if how == 'REFUSE' and proto and proto.refuse:
                reason = f'{proto.refuse[0]}: {reason}'
            coverage.append((abi.name, nr, numbers[nr], how, reason))
            out.append(f'    [{nr - base}] = {row} /* {numbers[nr]} */')
        for nr in sorted(low):
            add(nr, 0)
        out.append('};')
        high = sorted(n for n in numbers if n >= 4096)
        if high:
            out.append('static const TableCall more_calls[] = {')
            for nr in high:
                add(nr, high[0])
            out.append('};')
        out.append('static const TableRange more[] = {')
        if high:
            out.append(f'    {{{high[0]}, {high[-1] - high[0] + 1}, more_calls}},')
        out.append('    {0, 0, NULL},\n};')
        code, coded = self.layout_code(abi)
        out += code
        refused = [f'{{{t:#x}, {getattr(host_errno, e)}, {self.strings.add(why)}}},'
                   for t, e, why in self.t.ioctl_refusals] + ['{0, 0, 0},']
        for name, ty, rows in (('sets', 'TableSet', self.set_rows(abi)),
                               ('layouts', 'TableLayout', self.layout_rows(abi, coded)),
                               ('ioctls', 'TableIoctl', self.ioctl_rows(abi)),
                               ('refused', 'TableRefusal', refused)):
            out.append(f'static const {ty} {name}[] = {{')
            out += ['    ' + r for r in rows]
            out.append('};')
        like = abi.word == self.host.word and abi.big == self.host.big
        out += [f'extern const SyscallTable syscall_table_{abi.name};',
                f'const SyscallTable syscall_table_{abi.name} = {{',
                f'    .name = "{abi.name}", .word_bytes = {abi.word}, .big_endian = {int(abi.big)},',
                f'    .like_host = {int(like)}, .pairs_even = {int(abi.pairs_even)},',
                '    .n = sizeof calls / sizeof *calls, .calls = calls, .more = more,',
                '    .sets = sets, .layouts = layouts, .ioctls = ioctls,',
                '    .n_ioctls = sizeof ioctls / sizeof *ioctls, .refused = refused,', '};']
        return '\n'.join(out) + '\n'

    def common_file(self, protos):
        out = ['#include "syscall-tables/table.h"', '', 'const TableArg table_args[] = {']
        out += [f'    {{{n}, {ref}, {c}, {k}, {d}, {ck}}},' for n, ref, c, k, d, ck in self.args.rows]
        out += ['};', 'const TableProto table_protos[] = {'] + ['    ' + p for p in protos] + ['};']
        out += ['const TableConst table_consts[] = {']
        out += [f'    {{{v:#x}u, {m:#x}u, {n}}},' for v, m, n in
                ((v & (1 << 64) - 1, m & (1 << 64) - 1, n) for v, m, n in self.consts.rows)]
        out += ['};', 'const TableField table_fields[] = {']
        out += ['    {' + ', '.join(str(x) for x in (r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7],
                                                     r[8], r[9], r[10])) + '},'
                for r in self.fields.rows]
        out += ['};', 'const TableSockopt table_sockopts[] = {'] + self.sockopt_rows() + ['};']
        out += [f'const unsigned table_n_sockopts = {len(self.t.sockopts)};']
        out += ['const char table_strings[] =']
        out += ['    "' + s.replace('\\', '\\\\').replace('"', '\\"') + '\\0"'
                for s in self.strings.parts]
        out += ['    ;']
        return '\n'.join(out) + '\n'

    def ids_file(self):
        out = ['#ifndef SYSCALL_TABLES_IDS_H', '#define SYSCALL_TABLES_IDS_H', 'enum {']
        out += [f'    TABLE_SET_{n.upper()} = {i},' for n, i in self.set_ids.items()]
        out += ['};', 'enum {']
        out += [f'    TABLE_STRUCT_{n.upper()} = {i},' for n, i in self.struct_ids.items()]
        out += [f'    TABLE_N_STRUCTS = {len(self.struct_ids)},']
        largest = max(max(a.layout(n).size for n in self.struct_ids) for a in self.t.abis.values())
        out += ['};', '/* No structure is larger in any ABI. */',
                f'enum {{ TABLE_STRUCT_BYTES_MAX = {largest} }};']
        out += ['/* Numbers of the host that this was built for. */', 'enum {']
        out += [f'    HOST_NR_{n.upper()} = {v},' for n, v in
                sorted(self.host.numbers().items(), key=lambda x: x[1])]
        out += ['};', '#endif']
        return '\n'.join(out) + '\n'

    def handlers_file(self):
        out = ['/* Handlers: each row `| own` in protos/. */', '#ifndef SYSCALL_TABLES_HANDLERS_H',
               '#define SYSCALL_TABLES_HANDLERS_H', '#include "linux-user/syscalls/dispatch.h"',
               '#define SYSCALL_HANDLERS(X) \\']
        out += [f'    X({n}) \\' for n in self.own]
        out += ['', '#define SYSCALL_DECLARE(name) SyscallHandler sys_##name;',
                'SYSCALL_HANDLERS(SYSCALL_DECLARE)', '#undef SYSCALL_DECLARE', '#endif']
        return '\n'.join(out) + '\n'


def coverage_text(rows):
    out = []
    for abi in dict.fromkeys(r[0] for r in rows):
        mine = [r for r in rows if r[0] == abi]
        count = {h: sum(r[3] == h for r in mine) for h in ('PASS', 'CONVERT', 'OWN', 'REFUSE')}
        out.append(f'{abi}: {len(mine)} calls: {count["PASS"]} passed on as they are, '
                   f'{count["CONVERT"]} converted by the tables, {count["OWN"]} by a handler, '
                   f'{count["REFUSE"]} refused')
        out += [f'  {r[1]:4} {r[2]:28} {r[3].lower():8} {r[4]}'.rstrip() for r in mine]
    return '\n'.join(out) + '\n'


# In the manual page: the guests that there are, not the ABIs that only tests use.
GUESTS = ('aarch64', 'riscv64')
HOW = {'PASS': 'passed', 'CONVERT': 'converted', 'OWN': 'emulated', 'REFUSE': 'refused'}


def manual_page(rows, tables):
    def quote(s):
        return s.replace('\\', '\\e').replace('-', '\\-')
    out = ['.\\" Made by syscall-tables/gen/generate.py.',
           '.TH CALQUE\\-SYSCALLS 7 "" "Calque" "System calls"', '.SH NAME',
           'calque\\-syscalls \\- what becomes of each system call', '.SH DESCRIPTION',
           'A call of the guest is', '.TP', '.I passed',
           'to the kernel as it is, because every argument means the same to it;', '.TP',
           '.I converted', "by the tables: constants, structures, paths;", '.TP', '.I emulated',
           'by a handler of its own, which may make the same call or others; or', '.TP', '.I refused',
           'with the errno that is named, for the reason that is given.']
    for guest in GUESTS:
        mine = [r for r in rows if r[0] == guest]
        counts = ', '.join(f'{sum(r[3] == h for r in mine)} {HOW[h]}' for h in HOW)
        out += [f'.SS {guest}: {len(mine)} calls: {counts}', '.nf']
        for _, nr, name, how, reason in mine:
            out.append(quote(f'{nr:4} {name:26} {HOW[how]:10}{" " + reason if reason else ""}'.rstrip()))
        out.append('.fi')
    out += ['.SH IOCTLS', f'{len(tables.ioctls)} are known by name and type. Others are passed on and',
            'logged once each under', '.BR "\\-d unimp" .', 'Refused by their type:']
    for kind, errno, why in tables.ioctl_refusals:
        out += ['.TP', f'{kind:#x} ({errno})', quote(why)]
    out += ['.SH SEE ALSO', '.BR calque (1)']
    return '\n'.join(out) + '\n'


def write(path, text):
    try:
        with open(path, encoding='utf-8') as f:
            if f.read() == text:
                return
    except FileNotFoundError:
        pass
    with open(path, 'w', encoding='utf-8') as f:
        f.write(text)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument('--top', required=True)
    ap.add_argument('--out', required=True)
    ap.add_argument('--host', required=True)
    o = ap.parse_args()
    try:
        tables = model.Tables.load(o.top)
        if o.host not in tables.abis:
            raise model.TableError(f'no ABI {o.host} in abis.tbl')
        g = Generator(tables, o.host)
        protos = g.proto_rows()
        os.makedirs(o.out, exist_ok=True)
        coverage = []
        files = {f'abi-{a.name}.c': g.abi_file(a, coverage) for a in tables.abis.values()}
    except model.TableError as e:
        sys.exit(f'syscall-tables: {e}')
    files['common.c'] = g.common_file(protos)
    files['ids.h'] = g.ids_file()
    files['handlers.h'] = g.handlers_file()
    files['coverage.txt'] = coverage_text(coverage)
    files['calque-syscalls.7'] = manual_page(coverage, tables)
    for name, text in files.items():
        write(os.path.join(o.out, name), text)


if __name__ == '__main__':
    main()
