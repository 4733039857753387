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

#include "translator/cache/code-buffer.h"
#include "translator/cache/store-format.h"

struct Backend;
struct Translator;

typedef struct StoredChunk {
    CompiledUnit base;        /* base.chunk is this one; base.code its code */
    uint64_t bias;            /* guest address less offset in the guest's file */
    const StoreTables *tables;
    V128 *vconst;
    uint64_t *constant;
    const StoreUnit *unit;
    const StoreLink *link;
    uint8_t *fp_site;
    UnitPoint *point;
    UnitSnap *snap;
    const uint32_t *reloc;
    const StoreRange *range;
    const uint8_t *guest;
    CompiledUnit **made;      /* [n_units]: NULL until somebody asks; stays when invalid */
    bool connected;           /* every unit is made, and links among them are in their lists */
    struct StoredChunk *next; /* list of the translator's loaded chunks */
} StoredChunk;

/* Finds the tables' places; false: they don't fit into `bytes`. Fills tables … guest of c. */
bool chunk_lay_out(StoredChunk *c, const void *tables, size_t bytes);

/* Copies a chunk into the buffer, looks whether it is sound, and relocates it. NULL: it isn't, or
 * its addresses don't suit `bias`, or (*ret_full) there is no room. The caller compares the guest
 * bytes and then calls chunk_publish() or chunk_drop(), before anything else is allocated. */
StoredChunk *chunk_load(struct Translator *t, const uint8_t *file, const StoreChunkRow *row,
                        uint64_t bias, bool *ret_full);
bool chunk_publish(struct Translator *t, StoredChunk *c);
void chunk_drop(struct Translator *t, StoredChunk *c);

/* The unit whose code holds `at`, an offset in the chunk's code. */
uint32_t chunk_find_unit(const StoredChunk *c, uint32_t at);
/* The guest bytes that the unit depends on; NULL: the tables contradict each other. */
const uint8_t *chunk_seen(const StoredChunk *c, const StoreUnit *u);
/* Is there a unit whose entry is at that offset in the file? */
bool chunk_find_entry(const StoredChunk *c, uint32_t off);
/* What the backend has to know of a unit, but for its links. */
void chunk_describe(const StoredChunk *c, uint32_t n, CompiledUnit *ret);
/* The unit at host_pc: cache_find(), or if that is a chunk, *view filled in. */
const CompiledUnit *chunk_view(const CodeBuffer *buf, const void *host_pc, CompiledUnit *view);
/* Where the link whose stub is at that offset in the chunk's code leads. */
bool chunk_link_target(const StoredChunk *c, uint32_t stub, GuestAddr *ret_target);
/* The CompiledUnit with its links, made now if there is none; NULL: no room for metadata. */
CompiledUnit *chunk_make_unit(struct Translator *t, StoredChunk *c, uint32_t n);

#endif
