/* data plane */
/* What the forward allocator knows before its walk: which values the variables have where, who uses
 * them and how long anybody can see them. */
#include "translator/regalloc/region.h"

#include <assert.h>
#include <string.h>

#include "translator/guest/isa.h"
#include "translator/ir/arena.h"

void ra_homes(const RaTarget *target, const IrVar *vars, unsigned n_vars, Reg *ret_home)
{
    for (unsigned v = 0; v < n_vars; v++) {
        int rank = vars[v].home;
        ret_home[v] = REG_NONE;
        if (rank < 0)
            continue;
        if (vars[v].type == IR_I64 && (unsigned)rank < target->n_gpr_homes)
            ret_home[v] = target->gpr_home[rank];
        else if ((vars[v].type == IR_V128 || vars[v].type == IR_F64) &&
                 (unsigned)rank < target->n_xmm_homes)
            ret_home[v] = target->xmm_home[rank];
    }
}

/* -- preparation ------------------------------------------------------------------------------- */

bool ra_prepare_writes_vars(const Ra *ra, const IrInsn *i)
{
    return ir_is_gcall(i->op) ||
           (i->op == IR_call && ra->unit->isa->helpers[i->imm].flags & IR_HELPER_WRITES_VARS);
}

bool ra_prepare_observes(const Ra *ra, const IrInsn *i)
{
    if (ir_op_info[i->op].flags & (IR_OPF_M | IR_OPF_E))
        return true;
    return i->op == IR_call &&
           ra->unit->isa->helpers[i->imm].flags &
               (IR_HELPER_READS_VARS | IR_HELPER_WRITES_VARS | IR_HELPER_FAULTS);
}

static void add_use(Ra *ra, uint32_t value, uint32_t pos)
{
    RaValue *v = &ra->value[value];
    if (ra->n_uses + 1 >= ra->cap_uses)
        ra->uses = arena_grow(ra->unit->arena, ra->uses, sizeof *ra->uses, ra->n_uses + 1,
                              &ra->cap_uses, ra->n_uses + 2);
    uint32_t u = ++ra->n_uses;
    ra->uses[u] = (RaUse) { pos, 0 };
    if (v->last_use)
        ra->uses[v->last_use].next = u;
    else
        v->use = u;
    v->last_use = u;
}

/* The values of the variables behind a call that writes them. */
void ra_prepare_set(Ra *ra, uint32_t base)
{
    memcpy(&ra->value[base], ra->target->entry.value, ra->n_vars * sizeof *ra->value);
    for (unsigned v = 0; v < ra->n_vars; v++) {
        RaValue *x = &ra->value[base + v];
        x->reg = REG_NONE;
        x->mem = RA_MEM_NONE;
        x->n_vars = 0;
        ra->binding[v] = base + v;
    }
    memset(ra->form, 0, ra->n_vars);
}

void ra_entry_init(RaTarget *target, const IrVar *vars, unsigned n_vars)
{
    RaEntry *e = &target->entry;
    for (unsigned v = 0; v < n_vars; v++) {
        Reg home = target->home[v];
        e->value[v] = (RaValue) { .type = vars[v].type, .reg = home, .hint = REG_NONE,
                                  .mem = home == REG_NONE ? (int)(RA_MEM_VAR | v) : RA_MEM_NONE,
                                  .n_vars = 1, .observed = UINT32_MAX };
        if (home != REG_NONE) {
            e->homes |= 1u << home;
            e->var_at[home] = v;
        }
        e->in_state[v] = home == REG_NONE ? UINT32_MAX : 0;
        if (vars[v].flags & IR_VAR_LAZY)
            e->lazy[v / 64] |= 1ull << v % 64;
    }
}

/* Each variable has its value at entry. Four at once, as every unit does this; the tables are
 * longer than the variables are many. */
typedef uint32_t Four __attribute__((vector_size(16), aligned(4), may_alias));

