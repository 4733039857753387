/* data plane */
/*
 * Guest variables become values. One walk over each block: a `get` whose variable's value is known
 * is replaced by it, a `put` makes its value known; every other instruction gets final arguments
 * and goes through opt_fold(). Knowledge is dropped at block starts (a block reached only from the
 * one before it keeps it) and by helper calls that write variables.
 *
 * Also removes a put of the value that its variable already has, and side exits whose condition
 * folded to false; and tells of units of one block, how often values are used and whether
 * constants are stored.
 */
#include <string.h>

#include "translator/guest/isa.h"
#include "translator/opt/alias.h"
#include "translator/opt/opt.h"

typedef struct Forward {
    IrUnit *u;
    OptAlias alias;
    IrRef *known;   /* per variable */
} Forward;

/* What has been made before r, if r was behind `before`, and r itself have final arguments now. */
static void count_uses(IrUnit *u, IrRef before, IrRef r)
{
    IrRef end = u->insn[r].next;
    for (IrRef k = before ? u->insn[before].next : u->block[0].first; k != end;
         k = u->insn[k].next) {
        const IrInsn *i = &u->insn[k];
        u->insn[k].uses = 0; /* they all come behind it */
        for (unsigned a = 0; a < ir_op_info[i->op].n_args; a++)
            if (i->arg[a])
                u->insn[i->arg[a]].uses++;
    }
}

static void forward_insn(Forward *f, uint32_t block, IrRef r)
{
    IrUnit *u = f->u;
    IrInsn *i = &u->insn[r];
    unsigned value;
    if (i->op != IR_phi)
        opt_resolve_args(&f->alias, r);
    switch (i->op) {
    case IR_get:
        if (f->known[i->imm]) {
            opt_set_alias(&f->alias, r, f->known[i->imm]);
            ir_remove(u, block, r);
        } else {
            f->known[i->imm] = r;
        }
        return;
    case IR_put:
        if (f->known[i->imm] == i->arg[0])
            ir_remove(u, block, r);
        else
            f->known[i->imm] = i->arg[0];
        return;
    case IR_call:
        if (u->isa->helpers[i->imm].flags & IR_HELPER_WRITES_VARS)
            memset(f->known, 0, u->isa->n_vars * sizeof *f->known);
        return;
    case IR_exit_if: case IR_trap_if:
        if (u->insn[i->arg[0]].op == IR_const && !u->insn[i->arg[0]].imm)
            ir_remove(u, block, r);
        return;
    case IR_nop: case IR_phi: case IR_load:
        return;
    case IR_store:
        value = u->insn[i->arg[2]].op;
        u->plain_stores &= value != IR_const && value != IR_codeaddr;
        break;
    default:
        break;
    }
    IrRef to = opt_fold(u, block, r);
    if (to != r) {
        opt_set_alias(&f->alias, r, to);
        if (ir_op_info[u->insn[r].op].flags & IR_OPF_P)
            ir_remove(u, block, r);
    }
}

/* A phi may use values that were replaced after it was visited. */
static void finish_phis(Forward *f)
{
    IrUnit *u = f->u;
    for (uint32_t b = 0; b < u->n_blocks; b++)
        for (IrRef r = u->block[b].first; r; r = u->insn[r].next)
            if (u->insn[r].op == IR_phi)
                opt_resolve_args(&f->alias, r);
}

void opt_forward(IrUnit *u)
{
    bool one = u->n_blocks == 1;
    u->uses_known = u->plain_stores = one;
    Forward f = { .u = u, .alias = opt_alias_new(u) };
    f.known = arena_alloc(u->arena, u->isa->n_vars * sizeof *f.known);
    for (uint32_t b = 0; b < u->n_blocks; b++) {
        bool falls_in = b > 0 && u->block[b].n_pred == 1 &&
                        (u->block[b - 1].succ[0] == b + 1 || u->block[b - 1].succ[1] == b + 1);
        if (!falls_in)
            memset(f.known, 0, u->isa->n_vars * sizeof *f.known);
        for (IrRef r = u->block[b].first, next; r; r = next) {
            IrRef before = u->insn[r].prev;
            next = u->insn[r].next;
            if (u->insn[r].op == IR_insn || u->insn[r].op == IR_const) { /* half of all */
                u->insn[r].uses = 0;
                continue;
            }
            forward_insn(&f, b, r);
            if (one)
                count_uses(u, before, r);
        }
    }
    if (u->n_blocks > 1)
        finish_phis(&f);
}
