/* data plane */
/*
 * Loops with two entries, as compilers and hand-written code make them that jump into a loop's
 * middle for the first turn (strcmp and memchr of the C library, loops whose loads run ahead),
 * become loops with one: the blocks between the side entry and the head are doubled. Only so are
 * they loops to the passes behind this one, which runs before `ssa`, while blocks share hardly any
 * values.
 *
 * An edge that goes back to a block that doesn't dominate its start closes such a cycle. The cycle
 * is what can reach that block, its head, without leaving what the head's dominator dominates.
 */
#include <string.h>

#include "translator/ir/arena.h"
#include "translator/opt/cfg.h"
#include "translator/opt/opt.h"

enum { MAX_BLOCKS = 12, MAX_INSNS = 400 }; /* that are made */

typedef struct Split {
    IrUnit *u;
    const Cfg *c;
    bool *in;       /* the cycle's blocks */
    uint32_t *work;
    unsigned n_blocks, n_insns;
} Split;

static bool is_back(const Split *s, uint32_t from, uint32_t to)
{
    return s->c->rpo_index[from] != CFG_NONE && s->c->rpo_index[to] <= s->c->rpo_index[from];
}

/* The head of a cycle with other entries; CFG_NONE: there is none. */
static uint32_t find_head(const Split *s)
{
    const Cfg *c = s->c;
    for (uint32_t k = 0; k < c->n_rpo; k++)
        for (uint32_t v = c->rpo[k], p = c->pred_start[v]; p < c->pred_start[v + 1]; p++)
            if (is_back(s, c->pred[p], v) && !cfg_dominates(c, v, c->pred[p]))
                return v;
    return CFG_NONE;
}

static void find_cycle(Split *s, uint32_t head)
{
    const Cfg *c = s->c;
    uint32_t top = c->idom[head], n = 0;
    memset(s->in, 0, s->u->n_blocks * sizeof *s->in);
    s->in[head] = true;
    /* against the edges, from the head's predecessors that come behind it */
    for (uint32_t p = c->pred_start[head]; p < c->pred_start[head + 1]; p++)
        if (is_back(s, c->pred[p], head) && !s->in[c->pred[p]]) {
            s->in[c->pred[p]] = true;
            s->work[n++] = c->pred[p];
        }
    while (n) {
        uint32_t b = s->work[--n];
        for (uint32_t p = c->pred_start[b]; p < c->pred_start[b + 1]; p++) {
            uint32_t from = c->pred[p];
            /* what comes before the head in this order isn't reached from it */
            if (c->rpo_index[from] > c->rpo_index[head] && c->rpo_index[from] != CFG_NONE &&
                from != top && !s->in[from]) {
                s->in[from] = true;
                s->work[n++] = from;
            }
        }
    }
}

/* Of blocks behind the head in the order some come to the cycle without coming from the head: the
 * cycle's are those that the head reaches. */
static void keep_reached(Split *s, uint32_t head)
{
    IrUnit *u = s->u;
    bool *seen = arena_alloc(u->arena, u->n_blocks * sizeof *seen);
    uint32_t n = 0;
    s->work[n++] = head;
    seen[head] = true;
    while (n) {
        const IrBlock *b = &u->block[s->work[--n]];
        for (unsigned k = 0; k < 2; k++)
            if (b->succ[k] && s->in[b->succ[k] - 1] && !seen[b->succ[k] - 1]) {
                seen[b->succ[k] - 1] = true;
                s->work[n++] = b->succ[k] - 1;
            }
    }
    memcpy(s->in, seen, u->n_blocks * sizeof *seen);
}

static bool enters(const Split *s, uint32_t from, uint32_t to, uint32_t head)
{
    return to != head && s->in[to] && !s->in[from];
}

/* The first block behind the head into which an edge from outside leads. */
static uint32_t find_entry(const Split *s, uint32_t head)
{
    const Cfg *c = s->c;
    for (uint32_t k = 0; k < c->n_rpo; k++)
        for (uint32_t b = c->rpo[k], p = c->pred_start[b]; p < c->pred_start[b + 1]; p++)
            if (c->rpo_index[c->pred[p]] != CFG_NONE && enters(s, c->pred[p], b, head))
                return b;
    return CFG_NONE;
}

