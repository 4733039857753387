/* data plane */
/*
 * The optimizing tier's driver. Baseline units that loops and calls come by count their entries
 * (Vcpu.profile): what is behind jumps back, calls, indirect branches and regions. One that is hot
 * leaves to C. For a moment its thread looks at where branches go (branch-profile.h); then a region
 * is made that starts at the unit's pc and takes its place: in the unit table
 * and in all links, so a loop that is running enters its region at its next iteration. Threads that
 * are inside the old unit run on to its next exit.
 */
#include <string.h>

#include "translator/opt/opt.h"
#include "translator/region/region.h"
#include "translator/runtime/branch-profile.h"
#include "translator/runtime/critical.h"
#include "translator/runtime/runtime.h"
#include "translator/runtime/stored.h"
#include "translator/runtime/tier-source.h"

enum { DEFAULT_THRESHOLD = 16000, ENTRY_INSNS = 8,
       WORTH = 8000000, WORTH_BUSY = 2000000, WORTH_STORED = 200000,
       LOOK = 64, LOOK_HOT = 256, LOOK_STORED = 1024, LOOK_AT_ONCE = 128 };
/* What a process spends on regions that are worth it only because others get them, too. */
enum { SPEND_NS = 200000000, SPEND_SHARE = 16 };

void tier_init(Translator *t, const TranslatorConfig *config)
{
    uint32_t threshold = config->tier_threshold ? config->tier_threshold : DEFAULT_THRESHOLD;
    t->tier_at_once = config->tier_threshold;
    t->tier = config->one_insn || !t->backend->regions ? TIER_BASELINE : config->tier;
    /* At least two entries: then the counter doesn't overflow twice running. */
    t->tier_step = (uint32_t)((((uint64_t)1 << 32) - 1) / (threshold < 2 ? 2 : threshold) + 1);
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

/* `with`: only if there is a block at that pc. `rebuilt`: how often it has been made again. */
static CompiledUnit *translate(Translator *t, Vcpu *v, GuestAddr pc, GuestAddr with,
                               unsigned rebuilt)
{
    Region region;
    TierSource source;
    arena_reset(t->arena);
    const RegionSource *src = tier_source(&source, t, v, with);
    if (!region_discover(&region, src, pc) || !region_layout(&region) ||
        !has_block(&region, with) || !region_lift(&region))
        return NULL;
    region.unit->flags |= rebuilt << IR_UNIT_REBUILT_SHIFT;
    optimize(t, region.unit);
    if (critical_look(t, region.unit) != CRITICAL_NONE)
        return NULL;
    CompiledUnit *c = t->backend->compile(t, region.unit);
    if (!c)
        return NULL;
    set_ranges(t, c, &region);
    for (CompiledUnit *old; (old = unit_table_find(t->units, pc, v->mode, 0));)
        unit_replace(t, old, c);
    translate_publish(t, c);
    return c;
}

static CompiledUnit *translate_timed(Translator *t, Vcpu *v, GuestAddr pc, GuestAddr with,
                                     unsigned rebuilt)
{
    uint64_t start = translate_cpu_ns(CLOCK_THREAD_CPUTIME_ID);
    CompiledUnit *c = translate(t, v, pc, with, rebuilt);
    t->stats.region_ns += translate_cpu_ns(CLOCK_THREAD_CPUTIME_ID) - start;
    return c;
}

CompiledUnit *tier_translate(Translator *t, Vcpu *v, GuestAddr pc)
{
    CompiledUnit *c = translate_timed(t, v, pc, pc, 0);
    t->stats.regions_refused += !c;
    return c;
}

/* Another process has come upon this before: is there a region in the store that was made again? */
static bool rebuilt_from_store(Translator *t, Vcpu *v, CompiledUnit *from)
{
    CompiledUnit *c = stored_find_region(t, v, from->pc, ir_unit_rebuilt(from->flags) + 1);
    if (!c)
        return false;
    unit_replace(t, from, c);
    stored_found_better(t, c->pc);
    stored_prefer(t, v, c);
    return true;
}

/* A region that leaves often to the hot unit was made when that side was rare: it is made again
 * with it inside. False: there is none, or it can't take the unit in. */
static bool rebuild_before(Translator *t, Vcpu *v, const CompiledUnit *u)
{
    for (const UnitLink *link = unit_incoming(u); link;
         link = unit_at(link, link->next_incoming)) {
        CompiledUnit *from = link_from(link);
        unsigned rebuilt = ir_unit_rebuilt(from->flags);
        if (!(from->flags & IR_UNIT_REGION) || from->invalid || from->mode != u->mode ||
            rebuilt == IR_UNIT_REBUILT_MOST || from->pc == u->pc)
            continue;
        if (rebuilt_from_store(t, v, from))
            return true;
        if (!translate_timed(t, v, from->pc, u->pc, rebuilt + 1))
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
    CompiledUnit *region = u->flags & IR_UNIT_REGION ? u : stored_find_region(t, v, u->pc, 0);
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

/* A big program would spend most of its first run on them. */
static bool spends_for_others(const Translator *t)
{
    return t->stored &&
           (t->stats.region_ns < SPEND_NS ||
            t->stats.region_ns < translate_cpu_ns(CLOCK_PROCESS_CPUTIME_ID) / SPEND_SHARE);
}

/* So many guest instructions a unit executes before it is hot: what is saved by a region would have
 * paid for it by then, about; if it wouldn't, it may never pay. Sooner in a loop that runs now, and
 * where there is a store, which will give the region to others, too. */
static uint64_t worth(const Translator *t, bool busy)
{
    if (spends_for_others(t))
        return WORTH_STORED;
    return busy ? WORTH_BUSY : WORTH;
}

/* Warm: its branches are worth looking at, so that by the time that it is hot they have been seen
 * at several times. With a store many processes end between, and would look in vain. */
typedef enum Heat { COLD, WARM, HOT } Heat;

/* The unit has been entered as often as the counters count, once more. A stored one is known by its
 * chunk only until that happens for the first time, but to who records what it runs: that one must
 * not find hot what nobody else does. */
static Heat heat(const Translator *t, Vcpu *v, CompiledUnit *u)
{
    uint64_t wanted = worth(t, is_busy(v, u->pc));
    u->tier_asked += u->tier_asked != UINT16_MAX;
    unsigned times = u->tier_asked - (u->stored && stored_records(t));
    uint64_t entries = (uint64_t)(UINT32_MAX / t->tier_step) * times;
    uint64_t done = entries * (u->n_guest_insns + ENTRY_INSNS);
    if (t->tier_at_once || done >= wanted)
        return HOT;
    return done >= wanted / 4 * (t->stored ? 3 : 1) ? WARM : COLD;
}

/* So many blocks are looked at right before the region is made. */
static unsigned last_look(const Translator *t)
{
    return t->tier_at_once ? LOOK_AT_ONCE : t->stored ? LOOK_STORED : LOOK_HOT;
}

static void make_region(Translator *t, Vcpu *v, CompiledUnit *u)
{
    if (!tier_translate(t, v, u->pc))
        u->tier_tried = true;
}

void tier_up(Translator *t, Vcpu *v)
{
    CompiledUnit *u = unit_table_find(t->units, vcpu_pc(v), v->mode, IR_UNIT_COUNTED);
    if (!u || region_from_store(t, v, u) || u->tier_tried)
        return;
    switch (heat(t, v, u)) {
    case COLD:
        break;
    case WARM:
        branch_profile_begin(v, u->pc, LOOK, false);
        break;
    case HOT:
        if (rebuild_before(t, v, u))
            break;
        if (!branch_profile_begin(v, u->pc, last_look(t), true))
            make_region(t, v, u);
        break;
    }
}

void tier_profiled(Translator *t, Vcpu *v)
{
    CompiledUnit *u = unit_table_find(t->units, v->branches->pc, v->mode, IR_UNIT_COUNTED);
    if (u && v->branches->hot && v->mode == v->branches->mode && !(u->flags & IR_UNIT_REGION) &&
        !u->tier_tried)
        make_region(t, v, u);
}

/* At once: it was worth making, and what is put in its place may not get hot again in any of many
 * short processes, which would all come upon the stored one that is wrong. */
void tier_make_again(Translator *t, Vcpu *v, GuestAddr pc, uint32_t flags)
{
    if (t->tier != TIER_AUTO || !t->stored)
        return;
    CompiledUnit *u = stored_find_region(t, v, pc, 0);
    if (u && (u->flags & flags) == flags) {
        stored_found_better(t, pc);
        stored_prefer(t, v, u);
    } else {
        tier_translate(t, v, pc);
    }
}
