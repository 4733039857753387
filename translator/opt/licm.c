/* data plane */
/*
 * Loop-invariant code motion: pure operations whose arguments come from outside a loop are computed
 * before it, at the end of the block that dominates its head; from the outermost loop in which they
 * are invariant. Never moved: what may add to the sticky floating-point flags; constants, which
 * the backend makes where they are used; truth values and flags, which live in the host's flags;
 * what the backend gets for nothing (extensions and truncations of words, address arithmetic that a
 * memory operation takes in).
 */
#include "translator/ir/arena.h"
#include "translator/opt/cfg.h"
#include "translator/opt/opt.h"

typedef struct Licm {
    IrUnit *u;
    const Cfg *c;
    uint32_t *block_of; /* per value */
} Licm;

static bool movable(const IrUnit *u, const IrInsn *i)
{
    switch (i->op) {
    case IR_nop: case IR_const: case IR_vconst: case IR_codeaddr: case IR_copy: case IR_get:
    case IR_phi: case IR_zext: case IR_sext: case IR_trunc:
    case IR_udiv: case IR_sdiv: case IR_urem: case IR_srem: /* dear, and perhaps on a rare path */
        return false;
    case IR_call:
        return false;
    default:
        return ir_op_info[i->op].flags & IR_OPF_P && i->type != IR_I1 && i->type != IR_FLAGS &&
               opt_removable(u, i);
    }
}

/* Where a value must be to be used in the loop of that head from outside. */
static bool outside(const Licm *m, IrRef v, uint32_t head)
{
    const IrInsn *i = &m->u->insn[v];
    if (i->op == IR_const || i->op == IR_codeaddr || i->op == IR_vconst)
        return true; /* moved along, if need be */
    return !cfg_in_loop(m->u, m->block_of[v], head);
}

static bool invariant(const Licm *m, IrRef r, uint32_t head)
{
    unsigned n;
    const IrRef *arg = ir_args(m->u, r, &n);
    for (unsigned k = 0; k < n; k++)
        if (arg[k] && !outside(m, arg[k], head))
            return false;
    return true;
}

/* Before the comparison that the terminator uses, if that is right before it. */
static IrRef end_of(const IrUnit *u, uint32_t block)
{
    IrRef last = u->block[block].last;
    const IrInsn *i = &u->insn[last];
    return i->op == IR_brc && i->arg[0] && i->arg[0] == i->prev ? i->prev : last;
}

static void move(Licm *m, IrRef r, uint32_t to)
{
    ir_move(m->u, m->block_of[r], r, to, end_of(m->u, to));
    m->block_of[r] = to;
}

static void hoist(Licm *m, IrRef r)
{
    IrUnit *u = m->u;
    uint32_t best = CFG_NONE;
    for (uint32_t h = u->block[m->block_of[r]].loop_head; h; h = u->block[h - 1].loop_outer) {
        if (!invariant(m, r, h - 1))
            break;
        best = m->c->idom[h - 1];
    }
    if (best == CFG_NONE || u->block[best].weight >= u->block[m->block_of[r]].weight)
        return;
    unsigned n;
    const IrRef *arg = ir_args(u, r, &n);
    for (unsigned k = 0; k < n; k++)
        if (arg[k] && !cfg_dominates(m->c, m->block_of[arg[k]], best))
            move(m, arg[k], best); /* a constant */
    move(m, r, best);
}

void opt_licm(IrUnit *u)
{
    Licm m = { u, opt_cfg_new(u), arena_alloc_raw(u->arena, u->n_insns * sizeof *m.block_of) };
    for (uint32_t b = 0; b < u->n_blocks; b++)
        for (IrRef r = u->block[b].first; r; r = u->insn[r].next)
            m.block_of[r] = b;
    for (uint32_t k = 0; k < m.c->n_rpo; k++) {
        uint32_t b = m.c->rpo[k];
        if (!u->block[b].loop_head)
            continue;
        for (IrRef r = u->block[b].first, next; r; r = next) {
            next = u->insn[r].next;
            if (movable(u, &u->insn[r]))
                hoist(&m, r);
        }
    }
}
