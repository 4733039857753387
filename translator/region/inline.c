/* data plane */
/*
 * Inlines calls: a callee is scanned as a trial, with the calls in it, and stays if it is small and
 * returns. Trials are undone by forgetting the blocks at the end of the list; so nothing outside a
 * trial's own frames may be changed by it, and returns are connected when it has succeeded.
 */
#include "translator/region/region.h"

/* Farther away the side table can't tell an instruction (UnitPoint.guest), nor the store. */
enum { REACH = 1 << 29 };

static bool may_inline(const Region *r, uint32_t frame, GuestAddr callee)
{
    if (r->n_frames == REGION_MAX_FRAMES || r->frame[frame].depth >= r->src->limits.depth ||
        callee - r->frame[0].callee + REACH > 2u * REACH)
        return false;
    for (uint32_t f = frame;; f = r->frame[f].outer) {
        if (r->frame[f].callee == callee)
            return false; /* recursive */
        if (!f || r->frame[f].behind)
            return true; /* once, behind a call: half of what recurses returns at once */
    }
}

bool region_calls_out(const Region *r, const RegionBlock *b)
{
    bool out = false;
    if (b->end == REGION_END_CALL || b->end == REGION_END_CALLIND)
        for (uint32_t n = 0; n < b->n_targets; n++)
            out |= b->succ[n] < 0 && r->src->hot(r->src->opaque, b->target[n]);
    return out;
}

/* Does it return, and do nothing that is better done in a unit of its own? */
static bool is_worth_it(const Region *r, uint32_t first, uint32_t frame)
{
    bool returns = false;
    for (uint32_t b = first; b < r->n_blocks; b++) {
        if (r->block[b].traps || (r->strict && region_calls_out(r, &r->block[b])))
            return false;
        returns |= r->block[b].frame == frame && r->block[b].end == REGION_END_RET;
    }
    return returns;
}

static void connect_returns(Region *r, uint32_t first, uint32_t frame)
{
    const RegionFrame *f = &r->frame[frame];
    for (uint32_t b = first, end = r->n_blocks; b < end; b++) {
        if (r->block[b].frame != frame || r->block[b].end != REGION_END_RET)
            continue;
        int32_t s = -1;
        if (f->outer || r->below || f->ret >= r->block[0].pc)
            s = region_block(r, f->outer, f->ret);
        r->block[b].target[0] = f->ret;
        r->block[b].succ[0] = s;
    }
}

/* The callee's first block, or -1. */
static int32_t inline_call(Region *r, uint32_t block, GuestAddr callee)
{
    uint32_t outer = r->block[block].frame, frame = r->n_frames, blocks = r->n_blocks;
    size_t insns = r->n_insns, max = insns + r->src->limits.inlined;
    unsigned pages = r->n_pages;
    if (!may_inline(r, outer, callee))
        return -1;
    r->frame[r->n_frames++] = (RegionFrame){ .outer = outer, .depth = r->frame[outer].depth + 1,
                                             .callee = callee, .ret = r->block[block].next };
    if (max > r->src->limits.insns)
        max = r->src->limits.insns;
    if (region_block_new(r, frame, callee) >= 0 && region_scan(r, blocks, frame, max) &&
        r->n_insns < max && is_worth_it(r, blocks, frame)) {
        connect_returns(r, blocks, frame);
        return (int32_t)blocks;
    }
    r->n_blocks = blocks;
    r->n_insns = insns;
    r->n_frames = frame;
    r->n_pages = pages;
    return -1;
}

/* What comes behind a call that stays one: its first block, or -1. */
static int32_t go_on_behind(Region *r, uint32_t block)
{
    uint32_t frame = r->block[block].frame, fresh = r->n_frames;
    GuestAddr pc = r->block[block].next;
    if (region_ir_frame(r, frame) || fresh == REGION_MAX_FRAMES ||
        r->n_insns >= r->src->limits.behind || !r->src->returns(r->src->opaque, pc))
        return -1;
    int32_t b = region_block_new(r, fresh, pc);
    if (b >= 0)
        r->frame[r->n_frames++] = (RegionFrame){ .callee = pc, .behind = pc };
    return b;
}

void region_inline(Region *r, uint32_t block)
{
    RegionEnd end = r->block[block].end;
    unsigned n = end == REGION_END_CALL;
    if (end == REGION_END_CALLIND)
        n = r->src->targets(r->src->opaque, r->block[block].branch_pc, r->block[block].target);
    r->block[block].n_targets = n;
    for (unsigned k = 0; k < n; k++) {
        int32_t callee = inline_call(r, block, r->block[block].target[k]);
        r->block[block].succ[k] = callee;
    }
    if (end == REGION_END_CALL ? r->block[block].succ[0] < 0 : end == REGION_END_CALLIND && !n) {
        int32_t back = go_on_behind(r, block);
        r->block[block].succ[REGION_BACK] = back;
    }
}
