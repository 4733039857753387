/* data plane */
/* What is live where in a region, and how far its next use is: see region.h. */
#include "translator/regalloc/region.h"

#include <string.h>

#include "translator/guest/isa.h"
#include "translator/ir/arena.h"

static void *zeroed(const Ra *ra, size_t n, size_t bytes)
{
    return arena_alloc(ra->unit->arena, n * bytes);
}

/* -- blocks ------------------------------------------------------------------------------------ */

static unsigned successors(const IrBlock *b, uint32_t *ret)
{
    unsigned n = 0;
    if (b->succ[0])
        ret[n++] = b->succ[0] - 1;
    if (b->succ[1] && b->succ[1] != b->succ[0])
        ret[n++] = b->succ[1] - 1;
    return n;
}

static void find_preds(Ra *ra)
{
    RaRegion *rg = ra->region;
    const IrUnit *u = ra->unit;
    uint32_t s[2];
    for (uint32_t b = 0; b < u->n_blocks; b++)
        for (unsigned n = successors(&u->block[b], s); n-- > 0;)
            rg->block[s[n]].n_preds++;
    for (uint32_t b = 0; b < u->n_blocks; b++) {
        rg->block[b].pred = zeroed(ra, rg->block[b].n_preds + 1, sizeof(uint32_t));
        rg->block[b].n_preds = 0;
    }
    for (uint32_t b = 0; b < u->n_blocks; b++)
        for (unsigned n = successors(&u->block[b], s); n-- > 0;) {
            RaBlock *t = &rg->block[s[n]];
            t->pred[t->n_preds++] = b;
        }
}

/* The natural loop of a head: what reaches its back edges without it. Heads come in layout order,
 * outer ones first. */
static void find_loop(Ra *ra, uint32_t head, uint32_t *stack, uint8_t *in)
{
    RaRegion *rg = ra->region;
    RaBlock *h = &rg->block[head];
    unsigned n = 0;
    memset(in, 0, rg->n_blocks);
    in[head] = 1;
    for (unsigned p = 0; p < h->n_preds; p++)
        if (h->pred[p] >= head && !in[h->pred[p]]) {
            in[h->pred[p]] = 1;
            stack[n++] = h->pred[p];
        }
    while (n) {
        RaBlock *b = &rg->block[stack[--n]];
        for (unsigned p = 0; p < b->n_preds; p++)
            if (!in[b->pred[p]]) {
                in[b->pred[p]] = 1;
                stack[n++] = b->pred[p];
            }
    }
    h->outer = h->loop;
    h->inner = true;
    if (h->outer)
        rg->block[h->outer - 1].inner = false;
    for (uint32_t b = 0; b < rg->n_blocks; b++)
        if (in[b]) {
            rg->block[b].loop = head + 1;
            rg->block[b].depth++;
        }
}

static void find_loops(Ra *ra)
{
    RaRegion *rg = ra->region;
    uint32_t *stack = zeroed(ra, rg->n_blocks, sizeof *stack);
    uint8_t *in = zeroed(ra, rg->n_blocks, 1);
    for (uint32_t b = 0; b < rg->n_blocks; b++) {
        RaBlock *h = &rg->block[b];
        for (unsigned p = 0; p < h->n_preds; p++)
            h->head |= h->pred[p] >= b;
        if (h->head)
            find_loop(ra, b, stack, in);
    }
}

static bool leaves_loop(const RaRegion *rg, uint32_t from, uint32_t to)
{
    uint32_t loop = rg->block[from].loop;
    if (!loop)
        return false;
    for (uint32_t l = rg->block[to].loop; l; l = rg->block[l - 1].outer)
        if (l == loop)
            return false;
    return true;
}

/* -- variables --------------------------------------------------------------------------------- */

static void set_bit(uint64_t *set, unsigned n) { set[n / 64] |= 1ull << n % 64; }
static void clear_bit(uint64_t *set, unsigned n) { set[n / 64] &= ~(1ull << n % 64); }

/* [1]: the lazy ones too */
static void all_vars(const Ra *ra, uint64_t ret[2][RA_VAR_WORDS])
{
    memset(ret, 0, 2 * sizeof *ret);
    for (unsigned v = 0; v < ra->n_vars; v++) {
        set_bit(ret[1], v);
        if (!(ra->vars[v].flags & IR_VAR_LAZY))
            set_bit(ret[0], v);
    }
}

