/*
 * A compiled unit: what the backend leaves behind beside the code bytes. Made by Backend.compile
 * in the code buffer's metadata, so that a flush of the buffer frees it together with the code;
 * until then neither the code nor the record of an invalidated unit is reused.
 *
 * Ownership: the backend fills everything down to "the runtime's"; the runtime owns the rest.
 *
 * Invalidation: the runtime unlinks every link in `incoming` and drops the unit from its tables and
 * the vcpus' jump caches. Threads inside the unit run on to its next exit. Landing pads of the
 * unit's calls stay usable (they are outgoing links and lead to whatever unit is current for the
 * return address), which is why outgoing links of an invalid unit remain linked until their own
 * targets go.
 */
#ifndef TRANSLATOR_CACHE_UNIT_H
#define TRANSLATOR_CACHE_UNIT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "translator/ir/ir.h"

struct CompiledUnit;

/* From a unit or a link to another or its code, in the same mapping: the distance in steps of 8
 * bytes, because programs have hundreds of thousands of them. 0: to nothing. */
typedef int32_t UnitRef;
enum { UNIT_REF_STEP = 8 };
static inline void *unit_at(const void *from, UnitRef ref)
{
    return ref ? (uint8_t *)(uintptr_t)from + (ptrdiff_t)ref * UNIT_REF_STEP : NULL;
}
static inline UnitRef unit_ref(const void *from, const void *to)
{
    return to ? (UnitRef)(((const uint8_t *)to - (const uint8_t *)from) / UNIT_REF_STEP) : 0;
}

/* A direct exit that can be chained. Its site is the place of a rel32 that jumps to its stub (in
 * the same unit or, from the store, in the same chunk; goes to C) while unlinked; its guard, if
 * there is one, where the unit goes on behind a call, becomes a jump to the site's code when the
 * unit is withdrawn. */
typedef struct UnitLink {
    uint64_t site : 24;           /* offset from the unit's code, or a chunk's */
    uint64_t stub : 23;           /* from the site to the stub */
    uint64_t guard : 17;          /* from the guard to the site; 0: none */
    int64_t target : 62;          /* less the unit's pc: a region may lead to a library */
    uint64_t counts : 1;          /* to a unit that counts its entries, or a region */
    uint64_t apart : 1;           /* nothing but the site leads to the stub, which is among those
                                     that end the unit: the store puts it elsewhere */
    UnitRef from;                 /* the unit that it is in */
    /* the runtime's, under the translator's lock */
    UnitRef to;                   /* unit; 0: not linked */
    UnitRef next_incoming;        /* link; list `incoming` of `to` */
} UnitLink;
_Static_assert(sizeof(UnitLink) == 32, "there are as many as 500,000");
enum { UNIT_HOST_BYTES_MAX = 1 << 17, UNIT_STUB_BYTES = 5 };
static inline uint32_t link_stub(const UnitLink *l) { return l->site + l->stub; }

typedef enum UnitRelocKind {
    UNIT_RELOC_GUEST64, /* 8 bytes: guest code address */
    UNIT_RELOC_GUEST32, /* 4 bytes, zero- or sign-extended: guest code address below 2 GiB */
    UNIT_RELOC_STUB,    /* rel32 to the backend's common stub number `value` */
} UnitRelocKind;
/* Guest addresses stand in the code itself, as nothing changes them there. */
typedef struct UnitReloc {
    uint32_t at : 24; /* offset from code */
    uint32_t kind : 2;
    uint32_t stub : 6;
} UnitReloc;
/* As they are kept, in ascending order: how much farther than the last one, seven bits a byte, the
 * lowest first, bit 7: there is more; then stub and kind in a byte. */
