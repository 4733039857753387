/* data plane */
/* Between the blocks of a region: where each block expects its values, and the moves on edges. See
 * region.h. */
#include "translator/regalloc/region.h"

#include <assert.h>
#include <string.h>

#include "translator/guest/isa.h"
#include "translator/ir/arena.h"

enum { RESERVE = 2 }; /* registers of a class that a loop's head leaves for temporaries */

static bool has_bit(const uint64_t *set, unsigned n) { return set[n / 64] >> n % 64 & 1; }

static bool class_of(const Ra *ra, uint32_t value)
{
    return ra_region_class(ra, ra->value[value].type) != ra->target->gprs;
}

/* -- the values that a block wants ------------------------------------------------------------- */

typedef void WantedFn(Ra *ra, void *opaque, uint32_t value);

/* Those that live into it, but for its phis. */
static void each_live_in(Ra *ra, uint32_t b, WantedFn *fn, void *opaque)
{
    RaRegion *rg = ra->region;
    const RaBlock *x = &rg->block[b];
    const uint32_t *dist = ra_region_dist_in(rg, b);
    uint32_t stamp = ++rg->stamp;
    for (unsigned w = 0; w < RA_VAR_WORDS; w++)
        for (uint64_t m = x->live_in[w] & ~x->merged[w]; m; m &= m - 1) {
            uint32_t value = x->in[w * 64 + __builtin_ctzll(m)], g = rg->global_of[value];
            if (rg->soft[g] == stamp)
                continue;
            rg->soft[g] = stamp;
            fn(ra, opaque, value);
        }
    for (uint32_t g = 1; g <= rg->n_globals; g++)
        if (dist[g] != RA_FAR && rg->home[g] != b && rg->soft[g] != stamp)
            fn(ra, opaque, rg->value_of[g]);
}

/* -- fixing a block's state -------------------------------------------------------------------- */

typedef struct Fix {
    uint32_t to, from;
    bool merge;
    bool soft;        /* phis that only observers want; then the others are placed */
    int room[2];      /* registers of each class that a loop's head has left */
    uint32_t taken;   /* registers */
} Fix;

static RaPlace *add_place(Ra *ra, uint32_t b, uint32_t value)
{
    RaBlock *x = &ra->region->block[b];
    RaPlace *p = &x->place[x->n_places++];
    *p = (RaPlace) { value, RA_MEM_NONE, REG_NONE, false };
    return p;
}

/* Its place in memory, whether it is there now or not. A variable's place may be wanted by values
 * that it had at different times. */
static int16_t memory_of(Ra *ra, uint32_t b, uint32_t value)
{
    const RaBlock *x = &ra->region->block[b];
    int16_t mem = ra->value[value].mem;
    if (mem != RA_MEM_NONE && !(mem & RA_MEM_VAR))
        return mem;
    bool own = ra_region_own_place(ra, value, &mem);
    for (unsigned k = 0; own && k < x->n_places; k++)
        own = x->place[k].mem != mem || x->place[k].value == value;
    return own ? mem : ra_region_slot(ra, value);
}

/* As it is now. Behind several predecessors a copy in memory beside a register is given up: the
 * others may not have it. A loop's head keeps it, since all paths back come from there. */
static void place_live_in(Ra *ra, void *opaque, uint32_t value)
{
    Fix *f = opaque;
    const RaValue *v = &ra->value[value];
    const RaBlock *x = &ra->region->block[f->to];
    int16_t own;
    if (v->reg == REG_NONE && (v->constant || (v->mem == RA_MEM_NONE && !v->special)))
        return;
    RaPlace *p = add_place(ra, f->to, value);
    p->reg = v->reg;
    p->mem = v->mem;
    p->special = v->special;
    if (f->merge && p->mem != RA_MEM_NONE && p->mem & RA_MEM_VAR &&
        !(ra_region_own_place(ra, value, &own) && own == p->mem))
        p->mem = p->reg == REG_NONE ? ra_region_slot(ra, value) : RA_MEM_NONE;
    else if (f->merge && p->mem != RA_MEM_NONE && !(p->mem & RA_MEM_VAR) && p->reg != REG_NONE &&
             !x->head)
        p->mem = RA_MEM_NONE;
    if (p->reg != REG_NONE)
        f->taken |= 1u << p->reg;
}

static void leave_reg(Ra *ra, Fix *f, RaPlace *p)
{
    f->taken &= ~(1u << p->reg);
    p->reg = REG_NONE;
    if (p->mem == RA_MEM_NONE && !ra->value[p->value].constant)
        p->mem = memory_of(ra, f->to, p->value);
}

static void compact(RaBlock *x)
{
    unsigned n = 0;
    for (unsigned k = 0; k < x->n_places; k++)
        if (x->place[k].reg != REG_NONE || x->place[k].mem != RA_MEM_NONE || x->place[k].special)
            x->place[n++] = x->place[k];
    x->n_places = n;
}

/* What a value is worth in a register at the block's start: the less the better. */
static uint32_t distance_in(const Ra *ra, uint32_t b, uint32_t value)
{
    const RaRegion *rg = ra->region;
    return ra_region_dist_in(rg, b)[rg->global_of[value]];
}

