#!/usr/bin/env python3
"""Turns fold.rules into C: one function an operation, tried in the file's order.

A rule is `PATTERN => RESULT` with an optional `if {C expression}`, on one line (a line that ends
in `\\` goes on). The grammar is at the head of fold.rules.
"""
import re
import sys


class RuleError(Exception):
    pass


TOKEN = re.compile(r"\s*(?:(=>)|(\()|(\))|(#\{[^}]*\})|(\[[^\]]*\])|(<[^>]*>)|(\{[^}]*\})"
                   r"|(\$[a-z]\w*)|(-?(?:0x[0-9a-fA-F]+|\d+))|(\w+(?:\.\w+)?))")
KINDS = ["arrow", "(", ")", "cexpr", "cc", "attr", "brace", "const", "number", "name"]


def tokenize(text):
    pos, out = 0, []
    text = text.rstrip()
    while pos < len(text):
        m = TOKEN.match(text, pos)
        if not m:
            raise RuleError(f"unexpected text: {text[pos:].strip()}")
        out.append((KINDS[m.lastindex - 1], m.group(m.lastindex)))
        pos = m.end()
    return out


class Node:
    """An operation with its decorations, or an atom (kind, text)."""

    def __init__(self, op):
        self.op, _, self.type = op.partition(".")
        self.cc = self.attr = self.imm = None
        self.args = []


def parse_term(tokens):
    kind, text = tokens.pop(0)
    if kind != "(":
        if kind not in ("name", "const", "number", "cexpr"):
            raise RuleError(f"a term is expected, not {text}")
        return kind, text
    kind, text = tokens.pop(0)
    if kind != "name":
        raise RuleError("an operation is expected after (")
    node = Node(text)
    while tokens and tokens[0][0] in ("cc", "attr", "brace"):
        kind, text = tokens.pop(0)
        setattr(node, {"cc": "cc", "attr": "attr", "brace": "imm"}[kind], text[1:-1].strip())
    while tokens and tokens[0][0] != ")":
        node.args.append(parse_term(tokens))
    if not tokens:
        raise RuleError("missing )")
    tokens.pop(0)
    return node


class Rule:
    def __init__(self, text, line):
        self.line, self.guard = line, None
        m = re.search(r"\sif\s*\{(.*)\}\s*$", text)
        if m:
            self.guard, text = m.group(1).strip(), text[:m.start()]
        tokens = tokenize(text)
        self.pattern = parse_term(tokens)
        if not tokens or tokens.pop(0)[0] != "arrow":
            raise RuleError("=> is expected")
        self.result = parse_term(tokens)
        if tokens:
            raise RuleError("text after the result")
        if not isinstance(self.pattern, Node):
            raise RuleError("the pattern must be an operation")


