#!/usr/bin/env python3
"""Turns tables of instruction encodings (FORMAT.md beside this file) into C.

Stages: parse the files (Parser), resolve every row to mask, value and argument expressions (Row),
check groups for overlaps and unreachable rows (check_*), build a decision tree (Tree), write the
header, the matchers, the row table and the JSON (Writer). Any error names file and line, nothing is
written then and the exit status is 1.
"""
import argparse
import json
import os
import re
import sys

IDENT = r'[A-Za-z_][A-Za-z0-9_]*'
RE_BITS = re.compile(r'[01.]+$')
RE_INLINE = re.compile(rf'({IDENT}):(s?)(\d+)$')
RE_SEGMENT = re.compile(r'(\d+):(s?)(\d+)$')
RE_ASSIGN = re.compile(rf'({IDENT})=(.+)$')
RE_INT = re.compile(r'-?(0x[0-9a-fA-F]+|\d+)$')
RE_CONST_NAME = re.compile(r'[A-Z][A-Za-z0-9_]*$')
RE_ROW_NAME = re.compile(rf'{IDENT}$')
RE_UNIMP = re.compile(rf'UNIMP\(({IDENT})\)$')
RE_FEATURE = re.compile(rf'!?{IDENT}([,|]!?{IDENT})*$')
WIDTHS = (8, 16, 24, 32, 48, 64)


class DecodeError(Exception):
    def __init__(self, where, message):
        super().__init__(f'{where}: error: {message}')


class Field:
    """A number taken from the instruction: segments, most significant first, then !shl, !fn."""

    def __init__(self, where, segments, shl=0, fn=None):
        self.where, self.segments, self.shl, self.fn = where, segments, shl, fn

    @property
    def length(self):
        return sum(length for _, length, _ in self.segments)

    def check(self, width):
        for lsb, length, _ in self.segments:
            if length < 1 or lsb + length > width:
                raise DecodeError(self.where, f'field {lsb}:{length} is out of range for width '
                                              f'{width}')
        if self.length + self.shl > 32:
            raise DecodeError(self.where, 'field is wider than 32 bits')

    def expression(self):
        parts = []
        position = self.length
        for lsb, length, signed in self.segments:
            position -= length
            take = f'decode_{"s" if signed else "u"}(insn, {lsb}, {length})'
            shift = position + self.shl
            parts.append(f'(int)((unsigned){take} << {shift})' if shift else take)
        text = ' | '.join(parts) or '0'
        return f'{self.fn}(ctx, {text})' if self.fn else text

    def describe(self):
        text = ' '.join(f'{lsb}:{"s" if signed else ""}{length}'
                        for lsb, length, signed in self.segments)
        return text + (f' !shl={self.shl}' if self.shl else '') + \
            (f' !fn={self.fn}' if self.fn else '')


class Const:
    def __init__(self, text):
        self.text = text

    def expression(self):
        return self.text

    describe = expression


class Bits:
    """What one line says: fixed bits, arguments, argument set."""

    def __init__(self, where):
        self.where = where
        self.mask = self.value = 0
        self.inline_mask = 0   # bits that inline fields cover
        self.args = {}         # name -> Field or Const
        self.argset = None

    def set_arg(self, name, value):
        if name in self.args:
            raise DecodeError(self.where, f'argument {name} is given twice')
        self.args[name] = value

    def merge(self, fmt, name):
        both = self.mask & fmt.mask
        if self.value & both != fmt.value & both:
            raise DecodeError(self.where, f'fixed bits contradict those of @{name}')
        if self.inline_mask & (fmt.inline_mask | fmt.mask):
            raise DecodeError(self.where, f'a field overlaps bits of @{name}')
        self.mask |= fmt.mask
        self.value |= fmt.value
        self.inline_mask |= fmt.inline_mask
        for arg, value in fmt.args.items():
            self.set_arg(arg, value)
        if fmt.argset:
            if self.argset and self.argset != fmt.argset:
                raise DecodeError(self.where, f'&{self.argset} and @{name} with &{fmt.argset}')
            self.argset = fmt.argset