static void bind_entries(Ra *ra, uint32_t base)
{
    Four value = { base, base + 1, base + 2, base + 3 };
    for (unsigned v = 0; v < ra->n_vars; v += 4, value += 4)
        *(Four *)&ra->binding[v] = value;
    memset(ra->form, 0, ra->n_vars);
}

/* The state at entry, which is where the canonical values are. */
static void entry_state(Ra *ra)
{
    const RaEntry *e = &ra->target->entry;
    uint32_t base = ra->unit->n_insns;
    memcpy(&ra->value[base], e->value, ra->n_vars * sizeof *ra->value);
    bind_entries(ra, base);
    for (unsigned v = 0; v < ra->n_vars; v += 4)
        *(Four *)&ra->state_holds[v] = *(Four *)&ra->binding[v] & *(const Four *)&e->in_state[v];
    ra->homes = e->homes;
    for (uint32_t m = e->homes; m; m &= m - 1) {
        unsigned r = __builtin_ctz(m);
        ra->owner[r] = base + e->var_at[r];
    }
}

/* The variable gets another value: who could see the old one until now? A fault doesn't count for
 * lazy variables (ir.h rule 2). Values at entry count as seen by the end until their own variable
 * changes, so that those that never do cost nothing; those that another variable has had, too, as
 * seen by all until now. */
static void unbind(Ra *ra, unsigned var, uint32_t last_observed, uint32_t last_exit)
{
    RaValue *old = &ra->value[ra->binding[var]];
    if (!(ra->changed[var / 64] >> var % 64 & 1)) {
        ra->changed[var / 64] |= 1ull << var % 64;
        old->observed = old->put ? last_observed : 0;
    }
    uint32_t seen = ra->vars[var].flags & IR_VAR_LAZY ? last_exit : last_observed;
    if (old->observed < seen)
        old->observed = seen;
}

/* The scalar that becomes p's lane 0 wants p's register from the start. */
static void hint_scalar(Ra *ra, const RaValue *p, uint32_t last_observed)
{
    RaValue *s = &ra->value[ra->alias[ra->unit->insn[p->insn].arg[0]]];
    bool scalar = s->type == IR_F32 || s->type == IR_F64;
    if (!s->insn || !scalar || s->hint != REG_NONE || p->hint == REG_NONE)
        return;
    s->hint = p->hint;
    s->hint_var = p->hint_var;
    s->hint_legal = last_observed <= s->def_pos;
}

/* In a region equal constants are one value: it can be made anywhere, and stays in its register
 * from block to block. */
static uint32_t same_constant(Ra *ra, IrRef r)
{
    const IrInsn *i = &ra->unit->insn[r];
    uint64_t h = ((uint64_t)i->imm ^ (uint64_t)i->type << 56 ^ (uint64_t)i->op << 48) *
                 0x9e3779b97f4a7c15ull;
    RaRegion *rg = ra->region;
    for (unsigned n = h >> 54;; n++) {
        uint32_t *slot = &rg->constant[n % RA_CONSTANTS];
        const IrInsn *o = &ra->unit->insn[*slot];
        if (!*slot) {
            if (rg->n_constants >= RA_CONSTANTS / 2)
                return r; /* full: only the first ones are shared */
            rg->n_constants++;
            return *slot = r;
        }
        if (o->op == i->op && o->type == i->type && o->imm == i->imm)
            return *slot;
    }
}

static bool jumps_far(const IrInsn *i)
{
    return i->op == IR_exit_ind || i->op == IR_exit_callind || i->op == IR_gcallind;
}

void ra_prepare_end(Ra *ra, uint32_t block)
{
    IrRef last = ra->unit->block[block].last;
    ra->avoided = last && jumps_far(&ra->unit->insn[last]) ? 1u << ra->target->jump_reg : 0;
}

/* The walk that ra_begin() repeats, over one block: binds variables to values and notes uses and
 * hints. */
