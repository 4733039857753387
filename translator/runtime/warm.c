/* data plane */
/* Translates code without running it, for the translation store: whatever direct branches reach. */
#include <stdlib.h>

#include "translator/runtime/stored.h"

typedef struct Warm {
    Translator *t;
    Vcpu *v;
    GuestAddr start, end;
    uint8_t *known;           /* for each two bytes of [start, end): known, as one that counts */
    GuestAddr *queue;
    size_t n, cap;
} Warm;

enum { COUNTS = 1 }; /* in the lowest bit of a pc in the queue */

static void push(Warm *w, GuestAddr pc, bool counts)
{
    uint64_t at = (pc - w->start) / 2;
    unsigned shift = at % 4 * 2, as = counts ? 3 : 1;
    if (pc < w->start || pc >= w->end || pc & (w->t->isa->pc_align - 1) ||
        (w->known[at / 4] >> shift & as) == as)
        return;
    w->known[at / 4] |= (uint8_t)(as << shift);
    if (w->n == w->cap) {
        size_t cap = w->cap * 2 + 1024;
        GuestAddr *more = realloc(w->queue, cap * sizeof *more);
        if (!more)
            return;
        w->queue = more;
        w->cap = cap;
    }
    w->queue[w->n++] = pc | (counts ? COUNTS : 0);
}

static bool translate_next(Warm *w)
{
    VcpuExit why;
    GuestAddr pc = w->queue[--w->n];
    translator_lock(w->t);
    uint32_t flags = pc & COUNTS ? IR_UNIT_COUNTED : 0;
    const CompiledUnit *u = translate_unit(w->t, w->v, pc & ~(GuestAddr)COUNTS, flags, &why);
    for (uint32_t n = 0; u && n < u->n_links; n++)
        push(w, link_target(unit_link_at(u, n)), unit_link_at(u, n)->counts);
    translator_unlock(w->t);
    return u;
}

uint64_t translator_warm(Translator *t, Vcpu *v, GuestAddr start, GuestAddr end,
                         const GuestAddr *from, size_t n)
{
    Warm w = { .t = t, .v = v, .start = start, .end = end };
    uint64_t count = 0;
    t->warming = true;
    w.known = calloc((end - start) / 8 + 1, 1);
    /* The first one comes first out of the queue. */
    while (w.known && n)
        push(&w, from[--n], true);
    while (w.n)
        count += translate_next(&w);
    free(w.known);
    free(w.queue);
    return count;
}