class Row(Bits):
    def __init__(self, where, name):
        super().__init__(where)
        self.name, self.lift, self.unimp = name, name, None
        self.features = ''
        self.asm = self.section = ''
        self.index = 0
        self.reached = False

    def overlaps(self, other):
        both = self.mask & other.mask
        return self.value & both == other.value & both

    def covers(self, other):
        return not self.features and self.mask & ~other.mask == 0 and self.overlaps(other)


class Group:
    def __init__(self, where, kind):
        self.where, self.kind, self.items = where, kind, []

    def rows(self):
        for item in self.items:
            if isinstance(item, Group):
                yield from item.rows()
            else:
                yield item


class Decoder:
    def __init__(self, name, width, big_endian, prefix):
        self.name, self.width, self.big_endian, self.prefix = name, width, big_endian, prefix
        self.fields, self.formats = {}, {}
        self.top = Group(None, '[')


class Program:
    """All that the files of one run say."""

    def __init__(self):
        self.decoders = {}
        self.argsets = {}       # name -> list of argument names
        self.lifters = {}       # (prefix, lifter) -> argument set
        self.row_sets = {}      # row or lifter name -> argument set


# -- reading -----------------------------------------------------------------------------------


class Parser:
    def __init__(self, program):
        self.program = program
        self.decoder = None
        self.stack = []

    def parse_file(self, path):
        self.decoder = None
        where = None
        with open(path, encoding='utf-8') as stream:
            for where, text in self.logical_lines(path, stream):
                self.parse_line(where, text)
        if self.decoder is None:
            raise DecodeError(path, 'no decoder line')
        if len(self.stack) > 1:
            raise DecodeError(self.stack[-1].where, f'group {self.stack[-1].kind} is not closed')

    @staticmethod
    def logical_lines(path, stream):
        pending, start = '', 0
        for number, line in enumerate(stream, 1):
            line = line.split('#', 1)[0].rstrip()
            if not pending:
                start = number
            if line.endswith('\\'):
                pending += line[:-1] + ' '
                continue
            text = (pending + line).strip()
            pending = ''
            if text:
                yield f'{os.path.basename(path)}:{start}', text
        if pending.strip():
            yield f'{os.path.basename(path)}:{start}', pending.strip()

    def parse_line(self, where, text):
        words = text.split()
        if words[0] == 'decoder':
            self.parse_decoder(where, words[1:])
        elif self.decoder is None:
            raise DecodeError(where, 'the decoder line must come first')
        elif words[0][0] == '%':
            self.parse_field(where, words)
        elif words[0][0] == '&':
            self.parse_argset(where, words)
        elif words[0][0] == '@':
            self.parse_format(where, words)
        elif words[0] in ('{', '['):
            self.only_word(where, words)
            group = Group(where, words[0])
            self.stack[-1].items.append(group)
            self.stack.append(group)
        elif words[0] in ('}', ']'):
            self.only_word(where, words)
            group = self.stack[-1]
            if len(self.stack) == 1 or group.kind != {'}': '{', ']': '['}[words[0]]:
                raise DecodeError(where, f'{words[0]} closes nothing')
            if not group.items:
                raise DecodeError(where, 'empty group')
            self.stack.pop()
        else:
            self.parse_row(where, text)

    @staticmethod
    def only_word(where, words):
        if len(words) > 1:
            raise DecodeError(where, f'{words[0]} must stand alone')

    def parse_decoder(self, where, words):
        if self.decoder is not None:
            raise DecodeError(where, 'second decoder line in a file')
        if not words or not RE_ROW_NAME.match(words[0]):
            raise DecodeError(where, 'decoder needs a name')
        name, width, big, prefix = words[0], None, False, words[0]
        for word in words[1:]:
            if word == 'big-endian':
                big = True
            elif word.startswith('width=') and word[6:].isdigit():
                width = int(word[6:])
            elif word.startswith('prefix=') and RE_ROW_NAME.match(word[7:]):
                prefix = word[7:]
            else:
                raise DecodeError(where, f'unknown option {word}')
        if width not in WIDTHS:
            raise DecodeError(where, f'width must be one of {", ".join(map(str, WIDTHS))}')
        known = self.program.decoders.get(name)
        if known is None:
            known = self.program.decoders[name] = Decoder(name, width, big, prefix)
        elif (known.width, known.big_endian, known.prefix) != (width, big, prefix):
            raise DecodeError(where, f'decoder {name} was declared differently before')
        self.decoder = known
        self.stack = [known.top]

    def parse_field(self, where, words):
        name = words[0][1:]
        if not RE_ROW_NAME.match(name):
            raise DecodeError(where, f'bad name %{name}')
        segments, shl, fn = [], 0, None
        for word in words[1:]:
            match = RE_SEGMENT.match(word)
            if match:
                if match[2] and segments:
                    raise DecodeError(where, 'only the first segment may be signed')
                segments.append((int(match[1]), int(match[3]), bool(match[2])))
            elif word.startswith('!shl=') and word[5:].isdigit():
                shl = int(word[5:])
            elif word.startswith('!fn=') and RE_ROW_NAME.match(word[4:]):
                fn = word[4:]
            else:
                raise DecodeError(where, f'bad field segment {word}')
        if not segments and not fn:
            raise DecodeError(where, f'field %{name} has no bits')
        field = Field(where, segments, shl, fn)
        field.check(self.decoder.width)
        if name in self.decoder.fields:
            old = self.decoder.fields[name]
            if old.describe() != field.describe():
                raise DecodeError(where, f'%{name} was defined differently before')
        self.decoder.fields[name] = field

    def parse_argset(self, where, words):
        name, members = words[0][1:], words[1:]
        for member in [name] + members:
            if not RE_ROW_NAME.match(member):
                raise DecodeError(where, f'bad name {member}')
        if len(set(members)) != len(members):
            raise DecodeError(where, f'&{name} has an argument twice')
        if self.program.argsets.setdefault(name, members) != members:
            raise DecodeError(where, f'&{name} was defined differently before')

    def parse_format(self, where, words):
        name = words[0][1:]
        if not RE_ROW_NAME.match(name):
            raise DecodeError(where, f'bad name @{name}')
        if name in self.decoder.formats:
            raise DecodeError(where, f'@{name} is defined twice')
        fmt = Bits(where)
        self.parse_bits(fmt, words[1:], None)
        self.decoder.formats[name] = fmt

    def parse_row(self, where, text):
        parts = [part.strip() for part in text.split(';')]
        if len(parts) > 3:
            raise DecodeError(where, 'too many ; columns')
        words = parts[0].split()
        unimp = RE_UNIMP.match(words[0])
        if not unimp and not RE_ROW_NAME.match(words[0]):
            raise DecodeError(where, f'bad row name {words[0]}')
        row = Row(where, words[0])
        if unimp:
            row.unimp, row.lift = unimp[1], None
        row.asm = parts[1] if len(parts) > 1 else ''
        row.section = parts[2] if len(parts) > 2 else ''
        self.parse_bits(row, words[1:], row)
        if not unimp:
            self.bind_argset(row)
        self.stack[-1].items.append(row)

    def parse_bits(self, bits, words, row):
        """The rest of a format's or row's line; row is None for a format."""
        width, position, format_name = self.decoder.width, self.decoder.width, None
        for word in words:
            inline = RE_INLINE.match(word)
            assign = RE_ASSIGN.match(word)
            if RE_BITS.match(word):
                for char in word:
                    position -= 1
                    if char != '.' and position >= 0:
                        bits.mask |= 1 << position
                        bits.value |= int(char) << position
            elif inline:
                length = int(inline[3])
                position -= length
                field = Field(bits.where, [(max(position, 0), length, bool(inline[2]))])
                if position >= 0:
                    field.check(width)
                    bits.inline_mask |= ((1 << length) - 1) << position
                bits.set_arg(inline[1], field)
            elif word[0] == '@' and row is not None and format_name is None:
                format_name = word[1:]
                if format_name not in self.decoder.formats:
                    raise DecodeError(bits.where, f'unknown format {word}')
            elif word[0] == '&' and bits.argset is None:
                bits.argset = word[1:]
                if bits.argset not in self.program.argsets:
                    raise DecodeError(bits.where, f'unknown argument set {word}')
            elif word[0] == '%':
                bits.set_arg(word[1:], self.find_field(bits.where, word))
            elif assign and assign[1] == 'if' and row is not None:
                if not RE_FEATURE.match(assign[2]):
                    raise DecodeError(bits.where, f'bad feature condition {assign[2]}')
                row.features = assign[2]
            elif assign and assign[1] == 'lift' and row is not None and not row.unimp:
                if not RE_ROW_NAME.match(assign[2]):
                    raise DecodeError(bits.where, f'bad lifter name {assign[2]}')
                row.lift = assign[2]
            elif assign:
                bits.set_arg(assign[1], self.parse_value(bits.where, assign[2]))
            else:
                raise DecodeError(bits.where, f'unknown word {word}')
        if position != 0:
            raise DecodeError(bits.where, f'{width - position} bits given, the width is {width}')
        if format_name is not None:
            bits.merge(self.decoder.formats[format_name], format_name)

    def find_field(self, where, word):
        field = self.decoder.fields.get(word[1:])
        if field is None:
            raise DecodeError(where, f'unknown field {word}')
        return field

    def parse_value(self, where, text):
        if text[0] == '%':
            return self.find_field(where, text)
        if not RE_INT.match(text) and not RE_CONST_NAME.match(text):
            raise DecodeError(where, f'bad value {text}')
        return Const(text)

    def bind_argset(self, row):
        """Settles the row's structure, the same for every row of that lifter."""
        names = list(row.args)
        if row.argset:
            members = self.program.argsets[row.argset]
            if set(members) != set(names):
                missing = [m for m in members if m not in row.args]
                extra = [n for n in names if n not in members]
                raise DecodeError(row.where, f'arguments don\'t fit &{row.argset}:'
                                  + (f' missing {", ".join(missing)}' if missing else '')
                                  + (f' extra {", ".join(extra)}' if extra else ''))
            wanted = ('&' + row.argset, tuple(members))
        else:
            wanted = ('', tuple(sorted(names)))
        key = (self.decoder.prefix, row.lift)
        known = self.program.lifters.setdefault(key, wanted)
        if known[0] == '' and wanted[0] == '' and known == wanted:
            return
        if known != wanted:
            raise DecodeError(row.where, f'{row.lift} has other arguments elsewhere')


