/* data plane */
/*
 * Writes a group of the translation store: chunks with their tables and guest bytes, the index.
 * Units come from the process (build_live) or from chunks of the store that were not relocated
 * (build_stored). Chunks are written as they are complete, small ones some at once, so that a large
 * group doesn't need as much memory; its head comes last. After a failure (memory; no space; guest
 * bytes that contradict each other) the builder takes everything and build_finish() says false.
 */
#ifndef TRANSLATOR_CACHE_STORE_BUILD_H
#define TRANSLATOR_CACHE_STORE_BUILD_H

#include "translator/cache/stored-chunk.h"

typedef struct StoreBuffer { uint8_t *p; size_t n, cap; } StoreBuffer;

typedef struct StoreBuilder {
    const struct Backend *backend;
    uint32_t fp_site_bytes;
    uint64_t bias;            /* code is made for it, if that is possible */
    uint32_t joined_limit;    /* of the open chunk: StoreTables.limit */
    uint32_t limit;           /* of its code: then it is closed */
    bool failed;
    /* the open chunk; parts: of SeenBytes */
    StoreBuffer code, units, kinds, links, seen, points, vconsts, fp_sites, relocs, calls, parts,
        seen_bytes, looked_ups;
    /* the group: rows, index entries; what is being written */
    StoreBuffer rows, slots, blob;
    StoreBuffer entries;      /* UnitEntry of each unit, in the order of slots */
    StoreBuffer open;         /* OpenLink: that lead to no unit of their chunk */
    uint32_t n_units, max_rows;
    /* bits of StoreGroup.used_chunks and twice of ran_units, or NULL */
    const uint8_t *used, *ran, *looked;
    uint32_t n_used, n_ran;
    StoreBuffer histories;    /* one for each unit, if there are to be any: */
    uint32_t n_history, n_recorded;
    uint32_t history;         /* of the units that follow; */
    bool looked_up;           /* indirect branches came to them, as records tell */
    int fd;
    uint64_t start, at;       /* where in the file the group begins, and what comes next goes */
    StoreBuffer out;          /* what is before `at` and not written yet */
} StoreBuilder;

/* The group begins at `start` of fd, and has no more than max_rows chunks. */
void build_begin(StoreBuilder *b, int fd, uint64_t start, uint32_t max_rows);

void build_free(StoreBuilder *b);
/* Do its fields fit those of the store? */
bool build_suits(const CompiledUnit *u, uint64_t bias);
/* `seen`: the guest bytes of the unit's ranges one after another. */
void build_live(StoreBuilder *b, const CompiledUnit *u, uint64_t bias, const uint8_t *seen);
void build_stored(StoreBuilder *b, const StoredChunk *c, const uint8_t *code, uint32_t n);
/* What follows goes into another chunk, if this one is large enough to be worth one, or is not of
 * the same kind; chunks get so much code now, and when they are joined (STORE_CHUNK_CODE …). */
void build_part(StoreBuilder *b, uint32_t limit, uint32_t joined_limit);
/* The group is in the file but for its head, which makes it one; or false: failed, or there are
 * neither units nor a record of those that ran. ret_end: where it ends. */
bool build_finish(StoreBuilder *b, uint64_t key, uint64_t *ret_end);

#endif
