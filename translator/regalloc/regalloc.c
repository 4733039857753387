/* data plane */
/* The forward allocator's walk: see regalloc.h and state.h. */
#include "translator/regalloc/region.h"

#include <assert.h>
#include <string.h>

#include "translator/guest/isa.h"
#include "translator/ir/arena.h"

static bool is_xmm_type(IrType t)
{
    return t == IR_F32 || t == IR_F64 || t == IR_V128 || t == IR_I128;
}

static uint32_t class_regs(const Ra *ra, IrType t)
{
    return is_xmm_type(t) ? ra->target->xmms : ra->target->gprs;
}

/* -- liveness ---------------------------------------------------------------------------------- */

static uint32_t next_use(Ra *ra, RaValue *v)
{
    while (v->use && ra->uses[v->use].pos < ra->pos)
        v->use = ra->uses[v->use].next;
    return v->use ? ra->uses[v->use].pos : UINT32_MAX;
}

/* In a region: hard-live at the end of the current block. */
static bool live_out(const Ra *ra, const RaValue *v)
{
    const RaRegion *rg = ra->region;
    return rg->out[rg->global_of[v - ra->value]] != RA_FAR;
}

/* In a region the block ends at ra->last_pos, the uses go on behind it. */
static bool used_after_in_region(Ra *ra, const RaValue *v)
{
    uint32_t u = v->use;
    while (u && ra->uses[u].pos <= ra->pos)
        u = ra->uses[u].next;
    return (u && ra->uses[u].pos <= ra->last_pos) || live_out(ra, v);
}

static bool used_after(Ra *ra, RaValue *v)
{
    if (__builtin_expect(ra->region != NULL, 0))
        return used_after_in_region(ra, v);
    uint32_t n = next_use(ra, v);
    if (n == UINT32_MAX)
        return false;
    return n > ra->pos || ra->uses[v->last_use].pos > ra->pos;
}

bool ra_alive_after(Ra *ra, uint32_t value)
{
    RaValue *v = &ra->value[value];
    return (v->n_vars && v->observed >= ra->pos) || used_after(ra, v);
}

bool ra_alive(Ra *ra, uint32_t value)
{
    RaValue *v = &ra->value[value];
    if (v->n_vars && v->observed >= ra->pos)
        return true;
    return next_use(ra, v) <= ra->last_pos || (ra->region && live_out(ra, v));
}

bool ra_live_out(Ra *ra, uint32_t value)
{
    return ra->region && live_out(ra, &ra->value[value]);
}

bool ra_used_at_all(Ra *ra, uint32_t value) { return ra->value[value].last_use != 0; }

bool ra_dies(Ra *ra, IrRef v) { return !ra_alive_after(ra, ra_root(ra, v)); }

bool ra_same(Ra *ra, IrRef a, IrRef b) { return ra_root(ra, a) == ra_root(ra, b); }

/* -- memory places ----------------------------------------------------------------------------- */

static uint32_t var_offset(const Ra *ra, unsigned var)
{
    return ra->target->cpu_offset + ra->vars[var].offset;
}

static uint32_t mem_offset(const Ra *ra, int mem)
{
    if (mem & RA_MEM_VAR)
        return var_offset(ra, mem & ~RA_MEM_VAR);
    return ra->target->spill_offset - 16 * mem;
}

/* A variable's place can hold the value with all its bytes. */
static unsigned var_bytes(const Ra *ra, unsigned var)
{
    IrType t = ra->vars[var].type;
    return t == IR_V128 ? 16 : t == IR_I64 || t == IR_F64 ? 8 : 4;
}

/* A value that crosses blocks keeps its slot: other blocks may count on it. */
static void release_mem(Ra *ra, RaValue *v)
{
    if (v->mem >= 0 && !(v->mem & RA_MEM_VAR) &&
        !(ra->region && ra->region->global_of[v - ra->value]))
        ra->spill_used[v->mem / 64] &= ~(1ull << (v->mem % 64));
    v->mem = RA_MEM_NONE;
}

/* Is nobody's only copy in the variable's place, if it isn't `value`, nor an argument used there?
 * (That may have got a register as another argument.) */
static bool state_place_free(Ra *ra, unsigned var, uint32_t value)
{
    uint32_t held = ra->state_holds[var];
    if (held == 0 || held == value)
        return true;
    for (unsigned n = 0; n < ra->n_operands; n++)
        if (ra->operand[n] == (RA_MEM_VAR | (int)var))
            return false;
    RaValue *h = &ra->value[held];
    if (h->mem != (RA_MEM_VAR | (int)var))
        return true;
    if (!ra_alive(ra, held) || h->constant || h->reg != REG_NONE) {
        h->mem = RA_MEM_NONE;
        return true;
    }
    return false;
}