# -- checking ----------------------------------------------------------------------------------


def check_disjoint(items, what):
    """No row of one item may overlap one of another item."""
    flat = []
    for number, item in enumerate(items):
        for row in item.rows() if isinstance(item, Group) else [item]:
            flat.append((number, row))
    for i, (number, row) in enumerate(flat):
        mask, value = row.mask, row.value
        for other_number, other in flat[:i]:
            if (value ^ other.value) & mask & other.mask == 0 and number != other_number:
                raise DecodeError(row.where, f'{row.name} overlaps {other.name} '
                                  f'({other.where}) {what}')


def check_group(group, what='outside of a group'):
    if group.kind == '[':
        check_disjoint(group.items, what)
    else:
        rows = list(group.rows())
        for i, row in enumerate(rows):
            for other in rows[:i]:
                if other.covers(row):
                    raise DecodeError(row.where, f'{row.name} is unreachable: {other.name} '
                                      f'({other.where}) matches all of it')
    for item in group.items:
        if isinstance(item, Group):
            check_group(item, 'inside [ ]')


# -- the decision tree -------------------------------------------------------------------------


def runs_of(mask):
    """The contiguous runs of ones in mask, as (lsb, length)."""
    result, lsb = [], 0
    while mask >> lsb:
        if mask >> lsb & 1:
            length = 0
            while mask >> (lsb + length) & 1:
                length += 1
            result.append((lsb, length))
            lsb += length
        else:
            lsb += 1
    return result


