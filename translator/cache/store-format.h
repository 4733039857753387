/* data plane */
/*
 * The translation store's file format: FORMAT.md describes it. Numbers are the host's own, since
 * the folder that a file lies in names the host, the guest and the translator that made it.
 */
#ifndef TRANSLATOR_CACHE_STORE_FORMAT_H
#define TRANSLATOR_CACHE_STORE_FORMAT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "translator/ir/ir.h"

enum {
    STORE_FORMAT = 11,
    STORE_ALIGN = 64,             /* of groups and chunks */
    /* A chunk is closed behind so much host code: what one process ran is likely to be run together
     * again; of what was translated ahead of time little is, and of a library each program runs
     * something else. */
    STORE_CHUNK_CODE = 4 << 20, STORE_WARM_CODE = 8 << 10, STORE_SHARED_CODE = 8 << 10,
    STORE_LATER_CODE = 8 << 10,   /* others run little of what a process adds to what it found */
    STORE_MEANWHILE_CODE = 1 << 20, /* while the process runs its memory is the user's */
    STORE_PART_CODE = 8 << 10,    /* what different processes have added isn't joined beyond */
    STORE_LEAST_CODE = 4 << 10,   /* what hardly any process is known to have run */
    STORE_CHUNK_UNITS = 1 << 15,
    STORE_HISTORY = 32,           /* recording processes that are remembered */
    STORE_PATH_BYTES = 192,
    STORE_JUMP_BYTES = 8,         /* of a jump to a common stub */
    STORE_STUB_BEHIND = UINT16_MAX,
};
#define STORE_FILE_MAGIC UINT64_C(0x3154534555514c43)  /* CLQUEST1 */
#define STORE_GROUP_MAGIC UINT64_C(0x3150524755514c43) /* CLQUGRP1 */

/* At the start of a file. `checksum` is of everything before it. */
typedef struct StoreHeader {
    uint64_t magic;
    uint32_t format, header_bytes;
    uint64_t key, content;        /* what the folder and the file are called by */
    char path[STORE_PATH_BYTES];  /* of the guest file when this one was made: for people */
    uint64_t checksum;
    /* Groups lie below `end`; written last. end_check is its complement. */
    uint64_t end, end_check;
    uint8_t free[8];
} StoreHeader;
_Static_assert(sizeof(StoreHeader) % STORE_ALIGN == 0, "groups are aligned");

/* What one process appended at once. `checksum` is of everything behind it down to the end of the
 * chunk rows, and only of that: chunks and the links between them have their own, the index and the
 * bits of what was used need none. */
typedef struct StoreGroup {
    uint64_t magic, checksum, key;
    uint64_t bytes;               /* of the whole group */
    uint32_t n_chunks, n_units;
    uint32_t index_at, index_slots; /* offset from the group; a power of two */
    uint32_t used_at, used_chunks;  /* bits, one for each chunk that the process found in the file:
                                       had it been loaded? */
    uint32_t ran_at, ran_units;     /* what a recording process ran (store-history.h): bits, one for
                                       each unit that was in the file before, in its order */
    uint32_t history_at, n_history; /* of joined groups, a uint32_t for each of its units: which of
                                       n_history recording processes ran it, the newest in bit 0 */
    uint32_t n_recorded;            /* how many have recorded before it was joined */
    uint32_t looked_at;             /* as ran_at: what of that indirect branches came to */
} StoreGroup;
typedef struct StoreChunkRow {
    uint64_t at;                  /* from the group */
    uint64_t checksum;
    uint32_t code_bytes, table_bytes; /* the code comes first; multiples of 64 */
    uint32_t call_bytes;          /* behind the tables; a multiple of 64 */
    uint32_t n_units;             /* as its tables say */
    uint32_t n_out, n_in;         /* links to and from units of the group's other chunks */
    uint32_t cross_at;            /* from the group: StoreBind of n_out, then of n_in, then
                                     StoreCross of n_in */
    uint32_t free;
    uint64_t cross_sum;           /* checksum of them */
} StoreChunkRow;