class Writer:
    def __init__(self, rule, ops):
        self.rule, self.ops, self.out = rule, ops, []
        self.bound, self.n = set(), 0

    def emit(self, text):
        self.out.append("        " + text)

    def match_field(self, where, field, text, names):
        """A lower-case name binds; anything else must be equal."""
        if re.fullmatch(r"[a-z]\w*", text) and text not in names:
            self.emit(f"uint64_t {text} = (uint64_t){where}->{field}; (void){text};")
        else:
            self.emit(f"if ((uint64_t){where}->{field} != (uint64_t)({names.get(text, text)})) break;")

    def match(self, node, where):
        if node.op not in self.ops:
            raise RuleError(f"unknown operation {node.op}")
        if len(node.args) > self.ops[node.op]:
            raise RuleError(f"{node.op} has {self.ops[node.op]} arguments")
        if node.type:
            self.emit(f"if ({where}->type != IR_{node.type.upper()}) break;")
        if node.cc is not None:
            names = {"eq": "IR_CMP_EQ", "ne": "IR_CMP_NE", "ult": "IR_CMP_ULT", "ugt": "IR_CMP_UGT",
                     "uge": "IR_CMP_UGE", "ule": "IR_CMP_ULE"}
            self.match_field(where, "cc", node.cc, names)
        if node.attr is not None:
            self.match_field(where, "attr", node.attr, {})
        if node.imm is not None:
            self.match_field(where, "imm", node.imm, {})
        for k, arg in enumerate(node.args):
            self.match_arg(arg, f"{where}->arg[{k}]")

    def match_arg(self, arg, ref):
        if isinstance(arg, Node) or arg[0] in ("const", "number"):
            name = f"n{self.n}"
            self.n += 1
            self.emit(f"const IrInsn *{name} = &u->insn[{ref}];")
            if isinstance(arg, Node):
                self.emit(f"if ({name}->op != IR_{arg.op}) break;")
                self.match(arg, name)
                return
            self.emit(f"if ({name}->op != IR_const) break;")
            if arg[0] == "const":
                self.emit(f"uint64_t {arg[1][1:]} = (uint64_t){name}->imm; (void){arg[1][1:]};")
            else:
                self.emit(f"if ((uint64_t){name}->imm != fold_mask({name}->type, (uint64_t)({arg[1]}LL)))"
                          " break;")
        elif arg[0] == "name":
            if arg[1] in self.bound:
                self.emit(f"if ({ref} != {arg[1]}) break;")
            else:
                self.bound.add(arg[1])
                self.emit(f"IrRef {arg[1]} = {ref}; (void){arg[1]};")
        else:
            raise RuleError("a C expression in a pattern")

    def value(self, term, type_):
        """C expression of a ref for a term of the result below its root."""
        if isinstance(term, Node):
            args = [self.value(a, term_type(term, type_)) for a in term.args]
            args += ["0"] * (4 - len(args))
            name = f"t{self.n}"
            self.n += 1
            self.emit(f"IrRef {name} = fold_new(u, r, IR_{term.op}, {term_type(term, type_)}, "
                      f"{term.cc or 0}, {term.attr or 0}, {', '.join(args)}, "
                      f"(int64_t)({term.imm or 0}));")
            return name
        kind, text = term
        if kind == "name":
            return text
        expr = text[2:-1] if kind == "cexpr" else text
        name = f"t{self.n}"
        self.n += 1
        self.emit(f"IrRef {name} = fold_const(u, r, {type_}, (uint64_t)({expr}));")
        return name

    def write(self):
        rule = self.rule
        self.out.append(f"    do {{ /* fold.rules:{rule.line} */")
        self.match(rule.pattern, "i")
        if rule.guard:
            self.emit(f"if (!({rule.guard})) break;")
        result = rule.result
        if isinstance(result, Node):
            type_ = term_type(result, "type")
            args = [self.value(a, arg_type(result, type_)) for a in result.args]
            args += ["0"] * (4 - len(args))
            self.emit(f"return fold_rewrite(u, r, IR_{result.op}, {type_}, {result.cc or 0}, "
                      f"{result.attr or 0}, {', '.join(args)}, (int64_t)({result.imm or 0}));")
        elif result[0] == "name":
            self.emit(f"return {result[1]};")
        else:
            expr = result[1][2:-1] if result[0] == "cexpr" else result[1]
            self.emit(f"return fold_to_const(u, r, (uint64_t)({expr}));")
        self.out.append("    } while (0);")
        return self.out


def term_type(node, default):
    return f"IR_{node.type.upper()}" if node.type else default


def arg_type(node, type_):
    # Comparisons give i1 but take the type of the pattern's operand, which `optype` holds.
    return "optype" if node.op in ("cmp", "fladd", "flsub") else type_


def read_ops(path):
    ops = {}
    for m in re.finditer(r'^OP\((\w+),\s*"(.*?)"', open(path).read(), re.M):
        ops[m.group(1)] = len(m.group(2)) - 2
    return ops


def main():
    rules_path, ops_path, out_path = sys.argv[1:4]
    ops, rules, text, start = read_ops(ops_path), {}, "", 0
    for n, line in enumerate(open(rules_path), 1):
        line = re.sub(r"(^|\s);.*", "", line.rstrip("\n"))
        start = start if text else n
        if line.endswith("\\"):
            text += line[:-1]
            continue
        text += line
        if text.strip():
            try:
                rule = Rule(text, start)
                rules.setdefault(rule.pattern.op, []).append(Writer(rule, ops).write())
            except (RuleError, IndexError) as e:
                sys.exit(f"{rules_path}:{start}: {e}")
        text = ""
    with open(out_path, "w") as out:
        out.write("/* Generated from fold.rules by foldgen.py. */\n")
        for op, bodies in rules.items():
            out.write(f"static IrRef fold_{op}(IrUnit *u, IrRef r)\n{{\n"
                      "    const IrInsn *i = &u->insn[r];\n"
                      "    IrType type = (IrType)i->type;\n"
                      "    IrType optype = i->arg[0] ? (IrType)u->insn[i->arg[0]].type : type;\n"
                      "    unsigned w = type == IR_I64 ? 64 : 32;\n"
                      "    (void)type; (void)optype; (void)w;\n")
            for body in bodies:
                out.write("\n".join(body) + "\n")
            out.write("    return r;\n}\n\n")
        out.write("static IrRef (*const fold_table[IR_N_OPS])(IrUnit *, IrRef) = {\n")
        for op in rules:
            out.write(f"    [IR_{op}] = fold_{op},\n")
        out.write("};\n")


main()
