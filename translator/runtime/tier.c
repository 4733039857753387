/* data plane */
/*
 * The optimizing tier's driver. Baseline units that loops and calls come by count their entries
 * (Vcpu.profile): what is behind jumps back, calls, indirect branches and regions. One that is hot
 * leaves to C, and a region is made that starts at its pc and takes its place: in the unit table
 * and in all links, so a loop that is running enters its region at its next iteration. Threads that
 * are inside the old unit run on to its next exit.
 */
#include <string.h>

#include "translator/opt/opt.h"
#include "translator/region/region.h"
#include "translator/runtime/critical.h"
#include "translator/runtime/runtime.h"
#include "translator/runtime/stored.h"

enum { DEFAULT_THRESHOLD = 16000, MAX_BLOCKS = 64, MAX_INSNS = 512, MAX_IR = 6000,
       MAX_INLINED = 48, MAX_DEPTH = 4, MAX_BELOW = 64, MAX_BEHIND = 128, MAX_REBUILDS = 4,
       WORTH = 8000000, WORTH_BUSY = 2000000, WORTH_STORED = 800000, ENTRY_INSNS = 8 };

void tier_init(Translator *t, const TranslatorConfig *config)
{
    uint32_t threshold = config->tier_threshold ? config->tier_threshold : DEFAULT_THRESHOLD;
    t->tier_at_once = config->tier_threshold;
    t->tier = config->one_insn || !t->backend->regions ? TIER_BASELINE : config->tier;
    /* At least two entries: then the counter doesn't overflow twice running. */
    t->tier_step = (uint32_t)((((uint64_t)1 << 32) - 1) / (threshold < 2 ? 2 : threshold) + 1);
}

typedef struct Source {
    Translator *t;
    Vcpu *v;
} Source;

static bool copy_page(void *opaque, RegionPage *p)
{
    Source *s = opaque;
    size_t n, all = REGION_PAGE_BYTES + REGION_PAGE_MARGIN;
    p->bytes = 0;
    if (p->start - s->t->callouts_start < s->t->callouts_bytes)
        return false; /* a region's lifter knows nothing of call-outs */
    do {
        n = translate_copy_code(s->v, p->code + p->bytes, p->start + p->bytes, all - p->bytes);
        p->bytes += n;
    } while (n && p->bytes < all);
    return p->bytes != 0;
}

static bool is_known(const Source *s, GuestAddr pc)
{
    return unit_table_find(s->t->units, pc, s->v->mode, 0) || stored_knows(s->t, s->v, pc);
}

/* What a branch falls through to is taken to be executed; what it jumps to, if something has been
 * translated there. */
static bool taken(void *opaque, GuestAddr from, GuestAddr to)
{
    Source *s = opaque;
    if (s->t->tier == TIER_OPTIMIZE || to - from <= s->t->isa->max_insn_bytes)
        return true;
    return is_known(s, to);
}

/* How often the code there has been entered, as far as that is known. */
static uint32_t entries(const Source *s, GuestAddr pc)
{
    const CompiledUnit *u = unit_table_find(s->t->units, pc, s->v->mode, IR_UNIT_COUNTED);
    if (!u)
        return 0;
    return u->flags & IR_UNIT_REGION || u->tier_asked
               ? UINT32_MAX : s->v->profile[vcpu_profile_index(pc)];
}

static bool hot(void *opaque, GuestAddr pc)
{
    return entries(opaque, pc) >= UINT32_MAX / 16;
}

static bool returns(void *opaque, GuestAddr pc)
{
    const Source *s = opaque;
    return s->t->tier == TIER_OPTIMIZE || is_known(s, pc);
}

static bool usual(void *opaque, GuestAddr pc)
{
    return entries(opaque, pc) >= UINT32_MAX / 2;
}

/* The targets that are hot themselves, or nearly. If there are too many, one more comparison for
 * each is dearer than the look-up. */
static unsigned targets(void *opaque, GuestAddr from, GuestAddr *ret)
{
    const Source *s = opaque;
    const GuestAddr *row = s->v->target[vcpu_target_site(from)];
    unsigned n = 0;
    for (unsigned k = 0; k < VCPU_TARGETS; k++) {
        if (!row[k] || !hot(opaque, row[k]))
            continue;
        if (n == REGION_TARGETS)
            return 0;
        ret[n++] = row[k];
    }
    return n;
}

static uint32_t hint(void *opaque, GuestAddr pc)
{
    Source *s = opaque;
    return units_hint(s->t, pc);
}

static void optimize(Translator *t, IrUnit *u)
{
    if (log_on(LOG_IR))
        dump_ir(u, "REGION OP");
    if (t->verify)
        dump_verify(u, "the lifter");
    if (!t->no_opt)
        opt_run_region(u, t->verify ? dump_verify : NULL);
    if (log_on(LOG_IR_OPT))
        dump_ir(u, "REGION OP after optimization");
}

/* The guest code that the region depends on, by page. */
static void set_ranges(Translator *t, CompiledUnit *c, const Region *r)
{
    uint64_t hash = 0;
    UnitRange *range = arena_alloc(t->unit_arena, r->n_pages * sizeof *range);
    for (unsigned n = 0; n < r->n_pages; n++) {
        const RegionPage *p = &r->page[n];
        if (p->seen_start >= p->seen_end)
            continue;
        range[c->n_ranges++] = (UnitRange){ .start = p->seen_start, .end = p->seen_end };
        hash = store_hash(p->code + (p->seen_start - p->start), p->seen_end - p->seen_start, hash);
    }
    if (c->n_ranges)
        c->range = range;
    if (unit_side(c))
        unit_side(c)->seen_hash = hash;
}