/* Open addressing by store_slot(off); chunk 0: free. Whatever stands here is only a proposal: the
 * unit's own record decides. */
typedef struct StoreSlot {
    uint32_t off;
    uint16_t chunk;               /* + 1 */
    uint16_t unit;
} StoreSlot;
/* A link from a unit of one chunk to a unit of another in the group: what it takes to bind it, and,
 * at the chunk that it leads to, what it takes to find it again. */
typedef struct StoreBind {
    uint32_t site, target;        /* places in the one's code and in the other's */
    uint32_t stub;                /* where the site leads unbound, less the site */
    uint16_t other, to;           /* the chunk at the other end; the unit that it leads to */
} StoreBind;
typedef struct StoreCross {
    uint16_t other;               /* the chunk at the other end */
    uint16_t from, link, to;      /* the unit, which of its links, the other's unit */
} StoreCross;
static inline size_t store_cross_bytes(const StoreChunkRow *row)
{
    return (row->n_out + (size_t)row->n_in) * sizeof(StoreBind) + row->n_in * sizeof(StoreCross);
}
static inline uint32_t store_slot(uint32_t off, uint32_t slots)
{
    return (off * 0x9e3779b1u >> 7) & (slots - 1);
}

/* The tables of a chunk, in this order behind StoreTables, each from a multiple of 16: V128,
 * StoreUnit (n_units + 1: the last one only ends the others' tables), uint16_t for each
 * STORE_STEP bytes of code (the unit at their start), StoreKind, StoreLink, StoreRange of what
 * regions have seen, fp sites, points. Behind kept_bytes lies what only loading needs: numbers of
 * common stubs (uint16_t), of units that indirect branches came to (uint16_t, ascending),
 * relocations, StoreRange of the guest bytes (sorted and disjoint), the bytes. Behind all that what
 * only writers need: places of calls of common stubs (uint32_t), whose checksum is call_sum. */
typedef struct StoreTables {
    uint32_t n_vconsts, n_units, n_kinds, n_links, n_seen, n_fp_sites, point_bytes, n_stubs,
        n_looked_up, n_relocs, n_ranges, guest_bytes, n_calls;
    uint32_t kept_bytes, fp_site_bytes;
    uint32_t limit;               /* of the code of a chunk that this one becomes part of */
    uint32_t jumps;               /* where in the code there is a jump to each of the stubs */
    uint32_t link_stubs;          /* and, UNIT_STUB_BYTES each, all links' own stubs */
    uint64_t bias;                /* the code's relocated places are right for this one */
    uint64_t call_sum;
} StoreTables;
enum { STORE_STEP = 256 };
static inline uint32_t store_steps(uint32_t code_bytes) { return code_bytes / STORE_STEP + 1; }

/* In the tables guest addresses are offsets in the guest's file: the mapping says what to add
 * (`bias`). Addresses that don't lie in the file, such as those of data, the same way. What doesn't
 * fit the fields isn't stored. */
typedef struct StoreUnit {
    uint32_t off;                 /* of the entry */
    uint32_t code;                /* in the chunk's code */
    uint32_t link, point;         /* the first link, where the points are (unit-points.h) */
    union {
        uint32_t seen;            /* a region's: the first of n_seen */
        struct { uint16_t before, after; } around; /* `off`: what it has seen */
    };
    uint16_t vconst, fp_site;     /* the first of each */
    uint16_t host_bytes, entry, code_bytes, n_guest_insns;
    uint16_t by_off;              /* of the n-th record: the unit that is n-th by off */
    uint8_t kind;
    uint8_t n_seen;               /* 0: no region */
} StoreUnit;
typedef struct StoreKind { uint32_t flags, mode; } StoreKind; /* as in CompiledUnit */
typedef struct StoreLink {
    int32_t target : 31;          /* less the unit's off */
    uint32_t counts : 1;          /* of UnitLink */
    uint16_t site, stub;          /* of UnitLink, from the unit's code; STORE_STUB_BEHIND: the
                                     stub is the one in the chunk's link_stubs */
    uint16_t to;                  /* unit of this chunk that `site` jumps to, + 1; 0: to the stub */
    uint16_t guard;               /* the same; 0: none */
} StoreLink;
/* Relocations: offset in the chunk's code, kind in the upper bits. */
enum { STORE_RELOC_SHIFT = 28 };
typedef struct StoreRange { uint32_t off, bytes; } StoreRange;