static inline __attribute__((always_inline)) void
walk_block(Ra *ra, uint32_t block, RaWalk *walk, const IrRef *pair, bool region)
{
    IrUnit *u = ra->unit;
    uint32_t pos = walk->pos, last_observed = walk->last_observed, last_exit = walk->last_exit;
    for (IrRef r = u->block[block].first; r; r = u->insn[r].next) {
        IrInsn *i = &u->insn[r];
        RaValue *v = &ra->value[r];
        pos++;
        if (!region && i->op == IR_insn) { /* a fourth of all */
            ra->alias[r] = IR_NONE;        /* there is no value */
            continue;
        }
        *v = (RaValue) { .insn = r, .type = i->type, .reg = REG_NONE, .hint = REG_NONE,
                         .mem = RA_MEM_NONE, .def_pos = pos };
        ra->alias[r] = r;
        if (i->mark)
            v->def_pos = ra->value[pair[r]].def_pos;
        if (i->op == IR_get) {
            ra->alias[r] = ra->binding[i->imm];
            continue;
        }
        /* Lane 0 of a vector is its register, unless a variable could come to hold it as a scalar.
         */
        bool lane0 = i->op == IR_vtos && !i->imm && !ra->target->scalar_vars;
        if (i->op == IR_copy || i->op == IR_trunc || lane0) {
            ra->alias[r] = ra->alias[i->arg[0]];
            continue;
        }
        if (i->op == IR_zext) {
            uint32_t a = ra->alias[i->arg[0]];
            if (ra->value[a].insn && ir_zero_extends(&u->insn[a])) {
                ra->alias[r] = a;
                continue;
            }
        }
        v->constant = i->op == IR_const || i->op == IR_codeaddr || i->op == IR_vconst;
        if (region && v->constant)
            ra->alias[r] = same_constant(ra, r);
        if (ra_prepare_observes(ra, i)) {
            last_observed = pos;
            if (!(ir_op_info[i->op].flags & IR_OPF_M) && !ra_lazy_dead(i))
                last_exit = pos;
        }
        if (i->op == IR_put) {
            uint32_t value = ra->alias[i->arg[0]];
            RaValue *p = &ra->value[value];
            p->put = true;
            if (ra->binding[i->imm] == value && ra->form[i->imm] == i->attr) {
                if (region) /* it may have been dead as the variable's until now */
                    add_use(ra, value, pos);
                continue;
            }
            unbind(ra, i->imm, last_observed, last_exit);
            ra->binding[i->imm] = value;
            ra->form[i->imm] = (uint8_t)i->attr;
            add_use(ra, value, pos);
            if (p->insn && p->hint == REG_NONE &&
                (ra->home[i->imm] != REG_NONE || !p->has_var)) {
                p->has_var = true;
                p->hint = ra->home[i->imm];
                p->hint_var = i->imm;
                p->hint_observed = last_observed < UINT16_MAX ? last_observed : UINT16_MAX;
                p->hint_legal = last_observed <= p->def_pos;
                if (u->insn[p->insn].op == IR_vfroms)
                    hint_scalar(ra, p, last_observed);
            }
            continue;
        }
        if (!i->mark)
            for (unsigned a = 0; a < ir_op_info[i->op].n_args; a++)
                if (i->arg[a])
                    add_use(ra, ra->alias[i->arg[a]], pos);
        if (jumps_far(i) && ra->value[ra->alias[i->arg[0]]].hint == REG_NONE)
            ra->value[ra->alias[i->arg[0]]].hint = ra->target->jump_reg;
        if (ra_prepare_writes_vars(ra, i)) {
            for (unsigned var = 0; var < ra->n_vars; var++)
                unbind(ra, var, pos, pos);
            ra->n_var_calls++;
            ra_prepare_set(ra, u->n_insns + ra->n_var_calls * ra->n_vars);
            memset(ra->changed, 0, sizeof ra->changed);
        }
    }
    *walk = (RaWalk) { pos, last_observed, last_exit };
}

void ra_prepare_block(Ra *ra, uint32_t block, RaWalk *walk, const IrRef *pair)
{
    walk_block(ra, block, walk, pair, true);
}