class Tree:
    """Writes the matcher of one decoder as nested switches.

    A node has the rows that may still match, in order of priority, and the bits that are known. It
    switches on the run of bits that all of its rows fix and that separates them best; when there is
    none (rows of a group), on the bits that most of them fix; a few rows are tested one by one.
    """
    MAX_RUN, LINEAR = 8, 3

    def __init__(self, decoder, out):
        self.decoder, self.out = decoder, out

    def emit(self, indent, text):
        self.out.append('    ' * indent + text)

    def condition(self, row, known):
        tests = []
        mask = row.mask & ~known
        if mask:
            tests.append(f'(insn & {hexa(mask)}) == {hexa(row.value & mask)}')
        if row.features:
            tests.append(feature_test(row.features, self.decoder.prefix))
        return ' && '.join(tests)

    def walk(self, rows, known, indent):
        rows = self.reachable(rows, known)
        if not rows:
            self.emit(indent, 'return false;')
            return
        run = self.choose(rows, known) if len(rows) > 1 else None
        if run is None:
            self.linear(rows, known, indent)
        else:
            self.switch(rows, known, indent, run)

    @staticmethod
    def reachable(rows, known):
        for i, row in enumerate(rows):
            if row.mask & ~known == 0 and not row.features:
                return rows[:i + 1]
        return rows

    def choose(self, rows, known):
        common = ~known
        for row in rows:
            common &= row.mask
        common &= (1 << self.decoder.width) - 1
        best = self.best_run(rows, common)
        if best or len(rows) <= self.LINEAR:
            return best
        # No bit is fixed by all: take the one that most of the rows fix.
        counts = {}
        for bit in range(self.decoder.width):
            fixed = [row.value >> bit & 1 for row in rows if row.mask & ~known & (1 << bit)]
            if 0 in fixed and 1 in fixed:
                counts[bit] = len(fixed)
        most = max(counts.values(), default=0)
        return self.best_run(rows, sum(1 << bit for bit, n in counts.items() if n == most))

    def best_run(self, rows, bits):
        best, best_score = None, 1
        for lsb, length in runs_of(bits):
            for start in range(0, max(1, length - self.MAX_RUN + 1)):
                n = min(length, self.MAX_RUN)
                score = len({row.value >> (lsb + start) & ((1 << n) - 1) for row in rows
                             if row.mask >> (lsb + start) & 1})
                if score > best_score:
                    best, best_score = (lsb + start, n), score
        return best

    def switch(self, rows, known, indent, run):
        lsb, length = run
        ones = (1 << length) - 1
        cases, loose = {}, False
        for row in rows:
            if row.mask >> lsb & ones == ones:
                cases.setdefault(row.value >> lsb & ones, None)
            else:
                loose = True
        if loose:
            for value in range(1 << length):
                cases.setdefault(value, None)
        known |= ones << lsb
        merged = {}
        for value in sorted(cases):
            chosen = tuple(row for row in rows
                           if (row.value ^ value << lsb) & row.mask & (ones << lsb) == 0)
            merged.setdefault(chosen, []).append(value)
        shift = f'insn >> {lsb}' if lsb else 'insn'
        self.emit(indent, f'switch ({shift} & {hexa(ones)}) {{')
        for chosen, values in merged.items():
            if not chosen:
                continue
            for value in values:
                self.emit(indent, f'case {hexa(value)}:')
            self.walk(list(chosen), known, indent + 1)
        self.emit(indent, '}')
        self.emit(indent, 'return false;')

    def linear(self, rows, known, indent):
        for row in rows:
            row.reached = True
            call = f'return {row_function(self.decoder, row)}(ctx, insn);'
            test = self.condition(row, known)
            if not test:
                self.emit(indent, call)
                return
            self.emit(indent, f'if ({test})')
            self.emit(indent + 1, call)
        self.emit(indent, 'return false;')


