/* data plane */
/*
 * Finds the guest blocks of a region: breadth first from the entry, so that what a limit cuts off
 * is what lies farthest. A branch into the middle of a block that is known splits it.
 */
#include <string.h>

#include "translator/region/region.h"

RegionPage *region_page(Region *r, GuestAddr pc)
{
    GuestAddr start = pc & ~(GuestAddr)(REGION_PAGE_BYTES - 1);
    for (unsigned n = 0; n < r->n_pages; n++)
        if (r->page[n].start == start)
            return r->page[n].bytes ? &r->page[n] : NULL;
    if (r->n_pages == REGION_MAX_PAGES)
        return NULL;
    RegionPage *p = &r->page[r->n_pages++];
    *p = (RegionPage){ .start = start, .seen_start = ~(GuestAddr)0 };
    p->code = arena_alloc_raw(r->src->arena, REGION_PAGE_BYTES + REGION_PAGE_MARGIN);
    if (!r->src->page(r->src->opaque, p))
        p->bytes = 0;
    return p->bytes ? p : NULL;
}

bool region_lift_insn(Region *r, LiftContext *c, IrRef *ret_marker)
{
    const RegionPage *p = region_page(r, c->pc);
    size_t at = c->pc & (REGION_PAGE_BYTES - 1);
    if (c->pc & (c->isa->pc_align - 1) || !p || at >= p->bytes ||
        p->bytes - at < c->isa->min_insn_bytes)
        return false;
    c->code = p->code + at;
    c->avail = p->bytes - at;
    c->bytes = 0;
    c->ended = c->need_more = false;
    IrRef marker = ir_emit(&c->b, IR_insn, IR_VOID, 0, 0, 0, 0, 0, 0, (int64_t)c->pc);
    c->isa->lift(c);
    if (c->need_more) {
        ir_remove(c->b.unit, c->b.block, marker);
        return false;
    }
    c->b.unit->insn[marker].attr = c->bytes;
    *ret_marker = marker;
    return true;
}

static int32_t find_block(const Region *r, GuestAddr pc)
{
    for (uint32_t b = 0; b < r->n_blocks; b++)
        if (r->block[b].pc == pc)
            return (int32_t)b;
    return -1;
}

static int32_t add_block(Region *r, GuestAddr pc)
{
    if (r->n_blocks == r->src->limits.blocks)
        return -1;
    size_t cap = r->cap_blocks;
    r->block = arena_grow(r->src->arena, r->block, sizeof *r->block, r->n_blocks, &cap,
                          r->n_blocks + 1);
    r->cap_blocks = (uint32_t)cap;
    r->block[r->n_blocks] = (RegionBlock){ .pc = pc, .succ = { -1, -1 }, .order = -1 };
    return (int32_t)r->n_blocks++;
}

/* The second half of a block as one of its own: it starts at the block's instruction n. */
static int32_t split_block(Region *r, uint32_t b, uint32_t n)
{
    int32_t tail = add_block(r, r->insn[r->block[b].first_insn + n].pc);
    if (tail < 0)
        return -1;
    RegionBlock *front = &r->block[b], *back = &r->block[tail];
    GuestAddr pc = back->pc;
    *back = *front;
    back->pc = pc;
    back->first_insn += n;
    back->n_insns -= n;
    front->n_insns = n;
    front->branch_pc = r->insn[front->first_insn + n - 1].pc;
    front->end = REGION_END_RUNS_ON;
    front->target[0] = pc;
    front->succ[0] = tail;
    front->succ[1] = -1;
    return tail;
}

/* The block at pc, if there is one or can be made by a split. */
static int32_t block_at(Region *r, GuestAddr pc)
{
    int32_t found = find_block(r, pc);
    for (uint32_t b = 0; found < 0 && b < r->n_blocks; b++) {
        const RegionBlock *k = &r->block[b];
        if (pc <= k->pc || pc > k->branch_pc || !k->n_insns)
            continue;
        for (uint32_t n = 1; n < k->n_insns; n++)
            if (r->insn[k->first_insn + n].pc == pc)
                return split_block(r, b, n);
    }
    return found;
}

