/*
 * The shape of a unit of many blocks: predecessors, orders, dominators, loops, weights. Made anew
 * by whoever needs it (it is linear); it holds until blocks or edges change. Passes that only move,
 * add or remove instructions leave it valid.
 */
#ifndef TRANSLATOR_OPT_CFG_H
#define TRANSLATOR_OPT_CFG_H

#include "translator/ir/ir.h"

enum { CFG_NONE = UINT32_MAX };

typedef struct Cfg {
    uint32_t n_blocks;
    uint32_t *pred_start;   /* [n_blocks + 1]: block b's are pred[pred_start[b] …], ascending */
    uint32_t *pred;
    uint32_t *rpo;          /* reverse postorder of the blocks that can be reached */
    uint32_t n_rpo;
    uint32_t *rpo_index;    /* its inverse; CFG_NONE: unreachable */
    uint32_t *idom;         /* immediate dominator; of the entry and unreachable blocks: CFG_NONE */
    uint32_t *dom_in, *dom_out; /* numbers of the dominator tree's walk, for cfg_dominates() */
} Cfg;

/* Also fills in loop_head, loop_depth and weight of the unit's blocks. A loop is natural: its head
 * dominates the branch back. Cycles with two entries count as no loop; passes must be correct with
 * them all the same. */
Cfg *opt_cfg_new(IrUnit *u);

/* The same with an rpo in which ways out of loops and rare ways come last, for opt_cfg(). */
Cfg *opt_cfg_laid_out(IrUnit *u);

static inline bool cfg_dominates(const Cfg *c, uint32_t a, uint32_t b)
{
    return c->dom_in[a] <= c->dom_in[b] && c->dom_out[b] <= c->dom_out[a];
}

/* Is the block in the loop of that head (a block number)? */
bool cfg_in_loop(const IrUnit *u, uint32_t block, uint32_t head);

/* The place of `from` among the predecessors of `to`: the index of the phi arguments. */
unsigned ir_pred_index(const IrUnit *u, uint32_t from, uint32_t to);

/* In the phis of `block` the argument of predecessor `from` becomes number `to`. */
void opt_move_phi_args(IrUnit *u, uint32_t block, unsigned from, unsigned to);

/* Takes away an edge, with its phi arguments; the caller rewrites the terminator of `from`. */
void opt_remove_edge(IrUnit *u, uint32_t from, uint32_t to);

/* What is in a block from `at` on goes into `rest`, the unit's last block, new and empty. The
 * caller gives the first half its terminator. */
void opt_split_block(IrUnit *u, uint32_t block, IrRef at, uint32_t rest);

/* Makes a branch of an exit_if, to a new block with the exit alone (whose exit_jump is returned),
 * and a block of what is behind it. */
IrRef opt_split_exit(IrUnit *u, uint32_t block, IrRef exit_if, uint32_t *ret_block);

/* A pass: branches on constants become plain, blocks that can't be reached go, a block with one
 * successor whose only predecessor it is takes it in, and the rest are put in layout order (ir.h:
 * reverse postorder, loops contiguous, hot path straight, rare blocks last). */
void opt_cfg(IrUnit *u);

#endif