static int new_spill(Ra *ra, uint32_t value)
{
    uint32_t g = ra->region ? ra->region->global_of[value] : 0;
    if (g && ra_region_slot_for(ra, g))
        return ra->region->slot[g];
    for (unsigned w = 0; w < RA_MAX_SPILLS / 64; w++) {
        if (~ra->spill_used[w]) {
            unsigned bit = __builtin_ctzll(~ra->spill_used[w]);
            ra->spill_used[w] |= 1ull << bit;
            if (g)
                ra->region->slot[g] = w * 64 + bit;
            return w * 64 + bit;
        }
    }
    ra->failed = true;
    return 0;
}

/* Gives the value a place in memory and stores it there from its register. */
static void store_to_mem(Ra *ra, uint32_t value)
{
    RaValue *v = &ra->value[value];
    if (v->mem != RA_MEM_NONE)
        return;
    unsigned bytes = ra_type_bytes(v->type);
    if (ra->no_state_places) {
        v->mem = new_spill(ra, value);
        ra->target->store(ra->host, mem_offset(ra, v->mem), v->reg, bytes);
        return;
    }
    /* The variable whose value it is, when it was put: its place spares a store at the exit. */
    if (ra->region) {
        if (ra_region_own_place(ra, value, &v->mem)) {
            unsigned var = v->mem & ~RA_MEM_VAR;
            bytes = var_bytes(ra, var);
            ra->state_holds[var] = value;
            ra->touched[var / 64] |= 1ull << var % 64; /* what it is bound to was there, perhaps */
        }
    } else if (v->n_vars && v->has_var && ra->binding[v->hint_var] == value &&
        var_bytes(ra, v->hint_var) == bytes && state_place_free(ra, v->hint_var, value)) {
        v->mem = RA_MEM_VAR | v->hint_var;
        ra->state_holds[v->hint_var] = value;
        ra->tangled |= v->n_vars > 1;
    } else if (!v->insn) {
        unsigned var = (value - ra->unit->n_insns) % ra->n_vars;
        if (ra->binding[var] == value && var_bytes(ra, var) == bytes &&
            state_place_free(ra, var, value)) {
            v->mem = RA_MEM_VAR | var;
            ra->state_holds[var] = value;
            ra->tangled |= v->n_vars > 1;
        }
    }
    if (v->mem == RA_MEM_NONE)
        v->mem = new_spill(ra, value);
    ra->target->store(ra->host, mem_offset(ra, v->mem), v->reg, bytes);
}

uint32_t ra_region_class(const Ra *ra, IrType t) { return class_regs(ra, t); }
uint32_t ra_region_mem_offset(const Ra *ra, int mem) { return mem_offset(ra, mem); }
unsigned ra_region_var_bytes(const Ra *ra, unsigned var) { return var_bytes(ra, var); }
int16_t ra_region_slot(Ra *ra, uint32_t value) { return new_spill(ra, value); }

/* Does the variable's place hold the value as it does its own? All of a register is stored there,
 * and what an i32 leaves above itself is 0 wherever the variable may be bound to it as it is. */
bool ra_fits_var(const Ra *ra, const RaValue *v, unsigned var)
{
    IrType type = ra->vars[var].type;
    return v->type == type || (v->type == IR_I32 && type == IR_I64);
}

/* The state's place of the variable whose value it is or will be, as long as nothing else that is
 * wanted is only there. */
bool ra_region_own_place(Ra *ra, uint32_t value, int16_t *ret_mem)
{
    const RaValue *v = &ra->value[value];
    if (v->insn && !v->has_var)
        return false;
    unsigned var = v->insn ? v->hint_var : (value - ra->unit->n_insns) % ra->n_vars;
    if (ra->no_state_places || !ra_fits_var(ra, v, var) || !state_place_free(ra, var, value))
        return false;
    *ret_mem = RA_MEM_VAR | var;
    return true;
}

/* -- registers --------------------------------------------------------------------------------- */

static void touch_bound(Ra *ra, uint32_t value)
{
    RaValue *v = &ra->value[value];
    if (!v->n_vars)
        return;
    /* An entry value that leaves its home; others were touched by their put. */
    if (!v->insn) {
        unsigned var = (value - ra->unit->n_insns) % ra->n_vars;
        ra->touched[var / 64] |= 1ull << (var % 64);
    }
}

static void set_reg(Ra *ra, uint32_t value, Reg r)
{
    RaValue *v = &ra->value[value];
    if (v->reg != REG_NONE && v->reg != r && ra->owner[v->reg] == value)
        ra->owner[v->reg] = 0;
    v->reg = r;
    v->special = false;
    ra->owner[r] = value;
}

static void drop_reg(Ra *ra, uint32_t value)
{
    RaValue *v = &ra->value[value];
    if (v->reg != REG_NONE && ra->owner[v->reg] == value)
        ra->owner[v->reg] = 0;
    v->reg = REG_NONE;
}

