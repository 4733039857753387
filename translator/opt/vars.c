/* data plane */
/* See vars.h. Backward data flow over bit sets, until nothing changes. */
#include "translator/opt/vars.h"

#include "translator/guest/isa.h"
#include "translator/ir/arena.h"

static void add_all(VarSet *to, const VarSet *from)
{
    for (unsigned w = 0; w < VARS_WORDS; w++)
        to->bits[w] |= from->bits[w];
}

static void observe(const VarLive *l, VarSet *live, bool lazy_too)
{
    if (l->reads_only)
        return;
    for (unsigned w = 0; w < VARS_WORDS; w++)
        live->bits[w] |= lazy_too ? l->all.bits[w] : l->all.bits[w] & ~l->lazy.bits[w];
}

static bool exits(const IrInsn *i)
{
    return i->op == IR_exit_if || i->op == IR_exit_jump || i->op == IR_exit_call ||
           i->op == IR_poll || i->op == IR_gcall;
}

static bool overwrites(const IrInsn *i) { return i->op == IR_put && i->cc != IR_PUT_JOIN; }

void opt_var_live_step(const IrUnit *u, const VarLive *l, const IrInsn *i, VarSet *live)
{
    unsigned flags = ir_op_info[i->op].flags;
    if (ir_is_gcall(i->op))
        *live = (VarSet){ { 0 } }; /* behind it they are the callee's */
    if (flags & IR_OPF_E) {
        observe(l, live, !(exits(i) && i->attr & IR_EXIT_LAZY_DEAD));
    } else if (flags & IR_OPF_M) {
        observe(l, live, false);
    } else if (overwrites(i)) {
        varset_drop(live, (unsigned)i->imm);
    } else if (i->op == IR_get) {
        varset_add(live, (unsigned)i->imm);
    } else if (i->op == IR_call) {
        unsigned helper = u->isa->helpers[i->imm].flags;
        if (helper & (IR_HELPER_READS_VARS | IR_HELPER_WRITES_VARS))
            add_all(live, &l->all);
        else if (helper & IR_HELPER_FAULTS)
            observe(l, live, true);
    }
}

VarSet opt_var_live_out(const IrUnit *u, const VarLive *l, uint32_t block)
{
    VarSet live = { 0 };
    for (int s = 0; s < 2; s++)
        if (u->block[block].succ[s])
            add_all(&live, &l->in[u->block[block].succ[s] - 1]);
    return live;
}

/* in = exposed | (out & ~written), so that the iteration needn't walk instructions. */
typedef struct Summary { VarSet exposed, kept; } Summary;

static Summary summarize(const IrUnit *u, const VarLive *l, uint32_t block)
{
    Summary s = { { { 0 } }, l->all };
    for (IrRef r = u->block[block].last; r; r = u->insn[r].prev) {
        const IrInsn *i = &u->insn[r];
        opt_var_live_step(u, l, i, &s.exposed);
        if (overwrites(i))
            varset_drop(&s.kept, (unsigned)i->imm);
        else if (ir_is_gcall(i->op))
            s.kept = (VarSet){ { 0 } };
    }
    return s;
}

static VarLive *live_new(IrUnit *u, const Cfg *c, bool reads_only)
{
    VarLive *l = arena_alloc(u->arena, sizeof *l);
    l->reads_only = reads_only;
    l->in = arena_alloc(u->arena, u->n_blocks * sizeof *l->in);
    for (unsigned v = 0; v < u->isa->n_vars; v++) {
        if (!(u->isa->vars[v].flags & IR_VAR_PC))
            varset_add(&l->all, v);
        if (u->isa->vars[v].flags & IR_VAR_LAZY)
            varset_add(&l->lazy, v);
    }
    Summary *sum = arena_alloc_raw(u->arena, u->n_blocks * sizeof *sum);
    for (uint32_t b = 0; b < u->n_blocks; b++)
        sum[b] = summarize(u, l, b);
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t k = c->n_rpo; k-- > 0;) {
            uint32_t b = c->rpo[k];
            VarSet live = opt_var_live_out(u, l, b);
            for (unsigned w = 0; w < VARS_WORDS; w++) {
                live.bits[w] = sum[b].exposed.bits[w] | (live.bits[w] & sum[b].kept.bits[w]);
                changed |= live.bits[w] != l->in[b].bits[w];
            }
            l->in[b] = live;
        }
    }
    return l;
}

VarLive *opt_var_live_new(IrUnit *u, const Cfg *c) { return live_new(u, c, false); }

VarLive *opt_var_read_new(IrUnit *u, const Cfg *c) { return live_new(u, c, true); }
