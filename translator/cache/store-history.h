/* data plane */
/*
 * What of a guest file's stored units processes ran.
 *
 * Code of a loaded chunk goes from unit to unit by itself, so nobody knows which of them a process
 * needed. Now and then one *records*: its chunks' links are open when they are loaded, the runtime
 * meets each unit that is run, and a bit for each goes to the store with the process's own units.
 * Of chunks that most recording processes ran that isn't asked again.
 * When the file's groups are joined, what the same processes ran comes together: what all did
 * first, what none did last. Otherwise a program that begins like many others, as GCC does, would
 * load what each of them had added, a few units of every chunk.
 *
 * Whatever the file says here decides only about the order in which units are stored.
 */
#ifndef TRANSLATOR_CACHE_STORE_HISTORY_H
#define TRANSLATOR_CACHE_STORE_HISTORY_H

#include "translator/cache/store.h"

typedef struct HistoryUnit {
    uint32_t who;             /* ran it: bits of recording processes, the newest is bit 0 */
    uint32_t unit : 30;       /* its number in the file */
    uint32_t looked_up : 1;   /* indirect branches came to it in one of them */
    uint32_t begins : 1;      /* what is sorted: what was run by like processes begins here */
} HistoryUnit;
typedef struct StoreHistory {
    uint32_t n;               /* of recording processes: at most STORE_HISTORY */
    uint32_t n_units;
    uint32_t *first;          /* [n_chunks + 1]: where the units of each chunk begin in: */
    HistoryUnit *unit;        /* [n_units] */
} StoreHistory;

/* Should this process record what it runs of the file? */
bool history_is_wanted(const StoreFile *f);
/* Most of those who recorded ran the units of this chunk: so will the others. May fault. */
bool history_is_sure(const StoreFile *f, uint32_t chunk);
/* Is it worth storing, if it loaded so many units and chunks and ran so many units of them? */
bool history_is_news(const StoreFile *f, uint32_t loaded, uint32_t chunks, uint32_t ran);
/* Of a file that is mapped as one layer, and of the process that writes it, if that recorded. May
 * fault. False: no memory. Free it in either case. */
bool history_collect(StoreHistory *h, const StoreFile *f, const StoreUse *own);
enum { HISTORY_ENOUGH = 4 }; /* records, to tell what is common */
/* All units, those that most processes ran first, and together what the same ones did. False: too
 * little is known. */
bool history_sort(StoreHistory *h);
void history_free(StoreHistory *h);
/* How much code a chunk of what these processes ran should have, and no more than `most`: the fewer
 * they were, the less of it is another likely to need. */
uint32_t history_limit(const StoreHistory *h, uint32_t who, uint32_t most);
/* The chunk that a unit belongs to; n - h->first[chunk] is its number there. */
uint32_t history_chunk(const StoreHistory *h, uint32_t n_chunks, uint32_t n);

#endif