static void kill_value(Ra *ra, uint32_t value)
{
    RaValue *v = &ra->value[value];
    if (v->reg != REG_NONE && ra->owner[v->reg] == value && !(ra->locked & 1u << v->reg))
        drop_reg(ra, value);
    release_mem(ra, v);
}

static uint32_t free_regs(const Ra *ra, uint32_t among)
{
    uint32_t f = 0;
    for (uint32_t m = among & ~ra->locked; m; m &= m - 1) {
        unsigned r = __builtin_ctz(m);
        if (!ra->owner[r])
            f |= 1u << r;
    }
    return f;
}

/* Empties register r: its value goes to memory (or is dropped when it can be had again). */
static void evict(Ra *ra, Reg r, uint32_t to_regs)
{
    uint32_t value = ra->owner[r];
    if (!value || value == RA_TEMP)
        return;
    RaValue *v = &ra->value[value];
    if (!ra_alive(ra, value)) {
        drop_reg(ra, value);
        release_mem(ra, v);
        return;
    }
    touch_bound(ra, value);
    if (v->constant || v->mem != RA_MEM_NONE) {
        drop_reg(ra, value);
        return;
    }
    uint32_t f = free_regs(ra, class_regs(ra, v->type) & to_regs & ~(1u << r));
    if (f) {
        Reg to = __builtin_ctz(f & ~ra->homes ? f & ~ra->homes : f);
        ra->target->move(ra->host, to, r);
        ra->owner[r] = 0;
        v->reg = REG_NONE;
        set_reg(ra, value, to);
        return;
    }
    store_to_mem(ra, value);
    drop_reg(ra, value);
}

/* Where the next use is in a region, as if all blocks ahead stood behind this one. */
static uint64_t far_use(const Ra *ra, const RaValue *v, uint32_t next)
{
    const RaRegion *rg = ra->region;
    if (next <= ra->last_pos)
        return next;
    uint32_t out = rg->out[rg->global_of[v - ra->value]];
    return out == RA_FAR ? 2ull * RA_MAX_DISTANCE : (uint64_t)ra->last_pos + out;
}

/* A register of the class, emptied and locked. */
static Reg take_any(Ra *ra, uint32_t among)
{
    uint32_t f = free_regs(ra, among);
    Reg r;
    if (f) {
        r = ra_pick(ra, f);
    } else {
        /* The farthest next use goes; what need not be stored counts as a little farther. */
        uint64_t best = 0;
        r = REG_NONE;
        for (uint32_t m = among & ~ra->locked; m; m &= m - 1) {
            unsigned c = __builtin_ctz(m);
            uint32_t value = ra->owner[c];
            RaValue *v = &ra->value[value];
            uint64_t far = next_use(ra, v);
            if (ra->region)
                far = far_use(ra, v, far);
            else if (far == UINT32_MAX)
                far = 1u << 20;
            far = far * 4 + (v->mem != RA_MEM_NONE || v->constant ? 6 : 0) + 1;
            if (far > best) {
                best = far;
                r = c;
            }
        }
        assert(r != REG_NONE);
        evict(ra, r, 0);
    }
    ra->locked |= 1u << r;
    return r;
}

static Reg home_of(const Ra *ra, const RaValue *v, uint32_t value)
{
    if (v->hint != REG_NONE)
        return v->hint;
    if (!v->insn)
        return ra->home[(value - ra->unit->n_insns) % ra->n_vars];
    return REG_NONE;
}

static void load_value(Ra *ra, uint32_t value, Reg r)
{
    RaValue *v = &ra->value[value];
    if (v->constant)
        ra->target->constant(ra->host, r, &ra->unit->insn[v->insn]);
    else if (v->reg != REG_NONE)
        ra->target->move(ra->host, r, v->reg);
    else
        ra->target->load(ra->host, r, mem_offset(ra, v->mem),
                         v->mem & RA_MEM_VAR ? var_bytes(ra, v->mem & ~RA_MEM_VAR)
                                             : ra_type_bytes(v->type));
}

static Reg use_root(Ra *ra, uint32_t value)
{
    RaValue *v = &ra->value[value];
    if (v->special)
        ra->target->fetch(ra->host, value);
    if (v->reg == REG_NONE) {
        Reg want = home_of(ra, v, value), r;
        if (want != REG_NONE && !ra->owner[want] && !(ra->locked & 1u << want)) {
            r = want;
            ra->locked |= 1u << r;
        } else {
            r = take_any(ra, class_regs(ra, v->type));
        }
        load_value(ra, value, r);
        set_reg(ra, value, r);
    }
    ra->locked |= 1u << v->reg;
    return v->reg;
}

Reg ra_use(Ra *ra, IrRef v) { return use_root(ra, ra_root(ra, v)); }

