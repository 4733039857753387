/* data plane */
/*
 * The code buffer: a private mapping, RWX for code and behind that RW for the metadata of units,
 * reserved at once and touched lazily; a forked child inherits it.
 *
 * Rules
 *  1. Allocation goes only upwards; cache_reset() frees everything at once. The caller makes sure
 *     that no thread is in the code then (and that no return stack points into it).
 *  2. Small programs stay on small pages, at the start. Who needs more goes on at the next boundary
 *     of a huge page, so that each 2 MB cost one page fault: cache_widen() before allocating. Of
 *     metadata that is only the first few: the last page is half empty.
 *  3. cache_find() may be called in signal handlers and without a lock while another thread adds.
 * Threads: everything but cache_find() needs the translator's lock.
 */
#ifndef TRANSLATOR_CACHE_CODE_BUFFER_H
#define TRANSLATOR_CACHE_CODE_BUFFER_H

#include <stddef.h>

#include "translator/cache/unit.h"

enum { CACHE_DEFAULT_BYTES = 96 << 20 };

typedef struct CacheRow {
    UnitRef unit;         /* from CodeBuffer.meta */
    UnitRef code;         /* the unit's, from CodeBuffer.base: a search needn't go there */
} CacheRow;

typedef struct CodeBuffer {
    size_t bytes;         /* of the mapping */
    uint8_t *base, *limit;
    uint8_t *next;        /* where the next unit starts */
    uint8_t *first;       /* behind the backend's common stubs: where a reset returns to */
    uint8_t *meta, *meta_next, *meta_limit;
    uint8_t *wide, *meta_wide; /* where huge pages start; NULL: nothing is there yet */
    uint8_t *meta_narrow; /* and where they end */
    CacheRow *row;        /* in order of address */
    _Atomic uint32_t n_units;
    uint32_t cap_units;
} CodeBuffer;

bool cache_init(CodeBuffer *c, size_t bytes); /* 0: default */
void cache_free(CodeBuffer *c);
void cache_reset(CodeBuffer *c);
/* So much code and metadata are about to be allocated. */
void cache_widen(CodeBuffer *c, size_t code_bytes, size_t meta_bytes);
/* Zeroed, 8-byte aligned metadata; NULL when it is full. */
void *cache_alloc_meta(CodeBuffer *c, size_t bytes);
/* Makes `u` findable; its code ends at c->next. False when the table is full. */
bool cache_add(CodeBuffer *c, CompiledUnit *u);
static inline CompiledUnit *cache_unit(const CodeBuffer *c, uint32_t n)
{
    return (CompiledUnit *)(void *)(c->meta + (ptrdiff_t)c->row[n].unit * UNIT_REF_STEP);
}
static inline const uint8_t *cache_code(const CodeBuffer *c, uint32_t n)
{
    return c->base + (ptrdiff_t)c->row[n].code * UNIT_REF_STEP;
}
CompiledUnit *cache_find(const CodeBuffer *c, const void *host_pc);

#endif
