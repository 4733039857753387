/* data plane */
/* Where each block of a region expects its values: its first edge fixes that. See region.h. */
#include "translator/regalloc/region.h"

#include "translator/ir/arena.h"

enum { RESERVE = 2 }; /* registers of a class that a loop's head leaves for temporaries */

static bool class_of(const Ra *ra, uint32_t value)
{
    return ra_region_class(ra, ra->value[value].type) != ra->target->gprs;
}

/* -- the values that a block wants ------------------------------------------------------------- */

void ra_region_each_live_in(Ra *ra, uint32_t b, RegionValueFn *fn, void *opaque)
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

/* Phis that only observers want take a register in those parts of the loop only that haven't made
 * what they get next. So n of them have room if, wherever more than n are alive, there is room for
 * n. */
static int room_for_phis(const RaBlock *x, unsigned cls, int regs, int soft_through, int phis)
{
    for (int n = 0; n <= RA_HARD_MAX; n++) {
        int hard = n < RA_HARD_MAX ? n : x->pressure[cls];
        int soft = x->soft_beside[cls][n] - soft_through;
        if (soft > 0 && hard + soft > regs && regs - hard < phis)
            phis = regs - hard;
    }
    return phis;
}

/* How many registers of the class the head has for values that the loop doesn't use. */
static int spare(Ra *ra, const Fix *f, unsigned cls)
{
    const RaRegion *rg = ra->region;
    const RaBlock *x = &rg->block[f->to];
    const uint32_t *dist = ra_region_dist_in(rg, f->to);
    int through = 0, soft_through = 0, phis = 0;
    for (uint32_t g = 1; g <= rg->n_globals; g++) {
        uint32_t value = rg->value_of[g];
        if (dist[g] == RA_FAR || dist[g] < RA_LEAVES_LOOP || ra->value[value].constant ||
            class_of(ra, value) != cls)
            continue;
        bool soft = dist[g] >= RA_SOFT_USE, phi = soft && rg->def_block[g] == f->to;
        phis += phi;
        soft_through += soft && !phi;
        through += !soft;
    }
    int regs = __builtin_popcount(cls ? ra->target->xmms : ra->target->gprs) - RESERVE + through;
    int room = regs - x->pressure[cls], for_phis = room_for_phis(x, cls, regs, soft_through, phis);
    return room > for_phis ? room : for_phis;
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

/* A phi's memory: its variable's, if its argument is there already or nothing is, or the slot that
 * the argument has and leaves to it. */
static int16_t phi_memory(Ra *ra, uint32_t b, uint32_t value, uint32_t arg)
{
    const RaBlock *x = &ra->region->block[b];
    const RaValue *v = &ra->value[value];
    int16_t mem = ra->value[arg].mem;
    unsigned var = v->insn ? v->hint_var : (value - ra->unit->n_insns) % ra->n_vars;
    bool there = (!v->insn || v->has_var) && mem == (RA_MEM_VAR | (int)var) &&
                 ra_fits_var(ra, v, var);
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
        if (ra_has_bit(x->merged, var) && x->in[var] == value) {
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

/* What comes back to the phi wants its register or its place in the state, even if a later put has
 * made its own needless; and so does what that is joined from. */
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
    } else if (p->mem != RA_MEM_NONE && p->mem & RA_MEM_VAR) {
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
    RaRegion *rg = ra->region;
    for (unsigned k = 0; k < x->n_places; k++) {
        const RaPlace *p = &x->place[k];
        if (p->value != value || (p->reg == REG_NONE && rg->phi_form != IR_FORM_PLAIN))
            continue;
        hint_to_phi(ra, p, arg, HINT_DEPTH);
        /* A slot that more than two have needn't be free in between. */
        if (p->reg == REG_NONE && ra->value[arg].insn && arg != value)
            rg->phi_of[rg->global_of[arg]] = value;
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

void ra_region_fix_state(Ra *ra, uint32_t from, uint32_t to)
{
    RaRegion *rg = ra->region;
    RaBlock *x = &rg->block[to];
    Fix f = { .to = to, .from = from, .merge = x->n_preds > 1 };
    x->place = arena_alloc_raw(ra->unit->arena, (rg->n_globals + 1) * sizeof *x->place);
    x->fixed = true;
    ra_region_each_live_in(ra, to, place_live_in, &f);
    for (unsigned c = 0; x->head && c < 2; c++) {
        f.room[c] = spare(ra, &f, c);
        make_room(ra, &f, c, &f.room[c]);
    }
    ra_region_each_phi(ra, to, from, place_phi, &f);
    if (x->head) {
        ra_region_each_live_in(ra, to, load_used, &f);
        store_ahead(ra, &f, f.room);
    }
    f.soft = true;
    ra_region_each_phi(ra, to, from, place_phi, &f);
    compact(x);
    for (unsigned p = 0; p < x->n_preds; p++)
        if (x->pred[p] != from)
            ra_region_each_phi(ra, to, x->pred[p], hint_arg, x);
}