/* How many registers of the class the head has for values that the loop doesn't use. */
static int spare(Ra *ra, const Fix *f, unsigned cls)
{
    const RaBlock *x = &ra->region->block[f->to];
    const uint32_t *dist = ra_region_dist_in(ra->region, f->to);
    int through = 0, regs = __builtin_popcount(cls ? ra->target->xmms : ra->target->gprs);
    for (uint32_t g = 1; g <= ra->region->n_globals; g++) {
        uint32_t value = ra->region->value_of[g];
        through += dist[g] >= RA_LEAVES_LOOP && dist[g] < RA_SOFT_USE &&
                   !ra->value[value].constant && class_of(ra, value) == cls;
    }
    return regs - RESERVE - x->pressure[cls] + through;
}

/* A constant that takes more than an immediate. */
static bool worth_a_register(const Ra *ra, uint32_t value)
{
    const IrInsn *i = &ra->unit->insn[ra->value[value].insn];
    if (i->op == IR_vconst) {
        const V128 *c = &ra->unit->vconst[i->imm];
        return c->lo || c->hi;
    }
    if (i->type == IR_F32 || i->type == IR_F64)
        return i->imm != 0;
    return i->op == IR_const && i->type == IR_I64 && i->imm != (int32_t)i->imm;
}

/* How many registers of the class are better used for phis that only observers want, whose values
 * would go to memory on each turn, and for constants. */
static int better_uses(Ra *ra, const Fix *f, unsigned cls)
{
    const RaRegion *rg = ra->region;
    const uint32_t *dist = ra_region_dist_in(rg, f->to);
    int n = 0;
    for (uint32_t g = 1; g <= rg->n_globals; g++) {
        uint32_t value = rg->value_of[g];
        if (class_of(ra, value) != cls)
            continue;
        if (ra->value[value].constant)
            n += dist[g] < RA_LEAVES_LOOP && worth_a_register(ra, value);
        else
            n += rg->def_block[g] == f->to && dist[g] != RA_FAR && dist[g] >= RA_SOFT_USE;
    }
    return n;
}

/* Out with what the loop doesn't use, the farthest first, until the rest fits. */
static void make_room(Ra *ra, Fix *f, unsigned cls, int *room)
{
    int left = *room - better_uses(ra, f, cls);
    RaBlock *x = &ra->region->block[f->to];
    int idle = 0;
    for (unsigned k = 0; k < x->n_places; k++)
        idle += x->place[k].reg != REG_NONE && class_of(ra, x->place[k].value) == cls &&
                distance_in(ra, f->to, x->place[k].value) >= RA_LEAVES_LOOP;
    for (; idle > 0 && idle > left; idle--) {
        RaPlace *worst = NULL;
        uint64_t most = 0;
        for (unsigned k = 0; k < x->n_places; k++) {
            RaPlace *p = &x->place[k];
            if (p->reg == REG_NONE || class_of(ra, p->value) != cls)
                continue;
            uint64_t d = distance_in(ra, f->to, p->value);
            if (d < RA_LEAVES_LOOP)
                continue;
            d = d * 2 + (p->mem != RA_MEM_NONE);
            if (d >= most) {
                most = d;
                worst = p;
            }
        }
        leave_reg(ra, f, worst);
    }
    *room -= idle;
}

/* Into registers, while there are some: what the loop uses and is elsewhere now. */
static void load_used(Ra *ra, void *opaque, uint32_t value)
{
    Fix *f = opaque;
    RaBlock *x = &ra->region->block[f->to];
    const RaValue *v = &ra->value[value];
    unsigned cls = class_of(ra, value);
    uint32_t free = ra_region_class(ra, v->type) & ~f->taken;
    if (v->reg != REG_NONE || v->special || !free || (v->constant && f->room[cls] <= 0) ||
        distance_in(ra, f->to, value) >= RA_LEAVES_LOOP)
        return;
    if (v->constant ? !worth_a_register(ra, value) : v->mem == RA_MEM_NONE)
        return;
    RaPlace *p = NULL;
    for (unsigned k = 0; k < x->n_places && !p; k++)
        if (x->place[k].value == value)
            p = &x->place[k];
    if (!p)
        p = add_place(ra, f->to, value);
    Reg want = v->hint != REG_NONE && free & 1u << v->hint ? v->hint : __builtin_ctz(free);
    p->reg = want;
    f->taken |= 1u << want;
    if (v->constant)
        f->room[cls]--;
}

/* If registers are short, values that the loop only reads have a copy in memory from the start, so
 * that pushing one out costs no store in the loop. */
static void store_ahead(Ra *ra, Fix *f, const int *room)
{
    RaBlock *x = &ra->region->block[f->to];
    for (unsigned k = 0; k < x->n_places; k++) {
        RaPlace *p = &x->place[k];
        bool phi = ra->region->def_block[ra->region->global_of[p->value]] == f->to;
        if (p->reg != REG_NONE && p->mem == RA_MEM_NONE && !ra->value[p->value].constant && !phi &&
            room[class_of(ra, p->value)] < 0)
            p->mem = memory_of(ra, f->to, p->value);
    }
}