static bool has_block(const Region *r, GuestAddr pc)
{
    for (uint32_t n = 0; n < r->n_layout; n++)
        if (r->block[r->layout[n]].pc == pc)
            return true;
    return false;
}

/* `with`: only if there is a block at that pc. */
static CompiledUnit *translate(Translator *t, Vcpu *v, GuestAddr pc, GuestAddr with)
{
    Region region;
    Source s = { t, v };
    arena_reset(t->arena);
    RegionSource src = {
        .isa = t->isa, .cpu_model = t->cpu_model, .mode = v->mode, .arena = t->arena,
        .limits = { MAX_BLOCKS, MAX_INSNS, MAX_IR, MAX_INLINED, MAX_DEPTH, MAX_BELOW,
                    MAX_BEHIND },
        .page = copy_page, .taken = taken, .targets = targets, .hot = hot,
        .returns = returns, .usual = usual, .hint = hint, .opaque = &s,
    };
    if (!region_discover(&region, &src, pc) || !region_layout(&region) ||
        !has_block(&region, with) || !region_lift(&region))
        return NULL;
    optimize(t, region.unit);
    if (critical_look(t, region.unit) != CRITICAL_NONE)
        return NULL;
    CompiledUnit *c = t->backend->compile(t, region.unit);
    if (!c)
        return NULL;
    set_ranges(t, c, &region);
    for (CompiledUnit *old; (old = unit_table_find(t->units, pc, v->mode, 0));) {
        if (old->flags & IR_UNIT_REGION)
            c->rebuilds = old->rebuilds + (old->rebuilds < MAX_REBUILDS);
        unit_replace(t, old, c);
    }
    translate_publish(t, c);
    return c;
}

static CompiledUnit *translate_timed(Translator *t, Vcpu *v, GuestAddr pc, GuestAddr with)
{
    uint64_t start = translate_clock(t);
    CompiledUnit *c = translate(t, v, pc, with);
    t->stats.region_ns += translate_clock(t) - start;
    return c;
}

CompiledUnit *tier_translate(Translator *t, Vcpu *v, GuestAddr pc)
{
    CompiledUnit *c = translate_timed(t, v, pc, pc);
    t->stats.regions_refused += !c;
    return c;
}

/* A region that leaves often to the hot unit was made when that side hadn't been executed: it is
 * made again with it inside. False: there is none, or it can't take the unit in. */
static bool rebuild_before(Translator *t, Vcpu *v, const CompiledUnit *u)
{
    for (const UnitLink *link = unit_incoming(u); link;
         link = unit_at(link, link->next_incoming)) {
        const CompiledUnit *from = link_from(link);
        if (!(from->flags & IR_UNIT_REGION) || from->invalid || from->mode != u->mode ||
            from->rebuilds >= MAX_REBUILDS || from->pc == u->pc)
            continue;
        if (!translate_timed(t, v, from->pc, u->pc))
            return false;
        t->stats.regions_rebuilt++;
        return true;
    }
    return false;
}

/* What other processes found hot may lie in the store beside what they ran before that, whose jumps
 * lead to each other. */
static bool region_from_store(Translator *t, Vcpu *v, CompiledUnit *u)
{
    CompiledUnit *region = u->flags & IR_UNIT_REGION ? u : stored_find_region(t, v, u->pc);
    if (!region)
        return false;
    if (u != region)
        unit_replace(t, u, region);
    stored_prefer(t, v, region);
    return true;
}

/* Has this thread asked about the unit a moment ago? Then that is where it spends its time. */
static bool is_busy(Vcpu *v, GuestAddr pc)
{
    bool found = false;
    for (unsigned n = 0; n < VCPU_ASKED; n++)
        found |= v->asked[n] == pc;
    v->asked[v->n_asked++ % VCPU_ASKED] = pc;
    return found;
}

/* So many guest instructions a unit executes before it is hot: what is saved by a region would have
 * paid for it by then, about; if it wouldn't, it may never pay. Sooner in a loop that runs now, and
 * where there is a store, which will give the region to others, too. */
static uint64_t worth(const Translator *t, bool busy)
{
    if (t->stored)
        return WORTH_STORED;
    return busy ? WORTH_BUSY : WORTH;
}

/* The unit has been entered as often as the counters count, once more. */
static bool is_hot(const Translator *t, Vcpu *v, CompiledUnit *u)
{
    bool busy = is_busy(v, u->pc);
    u->tier_asked += u->tier_asked != UINT16_MAX;
    uint64_t entries = (uint64_t)(UINT32_MAX / t->tier_step) * u->tier_asked;
    return t->tier_at_once || entries * (u->n_guest_insns + ENTRY_INSNS) >= worth(t, busy);
}

void tier_up(Translator *t, Vcpu *v)
{
    CompiledUnit *u = unit_table_find(t->units, vcpu_pc(v), v->mode, IR_UNIT_COUNTED);
    if (!u || region_from_store(t, v, u) || u->tier_tried || !is_hot(t, v, u) ||
        rebuild_before(t, v, u))
        return;
    if (!tier_translate(t, v, u->pc))
        u->tier_tried = true;
}

/* At once: it was worth making, and what is put in its place may not get hot again in any of many
 * short processes, which would all come upon the stored one that is wrong. */
void tier_make_again(Translator *t, Vcpu *v, GuestAddr pc, uint32_t flags)
{
    if (t->tier != TIER_AUTO || !t->stored)
        return;
    CompiledUnit *u = stored_find_region(t, v, pc);
    if (u && (u->flags & flags) == flags) {
        stored_found_better(t, pc);
        stored_prefer(t, v, u);
    } else {
        tier_translate(t, v, pc);
    }
}
