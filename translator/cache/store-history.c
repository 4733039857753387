/* data plane */
/* See store-history.h. */
#include "translator/cache/store-history.h"

#include <stdlib.h>

enum {
    WORTH_UNITS = 4096,       /* a file with fewer loads fast whatever the order */
    /* Of how many processes one records: the first few, some more or while the file is growing by
     * such a part since it was joined, and then. */
    FIRST = 8, ONE_IN_FIRST = 4, MORE = 24, NEW_SHARE = 16, ONE_IN_MORE = 16, ONE_IN = 64,
    WASTE_SHARE = 8,          /* part of what is loaded that should be run */
    SOME_CODE = 32 << 10,     /* of a chunk's code, if few processes ran it */
    FEW_UNITS = 64,           /* don't make a part of their own */
    FEW_CHUNKS = 32, UNITS_A_CHUNK = 512, /* more than so many chunks, and smaller ones, are bad */
};

bool history_is_wanted(const StoreFile *f)
{
    bool more = f->n_records < MORE || f->n_units - f->n_joined > f->n_units / NEW_SHARE;
    return f->n_units >= WORTH_UNITS &&
           store_one_in(f->n_records < FIRST ? ONE_IN_FIRST : more ? ONE_IN_MORE : ONE_IN);
}

bool history_is_sure(const StoreFile *f, uint32_t chunk)
{
    uint32_t unit = 0, who;
    const StoreGroupRef *ref = store_file_group(f, chunk);
    const StoreGroup *g = (const StoreGroup *)(const void *)ref->base;
    for (uint32_t k = 0; k < chunk - ref->first_chunk; k++)
        unit += ref->row[k].n_units;
    if (g->n_history < FIRST || unit >= g->n_units)
        return false;
    memcpy(&who, ref->base + g->history_at + unit * sizeof who, sizeof who);
    return 2 * (uint32_t)__builtin_popcount(who) >= g->n_history;
}

bool history_is_news(const StoreFile *f, uint32_t loaded, uint32_t chunks, uint32_t ran)
{
    return f->n_records < FIRST || loaded - ran > loaded / WASTE_SHARE ||
           chunks > FEW_CHUNKS + ran / UNITS_A_CHUNK;
}

void history_free(StoreHistory *h)
{
    free(h->first);
    free(h->unit);
    *h = (StoreHistory) { 0 };
}

/* The older of the two records that differ least, by a part of the units. */
static uint32_t find_needless(const StoreHistory *h)
{
    enum { STEP = 8 };
    uint32_t differ[STORE_HISTORY][STORE_HISTORY] = { 0 }, least = UINT32_MAX, ret = h->n - 1;
    for (uint32_t k = 0; k < h->n_units; k += STEP)
        for (uint32_t n = 1, who = h->unit[k].who; n < h->n; n++)
            for (uint32_t m = 0; m < n; m++)
                differ[n][m] += (who >> n ^ who >> m) & 1;
    for (uint32_t n = 1; n < h->n; n++)
        for (uint32_t m = 0; m < n; m++)
            if (differ[n][m] < least) {
                least = differ[n][m];
                ret = n;
            }
    return ret;
}

static void forget_record(StoreHistory *h, uint32_t n)
{
    uint32_t newer = (UINT32_C(1) << n) - 1;
    for (uint32_t k = 0; k < h->n_units; k++)
        h->unit[k].who = (h->unit[k].who & newer) | (h->unit[k].who >> 1 & ~newer);
    h->n--;
}

static bool is_set(const uint8_t *bits, uint32_t n) { return bits[n / 8] >> n % 8 & 1; }

/* Another process, the newest now. */
static void add_record(StoreHistory *h, const uint8_t *ran, const uint8_t *looked_up,
                       uint32_t n_ran)
{
    if (h->n == STORE_HISTORY)
        forget_record(h, find_needless(h));
    for (uint32_t k = 0; k < h->n_units; k++) {
        h->unit[k].who = h->unit[k].who << 1 | (k < n_ran && is_set(ran, k));
        h->unit[k].looked_up |= k < n_ran && is_set(looked_up, k);
    }
    h->n++;
}