/* The phi's slot becomes its argument's, which nobody wants from here on: whatever the phi reaches
 * comes by here, so that both are never wanted at once. */
static bool take_arg_slot(Ra *ra, uint32_t b, uint32_t value, uint32_t arg)
{
    RaRegion *rg = ra->region;
    const RaBlock *x = &rg->block[b];
    uint32_t g = rg->global_of[value], from = rg->global_of[arg];
    int16_t mem = ra->value[arg].mem;
    if (!g || !from || mem == RA_MEM_NONE || rg->slot[from] != mem || rg->slot[g] != RA_MEM_NONE)
        return false;
    for (unsigned k = 0; k < x->n_places; k++)
        if (x->place[k].value == arg || x->place[k].mem == mem)
            return false;
    rg->slot[g] = mem;
    return true;
}

/* A phi's memory: that of its variable, if its argument is there already or nothing is. */
static int16_t phi_memory(Ra *ra, uint32_t b, uint32_t value, uint32_t arg)
{
    const RaBlock *x = &ra->region->block[b];
    const RaValue *v = &ra->value[value];
    int16_t mem = ra->value[arg].mem;
    unsigned var = v->insn ? v->hint_var : (value - ra->unit->n_insns) % ra->n_vars;
    bool there = (!v->insn || v->has_var) && mem == (RA_MEM_VAR | (int)var) &&
                 v->type == ra->vars[var].type;
    for (unsigned k = 0; there && k < x->n_places; k++)
        there = x->place[k].mem != mem;
    return there || take_arg_slot(ra, b, value, arg) ? mem : memory_of(ra, b, value);
}

static bool wanted_by(const Ra *ra, uint32_t b, uint32_t value)
{
    const RaBlock *x = &ra->region->block[b];
    for (unsigned k = 0; k < x->n_places; k++)
        if (x->place[k].value == value && x->place[k].reg != REG_NONE)
            return true;
    return false;
}

/* What a variable's place in the state holds on entry or behind a call, or for a phi that has that
 * place. */
static bool is_in_state(const Ra *ra, uint32_t value, unsigned var)
{
    if (value >= ra->unit->n_insns)
        return ra->home[var] == REG_NONE && (value - ra->unit->n_insns) % ra->n_vars == var;
    if (ra->unit->insn[value].op != IR_phi)
        return false;
    const RaBlock *x = &ra->region->block[ra->region->def_block[ra->region->global_of[value]]];
    for (unsigned k = 0; x->fixed && k < x->n_places; k++)
        if (x->place[k].value == value)
            return x->place[k].reg == REG_NONE && x->place[k].mem == (RA_MEM_VAR | (int)var);
    return false;
}

/* On some way to the block the variable hasn't changed: in a register it would be loaded there, to
 * be stored by an exit. */
static bool may_stay_in_state(const Ra *ra, uint32_t b, uint32_t value, unsigned var)
{
    const IrUnit *u = ra->unit;
    const RaBlock *x = &ra->region->block[b];
    bool phi = value < u->n_insns;
    for (unsigned p = 0; p < x->n_preds; p++)
        if (is_in_state(ra, phi ? ra->alias[u->phi_arg[u->insn[value].imm + p]]
                                : ra->region->block[x->pred[p]].out[var], var))
            return true;
    return false;
}

/* The variable's place is as good for the value as if it were put there. */
static void hint_state(RaValue *v, unsigned var)
{
    if (!v->insn || v->has_var)
        return;
    v->has_var = true;
    v->hint_var = (uint16_t)var;
    v->hint_legal = false;
}

/* A phi's register: that of a phi that it goes back to, its argument's, if that one ends here, the
 * one it is hinted to, any that is free, or that of the value whose use is farthest. */
static void place_phi(Ra *ra, void *opaque, uint32_t value, uint32_t arg)
{
    Fix *f = opaque;
    RaBlock *x = &ra->region->block[f->to];
    RaValue *v = &ra->value[value];
    uint32_t cls = ra_region_class(ra, v->type), free = cls & ~f->taken;
    uint32_t dist = distance_in(ra, f->to, value);
    Reg at = ra->value[arg].reg, r = REG_NONE;
    bool soft = false, stays = v->has_var && may_stay_in_state(ra, f->to, value, v->hint_var);
    for (unsigned var = 0; var < ra->n_vars; var++)
        if (has_bit(x->merged, var) && x->in[var] == value) {
            soft = true;
            stays |= may_stay_in_state(ra, f->to, value, var);
            if (ra->home[var] == REG_NONE)
                hint_state(v, var);
        }
    if (dist == RA_FAR && !soft)
        return; /* nobody wants it */
    if (f->soft != (dist >= RA_SOFT_USE))
        return;
    if (f->soft && (x->head ? f->room[class_of(ra, value)] <= 0
                            : stays || (at == REG_NONE && !ra->value[arg].constant)))
        free = 0; /* (or it is in memory already, and nobody reads it) */
    bool returns = v->wanted && v->hint != REG_NONE && free & 1u << v->hint;
    if (at != REG_NONE && free & 1u << at && !wanted_by(ra, f->to, arg) && !returns)
        r = at;
    else if (v->hint != REG_NONE && free & 1u << v->hint)
        r = v->hint;
    else if (free)
        r = __builtin_ctz(free & ~ra->homes ? free & ~ra->homes : free);
    if (r == REG_NONE && !f->soft) {
        RaPlace *worst = NULL;
        for (unsigned k = 0; k < x->n_places; k++) {
            RaPlace *p = &x->place[k];
            if (p->reg != REG_NONE && cls & 1u << p->reg &&
                (!worst || distance_in(ra, f->to, p->value) > distance_in(ra, f->to, worst->value)))
                worst = p;
        }
        if (worst && distance_in(ra, f->to, worst->value) > dist) {
            r = worst->reg;
            leave_reg(ra, f, worst);
        }
    }
    RaPlace *p = add_place(ra, f->to, value);
    p->reg = r;
    if (r == REG_NONE)
        p->mem = phi_memory(ra, f->to, value, arg);
    else
        f->taken |= 1u << r;
    f->room[class_of(ra, value)] -= f->soft && r != REG_NONE;
}