static void add_set(uint64_t *set, const uint64_t *more)
{
    for (unsigned w = 0; w < RA_VAR_WORDS; w++)
        set[w] |= more[w];
}

static void kill_lazy(const Ra *ra, uint64_t *set)
{
    for (unsigned w = 0; w < RA_VAR_WORDS; w++)
        set[w] &= ~ra->target->entry.lazy[w];
}

/* Backwards over one block: which variables may be looked at before they are put. */
static void vars_through(const Ra *ra, uint32_t b, const uint64_t all[2][RA_VAR_WORDS],
                         uint64_t *set)
{
    const IrUnit *u = ra->unit;
    for (IrRef r = u->block[b].last; r; r = u->insn[r].prev) {
        const IrInsn *i = &u->insn[r];
        if (i->op == IR_put) {
            clear_bit(set, i->imm);
        } else if (i->op == IR_get) {
            set_bit(set, i->imm);
        } else if (ra_prepare_observes(ra, i)) {
            bool lazy_dead = ra_lazy_dead(i);
            if (ra_prepare_writes_vars(ra, i))
                memset(set, 0, RA_VAR_WORDS * sizeof *set);
            else if (lazy_dead && ir_op_info[i->op].flags & IR_OPF_Z)
                kill_lazy(ra, set);
            add_set(set, all[!(ir_op_info[i->op].flags & IR_OPF_M) && !lazy_dead]);
        }
    }
}

/* Backward problems: the blocks whose successors have changed since they were looked at. */
static bool *due_blocks(const Ra *ra)
{
    bool *due = arena_alloc_raw(ra->unit->arena, ra->region->n_blocks);
    memset(due, true, ra->region->n_blocks);
    return due;
}

/* True: one of them doesn't come before b in the order backwards. */
static bool be_due(const RaBlock *x, uint32_t b, bool *due)
{
    bool again = false;
    for (unsigned p = 0; p < x->n_preds; p++) {
        due[x->pred[p]] = true;
        again |= x->pred[p] >= b;
    }
    return again;
}

static void find_live_vars(Ra *ra)
{
    RaRegion *rg = ra->region;
    uint64_t all[2][RA_VAR_WORDS];
    all_vars(ra, all);
    bool *due = due_blocks(ra);
    for (bool again = true; again;) {
        again = false;
        for (uint32_t b = rg->n_blocks; b-- > 0;) {
            RaBlock *x = &rg->block[b];
            uint32_t s[2];
            uint64_t set[RA_VAR_WORDS] = { 0 };
            if (!due[b])
                continue;
            due[b] = false;
            for (unsigned n = successors(&ra->unit->block[b], s); n-- > 0;)
                add_set(set, rg->block[s[n]].live_in);
            memcpy(x->live_out, set, sizeof set);
            vars_through(ra, b, all, set);
            if (memcmp(set, x->live_in, sizeof set)) {
                memcpy(x->live_in, set, sizeof set);
                again |= be_due(x, b, due);
            }
        }
    }
}

static void find_puts(Ra *ra)
{
    const IrUnit *u = ra->unit;
    uint64_t all[2][RA_VAR_WORDS];
    all_vars(ra, all);
    for (uint32_t b = 0; b < u->n_blocks; b++)
        for (IrRef r = u->block[b].first; r; r = u->insn[r].next) {
            if (u->insn[r].op == IR_put)
                set_bit(ra->region->block[b].puts, u->insn[r].imm);
            else if (ra_prepare_writes_vars(ra, &u->insn[r]))
                add_set(ra->region->block[b].puts, all[1]);
        }
}

/* Variables that predecessors leave with different values: of a loop's head, those that the loop
 * puts. */
