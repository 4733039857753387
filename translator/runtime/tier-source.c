/* data plane */
#include "translator/runtime/tier-source.h"

#include "translator/runtime/branch-profile.h"
#include "translator/runtime/runtime.h"
#include "translator/runtime/stored.h"

enum { MAX_BLOCKS = 64, MAX_INSNS = 512, MAX_IR = 6000, MAX_INLINED = 48, MAX_DEPTH = 4,
       MAX_BELOW = 64, MAX_BEHIND = 128,
       SEEN_ENOUGH = 24, SEEN_RARE = 64, SEEN_LIKELY = 3, SEEN_MIXED = 32 };

static bool copy_page(void *opaque, RegionPage *p)
{
    TierSource *s = opaque;
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

static bool is_known(const TierSource *s, GuestAddr pc)
{
    return unit_table_find(s->t->units, pc, s->v->mode, 0) || stored_knows(s->t, s->v, pc);
}

/* How often the branch has been seen to go each way; false: not often enough to tell. */
static bool see_branch(const TierSource *s, const RegionBlock *b, uint32_t n[2])
{
    for (unsigned k = 0; k < 2; k++)
        n[k] = branch_profile_count(s->v, b->next, b->target[k]);
    return b->target[0] != b->target[1] && n[0] + n[1] >= SEEN_ENOUGH;
}

/* A side that was hardly ever seen stays outside. Where the branch wasn't looked at, what it falls
 * through to is taken to be executed; what it jumps to, if something has been translated there. */
static bool taken(void *opaque, const RegionBlock *b, unsigned n)
{
    const TierSource *s = opaque;
    uint32_t seen[2];
    GuestAddr to = b->target[n];
    if (to != s->with && see_branch(s, b, seen))
        return seen[n] * SEEN_RARE >= seen[0] + seen[1];
    if (s->t->tier == TIER_OPTIMIZE || to - b->branch_pc <= s->t->isa->max_insn_bytes)
        return true;
    return is_known(s, to);
}

static unsigned odds(void *opaque, const RegionBlock *b)
{
    uint32_t seen[2];
    if (!see_branch(opaque, b, seen))
        return 0;
    unsigned more = seen[1] > seen[0], less = seen[!more];
    unsigned likely = more ? IR_BRC_LIKELY_FALSE : IR_BRC_LIKELY_TRUE;
    return (seen[more] > SEEN_LIKELY * less ? likely : 0) |
           (less * SEEN_MIXED >= seen[more] ? IR_BRC_MIXED : 0);
}

/* How often the code there has been entered, as far as that is known. */
static uint32_t entries(const TierSource *s, GuestAddr pc)
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
    const TierSource *s = opaque;
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
    const TierSource *s = opaque;
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
    TierSource *s = opaque;
    return units_hint(s->t, pc);
}

const RegionSource *tier_source(TierSource *s, Translator *t, Vcpu *v, GuestAddr with)
{
    *s = (TierSource){ .t = t, .v = v, .with = with, .source = {
        .isa = t->isa, .cpu_model = t->cpu_model, .mode = v->mode, .arena = t->arena,
        .limits = { MAX_BLOCKS, MAX_INSNS, MAX_IR, MAX_INLINED, MAX_DEPTH, MAX_BELOW,
                    MAX_BEHIND },
        .page = copy_page, .taken = taken, .odds = odds, .targets = targets, .hot = hot,
        .returns = returns, .usual = usual, .hint = hint, .opaque = s,
    } };
    return &s->source;
}