typedef struct UnitRelocs {
    const uint8_t *p, *end;
    uint32_t at;
} UnitRelocs;
static inline bool unit_next_reloc(UnitRelocs *r, UnitReloc *ret)
{
    uint32_t on = 0, shift = 0;
    if (r->p == r->end)
        return false;
    for (; *r->p & 0x80; shift += 7)
        on |= (uint32_t)(*r->p++ & 0x7f) << shift;
    on |= (uint32_t)*r->p++ << shift;
    r->at += on;
    *ret = (UnitReloc) { .at = r->at, .kind = *r->p & 3, .stub = *r->p >> 2 };
    r->p++;
    return true;
}
enum { UNIT_RELOC_BYTES = 5 }; /* at most */
static inline uint8_t *unit_put_reloc(uint8_t *p, uint32_t on, UnitReloc r)
{
    for (; on >= 0x80; on >>= 7)
        *p++ = (uint8_t)(on | 0x80);
    *p++ = (uint8_t)on;
    *p++ = (uint8_t)(r.stub << 2 | r.kind);
    return p;
}

/* A region's guest code on one page. */
typedef struct UnitRange {
    GuestAddr start, end;
    struct CompiledUnit *next; /* list of the page's units */
} UnitRange;

/* What faults and the store's writer want to know of a unit. */
typedef struct UnitTables {
    uint32_t point_bytes, n_vconsts, n_fp_sites;
    UnitRelocs relocs;
    const uint8_t *points;      /* unit-points.h */
    const V128 *vconst;
    struct UnitFpSite *fp_site; /* the host's: instructions whose exceptions it repairs */
} UnitTables;

/* The same as it is kept: behind it lie the tables in the order of unit_tables(). */
typedef struct UnitSide {
    uint64_t seen_hash;         /* store_hash() of the guest bytes that it depends on, as they were
                                   used; 0: the unit isn't for the store */
    uint32_t point_bytes : 20, n_vconsts : 12;
    uint16_t reloc_bytes, n_fp_sites;
} UnitSide;
enum { UNIT_POINT_BYTES_MAX = (1 << 20) - 1, UNIT_VCONSTS_MAX = (1 << 12) - 1 };

/* A flag beside the IR_UNIT_*: the code begins at a multiple of 16, because of what it loads from
 * its end. Others keep to UNIT_REF_STEP. */
enum { UNIT_ALIGNED = 1 << 15 };

/* There are as many as 200,000, so they are small. */
typedef struct CompiledUnit {
    GuestAddr pc;
    UnitRef code;           /* host code: unit_code() */
    UnitRef side;           /* unit_side(), unit_chunk() */
    uint32_t mode;
    uint32_t code_bytes;    /* guest bytes; a region's aren't contiguous */
    uint32_t host_bytes;
    UnitRef link;           /* [n_links]: unit_link_at() */
    uint16_t n_links, n_guest_insns;
    uint16_t entry;         /* offset of the entry for jumps from other units and enter() */
    uint16_t flags;         /* IR_UNIT_* it was translated with, and UNIT_ALIGNED */
    uint16_t straight_bytes; /* of host code before what is out of line; for logs */
    bool stored : 1;        /* it comes from the store: stored-chunk.h */

    /* the runtime's, under the translator's lock */
    bool tier_tried : 1;    /* its pc was hot, and no region could be made there */
    bool invalid;
    uint16_t tier_asked;    /* how often its entries have been as many as the profile counts; of one
                             * that doesn't count, how often a link wanted one that does */
    uint8_t n_ranges;       /* 0: no region */
    atomic_bool looked_up;  /* an indirect branch came to it: jump_cache_fill() */
    UnitRef hash_next;      /* unit */
    UnitRef incoming;       /* link */
    UnitRef page_next[2];   /* units: lists by guest page; a region's are in its ranges */
    union {
        UnitRange *range;   /* a region's: [n_ranges], one a page */
        struct { uint32_t before, after; } seen; /* of a unit: unit_seen() */
    };
} CompiledUnit;
_Static_assert(sizeof(CompiledUnit) == 72, "see above");

