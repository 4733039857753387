/* data plane */
/*
 * Folding and value numbering over the dominator tree, in one walk in reverse postorder: each
 * instruction gets final arguments, goes through opt_fold(), and is replaced by an equal one that
 * is there on every path. In a block that only one way of a branch leads to, the branch's condition
 * is a constant; so it is behind a side exit that wasn't taken. Phis whose arguments are all the
 * same, or that have a twin, go.
 *
 * Floating-point operations depend on the rounding mode and add to the sticky flags: in units that
 * may change either they are left alone.
 */
#include "translator/guest/isa.h"
#include "translator/opt/alias.h"
#include "translator/opt/cfg.h"
#include "translator/opt/opt.h"

typedef struct Entry { IrRef value; uint32_t block, next; } Entry;

typedef struct Gvn {
    IrUnit *u;
    const Cfg *c;
    OptAlias alias;
    uint32_t *bucket; /* [1 << log2]: into entry; 0 = none */
    unsigned log2;
    Entry *entry;
    size_t cap_entries;
    uint32_t n_entries;
    uint32_t *fact;   /* per value at first: what is known of a condition, into `known` */
    uint32_t n_fact;
    struct Fact { uint32_t block, next; bool value; } *known;
    size_t cap_known;
    uint32_t n_known;
    IrRef truth[2];   /* constants at the entry */
    bool fp_fixed;
    bool gcalls;      /* there are guest's calls, across which only constants live */
} Gvn;

static uint64_t mix(uint64_t h, uint64_t v)
{
    return (h ^ v) * 0x9e3779b97f4a7c15u;
}

static uint32_t hash(const Gvn *g, IrRef r)
{
    const IrInsn *i = &g->u->insn[r];
    unsigned n;
    const IrRef *arg = ir_args(g->u, r, &n);
    bool swaps = ir_op_info[i->op].flags & IR_OPF_C && arg[0] > arg[1];
    uint64_t h = mix((uint64_t)i->op << 32 | (uint64_t)i->type << 16 | i->cc, i->attr);
    h = mix(h, i->op == IR_phi ? 0 : (uint64_t)i->imm);
    for (unsigned k = 0; k < n; k++)
        h = mix(h ^ h >> 29, arg[swaps && k < 2 ? 1 - k : k]);
    return (uint32_t)(h >> (64 - g->log2));
}

static bool equal(const Gvn *g, IrRef a, IrRef b)
{
    const IrInsn *x = &g->u->insn[a], *y = &g->u->insn[b];
    if (x->op != y->op || x->type != y->type || x->cc != y->cc || x->attr != y->attr ||
        (x->imm != y->imm && x->op != IR_phi))
        return false;
    unsigned n;
    const IrRef *p = ir_args(g->u, a, &n), *q = ir_args(g->u, b, &n);
    if (ir_op_info[x->op].flags & IR_OPF_C && p[0] == q[1] && p[1] == q[0])
        return true;
    return !memcmp(p, q, n * sizeof *p);
}

/* -- what branches tell ------------------------------------------------------------------------ */
static void add_fact(Gvn *g, uint32_t block, IrRef condition, bool value)
{
    const IrInsn *i = &g->u->insn[condition];
    if (i->op == IR_bnot) {
        add_fact(g, block, i->arg[0], !value);
    } else if ((i->op == IR_band && value) || (i->op == IR_bor && !value)) {
        add_fact(g, block, i->arg[0], value);
        add_fact(g, block, i->arg[1], value);
    }
    if (condition >= g->n_fact || i->op == IR_const)
        return;
    g->known = arena_grow(g->u->arena, g->known, sizeof *g->known, g->n_known, &g->cap_known,
                          g->n_known + 1);
    g->known[g->n_known] = (struct Fact){ block, g->fact[condition], value };
    g->fact[condition] = g->n_known++;
}

static void facts_at_entry(Gvn *g, uint32_t block)
{
    const Cfg *c = g->c;
    const IrUnit *u = g->u;
    if (c->pred_start[block + 1] - c->pred_start[block] != 1)
        return;
    const IrBlock *from = &u->block[c->pred[c->pred_start[block]]];
    const IrInsn *last = &u->insn[from->last];
    if (last->op == IR_brc && from->succ[1])
        add_fact(g, block, last->arg[0], (uint32_t)last->imm == block);
}

/* The condition, or a constant at the entry if it is known here. */
static IrRef with_facts(const Gvn *g, uint32_t block, IrRef condition)
{
    uint32_t f = condition < g->n_fact ? g->fact[condition] : 0;
    for (; f; f = g->known[f].next)
        if (cfg_dominates(g->c, g->known[f].block, block))
            return g->truth[g->known[f].value];
    return condition;
}

/* -- equal values ------------------------------------------------------------------------------ */
/* Truth values and flags want to be made where they are used, in the host's flags: one from another
 * block serves only if a branch on it tells what it is. */
