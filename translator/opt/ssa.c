/* data plane */
/*
 * Guest variables become values in a unit of many blocks (forward.c does it for one). Afterwards a
 * `get` stands only at the unit's entry and behind helpers that write variables; where paths with
 * different values of a variable join, there is a phi and at once a put of it, if anything reads or
 * observes the variable from there on (vars.h).
 *
 * Phis are placed on iterated dominance frontiers (Cytron et al., "Efficiently Computing Static
 * Single Assignment Form", 1991), all variables at once by bit sets; names are found in one walk in
 * reverse postorder, with a table of the variables' values for each block.
 */
#include <string.h>

#include "translator/guest/isa.h"
#include "translator/opt/alias.h"
#include "translator/opt/opt.h"
#include "translator/opt/vars.h"

/* A variable's value in the table: IR_NONE is that of the unit's entry, one of these that behind a
 * call which writes variables; either gets its `get` when it is needed. */
#define BEHIND_CALL 0x80000000u
#define UNDEFINED 0x7fffffffu /* paths join, and nobody observes it: no phi was made */

typedef struct Frontier { uint32_t block, next; } Frontier;

typedef struct Ssa {
    IrUnit *u;
    Cfg *c;
    VarLive *live;
    unsigned n_vars;
    VarSet *defs, *joins;  /* [n_blocks]: variables written; those whose paths join */
    uint32_t *frontier;    /* [n_blocks]: list */
    Frontier *link;
    uint32_t n_links;
    IrRef *known;          /* [n_blocks][n_vars]: at the block's end */
    IrRef *entry;          /* [n_vars]: gets at the entry */
    IrRef *call;           /* [n_calls]: that write variables */
    IrRef *behind;         /* [n_calls][n_vars]: gets behind them */
    uint32_t n_calls;
    OptAlias alias;
} Ssa;

static bool writes_vars(const IrUnit *u, const IrInsn *i)
{
    return ir_is_gcall(i->op) ||
           (i->op == IR_call && u->isa->helpers[i->imm].flags & IR_HELPER_WRITES_VARS);
}

static void find_defs(Ssa *s)
{
    IrUnit *u = s->u;
    uint32_t n_calls = 0;
    for (uint32_t b = 0; b < u->n_blocks; b++)
        for (IrRef r = u->block[b].first; r; r = u->insn[r].next) {
            if (u->insn[r].op == IR_put) {
                varset_add(&s->defs[b], (unsigned)u->insn[r].imm);
            } else if (writes_vars(u, &u->insn[r])) {
                s->defs[b] = s->live->all;
                n_calls++;
            }
        }
    s->call = arena_alloc(u->arena, (n_calls + 1) * sizeof *s->call);
    s->behind = arena_alloc(u->arena, (n_calls * s->n_vars + 1) * sizeof *s->behind);
}

static void find_frontiers(Ssa *s)
{
    const Cfg *c = s->c;
    size_t cap = 64;
    s->link = arena_alloc_raw(s->u->arena, cap * sizeof *s->link);
    s->n_links = 1;
    for (uint32_t k = 0; k < c->n_rpo; k++) {
        uint32_t b = c->rpo[k];
        if (c->pred_start[b + 1] - c->pred_start[b] < 2)
            continue;
        for (uint32_t p = c->pred_start[b]; p < c->pred_start[b + 1]; p++) {
            uint32_t at = c->pred[p];
            if (c->rpo_index[at] == CFG_NONE)
                continue;
            for (; at != c->idom[b]; at = c->idom[at]) {
                uint32_t first = s->frontier[at];
                if (first && s->link[first].block == b)
                    break; /* from here on another predecessor's walk has been */
                s->link = arena_grow(s->u->arena, s->link, sizeof *s->link, s->n_links, &cap,
                                     s->n_links + 1);
                s->link[s->n_links] = (Frontier){ b, first };
                s->frontier[at] = s->n_links++;
            }
        }
    }
}