static void find_merged(Ra *ra, uint32_t b, uint64_t *set)
{
    RaRegion *rg = ra->region;
    RaBlock *x = &rg->block[b];
    const RaBlock *first = NULL;
    for (unsigned p = 0; p < x->n_preds; p++) {
        const RaBlock *from = &rg->block[x->pred[p]];
        if (x->pred[p] >= b)
            continue;
        if (!first)
            first = from;
        for (unsigned v = 0; v < ra->n_vars; v++)
            if (from->out[v] != first->out[v] || from->out_form[v] != first->out_form[v])
                set_bit(set, v);
    }
    for (uint32_t l = b; x->head && l < rg->n_blocks; l++) {
        uint32_t loop = rg->block[l].loop;
        while (loop && loop != b + 1)
            loop = rg->block[loop - 1].outer;
        for (unsigned w = 0; loop && w < RA_VAR_WORDS; w++)
            set[w] |= rg->block[l].puts[w];
    }
    for (unsigned w = 0; w < RA_VAR_WORDS; w++)
        set[w] &= x->live_in[w];
}

/* The values of variables at a block's start: into ra->binding. */
static void bind_block(Ra *ra, uint32_t b)
{
    RaRegion *rg = ra->region;
    RaBlock *x = &rg->block[b];
    size_t bytes = ra->n_vars * sizeof(uint32_t);
    if (b) {
        const uint32_t *from = rg->block[0].in; /* unreachable: anything */
        const uint8_t *form = rg->block[0].in_form;
        for (unsigned p = x->n_preds; p-- > 0;)
            if (x->pred[p] < b) {
                from = rg->block[x->pred[p]].out;
                form = rg->block[x->pred[p]].out_form;
            }
        memcpy(ra->binding, from, bytes);
        bool any = false;
        if (x->n_preds > 1)
            find_merged(ra, b, x->merged);
        for (unsigned w = 0; w < RA_VAR_WORDS; w++)
            any |= x->merged[w] != 0;
        if (any) {
            uint32_t set = ra->unit->n_insns + ++ra->n_var_calls * ra->n_vars;
            ra_prepare_set(ra, set);
            memcpy(ra->binding, from, bytes);
            for (unsigned v = 0; v < ra->n_vars; v++)
                if (ra_has_bit(x->merged, v))
                    ra->binding[v] = set + v;
        }
        for (unsigned v = 0; v < ra->n_vars; v++)
            ra->form[v] = ra_has_bit(x->merged, v) ? IR_FORM_PLAIN : form[v];
    }
    x->n_sets = ra->n_var_calls;
    x->in = zeroed(ra, ra->n_vars, sizeof(uint32_t));
    memcpy(x->in, ra->binding, bytes);
    x->in_form = zeroed(ra, ra->n_vars, 1);
    memcpy(x->in_form, ra->form, ra->n_vars);
}

static void walk_blocks(Ra *ra, const IrRef *pair)
{
    RaRegion *rg = ra->region;
    RaWalk walk = { 0 };
    for (uint32_t b = 0; b < rg->n_blocks; b++) {
        RaBlock *x = &rg->block[b];
        bind_block(ra, b);
        x->first_pos = walk.pos + 1;
        walk.last_observed = walk.last_exit = walk.pos;
        memset(ra->changed, 0, sizeof ra->changed);
        ra_prepare_block(ra, b, &walk, pair);
        x->last_pos = walk.pos;
        x->out = zeroed(ra, ra->n_vars, sizeof(uint32_t));
        memcpy(x->out, ra->binding, ra->n_vars * sizeof(uint32_t));
        x->out_form = zeroed(ra, ra->n_vars, 1);
        memcpy(x->out_form, ra->form, ra->n_vars);
    }
    rg->block_at = zeroed(ra, walk.pos + 1, sizeof(uint32_t));
    rg->put_at = zeroed(ra, walk.pos + 1, 1);
    for (uint32_t b = 0; b < rg->n_blocks; b++) {
        uint32_t pos = rg->block[b].first_pos;
        for (IrRef r = ra->unit->block[b].first; r; r = ra->unit->insn[r].next, pos++) {
            rg->block_at[pos] = b;
            rg->put_at[pos] = ra->unit->insn[r].op == IR_put;
        }
    }
}

/* -- phis -------------------------------------------------------------------------------------- */

static unsigned pred_index(const RaBlock *x, uint32_t pred)
{
    unsigned n = 0;
    while (n < x->n_preds && x->pred[n] != pred)
        n++;
    return n;
}

