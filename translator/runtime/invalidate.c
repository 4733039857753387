/* data plane */
/*
 * Links between units, and forgetting units. An invalidated unit leaves the table and the jump
 * caches and nothing links to it any more; its memory stays until a flush, for threads still in it.
 * Everything here holds the translation lock.
 */
#include "translator/runtime/critical.h"
#include "translator/runtime/jump-cache.h"
#include "translator/runtime/runtime.h"
#include "translator/runtime/stored.h"

#include <stdlib.h>
#include <time.h>

void unit_link(Translator *t, UnitLink *link, CompiledUnit *target)
{
    link->next_incoming = unit_ref(link, unit_incoming(target));
    target->incoming = unit_ref(target, link);
    /* Release: the interpreter follows it without the lock. */
    __atomic_store_n(&link->to, unit_ref(link, target), __ATOMIC_RELEASE);
    t->backend->link(t, link, target);
}

static UnitLink *take_incoming(CompiledUnit *u)
{
    UnitLink *link = unit_incoming(u);
    if (link) {
        u->incoming = unit_ref(u, unit_at(link, link->next_incoming));
        link->next_incoming = 0;
    }
    return link;
}

static void unlink_incoming(Translator *t, CompiledUnit *u)
{
    for (UnitLink *link; (link = take_incoming(u));) {
        t->backend->unlink(t, link);
        __atomic_store_n(&link->to, 0, __ATOMIC_RELAXED);
    }
}

/* Nobody finds the unit any more, nor returns into it: its code may have changed. */
static void withdraw(Translator *t, CompiledUnit *u)
{
    unit_table_remove(t->units, u);
    for (uint32_t n = 0; n < u->n_links; n++)
        if (unit_link_at(u, n)->guard)
            t->backend->close_return(t, unit_link_at(u, n));
    /* Before the purge: jump_cache_fill() looks at it after it has filled. */
    __atomic_store_n(&u->invalid, true, __ATOMIC_SEQ_CST);
    for (Vcpu *v = t->vcpus; v; v = v->next)
        jump_cache_purge(v, u->pc);
}

void unit_invalidate(Translator *t, CompiledUnit *u)
{
    withdraw(t, u);
    unlink_incoming(t, u);
    t->stats.invalidated++;
}

void unit_replace(Translator *t, CompiledUnit *old, CompiledUnit *fresh)
{
    stored_expose_unit(t, old);
    withdraw(t, old);
    for (UnitLink *link; (link = take_incoming(old));)
        unit_link(t, link, fresh);
}

static void invalidate_visited(void *opaque, CompiledUnit *u)
{
    unit_invalidate(opaque, u);
}

static void invalidate(Translator *t, GuestAddr start, uint64_t bytes, UnitVisitor fn,
                       void *opaque)
{
    uint64_t before = t->stats.invalidated;
    if (!stored_expose(t, start, bytes)) {
        units_flush(t);
        return;
    }
    unit_table_visit(t->units, start, bytes, fn, opaque);
    if (log_on(LOG_CACHE) && t->stats.invalidated != before)
        log_write("cache: %llu units in [%#llx, +%#llx) are gone\n",
                  (unsigned long long)(t->stats.invalidated - before), (unsigned long long)start,
                  (unsigned long long)bytes);
}

void units_invalidate(Translator *t, GuestAddr start, uint64_t bytes)
{
    invalidate(t, start, bytes, invalidate_visited, t);
}

void translator_invalidate(Translator *t, GuestAddr start, uint64_t bytes)
{
    translator_lock(t);
    if (t->n_critical)
        critical_forget(t, start, bytes);
    stored_unmap(t, start, bytes);
    units_invalidate(t, start, bytes);
    translator_unlock(t);
}

/* It is in translated code; and if its thread is a process of its own, that hasn't been killed. */
static bool is_in_code(const Vcpu *v)
{
    return atomic_load_explicit(&v->in_code, memory_order_seq_cst) &&
           (!v->alive || atomic_load_explicit(v->alive, memory_order_acquire));
}

/* Until v is out. Nobody tells when a process has been killed, so it is looked at from time to
 * time. */
static void wait_until_out(Translator *t, const Vcpu *v)
{
    for (;;) {
        unsigned left = atomic_load_explicit(&t->quiesce_left, memory_order_seq_cst);
        if (!is_in_code(v))
            return;
        shared_wait(&t->quiesce_left, left, v->alive);
    }
}