static void find_joins(Ssa *s)
{
    const Cfg *c = s->c;
    uint32_t *work = arena_alloc_raw(s->u->arena, c->n_blocks * sizeof *work), n_work = 0;
    uint8_t *queued = arena_alloc(s->u->arena, c->n_blocks);
    for (uint32_t k = 0; k < c->n_rpo; k++) {
        work[n_work++] = c->rpo[k];
        queued[c->rpo[k]] = 1;
    }
    while (n_work) {
        uint32_t b = work[--n_work];
        queued[b] = 0;
        for (uint32_t f = s->frontier[b]; f; f = s->link[f].next) {
            uint32_t to = s->link[f].block;
            uint64_t fresh = 0;
            for (unsigned w = 0; w < VARS_WORDS; w++) {
                uint64_t add = (s->defs[b].bits[w] | s->joins[b].bits[w]) & ~s->joins[to].bits[w];
                s->joins[to].bits[w] |= add;
                fresh |= add;
            }
            if (fresh && !queued[to]) {
                work[n_work++] = to;
                queued[to] = 1;
            }
        }
    }
}

/* -- names ------------------------------------------------------------------------------------- */
static IrRef entry_get(Ssa *s, unsigned var)
{
    if (!s->entry[var]) {
        IrInsn get = { .op = IR_get, .type = s->u->isa->vars[var].type, .imm = var };
        s->entry[var] = ir_insert_in(s->u, 0, s->u->block[0].first, &get);
    }
    return s->entry[var];
}

static IrRef get_behind(Ssa *s, uint32_t call, unsigned var)
{
    IrRef *at = &s->behind[call * s->n_vars + var];
    if (!*at) {
        IrUnit *u = s->u;
        IrInsn get = { .op = IR_get, .type = u->isa->vars[var].type, .imm = var };
        /* A call is never the last of its block, so the block needn't be known. */
        *at = ir_insert_before(u, u->insn[s->call[call]].next, &get);
    }
    return *at;
}

static IrRef value_of(Ssa *s, IrRef known, unsigned var)
{
    if (!known)
        return entry_get(s, var);
    return known & BEHIND_CALL ? get_behind(s, known & ~BEHIND_CALL, var) : known;
}

static IrRef behind_phis(const IrUnit *u, uint32_t b)
{
    IrRef r = u->block[b].first;
    while (r && (u->insn[r].op == IR_phi || u->insn[r].op == IR_nop))
        r = u->insn[r].next;
    return r;
}

static bool has_phi(const Ssa *s, uint32_t b, unsigned var)
{
    return varset_has(&s->joins[b], var) && varset_has(&s->live->in[b], var);
}

/* Before `at`, the first instruction behind phis that were there. */
static void make_phis(Ssa *s, uint32_t b, IrRef at, IrRef *known)
{
    IrUnit *u = s->u;
    uint32_t n = s->c->pred_start[b + 1] - s->c->pred_start[b];
    for (unsigned v = 0; v < s->n_vars; v++) {
        if (!has_phi(s, b, v)) {
            if (varset_has(&s->joins[b], v))
                known[v] = UNDEFINED;
            continue;
        }
        uint32_t first = ir_phi_args_new(u, n);
        memset(u->phi_arg + first, 0, n * sizeof *u->phi_arg);
        IrInsn phi = { .op = IR_phi, .type = u->isa->vars[v].type, .attr = n, .imm = first };
        known[v] = ir_insert_in(u, b, at, &phi);
    }
    for (unsigned v = 0; v < s->n_vars; v++)
        if (has_phi(s, b, v)) {
            bool lazy = u->isa->vars[v].flags & IR_VAR_LAZY;
            IrInsn put = { .op = IR_put, .type = u->isa->vars[v].type, .imm = v,
                           .cc = lazy ? IR_PUT_JOIN : 0, .arg = { known[v] } };
            ir_insert_in(u, b, at, &put);
        }
}