# -- writing -----------------------------------------------------------------------------------


def hexa(number):
    return f'{number:#x}' + ('ull' if number >> 32 else 'u')


def feature_test(text, prefix):
    def one(name):
        negate = name.startswith('!')
        return ('!' if negate else '') + f'{prefix.upper()}_HAS(ctx, {name.lstrip("!")})'
    alternatives = []
    for part in text.split(','):
        tests = [one(name) for name in part.split('|')]
        alternatives.append(tests[0] if len(tests) == 1 else f'({" || ".join(tests)})')
    return ' && '.join(alternatives)


def row_function(decoder, row):
    return f'{decoder.name}_row{row.index}'


def c_string(text):
    return '"' + text.replace('\\', '\\\\').replace('"', '\\"') + '"'


def set_struct(name):
    return 'Arg' + name[0].upper() + name[1:]


class Writer:
    def __init__(self, program, stem, includes):
        self.program, self.stem, self.includes = program, stem, includes

    def banner(self, what):
        return [f'/* {what} Made by decodegen.py; do not edit. */']

    def header(self):
        guard = re.sub(r'\W', '_', self.stem).upper() + '_DECODE_H'
        out = self.banner('Argument structures, lifters and matchers.')
        out += [f'#ifndef {guard}', f'#define {guard}', '',
                '#include "translator/guest/isa.h"', '']
        for name, members in self.program.argsets.items():
            fields = f'int {", ".join(members)};' if members else 'int unused;'
            out.append(f'typedef struct {set_struct(name)} {{ {fields} }} {set_struct(name)};')
        typedefs, prototypes = {}, []
        for (prefix, lift), (argset, members) in self.program.lifters.items():
            if argset:
                target = set_struct(argset[1:])
                text = f'typedef {target} Arg{lift};' if target != f'Arg{lift}' else ''
            else:
                fields = f'int {", ".join(members)};' if members else 'int unused;'
                text = f'typedef struct Arg{lift} {{ {fields} }} Arg{lift};'
            if typedefs.setdefault(lift, text) != text:
                raise DecodeError(self.stem, f'Arg{lift} would be defined twice')
            prototypes.append(f'bool {prefix}_lift_{lift}(LiftContext *ctx, const Arg{lift} *a);')
        out += [''] + [text for text in typedefs.values() if text] + [''] + prototypes + ['']
        for decoder in self.program.decoders.values():
            out += self.fetch_function(decoder)
            out.append(f'bool {decoder.name}_decode(LiftContext *ctx, {insn_type(decoder)} insn);')
        out += ['', '#endif']
        return out

    @staticmethod
    def fetch_function(decoder):
        """The instruction at code, by the decoder's byte order."""
        n = decoder.width // 8
        kind = insn_type(decoder)
        parts = []
        for i in range(n):
            shift = 8 * (n - 1 - i if decoder.big_endian else i)
            parts.append(f'({kind})code[{i}]' + (f' << {shift}' if shift else ''))
        return [f'static inline {kind} {decoder.name}_fetch(const uint8_t *code)', '{',
                f'    return {" | ".join(parts)};', '}']

    def source(self):
        out = ['/* data plane */'] + self.banner('Matchers.')
        out += [f'#include "{self.stem}-decode.h"', '', '#include "translator/translator.h"']
        out += [f'#include "{name}"' for name in self.includes]
        for decoder in self.program.decoders.values():
            out += self.decoder_source(decoder)
        return out

    def decoder_source(self, decoder):
        rows = list(decoder.top.rows())
        kind = insn_type(decoder)
        bits = 64 if decoder.width > 32 else 32
        out = ['', '#undef decode_u', '#undef decode_s',
               '#define decode_u(insn, lsb, len) '
               f'((int)((insn) << ({bits} - (lsb) - (len)) >> ({bits} - (len))))',
               '#define decode_s(insn, lsb, len) '
               f'((int)((int{bits}_t)((insn) << ({bits} - (lsb) - (len))) >> ({bits} - (len))))']
        body = []
        tree = Tree(decoder, body)
        tree.walk(rows, 0, 1)
        for row in rows:
            if not row.reached:
                raise DecodeError(row.where, f'{row.name} is unreachable: the rows before it match '
                                             'all of it')
            out += self.row_source(decoder, row)
        out += ['', f'bool {decoder.name}_decode(LiftContext *ctx, {kind} insn)', '{'] + body + ['}']
        return out

    @staticmethod
    def row_source(decoder, row):
        kind = insn_type(decoder)
        out = ['', f'static bool {row_function(decoder, row)}(LiftContext *ctx, {kind} insn)', '{']
        if row.unimp:
            what = c_string(f'{row.unimp}: {row.asm or "instruction"}: not implemented: '
                            .replace('%', '%%'))[:-1]
            return out + ['    if (log_on(LOG_UNIMP))',
                          f'        log_write({what}%#llx\\n", (unsigned long long)insn);',
                          '    return false;', '}']
        out.append(f'    Arg{row.lift} a;')
        if not row.args:
            out.append('    a.unused = 0;')
        for name, value in row.args.items():
            out.append(f'    a.{name} = {value.expression()};')
        return out + [f'    return {decoder.prefix}_lift_{row.lift}(ctx, &a);', '}']

    def table(self):
        out = self.banner('All rows, for the instruction tests and the support matrix.')
        out += ['#include "translator/decodegen/rows.h"', '']
        for decoder in self.program.decoders.values():
            rows = list(decoder.top.rows())
            out += [f'const DecodeRow {decoder.name}_rows[] = {{']
            for row in rows:
                fields = '; '.join(f'{n}={v.describe()}' for n, v in row.args.items())
                cells = [c_string(row.name), hexa(row.mask), hexa(row.value), c_string(row.features),
                         c_string(fields), c_string(row.asm), c_string(row.section),
                         'true' if row.unimp else 'false']
                out.append('    { ' + ', '.join(cells) + ' },')
            out += ['};', f'const unsigned {decoder.name}_n_rows = {len(rows)};', '']
        return out

    def json(self):
        result = []
        for decoder in self.program.decoders.values():
            result.append({
                'decoder': decoder.name, 'width': decoder.width, 'big_endian': decoder.big_endian,
                'rows': [{
                    'name': row.name, 'mask': row.mask, 'value': row.value,
                    'fields': {n: v.describe() for n, v in row.args.items()},
                    'if': row.features, 'unimp': row.unimp, 'asm': row.asm, 'section': row.section,
                    'where': row.where,
                } for row in decoder.top.rows()]})
        return [json.dumps(result, indent=1)]


