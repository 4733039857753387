/* data plane */
/* See unit-table.h. */
#include "translator/runtime/unit-table.h"

#include <stdlib.h>
#include <string.h>

#include "translator/memory/own-pages.h"
#include "translator/runtime/state.h"

/* A short process touches a page of each; the first two grow. */
enum {
    FIRST_BUCKETS = 256, BUCKETS_STEP = 4, BUCKETS_MAX = 1 << 20, FIRST_PAGES = 128,
    BUCKETS_PER_UNIT = 2, /* most look-ups are for units that there aren't */
    SEEN_BITS = 1 << 15,
};

/* Heads of the lists through CompiledUnit.page_next; open addressing, never deleted from. Invalid
 * units stay in the lists until somebody visits the page: each list is long, and to look for one
 * unit in it took 2 % of a compiler's time. */
typedef struct PageEntry {
    uint64_t page_plus_1; /* 0: free */
    CompiledUnit *first;
} PageEntry;

typedef struct Buckets {
    struct Buckets *old; /* smaller ones, in which a reader may still be; freed by a flush */
    size_t n;            /* a power of two */
    UnitRef head[];      /* from UnitTable.near */
} Buckets;

struct UnitTable {
    Buckets *buckets;
    const uint8_t *near; /* just before the first unit: all are in one mapping */
    size_t n_units;
    PageEntry *page;
    size_t n_pages, cap_pages; /* cap: a power of two */
    /* By a hash of the page's number: there may be units on it. Read without the lock. */
    atomic_uchar seen[SEEN_BITS / 8];
};

/* Hashed tables: what is large is about to be touched all over. */
static void *map_pages(size_t bytes)
{
    return bytes > 8192 ? own_pages_map_populated(bytes) : own_pages_map(bytes);
}

static size_t buckets_bytes(size_t n) { return sizeof(Buckets) + n * sizeof(UnitRef); }

static Buckets *buckets_new(size_t n)
{
    Buckets *b = map_pages(buckets_bytes(n));
    if (b)
        b->n = n;
    return b;
}

static void buckets_free(Buckets *b)
{
    for (Buckets *old; b; b = old) {
        old = b->old;
        own_pages_unmap(b, buckets_bytes(b->n));
    }
}

UnitTable *unit_table_new(void)
{
    UnitTable *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->cap_pages = FIRST_PAGES;
    t->page = map_pages(FIRST_PAGES * sizeof *t->page);
    t->buckets = buckets_new(FIRST_BUCKETS);
    if (!t->page || !t->buckets) {
        unit_table_free(t);
        return NULL;
    }
    return t;
}

void unit_table_free(UnitTable *t)
{
    if (!t)
        return;
    own_pages_unmap(t->page, t->cap_pages * sizeof *t->page);
    buckets_free(t->buckets);
    free(t);
}

static size_t bucket_of(const Buckets *b, GuestAddr pc)
{
    return (pc * 0x9e3779b97f4a7c15ull >> 32) & (b->n - 1);
}

static CompiledUnit *hash_next(const CompiledUnit *u) { return unit_at(u, u->hash_next); }

CompiledUnit *unit_table_find(const UnitTable *t, GuestAddr pc, uint64_t mode, uint32_t flags)
{
    /* Acquire: pairs with the release in unit_table_add(), which publishes the unit. */
    const Buckets *b = __atomic_load_n(&t->buckets, __ATOMIC_ACQUIRE);
    UnitRef head = __atomic_load_n(&b->head[bucket_of(b, pc)], __ATOMIC_ACQUIRE);
    CompiledUnit *u = unit_at(t->near, head); /* `near` is set before there is a head */
    while (u && !(u->pc == pc && u->mode == mode && !((u->flags ^ flags) & IR_UNIT_ALONE) &&
                  (!(flags & IR_UNIT_COUNTED) || unit_counts(u->flags))))
        u = unit_at(u, __atomic_load_n(&u->hash_next, __ATOMIC_ACQUIRE));
    return u;
}