void ra_region_each_phi(Ra *ra, uint32_t block, uint32_t pred, RegionPhiFn *fn, void *opaque)
{
    const IrUnit *u = ra->unit;
    const RaBlock *x = &ra->region->block[block];
    unsigned n = pred_index(x, pred);
    ra->region->phi_form = IR_FORM_PLAIN;
    for (IrRef r = u->block[block].first; r; r = u->insn[r].next) {
        const IrInsn *i = &u->insn[r];
        if (i->op == IR_phi)
            fn(ra, opaque, r, ra->alias[u->phi_arg[i->imm + n]]);
        else if (i->op != IR_phi && i->op != IR_nop && i->op != IR_insn)
            break;
    }
    for (unsigned w = 0; w < RA_VAR_WORDS; w++)
        for (uint64_t m = x->merged[w]; m; m &= m - 1) {
            unsigned v = w * 64 + __builtin_ctzll(m);
            ra->region->phi_form = ra->region->block[pred].out_form[v];
            fn(ra, opaque, x->in[v], ra->region->block[pred].out[v]);
        }
}

/* -- values that cross blocks ------------------------------------------------------------------ */

static void make_global(Ra *ra, uint32_t value)
{
    RaRegion *rg = ra->region;
    if (!rg->global_of[value])
        rg->global_of[value] = ++rg->n_globals;
}

static uint32_t *def_blocks(Ra *ra)
{
    RaRegion *rg = ra->region;
    uint32_t *def = zeroed(ra, ra->n_values, sizeof *def);
    const IrUnit *u = ra->unit;
    uint32_t set = 0; /* the first that is the block's: one of its own, those of its calls */
    for (uint32_t b = 0; b < rg->n_blocks; b++) {
        uint32_t end = rg->block[b].n_sets;
        for (IrRef r = u->block[b].first; r; r = u->insn[r].next) {
            def[r] = b;
            end += ra_prepare_writes_vars(ra, &u->insn[r]);
        }
        for (; set <= end; set++)
            for (unsigned v = 0; v < ra->n_vars; v++)
                def[u->n_insns + set * ra->n_vars + v] = b;
    }
    return def;
}

static void global_phi(Ra *ra, void *opaque, uint32_t value, uint32_t arg)
{
    (void)opaque;
    make_global(ra, value);
    make_global(ra, arg);
}

static void find_globals(Ra *ra)
{
    RaRegion *rg = ra->region;
    uint32_t *def = def_blocks(ra);
    rg->global_of = zeroed(ra, ra->n_values, sizeof(uint32_t));
    for (uint32_t value = 1; value < ra->n_values; value++) {
        if (value < ra->unit->n_insns && (ra->alias[value] != value || !ra->value[value].insn))
            continue;
        if (value >= ra->unit->n_insns &&
            value >= ra->unit->n_insns + (ra->n_var_calls + 1) * ra->n_vars)
            break;
        for (uint32_t n = ra->value[value].use; n; n = ra->uses[n].next)
            if (rg->block_at[ra->uses[n].pos] != def[value]) {
                make_global(ra, value);
                break;
            }
    }
    for (uint32_t b = 0; b < rg->n_blocks; b++) {
        RaBlock *x = &rg->block[b];
        for (unsigned v = 0; v < ra->n_vars; v++) {
            if (ra_has_bit(x->live_in, v))
                make_global(ra, x->in[v]);
            if (ra_has_bit(x->live_out, v))
                make_global(ra, x->out[v]);
        }
        for (unsigned p = 0; p < x->n_preds; p++)
            ra_region_each_phi(ra, b, x->pred[p], global_phi, NULL);
    }
    rg->value_of = zeroed(ra, rg->n_globals + 1, sizeof(uint32_t));
    rg->def_block = zeroed(ra, rg->n_globals + 1, sizeof(uint32_t));
    rg->home = zeroed(ra, rg->n_globals + 1, sizeof(uint32_t));
    rg->last_block = zeroed(ra, rg->n_globals + 1, sizeof(uint32_t));
    rg->slot = zeroed(ra, rg->n_globals + 1, sizeof(int16_t));
    rg->out = zeroed(ra, rg->n_globals + 1, sizeof(uint32_t));
    rg->soft = zeroed(ra, rg->n_globals + 1, sizeof(uint32_t));
    rg->phi_of = zeroed(ra, rg->n_globals + 1, sizeof(uint32_t));
    memset(rg->slot, 0xff, (rg->n_globals + 1) * sizeof(int16_t));
    for (uint32_t value = 0; value < ra->n_values; value++)
        if (rg->global_of[value]) {
            rg->value_of[rg->global_of[value]] = value;
            rg->def_block[rg->global_of[value]] = def[value];
            rg->home[rg->global_of[value]] = ra->value[value].constant ? RA_FAR : def[value];
        }
}