enum { HINT_DEPTH = 4 };

/* What comes back to the phi wants its register, its slot, or its place in the state, even if a
 * later put has made its own needless; and so does what that is joined from. */
static void hint_to_phi(Ra *ra, const RaPlace *p, uint32_t arg, unsigned depth)
{
    const IrUnit *u = ra->unit;
    RaRegion *rg = ra->region;
    RaValue *v = &ra->value[arg];
    if (!v->insn || arg == p->value)
        return;
    if (p->reg != REG_NONE) {
        v->hint = p->reg;
        v->wanted = true;
    } else {
        if (depth == HINT_DEPTH) /* a slot that both have must be nobody's in between */
            rg->phi_of[rg->global_of[arg]] = p->value;
        if (p->mem != RA_MEM_NONE && p->mem & RA_MEM_VAR)
            hint_state(v, p->mem & ~RA_MEM_VAR);
    }
    const RaBlock *x = &rg->block[rg->def_block[rg->global_of[arg]]];
    if (u->insn[arg].op != IR_phi || x->fixed || depth == 0)
        return;
    for (unsigned n = 0; n < x->n_preds; n++) {
        uint32_t from = ra->alias[u->phi_arg[u->insn[arg].imm + n]];
        if (!ra->value[from].wanted && rg->global_of[from])
            hint_to_phi(ra, p, from, depth - 1);
    }
}

static void hint_arg(Ra *ra, void *opaque, uint32_t value, uint32_t arg)
{
    const RaBlock *x = opaque;
    for (unsigned k = 0; k < x->n_places; k++) {
        const RaPlace *p = &x->place[k];
        if (p->value == value && (p->reg != REG_NONE || ra->region->phi_form == IR_FORM_PLAIN))
            hint_to_phi(ra, p, arg, HINT_DEPTH);
    }
}

/* The slot of the phi that the value goes into, if nobody wants that one's value any more: then the
 * way back needn't copy it. */
static bool take_phi_slot(Ra *ra, uint32_t g)
{
    RaRegion *rg = ra->region;
    uint32_t phi = rg->phi_of[g];
    int16_t slot = phi ? rg->slot[rg->global_of[phi]] : RA_MEM_NONE;
    if (slot == RA_MEM_NONE || distance_in(ra, rg->def_block[rg->global_of[phi]],
                                           rg->value_of[g]) != RA_FAR)
        return false; /* (or both are wanted where the phi is) */
    /* the phi may have its slot from another phi, that it goes into: all of them must be dead */
    for (uint32_t other = 1; other <= rg->n_globals; other++)
        if (rg->slot[other] == slot && ra_alive(ra, rg->value_of[other]))
            return false;
    rg->slot[g] = slot;
    return true;
}

/* Values that share a slot may meet at another place than where the second got it. */
static bool slot_is_free(Ra *ra, uint32_t g)
{
    const RaRegion *rg = ra->region;
    for (uint32_t other = 1; other <= rg->n_globals; other++)
        if (other != g && rg->slot[other] == rg->slot[g] &&
            ra->value[rg->value_of[other]].mem == rg->slot[g] && ra_alive(ra, rg->value_of[other]))
            return false;
    return true;
}

bool ra_region_slot_for(Ra *ra, uint32_t g)
{
    RaRegion *rg = ra->region;
    int16_t slot = rg->slot[g];
    if (slot == RA_MEM_NONE)
        return take_phi_slot(ra, g);
    if (slot_is_free(ra, g))
        return true;
    rg->kept[slot / 64] |= 1ull << slot % 64; /* blocks that are done may expect the value there */
    return false;
}

static void fix_state(Ra *ra, uint32_t from, uint32_t to)
{
    RaRegion *rg = ra->region;
    RaBlock *x = &rg->block[to];
    Fix f = { .to = to, .from = from, .merge = x->n_preds > 1 };
    x->place = arena_alloc_raw(ra->unit->arena, (rg->n_globals + 1) * sizeof *x->place);
    x->fixed = true;
    each_live_in(ra, to, place_live_in, &f);
    for (unsigned c = 0; x->head && c < 2; c++) {
        f.room[c] = spare(ra, &f, c);
        make_room(ra, &f, c, &f.room[c]);
    }
    ra_region_each_phi(ra, to, from, place_phi, &f);
    if (x->head) {
        each_live_in(ra, to, load_used, &f);
        store_ahead(ra, &f, f.room);
    }
    f.soft = true;
    ra_region_each_phi(ra, to, from, place_phi, &f);
    compact(x);
    for (unsigned p = 0; p < x->n_preds; p++)
        if (x->pred[p] != from)
            ra_region_each_phi(ra, to, x->pred[p], hint_arg, x);
}

