/* data plane */
/*
 * See cfg.h. Dominators: Cooper, Harvey, Kennedy, "A Simple, Fast Dominance Algorithm" (2001), near
 * linear. Loops: the blocks that reach a branch back without passing its head.
 */
#include "translator/opt/cfg.h"

#include <string.h>

#include "translator/ir/arena.h"

enum { LOOP_TRIPS = 8, MAX_WEIGHT = 1 << 24, PROBABLE = 14, OUT_OF = 16 };

static uint32_t *new_words(IrUnit *u, uint32_t n)
{
    return arena_alloc_raw(u->arena, (n + 1) * sizeof(uint32_t));
}

static void find_preds(Cfg *c, const IrUnit *u)
{
    memset(c->pred_start, 0, (c->n_blocks + 1) * sizeof *c->pred_start);
    for (uint32_t b = 0; b < c->n_blocks; b++)
        for (int s = 0; s < 2; s++)
            if (u->block[b].succ[s])
                c->pred_start[u->block[b].succ[s]]++;
    for (uint32_t b = 0; b < c->n_blocks; b++)
        c->pred_start[b + 1] += c->pred_start[b];
    uint32_t *next = c->rpo_index; /* scratch */
    memcpy(next, c->pred_start, c->n_blocks * sizeof *next);
    for (uint32_t b = 0; b < c->n_blocks; b++)
        for (int s = 0; s < 2; s++)
            if (u->block[b].succ[s])
                c->pred[next[u->block[b].succ[s] - 1]++] = b;
}

/* Which successor a depth-first walk takes first, so that it comes last in reverse postorder. */
typedef bool SecondFirst(const IrUnit *u, uint32_t block);

static bool plain_order(const IrUnit *u, uint32_t block)
{
    return true;
}

static void find_order(Cfg *c, IrUnit *u, SecondFirst *second_first)
{
    uint32_t *stack = new_words(u, c->n_blocks), n_stack = 0, at = c->n_blocks;
    uint8_t *state = arena_alloc(u->arena, c->n_blocks); /* successors taken; bit 7: seen */
    for (uint32_t b = 0; b < c->n_blocks; b++)
        c->rpo_index[b] = CFG_NONE;
    stack[n_stack++] = 0;
    state[0] = 128;
    while (n_stack) {
        uint32_t b = stack[n_stack - 1];
        unsigned nth = state[b]++ & 3;
        if (nth == 2) {
            c->rpo[--at] = b;
            n_stack--;
            continue;
        }
        uint32_t to = u->block[b].succ[nth ^ second_first(u, b)];
        if (to && !state[to - 1]) {
            state[to - 1] = 128;
            stack[n_stack++] = to - 1;
        }
    }
    c->n_rpo = c->n_blocks - at;
    memmove(c->rpo, c->rpo + at, c->n_rpo * sizeof *c->rpo);
    for (uint32_t k = 0; k < c->n_rpo; k++)
        c->rpo_index[c->rpo[k]] = k;
}

static uint32_t common_dominator(const Cfg *c, uint32_t a, uint32_t b)
{
    while (a != b) {
        while (c->rpo_index[a] > c->rpo_index[b])
            a = c->idom[a];
        while (c->rpo_index[b] > c->rpo_index[a])
            b = c->idom[b];
    }
    return a;
}

static void find_dominators(Cfg *c)
{
    for (uint32_t b = 0; b < c->n_blocks; b++)
        c->idom[b] = CFG_NONE;
    bool changed = true;
    while (changed) {
        changed = false;
        for (uint32_t k = 1; k < c->n_rpo; k++) {
            uint32_t b = c->rpo[k], d = CFG_NONE;
            for (uint32_t p = c->pred_start[b]; p < c->pred_start[b + 1]; p++) {
                uint32_t from = c->pred[p];
                if (c->rpo_index[from] == CFG_NONE || (from && c->idom[from] == CFG_NONE))
                    continue;
                d = d == CFG_NONE ? from : common_dominator(c, d, from);
            }
            if (c->idom[b] != d) {
                c->idom[b] = d;
                changed = true;
            }
        }
    }
}

/* Numbers the dominator tree. A block's subtree has as many blocks as its size says; in reverse
 * postorder parents come before their children, so two sweeps do. */
static void number_dominators(Cfg *c, IrUnit *u)
{
    uint32_t *size = c->dom_out, *next = new_words(u, c->n_blocks);
    memset(c->dom_in, 0, c->n_blocks * sizeof *c->dom_in);
    for (uint32_t b = 0; b < c->n_blocks; b++)
        size[b] = 1;
    for (uint32_t k = c->n_rpo; k-- > 1;)
        size[c->idom[c->rpo[k]]] += size[c->rpo[k]];
    for (uint32_t k = 0; k < c->n_rpo; k++) {
        uint32_t b = c->rpo[k], d = c->idom[b];
        if (k) {
            c->dom_in[b] = next[d];
            next[d] += size[b];
        }
        next[b] = c->dom_in[b] + 1;
    }
    for (uint32_t b = 0; b < c->n_blocks; b++)
        c->dom_out[b] = c->dom_in[b] + size[b] - 1;
    for (uint32_t b = 0; b < c->n_blocks; b++)
        if (c->rpo_index[b] == CFG_NONE) /* dominated by nothing, dominating nothing */
            c->dom_in[b] = c->dom_out[b] = CFG_NONE - b;
}