/* -- distances --------------------------------------------------------------------------------- */

typedef struct EdgeUse { uint32_t to, *out; } EdgeUse;

static void use_on_edge(Ra *ra, void *opaque, uint32_t value, uint32_t arg)
{
    const EdgeUse *e = opaque;
    const RaRegion *rg = ra->region;
    bool hard = ra_region_dist_in(rg, e->to)[rg->global_of[value]] < RA_SOFT_USE;
    uint32_t far = hard ? 0 : RA_SOFT_USE, *d = &e->out[rg->global_of[arg]];
    if (far < *d)
        *d = far;
}

static uint32_t edge_penalty(const Ra *ra, uint32_t from, uint32_t to)
{
    const IrInsn *last = &ra->unit->insn[ra->unit->block[from].last];
    uint32_t far = leaves_loop(ra->region, from, to) ? RA_LEAVES_LOOP : 0;
    if (last->op == IR_brc) {
        bool yes = (uint32_t)last->imm == to;
        if (last->attr & (yes ? IR_BRC_LIKELY_FALSE : IR_BRC_LIKELY_TRUE))
            far += RA_UNLIKELY;
    }
    return far;
}

static uint32_t *dist_of(const RaRegion *rg, uint32_t b)
{
    return rg->dist + (size_t)b * (rg->n_globals + 1);
}

/* The loops over all values are worth vector instructions. */
#define VECTORIZED __attribute__((optimize("tree-vectorize", "vect-cost-model=dynamic")))

/* `home`: in which block each value is made, so that it isn't looked for at that one's start. */
VECTORIZED static void nearer(uint32_t *restrict out, const uint32_t *restrict in,
                              const uint32_t *restrict home, uint32_t n, uint32_t to, uint32_t far)
{
    for (uint32_t g = 0; g < n; g++) {
        uint32_t d = in[g] + far < RA_MAX_DISTANCE ? in[g] + far : RA_MAX_DISTANCE;
        d = in[g] == RA_FAR || home[g] == to ? RA_FAR : d;
        out[g] = d < out[g] ? d : out[g];
    }
}

/* Distances from the end of a block. */
static void dist_out(Ra *ra, uint32_t b, uint32_t *out)
{
    RaRegion *rg = ra->region;
    uint32_t s[2];
    memset(out, 0xff, (rg->n_globals + 1) * sizeof *out);
    for (unsigned n = successors(&ra->unit->block[b], s); n-- > 0;) {
        nearer(out, dist_of(rg, s[n]), rg->home, rg->n_globals + 1, s[n],
               edge_penalty(ra, b, s[n]));
        EdgeUse e = { s[n], out };
        ra_region_each_phi(ra, s[n], b, use_on_edge, &e);
    }
    out[0] = RA_FAR;
}

void ra_region_dist_out(Ra *ra, uint32_t b) { dist_out(ra, b, ra->region->out); }

/* First uses in a block; a put alone is a soft one. What is said of a block where the value itself
 * is made is good for phis only; dist_out() doesn't look at it. */
static void first_uses(Ra *ra)
{
    RaRegion *rg = ra->region;
    for (uint32_t g = 1; g <= rg->n_globals; g++)
        for (uint32_t n = ra->value[rg->value_of[g]].use; n; n = ra->uses[n].next) {
            uint32_t pos = ra->uses[n].pos, b = rg->block_at[pos], *d = &dist_of(rg, b)[g];
            uint32_t far = rg->put_at[pos] ? RA_SOFT_USE : pos - rg->block[b].first_pos;
            if (far < *d)
                *d = far;
        }
}

