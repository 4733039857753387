/* data plane */
/*
 * The pass `cfg` (cfg.h): branches that are decided, unreachable blocks, chains of blocks, and the
 * order of the rest. Values keep their names; a phi of one predecessor becomes a copy.
 */
#include <string.h>

#include "translator/ir/arena.h"
#include "translator/opt/cfg.h"

/* brc on a constant, or with both ways the same, becomes br. */
static void decide_branch(IrUnit *u, uint32_t b)
{
    IrInsn *last = &u->insn[u->block[b].last];
    if (last->op != IR_brc)
        return;
    uint32_t yes = (uint32_t)last->imm, no = (uint32_t)((uint64_t)last->imm >> 32);
    const IrInsn *c = &u->insn[last->arg[0]];
    if (yes != no && c->op != IR_const)
        return;
    bool go = yes == no || c->imm;
    if (yes != no)
        opt_remove_edge(u, b, go ? no : yes);
    last->op = IR_br;
    last->attr = 0;
    last->arg[0] = IR_NONE;
    last->imm = go ? yes : no;
    u->uses_known = false;
}

static void drop_unreachable(IrUnit *u, const Cfg *c)
{
    for (uint32_t b = 0; b < u->n_blocks; b++) {
        if (c->rpo_index[b] != CFG_NONE)
            continue;
        while (u->block[b].succ[0])
            opt_remove_edge(u, b, u->block[b].succ[0] - 1);
        for (IrRef r = u->block[b].first, next; r; r = next) {
            next = u->insn[r].next;
            ir_remove(u, b, r);
        }
    }
}

static void phis_to_copies(IrUnit *u, uint32_t b)
{
    for (IrRef r = u->block[b].first; r; r = u->insn[r].next) {
        IrInsn *i = &u->insn[r];
        if (i->op == IR_phi) {
            i->op = IR_copy;
            i->arg[0] = u->phi_arg[i->imm];
            i->imm = 0;
            i->attr = 0;
        } else if (i->op != IR_nop && i->op != IR_copy) {
            break;
        }
    }
}

/* Phi arguments stand in the order of the predecessors' numbers, and b has another than the block
 * that it took in. */
static void renumber_edges(IrUnit *u, uint32_t b, const unsigned *was)
{
    for (unsigned k = 0; k < 2 && u->block[b].succ[k]; k++) {
        uint32_t s = u->block[b].succ[k] - 1;
        opt_move_phi_args(u, s, was[k], ir_pred_index(u, b, s));
    }
}

/* Takes a block's only successor in, as often as it is the only predecessor of that one. The
 * emptied blocks have no `first`. */
static void merge_chain(IrUnit *u, uint32_t b)
{
    for (;;) {
        IrBlock *block = &u->block[b];
        uint32_t to = block->succ[0] - 1;
        if (!block->succ[0] || block->succ[1] || u->block[to].n_pred != 1 || to == b)
            return;
        IrBlock *next = &u->block[to];
        unsigned was[2] = { 0, 0 };
        for (unsigned k = 0; k < 2 && next->succ[k]; k++)
            was[k] = ir_pred_index(u, to, next->succ[k] - 1);
        phis_to_copies(u, to);
        ir_remove(u, b, block->last);
        if (block->last) {
            u->insn[block->last].next = next->first;
            u->insn[next->first].prev = block->last;
        } else {
            block->first = next->first;
            block->pc = next->pc;
        }
        block->last = next->last;
        block->succ[0] = next->succ[0];
        block->succ[1] = next->succ[1];
        next->first = next->last = next->succ[0] = next->succ[1] = next->n_pred = 0;
        renumber_edges(u, b, was);
    }
}

/* -- order ------------------------------------------------------------------------------------- */
typedef struct Layout {
    IrUnit *u;
    const Cfg *c;
    uint32_t *new_of;  /* number in the new order; CFG_NONE: not placed */
    uint32_t n_placed;
} Layout;

