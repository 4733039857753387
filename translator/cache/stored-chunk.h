/* data plane */
/*
 * A chunk of the translation store in memory: units whose code lies in the code buffer as one piece
 * with its jumps among each other in place. It is one entry of the buffer's table (`base`), and its
 * tables are the ones of the file, so that loading costs nothing per unit. A CompiledUnit of a unit
 * is made when the runtime has to do with it: looks it up, links from or to it, invalidates it.
 *
 * chunk_view() and chunk_link_target() only read what never changes after loading: they may be
 * called in signal handlers and without a lock, like cache_find(). The rest needs the translator's
 * lock.
 */
#ifndef TRANSLATOR_CACHE_STORED_CHUNK_H
#define TRANSLATOR_CACHE_STORED_CHUNK_H

#include <sys/types.h>

#include "translator/cache/code-buffer.h"
#include "translator/cache/store-format.h"

struct Backend;
struct Translator;
struct Vcpu;

typedef struct StoredChunk {
    CompiledUnit base;        /* unit_chunk() is this one; its code, at bias, the first unit's
                                 mode */
    uint64_t bias;            /* guest address less offset in the guest's file */
    GuestAddr seen_start, seen_end; /* all that its units have seen lies between */
    size_t kept_bytes;        /* of its tables, from here on in memory */
    const StoreTables *tables;
    V128 *vconst;
    const StoreUnit *unit;
    const StoreKind *kind;
    const StoreLink *link;
    const StoreRange *seen;
    uint8_t *fp_site;
    const uint8_t *points;
    const uint16_t *unit_at;  /* for each STORE_STEP bytes of code: the unit at their start */
    const uint16_t *stub;     /* this and the rest only while it is loaded, or in a file */
    const uint16_t *looked_up; /* units that indirect branches came to */
    const uint32_t *reloc;
    const StoreRange *range;
    const uint8_t *guest;
    const uint32_t *call;     /* only chunk_lay_out() */
    const uint32_t *range_at; /* [n_ranges]: where in `guest` each begins; only writers' */
    UnitRef *made;            /* [n_units]: chunk_made() */
    bool checked;             /* stored_check() */
    uint64_t *ran;            /* bits of units that were run, or NULL: chunk_record() */
    bool connected;           /* every unit is made, and links among them are in their lists */
    bool binds;               /* chunk_take_cross() has been successful */
    /* Links of other chunks of its group that may have been bound to its units. The file and the
     * number in it, and that of the group's first one. */
    const StoreCross *in;
    uint32_t n_in, number, first;
    const struct StoreFile *file;
} StoredChunk;

/* Finds the places of a chunk's tables in a file; false: they don't fit. Fills tables … call of
 * c. */
bool chunk_lay_out(StoredChunk *c, const StoreChunkRow *row, const uint8_t *data);

/* Where the guest's file is mapped: guest addresses less `bias` are offsets in it. */
typedef struct ChunkPlace { uint64_t bias, start, end; } ChunkPlace;
/* In a mapped file; fd: of the same file, where the chunk is `at`, or -1. */
typedef struct ChunkSource { const uint8_t *data; int fd; off_t at; } ChunkSource;
typedef enum ChunkResult { CHUNK_LOADED, CHUNK_FULL, CHUNK_DAMAGED, CHUNK_DIFFERS } ChunkResult;
/* Copies a chunk into the code buffer, looks whether it is sound and whether the guest's code is
 * what it was made from, and relocates it. FULL: there is no room now. May fault, which leaves
 * nothing behind but wasted metadata. */
ChunkResult chunk_load(struct Translator *t, const ChunkSource *from, const StoreChunkRow *row,
                       const ChunkPlace *place, StoredChunk **ret);

/* All its links lead to their stubs, and the runtime notes in `ran` what it comes to run; or, if
 * all is known to be run, that stands there. The chunk has just been loaded. False: no memory. */
bool chunk_record(struct Translator *t, StoredChunk *c, bool all);

