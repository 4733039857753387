/* data plane */
/*
 * Address arithmetic goes into memory operations: constant offsets into imm, and a sum or a shifted
 * index that nothing else uses into the second argument. Sums with other uses stay: they are
 * computed anyway, and folding them would keep both their operands alive.
 */
#include "translator/opt/opt.h"

static bool displacement_ok(int64_t disp)
{
    return disp == (int32_t)disp;
}

/* Takes constants off a value: v = base + disp. */
static IrRef strip_constant(const IrUnit *u, IrRef v, int64_t *disp)
{
    for (;;) {
        const IrInsn *i = &u->insn[v];
        if (i->op != IR_add || u->insn[i->arg[1]].op != IR_const)
            return v;
        int64_t sum = (int64_t)((uint64_t)*disp + (uint64_t)u->insn[i->arg[1]].imm);
        if (!displacement_ok(sum))
            return v;
        *disp = sum;
        v = i->arg[0];
    }
}

static void take_scale(const IrUnit *u, IrInsn *m)
{
    const IrInsn *x = &u->insn[m->arg[1]];
    if (x->op == IR_shl && u->insn[x->arg[1]].op == IR_const && x->uses == 1) {
        uint64_t by = (uint64_t)u->insn[x->arg[1]].imm;
        if (by <= 3 && !(m->attr & IR_MEM_SCALE)) {
            m->attr |= (uint32_t)by << IR_MEM_SCALE_SHIFT;
            m->arg[1] = x->arg[0];
        }
    }
}

static void fold_address(IrUnit *u, IrRef r)
{
    IrInsn *m = &u->insn[r];
    int64_t disp = m->imm;
    m->arg[0] = strip_constant(u, m->arg[0], &disp);
    m->imm = disp;
    if (m->arg[1])
        return;
    const IrInsn *sum = &u->insn[m->arg[0]];
    if (sum->op == IR_add && sum->uses == 1) {
        IrRef x = sum->arg[0], y = sum->arg[1];
        if (u->insn[x].op == IR_shl) { /* the shifted one is the index */
            IrRef t = x;
            x = y;
            y = t;
        }
        m->arg[0] = x;
        m->arg[1] = y;
        take_scale(u, m);
        m->arg[0] = strip_constant(u, m->arg[0], &disp);
        m->imm = disp;
    }
}

void opt_address(IrUnit *u)
{
    opt_count_uses(u);
    for (uint32_t b = 0; b < u->n_blocks; b++)
        for (IrRef r = u->block[b].first; r; r = u->insn[r].next)
            if (u->insn[r].op == IR_load || u->insn[r].op == IR_store ||
                u->insn[r].op == IR_prefetch)
                fold_address(u, r);
}