/* -- at a block's start ------------------------------------------------------------------------ */

bool ra_block_reached(const Ra *ra, uint32_t b) { return b == 0 || ra->region->block[b].fixed; }

static void forget_places(Ra *ra)
{
    RaRegion *rg = ra->region;
    for (uint32_t g = 1; g <= rg->n_globals; g++) {
        RaValue *v = &ra->value[rg->value_of[g]];
        v->reg = REG_NONE;
        v->mem = RA_MEM_NONE;
        v->special = false;
        v->n_vars = 0;
    }
    memset(ra->owner, 0, sizeof ra->owner);
    memset(ra->state_holds, 0, ra->n_vars * sizeof *ra->state_holds);
}

/* Slots of values that no later block knows are free again; those for moves never are. */
static void reclaim_slots(Ra *ra, uint32_t b)
{
    RaRegion *rg = ra->region;
    memcpy(ra->spill_used, rg->kept, sizeof ra->spill_used);
    ra->spill_used[RA_MAX_SPILLS / 64 - 1] |= 3ull << 62;
    for (uint32_t g = 1; g <= rg->n_globals; g++) {
        int16_t s = rg->slot[g];
        if (s == RA_MEM_NONE)
            continue;
        if (rg->last_block[g] < b)
            rg->slot[g] = RA_MEM_NONE;
        else
            ra->spill_used[s / 64] |= 1ull << s % 64;
    }
}

static void take_places(Ra *ra, const RaBlock *x)
{
    for (unsigned k = 0; k < x->n_places; k++) {
        const RaPlace *p = &x->place[k];
        RaValue *v = &ra->value[p->value];
        v->reg = p->reg;
        v->mem = p->mem;
        v->special = p->special;
        if (p->reg != REG_NONE)
            ra->owner[p->reg] = p->value;
        if (p->mem != RA_MEM_NONE && p->mem & RA_MEM_VAR)
            ra->state_holds[p->mem & ~RA_MEM_VAR] = p->value;
    }
}

static void bind_vars(Ra *ra, const RaBlock *x)
{
    memset(ra->touched, 0, sizeof ra->touched);
    for (unsigned var = 0; var < ra->n_vars; var++) {
        uint32_t value = ra->binding[var] = x->in[var];
        ra->form[var] = x->in_form[var];
        RaValue *v = &ra->value[value];
        Reg home = ra->home[var];
        bool canonical = home != REG_NONE ? v->reg == home
                                          : v->mem == (RA_MEM_VAR | (int)var);
        v->n_vars++;
        /* regalloc.c notes when a variable's own value at an entry leaves its place, of others only
         * the put. */
        bool own = !v->insn && (value - ra->unit->n_insns) % ra->n_vars == var;
        if (!canonical || !own || ra->form[var])
            ra->touched[var / 64] |= 1ull << var % 64;
    }
}

static void seen(RaValue *v, uint32_t pos)
{
    if (v->observed < pos)
        v->observed = pos;
}

/* How long variables' values can be seen in the block: RaValue.observed. */
static void find_observed(Ra *ra, uint32_t b)
{
    const IrUnit *u = ra->unit;
    RaBlock *x = &ra->region->block[b];
    uint32_t now[RA_MAX_VARS], pos = x->first_pos, last = 0, last_exit = 0;
    memcpy(now, x->in, ra->n_vars * sizeof *now);
    for (unsigned var = 0; var < ra->n_vars; var++)
        ra->value[now[var]].observed = 0;
    for (IrRef r = u->block[b].first; r; r = u->insn[r].next)
        if (u->insn[r].op == IR_put)
            ra->value[ra->alias[u->insn[r].arg[0]]].observed = 0;
    uint32_t set = x->n_sets;
    for (IrRef r = u->block[b].first; r; r = u->insn[r].next, pos++) {
        const IrInsn *i = &u->insn[r];
        if (ra_prepare_observes(ra, i)) {
            last = pos;
            if (!(ir_op_info[i->op].flags & IR_OPF_M) && !ra_lazy_dead(i))
                last_exit = pos;
        }
        bool all = ra_prepare_writes_vars(ra, i);
        set += all;
        for (unsigned var = all ? 0 : i->op == IR_put ? i->imm : ra->n_vars; var < ra->n_vars;
             var++) {
            seen(&ra->value[now[var]], ra->vars[var].flags & IR_VAR_LAZY ? last_exit : last);
            now[var] = all ? u->n_insns + set * ra->n_vars + var : ra->alias[i->arg[0]];
            if (all)
                ra->value[now[var]].observed = 0;
            else
                break;
        }
    }
    for (unsigned var = 0; var < ra->n_vars; var++)
        seen(&ra->value[now[var]], has_bit(x->live_out, var) ? UINT32_MAX
                                   : ra->vars[var].flags & IR_VAR_LAZY ? last_exit : last);
}