static IrRef usable_twin(const Gvn *g, const Entry *e, uint32_t block, IrRef r)
{
    if (e->value == r)
        return 0;
    IrType t = (IrType)g->u->insn[r].type;
    if ((t != IR_I1 && t != IR_FLAGS) || e->block == block)
        return e->value;
    IrRef known = with_facts(g, block, e->value);
    return known == e->value ? 0 : known;
}

/* An equal value that is there at `block`: its entry, or NULL. Phis are equal in their own block
 * only. *ret_twin: what to use for r, or 0. */
static const Entry *find(const Gvn *g, uint32_t block, IrRef r, IrRef *ret_twin)
{
    bool phi = g->u->insn[r].op == IR_phi;
    *ret_twin = 0;
    for (uint32_t e = g->bucket[hash(g, r)]; e; e = g->entry[e].next) {
        const Entry *at = &g->entry[e];
        if ((phi ? at->block == block : cfg_dominates(g->c, at->block, block)) &&
            equal(g, at->value, r)) {
            *ret_twin = usable_twin(g, at, block, r);
            if (*ret_twin || at->value == r)
                return at;
        }
    }
    return NULL;
}

/* The same, or 0, and r is entered. */
static IrRef number(Gvn *g, uint32_t block, IrRef r)
{
    IrRef twin;
    if (find(g, block, r, &twin))
        return twin;
    uint32_t *bucket = &g->bucket[hash(g, r)];
    g->entry = arena_grow(g->u->arena, g->entry, sizeof *g->entry, g->n_entries, &g->cap_entries,
                          g->n_entries + 1);
    g->entry[g->n_entries] = (Entry){ r, block, *bucket };
    *bucket = g->n_entries++;
    return 0;
}

/* -- the walk ---------------------------------------------------------------------------------- */
static bool is_fp(IrOp op)
{
    return (op >= IR_fadd && op <= IR_flfcmp) || (op >= IR_vfadd && op <= IR_vfcvtn);
}

static bool of_constants(const IrUnit *u, const IrInsn *i)
{
    unsigned n = 0;
    for (; n < 4 && i->arg[n]; n++)
        switch (u->insn[i->arg[n]].op) {
        case IR_const: case IR_codeaddr: case IR_vconst: break;
        default: return false;
        }
    return n > 0;
}

static bool mergeable(const Gvn *g, const IrInsn *i)
{
    if (g->gcalls && of_constants(g->u, i)) /* others depend on a get on their side of the call */
        return false;
    if (i->op == IR_call)
        return g->u->isa->helpers[i->imm].flags & IR_HELPER_PURE;
    if (i->op == IR_nop || !(ir_op_info[i->op].flags & IR_OPF_P))
        return false;
    return !is_fp(i->op) || g->fp_fixed;
}

static bool sets_fp(const IrUnit *u, const IrInsn *i)
{
    return i->op == IR_fpsetflags || i->op == IR_fpsetctl || i->op == IR_fpgetflags ||
           (i->op == IR_call && u->isa->helpers[i->imm].flags & IR_HELPER_FP);
}

static void replace(Gvn *g, uint32_t block, IrRef r, IrRef by)
{
    opt_set_alias(&g->alias, r, by);
    unsigned flags = ir_op_info[g->u->insn[r].op].flags;
    if (flags & IR_OPF_P || g->u->insn[r].op == IR_phi || g->u->insn[r].op == IR_call)
        ir_remove(g->u, block, r);
}

static void visit_phi(Gvn *g, uint32_t block, IrRef r)
{
    unsigned n;
    opt_resolve_args(&g->alias, r);
    const IrRef *arg = ir_args(g->u, r, &n);
    IrRef same = IR_NONE;
    for (unsigned k = 0; k < n; k++) {
        if (arg[k] == r || arg[k] == same)
            continue;
        if (same)
            goto different;
        same = arg[k];
    }
    if (same) {
        replace(g, block, r, same);
        return;
    }
different:;
    IrRef twin = number(g, block, r);
    if (twin)
        replace(g, block, r, twin);
}

static void fold_side_exit(Gvn *g, uint32_t block, IrRef r)
{
    IrUnit *u = g->u;
    IrRef condition = with_facts(g, block, u->insn[r].arg[0]);
    u->insn[r].arg[0] = condition;
    const IrInsn *c = &u->insn[condition];
    if (c->op == IR_const && !c->imm)
        ir_remove(u, block, r);
    else
        add_fact(g, block, condition, false);
}

/* A branch on a negation is the branch the other way round. */
static void turn_branch(IrUnit *u, uint32_t block, IrInsn *i)
{
    uint32_t *succ = u->block[block].succ;
    while (u->insn[i->arg[0]].op == IR_bnot) {
        i->arg[0] = u->insn[i->arg[0]].arg[0];
        i->imm = (int64_t)((uint64_t)i->imm << 32 | (uint64_t)i->imm >> 32);
        if (i->attr & (IR_BRC_LIKELY_TRUE | IR_BRC_LIKELY_FALSE))
            i->attr ^= IR_BRC_LIKELY_TRUE | IR_BRC_LIKELY_FALSE;
        if (succ[1]) {
            uint32_t first = succ[0];
            succ[0] = succ[1];
            succ[1] = first;
        }
    }
}

