/* data plane */
/*
 * Polls that needn't show flags. Behind one the guest goes on where its block is, so flags that all
 * ways from there overwrite unread are dead at it. The lifter tells only what a look at the code
 * ahead does (IR_EXIT_LAZY_DEAD), which ends at a return and after some instructions; here the
 * region's own blocks are known. Otherwise such loops would save their flags on each turn.
 *
 * Who reads is asked before SSA construction, which turns reads into uses of values and lets value
 * numbering do without some. Who observes, exits, is asked behind value numbering, which knows that
 * inlined callees return. What joins of paths put into a variable there is what it has
 * (IR_PUT_JOIN): that overwrites nothing.
 */
#include "translator/opt/cfg.h"
#include "translator/opt/opt.h"
#include "translator/opt/vars.h"

static bool any_lazy(const VarLive *l, const VarSet *live)
{
    uint64_t any = 0;
    for (unsigned w = 0; w < VARS_WORDS; w++)
        any |= live->bits[w] & l->lazy.bits[w];
    return any;
}

void opt_reads(IrUnit *u)
{
    if (!opt_has_lazy(u))
        return;
    const VarLive *l = opt_var_read_new(u, opt_cfg_new(u));
    for (uint32_t b = 0; b < u->n_blocks; b++) {
        VarSet live = opt_var_live_out(u, l, b);
        for (IrRef r = u->block[b].last; r; r = u->insn[r].prev) {
            IrInsn *i = &u->insn[r];
            if (i->op == IR_poll && any_lazy(l, &live))
                i->attr |= IR_EXIT_LAZY_READ;
            opt_var_live_step(u, l, i, &live);
        }
    }
}

/* As if no poll showed them: then they are live where they are read, or shown by another exit. */
static bool assume_dead(IrUnit *u)
{
    bool any = false;
    for (uint32_t b = 0; b < u->n_blocks; b++)
        for (IrRef r = u->block[b].first; r; r = u->insn[r].next) {
            IrInsn *i = &u->insn[r];
            i->mark = i->op == IR_poll && !(i->attr & (IR_EXIT_LAZY_DEAD | IR_EXIT_LAZY_READ)) &&
                      (GuestAddr)i->imm == u->block[b].pc;
            i->attr |= i->mark ? IR_EXIT_LAZY_DEAD : 0;
            any |= i->mark;
        }
    return any;
}

/* Polls behind which flags are live show them, all of them, and so make more live before. */
static bool show_live(IrUnit *u, const VarLive *l)
{
    bool changed = false;
    for (uint32_t b = 0; b < u->n_blocks; b++) {
        VarSet live = opt_var_live_out(u, l, b);
        for (IrRef r = u->block[b].last; r; r = u->insn[r].prev) {
            IrInsn *i = &u->insn[r];
            if (i->mark && any_lazy(l, &live)) {
                i->attr &= ~IR_EXIT_LAZY_DEAD;
                i->mark = 0;
                changed = true;
            }
            opt_var_live_step(u, l, i, &live);
        }
    }
    return changed;
}

void opt_unread(IrUnit *u)
{
    if (!opt_has_lazy(u))
        return;
    if (assume_dead(u)) {
        const Cfg *c = opt_cfg_new(u);
        while (show_live(u, opt_var_live_new(u, c)))
            ;
    }
    for (uint32_t r = 0; r < u->n_insns; r++) {
        u->insn[r].mark = 0;
        if (u->insn[r].op == IR_poll)
            u->insn[r].attr &= ~IR_EXIT_LAZY_READ;
        if (u->insn[r].op == IR_put)
            u->insn[r].cc = 0;
    }
}