/* Waits until no vcpu is in translated code; they stay out until quiesce_wanted is 0. */
static void quiesce(Translator *t)
{
    atomic_store_explicit(&t->quiesce_wanted, 1, memory_order_seq_cst);
    for (Vcpu *v = t->vcpus; v; v = v->next)
        if (atomic_load_explicit(&v->in_code, memory_order_seq_cst))
            vcpu_kick_runtime(v);
    for (Vcpu *v = t->vcpus; v; v = v->next)
        wait_until_out(t, v);
}

void units_flush(Translator *t)
{
    if (log_on(LOG_CACHE))
        log_write("cache: full after %llu units, all go\n", (unsigned long long)t->stats.units);
    quiesce(t);
    unit_table_clear(t->units);
    for (Vcpu *v = t->vcpus; v; v = v->next)
        jump_cache_clear(v);
    if (t->backend->flush)
        t->backend->flush(t);
    stored_flushed(t);
    arena_reset(t->unit_arena);
    t->stats.flushes++;
    atomic_fetch_add_explicit(&t->generation, 1, memory_order_relaxed);
    atomic_store_explicit(&t->quiesce_wanted, 0, memory_order_seq_cst);
}

void translator_mend(Translator *t)
{
    if (log_on(LOG_CACHE))
        log_write("cache: a process was killed while it translated, all goes\n");
    arena_reset(t->arena);
    stored_mend(t);
    units_flush(t);
}

static bool all_out(const Translator *t)
{
    for (const Vcpu *v = t->vcpus; v; v = v->next)
        if (is_in_code(v))
            return false;
    return true;
}

/* Not quiesce(): a thread may be in a host's stop, and the process must end all the same. */
bool units_stop(Translator *t)
{
    enum { TRIES = 20, WAIT_NS = 50000 };
    for (const Vcpu *v = t->vcpus; v; v = v->next)
        if (v->alive && atomic_load_explicit(v->alive, memory_order_acquire))
            return false;
    atomic_store_explicit(&t->quiesce_wanted, 1, memory_order_seq_cst);
    for (Vcpu *v = t->vcpus; v; v = v->next)
        if (is_in_code(v))
            vcpu_kick_runtime(v);
    for (int n = 0; n < TRIES && !all_out(t); n++)
        nanosleep(&(struct timespec) { 0, WAIT_NS }, NULL);
    if (!all_out(t)) {
        atomic_store_explicit(&t->quiesce_wanted, 0, memory_order_seq_cst);
        return false;
    }
    unit_table_clear(t->units);
    atomic_fetch_add_explicit(&t->generation, 1, memory_order_relaxed);
    return true;
}

/* -- instructions to translate in another way -------------------------------------------------- */

static UnitHint *hint_slot(UnitHint *hints, unsigned cap, GuestAddr pc)
{
    unsigned n = (unsigned)(pc * 0x9e3779b97f4a7c15ull >> 40) & (cap - 1);
    while (hints[n].pc && hints[n].pc != pc)
        n = (n + 1) & (cap - 1);
    return &hints[n];
}

uint32_t units_hint(const Translator *t, GuestAddr pc)
{
    return t->n_hints && pc ? hint_slot(t->hints, t->cap_hints, pc)->flags : 0;
}

static void grow_hints(Translator *t)
{
    unsigned cap = t->cap_hints * 2;
    UnitHint *fresh = calloc(cap, sizeof *fresh);
    if (!fresh)
        translator_fatal("out of memory");
    for (unsigned n = 0; n < t->cap_hints; n++)
        if (t->hints[n].pc)
            *hint_slot(fresh, cap, t->hints[n].pc) = t->hints[n];
    UnitHint *old = t->hints;
    t->hints = fresh;
    t->cap_hints = cap;
    free(old);
}

typedef struct Retry { Translator *t; GuestAddr region; uint32_t flags; } Retry;

/* What has been translated in that way stays, and only regions guess. */
static void invalidate_other(void *opaque, CompiledUnit *u)
{
    const Retry *r = opaque;
    if (r->region && u->pc != r->region)
        return;
    bool guess = r->flags & (IR_UNIT_NO_GUESS | IR_UNIT_NO_BOXES);
    if ((u->flags & r->flags) != r->flags && (u->flags & IR_UNIT_REGION || !guess))
        unit_invalidate(r->t, u);
}

void units_retry(Translator *t, GuestAddr pc, GuestAddr region, uint32_t flags)
{
    if (!pc)
        return;
    if (t->n_hints * 2 >= t->cap_hints)
        grow_hints(t);
    UnitHint *h = hint_slot(t->hints, t->cap_hints, pc);
    t->n_hints += h->pc == 0;
    h->pc = pc;
    h->flags |= flags;
    invalidate(t, region ? region : pc, 1, invalidate_other, &(Retry) { t, region, flags });
}
