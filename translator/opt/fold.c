/* data plane */
/*
 * Simplifies one instruction: constants second in commutative operations and comparisons, constant
 * evaluation, then the first rule of fold.rules that matches. A rewritten instruction is tried
 * again, a bounded number of times.
 */
#include "translator/opt/opt.h"

enum { MAX_STEPS = 8 };

static uint64_t fold_mask(unsigned type, uint64_t v)
{
    return type == IR_I1 ? v & 1 : type == IR_I32 ? (uint32_t)v : v;
}

static IrRef fold_new(IrUnit *u, IrRef at, IrOp op, IrType type, unsigned cc, unsigned attr,
                      IrRef a0, IrRef a1, IrRef a2, IrRef a3, int64_t imm)
{
    IrInsn n = { .op = (uint8_t)op, .type = (uint8_t)type, .cc = (uint8_t)cc, .attr = attr,
                 .arg = { a0, a1, a2, a3 }, .imm = imm };
    return ir_insert_before(u, at, &n);
}

static IrRef fold_const(IrUnit *u, IrRef at, IrType type, uint64_t v)
{
    return fold_new(u, at, IR_const, type, 0, 0, 0, 0, 0, 0, (int64_t)fold_mask(type, v));
}

static IrRef fold_rewrite(IrUnit *u, IrRef r, IrOp op, IrType type, unsigned cc, unsigned attr,
                          IrRef a0, IrRef a1, IrRef a2, IrRef a3, int64_t imm)
{
    IrInsn *i = &u->insn[r];
    i->op = (uint8_t)op;
    i->type = (uint8_t)type;
    i->cc = (uint8_t)cc;
    i->attr = attr;
    i->arg[0] = a0;
    i->arg[1] = a1;
    i->arg[2] = a2;
    i->arg[3] = a3;
    i->imm = imm;
    i->mark = 1; /* tells opt_fold that there may be more to do */
    return r;
}

static IrRef fold_to_const(IrUnit *u, IrRef r, uint64_t v)
{
    IrType t = (IrType)u->insn[r].type;
    return fold_rewrite(u, r, IR_const, t, 0, 0, 0, 0, 0, 0, (int64_t)fold_mask(t, v));
}

/* Arm ARM, ConditionHolds(), with NZCV in bits 31..28. */
static bool fold_arm_holds(unsigned cc, uint64_t nzcv)
{
    bool n = nzcv >> 31 & 1, z = nzcv >> 30 & 1, c = nzcv >> 29 & 1, v = nzcv >> 28 & 1;
    const bool even[] = { z, c, n, v, c && !z, n == v, n == v && !z };
    return even[cc >> 1] ^ (cc & 1);
}

/* Is it the same whether what is stored is an integer or a float? */
static bool fold_plain_store(uint64_t attr, unsigned size)
{
    return (attr & ~(uint64_t)(IR_MEM_SCALE | IR_MEM_ALIGN)) == size;
}

#include "translator/opt/fold-rules.h"

static unsigned swapped(unsigned cc)
{
    switch (cc) {
    case IR_CMP_ULT:
        return IR_CMP_UGT;
    case IR_CMP_UGT:
        return IR_CMP_ULT;
    case IR_CMP_ULE:
        return IR_CMP_UGE;
    case IR_CMP_UGE:
        return IR_CMP_ULE;
    case IR_CMP_SLT:
        return IR_CMP_SGT;
    case IR_CMP_SGT:
        return IR_CMP_SLT;
    case IR_CMP_SLE:
        return IR_CMP_SGE;
    case IR_CMP_SGE:
        return IR_CMP_SLE;
    default:
        return cc;
    }
}

static bool is_const(const IrUnit *u, IrRef r)
{
    return u->insn[r].op == IR_const;
}

static void constant_second(const IrUnit *u, IrInsn *i)
{
    bool swaps = ir_op_info[i->op].flags & IR_OPF_C || i->op == IR_cmp;
    if (!swaps || !is_const(u, i->arg[0]) || is_const(u, i->arg[1]))
        return;
    IrRef first = i->arg[0];
    i->arg[0] = i->arg[1];
    i->arg[1] = first;
    if (i->op == IR_cmp)
        i->cc = (uint8_t)swapped(i->cc);
}

static bool evaluate(IrUnit *u, IrRef r)
{
    IrInsn *i = &u->insn[r];
    unsigned n = ir_op_info[i->op].n_args;
    if (n < 1 || n > 2 || !(ir_op_info[i->op].flags & IR_OPF_P))
        return false;
    for (unsigned a = 0; a < n; a++)
        if (!i->arg[a] || !is_const(u, i->arg[a]))
            return false;
    uint64_t a = (uint64_t)u->insn[i->arg[0]].imm;
    uint64_t b = n > 1 ? (uint64_t)u->insn[i->arg[1]].imm : 0, v;
    if (!opt_eval(i, (IrType)u->insn[i->arg[0]].type, a, b, &v))
        return false;
    fold_to_const(u, r, v);
    return true;
}

IrRef opt_fold(IrUnit *u, uint32_t block, IrRef ref)
{
    (void)block;
    for (int step = 0; step < MAX_STEPS; step++) {
        IrInsn *i = &u->insn[ref];
        i->mark = 0;
        if (i->op == IR_copy)
            return i->arg[0];
        constant_second(u, i);
        if (evaluate(u, ref) || !fold_table[i->op])
            return ref;
        IrRef to = fold_table[i->op](u, ref);
        if (to != ref)
            return to;
        if (!u->insn[ref].mark)
            return ref;
    }
    return ref;
}
