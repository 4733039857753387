/* data plane */
/*
 * Flags that a conditional compare selects are dear to make, while the branches behind it want but
 * conditions. Where only some ways out of a block see the variable that gets them, they are made
 * there: the put and what it puts move behind the branch, and exits that see it become blocks.
 * Likewise where only other blocks use the value.
 */
#include "translator/guest/isa.h"
#include "translator/opt/cfg.h"
#include "translator/opt/opt.h"
#include "translator/opt/vars.h"

enum { MAX_EXITS = 8, MAX_ROUNDS = 16, MAX_DEPTH = 12 };

typedef struct PutOff {
    IrUnit *u;
    const Cfg *c;
    const VarLive *live;
    IrRef exit[MAX_EXITS]; /* that see the variable, in order */
    unsigned n_exits;
    unsigned to;           /* bit k: the block's k-th successor sees it */
} PutOff;

static bool sees(const PutOff *p, const IrInsn *i, unsigned var)
{
    VarSet set = { 0 };
    opt_var_live_step(p->u, p->live, i, &set);
    return varset_has(&set, var);
}

static bool is_selected(const IrUnit *u, IrRef v)
{
    return u->insn[v].type == IR_FLAGS && u->insn[v].op == IR_select;
}

/* Who sees the put's variable in its block and behind it; false if it must stay. */
static bool find_ways(PutOff *p, uint32_t block, IrRef put)
{
    const IrUnit *u = p->u;
    unsigned var = (unsigned)u->insn[put].imm;
    p->n_exits = p->to = 0;
    for (IrRef r = u->insn[put].next; r; r = u->insn[r].next) {
        const IrInsn *i = &u->insn[r];
        if (i->op == IR_put && i->imm == var)
            return true;
        if (!sees(p, i, var)) {
            if (ir_is_gcall(i->op))
                return true; /* behind it the variable is the callee's */
            continue;
        }
        if (i->op != IR_exit_if || p->n_exits == MAX_EXITS)
            return false;
        p->exit[p->n_exits++] = r;
    }
    unsigned n_to = 0;
    for (unsigned k = 0; k < 2; k++) {
        uint32_t s = u->block[block].succ[k];
        if (!s || !varset_has(&p->live->in[s - 1], var))
            continue;
        if (p->c->pred_start[s] - p->c->pred_start[s - 1] != 1)
            return false;
        p->to |= 1u << k;
        n_to++;
    }
    return n_to < 2 && (p->n_exits || u->block[block].succ[1]);
}

/* A copy of flags and what they are made of; other values stay. */
static IrRef copy(IrUnit *u, uint32_t block, IrRef at, IrRef v, unsigned depth)
{
    IrInsn i = u->insn[v];
    bool again = i.op == IR_cond || i.op == IR_bnot || i.op == IR_band || i.op == IR_bor ||
                 i.op == IR_cmp || (i.type == IR_FLAGS && ir_op_info[i.op].flags & IR_OPF_P &&
                                    opt_removable(u, &i));
    if (!again || depth == MAX_DEPTH)
        return v;
    for (unsigned a = 0; a < 4; a++)
        if (i.arg[a])
            i.arg[a] = copy(u, block, at, i.arg[a], depth + 1);
    return ir_insert_in(u, block, at, &i);
}

static IrRef after_phis(const IrUnit *u, uint32_t block)
{
    IrRef at = u->block[block].first;
    while (u->insn[at].op == IR_phi || u->insn[at].op == IR_nop)
        at = u->insn[at].next;
    return at;
}

static void put_at(IrUnit *u, uint32_t block, IrRef at, IrInsn put)
{
    put.arg[0] = copy(u, block, at, put.arg[0], 0);
    ir_insert_in(u, block, at, &put);
}

