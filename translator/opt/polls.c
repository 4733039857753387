/* data plane */
/*
 * One poll for each way round a loop. The lifter puts one before each block to which an edge leads
 * that goes backwards in the guest's addresses, for loops that only partly lie in the region; but
 * the direct exits of a region poll themselves, so inside it those of the targets of retreating
 * edges are enough. Not so calls: a region with one keeps its polls.
 */
#include "translator/opt/cfg.h"
#include "translator/opt/opt.h"

static bool loops(const Cfg *c, uint32_t block)
{
    for (uint32_t n = c->pred_start[block]; n < c->pred_start[block + 1]; n++)
        if (c->rpo_index[c->pred[n]] >= c->rpo_index[block])
            return true;
    return false;
}

static bool has(const IrUnit *u, uint32_t block, IrOp op)
{
    for (IrRef r = u->block[block].last; r; r = u->insn[r].prev)
        if (u->insn[r].op == op || (op == IR_exit_call && ir_is_gcall(u->insn[r].op)))
            return true;
    return false;
}

void opt_polls(IrUnit *u)
{
    const Cfg *c = opt_cfg_new(u);
    for (uint32_t k = 0; k < c->n_rpo; k++) {
        uint32_t b = c->rpo[k];
        if (has(u, b, IR_exit_call) || (loops(c, b) && !has(u, b, IR_poll)))
            return;
    }
    for (uint32_t k = 0; k < c->n_rpo; k++) {
        uint32_t b = c->rpo[k];
        if (loops(c, b))
            continue;
        for (IrRef r = u->block[b].first, next; r; r = next) {
            next = u->insn[r].next;
            if (u->insn[r].op == IR_poll)
                ir_remove(u, b, r);
        }
    }
}