/* In a region, when registers are short: not used again in this block. */
static bool far_away(Ra *ra, RaValue *v)
{
    if (!ra->region || free_regs(ra, class_regs(ra, v->type)))
        return false;
    uint32_t n = v->use;
    while (n && ra->uses[n].pos <= ra->pos)
        n = ra->uses[n].next;
    return !n || ra->uses[n].pos > ra->last_pos;
}

/* A word in a variable's place has no upper half there that its zero-extension could be. */
static bool mem_is_wide_enough(const Ra *ra, const RaValue *x, IrRef v)
{
    if (v >= ra->unit->n_insns || !(x->mem & RA_MEM_VAR))
        return true;
    IrType t = ra->unit->insn[v].type;
    return t == IR_I32 || t == IR_F32 ||
           var_bytes(ra, x->mem & ~RA_MEM_VAR) >= ra_type_bytes(t);
}

Operand ra_use_rm(Ra *ra, IrRef v)
{
    uint32_t value = ra_root(ra, v);
    RaValue *x = &ra->value[value];
    if (x->reg == REG_NONE && !x->special && !x->constant && x->mem != RA_MEM_NONE &&
        mem_is_wide_enough(ra, x, v)) {
        /* Used again: then it had better come into a register. */
        enum { MOST = sizeof ra->operand / sizeof ra->operand[0] };
        if (ra->n_operands < MOST && (!used_after(ra, x) || far_away(ra, x))) {
            ra->operand[ra->n_operands++] = x->mem;
            int32_t disp = (int32_t)mem_offset(ra, x->mem) - ra->target->state_bias;
            return operand_mem((Mem) { ra->target->state_reg, REG_NONE, 0, 0, disp });
        }
    }
    return operand_reg(use_root(ra, value));
}

/* Is the value free to be overwritten: no use left but this one request? */
static bool last_request(Ra *ra, uint32_t value)
{
    if (ra_alive_after(ra, value))
        return false;
    unsigned n = 0;
    for (unsigned a = 0; a < 4; a++)
        n += ra->current->arg[a] && ra_root(ra, ra->current->arg[a]) == value;
    return n <= 1;
}

Reg ra_use_scratch(Ra *ra, IrRef v)
{
    uint32_t value = ra_root(ra, v);
    RaValue *x = &ra->value[value];
    if (x->special)
        ra->target->fetch(ra->host, value);
    if (x->reg != REG_NONE && last_request(ra, value) && !(ra->locked & 1u << x->reg)) {
        /* it dies here: its own register will do */
        Reg r = x->reg;
        ra->owner[r] = RA_TEMP;
        ra->locked |= 1u << r;
        x->reg = REG_NONE;
        return r;
    }
    uint32_t was = ra->locked;
    if (x->reg != REG_NONE)
        ra->locked |= 1u << x->reg;
    Reg r = take_any(ra, class_regs(ra, x->type));
    ra->locked = was | 1u << r;
    ra->owner[r] = RA_TEMP;
    load_value(ra, value, r);
    return r;
}

void ra_take(Ra *ra, Reg r)
{
    assert(!(ra->locked & 1u << r));
    if (ra->owner[r]) {
        ra->locked |= 1u << r;
        evict(ra, r, RA_TEMP);
    }
    ra->locked |= 1u << r;
    ra->owner[r] = RA_TEMP;
}

void ra_use_fixed(Ra *ra, IrRef v, Reg r)
{
    uint32_t value = ra_root(ra, v);
    RaValue *x = &ra->value[value];
    if (x->special)
        ra->target->fetch(ra->host, value);
    if (x->reg == r) {
        assert(!(ra->locked & 1u << r)); /* fixed requests come first */
        if (!last_request(ra, value)) {
            /* keep the value somewhere else, the copy stays here */
            ra->locked |= 1u << r;
            touch_bound(ra, value);
            uint32_t f = free_regs(ra, class_regs(ra, x->type));
            if (f) {
                Reg to = __builtin_ctz(f & ~ra->homes ? f & ~ra->homes : f);
                ra->target->move(ra->host, to, r);
                ra->owner[r] = 0;
                x->reg = REG_NONE;
                set_reg(ra, value, to);
            } else {
                if (!x->constant)
                    store_to_mem(ra, value);
                drop_reg(ra, value);
            }
        } else {
            x->reg = REG_NONE;
        }
        ra->locked |= 1u << r;
        ra->owner[r] = RA_TEMP;
        return;
    }
    uint32_t was = ra->locked;
    if (x->reg != REG_NONE)
        ra->locked |= 1u << x->reg;
    ra_take(ra, r);
    load_value(ra, value, r);
    ra->locked = was | 1u << r;
}

Reg ra_temp_gpr(Ra *ra)
{
    Reg r = take_any(ra, ra->target->gprs);
    ra->owner[r] = RA_TEMP;
    return r;
}

