/* data plane */
/*
 * Dead code in a unit of many blocks: puts that are overwritten on every path before anything
 * observes them (vars.h), then every operation without effect whose value leads to no effect,
 * cycles of phis among them.
 */
#include "translator/ir/arena.h"
#include "translator/opt/opt.h"
#include "translator/opt/vars.h"

static void drop_dead_puts(IrUnit *u)
{
    const VarLive *l = opt_var_live_new(u, opt_cfg_new(u));
    for (uint32_t b = 0; b < u->n_blocks; b++) {
        VarSet live = opt_var_live_out(u, l, b);
        for (IrRef r = u->block[b].last, prev; r; r = prev) {
            const IrInsn *i = &u->insn[r];
            prev = i->prev;
            if (i->op == IR_put && !varset_has(&live, (unsigned)i->imm))
                ir_remove(u, b, r);
            else
                opt_var_live_step(u, l, i, &live);
        }
    }
}

typedef struct Marks {
    IrUnit *u;
    IrRef *work;
    uint32_t n_work;
} Marks;

static void mark_args(Marks *m, IrRef r)
{
    unsigned n;
    const IrRef *arg = ir_args(m->u, r, &n);
    for (unsigned k = 0; k < n; k++)
        if (arg[k] && !m->u->insn[arg[k]].mark) {
            m->u->insn[arg[k]].mark = 1;
            m->work[m->n_work++] = arg[k];
        }
}

void opt_dce_region(IrUnit *u)
{
    Marks m = { u, arena_alloc_raw(u->arena, u->n_insns * sizeof *m.work), 0 };
    drop_dead_puts(u);
    for (uint32_t r = 0; r < u->n_insns; r++)
        u->insn[r].mark = 0;
    for (uint32_t b = 0; b < u->n_blocks; b++)
        for (IrRef r = u->block[b].first; r; r = u->insn[r].next)
            if (!opt_removable(u, &u->insn[r]))
                mark_args(&m, r);
    while (m.n_work)
        mark_args(&m, m.work[--m.n_work]);
    for (uint32_t b = 0; b < u->n_blocks; b++)
        for (IrRef r = u->block[b].first, next; r; r = next) {
            next = u->insn[r].next;
            if (u->insn[r].op == IR_nop || (!u->insn[r].mark && opt_removable(u, &u->insn[r])))
                ir_remove(u, b, r);
            else
                u->insn[r].mark = 0;
        }
    u->uses_known = false;
}
