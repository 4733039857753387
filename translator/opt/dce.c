/* data plane */
/*
 * Removes puts that are overwritten before anything can observe them, and operations without
 * effect whose value nothing uses. One backward walk over each block. What counts as an observer of
 * a variable is ir.h's rule 2; lazy variables (flags) are not observed by faults.
 */
#include "translator/opt/opt.h"

#include "translator/guest/isa.h"
#include "translator/ir/arena.h"

/* Floating-point operations add to the sticky flags even when their value is unused. */
static bool raises_flags(IrOp op)
{
    switch (op) {
    case IR_fabs: case IR_fneg: case IR_f2bits: case IR_bits2f: case IR_fbox: case IR_funbox:
    case IR_vfabs: case IR_vfneg:
        return false;
    default:
        return (op >= IR_fadd && op <= IR_flfcmp) || (op >= IR_vfadd && op <= IR_vfcvtn);
    }
}

bool opt_removable(const IrUnit *u, const IrInsn *i)
{
    if (i->op == IR_get || i->op == IR_phi)
        return true;
    if (i->op == IR_call)
        return u->isa->helpers[i->imm].flags & IR_HELPER_PURE;
    return ir_op_info[i->op].flags & IR_OPF_P && !raises_flags(i->op);
}

void opt_count_uses(IrUnit *u)
{
    if (u->uses_known)
        return;
    u->uses_known = true;
    for (uint32_t r = 0; r < u->n_insns; r++)
        u->insn[r].uses = 0;
    for (uint32_t b = 0; b < u->n_blocks; b++)
        for (IrRef r = u->block[b].first; r; r = u->insn[r].next) {
            unsigned n;
            const IrRef *arg = ir_args(u, r, &n);
            for (unsigned a = 0; a < n; a++)
                if (arg[a])
                    u->insn[arg[a]].uses++;
        }
}

static void remove_unused(IrUnit *u, uint32_t block, IrRef r)
{
    unsigned n;
    const IrRef *arg = ir_args(u, r, &n);
    for (unsigned a = 0; a < n; a++)
        if (arg[a])
            u->insn[arg[a]].uses--;
    ir_remove(u, block, r);
}

/* A variable is dead (overwritten later, unobserved until then) while its mark is the epoch of its
 * kind: one step of the epoch makes all of a kind alive. */
typedef struct Dead {
    uint32_t *mark;
    uint32_t epoch[2]; /* of lazy variables: [1] */
    const IrUnit *u;
} Dead;

static unsigned kind_of(const Dead *d, unsigned var)
{
    return d->u->isa->vars[var].flags & IR_VAR_LAZY ? 1 : 0;
}

static bool is_dead(const Dead *d, unsigned var)
{
    return d->mark[var] == d->epoch[kind_of(d, var)];
}

static void observe(Dead *d, bool lazy_too)
{
    d->epoch[0]++;
    d->epoch[1] += lazy_too;
}

/* Nobody sees the lazy variables behind this. */
static void kill_lazy(Dead *d)
{
    const GuestIsa *isa = d->u->isa;
    for (unsigned v = 0; v < isa->n_vars; v++)
        if (isa->vars[v].flags & IR_VAR_LAZY)
            d->mark[v] = d->epoch[1];
}

static void observers(Dead *d, const IrInsn *i)
{
    unsigned flags = ir_op_info[i->op].flags;
    bool lazy_dead = (i->op == IR_exit_if || i->op == IR_exit_jump || i->op == IR_exit_call)
                     && i->attr & IR_EXIT_LAZY_DEAD;
    if (lazy_dead && ir_op_info[i->op].flags & IR_OPF_Z)
        kill_lazy(d);
    if (flags & IR_OPF_E)
        observe(d, !lazy_dead);
    else if (flags & IR_OPF_M)
        observe(d, false);
    else if (i->op == IR_call &&
             d->u->isa->helpers[i->imm].flags &
                 (IR_HELPER_READS_VARS | IR_HELPER_WRITES_VARS | IR_HELPER_FAULTS))
        observe(d, true);
    else if (i->op == IR_get)
        d->mark[i->imm] = 0;
}

void opt_dce(IrUnit *u)
{
    opt_count_uses(u);
    Dead d = { arena_alloc(u->arena, u->isa->n_vars * sizeof *d.mark), { 1, 1 }, u };
    for (uint32_t b = u->n_blocks; b-- > 0;) {
        observe(&d, true);
        for (IrRef r = u->block[b].last, prev; r; r = prev) {
            IrInsn *i = &u->insn[r];
            prev = i->prev;
            if (i->op == IR_put && is_dead(&d, (unsigned)i->imm)) {
                remove_unused(u, b, r);
                continue;
            }
            if (i->op == IR_put) {
                d.mark[i->imm] = d.epoch[kind_of(&d, (unsigned)i->imm)];
                continue;
            }
            if (i->op == IR_nop || (!i->uses && opt_removable(u, i)))
                remove_unused(u, b, r);
            else
                observers(&d, i);
        }
    }
}