static inline const uint8_t *unit_code(const CompiledUnit *u)
{
    return (const uint8_t *)u + (ptrdiff_t)u->code * UNIT_REF_STEP;
}
/* The tables; NULL: its chunk has them, or the backend needs none. */
static inline UnitSide *unit_side(const CompiledUnit *u)
{
    return u->stored ? NULL : unit_at(u, u->side);
}
/* Of a chunk's own unit, which is its first member, `side` is 0. */
static inline struct StoredChunk *unit_chunk(const CompiledUnit *u)
{
    return u->stored ? (struct StoredChunk *)((uint8_t *)(uintptr_t)u +
                                              (ptrdiff_t)u->side * UNIT_REF_STEP)
                     : NULL;
}
static inline UnitLink *unit_link_at(const CompiledUnit *u, uint32_t n)
{
    return (UnitLink *)unit_at(u, u->link) + n;
}
/* Its code without the stubs at its end that may lie elsewhere. */
static inline uint32_t unit_own_bytes(const CompiledUnit *u)
{
    uint32_t bytes = u->host_bytes;
    for (uint32_t n = 0; n < u->n_links; n++)
        bytes -= unit_link_at(u, n)->apart ? UNIT_STUB_BYTES : 0;
    return bytes;
}
/* Does it notice that it is hot, or has it been made for that already? */
static inline bool unit_counts(uint32_t flags)
{
    return flags & (IR_UNIT_COUNTED | IR_UNIT_REGION);
}
static inline UnitLink *unit_incoming(const CompiledUnit *u) { return unit_at(u, u->incoming); }
static inline struct CompiledUnit *link_from(const UnitLink *l) { return unit_at(l, l->from); }
static inline struct CompiledUnit *link_to(const UnitLink *l) { return unit_at(l, l->to); }
static inline GuestAddr link_target(const UnitLink *l)
{
    return link_from(l)->pc + (GuestAddr)l->target;
}

/* Guest code that the unit depends on, n-th piece of unit_n_seen(): a region's pages; else its own
 * and what lies around it on its first page (GuestIsa.lazy_dead). */
static inline uint32_t unit_n_seen(const CompiledUnit *u) { return u->n_ranges ? u->n_ranges : 1; }
static inline UnitRange unit_seen(const CompiledUnit *u, uint32_t n)
{
    return u->n_ranges ? u->range[n]
                       : (UnitRange) { .start = u->pc - u->seen.before,
                                       .end = u->pc + u->seen.after };
}
static inline void unit_set_seen(CompiledUnit *u, GuestAddr start, GuestAddr end)
{
    u->seen.before = (uint32_t)(u->pc - start);
    u->seen.after = (uint32_t)(end - u->pc);
}

static inline void unit_tables(const CompiledUnit *u, UnitTables *ret)
{
    const UnitSide *s = unit_side(u);
    *ret = (UnitTables) { 0 };
    if (!s)
        return;
    ret->n_vconsts = s->n_vconsts;
    ret->point_bytes = s->point_bytes;
    ret->n_fp_sites = s->n_fp_sites;
    uintptr_t at = (uintptr_t)(s + 1);
    if (s->n_vconsts)
        at = (at + 15) & ~(uintptr_t)15;
    ret->vconst = (const V128 *)at;
    ret->relocs.p = (const uint8_t *)(ret->vconst + s->n_vconsts);
    ret->points = ret->relocs.end = ret->relocs.p + s->reloc_bytes;
    ret->fp_site = (struct UnitFpSite *)(((uintptr_t)ret->points + s->point_bytes + 3) &
                                         ~(uintptr_t)3);
}
static inline size_t unit_side_bytes(const UnitSide *s, size_t fp_site_bytes)
{
    return sizeof *s + (s->n_vconsts ? 16 : 0) + s->n_vconsts * sizeof(V128) +
           ((s->reloc_bytes + s->point_bytes + 3) & ~(size_t)3) + s->n_fp_sites * fp_site_bytes;
}

static inline const uint8_t *unit_entry(const CompiledUnit *u) { return unit_code(u) + u->entry; }

#endif
