/*
 * Reads the text form of a unit (README.md), for tests and tools. Errors name the line. A value may
 * be used before its definition only by phi; forward names are patched at the end.
 */
#include <ctype.h>
#include <errno.h>
#include <glib.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "translator/guest/isa.h"
#include "translator/ir/attrs.h"
#include "translator/ir/ir.h"

typedef struct Parser {
    IrBuilder b;
    const char *p;     /* in the current line */
    unsigned line;
    GHashTable *names; /* number in the text -> IrRef */
    GArray *forward;   /* of Forward */
    GArray *phi_args;  /* of IrRef: of the current phi */
    GError **error;
} Parser;

typedef struct Forward { IrRef user; unsigned arg, name, line; } Forward;

static GQuark parse_quark(void)
{
    return g_quark_from_static_string("ir-parse");
}

static bool fail(Parser *ps, const char *what, const char *name)
{
    g_set_error(ps->error, parse_quark(), 0, "line %u: %s%s%s", ps->line, what, name ? ": " : "",
                name ? name : "");
    return false;
}

static void skip_space(Parser *ps)
{
    while (*ps->p == ' ' || *ps->p == '\t' || *ps->p == ',')
        ps->p++;
}

/* A word of letters, digits and underscores; NULL when there is none. */
static char *word(Parser *ps)
{
    const char *start = ps->p;
    while (isalnum((unsigned char)*ps->p) || *ps->p == '_')
        ps->p++;
    return ps->p == start ? NULL : g_strndup(start, (gsize)(ps->p - start));
}

static bool number(Parser *ps, int64_t *ret)
{
    char *end;
    errno = 0;
    bool negative = *ps->p == '-';
    uint64_t v = g_ascii_strtoull(ps->p + negative, &end, 0);
    if (end == ps->p + negative || errno)
        return fail(ps, "a number is expected", ps->p);
    ps->p = end;
    *ret = (int64_t)(negative ? -v : v);
    return true;
}

static bool parse_attr_word(Parser *ps, IrOp op, uint32_t *attr, const char *w)
{
    IrAttrKind kind = ir_attr_kind(op);
    if (kind == IR_ATTR_TYPE) {
        for (unsigned t = 0; t < IR_N_TYPES; t++)
            if (!strcmp(ir_type_names[t], w)) {
                *attr = t;
                return true;
            }
        return fail(ps, "unknown type", w);
    }
    const IrAttrName *n = ir_attr_names(kind);
    for (; n && n->name; n++)
        if (!strcmp(n->name, w)) {
            *attr = (*attr & ~n->mask) | n->value;
            return true;
        }
    return fail(ps, "unknown attribute", w);
}

static bool parse_attr(Parser *ps, IrOp op, uint32_t *attr)
{
    if (*ps->p != '<')
        return true;
    ps->p++;
    while (*ps->p != '>') {
        if (isdigit((unsigned char)*ps->p)) {
            int64_t v, len = 0;
            if (!number(ps, &v))
                return false;
            if (*ps->p == ':') {
                ps->p++;
                if (!number(ps, &len))
                    return false;
            }
            *attr = (uint32_t)(v | len << 8);
        } else {
            g_autofree char *w = word(ps);
            if (!w)
                return fail(ps, "an attribute is expected", ps->p);
            if (!parse_attr_word(ps, op, attr, w))
                return false;
        }
        skip_space(ps);
    }
    ps->p++;
    return true;
}

static bool parse_op(Parser *ps, IrInsn *i)
{
    g_autofree char *name = word(ps);
    unsigned op = 0;
    while (op < IR_N_OPS && (!name || strcmp(ir_op_info[op].name, name)))
        op++;
    if (op == IR_N_OPS)
        return fail(ps, "unknown operation", name);
    i->op = (uint8_t)op;
    while (*ps->p == '.') {
        ps->p++;
        g_autofree char *w = word(ps);
        unsigned t = 0;
        while (t < IR_N_TYPES && (!w || strcmp(ir_type_names[t], w)))
            t++;
        int cc = w ? ir_cc_value(ir_cc_kind(i->op), w) : -1;
        if (t < IR_N_TYPES && i->type == IR_VOID)
            i->type = (uint8_t)t;
        else if (cc >= 0)
            i->cc = (uint8_t)cc;
        else
            return fail(ps, "unknown type or condition", w);
    }
    return parse_attr(ps, i->op, &i->attr);
}

