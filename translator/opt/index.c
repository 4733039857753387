/* data plane */
/*
 * Sums of three, or with a small shift, become one operation where nothing else wants their parts:
 * what compilers for RISC-V make of indices. Addresses that only memory operations use are theirs
 * already (address.c).
 */
#include "translator/opt/opt.h"

static bool is_const(const IrUnit *u, IrRef v) { return u->insn[v].op == IR_const; }

/* Takes v apart: its value is then (*ret_x << *ret_by) + *ret_disp. False: no use in it. */
static bool take_apart(const IrUnit *u, IrRef v, IrRef *ret_x, uint32_t *ret_by,
                       int64_t *ret_disp)
{
    const IrInsn *i = &u->insn[v];
    if (i->uses != 1)
        return false;
    *ret_x = i->arg[0];
    *ret_by = 0;
    *ret_disp = 0;
    switch (i->op) {
    case IR_shl: {
        uint64_t by = is_const(u, i->arg[1]) ? (uint64_t)u->insn[i->arg[1]].imm : 0;
        *ret_by = (uint32_t)by;
        return by >= 1 && by <= 3;
    }
    case IR_add:
        *ret_disp = is_const(u, i->arg[1]) ? u->insn[i->arg[1]].imm : INT64_MAX;
        if (i->type == IR_I32)
            *ret_disp = (int32_t)*ret_disp;
        return is_const(u, i->arg[1]) && *ret_disp == (int32_t)*ret_disp;
    case IR_index:
        *ret_x = i->arg[1];
        *ret_by = i->attr;
        *ret_disp = i->imm;
        return !i->arg[0];
    default:
        return false;
    }
}

static void replace(IrUnit *u, IrRef r, IrRef base, IrRef part, IrRef x, uint32_t by, int64_t disp)
{
    IrInsn *i = &u->insn[r];
    i->op = IR_index;
    i->arg[0] = base;
    i->arg[1] = x;
    i->attr = by;
    i->imm = disp;
    u->insn[x].uses++;
    u->insn[part].uses--;
    if (u->n_blocks > 1) /* it may be in another; the pass `dead` removes it */
        return;
    for (unsigned a = 0; a < 2; a++)
        if (u->insn[part].arg[a])
            u->insn[u->insn[part].arg[a]].uses--;
    ir_remove(u, 0, part);
}

static void fold_sum(IrUnit *u, IrRef r)
{
    const IrInsn *i = &u->insn[r];
    IrRef x;
    uint32_t by;
    int64_t disp;
    if (is_const(u, i->arg[1])) {
        IrRef part = i->arg[0], c = i->arg[1];
        int64_t more = i->type == IR_I32 ? (int32_t)u->insn[c].imm : u->insn[c].imm;
        if (u->insn[part].op != IR_shl || more != (int32_t)more ||
            !take_apart(u, part, &x, &by, &disp))
            return;
        replace(u, r, IR_NONE, part, x, by, more);
        u->insn[c].uses--;
        return;
    }
    for (unsigned n = 2; n-- > 0;)
        if (take_apart(u, i->arg[n], &x, &by, &disp)) {
            replace(u, r, i->arg[!n], i->arg[n], x, by, disp);
            return;
        }
}

void opt_index(IrUnit *u)
{
    opt_count_uses(u);
    for (uint32_t b = 0; b < u->n_blocks; b++)
        for (IrRef r = u->block[b].first; r; r = u->insn[r].next)
            if (u->insn[r].op == IR_add)
                fold_sum(u, r);
}
