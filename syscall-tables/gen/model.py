"""The tables as objects, with every rule of FORMAT.md checked.

Tables.load() reads the folder; Abi.layout() computes sizes and offsets; errors name file and line.
"""

import os
import re


class TableError(Exception):
    pass


# base type -> (bytes, signed); None: the ABI's word
BASES = {
    'i8': (1, True), 'u8': (1, False), 'i16': (2, True), 'u16': (2, False),
    'i32': (4, True), 'u32': (4, False), 'i64': (8, True), 'u64': (8, False),
    'long': (None, True), 'ulong': (None, False), 'ptr': (None, False), 'char': (1, False),
}

# Kinds of values, and of pointers that need no `in:` or `out:` before them.
SCALARS = {'int', 'uint', 'slong', 'size', 'off', 'poslo', 'poshi', 'hex', 'hex64', 'octal', 'mode',
           'filemode', 'fd', 'atfd', 'pid', 'uid', 'sig', 'dev', 'addr', 'flags', 'values', 'rlim',
           'path', 'linkpath', 'rawpath', 'str', 'ioctl', 'ioctlarg', 'fcntlarg', 'futexop', 'futexarg',
           'sockopt', 'epolldata', 'cloneflags', 'none', 'ulong', 'long', 'ip'}
POINTERS = {'bytes', 'str', 'i8', 'u8', 'i16', 'u16', 'i32', 'u32', 'i64', 'u64', 'long', 'ulong',
            'off64', 'struct', 'iovec', 'sockaddr', 'msghdr', 'mmsghdr', 'sigset', 'fdset', 'cpuset',
            'sigarg', 'sigevent', 'siginfo', 'sigaction', 'strv', 'envv', 'wstatus', 'dirents',
            'optval', 'ipcbuf', 'addr'}
# What convert_call() can't do between different word sizes or byte orders: such calls need a
# handler there.
WORDY = {'iovec', 'msghdr', 'mmsghdr', 'sigset', 'fdset', 'cpuset', 'sigarg', 'sigevent', 'siginfo',
         'sigaction', 'strv', 'envv', 'wstatus', 'dirents', 'ioctlarg', 'fcntlarg', 'futexarg',
         'optval', 'ipcbuf', 'sockaddr', 'poslo', 'poshi'}


# Of these the bytes are the same wherever the byte order is: arrays of bits, and what was made alike.
BYTE_ORDER_ONLY = {'sigset', 'fdset', 'cpuset', 'dirents', 'sockaddr', 'wstatus'}


def rows(path):
    """Lines without comments, as (place, text)."""
    with open(path, encoding='utf-8') as f:
        for n, line in enumerate(f, 1):
            text = line.split('#')[0].rstrip()
            if text.strip():
                yield f'{path}:{n}', text


def folder(top, name):
    d = os.path.join(top, name)
    return [os.path.join(d, f) for f in sorted(os.listdir(d)) if f.endswith('.tbl')]


class Const:
    def __init__(self, name, value, over, mask):
        self.name, self.value, self.over, self.mask = name, value, over, mask

    def on(self, abi):
        return self.over.get(abi, self.value)


class ConstSet:
    def __init__(self, name, flags):
        self.name, self.flags, self.consts = name, flags, []

    def on(self, abi):
        """[(value, mask, name)]; multi-bit flags first keep their order in the text."""
        out = []
        for c in self.consts:
            v = c.on(abi)
            if not self.flags:
                mask = (1 << 64) - 1
            elif c.mask is None:
                mask = v
            else:
                mask = c.mask
            out.append((v, mask, c.name))
        return out


class Field:
    def __init__(self, name, base, ref, count, kind, kind_ref, show):
        self.name, self.base, self.ref, self.count = name, base, ref, count
        self.kind, self.kind_ref, self.show = kind, kind_ref, show


class Struct:
    def __init__(self, name, packed, place, union=False):
        self.name, self.packed, self.place, self.fields = name, packed, place, []
        self.union = union  # some field is one of several things: raw words


class Arg:
    def __init__(self, name, kind, ref, direction, count_kind, count):
        self.name, self.kind, self.ref, self.direction = name, kind, ref, direction
        self.count_kind, self.count = count_kind, count


class Proto:
    def __init__(self, name, args, ret, ret_ref, place):
        self.name, self.args, self.ret, self.ret_ref, self.place = name, args, ret, ret_ref, place
        self.own = False
        self.unlike = False  # a handler where word size or byte order aren't the host's
        self.host = name
        self.refuse = None  # (errno name, reason)


class Ioctl:
    def __init__(self, name, number, kind, ref, direction, count, place):
        self.name, self.number, self.kind, self.ref = name, number, kind, ref
        self.direction, self.count, self.place = direction, count, place