bool cfg_in_loop(const IrUnit *u, uint32_t block, uint32_t head)
{
    for (uint32_t h = u->block[block].loop_head; h;) {
        if (h - 1 == head)
            return true;
        h = u->block[h - 1].loop_outer;
    }
    return false;
}

/* Gives the loop of one head to the blocks that reach it from `from`. Heads are visited from the
 * last in reverse postorder, so inner loops come first; a block that has one stands for the
 * outermost around it so far, which gets a loop around it. */
static void mark_loop(Cfg *c, IrUnit *u, uint32_t head, uint32_t from, uint32_t *stack)
{
    uint32_t n = 0;
    stack[n++] = from;
    while (n) {
        uint32_t b = stack[--n];
        IrBlock *block = &u->block[b];
        if (!block->loop_head) {
            block->loop_head = head + 1;
        } else {
            for (b = block->loop_head - 1; u->block[b].loop_outer;)
                b = u->block[b].loop_outer - 1;
            if (b == head)
                continue;
            u->block[b].loop_outer = head + 1;
        }
        for (uint32_t p = c->pred_start[b]; p < c->pred_start[b + 1]; p++)
            if (c->rpo_index[c->pred[p]] != CFG_NONE)
                stack[n++] = c->pred[p];
    }
}

static void find_loops(Cfg *c, IrUnit *u)
{
    for (uint32_t b = 0; b < c->n_blocks; b++)
        u->block[b].loop_head = u->block[b].loop_outer = u->block[b].loop_depth = 0;
    uint32_t *stack = new_words(u, c->pred_start[c->n_blocks] + c->n_blocks);
    for (uint32_t k = c->n_rpo; k-- > 0;) {
        uint32_t head = c->rpo[k];
        for (uint32_t p = c->pred_start[head]; p < c->pred_start[head + 1]; p++)
            if (cfg_dominates(c, head, c->pred[p])) {
                u->block[head].loop_head = head + 1;
                mark_loop(c, u, head, c->pred[p], stack);
            }
    }
    for (uint32_t k = 0; k < c->n_rpo; k++) {
        IrBlock *b = &u->block[c->rpo[k]];
        if (b->loop_head == c->rpo[k] + 1)
            b->loop_depth = 1 + (b->loop_outer ? u->block[b->loop_outer - 1].loop_depth : 0);
        else if (b->loop_head)
            b->loop_depth = u->block[b->loop_head - 1].loop_depth;
    }
}

/* Of OUT_OF runs of the block, how many go to this successor. A branch out of a loop is rare. */
static unsigned share(const IrUnit *u, uint32_t from, int s)
{
    const IrBlock *b = &u->block[from];
    const IrInsn *last = &u->insn[b->last];
    if (!b->succ[1])
        return OUT_OF;
    if (last->attr & (IR_BRC_LIKELY_TRUE | IR_BRC_LIKELY_FALSE))
        return !(last->attr & IR_BRC_LIKELY_FALSE) == (s == 0) ? PROBABLE : OUT_OF - PROBABLE;
    if (b->loop_head) {
        bool in0 = cfg_in_loop(u, b->succ[0] - 1, b->loop_head - 1);
        bool in1 = cfg_in_loop(u, b->succ[1] - 1, b->loop_head - 1);
        if (in0 != in1)
            return (s == 0 ? in0 : in1) ? PROBABLE : OUT_OF - PROBABLE;
    }
    return OUT_OF / 2;
}

static void find_weights(Cfg *c, IrUnit *u)
{
    for (uint32_t b = 0; b < c->n_blocks; b++)
        u->block[b].weight = 0;
    u->block[0].weight = IR_WEIGHT_ENTRY;
    for (uint32_t k = 0; k < c->n_rpo; k++) {
        uint32_t at = c->rpo[k];
        IrBlock *b = &u->block[at];
        if (b->loop_head == at + 1)
            b->weight *= LOOP_TRIPS;
        if (b->weight > MAX_WEIGHT)
            b->weight = MAX_WEIGHT;
        b->weight += !b->weight;
        for (int s = 0; s < 2; s++)
            if (b->succ[s] && c->rpo_index[b->succ[s] - 1] > k)
                u->block[b->succ[s] - 1].weight += b->weight * share(u, at, s) / OUT_OF;
    }
}

static Cfg *cfg_alloc(IrUnit *u)
{
    Cfg *c = arena_alloc(u->arena, sizeof *c);
    uint32_t n = u->n_blocks;
    c->n_blocks = n;
    c->pred_start = new_words(u, n + 1);
    c->pred = new_words(u, 2 * n);
    c->rpo = new_words(u, n);
    c->rpo_index = new_words(u, n);
    c->idom = new_words(u, n);
    c->dom_in = new_words(u, n);
    c->dom_out = new_words(u, n);
    return c;
}