static bool parse_value(Parser *ps, IrInsn *i, unsigned arg)
{
    ps->p++;
    int64_t n;
    if (!number(ps, &n))
        return false;
    gpointer found = g_hash_table_lookup(ps->names, GUINT_TO_POINTER((guint)n));
    if (i->op == IR_phi) {
        IrRef r = GPOINTER_TO_UINT(found);
        g_array_append_val(ps->phi_args, r);
    } else if (found) {
        i->arg[arg] = GPOINTER_TO_UINT(found);
    }
    if (found)
        return true;
    if (i->op != IR_phi)
        return fail(ps, "value is used before its definition", NULL);
    Forward f = { 0, arg, (unsigned)n, ps->line };
    g_array_append_val(ps->forward, f);
    return true;
}

static bool parse_var(Parser *ps, IrInsn *i)
{
    ps->p++;
    g_autofree char *name = word(ps);
    const GuestIsa *isa = ps->b.unit->isa;
    for (unsigned v = 0; name && v < isa->n_vars; v++)
        if (!strcmp(isa->vars[v].name, name)) {
            i->imm = v;
            return true;
        }
    return fail(ps, "unknown variable", name);
}

static bool parse_imm(Parser *ps, IrInsn *i)
{
    ps->p++;
    if (!number(ps, &i->imm))
        return false;
    if (i->op == IR_vconst) {
        int64_t lo = 0;
        if (*ps->p++ != ':' || !number(ps, &lo))
            return fail(ps, "a vector constant is #high:low", NULL);
        i->imm = ir_vconst_index(ps->b.unit, (uint64_t)lo, (uint64_t)i->imm);
    }
    return true;
}

/* A block that br or brc names. */
static bool parse_block_name(Parser *ps, IrInsn *i, unsigned nth)
{
    int64_t n;
    ps->p++;
    if (!number(ps, &n))
        return false;
    if (n < 0 || n >= 4096)
        return fail(ps, "block number out of range", NULL);
    i->imm |= (int64_t)((uint64_t)n << (nth ? 32 : 0));
    return true;
}

static bool parse_operands(Parser *ps, IrInsn *i)
{
    unsigned n = 0, blocks = 0;
    g_array_set_size(ps->phi_args, 0);
    for (skip_space(ps); *ps->p && *ps->p != ';'; skip_space(ps)) {
        bool is_arg = *ps->p == 'v' || *ps->p == '_';
        if (is_arg && i->op != IR_phi && n >= ir_op_info[i->op].n_args)
            return fail(ps, "too many arguments", ir_op_info[i->op].name);
        if (*ps->p == 'v') {
            if (!parse_value(ps, i, n++))
                return false;
        } else if (*ps->p == '_') {
            ps->p++;
            n++;
        } else if (*ps->p == 'b' && (i->op == IR_br || i->op == IR_brc)) {
            if (!parse_block_name(ps, i, blocks++))
                return false;
        } else if (*ps->p == '%') {
            if (!parse_var(ps, i))
                return false;
        } else if (*ps->p == '#') {
            if (!parse_imm(ps, i))
                return false;
        } else {
            return fail(ps, "unexpected text", ps->p);
        }
    }
    return true;
}