VECTORIZED static bool pass_through(uint32_t *restrict in, const uint32_t *restrict out, uint32_t n,
                                    uint32_t length)
{
    uint32_t changed = 0;
    for (uint32_t g = 0; g < n; g++) {
        uint32_t d = out[g] + length < RA_MAX_DISTANCE ? out[g] + length : RA_MAX_DISTANCE;
        d = out[g] == RA_FAR || in[g] < length || in[g] < d ? in[g] : d;
        changed |= in[g] ^ d;
        in[g] = d;
    }
    return changed != 0;
}

static void find_distances(Ra *ra)
{
    RaRegion *rg = ra->region;
    size_t n = (size_t)rg->n_blocks * (rg->n_globals + 1);
    rg->dist = arena_alloc_raw(ra->unit->arena, n * sizeof *rg->dist);
    memset(rg->dist, 0xff, n * sizeof *rg->dist);
    first_uses(ra);
    bool *due = due_blocks(ra);
    for (bool again = true; again;) {
        again = false;
        for (uint32_t b = rg->n_blocks; b-- > 0;) {
            const RaBlock *x = &rg->block[b];
            if (!due[b])
                continue;
            due[b] = false;
            dist_out(ra, b, rg->out);
            if (pass_through(dist_of(rg, b), rg->out, rg->n_globals + 1,
                             x->last_pos + 1 - x->first_pos))
                again |= be_due(x, b, due);
        }
    }
}

/* -- pressure, last blocks --------------------------------------------------------------------- */

static void raise(uint16_t *most, uint32_t n) { *most = *most < n ? (uint16_t)n : *most; }

static bool counts(const Ra *ra, uint32_t value) { return !ra->value[value].constant; }

static unsigned class_of(const Ra *ra, uint32_t value)
{
    return ra_region_class(ra, ra->value[value].type) != ra->target->gprs;
}

typedef struct Pressure {
    unsigned hard[2], soft[2];
    uint32_t *seen, *seen_soft, stamp; /* those that are live now have the stamp */
} Pressure;

static void note_pressure(const Pressure *p, RaBlock *x)
{
    for (unsigned c = 0; c < 2; c++) {
        unsigned hard = p->hard[c] < RA_HARD_MAX ? p->hard[c] : RA_HARD_MAX;
        raise(&x->pressure[c], p->hard[c]);
        raise(&x->soft_beside[c][hard], p->soft[c]);
    }
}

/* Before a use: what only observers want behind it is wanted now. */
static void use_hard(Ra *ra, Pressure *p, uint32_t value)
{
    if (p->seen[value] == p->stamp || !counts(ra, value))
        return;
    p->seen[value] = p->stamp;
    p->hard[class_of(ra, value)]++;
    if (p->seen_soft[value] == p->stamp) {
        p->seen_soft[value] = 0;
        p->soft[class_of(ra, value)]--;
    }
}

/* Before a value's instruction. */
static void forget(const Ra *ra, Pressure *p, uint32_t value)
{
    if (p->seen[value] == p->stamp)
        p->hard[class_of(ra, value)]--;
    else if (p->seen_soft[value] == p->stamp)
        p->soft[class_of(ra, value)]--;
    p->seen[value] = p->seen_soft[value] = 0;
}

/* Backwards over a block, from the distances in rg->out: how many values there are at once. */
static void block_pressure(Ra *ra, uint32_t b, Pressure *p)
{
    RaRegion *rg = ra->region;
    const IrUnit *u = ra->unit;
    *p = (Pressure) { .seen = p->seen, .seen_soft = p->seen_soft, .stamp = b + 1 };
    for (uint32_t g = 1; g <= rg->n_globals; g++) {
        uint32_t value = rg->value_of[g];
        if (rg->out[g] < RA_SOFT_USE) {
            use_hard(ra, p, value);
        } else if (rg->out[g] != RA_FAR && counts(ra, value)) {
            p->seen_soft[value] = p->stamp;
            p->soft[class_of(ra, value)]++;
        }
    }
    for (IrRef r = u->block[b].last; r; r = u->insn[r].prev) {
        const IrInsn *i = &u->insn[r];
        note_pressure(p, &rg->block[b]);
        if (ra->alias[r] != r || i->op == IR_put || i->op == IR_nop)
            continue;
        forget(ra, p, r);
        for (unsigned a = 0; i->op != IR_phi && a < ir_op_info[i->op].n_args; a++)
            if (i->arg[a] && ra->alias[i->arg[a]])
                use_hard(ra, p, ra->alias[i->arg[a]]);
    }
    note_pressure(p, &rg->block[b]);
}