Reg ra_temp_xmm(Ra *ra)
{
    Reg r = take_any(ra, ra->target->xmms);
    ra->owner[r] = RA_TEMP;
    return r;
}

void ra_release(Ra *ra, Reg r)
{
    ra->locked &= ~(1u << r);
    if (ra->owner[r] == RA_TEMP)
        ra->owner[r] = 0;
}

void ra_clobber(Ra *ra, uint32_t mask)
{
    uint32_t all = ra->target->gprs | ra->target->xmms;
    for (uint32_t m = mask & all & ~ra->locked; m; m &= m - 1) {
        unsigned r = __builtin_ctz(m);
        if (ra->owner[r] && ra->owner[r] != RA_TEMP)
            evict(ra, r, all & ~mask);
    }
}

/* -- results ----------------------------------------------------------------------------------- */

static uint32_t result_of(Ra *ra, IrInsn *i) { return i - ra->unit->insn; }

/* May the result be made in the home of the variable that it is put into next? The variable's old
 * value there must have no use left, at this instruction neither, unless it is `over`. */
static bool hint_usable(Ra *ra, const RaValue *v, uint32_t over, bool late)
{
    if (v->hint == REG_NONE || !(ra->hintable & 1u << v->hint))
        return false;
    uint32_t o = ra->owner[v->hint];
    if (!o)
        return !(ra->locked & 1u << v->hint);
    if (o == RA_TEMP)
        return false;
    RaValue *x = &ra->value[o];
    if (used_after(ra, x))
        return false;
    if (ra->locked & 1u << v->hint && o != over && !late)
        return false;
    if (!(ra->locked & 1u << v->hint) && o != over && next_use(ra, x) == ra->pos && !late)
        return false;
    /* What only this instruction's fault would show isn't overwritten by then. */
    bool shown = x->n_vars && (late ? x->observed > ra->pos : x->observed >= ra->pos);
    return !shown ||
           (v->hint_legal && x->n_vars == 1 && ra->binding[v->hint_var] == o);
}

/* The result moves into a register whose owner has no use left. The owner stays visible there for
 * snapshots of this instruction. */
static void take_over(Ra *ra, uint32_t value, Reg r)
{
    uint32_t o = ra->owner[r];
    if (o && o != RA_TEMP && o != value) {
        if (ra->n_deferred < sizeof ra->deferred / sizeof *ra->deferred)
            ra->deferred[ra->n_deferred++] = o;
        else
            ra->value[o].reg = REG_NONE;
    }
    ra->owner[r] = 0;
    set_reg(ra, value, r);
    ra->locked |= 1u << r;
}

Reg ra_def(Ra *ra, IrInsn *i)
{
    uint32_t value = result_of(ra, i);
    RaValue *v = &ra->value[value];
    if (hint_usable(ra, v, 0, false)) {
        take_over(ra, value, v->hint);
        return v->hint;
    }
    Reg r = take_any(ra, class_regs(ra, v->type));
    set_reg(ra, value, r);
    return r;
}

Reg ra_def_late(Ra *ra, IrInsn *i)
{
    uint32_t value = result_of(ra, i);
    RaValue *v = &ra->value[value];
    if (hint_usable(ra, v, 0, true)) {
        take_over(ra, value, v->hint);
        return v->hint;
    }
    uint32_t cls = class_regs(ra, v->type);
    for (unsigned a = 0; a < 4; a++) {
        if (!i->arg[a])
            continue;
        uint32_t o = ra_root(ra, i->arg[a]);
        Reg r = ra->value[o].reg;
        if (r != REG_NONE && cls & 1u << r && ra->owner[r] == o && !ra_alive_after(ra, o)) {
            take_over(ra, value, r);
            return r;
        }
    }
    return ra_def(ra, i);
}

bool ra_over_is_free(Ra *ra, IrInsn *i, IrRef a)
{
    uint32_t value = result_of(ra, i), o = ra_root(ra, a);
    RaValue *v = &ra->value[value], *x = &ra->value[o];
    if (x->special || x->constant || x->reg == REG_NONE)
        return false;
    if ((!ra->region || v->wanted) && hint_usable(ra, v, o, false))
        return x->reg == v->hint;
    return !ra_alive_after(ra, o);
}