/* Does a block but that one use values that are marked? (An inlined call's return does.) */
static bool used_elsewhere(const IrUnit *u, uint32_t block, const IrRef *mark)
{
    for (uint32_t b = 0; b < u->n_blocks; b++)
        for (IrRef r = b == block ? IR_NONE : u->block[b].first; r; r = u->insn[r].next)
            for (unsigned k = 0; k < ir_op_info[u->insn[r].op].n_args; k++)
                if (mark[u->insn[r].arg[k]])
                    return true;
    return false;
}

/* A block like that one; CFG_NONE: it is too long, or shares values with others. */
static uint32_t copy_block(Split *s, uint32_t block)
{
    IrUnit *u = s->u;
    IrRef first = u->block[block].first;
    IrRef *as = arena_alloc(u->arena, u->n_insns * sizeof *as);
    for (IrRef r = first; r; r = u->insn[r].next) {
        s->n_insns++;
        if (u->insn[r].op == IR_phi)
            return CFG_NONE;
        for (unsigned k = 0; k < ir_op_info[u->insn[r].op].n_args; k++)
            if (u->insn[r].arg[k] && !as[u->insn[r].arg[k]])
                return CFG_NONE;
        as[r] = r;
    }
    if (++s->n_blocks > MAX_BLOCKS || s->n_insns > MAX_INSNS || used_elsewhere(u, block, as))
        return CFG_NONE;
    uint32_t copy = ir_block_new(u, u->block[block].pc);
    IrBuilder b = { u, copy };
    for (IrRef r = first; r; r = u->insn[r].next) {
        IrInsn i = u->insn[r];
        for (unsigned k = 0; k < ir_op_info[i.op].n_args; k++)
            if (i.arg[k])
                i.arg[k] = as[i.arg[k]];
        as[r] = ir_emit(&b, i.op, i.type, i.cc, i.attr, i.arg[0], i.arg[1], i.arg[2], i.arg[3],
                        i.imm);
    }
    return copy;
}

static void redirect(IrUnit *u, uint32_t from, uint32_t to, uint32_t copy)
{
    IrInsn *last = &u->insn[u->block[from].last];
    uint32_t yes = (uint32_t)last->imm, no = (uint32_t)((uint64_t)last->imm >> 32);
    if (last->op == IR_br)
        last->imm = copy;
    else
        last->imm = (int64_t)((yes == to ? copy : yes) | (uint64_t)(no == to ? copy : no) << 32);
    for (unsigned k = 0; k < 2; k++)
        if (u->block[from].succ[k] == to + 1) {
            u->block[from].succ[k] = copy + 1;
            u->block[to].n_pred--;
            u->block[copy].n_pred++;
        }
}

/* Edges from outside into the middle lead to copies, and so on until the head. */
static bool make_single(Split *s, uint32_t head)
{
    IrUnit *u = s->u;
    uint32_t entry = find_entry(s, head);
    if (entry == CFG_NONE)
        return false;
    uint32_t copy = copy_block(s, entry);
    if (copy == CFG_NONE)
        return false;
    for (uint32_t p = s->c->pred_start[entry]; p < s->c->pred_start[entry + 1]; p++)
        if (enters(s, s->c->pred[p], entry, head))
            redirect(u, s->c->pred[p], entry, copy);
    return true;
}

void opt_split(IrUnit *u)
{
    Split s = { .u = u };
    bool changed = false;
    for (;;) {
        s.c = opt_cfg_new(u);
        uint32_t head = find_head(&s);
        if (head == CFG_NONE)
            break;
        s.in = arena_alloc(u->arena, u->n_blocks * sizeof *s.in);
        s.work = arena_alloc(u->arena, u->n_blocks * sizeof *s.work);
        find_cycle(&s, head);
        keep_reached(&s, head);
        if (!make_single(&s, head))
            break;
        changed = true;
    }
    if (changed)
        opt_cfg(u);
}