void ra_block_begin(Ra *ra, uint32_t b)
{
    RaRegion *rg = ra->region;
    RaBlock *x = &rg->block[b];
    rg->current = b;
    ra_prepare_end(ra, b);
    ra->last_pos = x->last_pos;
    ra->pos = x->first_pos - 1;
    ra->locked = 0;
    ra->n_deferred = 0;
    ra->n_var_calls = x->n_sets;
    ra_region_dist_out(ra, b);
    if (b) {
        forget_places(ra);
        take_places(ra, x);
        bind_vars(ra, x);
    }
    reclaim_slots(ra, b);
    find_observed(ra, b);
}

/* -- edges ------------------------------------------------------------------------------------- */

static void settle(Ra *ra, void *opaque, uint32_t value)
{
    (void)opaque;
    if (ra->value[value].special)
        ra->target->fetch(ra->host, value);
}

static void settle_phi(Ra *ra, void *opaque, uint32_t value, uint32_t arg)
{
    (void)value;
    settle(ra, opaque, arg);
}

void ra_edge_settle(Ra *ra, uint32_t to)
{
    if (ra->region->block[to].n_preds > 1)
        each_live_in(ra, to, settle, NULL);
    ra_region_each_phi(ra, to, ra->region->current, settle_phi, NULL);
}

typedef struct Building {
    RaEdge *edge;
    const RaBlock *to;
    uint32_t busy;     /* registers that are read or written */
    size_t cap;
} Building;

static void add_move(Ra *ra, Building *b, RaMove m)
{
    b->edge->move = arena_grow(ra->unit->arena, b->edge->move, sizeof m, b->edge->n_moves, &b->cap,
                               b->edge->n_moves + 1);
    b->edge->move[b->edge->n_moves++] = m;
}

/* From where `value` is now to the place of `what`. */
static void transfer(Ra *ra, Building *b, const RaPlace *p, uint32_t value, IrForm form)
{
    const RaValue *v = &ra->value[value];
    RaMove m = { .type = ra->value[p->value].type, .to = REG_NONE, .from = v->reg,
                 .to_mem = RA_MEM_NONE, .from_mem = v->reg == REG_NONE ? v->mem : RA_MEM_NONE,
                 .form = form, .def_pos = v->def_pos };
    if (v->reg == REG_NONE && v->constant) {
        m.value = value;
        m.from_mem = RA_MEM_NONE;
    }
    if (!v->constant && v->reg == REG_NONE && v->mem == RA_MEM_NONE) {
        ra->failed = true; /* the IR isn't what it should be */
        return;
    }
    if (v->reg != REG_NONE)
        b->busy |= 1u << v->reg;
    if (p->reg != REG_NONE) {
        if (p->reg != v->reg || form) {
            m.to = p->reg;
            add_move(ra, b, m);
        }
    }
    if (p->mem != RA_MEM_NONE && (p->mem != v->mem || v->constant || form)) {
        m.to = REG_NONE;
        m.to_mem = p->mem;
        add_move(ra, b, m);
    }
}

static void transfer_phi(Ra *ra, void *opaque, uint32_t value, uint32_t arg)
{
    Building *b = opaque;
    for (unsigned k = 0; k < b->to->n_places; k++)
        if (b->to->place[k].value == value) {
            transfer(ra, b, &b->to->place[k], arg, ra->region->phi_form);
            return;
        }
}

const RaEdge *ra_edge(Ra *ra, uint32_t to)
{
    RaRegion *rg = ra->region;
    const RaBlock *x = &rg->block[to];
    if (!x->fixed)
        fix_state(ra, rg->current, to);
    Building b = { arena_alloc(ra->unit->arena, sizeof *b.edge), x, 0, 0 };
    for (unsigned k = 0; k < x->n_places; k++) {
        const RaPlace *p = &x->place[k];
        b.busy |= p->reg != REG_NONE ? 1u << p->reg : 0;
        if (x->n_preds > 1 && (rg->def_block[rg->global_of[p->value]] != to ||
                               ra->value[p->value].constant))
            transfer(ra, &b, p, p->value, IR_FORM_PLAIN);
    }
    ra_region_each_phi(ra, to, rg->current, transfer_phi, &b);
    b.edge->free = (ra->target->gprs | ra->target->xmms) & ~b.busy;
    return b.edge;
}

/* -- moves before a branch --------------------------------------------------------------------- */

static void keep_mem(RaKeep *keep, int16_t mem)
{
    if (mem == RA_MEM_NONE)
        return;
    unsigned n = mem & ~RA_MEM_VAR;
    uint64_t *set = mem & RA_MEM_VAR ? keep->vars : keep->spills;
    set[n / 64] |= 1ull << n % 64;
}

static bool keeps_mem(const RaKeep *keep, int16_t mem)
{
    return mem != RA_MEM_NONE &&
           has_bit(mem & RA_MEM_VAR ? keep->vars : keep->spills, mem & ~RA_MEM_VAR);
}

