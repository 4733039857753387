/*
 * Regions: which guest code the optimizing tier takes together, and its IR.
 *
 *   discover.c  guest blocks from the entry along direct branches, each side that is gone often
 *   inline.c    calls whose callees come in with them
 *   layout.c    which of them stay, in which order
 *   lift.c      their IR: br and brc inside, side exits out of the region, polls
 *   lift-end.c  ends of guest blocks: branches, calls, returns
 *
 * A region has one entry, its pc. If that is the head of a loop, the region is the loop nest:
 * blocks from which control can't come back to the entry stay outside. Calls that aren't inlined,
 * returns from where the region began and indirect jumps end a path, but for jumps that went to one
 * or two places often: those it compares with.
 *
 * An inlined callee's blocks are the call's own: a block is known by its pc and its frame, the
 * chain of calls that led there. A return in a frame compares its target with the address behind
 * the call, and goes on there; in a leaf the comparison folds. Nothing else is assumed of callees.
 * The private stack has no entries for frames: exits from them make these (ir.h, IrFrame).
 *
 * Where the region began it also goes on behind calls that stay calls, if it is no loop or the
 * loop's usual way leads through one. All
 * variables are canonical there, and no way leads back to what was before the call, nor do ways
 * join that went through different calls: each goes on in a RegionFrame of its own, and code that
 * two of them have is there twice. So no value but a constant is alive across a call, and what
 * comes back to the entry leaves and enters again.
 *
 * Rules
 *  1. A guest block is lifted once to find where it ends, and once more into the unit, when all
 *     branch targets are known. What the second time shows decides; a difference (it can only come
 *     from what a lifter knew about the instructions before) refuses the region.
 *  2. Blocks stand in the unit in a weak topological order: predecessors first but for back edges,
 *     a loop's blocks together, its head first.
 *  3. No block of the entry's frame from which control comes back to the entry lies below it, so
 *     that the region of an inner loop's head isn't the outer loop turned inside out: compilers put
 *     a loop's head first.
 *  4. A `poll` stands at the start of each block to which an edge leads backwards, in this order or
 *     in the guest's addresses: so every loop has one, also loops that only partly lie in the
 *     region. There and not on the edge, so that a loop's last branch can be its way back.
 */
#ifndef TRANSLATOR_REGION_REGION_H
#define TRANSLATOR_REGION_REGION_H

#include "translator/guest/isa.h"
#include "translator/ir/arena.h"

enum {
    REGION_PAGE_SHIFT = 12,
    REGION_PAGE_BYTES = 1 << REGION_PAGE_SHIFT,
    REGION_MAX_PAGES = 16,
    REGION_TARGETS = 4,      /* of an indirect call */
    REGION_BACK = REGION_TARGETS, /* number of the successor behind a call */
    REGION_SUCCS,
    REGION_MAX_FRAMES = 64,
    REGION_PAGE_MARGIN = 16, /* of the next page, for an instruction across the end */
};

/* Guest code as it was copied: what of the page can be fetched, from its start. */
typedef struct RegionPage {
    GuestAddr start;
    size_t bytes;
    GuestAddr seen_start, seen_end; /* what of it the region depends on; start >= end: nothing */
    uint8_t *code;                  /* [REGION_PAGE_BYTES + REGION_PAGE_MARGIN] */
} RegionPage;

typedef struct RegionBlock RegionBlock;

typedef struct RegionLimits {
    uint32_t blocks, insns, ir;
    uint32_t inlined; /* instructions of one call's callee, with what that calls */
    uint32_t depth;   /* of frames */
    uint32_t below;   /* instructions below the entry */
    uint32_t behind;  /* after so many it doesn't go on behind another call */
} RegionLimits;

typedef struct RegionSource {
    const GuestIsa *isa;
    const void *cpu_model;
    uint64_t mode;
    uint32_t flags; /* IR_UNIT_* besides REGION */
    RegionLimits limits;
    Arena *arena;
    /* Copies a page and its margin to page->code, sets page->bytes; false: nothing is there. */
    bool (*page)(void *opaque, RegionPage *page);
    /* Does the branch at the block's end go to target[n] often enough to be worth its place? */
    bool (*taken)(void *opaque, const RegionBlock *b, unsigned n);
    /* What is known of which way it goes (target[0] is true): IR_BRC_*. */
    unsigned (*odds)(void *opaque, const RegionBlock *b);
    /* Where the indirect call or jump at `from` has gone to, at most REGION_TARGETS of them. */
    unsigned (*targets)(void *opaque, GuestAddr from, GuestAddr *ret);
    /* Is the code there often entered? */
    bool (*hot)(void *opaque, GuestAddr pc);
    /* Is it worth to go on there, behind a call? */
    bool (*returns)(void *opaque, GuestAddr pc);
    /* Has that, which is called, been entered at least half as often as the entry? */
    bool (*usual)(void *opaque, GuestAddr pc);
    /* IR_UNIT_* flags that the instruction at pc asks for. */
    uint32_t (*hint)(void *opaque, GuestAddr pc);
    void *opaque;
} RegionSource;

