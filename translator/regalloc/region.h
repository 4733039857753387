/* data plane */
/*
 * Allocation over a region, an IrUnit of many blocks. The walk of regalloc.c goes on from block to
 * block in layout order (ir.h: reverse postorder, a loop's blocks together); this is what it needs
 * to know beyond the block at hand, and what happens between blocks.
 *
 * Liveness (region-live.c). A value is live at a block's start if it has a use ahead on some path
 * ("hard"; with the distance of the nearest, in instructions, paths out of loops counted as far) or
 * if a variable that somebody may look at is bound to it ("soft"). Only values that cross a block's
 * border are numbered for this ("globals"). Where predecessors leave a variable that is still
 * looked at with different values, the block gets a value of its own for it: a phi that the IR
 * doesn't have.
 *
 * States (region-place.c). The first edge to a block that is emitted fixes where the block expects
 * each live value: in a register, in memory, or both. A block with one predecessor takes all as it
 * is, EFLAGS included; every further edge to one with several moves what is elsewhere, in parallel.
 * A loop's head keeps registers for what the loop uses and sends what only lives through to memory.
 * A value has one spill slot for its whole life. Two have the same one only if a phi joins one of
 * them and they are never wanted at once.
 */
#ifndef TRANSLATOR_REGALLOC_REGION_H
#define TRANSLATOR_REGALLOC_REGION_H

#include "translator/regalloc/state.h"

enum { RA_VAR_WORDS = RA_MAX_VARS / 64, RA_FAR = UINT32_MAX };
enum { RA_CONSTANTS = 1024 };
enum { RA_HARD_MAX = 40 };
enum { RA_LEAVES_LOOP = 1 << 16, RA_UNLIKELY = 1 << 8, RA_MAX_DISTANCE = 1 << 24,
       RA_SOFT_USE = 1 << 23 /* only as a variable's value, by way of phis */ };

/* Where a block expects a live value. */
typedef struct RaPlace {
    uint32_t value;
    int16_t mem;     /* as RaValue.mem */
    Reg reg;
    bool special;    /* in EFLAGS; only of blocks with one predecessor */
} RaPlace;

typedef struct RaBlock {
    uint32_t first_pos, last_pos;
    uint32_t *pred;              /* numbers, in order */
    unsigned n_preds;
    uint32_t loop;               /* head of the innermost loop + 1; 0: none */
    uint32_t outer;              /* of a head: the loop around it, likewise */
    unsigned depth;
    bool head, inner;            /* of a loop; of one with no loop inside */
    uint64_t live_in[RA_VAR_WORDS], live_out[RA_VAR_WORDS]; /* variables that may be looked at */
    uint64_t puts[RA_VAR_WORDS];
    uint64_t merged[RA_VAR_WORDS]; /* variables with a value of the block's own */
    uint32_t *in, *out;          /* [n_vars]: values bound at its start and end */
    uint8_t *in_form, *out_form; /* [n_vars] */
    uint32_t n_sets;             /* of variable values numbered before its first instruction */
    uint16_t pressure[2];        /* hard-live values at once: general, vector */
    uint16_t soft_beside[2][RA_HARD_MAX + 1]; /* beside so many (or more than the last), how many
                                                 that only observers want */
    bool fixed;
    RaPlace *place;
    uint32_t n_places;
} RaBlock;

typedef struct RaRegion {
    RaBlock *block;
    uint32_t n_blocks, current;
    uint32_t n_globals;          /* numbered from 1 */
    uint32_t *global_of;         /* [n_values]; 0: lives in one block only */
    uint32_t *value_of;          /* [n_globals + 1] */
    uint32_t *def_block;         /* [n_globals + 1] */
    uint32_t *home;              /* [n_globals + 1]: def_block; of constants RA_FAR */
    uint32_t *last_block;        /* [n_globals + 1]: in layout, that it is live in */
    uint64_t kept[RA_MAX_SPILLS / 64]; /* slots that values had before another one */
    int16_t *slot;               /* [n_globals + 1]: its spill slot, or RA_MEM_NONE */
    uint32_t *phi_of;            /* [n_globals + 1]: a phi in memory that it goes into, or 0 */
    uint32_t *dist;              /* [n_blocks][n_globals + 1] at the start; RA_FAR: not live */
    uint32_t *out;               /* [n_globals + 1]: at the end of the current block */
    uint32_t *soft;              /* [n_globals + 1]: stamp */
    uint32_t stamp;
    uint32_t *block_at;          /* by position */
    uint8_t *put_at;             /* by position: is it a put? */
    uint8_t phi_form;            /* ra_region_each_phi(): of the argument */
    uint32_t constant[RA_CONSTANTS]; /* hash of constants; 0: free */
    unsigned n_constants;
} RaRegion;