Reg ra_def_over(Ra *ra, IrInsn *i, IrRef a)
{
    uint32_t value = result_of(ra, i), o = ra_root(ra, a);
    RaValue *v = &ra->value[value], *x = &ra->value[o];
    if (x->special)
        ra->target->fetch(ra->host, o);
    bool fits = x->reg == REG_NONE || class_regs(ra, v->type) & 1u << x->reg;
    bool stays = ra->region && !v->wanted && x->reg != REG_NONE && !ra_alive_after(ra, o);
    if (fits && !stays && hint_usable(ra, v, o, false)) {
        Reg r = v->hint;
        if (x->reg != r)
            load_value(ra, o, r);
        take_over(ra, value, r);
        return r;
    }
    if (fits && x->reg != REG_NONE && !ra_alive_after(ra, o)) {
        Reg r = x->reg;
        take_over(ra, value, r);
        return r;
    }
    if (x->reg != REG_NONE)
        ra->locked |= 1u << x->reg;
    Reg r = take_any(ra, class_regs(ra, v->type));
    load_value(ra, o, r);
    set_reg(ra, value, r);
    return r;
}

void ra_def_is(Ra *ra, IrInsn *i, Reg own)
{
    set_reg(ra, result_of(ra, i), own);
    ra->locked |= 1u << own;
}

/* The alias takes over the uses that the pre-pass noted for the result. */
void ra_def_alias(Ra *ra, IrInsn *i, IrRef v)
{
    uint32_t value = result_of(ra, i), o = ra_root(ra, v);
    Reg r = use_root(ra, o);
    if (!ra_alive_after(ra, o)) {
        take_over(ra, value, r);
        return;
    }
    Reg to = ra_def(ra, i);
    ra->target->move(ra->host, to, r);
}

/* The uses of `from` that are still to come, in order, among those of `to`. */
static void take_uses(Ra *ra, RaValue *to, RaValue *from)
{
    next_use(ra, from);
    uint32_t *at = &to->use, u = from->use;
    while (u && *at) {
        uint32_t *other = ra->uses[u].pos < ra->uses[*at].pos ? &u : at;
        if (other == &u) {
            uint32_t rest = *at;
            *at = u;
            u = rest;
        }
        at = &ra->uses[*at].next;
    }
    if (u) {
        *at = u;
        to->last_use = from->last_use;
    }
    for (u = to->use; u && ra->uses[u].next; u = ra->uses[u].next)
        ;
    to->last_use = u;
    from->use = from->last_use = 0;
}

Reg ra_def_same(Ra *ra, IrInsn *i, IrRef v)
{
    uint32_t value = result_of(ra, i), o = ra_root(ra, v);
    RaValue *x = &ra->value[o];
    /* The alias holds from here on in the order of emission; a block on another path that is
     * emitted later mustn't look for the scalar in a vector which it never got. */
    if (!x->insn || x->n_vars || x->constant || !ra_alive_after(ra, o) ||
        (ra->region && ra->region->global_of[o]))
        return ra_def_over(ra, i, v);
    Reg r = use_root(ra, o);
    release_mem(ra, x);
    RaValue *y = &ra->value[value];
    take_uses(ra, y, x);
    y->put |= x->put; /* variables that the scalar is put into later, and who sees them */
    if (y->observed < x->observed)
        y->observed = x->observed;
    ra->alias[o] = value;
    take_over(ra, value, r);
    return r;
}

void ra_set_special(Ra *ra, uint32_t value, bool special) { ra->value[value].special = special; }

void ra_set_reg(Ra *ra, uint32_t value, Reg own)
{
    set_reg(ra, value, own);
    ra->locked |= 1u << own;
}

/* -- the walk ---------------------------------------------------------------------------------- */

bool ra_begin(Ra *ra, IrInsn *i)
{
    ra->pos++;
    ra->current = i;
    ra->locked = 0;
    ra->n_operands = 0;
    ra->n_deferred = 0;
    return !ra->failed;
}

void ra_end(Ra *ra)
{
    IrInsn *i = ra->current;
    uint32_t locked = ra->locked;
    ra->locked = 0;
    for (unsigned n = 0; n < ra->n_deferred; n++) {
        RaValue *o = &ra->value[ra->deferred[n]];
        if (o->reg != REG_NONE && ra->owner[o->reg] != ra->deferred[n])
            o->reg = REG_NONE;
    }
    for (uint32_t m = locked; m; m &= m - 1) {
        unsigned r = __builtin_ctz(m);
        if (ra->owner[r] == RA_TEMP)
            ra->owner[r] = 0;
    }
    for (unsigned a = 0; a < ir_op_info[i->op].n_args; a++) {
        uint32_t arg = i->arg[a] ? ra_root(ra, i->arg[a]) : 0;
        if (arg && !ra_alive_after(ra, arg))
            kill_value(ra, arg);
    }
    uint32_t value = result_of(ra, i);
    if (ra->alias[value] == value && !ra_alive_after(ra, value))
        kill_value(ra, value);
}