/* How a guest block ends. */
typedef enum RegionEnd {
    REGION_END_RUNS_ON, /* into succ[0], or to `next` */
    REGION_END_JUMP,
    REGION_END_BRANCH,  /* conditional: succ[0] taken, succ[1] else */
    REGION_END_CALL,    /* target[0]; succ[0] is the callee, if it is inlined, else
                           succ[REGION_BACK] what the region goes on with */
    REGION_END_CALLIND, /* to target[n], or elsewhere */
    REGION_END_JUMPIND, /* the same */
    REGION_END_RET,     /* to target[0], the frame's own return address, or elsewhere */
    REGION_END_LEAVES,  /* by the instruction itself: trap … */
} RegionEnd;

struct RegionBlock {
    GuestAddr pc, branch_pc;     /* of the first and last instruction */
    GuestAddr next;              /* behind the last one */
    uint32_t frame;              /* in Region.frame */
    uint32_t first_insn, n_insns; /* in Region.insn */
    RegionEnd end;
    bool traps;
    uint32_t n_targets;          /* of a call or an indirect jump */
    GuestAddr target[REGION_TARGETS];
    int32_t succ[REGION_SUCCS];  /* blocks, or -1: outside */
    bool keep;
    int32_t order;               /* in the layout, or -1 */
    uint32_t n_pred;             /* of those that stay */
    uint32_t ir_block;
};

typedef struct RegionInsn { GuestAddr pc; } RegionInsn;

/* An inlined call; [0] is where the region began. Or what follows a call in it that stays one. */
typedef struct RegionFrame {
    uint32_t outer;
    uint32_t depth;
    GuestAddr callee, ret;
    GuestAddr behind;            /* a call: where the frame, which is [0]'s, goes on; else 0 */
} RegionFrame;

typedef struct Region {
    const RegionSource *src;
    RegionPage page[REGION_MAX_PAGES];
    unsigned n_pages;
    RegionBlock *block;
    uint32_t n_blocks, cap_blocks;
    RegionInsn *insn;
    size_t n_insns, cap_insns;
    RegionFrame frame[REGION_MAX_FRAMES];
    uint32_t n_frames;
    uint32_t *layout;            /* block numbers, in order */
    uint32_t n_layout;
    bool loop;                   /* the entry is a loop's head */
    bool whole;                  /* a loop, but calls lie on its usual way: as if it were none */
    bool below;                  /* blocks below the entry may come in */
    bool strict;                 /* no callees that make calls */
    IrUnit *scratch;             /* in which blocks are scanned */
    LiftContext scan;
    IrUnit *unit;
} Region;

/* Each step; false: no region can be made here. */
bool region_discover(Region *r, const RegionSource *src, GuestAddr pc);
bool region_layout(Region *r);
bool region_lift(Region *r);

/* inline.c: the successors of a block that ends with a call, if its callees can come in. */
void region_inline(Region *r, uint32_t block);
/* Does the block end with a call that stays one and is often made? */
bool region_calls_out(const Region *r, const RegionBlock *b);

/* Its number in the unit: what is behind a call in frame 0 is that. */
static inline uint32_t region_ir_frame(const Region *r, uint32_t frame)
{
    return r->frame[frame].behind ? 0 : frame;
}

/* discover.c, for inline.c: the block at pc, if there is one or can be made; else -1. */
int32_t region_block(Region *r, uint32_t frame, GuestAddr pc);
int32_t region_block_new(Region *r, uint32_t frame, GuestAddr pc);
/* All that can be reached from the blocks from number `first` on that are in `frame` or further in.
 * False: the limits are reached. */
bool region_scan(Region *r, uint32_t first, uint32_t frame, size_t max_insns);

/* lift-end.c */
typedef struct RegionLift {
    Region *r;
    LiftContext c;
} RegionLift;
/* Is block layout[n] the rest of the block before it? */
bool region_continues(const Region *r, uint32_t n);
bool region_leads_back(const Region *r, const RegionBlock *b, int32_t succ);
/* Makes the block's end of what the last instruction was lifted to. False: that isn't what the scan
 * took it for. */
bool region_end_block(RegionLift *l, const RegionBlock *b, IrRef marker);
IrRef region_emit(RegionLift *l, IrOp op, unsigned attr, IrRef arg, uint64_t imm);

/* discover.c, for lift.c: the page that holds pc, copied now if need be; NULL: can't be fetched. */
RegionPage *region_page(Region *r, GuestAddr pc);
/* Lifts the instruction at ctx->pc, with its marker; false: it can't be fetched, nothing came. */
bool region_lift_insn(Region *r, LiftContext *ctx, IrRef *ret_marker);
/* Does the entry come again behind a call that stays one? */
bool region_comes_back(const Region *r);
/* Does a return stand between, or what isn't known? */
bool region_returns(Region *r, GuestAddr from, GuestAddr to);

#endif