static void add_group(StoreHistory *h, const StoreGroupRef *ref)
{
    const StoreGroup *g = (const StoreGroup *)(const void *)ref->base;
    uint32_t from = h->first[ref->first_chunk], to = h->first[ref->first_chunk + ref->n_chunks];
    if (g->n_history && !h->n && g->n_units == to - from) {
        const uint32_t *who = (const uint32_t *)(const void *)(ref->base + g->history_at);
        for (uint32_t k = from; k < to; k++)
            h->unit[k].who = who[k - from];
        h->n = g->n_history;
    }
    if (!g->ran_units)
        return;
    add_record(h, ref->base + g->ran_at, ref->base + g->looked_at, g->ran_units);
    for (uint32_t k = from; k < to; k++)
        h->unit[k].who |= 1; /* its own it ran, too */
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
    h->unit = calloc(h->n_units + 1, sizeof *h->unit);
    if (!h->unit)
        return false;
    for (uint32_t k = 0; k < h->n_units; k++)
        h->unit[k].unit = k;
    for (uint32_t n = 0; n < f->n_groups; n++)
        add_group(h, &f->group[n]);
    if (own->ran && own->inode == f->layer[0].inode)
        add_record(h, own->ran, own->looked_up, own->n_ran);
    return true;
}

static int compare(const void *a, const void *b)
{
    const HistoryUnit *x = a, *y = b;
    int fewer = __builtin_popcount(y->who) - __builtin_popcount(x->who);
    return fewer ? fewer : x->who != y->who ? (x->who < y->who ? 1 : -1)
                                            : (x->unit > y->unit) - (x->unit < y->unit);
}

/* Units that the same processes ran, one after another in the sorted table. */
typedef struct Class { uint32_t who, first, n_units; } Class;

static uint32_t list_classes(const StoreHistory *h, Class *ret)
{
    uint32_t n = 0;
    for (uint32_t k = 0; k < h->n_units && h->unit[k].who; k++) {
        if (!k || h->unit[k].who != h->unit[k - 1].who)
            ret[n++] = (Class) { .who = h->unit[k].who, .first = k };
        ret[n - 1].n_units++;
    }
    return n;
}

static int distance(uint32_t who, uint32_t other) { return __builtin_popcount(who ^ other); }

static uint32_t find_nearest(const Class *c, uint32_t n, uint32_t who)
{
    uint32_t best = 0, least = UINT32_MAX;
    for (uint32_t k = 0; k < n; k++) {
        uint32_t differ = (uint32_t)distance(c[k].who, who);
        if (differ < least)
            least = differ, best = k;
    }
    return best;
}

/* Many classes are smaller than a chunk: each is followed by the one of those left that differs
 * least, by the number of processes. */
static void chain_classes(Class *c, uint32_t n)
{
    for (uint32_t k = 1; k < n; k++) {
        uint32_t next = k + find_nearest(c + k, n - k, c[k - 1].who);
        Class found = c[next];
        memmove(c + k + 1, c + k, (next - k) * sizeof *c); /* the order of the rest decides */
        c[k] = found;
    }
}

/* Few units belong to what the more similar processes ran, before or behind them: else those who
 * run one of them would load all the other. */
static void mark_parts(StoreHistory *h, const Class *c, uint32_t n)
{
    uint32_t part = 0, at = 0;
    for (uint32_t k = 0; k < n; at += c[k++].n_units) {
        uint32_t who = c[k].who, next = k + 1 < n ? c[k + 1].who : 0;
        if (k && c[k].n_units < FEW_UNITS && distance(who, part) <= distance(who, next))
            continue;
        h->unit[at].begins = true;
        part = who;
    }
}

bool history_sort(StoreHistory *h)
{
    enum { MOST_CLASSES = 4096 }; /* for the time that this takes */
    if (h->n < HISTORY_ENOUGH)
        return false;
    qsort(h->unit, h->n_units, sizeof *h->unit, compare);
    Class *c = malloc((h->n_units + 1) * sizeof *c);
    HistoryUnit *sorted = malloc((h->n_units + 1) * sizeof *sorted);
    uint32_t n = c && sorted ? list_classes(h, c) : 0, at = 0;
    if (n && n <= MOST_CLASSES) {
        chain_classes(c, n);
        for (uint32_t k = 0; k < n; at += c[k++].n_units)
            memcpy(sorted + at, h->unit + c[k].first, c[k].n_units * sizeof *sorted);
        memcpy(h->unit, sorted, at * sizeof *sorted);
    }
    if (c)
        mark_parts(h, c, n);
    free(c);
    free(sorted);
    return true;
}

uint32_t history_limit(const StoreHistory *h, uint32_t who, uint32_t most)
{
    uint32_t n = (uint32_t)__builtin_popcount(who);
    uint32_t few = n > 1 && most > SOME_CODE ? SOME_CODE : STORE_LEAST_CODE;
    return 2 * n >= h->n || few > most ? most : few;
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