/* Units that indirect branches came to where they were recorded, of a chunk that has just been
 * loaded, are found by the vcpu's from now on. By its thread. */
void chunk_fill_jump_cache(const StoredChunk *c, struct Vcpu *v);
/* Is the unit one of those? In a file. */
bool chunk_is_looked_up(const StoredChunk *c, uint32_t n);

/* The unit whose code holds `at`, an offset in the code of a chunk that is loaded. */
uint32_t chunk_find_unit(const StoredChunk *c, uint32_t at);
/* Guest code that a unit has seen: the n-th of chunk_n_seen(). */
static inline uint32_t chunk_n_seen(const StoreUnit *u) { return u->n_seen ? u->n_seen : 1; }
static inline StoreRange chunk_seen(const StoredChunk *c, const StoreUnit *u, uint32_t n)
{
    return u->n_seen ? c->seen[u->seen + n]
                     : (StoreRange) { u->off - u->around.before,
                                      (uint32_t)u->around.before + u->around.after };
}
/* Into ret[n_ranges]; false: the tables contradict each other. */
bool chunk_place_ranges(const StoredChunk *c, uint32_t *ret);
/* In a file's bytes: the guest's there; NULL: the tables contradict each other. By range_at. */
const uint8_t *chunk_guest_bytes(const StoredChunk *c, StoreRange seen);
static inline uint32_t chunk_flags(const StoredChunk *c, const StoreUnit *u)
{
    return c->kind[u->kind].flags;
}
static inline uint32_t chunk_mode(const StoredChunk *c, const StoreUnit *u)
{
    return c->kind[u->kind].mode;
}
/* Of the units by their offsets, the number of the first at `off` or behind. */
uint32_t chunk_first_from(const StoredChunk *c, uint64_t off);
/* NULL until somebody asks; stays when invalid. */
static inline CompiledUnit *chunk_made(const StoredChunk *c, uint32_t n)
{
    return unit_at(c, c->made[n]);
}
/* A unit without its links and code, and its tables without relocations. */
void chunk_describe(const StoredChunk *c, uint32_t n, CompiledUnit *ret);
void chunk_tables(const StoredChunk *c, uint32_t n, UnitTables *ret);
/* The unit at host_pc, its code and tables: cache_find()'s, or if that is a chunk, view->unit. */
typedef struct ChunkView { CompiledUnit unit; UnitTables tables; const uint8_t *code; } ChunkView;
const CompiledUnit *chunk_view(const CodeBuffer *buf, const void *host_pc, ChunkView *view);
/* Checks a chunk's links to and from others of its group, and copies what later finds those that
 * lead to it. Gives row->n_out and then row->n_in of them, in memory that the next chunk will
 * use; NULL: they are damaged, or there is no room. May fault. */
const StoreBind *chunk_take_cross(struct Translator *t, StoredChunk *c, const uint8_t *file,
                                  const StoreChunkRow *row);
/* A link to a unit of another chunk leads straight there from now on, if both chunks have taken
 * theirs, unless it leads somewhere already. As those within a chunk it is in no list. */
void chunk_bind(struct Translator *t, StoredChunk *from, const StoreBind *b, const StoredChunk *to);
bool chunk_is_bound(const StoredChunk *from, StoreCross cross, const StoredChunk *to);
/* Where in the chunk's code the stub of a link of the unit is, and which link of which unit has the
 * stub there. Links are counted through the chunk. */
uint32_t chunk_stub_of(const StoredChunk *c, const StoreUnit *u, uint32_t link);
bool chunk_find_link(const StoredChunk *c, uint32_t stub, uint32_t *ret_unit, uint32_t *ret_link);
/* Where the link whose stub is at that offset in the chunk's code leads. */
bool chunk_link_target(const StoredChunk *c, uint32_t stub, GuestAddr *ret_target);
/* The CompiledUnit with its links, made now if there is none; NULL: no room for metadata. */
CompiledUnit *chunk_make_unit(struct Translator *t, StoredChunk *c, uint32_t n);

#endif
