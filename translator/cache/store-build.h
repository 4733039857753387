/* data plane */
/*
 * Lays out a group of the translation store: chunks with their tables and guest bytes, the index.
 * Units come from the process (build_live) or from chunks of the store that were not relocated
 * (build_stored). After a failure (memory; guest bytes that contradict each other) the builder
 * takes everything and build_finish() says false.
 */
#ifndef TRANSLATOR_CACHE_STORE_BUILD_H
#define TRANSLATOR_CACHE_STORE_BUILD_H

#include <sys/uio.h>

#include "translator/cache/stored-chunk.h"

typedef struct StoreBuffer { uint8_t *p; size_t n, cap; } StoreBuffer;

typedef struct StoreBuilder {
    uint32_t fp_site_bytes;
    bool warm;                /* the open chunk: StoreTables.warm */
    bool failed;
    /* the open chunk; parts: of SeenBytes */
    StoreBuffer code, units, links, seen, patterns, points, snaps, constants, vconsts, fp_sites,
        relocs, parts, seen_bytes;
    /* the group: rows with places in blobs, index entries */
    StoreBuffer rows, slots, blobs, head;
    uint32_t n_units;
} StoreBuilder;

void build_free(StoreBuilder *b);
/* Do its fields fit those of the store? */
bool build_suits(const CompiledUnit *u, uint64_t bias);
/* `seen`: the guest bytes of the unit's ranges one after another. */
void build_live(StoreBuilder *b, const CompiledUnit *u, uint64_t bias, const uint8_t *seen);
void build_stored(StoreBuilder *b, const StoredChunk *c, const uint8_t *code, uint32_t n);
/* What follows goes into another chunk, if this one is large enough to be worth one, or was not
 * made in the same way. */
void build_part(StoreBuilder *b, bool warm);
/* The group's bytes, valid until build_free(); false: failed, or there is nothing. */
bool build_finish(StoreBuilder *b, uint64_t key, struct iovec ret[2]);

#endif