static inline size_t store_align(size_t n, size_t to) { return (n + to - 1) & ~(to - 1); }

static inline uint64_t store_mix(uint64_t a, uint64_t b)
{
    unsigned __int128 p = (unsigned __int128)a * b;
    return (uint64_t)p ^ (uint64_t)(p >> 64);
}

/* Not for enemies: who may write a store may write machine code. */
static inline uint64_t store_hash(const void *data, size_t n, uint64_t seed)
{
    const uint8_t *p = data;
    uint64_t w[8], a = seed ^ 0x2d358dccaa6c78a5, b = n ^ 0x8bb84b93962eacc9;
    uint64_t c = 0x1d8e4e27c47d124f, d = 0x589965cc75374cc3;
    for (; n >= 64; n -= 64, p += 64) { /* each takes as long as two alone */
        memcpy(w, p, 64);
        a = store_mix(w[0] ^ 0x4b33a62ed433d4a3, w[1] ^ a);
        b = store_mix(w[2] ^ 0x4d5a2da51de1aa47, w[3] ^ b);
        c = store_mix(w[4] ^ 0xa0761d6478bd642f, w[5] ^ c);
        d = store_mix(w[6] ^ 0xe7037ed1a0b428db, w[7] ^ d);
    }
    a = store_mix(a ^ 0x8ebc6af09c88c6e3, c);
    b = store_mix(b ^ 0x589965cc75374cc3, d);
    if (n >= 32) {
        memcpy(w, p, 32);
        a = store_mix(w[0] ^ 0x4b33a62ed433d4a3, w[1] ^ a);
        b = store_mix(w[2] ^ 0x4d5a2da51de1aa47, w[3] ^ b);
        n -= 32, p += 32;
    }
    memset(w, 0, 32);
    if (n)
        memcpy(w, p, n); /* of nothing there may be no address */
    a = store_mix(w[0] ^ 0xa0761d6478bd642f, w[1] ^ a);
    b = store_mix(w[2] ^ 0xe7037ed1a0b428db, w[3] ^ b);
    return store_mix(a ^ 0x589965cc75374cc3, b ^ 0x1d8e4e27c47d124f);
}

/* A chunk's checksum, of its code, the tables that are kept, and the rest. 0: they can't be so. */
static inline uint64_t store_code_sum(const uint8_t *code, size_t bytes)
{
    return store_hash(code, bytes, 3);
}
static inline uint64_t store_table_sum(uint64_t code_sum, const uint8_t *kept,
                                       const uint8_t *tables, size_t table_bytes)
{
    uint32_t kept_bytes = ((const StoreTables *)(const void *)kept)->kept_bytes;
    if (kept_bytes > table_bytes)
        return 0;
    return store_hash(tables + kept_bytes, table_bytes - kept_bytes,
                      store_hash(kept, kept_bytes, code_sum));
}
/* All of a chunk, in a file. */
static inline bool store_chunk_ok(const StoreChunkRow *row, const uint8_t *data)
{
    const uint8_t *tables = data + row->code_bytes, *calls = tables + row->table_bytes;
    return store_table_sum(store_code_sum(data, row->code_bytes), tables, tables,
                           row->table_bytes) == row->checksum &&
           store_hash(calls, row->call_bytes, 0) ==
               ((const StoreTables *)(const void *)tables)->call_sum;
}

#endif