static void rename_insn(Ssa *s, uint32_t b, IrRef r, IrRef *known)
{
    IrUnit *u = s->u;
    IrInsn *i = &u->insn[r];
    opt_resolve_args(&s->alias, r);
    if (i->op == IR_get) {
        unsigned var = (unsigned)i->imm;
        if (b == 0 && !known[var]) { /* stands at the entry already */
            if (!s->entry[var])
                s->entry[var] = r;
            known[var] = s->entry[var];
            if (known[var] == r)
                return;
        }
        known[var] = value_of(s, known[var], var);
        opt_set_alias(&s->alias, r, known[var]);
        ir_remove(u, b, r);
    } else if (i->op == IR_put) {
        unsigned var = (unsigned)i->imm;
        if (known[var] == i->arg[0] && i->arg[0])
            ir_remove(u, b, r);
        else
            known[var] = i->arg[0];
    } else if (writes_vars(u, i)) {
        s->call[s->n_calls] = r;
        for (unsigned v = 0; v < s->n_vars; v++)
            known[v] = BEHIND_CALL | s->n_calls;
        s->n_calls++;
    } else if (i->op == IR_copy) {
        opt_set_alias(&s->alias, r, i->arg[0]);
        ir_remove(u, b, r);
    }
}

static void rename_block(Ssa *s, uint32_t b)
{
    IrUnit *u = s->u;
    IrRef *known = s->known + b * s->n_vars;
    if (b)
        memcpy(known, s->known + s->c->idom[b] * s->n_vars, s->n_vars * sizeof *known);
    IrRef first = behind_phis(u, b);
    make_phis(s, b, first, known);
    for (IrRef r = first, next; r; r = next) {
        next = u->insn[r].next;
        rename_insn(s, b, r, known);
    }
}

/* Arguments of phis, when every block's values are known. */
static void finish(Ssa *s)
{
    IrUnit *u = s->u;
    const Cfg *c = s->c;
    for (uint32_t k = 0; k < c->n_rpo; k++) {
        uint32_t b = c->rpo[k];
        for (IrRef r = u->block[b].first; r && u->insn[r].op == IR_phi; r = u->insn[r].next)
            opt_resolve_args(&s->alias, r);
        IrRef put = behind_phis(u, b); /* as make_phis() left them */
        for (unsigned v = 0; v < s->n_vars; v++) {
            if (!has_phi(s, b, v))
                continue;
            IrRef phi = u->insn[put].arg[0];
            for (uint32_t p = c->pred_start[b]; p < c->pred_start[b + 1]; p++) {
                IrRef value = value_of(s, s->known[c->pred[p] * s->n_vars + v], v);
                u->phi_arg[u->insn[phi].imm + (p - c->pred_start[b])] =
                    opt_resolve(&s->alias, value);
            }
            put = u->insn[put].next;
        }
    }
}

void opt_ssa(IrUnit *u)
{
    Ssa s = { .u = u, .c = opt_cfg_new(u), .n_vars = u->isa->n_vars };
    s.alias = opt_alias_new(u);
    u->uses_known = false;
    s.live = opt_var_live_new(u, s.c);
    s.defs = arena_alloc(u->arena, u->n_blocks * sizeof *s.defs);
    s.joins = arena_alloc(u->arena, u->n_blocks * sizeof *s.joins);
    s.frontier = arena_alloc(u->arena, u->n_blocks * sizeof *s.frontier);
    s.known = arena_alloc(u->arena, u->n_blocks * s.n_vars * sizeof *s.known);
    s.entry = arena_alloc(u->arena, s.n_vars * sizeof *s.entry);
    find_defs(&s);
    find_frontiers(&s);
    find_joins(&s);
    for (uint32_t k = 0; k < s.c->n_rpo; k++)
        rename_block(&s, s.c->rpo[k]);
    finish(&s);
}