/* What an operation is made of had better be in the register where its result is wanted, if nothing
 * wants it later: most overwrite an argument. */
static void hint_arguments(Ra *ra)
{
    for (IrRef r = ra->unit->block[0].last; r; r = ra->unit->insn[r].prev) {
        const RaValue *v = &ra->value[r];
        const IrInsn *i = &ra->unit->insn[r];
        if (v->hint == REG_NONE || !v->insn || ra->alias[r] != r || !i->arg[0] ||
            !ir_op_info[i->op].n_args || (v->type != IR_I64 && v->type != IR_I32))
            continue;
        RaValue *x = &ra->value[ra->alias[i->arg[0]]];
        if (!x->insn || x->hint != REG_NONE || x->constant ||
            (x->type != IR_I64 && x->type != IR_I32) || ra->uses[x->last_use].pos != v->def_pos)
            continue;
        x->hint = v->hint;
        x->hint_var = v->hint_var;
        x->hint_observed = v->hint_observed;
        x->hint_legal = v->hint_legal && v->hint_observed <= x->def_pos && v->def_pos < UINT16_MAX;
    }
}

static void prepare(Ra *ra, const IrRef *pair)
{
    IrUnit *u = ra->unit;
    RaWalk walk = { 0 };
    walk_block(ra, 0, &walk, pair, false);
    hint_arguments(ra);
    uint32_t last_observed = walk.last_observed, last_exit = walk.last_exit;
    bool lazy_dead = ra_lazy_dead(&u->insn[u->block[0].last]);
    const uint64_t *lazy = ra->target->entry.lazy;
    for (unsigned w = 0; lazy_dead && w < RA_MAX_VARS / 64; w++)
        for (uint64_t m = lazy[w]; m; m &= m - 1)
            unbind(ra, w * 64 + __builtin_ctzll(m), last_observed, last_exit);
    for (unsigned w = 0; w < RA_MAX_VARS / 64; w++)
        for (uint64_t m = ra->changed[w] & ~(lazy_dead ? lazy[w] : 0); m; m &= m - 1)
            ra->value[ra->binding[w * 64 + __builtin_ctzll(m)]].observed = UINT32_MAX;
}

Ra *ra_new(const RaTarget *target, void *host, IrUnit *unit, const IrRef *pair)
{
    Ra *ra = arena_alloc_raw(unit->arena, sizeof *ra);
    memset(ra, 0, offsetof(Ra, binding));
    ra->target = target;
    ra->host = host;
    ra->unit = unit;
    ra->vars = unit->isa->vars;
    ra->n_vars = unit->isa->n_vars;
    assert(ra->n_vars <= RA_MAX_VARS);
    unsigned n_sets = unit->n_blocks; /* more than blocks with several predecessors */
    for (uint32_t b = 0; unit->calls && b < unit->n_blocks; b++)
        for (IrRef r = unit->block[b].first; r; r = unit->insn[r].next)
            n_sets += ra_prepare_writes_vars(ra, &unit->insn[r]);
    ra->n_values = unit->n_insns + n_sets * ra->n_vars;
    ra->value = arena_alloc_raw(unit->arena, ra->n_values * sizeof *ra->value);
    ra->alias = arena_alloc_raw(unit->arena, unit->n_insns * sizeof *ra->alias);
    ra->home = target->home;
    ra->cap_uses = 2 * unit->n_insns;
    ra->uses = arena_alloc_raw(unit->arena, ra->cap_uses * sizeof *ra->uses);
    entry_state(ra);
    ra->hintable = ra->homes | 1u << target->jump_reg;
    ra->last_pos = UINT32_MAX - 1;
    if (unit->n_blocks > 1) {
        ra_region_prepare(ra, pair);
        return ra;
    }
    prepare(ra, pair);
    ra_prepare_end(ra, 0);

    ra->n_var_calls = 0;
    bind_entries(ra, unit->n_insns);
    return ra;
}