def insn_type(decoder):
    return 'uint64_t' if decoder.width > 32 else 'uint32_t'


def write_file(path, lines):
    """Complete or not at all: make must not find half a file."""
    with open(path + '.tmp', 'w', encoding='utf-8') as stream:
        stream.write('\n'.join(lines) + '\n')
    os.replace(path + '.tmp', path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n', maxsplit=1)[0])
    parser.add_argument('files', nargs='+')
    parser.add_argument('-o', dest='directory', required=True, help='where the output goes')
    parser.add_argument('--name', help='stem of the output files (default: the first decoder)')
    parser.add_argument('--include', action='append', default=[],
                        help='header for the C file: PREFIX_HAS, !fn functions, constants')
    options = parser.parse_args()
    try:
        program = Program()
        reader = Parser(program)
        for path in options.files:
            reader.parse_file(path)
        for decoder in program.decoders.values():
            check_group(decoder.top)
            for index, row in enumerate(decoder.top.rows()):
                row.index = index
            if not any(True for _ in decoder.top.rows()):
                raise DecodeError(decoder.name, 'decoder has no rows')
        stem = options.name or next(iter(program.decoders))
        writer = Writer(program, stem, options.include)
        outputs = {f'{stem}-decode.c': writer.source(), f'{stem}-rows.c': writer.table(),
                   f'{stem}-decode.json': writer.json(), f'{stem}-decode.h': writer.header()}
    except (DecodeError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    for name, lines in outputs.items():
        write_file(os.path.join(options.directory, name), lines)
    return 0


if __name__ == '__main__':
    sys.exit(main())
