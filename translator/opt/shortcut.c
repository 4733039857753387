/* data plane */
/*
 * Branches and exits on `a and b`, `a or b` become two, so that each condition stays in the host's
 * flags: conditional compares (CCMP) make such chains. What makes the second condition and nothing
 * else uses moves behind the first branch.
 */
#include "translator/opt/cfg.h"
#include "translator/opt/opt.h"

enum { MAX_SPLITS = 64 };

static bool is_logic(const IrUnit *u, IrRef v)
{
    return u->insn[v].op == IR_band || u->insn[v].op == IR_bor;
}

static bool in_block(const IrUnit *u, IrRef v, IrRef before)
{
    enum { FAR = 64 };
    unsigned n = 0;
    for (IrRef r = u->insn[before].prev; r && n < FAR; r = u->insn[r].prev, n++)
        if (r == v)
            return true;
    return false;
}

/* Moves v before `at`, of the same block, with what only it uses: conditions and their flags.
 * Returns the first of what is before `at` now, or `at`. */
static IrRef sink(IrUnit *u, uint32_t block, IrRef v, IrRef at)
{
    const IrInsn *i = &u->insn[v];
    bool moves = i->op == IR_cond || i->op == IR_cmp || i->op == IR_bnot || i->op == IR_flsub ||
                 i->op == IR_fladd || i->op == IR_flogic || i->op == IR_band || i->op == IR_bor;
    if (!moves || i->uses != 1 || !in_block(u, v, at))
        return at;
    ir_move(u, block, v, block, at);
    IrRef first = v;
    for (unsigned a = 0; a < 2; a++)
        if (u->insn[v].arg[a]) {
            IrRef f = sink(u, block, u->insn[v].arg[a], v);
            first = first == v ? f : first;
        }
    return first;
}

/* exit_if a or b */
static bool split_exit(IrUnit *u, uint32_t block, IrRef r)
{
    IrRef c = u->insn[r].arg[0];
    if (u->insn[c].op != IR_bor || u->insn[c].uses != 1 || !in_block(u, c, r))
        return false;
    IrInsn first = u->insn[r];
    IrRef a = u->insn[c].arg[0], b = u->insn[c].arg[1];
    first.arg[0] = a;
    IrRef before = ir_insert_in(u, block, r, &first);
    u->insn[r].arg[0] = b;
    ir_remove(u, block, c);
    sink(u, block, b, r);
    sink(u, block, a, before);
    return true;
}

/* The edge from `from` to `to` is new, beside that from the last block: phis get the same. */
static void double_edge(IrUnit *u, uint32_t from, uint32_t to)
{
    unsigned n = ir_pred_index(u, from, to);
    for (IrRef r = u->block[to].first; r; r = u->insn[r].next) {
        if (u->insn[r].op == IR_nop)
            continue;
        if (u->insn[r].op != IR_phi)
            break;
        unsigned count = u->insn[r].attr;
        uint32_t at = ir_phi_args_new(u, count + 1);
        IrRef *arg = u->phi_arg + at, *was = u->phi_arg + u->insn[r].imm;
        for (unsigned k = 0; k < n; k++)
            arg[k] = was[k];
        arg[n] = was[count - 1];
        for (unsigned k = n; k < count; k++)
            arg[k + 1] = was[k];
        u->insn[r].imm = at;
        u->insn[r].attr = count + 1;
    }
}

/* brc a and b, yes, no: brc a, rest, no; rest: brc b, yes, no. With `or` the other way round. */
static bool split_branch(IrUnit *u, uint32_t block, IrRef r)
{
    IrRef c = u->insn[r].arg[0];
    uint32_t yes = (uint32_t)u->insn[r].imm, no = (uint32_t)((uint64_t)u->insn[r].imm >> 32);
    if (!is_logic(u, c) || u->insn[c].uses != 1 || !in_block(u, c, r) || yes == no)
        return false;
    bool both = u->insn[c].op == IR_band;
    IrRef a = u->insn[c].arg[0], b = u->insn[c].arg[1];
    u->insn[r].arg[0] = b;
    ir_remove(u, block, c);
    IrRef first = sink(u, block, b, r);
    uint32_t rest = ir_block_new(u, u->block[block].pc);
    opt_split_block(u, block, first, rest);
    /* If both is likely, each is; that not both are tells nothing of the first. */
    unsigned attr = u->insn[r].attr & (both ? IR_BRC_LIKELY_TRUE : IR_BRC_LIKELY_FALSE);
    IrBuilder at = { .unit = u, .block = block };
    uint32_t t = both ? rest : yes, f = both ? no : rest;
    IrRef before = ir_emit(&at, IR_brc, IR_VOID, 0, attr, a, 0, 0, 0,
                           (int64_t)(t | (uint64_t)f << 32));
    double_edge(u, block, both ? no : yes);
    sink(u, block, a, before);
    return true;
}

/* Few baseline units have any. */
static bool has_or(const IrUnit *u)
{
    bool found = false;
    for (IrRef r = 1; r < u->n_insns; r++)
        found |= u->insn[r].op == IR_bor;
    return found;
}

void opt_shortcut(IrUnit *u)
{
    bool split = false;
    if (u->n_blocks == 1 && !has_or(u)) {
        u->uses_known = false; /* as below */
        return;
    }
    opt_count_uses(u);
    for (uint32_t b = 0, n = 0; b < u->n_blocks && n < MAX_SPLITS; b++) {
        for (IrRef r = u->block[b].first; r && n < MAX_SPLITS; r = u->insn[r].next)
            while (u->insn[r].op == IR_exit_if && n < MAX_SPLITS && split_exit(u, b, r)) {
                r = u->insn[r].prev; /* the other condition, or what it is made of */
                while (u->insn[r].op != IR_exit_if)
                    r = u->insn[r].prev;
                n++;
            }
        while (u->block[b].last && n < MAX_SPLITS &&
               u->insn[u->block[b].last].op == IR_brc && split_branch(u, b, u->block[b].last)) {
            split = true;
            n++;
        }
    }
    u->uses_known = false;
    if (split)
        opt_cfg(u);
}