void ra_put(Ra *ra, unsigned var, IrRef ref, IrForm form)
{
    uint32_t value = ra_root(ra, ref), old = ra->binding[var];
    if (value == old && ra->form[var] == form)
        return;
    ra->form[var] = form;
    ra->touched[var / 64] |= 1ull << (var % 64);
    if (value == old)
        return;
    ra->binding[var] = value;
    ra->value[value].n_vars++;
    ra->tangled |= ra->value[value].mem != RA_MEM_NONE && ra->value[value].mem & RA_MEM_VAR;
    if (--ra->value[old].n_vars == 0 && !ra_alive_after(ra, old)) {
        ra->value[old].special = false;
        kill_value(ra, old);
    }
}

/* -- variables in memory, snapshots ------------------------------------------------------------ */

static bool in_state(const Ra *ra, unsigned var)
{
    return !ra->form[var] && ra->state_holds[var] == ra->binding[var] &&
           ra->value[ra->binding[var]].mem == (RA_MEM_VAR | (int)var);
}

static uint32_t constant_index(Ra *ra, uint64_t bits)
{
    for (uint32_t n = ra->n_constants; n > 0 && n + 8 > ra->n_constants; n--)
        if (ra->constants[n - 1] == bits)
            return n - 1;
    ra->constants = arena_grow(ra->unit->arena, ra->constants, sizeof *ra->constants,
                               ra->n_constants, &ra->cap_constants, ra->n_constants + 1);
    ra->constants[ra->n_constants] = bits;
    return ra->n_constants++;
}

/* At an exit a value that lives only in the place of another variable would be overwritten by that
 * one's write-back. Registers run short: what makes way mustn't go back to such a place. */
static void untangle(Ra *ra)
{
    if (!ra->tangled && !ra->region)
        return;
    bool was_barred = ra->no_state_places;
    ra->no_state_places = true;
    for (unsigned w = 0; w < RA_MAX_VARS / 64; w++)
        for (uint64_t m = ra->touched[w]; m; m &= m - 1) {
            unsigned var = w * 64 + __builtin_ctzll(m);
            uint32_t b = ra->binding[var];
            RaValue *v = &ra->value[b];
            if (v->special || v->constant || !(v->mem & RA_MEM_VAR) ||
                v->mem == RA_MEM_NONE || v->mem == (RA_MEM_VAR | (int)var))
                continue;
            if (v->reg == REG_NONE) {
                uint32_t was = ra->locked;
                Reg home = ra->home[var];
                if (home != REG_NONE && !ra->owner[home] && !(was & 1u << home)) {
                    load_value(ra, b, home); /* where it is wanted in the end */
                    set_reg(ra, b, home);
                }
                use_root(ra, b);
                ra->locked = was;
            }
            /* Loading the next one may take its register: then it must not count on that place. */
            v->mem = RA_MEM_NONE;
        }
    ra->no_state_places = was_barred;
}

/* In a region exits are rare: their code copies such values first (exit_write_back()), as far as
 * there is room for it. */
static bool few_tangled(const Ra *ra)
{
    unsigned n = 0;
    for (unsigned w = 0; w < RA_MAX_VARS / 64; w++)
        for (uint64_t m = ra->touched[w]; m; m &= m - 1) {
            unsigned var = w * 64 + __builtin_ctzll(m);
            const RaValue *v = &ra->value[ra->binding[var]];
            n += v->reg == REG_NONE && !v->special && !v->constant && v->mem != RA_MEM_NONE &&
                 v->mem & RA_MEM_VAR && v->mem != (RA_MEM_VAR | (int)var);
        }
    return n <= RA_MAX_TANGLED;
}

static void add_snap(Ra *ra, unsigned var, unsigned kind, unsigned what)
{
    ra->snap = arena_grow(ra->unit->arena, ra->snap, sizeof *ra->snap, ra->n_snaps, &ra->cap_snaps,
                          ra->n_snaps + 1);
    ra->snap[ra->n_snaps++] = (UnitSnap) { .var = var, .kind = kind, .form = ra->form[var],
                                           .what = what };
}

static unsigned constant_kind(const Ra *ra, const RaValue *v)
{
    unsigned op = ra->unit->insn[v->insn].op;
    return op == IR_vconst ? UNIT_SNAP_VCONST : op == IR_codeaddr ? UNIT_SNAP_GUEST
                                                                   : UNIT_SNAP_CONST;
}

static uint64_t constant_bits(const Ra *ra, const RaValue *v)
{
    return ra->unit->insn[v->insn].imm;
}

/* They are few: not worth a call of memcmp(). */
static bool same_snaps(const UnitSnap *a, const UnitSnap *b, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (a[i].var != b[i].var || a[i].kind != b[i].kind || a[i].form != b[i].form ||
            a[i].what != b[i].what)
            return false;
    return true;
}