/* Ties away from zero is what the host hasn't. AArch64's exp(), pow(), cosf() and so on take both
 * the rounded value and its integer: that is converted from the other then. Its flags are those of
 * a conversion of what wasn't rounded; not where rounding may make a word overflow. */
static void share_rounding(Gvn *g, uint32_t block, IrRef r)
{
    IrUnit *u = g->u;
    IrInsn cut = u->insn[r], round = { .op = IR_fround, .type = u->insn[cut.arg[0]].type,
                                       .attr = cut.attr, .arg = { cut.arg[0] } };
    if ((cut.attr & IR_FP_ROUND) != IR_ROUND_AWAY || cut.imm || !g->fp_fixed ||
        (cut.type != IR_I64 && round.type == IR_F64) || cut.attr & IR_FP_UNSIGNED)
        return;
    IrRef probe = ir_insert_before(u, r, &round), twin;
    find(g, block, probe, &twin);
    ir_remove(u, block, probe);
    if (!twin)
        return;
    cut.attr = (cut.attr & ~(unsigned)IR_FP_ROUND) | IR_ROUND_ZERO;
    u->insn[r].attr = cut.attr;
    u->insn[r].arg[0] = twin;
    ir_insert_before(u, r, &cut);
}

static void visit(Gvn *g, uint32_t block, IrRef r)
{
    IrUnit *u = g->u;
    if (u->insn[r].op == IR_phi) {
        visit_phi(g, block, r);
        return;
    }
    opt_resolve_args(&g->alias, r);
    IrInsn *i = &u->insn[r];
    switch (i->op) {
    case IR_nop: case IR_insn: case IR_get: case IR_put: case IR_load:
        return;
    case IR_exit_if: case IR_trap_if:
        fold_side_exit(g, block, r);
        return;
    case IR_brc:
        i->arg[0] = with_facts(g, block, i->arg[0]);
        turn_branch(u, block, i);
        return;
    case IR_select:
        i->arg[0] = with_facts(g, block, i->arg[0]);
        break;
    case IR_f2i:
        share_rounding(g, block, r);
        break;
    default:
        break;
    }
    IrRef before = u->insn[r].prev, to = opt_fold(u, block, r);
    /* What folding put before it is folded and numbered too. */
    IrRef n = before ? u->insn[before].next : u->block[block].first;
    for (IrRef next; n != r; n = next) {
        next = u->insn[n].next;
        visit(g, block, n);
    }
    to = opt_resolve(&g->alias, to);
    if (to != r) {
        replace(g, block, r, to);
        return;
    }
    opt_resolve_args(&g->alias, r);
    IrRef twin = mergeable(g, &u->insn[r]) ? number(g, block, r) : 0;
    if (twin)
        replace(g, block, r, twin);
}

static void make_truth(Gvn *g)
{
    for (int n = 0; n < 2; n++) {
        IrInsn c = { .op = IR_const, .type = IR_I1, .imm = n };
        g->truth[n] = ir_insert_in(g->u, 0, g->u->block[0].first, &c);
        number(g, 0, g->truth[n]);
    }
}

static Gvn gvn_new(IrUnit *u)
{
    Gvn g = { .u = u, .c = opt_cfg_new(u), .alias = opt_alias_new(u), .n_entries = 1, .n_known = 1,
              .n_fact = u->n_insns, .fp_fixed = true };
    g.log2 = 6;
    while (1u << g.log2 < u->n_insns)
        g.log2++;
    g.bucket = arena_alloc(u->arena, sizeof *g.bucket << g.log2);
    g.cap_entries = u->n_insns + 1;
    g.entry = arena_alloc_raw(u->arena, g.cap_entries * sizeof *g.entry);
    g.cap_known = u->n_blocks + 16;
    g.known = arena_alloc_raw(u->arena, g.cap_known * sizeof *g.known);
    g.fact = arena_alloc(u->arena, g.n_fact * sizeof *g.fact);
    for (uint32_t b = 0; b < u->n_blocks; b++)
        for (IrRef r = u->block[b].first; r; r = u->insn[r].next) {
            if (ir_is_gcall(u->insn[r].op)) {
                g.gcalls = true;
                g.fp_fixed = false;
            } else if (sets_fp(u, &u->insn[r])) {
                g.fp_fixed = false;
            }
        }
    return g;
}

void opt_gvn(IrUnit *u)
{
    u->uses_known = false;
    Gvn g = gvn_new(u);
    make_truth(&g);
    for (uint32_t k = 0; k < g.c->n_rpo; k++) {
        uint32_t b = g.c->rpo[k];
        facts_at_entry(&g, b);
        for (IrRef r = u->block[b].first, next; r; r = next) {
            next = u->insn[r].next;
            visit(&g, b, r);
        }
    }
    for (uint32_t k = 0; k < g.c->n_rpo; k++)
        for (IrRef r = u->block[g.c->rpo[k]].first; r && u->insn[r].op == IR_phi;
             r = u->insn[r].next)
            opt_resolve_args(&g.alias, r);
}