static bool is_written(const RaEdge *edge, Reg reg, int16_t mem)
{
    for (unsigned k = 0; k < edge->n_moves; k++)
        if ((reg != REG_NONE && edge->move[k].to == reg) ||
            (mem != RA_MEM_NONE && edge->move[k].to_mem == mem))
            return true;
    return false;
}

void ra_keep_for_edge(const Ra *ra, uint32_t to, const RaEdge *edge, RaKeep *keep)
{
    const RaBlock *x = &ra->region->block[to];
    for (unsigned k = 0; k < x->n_places; k++) {
        const RaPlace *p = &x->place[k];
        if (p->reg != REG_NONE && !is_written(edge, p->reg, RA_MEM_NONE))
            keep->regs |= 1u << p->reg;
        if (!is_written(edge, REG_NONE, p->mem))
            keep_mem(keep, p->mem);
    }
    for (unsigned k = 0; k < edge->n_moves; k++) {
        const RaMove *m = &edge->move[k];
        if (m->from != REG_NONE)
            keep->regs |= 1u << m->from;
        keep_mem(keep, m->from_mem);
    }
}

void ra_keep_for_exit(const Ra *ra, const UnitSnap *snap, unsigned n, RaKeep *keep)
{
    uint64_t listed[RA_VAR_WORDS] = { 0 };
    for (unsigned k = 0; k < n; k++) {
        listed[snap[k].var / 64] |= 1ull << snap[k].var % 64;
        if (snap[k].kind == UNIT_SNAP_REG)
            keep->regs |= 1u << snap[k].what;
        else if (snap[k].kind == UNIT_SNAP_SPILL || snap[k].kind == UNIT_SNAP_VAR)
            keep_mem(keep, snap[k].kind == UNIT_SNAP_VAR ? snap[k].what | RA_MEM_VAR
                                                         : snap[k].what);
    }
    for (unsigned v = 0; v < ra->n_vars; v++)
        if (!has_bit(listed, v)) { /* it is where it belongs */
            if (ra->home[v] != REG_NONE)
                keep->regs |= 1u << ra->home[v];
            else
                keep_mem(keep, RA_MEM_VAR | v);
        }
}

bool ra_edge_keeps(const RaEdge *edge, const RaKeep *keep)
{
    for (unsigned k = 0; k < edge->n_moves; k++) {
        const RaMove *m = &edge->move[k];
        if ((m->to != REG_NONE && keep->regs >> m->to & 1) || keeps_mem(keep, m->to_mem))
            return false;
    }
    return true;
}

void ra_edge_emit_keeping(Ra *ra, const RaEdge *edge, const RaKeep *keep)
{
    RaEdge e = *edge;
    e.free &= ~keep->regs;
    ra_edge_emit(ra, &e);
}

/* -- moves, all at once ------------------------------------------------------------------------ */

enum { SAVE_SLOT = RA_MAX_SPILLS - 2, CYCLE_SLOT = RA_MAX_SPILLS - 1 };

static unsigned mem_bytes(const Ra *ra, int16_t mem, IrType type)
{
    return mem & RA_MEM_VAR ? ra_region_var_bytes(ra, mem & ~RA_MEM_VAR) : ra_type_bytes(type);
}

static void load(Ra *ra, Reg to, int16_t mem, IrType type)
{
    ra->target->load(ra->host, to, ra_region_mem_offset(ra, mem), mem_bytes(ra, mem, type));
}

static void store(Ra *ra, int16_t mem, Reg from, IrType type)
{
    ra->target->store(ra->host, ra_region_mem_offset(ra, mem), from, mem_bytes(ra, mem, type));
}

static Reg free_of(uint32_t regs) { return regs ? __builtin_ctz(regs) : REG_NONE; }

/* To memory from memory or a constant, by way of a register that is free or made so. Forms of
 * floats are made in vector registers, others in general ones. */
static void move_by_register(Ra *ra, const RaEdge *e, const RaMove *m)
{
    bool wide = ra_type_bytes(m->type) == 16 || m->form >= IR_FORM_BOX;
    const IrInsn *constant = m->value ? &ra->unit->insn[ra->value[m->value].insn] : NULL;
    Reg gpr = free_of(e->free & ra->target->gprs), xmm = free_of(e->free & ra->target->xmms);
    Reg t = wide || (gpr == REG_NONE && !constant && !m->form) ? xmm : gpr;
    Reg saved = REG_NONE;
    if (t == REG_NONE) {
        t = saved = __builtin_ctz(wide ? ra->target->xmms : ra->target->gprs);
        store(ra, SAVE_SLOT, t, wide ? IR_V128 : IR_I64);
    }
    if (constant)
        ra->target->constant(ra->host, t, constant);
    else
        load(ra, t, m->from_mem, m->type);
    if (m->form)
        ra->target->form(ra->host, t, t, m->form);
    store(ra, m->to_mem, t, m->type);
    if (saved != REG_NONE)
        load(ra, t, SAVE_SLOT, wide ? IR_V128 : IR_I64);
}