/* The rest of a loop right behind its head; inner loops likewise. CFG_NONE: all blocks. */
static void place_loop(Layout *l, uint32_t head)
{
    const Cfg *c = l->c;
    for (uint32_t k = head == CFG_NONE ? 0 : c->rpo_index[head]; k < c->n_rpo; k++) {
        uint32_t b = c->rpo[k];
        if (l->new_of[b] != CFG_NONE || (head != CFG_NONE && !cfg_in_loop(l->u, b, head)))
            continue;
        l->new_of[b] = l->n_placed++;
        if (l->u->block[b].loop_head == b + 1)
            place_loop(l, b);
    }
}

static uint64_t new_target(const Layout *l, uint32_t old)
{
    return l->new_of[old];
}

/* Phi arguments follow the new order of the predecessors. */
static void reorder_phis(Layout *l, uint32_t b, IrRef *scratch)
{
    IrUnit *u = l->u;
    uint32_t first = l->c->pred_start[b], n = l->c->pred_start[b + 1] - first;
    for (IrRef r = u->block[b].first; r; r = u->insn[r].next) {
        const IrInsn *i = &u->insn[r];
        if (i->op == IR_nop)
            continue;
        if (i->op != IR_phi)
            return;
        IrRef *arg = u->phi_arg + i->imm;
        memcpy(scratch, arg, n * sizeof *arg);
        for (uint32_t k = 0; k < n; k++) {
            unsigned rank = 0;
            for (uint32_t m = 0; m < n; m++)
                rank += l->new_of[l->c->pred[first + m]] < l->new_of[l->c->pred[first + k]];
            arg[rank] = scratch[k];
        }
    }
}

static void renumber(Layout *l)
{
    IrUnit *u = l->u;
    IrRef *scratch = arena_alloc_raw(u->arena, (u->n_blocks + 1) * sizeof *scratch);
    IrBlock *old = arena_alloc_raw(u->arena, u->n_blocks * sizeof *old);
    for (uint32_t b = 0; b < u->n_blocks; b++)
        if (l->new_of[b] != CFG_NONE && u->block[b].n_pred > 1)
            reorder_phis(l, b, scratch);
    memcpy(old, u->block, u->n_blocks * sizeof *old);
    for (uint32_t b = 0; b < u->n_blocks; b++) {
        if (l->new_of[b] == CFG_NONE)
            continue;
        IrBlock *to = &u->block[l->new_of[b]];
        *to = old[b];
        for (int s = 0; s < 2; s++)
            if (to->succ[s])
                to->succ[s] = (uint32_t)new_target(l, to->succ[s] - 1) + 1;
        if (to->loop_head)
            to->loop_head = l->new_of[to->loop_head - 1] + 1;
        if (to->loop_outer)
            to->loop_outer = l->new_of[to->loop_outer - 1] + 1;
        IrInsn *last = &u->insn[to->last];
        uint64_t imm = (uint64_t)last->imm;
        if (last->op == IR_br)
            last->imm = (int64_t)new_target(l, (uint32_t)imm);
        else if (last->op == IR_brc)
            last->imm = (int64_t)(new_target(l, (uint32_t)imm) |
                                  new_target(l, (uint32_t)(imm >> 32)) << 32);
    }
    u->n_blocks = l->n_placed;
}

void opt_cfg(IrUnit *u)
{
    if (u->n_blocks == 1)
        return;
    for (uint32_t b = 0; b < u->n_blocks; b++)
        decide_branch(u, b);
    drop_unreachable(u, opt_cfg_new(u));
    for (uint32_t b = 0; b < u->n_blocks; b++)
        if (u->block[b].first)
            merge_chain(u, b);
    Layout l = { .u = u, .c = opt_cfg_laid_out(u) };
    l.new_of = arena_alloc_raw(u->arena, u->n_blocks * sizeof *l.new_of);
    for (uint32_t b = 0; b < u->n_blocks; b++)
        l.new_of[b] = CFG_NONE;
    place_loop(&l, CFG_NONE);
    renumber(&l);
}