/* One transfer of an edge: from a register, memory or a constant to a register or memory. */
typedef struct RaMove {
    uint32_t value;  /* a constant to be made, or 0 */
    uint8_t type;
    uint8_t form;    /* IrForm: of what is moved, to arrive */
    Reg to, from;
    int16_t to_mem, from_mem;
    uint32_t def_pos; /* of what is moved */
} RaMove;
typedef struct RaEdge {
    RaMove *move;
    unsigned n_moves;
    uint32_t free;   /* registers that the edge doesn't touch and nobody wants behind it */
} RaEdge;

/* Places that another way out of the block still reads. */
typedef struct RaKeep {
    uint32_t regs;
    uint64_t vars[RA_VAR_WORDS], spills[RA_MAX_SPILLS / 64];
} RaKeep;

/* region-live.c */
void ra_region_prepare(Ra *ra, const IrRef *pair);
/* Calls fn for each phi of the block, the IR's and its own, with the argument from pred. */
typedef void RegionPhiFn(Ra *ra, void *opaque, uint32_t value, uint32_t arg);
void ra_region_each_phi(Ra *ra, uint32_t block, uint32_t pred, RegionPhiFn *fn, void *opaque);

void ra_region_dist_out(Ra *ra, uint32_t block); /* fills in RaRegion.out */
static inline const uint32_t *ra_region_dist_in(const RaRegion *rg, uint32_t block)
{
    return rg->dist + (size_t)block * (rg->n_globals + 1);
}

static inline bool ra_has_bit(const uint64_t *set, unsigned n)
{
    return set[n / 64] >> n % 64 & 1;
}

/* prepare.c */
typedef struct RaWalk { uint32_t pos, last_observed, last_exit; } RaWalk;
/* The block's instructions as ra_begin() will see them; binds variables on the way. */
void ra_prepare_block(Ra *ra, uint32_t block, RaWalk *walk, const IrRef *pair);
void ra_prepare_set(Ra *ra, uint32_t base);
bool ra_prepare_observes(const Ra *ra, const IrInsn *i);
bool ra_prepare_writes_vars(const Ra *ra, const IrInsn *i);

/* regalloc.c */
uint32_t ra_region_class(const Ra *ra, IrType t);
bool ra_fits_var(const Ra *ra, const RaValue *v, unsigned var);
bool ra_region_own_place(Ra *ra, uint32_t value, int16_t *ret_mem);
int16_t ra_region_slot(Ra *ra, uint32_t value);
uint32_t ra_region_mem_offset(const Ra *ra, int mem);
unsigned ra_region_var_bytes(const Ra *ra, unsigned var);

/* region-place.c */
/* Values that live into the block, but for its phis. */
typedef void RegionValueFn(Ra *ra, void *opaque, uint32_t value);
void ra_region_each_live_in(Ra *ra, uint32_t block, RegionValueFn *fn, void *opaque);
/* By the first edge to it that is emitted, with all as it is now: RaBlock.place. */
void ra_region_fix_state(Ra *ra, uint32_t from, uint32_t to);
/* Where a value is to be spilled that crosses blocks. True: into its slot, slot[g]; else a new one
 * becomes that. */
bool ra_region_slot_for(Ra *ra, uint32_t g);

/* region-edge.c: for the driver. */
void ra_block_begin(Ra *ra, uint32_t block);
bool ra_block_reached(const Ra *ra, uint32_t block);
/* Makes ordinary values of what EFLAGS hold, as far as `to` has other predecessors and wants it. */
void ra_edge_settle(Ra *ra, uint32_t to);
const RaEdge *ra_edge(Ra *ra, uint32_t to); /* from the current block, as it is now */
void ra_edge_emit(Ra *ra, const RaEdge *edge);
/* What must stay for an edge, an exit with that snapshot; and whether an edge's moves leave it so:
 * then they can stand before the branch. They use no temporary that is kept. */
void ra_keep_for_edge(const Ra *ra, uint32_t to, const RaEdge *edge, RaKeep *keep);
void ra_keep_for_exit(const Ra *ra, const UnitSnap *snap, unsigned n, RaKeep *keep);
bool ra_edge_keeps(const RaEdge *edge, const RaKeep *keep);
void ra_edge_emit_keeping(Ra *ra, const RaEdge *edge, const RaKeep *keep);

#endif
