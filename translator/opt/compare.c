/* data plane */
/*
 * Conditions that go into `and` and `or` with others, as conditional compares (CCMP) make them,
 * turn into comparisons where something else uses the flags too: only one flags value at a time is
 * in the host's flags, and a second one would be saved in a register for its condition's sake, by
 * code that is dear, while comparing once more is nearly free. What makes the flags then can move
 * to where they are seen (putoff.c).
 *
 * And flags that only conditions of the same block ask for are made right before the first of them:
 * what is computed in between would overwrite the host's, which would have to be saved and restored
 * (hand-written code compares early).
 */
#include "translator/opt/opt.h"

/* The comparison of first with second operand that tells the condition after a subtraction; 0: none
 * does. */
static unsigned compared(unsigned cc)
{
    switch (cc) {
    case IR_CC_EQ: return IR_CMP_EQ;
    case IR_CC_NE: return IR_CMP_NE;
    case IR_CC_CS: return IR_CMP_UGE;
    case IR_CC_CC: return IR_CMP_ULT;
    case IR_CC_HI: return IR_CMP_UGT;
    case IR_CC_LS: return IR_CMP_ULE;
    case IR_CC_GE: return IR_CMP_SGE;
    case IR_CC_LT: return IR_CMP_SLT;
    case IR_CC_GT: return IR_CMP_SGT;
    case IR_CC_LE: return IR_CMP_SLE;
    default: return 0;
    }
}

/* The condition as a comparison made before it, or the condition. */
static IrRef comparison(IrUnit *u, uint32_t block, IrRef c)
{
    const IrInsn i = u->insn[c], f = u->insn[i.arg[0]];
    if (i.op != IR_cond || f.uses < 2 || (f.op != IR_flsub && f.op != IR_flogic) ||
        u->insn[f.arg[0]].type != f.attr)
        return c;
    unsigned cc = f.op == IR_flsub || i.cc <= IR_CC_NE ? compared(i.cc) : 0;
    if (!cc)
        return c;
    IrRef b = f.arg[1];
    if (f.op == IR_flogic) {
        IrInsn zero = { .op = IR_const, .type = f.attr };
        b = ir_insert_in(u, block, c, &zero);
    }
    IrInsn cmp = { .op = IR_cmp, .type = IR_I1, .cc = cc, .arg = { f.arg[0], b } };
    return ir_insert_in(u, block, c, &cmp);
}

/* Does the block hold c, before `at`? */
static bool is_near(const IrUnit *u, IrRef c, IrRef at)
{
    enum { FAR = 32 };
    IrRef r = u->insn[at].prev;
    for (unsigned n = 0; r && n < FAR; r = u->insn[r].prev, n++)
        if (r == c)
            return true;
    return false;
}

/* Operations that hosts have no way to compute but by overwriting their flags, with what they have
 * in registers: x86-64 shifts without flags, but by a register. */
static bool overwrites_flags(const IrUnit *u, const IrInsn *i)
{
    switch (i->op) {
    case IR_shl: case IR_shr: case IR_sar:
        return u->insn[i->arg[1]].op == IR_const;
    case IR_sub: case IR_and: case IR_andn: case IR_or: case IR_xor: case IR_neg: case IR_mul:
    case IR_udiv: case IR_sdiv: case IR_urem: case IR_srem: case IR_clz: case IR_ctz:
    case IR_popcnt: case IR_ubfx: case IR_bfi: case IR_cmp: case IR_fcmp: case IR_flsub:
    case IR_flogic: case IR_fladd:
        return true;
    default:
        return false;
    }
}

/* The first condition on flags that nothing but conditions behind them in the block uses, if what
 * lies between would overwrite them; else IR_NONE. */
static IrRef first_condition(const IrUnit *u, IrRef flags)
{
    IrRef first = IR_NONE;
    bool overwritten = false;
    uint32_t uses = 0;
    for (IrRef r = u->insn[flags].next; r && uses < u->insn[flags].uses; r = u->insn[r].next) {
        const IrInsn *i = &u->insn[r];
        if (i->op == IR_cond && i->arg[0] == flags) {
            first = first ? first : r;
            uses++;
        }
        if (!first)
            overwritten |= overwrites_flags(u, i);
    }
    return overwritten && uses == u->insn[flags].uses ? first : IR_NONE;
}

/* Flags that move may come to be between others and their condition, which move then. */
static void delay_flags(IrUnit *u, uint32_t b)
{
    bool moved = true;
    for (unsigned round = 0; moved && round < 3; round++) {
        moved = false;
        for (IrRef r = u->block[b].last, prev; r; r = prev) {
            prev = u->insn[r].prev;
            if (u->insn[r].op != IR_flsub && u->insn[r].op != IR_flogic)
                continue;
            IrRef to = first_condition(u, r);
            if (to) {
                ir_move(u, b, r, b, to);
                moved = true;
            }
        }
    }
}

void opt_compare(IrUnit *u)
{
    opt_count_uses(u);
    for (uint32_t b = 0; b < u->n_blocks; b++)
        for (IrRef r = u->block[b].first; r; r = u->insn[r].next)
            for (unsigned a = 0; a < 2; a++) {
                IrRef c = u->insn[r].arg[a];
                if ((u->insn[r].op != IR_band && u->insn[r].op != IR_bor) || !is_near(u, c, r))
                    continue;
                IrRef cmp = comparison(u, b, c);
                u->insn[r].arg[a] = cmp;
                if (cmp != c)
                    u->uses_known = false;
            }
    opt_count_uses(u);
    for (uint32_t b = 0; b < u->n_blocks; b++)
        delay_flags(u, b);
}