static void add_insn(Region *r, GuestAddr pc)
{
    r->insn = arena_grow(r->src->arena, r->insn, sizeof *r->insn, r->n_insns, &r->cap_insns,
                         r->n_insns + 1);
    r->insn[r->n_insns++].pc = pc;
}

/* What the instruction just lifted means for the block. True: the block ends with it. */
static bool ends_block(RegionBlock *k, const LiftContext *c, IrRef marker)
{
    const IrUnit *u = c->b.unit;
    const IrInsn *last = &u->insn[u->block[c->b.block].last];
    GuestAddr next = c->pc + c->bytes;
    if (last->op == IR_exit_if) {
        k->end = REGION_END_BRANCH;
        k->target[0] = (GuestAddr)last->imm;
        k->target[1] = next;
        return true;
    }
    if (!c->ended)
        return false;
    k->end = REGION_END_LEAVES;
    if (last->op != IR_exit_jump)
        return true;
    const IrInsn *before = &u->insn[last->prev];
    if (last->prev > marker && before->op == IR_exit_if) {
        k->end = REGION_END_BRANCH;
        k->target[0] = (GuestAddr)before->imm;
        k->target[1] = (GuestAddr)last->imm;
    } else if ((GuestAddr)last->imm != next) {
        k->end = REGION_END_JUMP;
        k->target[0] = (GuestAddr)last->imm;
    } /* else the lifter wants a new unit there */
    return true;
}

/* Finds the end of a block, by lifting into a scratch unit. */
static void scan_block(Region *r, LiftContext *c, uint32_t b)
{
    IrUnit *u = c->b.unit;
    GuestAddr pc = r->block[b].pc;
    u->n_insns = 1;
    u->block[0] = (IrBlock){ .pc = pc };
    r->block[b].first_insn = (uint32_t)r->n_insns;
    r->block[b].end = REGION_END_RUNS_ON;
    for (c->pc = pc;; c->pc += c->bytes) {
        RegionBlock *k = &r->block[b];
        IrRef marker;
        k->target[0] = c->pc;
        if (c->pc != pc && find_block(r, c->pc) >= 0)
            return;
        if (r->n_insns >= r->src->limits.insns || !region_lift_insn(r, c, &marker))
            return;
        add_insn(r, c->pc);
        k->n_insns++;
        k->branch_pc = c->pc;
        if (ends_block(k, c, marker))
            return;
    }
}

/* Should the region go on at the block's target n? */
static bool follows(const Region *r, const RegionBlock *k, unsigned n)
{
    if (k->target[n] < r->block[0].pc)
        return false;
    switch (k->end) {
    case REGION_END_RUNS_ON: return n == 0 && k->n_insns;
    case REGION_END_JUMP: return n == 0;
    case REGION_END_BRANCH: return r->src->taken(r->src->opaque, k->branch_pc, k->target[n]);
    default: return false;
    }
}

static void connect(Region *r, uint32_t b)
{
    for (unsigned n = 0; n < 2; n++) {
        if (!follows(r, &r->block[b], n))
            continue;
        GuestAddr to = r->block[b].target[n];
        uint32_t blocks = r->n_blocks;
        int32_t s = block_at(r, to);
        /* A block that branches into itself: its branch belongs to its second half now. */
        if (s >= 0 && r->n_blocks != blocks && r->block[b].succ[0] == s &&
            r->block[b].end == REGION_END_RUNS_ON) {
            r->block[s].succ[0] = r->block[s].succ[1] = -1;
            connect(r, (uint32_t)s);
            return;
        }
        r->block[b].succ[n] = s >= 0 ? s : add_block(r, to);
    }
}

bool region_discover(Region *r, const RegionSource *src, GuestAddr pc)
{
    *r = (Region){ .src = src };
    IrUnit *scratch = ir_unit_new(src->arena, src->isa, pc, src->mode);
    LiftContext c = { .b = { .unit = scratch }, .isa = src->isa, .cpu_model = src->cpu_model,
                      .mode = src->mode };
    add_block(r, pc);
    /* New blocks are appended; the halves of split ones are there, scanned. */
    for (uint32_t b = 0; b < r->n_blocks; b++) {
        if (r->block[b].n_insns)
            continue;
        scan_block(r, &c, b);
        connect(r, b);
    }
    return r->block[0].n_insns != 0;
}