static bool parse_insn(Parser *ps)
{
    IrInsn i = { 0 };
    int64_t name = -1;
    const char *eq = strchr(ps->p, '=');
    if (*ps->p == 'v' && isdigit((unsigned char)ps->p[1]) && eq) {
        ps->p++;
        if (!number(ps, &name))
            return false;
        ps->p = eq + 1;
        skip_space(ps);
    }
    guint first_forward = ps->forward->len;
    if (!parse_op(ps, &i) || !parse_operands(ps, &i))
        return false;
    if (i.op == IR_put && i.arg[0])
        i.type = ps->b.unit->insn[i.arg[0]].type;
    IrUnit *u = ps->b.unit;
    if (i.op == IR_br || i.op == IR_brc) {
        uint64_t to = (uint64_t)i.imm, other = i.op == IR_brc ? to >> 32 : 0;
        if ((uint32_t)to >= 4096 || other >= 4096)
            return fail(ps, "block number out of range", NULL);
        while (u->n_blocks <= MAX((uint32_t)to, other))
            ir_block_new(u, 0);
    }
    IrRef r;
    if (i.op == IR_phi) {
        unsigned n;
        r = ir_phi(&ps->b, i.type, ps->phi_args->len, IR_NONE);
        IrRef *arg = ir_args(u, r, &n);
        for (unsigned k = 0; k < n; k++)
            arg[k] = g_array_index(ps->phi_args, IrRef, k);
    } else {
        r = ir_emit(&ps->b, i.op, i.type, i.cc, i.attr, i.arg[0], i.arg[1], i.arg[2], i.arg[3],
                    i.imm);
    }
    for (guint f = first_forward; f < ps->forward->len; f++)
        g_array_index(ps->forward, Forward, f).user = r;
    if (name >= 0)
        g_hash_table_insert(ps->names, GUINT_TO_POINTER((guint)name), GUINT_TO_POINTER(r));
    return true;
}

static bool parse_line(Parser *ps)
{
    skip_space(ps);
    if (!*ps->p || *ps->p == ';')
        return true;
    if (g_str_has_prefix(ps->p, "unit ")) {
        int64_t pc;
        ps->p += 5;
        if (!number(ps, &pc))
            return false;
        ps->b.unit->pc = (GuestAddr)pc;
        skip_space(ps);
        if (g_str_has_prefix(ps->p, "mode=")) {
            ps->p += 5;
            if (!number(ps, &pc))
                return false;
            ps->b.unit->mode = (uint64_t)pc;
        }
        return true;
    }
    if (*ps->p == 'b' && isdigit((unsigned char)ps->p[1]) && strchr(ps->p, ':')) {
        int64_t n;
        ps->p++;
        if (!number(ps, &n))
            return false;
        if (n < 0 || n >= 4096)
            return fail(ps, "block number out of range", NULL);
        while (ps->b.unit->n_blocks <= n)
            ir_block_new(ps->b.unit, 0);
        ps->b.block = (uint32_t)n;
        if (*ps->p++ == ':')
            skip_space(ps);
        if (*ps->p == '#') {
            ps->p++;
            if (!number(ps, &n))
                return false;
            ps->b.unit->block[ps->b.block].pc = (GuestAddr)n;
        }
        return true;
    }
    return parse_insn(ps);
}

IrUnit *ir_parse(struct Arena *arena, const struct GuestIsa *isa, const char *text, GError **error)
{
    g_autoptr(GHashTable) names = g_hash_table_new(NULL, NULL);
    g_autoptr(GArray) forward = g_array_new(FALSE, FALSE, sizeof(Forward));
    g_autoptr(GArray) phi_args = g_array_new(FALSE, FALSE, sizeof(IrRef));
    Parser ps = { .names = names, .forward = forward, .phi_args = phi_args, .error = error };
    ps.b.unit = ir_unit_new(arena, isa, 0, 0);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **l = lines; *l; l++) {
        ps.line++;
        ps.p = *l;
        if (!parse_line(&ps))
            return NULL;
    }
    for (guint i = 0; i < forward->len; i++) {
        Forward *f = &g_array_index(forward, Forward, i);
        gpointer found = g_hash_table_lookup(names, GUINT_TO_POINTER(f->name));
        ps.line = f->line;
        if (!found) {
            fail(&ps, "value is never defined", NULL);
            return NULL;
        }
        unsigned n;
        ir_args(ps.b.unit, f->user, &n)[f->arg] = GPOINTER_TO_UINT(found);
    }
    return ps.b.unit;
}
