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

/* A direct exit that can be chained. `site` is the place of a rel32 that jumps to `stub` (in the
 * same unit, goes to C) while unlinked. */
typedef struct UnitLink {
    struct CompiledUnit *from;
    GuestAddr target;
    uint32_t site, stub;          /* offsets from from->code */
    uint32_t guard;               /* where the unit goes on behind a call: becomes a jump to the
                                     site's code when the unit is withdrawn. 0: none */
    /* the runtime's, under the translator's lock */
    struct CompiledUnit *to;      /* NULL: not linked */
    struct UnitLink *next_incoming, **prev_incoming; /* list to->incoming */
} UnitLink;

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

/* The side table: rows sorted by host offset; a row holds for `bytes` host bytes from `start`. What
 * doesn't fit the fields isn't compiled so: the unit is made shorter. */
typedef struct UnitPoint {
    uint32_t start : 20, bytes : 12; /* start: offset from code */
    int32_t guest;        /* guest pc less unit pc */
    uint32_t snap : 20;   /* index into snap[]: first entry; n_snap of them */
    uint32_t n_snap : 9;
    uint32_t flags_kind : 3; /* how EFLAGS hold the guest's flags, for UNIT_SNAP_FLAGS */
} UnitPoint;
typedef struct UnitSnap {
    uint8_t var;
    uint8_t kind : 4; /* UNIT_SNAP_* */
    uint8_t form : 4; /* IrForm: the variable has this of it */
    uint16_t what;
} UnitSnap;
enum {
    UNIT_SNAP_REG,    /* in this register */
    UNIT_SNAP_SPILL,  /* in this spill slot */
    UNIT_SNAP_VAR,    /* in the state, at this variable's place */
    UNIT_SNAP_CONST,  /* constant[what] */
    UNIT_SNAP_GUEST,  /* the same, a guest code address (relocatable) */
    UNIT_SNAP_VCONST, /* vconst[constant[what]] */
    UNIT_SNAP_FLAGS,  /* in EFLAGS */
};

/* A region's guest code on one page. */
typedef struct UnitRange {
    GuestAddr start, end;
    struct CompiledUnit *next; /* list of the page's units */
} UnitRange;

/* What faults and the store's writer want to know of a unit. */
typedef struct UnitTables {
    uint32_t n_relocs, n_points, n_snaps, n_constants, n_vconsts, n_fp_sites;
    const UnitReloc *reloc;
    const UnitPoint *point;
    const UnitSnap *snap;
    const uint64_t *constant;
    const V128 *vconst;
    struct UnitFpSite *fp_site; /* the host's: instructions whose exceptions it repairs */
    uint64_t guest_bias;        /* added to constants that are guest code addresses */
} UnitTables;

/* The same as it is kept: behind it lie the tables in the order of unit_tables(). */
typedef struct UnitSide {
    uint32_t n_relocs, n_points, n_snaps, n_constants, n_vconsts, n_fp_sites;
    uint32_t straight_bytes;    /* of host code before what is out of line; for logs */
    uint32_t free;
    uint64_t seen_hash;         /* store_hash() of the guest bytes that it depends on, as they were
                                   used; 0: the unit isn't for the store */
    uint64_t free_too;          /* V128s follow */
} UnitSide;

/* There are as many as 200,000, so they are small. */
typedef struct CompiledUnit {
    GuestAddr pc;
    uint64_t mode;
    const uint8_t *code;    /* host code */
    UnitLink *link;
    UnitSide *side;         /* NULL: of a chunk, which has the tables; or another backend's */
    struct StoredChunk *chunk; /* the unit comes from the store: stored-chunk.h */
    uint32_t code_bytes;    /* guest bytes; a region's aren't contiguous */
    uint32_t n_guest_insns;
    uint32_t flags;         /* IR_UNIT_* it was translated with */
    uint32_t host_bytes;
    uint32_t entry;         /* offset of the entry for jumps from other units and enter() */
    uint32_t n_links;

    /* the runtime's, under the translator's lock */
    struct CompiledUnit *hash_next;
    UnitLink *incoming;
    GuestAddr seen_start, seen_end; /* guest code that it depends on: its own, and what lies around
                                       it on its first page (GuestIsa.lazy_dead) */
    struct CompiledUnit *page_next[2]; /* lists by guest page */
    UnitRange *range;       /* a region's: [n_ranges], one a page; then seen_* and page_next
                               are unused */
    uint16_t n_ranges;
    uint16_t tier_asked;    /* how often its entries have been as many as the profile counts */
    uint8_t rebuilds;       /* how often the region at this pc has been made anew */
    bool tier_tried;        /* its pc was hot, and no region could be made there */
    bool invalid;
} CompiledUnit;

static inline void unit_tables(const CompiledUnit *u, UnitTables *ret)
{
    const UnitSide *s = u->side;
    *ret = (UnitTables) { 0 };
    if (!s)
        return;
    ret->n_vconsts = s->n_vconsts;
    ret->n_constants = s->n_constants;
    ret->n_relocs = s->n_relocs;
    ret->n_points = s->n_points;
    ret->n_snaps = s->n_snaps;
    ret->n_fp_sites = s->n_fp_sites;
    ret->vconst = (const V128 *)(s + 1);
    ret->constant = (const uint64_t *)(ret->vconst + s->n_vconsts);
    ret->point = (const UnitPoint *)(ret->constant + s->n_constants);
    ret->reloc = (const UnitReloc *)(ret->point + s->n_points);
    ret->snap = (const UnitSnap *)(ret->reloc + s->n_relocs);
    ret->fp_site = (struct UnitFpSite *)(uintptr_t)(ret->snap + s->n_snaps);
}
static inline size_t unit_side_bytes(const UnitSide *s, size_t fp_site_bytes)
{
    return sizeof *s + s->n_vconsts * sizeof(V128) + s->n_constants * sizeof(uint64_t) +
           s->n_points * sizeof(UnitPoint) + s->n_relocs * sizeof(UnitReloc) +
           s->n_snaps * sizeof(UnitSnap) + s->n_fp_sites * fp_site_bytes;
}

static inline const uint8_t *unit_entry(const CompiledUnit *u) { return u->code + u->entry; }

#endif