static PageEntry *page_slot(PageEntry *page, size_t cap, uint64_t number)
{
    size_t n = (number * 0x9e3779b97f4a7c15ull >> 20) & (cap - 1);
    while (page[n].page_plus_1 && page[n].page_plus_1 != number + 1)
        n = (n + 1) & (cap - 1);
    return &page[n];
}

static void grow_pages(UnitTable *t)
{
    size_t cap = t->cap_pages * 2;
    PageEntry *fresh = map_pages(cap * sizeof *fresh);
    if (!fresh)
        translator_fatal("out of memory");
    for (size_t n = 0; n < t->cap_pages; n++)
        if (t->page[n].page_plus_1)
            *page_slot(fresh, cap, t->page[n].page_plus_1 - 1) = t->page[n];
    PageEntry *old = t->page;
    size_t old_cap = t->cap_pages;
    t->page = fresh;
    t->cap_pages = cap;
    own_pages_unmap(old, old_cap * sizeof *old);
}

static PageEntry *page_make(UnitTable *t, uint64_t number)
{
    if (t->n_pages * 2 >= t->cap_pages)
        grow_pages(t);
    PageEntry *e = page_slot(t->page, t->cap_pages, number);
    if (!e->page_plus_1) {
        e->page_plus_1 = number + 1;
        t->n_pages++;
    }
    return e;
}

static uint64_t first_page(const CompiledUnit *u)
{
    return u->pc >> UNIT_PAGE_SHIFT;
}

static uint64_t last_page(const CompiledUnit *u)
{
    return (u->pc + (u->code_bytes ? u->code_bytes - 1 : 0)) >> UNIT_PAGE_SHIFT;
}

static UnitRange *range_on(const CompiledUnit *u, uint64_t page)
{
    uint32_t n = 0;
    while (u->range[n].start >> UNIT_PAGE_SHIFT != page)
        n++;
    return &u->range[n];
}

/* u's successor in the list of that page. */
static CompiledUnit *page_next(const CompiledUnit *u, uint64_t page)
{
    if (u->n_ranges)
        return range_on(u, page)->next;
    return unit_at(u, u->page_next[page == first_page(u) ? 0 : 1]);
}

static void page_set_next(CompiledUnit *u, uint64_t page, CompiledUnit *next)
{
    if (u->n_ranges)
        range_on(u, page)->next = next;
    else
        u->page_next[page == first_page(u) ? 0 : 1] = unit_ref(u, next);
}

static unsigned seen_bit(uint64_t page)
{
    return (unsigned)(page * 0x9e3779b97f4a7c15ull >> 40) & (SEEN_BITS - 1);
}

void unit_table_see(UnitTable *t, GuestAddr start, uint64_t bytes)
{
    for (uint64_t page = start >> UNIT_PAGE_SHIFT; page <= (start + bytes - 1) >> UNIT_PAGE_SHIFT;
         page++) {
        unsigned bit = seen_bit(page);
        /* A full barrier before the code is read, against the one below. */
        atomic_fetch_or_explicit(&t->seen[bit / 8], (unsigned char)(1u << bit % 8),
                                 memory_order_seq_cst);
    }
}

bool unit_table_seen(const UnitTable *t, GuestAddr addr)
{
    unsigned bit = seen_bit(addr >> UNIT_PAGE_SHIFT);
    /* Either the caller's stores are seen by who reads the code, or its mark is seen here. */
    atomic_thread_fence(memory_order_seq_cst);
    return atomic_load_explicit(&t->seen[bit / 8], memory_order_relaxed) >> bit % 8 & 1;
}

static void page_insert(UnitTable *t, uint64_t page, CompiledUnit *u)
{
    PageEntry *e = page_make(t, page);
    page_set_next(u, page, e->first);
    e->first = u;
}

typedef void (*PageFn)(UnitTable *t, uint64_t page, CompiledUnit *u);

static void each_page(UnitTable *t, CompiledUnit *u, PageFn fn)
{
    for (uint32_t n = 0; n < u->n_ranges; n++)
        fn(t, u->range[n].start >> UNIT_PAGE_SHIFT, u);
    if (u->n_ranges)
        return;
    fn(t, first_page(u), u);
    if (last_page(u) != first_page(u))
        fn(t, last_page(u), u);
}

