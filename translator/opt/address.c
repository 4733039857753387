/* data plane */
/*
 * Address arithmetic goes into memory operations: constant offsets into imm, and a sum or a shifted
 * index that nothing else uses into the second argument. Sums with other uses stay: they are
 * computed anyway, and folding them would keep both their operands alive.
 *
 * What goes round a loop and is counted up there by a constant is wanted no more, once it has been:
 * accesses behind that take the new value. Else both would need a register, and a move.
 */
#include "translator/guest/isa.h"
#include "translator/ir/arena.h"
#include "translator/opt/opt.h"

static bool displacement_ok(int64_t disp)
{
    return disp == (int32_t)disp;
}

/* Takes constants off a value: v = base + disp. Not where step[v] tells that v is the new value of
 * the variable that had base: then it is in that one's register, and base wanted no more. */
static IrRef strip_constant(const IrUnit *u, const uint8_t *step, IrRef v, int64_t *disp)
{
    for (;;) {
        const IrInsn *i = &u->insn[v];
        if (i->op != IR_add || u->insn[i->arg[1]].op != IR_const || (step && step[v]))
            return v;
        int64_t sum = (int64_t)((uint64_t)*disp + (uint64_t)u->insn[i->arg[1]].imm);
        if (!displacement_ok(sum))
            return v;
        *disp = sum;
        v = i->arg[0];
    }
}

/* An index that is a small shift of a value: the value, with the shift in the operation. */
static IrRef take_scale(const IrUnit *u, IrInsn *m, IrRef index)
{
    const IrInsn *x = &u->insn[index];
    if (x->op == IR_shl && u->insn[x->arg[1]].op == IR_const && x->uses == 1) {
        uint64_t by = (uint64_t)u->insn[x->arg[1]].imm;
        if (by <= 3 && !(m->attr & IR_MEM_SCALE)) {
            m->attr |= (uint32_t)by << IR_MEM_SCALE_SHIFT;
            return x->arg[0];
        }
    }
    return index;
}

/* Counts of uses change at the end only: what the rules ask is whether a value had one use at
 * first, be it the operation itself or a sum on the way to it. */
static void fold_address(IrUnit *u, const uint8_t *step, IrRef r)
{
    IrInsn *m = &u->insn[r];
    int64_t disp = m->imm;
    IrRef base = strip_constant(u, step, m->arg[0], &disp), index = m->arg[1];
    const IrInsn *sum = &u->insn[base];
    if (!index && sum->op == IR_add && sum->uses == 1) {
        bool swap = u->insn[sum->arg[0]].op == IR_shl; /* the shifted one is the index */
        base = sum->arg[swap];
        index = take_scale(u, m, sum->arg[!swap]);
        base = strip_constant(u, step, base, &disp);
        u->insn[index].uses++;
        m->arg[1] = index;
    }
    m->imm = disp;
    u->insn[m->arg[0]].uses--;
    u->insn[base].uses++;
    m->arg[0] = base;
}

/* Is r a loop's variable, a phi, and a constant, for the next time round? */
static bool counts_up(const IrUnit *u, IrRef r)
{
    const IrInsn *i = &u->insn[r];
    if (i->op != IR_add || u->insn[i->arg[0]].op != IR_phi || u->insn[i->arg[1]].op != IR_const)
        return false;
    unsigned n;
    const IrRef *arg = ir_args(u, i->arg[0], &n);
    for (unsigned k = 0; k < n; k++)
        if (arg[k] == r)
            return true;
    return false;
}

static void take_counted(IrUnit *u, IrRef r, const IrRef *counted)
{
    IrInsn *m = &u->insn[r];
    for (unsigned a = 0; a < 2; a++) {
        IrRef new = m->arg[a] ? counted[m->arg[a]] : 0;
        if (!new)
            continue;
        uint64_t by = (uint64_t)u->insn[u->insn[new].arg[1]].imm;
        if (a == 1)
            by <<= (m->attr & IR_MEM_SCALE) >> IR_MEM_SCALE_SHIFT;
        int64_t disp = (int64_t)((uint64_t)m->imm - by);
        if (!displacement_ok(disp))
            continue;
        u->insn[m->arg[a]].uses--;
        u->insn[new].uses++;
        m->arg[a] = new;
        m->imm = disp;
    }
}

static bool is_access(const IrInsn *i)
{
    return i->op == IR_load || i->op == IR_store || i->op == IR_prefetch;
}

/* A baseline unit: what is put and was its variable's value plus a constant is such a step. */
static void fold_unit(IrUnit *u)
{
    IrRef *bound = arena_alloc(u->arena, u->isa->n_vars * sizeof *bound);
    uint8_t *step = arena_alloc(u->arena, u->n_insns);
    for (IrRef r = u->block[0].first; r; r = u->insn[r].next) {
        const IrInsn *i = &u->insn[r];
        if (is_access(i)) {
            fold_address(u, step, r);
        } else if (i->op == IR_get) {
            bound[i->imm] = r;
        } else if (i->op == IR_put) {
            const IrInsn *v = &u->insn[i->arg[0]];
            step[i->arg[0]] = v->op == IR_add && u->insn[v->arg[1]].op == IR_const &&
                              bound[i->imm] == v->arg[0];
            bound[i->imm] = i->arg[0];
        }
    }
}

void opt_address(IrUnit *u)
{
    opt_count_uses(u);
    if (u->n_blocks == 1) {
        fold_unit(u);
        return;
    }
    IrRef *counted = arena_alloc(u->arena, u->n_insns * sizeof *counted); /* of phis */
    for (uint32_t b = 0; b < u->n_blocks; b++) {
        for (IrRef r = u->block[b].first; r; r = u->insn[r].next) {
            if (is_access(&u->insn[r])) {
                fold_address(u, NULL, r);
                take_counted(u, r, counted);
            } else if (counts_up(u, r)) {
                counted[u->insn[r].arg[0]] = r;
            }
        }
        for (IrRef r = u->block[b].first; r; r = u->insn[r].next)
            if (counts_up(u, r))
                counted[u->insn[r].arg[0]] = 0;
    }
}