static void move_put(PutOff *p, uint32_t block, IrRef put)
{
    IrUnit *u = p->u;
    IrInsn what = u->insn[put];
    for (unsigned k = 0; k < 2; k++) {
        if (!(p->to >> k & 1))
            continue;
        uint32_t to = u->block[block].succ[k] - 1;
        put_at(u, to, after_phis(u, to), what);
    }
    for (unsigned k = p->n_exits; k-- > 0;) {
        uint32_t out;
        IrRef jump = opt_split_exit(u, block, p->exit[k], &out);
        put_at(u, out, jump, what);
    }
    ir_remove(u, block, put);
}

/* -- values that only other blocks use --------------------------------------------------------- */

static uint32_t common_dominator(const Cfg *c, uint32_t a, uint32_t b)
{
    while (a != CFG_NONE && !cfg_dominates(c, a, b))
        a = c->idom[a];
    return a;
}

/* The block that dominates all uses of v, a phi's being at the end of the predecessor. */
static uint32_t uses_dominator(const PutOff *p, IrRef v)
{
    const IrUnit *u = p->u;
    uint32_t all = CFG_NONE;
    bool any = false;
    for (uint32_t k = 0; k < p->c->n_rpo; k++) {
        uint32_t b = p->c->rpo[k];
        for (IrRef r = u->block[b].first; r; r = u->insn[r].next) {
            unsigned n;
            const IrRef *arg = ir_args(u, r, &n);
            for (unsigned a = 0; a < n; a++) {
                if (arg[a] != v)
                    continue;
                uint32_t at = u->insn[r].op == IR_phi ? p->c->pred[p->c->pred_start[b] + a] : b;
                all = any ? common_dominator(p->c, all, at) : at;
                any = true;
            }
        }
    }
    return all;
}

static void replace_uses(IrUnit *u, IrRef v, IrRef by)
{
    for (uint32_t b = 0; b < u->n_blocks; b++)
        for (IrRef r = u->block[b].first; r; r = u->insn[r].next) {
            unsigned n;
            IrRef *arg = ir_args(u, r, &n);
            for (unsigned a = 0; a < n; a++)
                if (arg[a] == v && r != by)
                    arg[a] = by;
        }
}

static bool sink_value(PutOff *p, uint32_t block, IrRef v)
{
    IrUnit *u = p->u;
    uint32_t to = uses_dominator(p, v);
    if (to == CFG_NONE || to == block || !cfg_dominates(p->c, block, to) ||
        u->block[to].loop_depth > u->block[block].loop_depth)
        return false;
    IrRef new = copy(u, to, after_phis(u, to), v, 0);
    replace_uses(u, v, new);
    return true;
}

static bool run(IrUnit *u)
{
    PutOff p = { .u = u, .c = opt_cfg_new(u) };
    p.live = opt_var_live_new(u, p.c);
    bool any = false;
    for (uint32_t k = 0; k < p.c->n_rpo; k++) {
        uint32_t b = p.c->rpo[k];
        for (IrRef r = u->block[b].last, prev; r; r = prev) {
            prev = u->insn[r].prev;
            if (is_selected(u, r)) {
                any |= sink_value(&p, b, r);
                continue;
            }
            if (u->insn[r].op != IR_put || !is_selected(u, u->insn[r].arg[0]) ||
                !find_ways(&p, b, r))
                continue;
            move_put(&p, b, r);
            any = true;
            if (p.n_exits)
                return true; /* the blocks are others now */
        }
    }
    return any;
}

void opt_putoff(IrUnit *u)
{
    bool any = false;
    for (uint32_t b = 0; b < u->n_blocks && !any; b++)
        for (IrRef r = u->block[b].first; r && !any; r = u->insn[r].next)
            any = is_selected(u, r);
    if (!any)
        return;
    u->uses_known = false;
    any = false;
    for (unsigned n = 0; n < MAX_ROUNDS && run(u); n++)
        any = true;
    if (any) {
        opt_cfg(u);
        opt_dce_region(u);
    }
}