/* A reader that stands on a unit meanwhile may go on in another chain, to its end, and miss what it
 * looks for; then it looks again with the lock. */
static void grow_buckets(UnitTable *t)
{
    Buckets *old = t->buckets, *fresh = buckets_new(old->n * BUCKETS_STEP);
    if (!fresh)
        return;
    for (size_t n = 0; n < old->n; n++)
        for (CompiledUnit *u = unit_at(t->near, old->head[n]), *next; u; u = next) {
            UnitRef *head = &fresh->head[bucket_of(fresh, u->pc)];
            next = hash_next(u);
            __atomic_store_n(&u->hash_next, unit_ref(u, unit_at(t->near, *head)),
                             __ATOMIC_RELEASE);
            *head = unit_ref(t->near, u);
        }
    fresh->old = old;
    __atomic_store_n(&t->buckets, fresh, __ATOMIC_RELEASE);
}

void unit_table_add(UnitTable *t, CompiledUnit *u)
{
    each_page(t, u, page_insert);
    if (++t->n_units * BUCKETS_PER_UNIT > t->buckets->n && t->buckets->n < BUCKETS_MAX)
        grow_buckets(t);
    if (!t->near)
        t->near = (const uint8_t *)u - UNIT_REF_STEP;
    UnitRef *head = &t->buckets->head[bucket_of(t->buckets, u->pc)];
    u->hash_next = unit_ref(u, unit_at(t->near, *head));
    __atomic_store_n(head, unit_ref(t->near, u), __ATOMIC_RELEASE);
}

void unit_table_remove(UnitTable *t, CompiledUnit *u)
{
    UnitRef *head = &t->buckets->head[bucket_of(t->buckets, u->pc)];
    CompiledUnit *before = unit_at(t->near, *head);
    if (before == u) {
        __atomic_store_n(head, unit_ref(t->near, hash_next(u)), __ATOMIC_RELEASE);
    } else {
        while (before && hash_next(before) != u)
            before = hash_next(before);
        if (!before)
            return;
        __atomic_store_n(&before->hash_next, unit_ref(before, hash_next(u)), __ATOMIC_RELEASE);
    }
    t->n_units--;
}

void unit_table_clear(UnitTable *t)
{
    memset(t->page, 0, t->cap_pages * sizeof *t->page);
    t->n_pages = 0;
    memset(t->seen, 0, sizeof t->seen);
    /* no reader is in_code */
    buckets_free(t->buckets->old);
    t->buckets->old = NULL;
    memset(t->buckets->head, 0, t->buckets->n * sizeof *t->buckets->head);
    t->n_units = 0;
}

static void visit_page(PageEntry *e, GuestAddr start, GuestAddr last, UnitVisitor fn, void *opaque)
{
    uint64_t page = e->page_plus_1 - 1;
    CompiledUnit *before = NULL;
    for (CompiledUnit *u = e->first, *next; u; u = next) {
        UnitRange seen = u->n_ranges ? *range_on(u, page) : unit_seen(u, 0);
        if (!u->invalid && seen.start <= last && seen.end > start)
            fn(opaque, u);
        next = page_next(u, page);
        if (!u->invalid)
            before = u;
        else if (before)
            page_set_next(before, page, next);
        else
            e->first = next;
    }
}

void unit_table_visit(UnitTable *t, GuestAddr start, uint64_t bytes, UnitVisitor fn, void *opaque)
{
    if (!bytes)
        return;
    GuestAddr last = start + bytes - 1 < start ? ~(GuestAddr)0 : start + bytes - 1;
    uint64_t from = start >> UNIT_PAGE_SHIFT, to = last >> UNIT_PAGE_SHIFT;
    if (to - from < t->cap_pages / 4) {
        for (uint64_t page = from; page <= to; page++) {
            PageEntry *e = page_slot(t->page, t->cap_pages, page);
            if (e->page_plus_1)
                visit_page(e, start, last, fn, opaque);
        }
    } else {
        for (size_t n = 0; n < t->cap_pages; n++)
            if (t->page[n].page_plus_1 - 1 >= from && t->page[n].page_plus_1 - 1 <= to)
                visit_page(&t->page[n], start, last, fn, opaque);
    }
}