uint32_t ra_snapshot(Ra *ra, bool for_exit, unsigned *ret_n)
{
    if (for_exit && !(ra->region && few_tangled(ra)))
        untangle(ra);
    uint32_t first = ra->n_snaps;
    for (unsigned w = 0; w < RA_MAX_VARS / 64; w++)
        for (uint64_t m = ra->touched[w]; m; m &= m - 1) {
            unsigned var = w * 64 + __builtin_ctzll(m);
            RaValue *v = &ra->value[ra->binding[var]];
            Reg home = ra->home[var];
            if (ra->skip_lazy && ra->vars[var].flags & IR_VAR_LAZY)
                continue;
            if (home != REG_NONE ? v->reg == home && !ra->form[var] : in_state(ra, var))
                continue;
            if (v->special)
                add_snap(ra, var, UNIT_SNAP_FLAGS, 0);
            else if (v->reg != REG_NONE)
                add_snap(ra, var, UNIT_SNAP_REG, v->reg);
            else if (v->constant)
                add_snap(ra, var, constant_kind(ra, v), constant_index(ra, constant_bits(ra, v)));
            else if (v->mem == RA_MEM_NONE)
                continue; /* nobody may look at it any more */
            else if (v->mem & RA_MEM_VAR)
                add_snap(ra, var, UNIT_SNAP_VAR, v->mem & ~RA_MEM_VAR);
            else
                add_snap(ra, var, UNIT_SNAP_SPILL, v->mem);
        }
    unsigned n = ra->n_snaps - first;
    *ret_n = n;
    if (n == first - ra->last_snap && same_snaps(&ra->snap[ra->last_snap], &ra->snap[first], n)) {
        ra->n_snaps = first;
        return ra->last_snap;
    }
    ra->last_snap = first;
    return first;
}

void ra_sync_vars(Ra *ra)
{
    untangle(ra);
    ra->no_state_places = true;
    for (unsigned var = 0; var < ra->n_vars; var++) {
        uint32_t b = ra->binding[var];
        RaValue *v = &ra->value[b];
        if (in_state(ra, var))
            continue;
        if (v->reg == REG_NONE && !v->special && !v->constant && v->mem == RA_MEM_NONE)
            continue; /* nobody may look at it any more */
        uint32_t held = ra->state_holds[var];
        if (!state_place_free(ra, var, b)) {
            /* an old value of the variable that is still used has its only copy there */
            uint32_t was = ra->locked;
            use_root(ra, held);
            ra->value[held].mem = RA_MEM_NONE;
            ra->locked = was;
        }
        uint32_t was = ra->locked;
        Reg r = use_root(ra, b);
        if (ra->form[var])
            ra->target->form(ra->host, r, r, ra->form[var]);
        ra->target->store(ra->host, var_offset(ra, var), r, var_bytes(ra, var));
        ra->locked = was;
        if (v->mem == RA_MEM_NONE && !ra->form[var] &&
            var_bytes(ra, var) == ra_type_bytes(v->type)) {
            v->mem = RA_MEM_VAR | var;
            ra->state_holds[var] = b;
            ra->tangled |= v->n_vars > 1;
        } else if (v->mem != (RA_MEM_VAR | (int)var)) { /* else: it is still there, in its form */
            ra->state_holds[var] = 0;
        }
        ra->touched[var / 64] |= 1ull << (var % 64);
    }
}

/* The helper may write any place of the state: what is used afterwards lives elsewhere. */
void ra_leave_state(Ra *ra)
{
    for (unsigned var = 0; var < ra->n_vars; var++) {
        uint32_t held = ra->state_holds[var];
        if (!held || ra->value[held].mem != (RA_MEM_VAR | (int)var))
            continue;
        RaValue *h = &ra->value[held];
        if (used_after(ra, h)) {
            uint32_t was = ra->locked;
            use_root(ra, held);
            ra->locked = was;
            h->mem = RA_MEM_NONE;
            ra->state_holds[var] = 0;
        }
    }
}

void ra_reload_vars(Ra *ra)
{
    uint32_t base = ra->unit->n_insns + ++ra->n_var_calls * ra->n_vars;
    for (unsigned var = 0; var < ra->n_vars; var++) {
        uint32_t old = ra->binding[var], held = ra->state_holds[var];
        /* The state's places hold other values now. */
        if (held && ra->value[held].mem == (RA_MEM_VAR | (int)var))
            ra->value[held].mem = RA_MEM_NONE;
        ra->value[old].n_vars--;
        ra->binding[var] = base + var;
        ra->form[var] = IR_FORM_PLAIN;
    }
    for (Reg r = 0; r < RA_N_REGS; r++)
        if (ra->owner[r] && ra->owner[r] != RA_TEMP && !ra_alive_after(ra, ra->owner[r]))
            drop_reg(ra, ra->owner[r]);
    for (unsigned var = 0; var < ra->n_vars; var++) {
        ra->value[base + var].n_vars = 1;
        ra->value[base + var].mem = RA_MEM_VAR | var;
        ra->state_holds[var] = base + var;
        ra->touched[var / 64] |= 1ull << (var % 64);
    }
}