class SockOpt:
    def __init__(self, level, control, name, value, kind, ref, place):
        self.level, self.control, self.name, self.value = level, control, name, value
        self.kind, self.ref, self.place = kind, ref, place


class Layout:
    def __init__(self, size, align, fields):
        self.size, self.align, self.fields = size, align, fields  # fields: [(Field, offset, bytes)]


class Abi:
    def __init__(self, tables, name, options):
        self.tables, self.name = tables, name
        self.word = int(options.get('word', 8))
        self.big = options.get('endian', 'little') == 'big'
        self.i64_align = int(options.get('i64_align', 8))
        self.pairs_even = options.get('pairs') == 'even'
        self.numbers_name = options.get('numbers', name)
        self._layouts = {}

    def numbers(self):
        return self.tables.numbers(self.numbers_name)

    def base_bytes(self, base):
        return BASES[base][0] or self.word

    def layout(self, name):
        if name in self._layouts:
            return self._layouts[name]
        s = self.tables.struct_on(name, self.name)
        offset, align, fields = 0, 1, []
        for f in s.fields:
            if f.base == 'struct':
                inner = self.layout(f.ref)
                size, al = inner.size, inner.align
            else:
                size = self.base_bytes(f.base)
                al = min(size, self.i64_align) if size == 8 and self.word == 4 else size
            if s.packed:
                al = 1
            offset = (offset + al - 1) // al * al
            fields.append((f, offset, size))
            offset += size * (f.count or 1)
            align = max(align, al)
        lay = Layout((offset + align - 1) // align * align, align, fields)
        self._layouts[name] = lay
        return lay

    def has_union(self, name):
        s = self.tables.struct_on(name, self.name)
        return s.union or any(f.base == 'struct' and self.has_union(f.ref) for f in s.fields)

    def set_same(self, name, other):
        s = self.tables.sets[name]
        return s.on(self.name) == s.on(other.name)

    def same_layout(self, name, other):
        """The bytes of the structure mean the same in both ABIs."""
        if self.big != other.big:
            return False
        a, b = self.layout(name), other.layout(name)
        if a.size != b.size:
            return False
        fa = {f.name: (f, o, n) for f, o, n in a.fields if not f.name.startswith('_')}
        fb = {f.name: (f, o, n) for f, o, n in b.fields if not f.name.startswith('_')}
        if set(fa) != set(fb):
            return False
        for k, (f, o, n) in fa.items():
            g, p, m = fb[k]
            if (o, n, f.count) != (p, m, g.count):
                return False
            if f.base == 'struct' and not self.same_layout(f.ref, other):
                return False
            if f.kind in ('flags', 'values') and not self.set_same(f.kind_ref, other):
                return False
        return True

    def sizeof(self, text, place):
        if text.isdigit():
            return int(text)
        if text.startswith('struct.'):
            return self.layout(text[7:]).size
        if text in BASES:
            return self.base_bytes(text)
        raise TableError(f'{place}: what is {text}?')

    def ioctl_number(self, io):
        number = io.over.get(self.name, io.number)
        m = re.fullmatch(r'(IOR|IOW|IOWR|IO)\((.*)\)', number)
        if not m:
            return int(number, 0)
        parts = [p.strip() for p in re.findall(r"'.'|[^,]+", m[2])]
        kind = ord(parts[0][1]) if parts[0][0] == "'" else int(parts[0], 0)
        nr = int(parts[1], 0)
        if m[1] == 'IO':
            return kind << 8 | nr
        direction = {'IOW': 1, 'IOR': 2, 'IOWR': 3}[m[1]]
        return direction << 30 | self.sizeof(parts[2], io.place) << 16 | kind << 8 | nr


class Tables:
    def __init__(self):
        self.abis, self.sets, self.structs, self.protos, self.ioctls = {}, {}, {}, {}, []
        self.sockopts = []  # SockOpt
        self.ioctl_refusals = []  # (type, errno name, reason)
        self._numbers = {}

    @staticmethod
    def load(top):
        t = Tables()
        for place, text in rows(os.path.join(top, 'abis.tbl')):
            words = text.split()
            if words[0] != 'abi' or len(words) < 2:
                raise TableError(f'{place}: want `abi NAME option=value…`')
            t.abis[words[1]] = Abi(t, words[1], dict(w.split('=', 1) for w in words[2:]))
        for f in folder(top, 'consts'):
            t.load_consts(f)
        for f in folder(top, 'structs'):
            t.load_structs(f)
        for f in folder(top, 'protos'):
            t.load_protos(f)
        for f in folder(top, 'ioctls'):
            t.load_ioctls(f)
        for f in folder(top, 'sockopts'):
            t.load_sockopts(f)
        t.numbers_dir = os.path.join(top, 'numbers')
        t.check()
        return t

    def load_consts(self, path):
        cur, mask = None, None
        for place, text in rows(path):
            w = text.split()
            if w[0] == 'set':
                if len(w) != 3 or w[2] not in ('flags', 'values'):
                    raise TableError(f'{place}: want `set NAME flags|values`')
                if w[1] in self.sets:
                    raise TableError(f'{place}: set {w[1]} is there already')
                cur, mask = ConstSet(w[1], w[2] == 'flags'), None
                self.sets[w[1]] = cur
                continue
            if cur is None:
                raise TableError(f'{place}: a constant outside a set')
            if w[0] == 'field':
                mask = int(w[1], 0)
                continue
            if not text.startswith('    '):
                mask = None
            over = {}
            for o in w[2:]:
                abi, v = o.split('=')
                if abi not in self.abis:
                    raise TableError(f'{place}: no ABI {abi}')
                over[abi] = int(v, 0)
            value = int(w[1], 0) if len(w) > 1 else None
            if value is None:
                raise TableError(f'{place}: {w[0]} has no value')
            cur.consts.append(Const(w[0], value, over, mask))

    def load_structs(self, path):
        cur = None
        for place, text in rows(path):
            w = text.split()
            if w[0] == 'struct':
                abi = next((x[1:] for x in w[2:] if x[0] == '@'), None)
                if abi is not None and abi not in self.abis:
                    raise TableError(f'{place}: no ABI {abi}')
                if (w[1], abi) in self.structs:
                    raise TableError(f'{place}: struct {w[1]} is there already')
                cur = Struct(w[1], 'packed' in w[2:], place, 'union' in w[2:])
                self.structs[w[1], abi] = cur
                continue
            if cur is None or len(w) < 2:
                raise TableError(f'{place}: want `FIELD TYPE [KIND] [show]`')
            m = re.fullmatch(r'(struct\.)?(\w+)(?:\[(\d+)\])?', w[1])
            if not m or (not m[1] and m[2] not in BASES):
                raise TableError(f'{place}: no type {w[1]}')
            show = w[-1] == 'show'
            kind, ref = None, None
            rest = w[2:-1] if show else w[2:]
            if rest:
                kind, _, ref = rest[0].partition(':')
                if kind not in SCALARS:
                    raise TableError(f'{place}: no kind {kind}')
            cur.fields.append(Field(w[0], 'struct' if m[1] else m[2], m[2] if m[1] else None,
                                    int(m[3]) if m[3] else 0, kind, ref or None, show))

    def parse_type(self, text, place):
        """(kind, ref, direction, count kind, count) of `[in:|out:|io:]KIND[:REF|.REF][[count]]`."""
        m = re.fullmatch(r'(?:(in|out|io):)?(\w+)(?:[:.](\w+))?(?:\[(\*?\w+)\])?', text)
        if not m:
            raise TableError(f'{place}: cannot read type {text}')
        direction, kind, ref, count = m.groups()
        if direction is None and kind not in SCALARS:
            raise TableError(f'{place}: no kind of value {kind}')
        if direction is not None and kind not in POINTERS:
            raise TableError(f'{place}: no kind of pointer {kind}')
        if count is None:
            return kind, ref, direction, 'one', 0
        if count.isdigit():
            return kind, ref, direction, 'const', int(count)
        if count == 'ret':
            return kind, ref, direction, 'ret', 0
        if count[0] == '*':
            return kind, ref, direction, 'ptr', count[1:]
        return kind, ref, direction, 'arg', count

    def load_protos(self, path):
        for place, text in rows(path):
            head, _, options = text.partition('|')
            left, _, ret = head.partition('->')
            w = left.split()
            ret, _, ret_ref = (ret.strip() or 'int').partition(':')
            if ret not in SCALARS:
                raise TableError(f'{place}: no kind of value {ret}')
            args = []
            for a in w[1:]:
                name, eq, ty = a.partition('=')
                if not eq:
                    raise TableError(f'{place}: want NAME=TYPE, not {a}')
                args.append(Arg(name, *self.parse_type(ty, place)))
            names = [a.name for a in args]
            for i, a in enumerate(args):
                # the second word of `mode:flags`, `sockopt:level` names an argument, not a set
                if a.kind in ('mode', 'sockopt', 'poslo', 'dev') and a.ref:
                    a.count_kind, a.count, a.ref = 'arg', a.ref, None
                if a.count_kind in ('arg', 'ptr'):
                    if a.count not in names:
                        raise TableError(f'{place}: no argument {a.count}')
                    # of two with one name, the later that isn't itself
                    idx = [j for j, n in enumerate(names) if n == a.count and j != i]
                    a.count = idx[-1]
            if w[0] in self.protos:
                raise TableError(f'{place}: {w[0]} is there already')
            p = Proto(w[0], args, ret, ret_ref or None, place)
            opts = options.strip()
            while opts:
                word, _, opts = opts.partition(' ')
                opts = opts.strip()
                if word == 'own':
                    p.own = True
                elif word == 'unlike':
                    p.unlike = True
                elif word.startswith('host='):
                    p.host = word[5:]
                elif word == 'refuse':
                    errno, _, reason = opts.partition(' ')
                    if not reason:
                        raise TableError(f'{place}: refuse wants an errno and a reason')
                    p.refuse, opts = (errno, reason), ''
                else:
                    raise TableError(f'{place}: no option {word}')
            self.protos[w[0]] = p

    def load_ioctls(self, path):
        for place, text in rows(path):
            m = re.fullmatch(r'refuse\s+(0x\w+)\s+(E\w+)\s+(.*)', text)
            if m:
                self.ioctl_refusals.append((int(m[1], 16), m[2], m[3]))
                continue
            if text.startswith('refuse '):
                raise TableError(f'{place}: refuse wants a type, an errno and a reason')
            m = re.fullmatch(r"(\w+)\s+(IO\w*\([^)]*\)|\w+)\s+(\S+)((?:\s+\w+=\w+)*)", text)
            if not m:
                raise TableError(f'{place}: want NAME NUMBER ARGUMENT')
            if m[3] == '-':
                ty = ('none', None, None, 'one', 0)
            else:
                ty = self.parse_type(m[3], place)
            self.ioctls.append(Ioctl(m[1], m[2], ty[0], ty[1], ty[2], ty[4] or 1, place))
            self.ioctls[-1].over = dict(o.split('=') for o in m[4].split())
            for abi in self.ioctls[-1].over:
                if abi not in self.abis:
                    raise TableError(f'{place}: no ABI {abi}')

    def load_sockopts(self, path):
        level, control = None, False
        for place, text in rows(path):
            w = text.split()
            if len(w) == 3 and w[0] in ('level', 'control'):
                level, control = int(w[2]), w[0] == 'control'
                continue
            if level is None or len(w) != 3:
                raise TableError(f'{place}: want `level|control NAME NUMBER` or `NAME VALUE TYPE`')
            m = re.fullmatch(r'(\w+)(?:\.(\w+))?', w[2])
            if not m or m[1] not in POINTERS:
                raise TableError(f'{place}: no kind of pointer {w[2]}')
            o = SockOpt(level, control, w[0], int(w[1]), m[1], m[2], place)
            if any((x.level, x.control, x.value) == (level, control, o.value)
                   for x in self.sockopts):
                raise TableError(f'{place}: {w[0]} has the number of another')
            self.sockopts.append(o)

    def numbers(self, name):
        """{name: number} with what it inherits."""
        if name in self._numbers:
            return self._numbers[name]
        out = {}
        path = os.path.join(self.numbers_dir, name + '.tbl')
        for place, text in rows(path):
            w = text.split()
            if w[0] == 'inherit':
                out.update(self.numbers(w[1]))
            elif w[0] == '-':
                if out.pop(w[1], None) is None:
                    raise TableError(f'{place}: no call {w[1]} to take away')
            elif len(w) == 2 and w[0].isdigit():
                nr = int(w[0])
                for k in [k for k, v in out.items() if v == nr]:
                    raise TableError(f'{place}: {nr} is {k} already')
                out[w[1]] = nr
            else:
                raise TableError(f'{place}: want `NUMBER NAME`')
        self._numbers[name] = out
        return out

    def struct_on(self, name, abi):
        s = self.structs.get((name, abi)) or self.structs.get((name, None))
        if not s:
            raise TableError(f'no struct {name}')
        return s

    def struct_names(self):
        return sorted({n for n, _ in self.structs})

    def check(self):
        def ref(kind, name, place):
            if kind in ('flags', 'values') and name not in self.sets:
                raise TableError(f'{place}: no set {name}')
            if kind == 'struct' and (name, None) not in self.structs:
                raise TableError(f'{place}: no struct {name}')
        for p in self.protos.values():
            for a in p.args:
                ref(a.kind, a.ref, p.place)
        for i in self.ioctls + self.sockopts:
            ref(i.kind, i.ref, i.place)
        for (n, abi), s in self.structs.items():
            if (n, None) not in self.structs:
                raise TableError(f'{s.place}: struct {n} has no generic layout')
            for f in s.fields:
                ref(f.base, f.ref, s.place)
                ref(f.kind, f.kind_ref, s.place)
        for s in self.sets.values():
            if not s.flags:
                continue
            for abi in self.abis:
                seen = 0
                for v, mask, name in s.on(abi):
                    if v & ~mask:
                        raise TableError(f'set {s.name}: {name} is wider than its field')