static void last_use_in(Ra *ra, uint32_t g, uint32_t b)
{
    if (ra->region->last_block[g] < b)
        ra->region->last_block[g] = b;
}

/* From the distances in rg->out. */
static void find_last_uses(Ra *ra, uint32_t b)
{
    RaRegion *rg = ra->region;
    const RaBlock *x = &rg->block[b];
    const uint32_t *in = dist_of(rg, b);
    for (uint32_t g = 1; g <= rg->n_globals; g++)
        if (in[g] != RA_FAR || rg->out[g] != RA_FAR || rg->def_block[g] == b)
            last_use_in(ra, g, b);
    for (unsigned v = 0; v < ra->n_vars; v++) {
        if (ra_has_bit(x->live_in, v))
            last_use_in(ra, rg->global_of[x->in[v]], b);
        if (ra_has_bit(x->live_out, v))
            last_use_in(ra, rg->global_of[x->out[v]], b);
    }
}

/* Is the block entered by branches only that hardly ever go there? (Jumps back don't count; and the
 * end of a loop is as usual as the loop.) */
static bool is_cold(const Ra *ra, uint32_t b, const bool *cold)
{
    const RaBlock *x = &ra->region->block[b];
    bool any = false;
    for (unsigned p = 0; p < x->n_preds; p++) {
        if (x->pred[p] >= b)
            continue;
        if (!cold[x->pred[p]] && (leaves_loop(ra->region, x->pred[p], b) ||
                                  !(edge_penalty(ra, x->pred[p], b) & RA_UNLIKELY)))
            return false;
        any = true;
    }
    return any;
}

static void join_pressure(RaBlock *head, const RaBlock *x)
{
    for (unsigned c = 0; c < 2; c++) {
        raise(&head->pressure[c], x->pressure[c]);
        for (unsigned hard = 0; hard <= RA_HARD_MAX; hard++)
            raise(&head->soft_beside[c][hard], x->soft_beside[c][hard]);
    }
}

/* A loop's head has the greatest pressure of its loop, but for what is hardly ever executed: that
 * may push values out. */
static void find_pressure(Ra *ra)
{
    RaRegion *rg = ra->region;
    Pressure p = { .seen = zeroed(ra, ra->n_values, sizeof *p.seen),
                   .seen_soft = zeroed(ra, ra->n_values, sizeof *p.seen_soft) };
    for (uint32_t b = rg->n_blocks; b-- > 0;) {
        dist_out(ra, b, rg->out);
        block_pressure(ra, b, &p);
        find_last_uses(ra, b);
    }
    bool *cold = zeroed(ra, rg->n_blocks, sizeof *cold);
    for (uint32_t b = 0; b < rg->n_blocks; b++)
        cold[b] = is_cold(ra, b, cold);
    for (uint32_t b = rg->n_blocks; b-- > 0;)
        for (uint32_t l = rg->block[b].loop; l && !(cold[b] && !cold[l - 1]);
             l = rg->block[l - 1].outer)
            join_pressure(&rg->block[l - 1], &rg->block[b]);
}

void ra_region_prepare(Ra *ra, const IrRef *pair)
{
    RaRegion *rg = ra->region = zeroed(ra, 1, sizeof *rg);
    rg->n_blocks = ra->unit->n_blocks;
    rg->block = zeroed(ra, rg->n_blocks, sizeof *rg->block);
    ra->value[0] = (RaValue) { .reg = REG_NONE };
    memset(ra->alias, 0, ra->unit->n_insns * sizeof *ra->alias); /* some are in no block */
    ra->hintable = ra->target->gprs | ra->target->xmms;
    find_preds(ra);
    find_loops(ra);
    find_live_vars(ra);
    find_puts(ra);
    walk_blocks(ra, pair);
    find_globals(ra);
    find_distances(ra);
    find_pressure(ra);
    memcpy(ra->binding, rg->block[0].in, ra->n_vars * sizeof *ra->binding);
    memset(ra->form, 0, ra->n_vars);
}