/* Ways out of loops, and rare ways, come last. */
static bool hot_order(const IrUnit *u, uint32_t block)
{
    const IrBlock *b = &u->block[block];
    if (!b->succ[1])
        return false;
    uint32_t yes = b->succ[0] - 1, no = b->succ[1] - 1;
    for (uint32_t h = b->loop_head; h; h = u->block[h - 1].loop_outer) {
        bool in_yes = cfg_in_loop(u, yes, h - 1), in_no = cfg_in_loop(u, no, h - 1);
        if (in_yes != in_no)
            return in_yes;
    }
    return share(u, block, 0) >= share(u, block, 1);
}

Cfg *opt_cfg_laid_out(IrUnit *u)
{
    Cfg *c = opt_cfg_new(u);
    find_order(c, u, hot_order);
    return c;
}

Cfg *opt_cfg_new(IrUnit *u)
{
    Cfg *c = cfg_alloc(u);
    find_preds(c, u);
    find_order(c, u, plain_order);
    find_dominators(c);
    number_dominators(c, u);
    find_loops(c, u);
    find_weights(c, u);
    return c;
}

unsigned ir_pred_index(const IrUnit *u, uint32_t from, uint32_t to)
{
    unsigned n = 0;
    for (uint32_t p = 0; p < from; p++)
        n += u->block[p].succ[0] == to + 1 || u->block[p].succ[1] == to + 1;
    return n;
}

void opt_remove_edge(IrUnit *u, uint32_t from, uint32_t to)
{
    unsigned at = ir_pred_index(u, from, to);
    IrBlock *b = &u->block[from];
    for (IrRef r = u->block[to].first; r; r = u->insn[r].next) {
        IrInsn *i = &u->insn[r];
        if (i->op == IR_nop)
            continue;
        if (i->op != IR_phi)
            break;
        IrRef *arg = u->phi_arg + i->imm;
        i->attr--;
        memmove(arg + at, arg + at + 1, (i->attr - at) * sizeof *arg);
        u->uses_known = false;
    }
    u->block[to].n_pred--;
    if (b->succ[0] == to + 1)
        b->succ[0] = b->succ[1];
    b->succ[1] = 0;
}

void opt_move_phi_args(IrUnit *u, uint32_t block, unsigned from, unsigned to)
{
    for (IrRef r = u->block[block].first; r; r = u->insn[r].next) {
        const IrInsn *i = &u->insn[r];
        if (i->op == IR_nop)
            continue;
        if (i->op != IR_phi)
            break;
        IrRef *arg = u->phi_arg + i->imm, moved = arg[from];
        memmove(arg + from, arg + from + 1, (i->attr - from - 1) * sizeof *arg);
        memmove(arg + to + 1, arg + to, (i->attr - to - 1) * sizeof *arg);
        arg[to] = moved;
    }
}

void opt_split_block(IrUnit *u, uint32_t block, IrRef at, uint32_t rest)
{
    IrBlock *from = &u->block[block], *to = &u->block[rest];
    for (unsigned k = 0; k < 2 && from->succ[k]; k++) {
        /* The edge comes from another block now, the last of all. */
        uint32_t s = from->succ[k] - 1;
        opt_move_phi_args(u, s, ir_pred_index(u, block, s), u->block[s].n_pred - 1);
    }
    to->first = at;
    to->last = from->last;
    from->last = u->insn[at].prev;
    if (from->last)
        u->insn[from->last].next = 0;
    else
        from->first = 0;
    u->insn[at].prev = 0;
    to->succ[0] = from->succ[0];
    to->succ[1] = from->succ[1];
    from->succ[0] = from->succ[1] = 0;
}

IrRef opt_split_exit(IrUnit *u, uint32_t block, IrRef exit_if, uint32_t *ret_block)
{
    IrInsn exit = u->insn[exit_if];
    IrRef mark = exit_if;
    while (mark && u->insn[mark].op != IR_insn)
        mark = u->insn[mark].prev;
    uint32_t out = ir_block_new(u, (GuestAddr)exit.imm);
    uint32_t rest = ir_block_new(u, u->block[block].pc);
    opt_split_block(u, block, exit.next, rest);
    ir_remove(u, block, exit_if);
    IrBuilder b = { .unit = u, .block = block };
    ir_emit(&b, IR_brc, IR_VOID, 0, IR_BRC_LIKELY_FALSE, exit.arg[0], 0, 0, 0,
            (int64_t)(out | (uint64_t)rest << 32));
    b.block = out;
    if (mark)
        ir_emit(&b, IR_insn, IR_VOID, 0, u->insn[mark].attr, 0, 0, 0, 0, u->insn[mark].imm);
    *ret_block = out;
    return ir_emit(&b, IR_exit_jump, IR_VOID, 0, exit.attr, 0, 0, 0, 0, exit.imm);
}
