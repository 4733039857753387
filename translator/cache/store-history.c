/* data plane */
/* See store-history.h. */
#include "translator/cache/store-history.h"

#include <stdlib.h>
#include <time.h>

enum {
    WORTH_UNITS = 4096,       /* a file with fewer loads fast whatever the order */
    ENOUGH = 4,               /* records, to tell what is common */
    FIRST = 8, ONE_IN_FIRST = 4, ONE_IN = 32, /* of processes record: for the first 8 or while */
    NEW_SHARE = 16,           /* the file grows by this part since it was joined, and otherwise */
    WASTE_SHARE = 8,          /* part of what is loaded that should be run */
    SOME_CODE = 64 << 10, ONE_CODE = 16 << 10, /* of a chunk's code, if few or one ran it */
    FEW_CHUNKS = 32, UNITS_A_CHUNK = 512, /* more than so many chunks, and smaller ones, are bad */
};

bool history_is_wanted(const StoreFile *f)
{
    struct timespec now;
    if (f->n_units < WORTH_UNITS)
        return false;
    bool often = f->n_records < FIRST || f->n_units - f->n_joined > f->n_units / NEW_SHARE;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (now.tv_nsec >> 8) % (often ? ONE_IN_FIRST : ONE_IN) == 0;
}

bool history_is_news(const StoreFile *f, uint32_t loaded, uint32_t chunks, uint32_t ran)
{
    return f->n_records < FIRST || loaded - ran > loaded / WASTE_SHARE ||
           chunks > FEW_CHUNKS + ran / UNITS_A_CHUNK;
}

void history_free(StoreHistory *h)
{
    free(h->first);
    free(h->of);
    free(h->order);
    *h = (StoreHistory) { 0 };
}

/* Another process, the newest now. */
static void add_record(StoreHistory *h, const uint8_t *ran, uint32_t n_ran)
{
    for (uint32_t k = 0; k < h->n_units; k++)
        h->of[k] = (uint16_t)(h->of[k] << 1 | (k < n_ran && ran[k / 8] >> k % 8 & 1));
    h->n += h->n < STORE_HISTORY;
}

static void add_group(StoreHistory *h, const StoreGroupRef *ref)
{
    const StoreGroup *g = (const StoreGroup *)(const void *)ref->base;
    uint32_t from = h->first[ref->first_chunk], to = h->first[ref->first_chunk + ref->n_chunks];
    if (g->n_history && !h->n && g->n_units == to - from) {
        memcpy(h->of + from, ref->base + g->history_at, (to - from) * sizeof *h->of);
        h->n = g->n_history;
    }
    if (!g->ran_units)
        return;
    add_record(h, ref->base + g->ran_at, g->ran_units);
    for (uint32_t k = from; k < to; k++)
        h->of[k] |= 1; /* its own it ran, too */
}

bool history_collect(StoreHistory *h, const StoreFile *f, const StoreUse *own)
{
    h->first = malloc((f->n_chunks + 1) * sizeof *h->first);
    if (!h->first)
        return false;
    for (uint32_t n = 0; n < f->n_groups; n++)
        for (uint32_t k = 0; k < f->group[n].n_chunks; k++) {
            h->first[f->group[n].first_chunk + k] = h->n_units;
            h->n_units += f->group[n].row[k].n_units;
        }
    h->first[f->n_chunks] = h->n_units;
    h->of = calloc(h->n_units + 1, sizeof *h->of);
    if (!h->of)
        return false;
    for (uint32_t n = 0; n < f->n_groups; n++)
        add_group(h, &f->group[n]);
    if (own->ran && own->inode == f->layer[0].inode)
        add_record(h, own->ran, own->n_ran);
    return true;
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

bool history_sort(StoreHistory *h)
{
    uint16_t known = (uint16_t)((1u << h->n) - 1);
    h->order = h->n < ENOUGH ? NULL : malloc((h->n_units + 1) * sizeof *h->order);
    if (!h->order)
        return false;
    for (uint32_t k = 0; k < h->n_units; k++) {
        uint16_t who = h->of[k] &= known;
        uint32_t others = STORE_HISTORY - (uint32_t)__builtin_popcount(who);
        h->order[k] = (uint64_t)others << 48 | (uint64_t)(uint16_t)~who << 32 | k;
    }
    qsort(h->order, h->n_units, sizeof *h->order, compare);
    return true;
}

uint32_t history_limit(const StoreHistory *h, uint32_t n, uint32_t most)
{
    uint32_t who = (uint32_t)__builtin_popcount(h->of[n]);
    uint32_t few = who > 1 ? SOME_CODE : who ? ONE_CODE : STORE_PART_CODE;
    return 2 * who >= h->n || few > most ? most : few;
}

uint32_t history_chunk(const StoreHistory *h, uint32_t n_chunks, uint32_t n)
{
    uint32_t low = 0, high = n_chunks;
    while (high - low > 1) {
        uint32_t mid = low + (high - low) / 2;
        if (h->first[mid] <= n)
            low = mid;
        else
            high = mid;
    }
    return low;
}