static void emit_move_now(Ra *ra, const RaEdge *e, const RaMove *m)
{
    if (m->to == REG_NONE) {
        if (m->from != REG_NONE) {
            if (m->form)
                ra->target->form(ra->host, m->from, m->from, m->form);
            store(ra, m->to_mem, m->from, m->type);
        } else {
            move_by_register(ra, e, m);
        }
        return;
    }
    Reg from = m->to;
    if (m->value)
        ra->target->constant(ra->host, m->to, &ra->unit->insn[ra->value[m->value].insn]);
    else if (m->from == REG_NONE)
        load(ra, m->to, m->from_mem, m->type);
    else if (m->form)
        from = m->from;
    else
        ra->target->move(ra->host, m->to, m->from);
    if (m->form)
        ra->target->form(ra->host, m->to, from, m->form);
}

static bool writes_what(const RaMove *m, const RaMove *other)
{
    return (m->to != REG_NONE && m->to == other->from) ||
           (m->to_mem != RA_MEM_NONE && m->to_mem == other->from_mem);
}

static void redirect(RaMove *m, Reg from, int16_t from_mem)
{
    m->from = from;
    m->from_mem = from_mem;
}

static bool is_gpr(const Ra *ra, Reg r) { return ra->target->gprs >> r & 1; }

static RaMove *reader_of(RaMove *move, unsigned n, const RaMove *m)
{
    for (unsigned k = 0; k < n; k++)
        if (&move[k] != m && writes_what(m, &move[k]))
            return &move[k];
    return NULL;
}

/* The move of a cycle to begin with, and the cycle's length: what goes aside for it, which takes
 * some cycles more, shall be the value that has been there longest. */
static RaMove *cycle_start(RaMove *move, unsigned n, unsigned *ret_length)
{
    RaMove *m = &move[0], *best = NULL;
    for (unsigned k = 0; k < n; k++) /* into the cycle, which others may only read */
        m = reader_of(move, n, m);
    RaMove *at = m;
    uint32_t oldest = UINT32_MAX;
    *ret_length = 0;
    do {
        RaMove *reader = reader_of(move, n, at);
        if (reader->def_pos < oldest) {
            oldest = reader->def_pos;
            best = at;
        }
        at = reader;
        ++*ret_length;
    } while (at != m && *ret_length <= n);
    return best;
}

/* Every pending move's destination is read by another, whose content therefore goes aside. Without
 * a register for it two registers of a class change places, in a short cycle: an exchange costs two
 * moves or three, of which none vanishes at renaming. */
static void break_cycle(Ra *ra, RaEdge *e, RaMove *move, unsigned *n_moves)
{
    unsigned n = *n_moves, length;
    RaMove *m = cycle_start(move, n, &length);
    /* What goes aside may be wider than what comes. */
    RaMove aside = { .type = IR_V128, .to = REG_NONE, .from = m->to, .to_mem = RA_MEM_NONE,
                     .from_mem = m->to_mem };
    if (m->to != REG_NONE) {
        bool gpr = is_gpr(ra, m->to);
        uint32_t cls = gpr ? ra->target->gprs : ra->target->xmms;
        bool swap = m->from != REG_NONE && is_gpr(ra, m->from) == gpr;
        Reg t = free_of(e->free & cls);
        if (t == REG_NONE && gpr && (!swap || length > 2))
            t = free_of(e->free & ra->target->xmms);
        if (t == REG_NONE && swap) {
            Reg a = m->to, b = m->from;
            ra->target->swap(ra->host, a, b);
            for (unsigned k = 0; k < n; k++)
                if (&move[k] != m && (move[k].from == a || move[k].from == b))
                    move[k].from = move[k].from == a ? b : a;
            if (m->form)
                ra->target->form(ra->host, a, a, m->form);
            *m = move[--*n_moves];
            return;
        }
        aside.to = t;
    }
    if (m->to != REG_NONE && is_gpr(ra, m->to))
        aside.type = IR_I64;
    if (aside.to == REG_NONE)
        aside.to_mem = CYCLE_SLOT;
    else
        e->free &= ~(1u << aside.to);
    emit_move_now(ra, e, &aside);
    for (unsigned k = 0; k < n; k++)
        if (&move[k] != m && writes_what(m, &move[k]))
            redirect(&move[k], aside.to, aside.to_mem);
}

void ra_edge_emit(Ra *ra, const RaEdge *edge)
{
    unsigned n = edge->n_moves;
    if (!n)
        return;
    RaMove *move = arena_alloc_raw(ra->unit->arena, (n + 1) * sizeof *move);
    memcpy(move, edge->move, n * sizeof *move);
    RaEdge local = *edge, *e = &local; /* temporaries are used up */
    while (n) {
        bool any = false;
        for (unsigned k = 0; k < n; k++) {
            bool blocked = false;
            for (unsigned o = 0; o < n && !blocked; o++)
                blocked = o != k && writes_what(&move[k], &move[o]);
            if (blocked)
                continue;
            /* A swap may have put it in its place. */
            if (move[k].to == REG_NONE || move[k].to != move[k].from || move[k].form)
                emit_move_now(ra, e, &move[k]);
            move[k--] = move[--n];
            any = true;
        }
        if (!any && n)
            break_cycle(ra, e, move, &n);
    }
}
