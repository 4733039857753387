/* data plane */
/* See fork-notes.h. */
#include "translator/runtime/fork-notes.h"

#include "translator/memory/own-pages.h"
#include "translator/runtime/jump-cache.h"
#include "translator/runtime/stored.h"

/* Of a guest's pc, and of a link's stub if it isn't NULL. The pc is noted last: 0 is none. */
typedef struct ForkNote {
    _Atomic GuestAddr pc;
    const uint8_t *stub;
    uint64_t mode;
    unsigned generation;      /* of the code buffer when the child was forked */
} ForkNote;

enum { NOTES = 255, FORKS_UNTIL_NOTES = 2 };

struct ForkNotes {
    atomic_uint n;            /* how many have been begun; it may exceed their number */
    unsigned done;            /* the parent's */
    ForkNote note[NOTES];
};

static void note(const Translator *t, const Vcpu *v, GuestAddr pc, const uint8_t *stub)
{
    ForkNotes *f = t->noting;
    if (!pc || v->step || v->watch_flags || t->noting_generation != t->generation ||
        atomic_load_explicit(&f->n, memory_order_relaxed) >= NOTES)
        return;
    unsigned n = atomic_fetch_add_explicit(&f->n, 1, memory_order_relaxed);
    if (n >= NOTES)
        return;
    f->note[n].stub = stub;
    f->note[n].mode = v->mode;
    f->note[n].generation = t->noting_generation;
    /* Release: who sees the pc sees the rest. */
    atomic_store_explicit(&f->note[n].pc, pc, memory_order_release);
}

void fork_notes_link(Translator *t, const Vcpu *v, const UnitLink *link)
{
    const uint8_t *stub = unit_code(link_from(link)) + link_stub(link);
    /* What the child has loaded itself isn't in the parent, or elsewhere. */
    if (t->noting)
        note(t, v, link_target(link), stub < t->noting_end ? stub : NULL);
}

void fork_notes_entry(const Translator *t, const Vcpu *v, GuestAddr pc)
{
    if (t->noting)
        note(t, v, pc, NULL);
}

static UnitLink *link_of(Translator *t, const uint8_t *stub)
{
    CompiledUnit *u = cache_find(t->code, stub);
    if (!u)
        return NULL;
    if (unit_chunk(u))
        return stored_link(t, stub);
    for (uint32_t n = 0; n < u->n_links; n++)
        if (unit_code(u) + link_stub(unit_link_at(u, n)) == stub)
            return unit_link_at(u, n);
    return NULL;
}

static void follow(Translator *t, Vcpu *v, GuestAddr pc, const uint8_t *stub)
{
    UnitLink *link = stub ? link_of(t, stub) : NULL;
    uint32_t flags = t->tier == TIER_AUTO && (!link || link->counts) ? IR_UNIT_COUNTED : 0;
    CompiledUnit *u = unit_table_find(t->units, pc, v->mode, flags);
    if (!u && t->stored)
        u = stored_find(t, v, pc, flags);
    if (!u)
        return;
    if (!stub) {
        jump_cache_fill(v, u);
        return;
    }
    if (link && link_target(link) == pc && !link->to && !link_from(link)->invalid &&
        link_from(link)->mode == v->mode)
        unit_link(t, link, u);
}

static void follow_all(Translator *t, Vcpu *v, ForkNotes *f)
{
    unsigned n = atomic_load_explicit(&f->n, memory_order_relaxed);
    for (; f->done < n && f->done < NOTES; f->done++) {
        ForkNote *at = &f->note[f->done];
        GuestAddr pc = atomic_load_explicit(&at->pc, memory_order_acquire);
        if (!pc)
            break; /* its child is at it, or was killed at it */
        if (at->mode == v->mode && at->generation == t->generation)
            follow(t, v, pc, at->stub);
    }
    if (f->done < NOTES)
        return;
    for (unsigned i = 0; i < NOTES; i++)
        atomic_store_explicit(&f->note[i].pc, 0, memory_order_relaxed);
    f->done = 0;
    atomic_store_explicit(&f->n, 0, memory_order_relaxed);
}

void fork_notes_prepare(Translator *t, Vcpu *v)
{
    if (!t->code || log_on(LOG_NOCHAIN) || t->one_insn)
        return;
    if (t->noted && v)
        follow_all(t, v, t->noted);
    else if (!t->noted && ++t->forks >= FORKS_UNTIL_NOTES)
        t->noted = own_pages_map_shared(sizeof *t->noted);
}

void fork_notes_child(Translator *t)
{
    t->noting = t->noted;
    t->noting_generation = t->generation;
    t->noting_end = t->noted ? t->code->next : NULL;
    t->noted = NULL;
    t->forks = 0;
}
