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

static int32_t find_block(const Region *r, uint32_t frame, GuestAddr pc)
{
    for (uint32_t b = 0; b < r->n_blocks; b++)
        if (r->block[b].pc == pc && r->block[b].frame == frame)
            return (int32_t)b;
    return -1;
}

int32_t region_block_new(Region *r, uint32_t frame, GuestAddr pc)
{
    if (r->n_blocks == r->src->limits.blocks)
        return -1;
    size_t cap = r->cap_blocks;
    r->block = arena_grow(r->src->arena, r->block, sizeof *r->block, r->n_blocks, &cap,
                          r->n_blocks + 1);
    r->cap_blocks = (uint32_t)cap;
    RegionBlock *b = &r->block[r->n_blocks];
    *b = (RegionBlock){ .pc = pc, .frame = frame, .order = -1 };
    memset(b->succ, -1, sizeof b->succ);
    return (int32_t)r->n_blocks++;
}

/* The second half of a block as one of its own: it starts at the block's instruction n. */
static int32_t split_block(Region *r, uint32_t b, uint32_t n)
{
    int32_t tail = region_block_new(r, r->block[b].frame,
                                    r->insn[r->block[b].first_insn + n].pc);
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
    front->next = pc;
    front->end = REGION_END_RUNS_ON;
    front->target[0] = pc;
    memset(front->succ, -1, sizeof front->succ);
    front->succ[0] = tail;
    return tail;
}

/* The block at pc, if there is one or can be made by a split. */
static int32_t block_at(Region *r, uint32_t frame, GuestAddr pc)
{
    int32_t found = find_block(r, frame, pc);
    for (uint32_t b = 0; found < 0 && b < r->n_blocks; b++) {
        const RegionBlock *k = &r->block[b];
        if (k->frame != frame || pc <= k->pc || pc > k->branch_pc || !k->n_insns)
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
    if (last->op == IR_exit_call) {
        k->end = REGION_END_CALL;
        k->target[0] = (GuestAddr)last->imm;
    } else if (last->op == IR_exit_callind) {
        k->end = REGION_END_CALLIND;
    } else if (last->op == IR_exit_ind) {
        k->end = REGION_END_JUMPIND;
    } else if (last->op == IR_exit_ret) {
        k->end = REGION_END_RET;
    }
    k->traps = last->op == IR_trap;
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
static void scan_block(Region *r, uint32_t b)
{
    LiftContext *c = &r->scan;
    IrUnit *u = r->scratch;
    GuestAddr pc = r->block[b].pc;
    u->n_insns = 1;
    u->block[0] = (IrBlock){ .pc = pc };
    r->block[b].first_insn = (uint32_t)r->n_insns;
    r->block[b].end = REGION_END_RUNS_ON;
    for (c->pc = pc;; c->pc += c->bytes) {
        RegionBlock *k = &r->block[b];
        IrRef marker;
        k->target[0] = c->pc;
        if (c->pc != pc && find_block(r, k->frame, c->pc) >= 0)
            return;
        if (r->n_insns >= r->src->limits.insns || !region_lift_insn(r, c, &marker))
            return;
        add_insn(r, c->pc);
        k->n_insns++;
        k->branch_pc = c->pc;
        k->next = c->pc + c->bytes;
        if (ends_block(k, c, marker))
            return;
    }
}

/* Rule 3. */
static bool is_below(const Region *r, uint32_t frame, GuestAddr pc)
{
    return !frame && pc < r->block[0].pc;
}

/* Behind a call: not back to what was before it. */
static bool is_before(const Region *r, const RegionBlock *k, GuestAddr pc)
{
    GuestAddr behind = r->frame[k->frame].behind;
    return behind && (pc == r->block[0].pc || (pc <= k->branch_pc && pc < behind));
}

static bool is_outside(const Region *r, const RegionBlock *k, GuestAddr pc)
{
    return (is_below(r, k->frame, pc) && !r->below) || is_before(r, k, pc);
}

/* Should the region go on at the block's target n? */
static bool follows(const Region *r, const RegionBlock *k, unsigned n)
{
    if (n > 1 || is_outside(r, k, k->target[n]))
        return false;
    switch (k->end) {
    case REGION_END_RUNS_ON: return n == 0 && k->n_insns;
    case REGION_END_JUMP: return n == 0;
    case REGION_END_BRANCH: return r->src->taken(r->src->opaque, k, n);
    default: return false;
    }
}

int32_t region_block(Region *r, uint32_t frame, GuestAddr pc)
{
    int32_t s = block_at(r, frame, pc);
    return s >= 0 ? s : region_block_new(r, frame, pc);
}

/* A way from behind a call to before it that just returns: the end of a function, which lies
 * before the call. Gives its block once more, or -1. */
static int32_t short_return(Region *r, uint32_t b, unsigned n)
{
    enum { MOST = 12 };
    const RegionBlock *k = &r->block[b];
    uint32_t frame = k->frame, blocks = r->n_blocks;
    GuestAddr to = k->target[n];
    size_t insns = r->n_insns;
    bool way = k->end == REGION_END_JUMP ? n == 0
             : k->end == REGION_END_BRANCH && r->src->taken(r->src->opaque, k, n);
    if (!way || !is_before(r, k, to) || to == r->block[0].pc)
        return -1;
    int32_t s = find_block(r, frame, to);
    if (s >= 0)
        return s;
    s = region_block_new(r, frame, to);
    if (s < 0)
        return -1;
    scan_block(r, (uint32_t)s);
    if (r->block[s].end == REGION_END_RET && r->block[s].n_insns <= MOST)
        return s;
    r->n_blocks = blocks;
    r->n_insns = insns;
    return -1;
}

/* Where an indirect jump, a switch's, went often. With more than two such places the comparisons
 * take more than the look-up that they spare. */
static void follow_targets(Region *r, uint32_t b)
{
    enum { MOST = 2 };
    GuestAddr target[REGION_TARGETS];
    unsigned n = r->src->targets(r->src->opaque, r->block[b].branch_pc, target), found = 0;
    n = n <= MOST ? n : 0;
    for (unsigned k = 0; k < n; k++) {
        const RegionBlock *from = &r->block[b];
        if (is_outside(r, from, target[k]) ||
            (target[k] > from->pc && target[k] <= from->branch_pc))
            continue; /* (or it would split this block) */
        int32_t s = region_block(r, from->frame, target[k]);
        if (s < 0)
            continue;
        r->block[b].target[found] = target[k];
        r->block[b].succ[found++] = s;
    }
    r->block[b].n_targets = found;
}

static void connect(Region *r, uint32_t b)
{
    for (unsigned n = 0; n < 2; n++) {
        if (!follows(r, &r->block[b], n)) {
            if (n == 0 || r->block[b].end == REGION_END_BRANCH) {
                int32_t s = short_return(r, b, n);
                r->block[b].succ[n] = s;
            }
            continue;
        }
        GuestAddr to = r->block[b].target[n];
        uint32_t blocks = r->n_blocks, frame = r->block[b].frame;
        int32_t s = block_at(r, frame, to);
        /* A block that branches into itself: its branch belongs to its second half now. */
        if (s >= 0 && r->n_blocks != blocks && r->block[b].succ[0] == s &&
            r->block[b].end == REGION_END_RUNS_ON) {
            memset(r->block[s].succ, -1, sizeof r->block[s].succ);
            connect(r, (uint32_t)s);
            return;
        }
        /* (Making the block may have moved the array.) */
        s = s >= 0 ? s : region_block_new(r, frame, to);
        r->block[b].succ[n] = s;
    }
    if (r->block[b].end == REGION_END_JUMPIND)
        follow_targets(r, b);
    else
        region_inline(r, b);
}

bool region_scan(Region *r, uint32_t first, uint32_t frame, size_t max_insns)
{
    /* New blocks are appended; the halves of split ones are there, scanned. */
    for (uint32_t b = first; b < r->n_blocks; b++) {
        if (r->block[b].n_insns || r->block[b].frame < frame)
            continue;
        scan_block(r, b);
        if (r->n_insns > max_insns)
            return false;
        connect(r, b);
    }
    return true;
}

/* From which blocks can the entry be reached? */
static bool *find_reaching(const Region *r)
{
    bool *reaches = arena_alloc(r->src->arena, r->n_blocks);
    reaches[0] = true;
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t b = r->n_blocks; b-- > 0;)
            for (unsigned n = 0; n < REGION_SUCCS && !reaches[b]; n++) {
                int32_t s = r->block[b].succ[n];
                if (s >= 0 && reaches[s])
                    reaches[b] = changed = true;
            }
    }
    return reaches;
}

static bool is_loop(const Region *r)
{
    const bool *reaches = find_reaching(r);
    for (unsigned n = 0; n < REGION_SUCCS; n++) {
        int32_t s = r->block[0].succ[n];
        if (s >= 0 && reaches[s])
            return true;
    }
    return false;
}

/* A piece of a function takes in what follows below the entry too, unless that leads back to the
 * entry: the dispatch of an interpreter goes with each of its instructions. */
static void scan_below(Region *r)
{
    uint32_t blocks = r->n_blocks;
    size_t max = r->n_insns + r->src->limits.below;
    r->below = true;
    for (uint32_t b = 0; b < blocks; b++) {
        RegionEnd end = r->block[b].end;
        if (r->block[b].n_insns &&
            (end == REGION_END_RUNS_ON || end == REGION_END_JUMP || end == REGION_END_BRANCH))
            connect(r, b);
    }
    region_scan(r, blocks, 0, max < r->src->limits.insns ? max : r->src->limits.insns);
    const bool *reaches = find_reaching(r);
    for (uint32_t b = 1; b < r->n_blocks; b++)
        if (is_below(r, r->block[b].frame, r->block[b].pc) && reaches[b])
            r->block[b].n_insns = 0; /* is left out */
}

static bool inlined_call_out(const Region *r)
{
    for (uint32_t b = 0; b < r->n_blocks; b++)
        if (r->block[b].frame && region_calls_out(r, &r->block[b]))
            return true;
    return false;
}

bool region_returns(Region *r, GuestAddr from, GuestAddr to)
{
    LiftContext c = r->scan;
    const IrUnit *u = c.b.unit;
    IrRef marker;
    for (c.pc = from; c.pc < to; c.pc += c.bytes)
        if (!region_lift_insn(r, &c, &marker) ||
            u->insn[u->block[c.b.block].last].op == IR_exit_ret)
            return true;
    return false;
}

bool region_comes_back(const Region *r)
{
    for (uint32_t b = 0; b < r->n_blocks; b++) {
        const RegionBlock *k = &r->block[b];
        bool fork = k->end == REGION_END_BRANCH;
        if (r->frame[k->frame].behind && (fork || k->end == REGION_END_JUMP) &&
            (k->target[0] == r->block[0].pc || (fork && k->target[1] == r->block[0].pc)))
            return true;
    }
    return false;
}

/* Is what it calls entered often, or if that isn't known, has the call ever returned? */
static bool is_usual_call(const Region *r, const RegionBlock *k)
{
    if (k->succ[0] >= 0)
        return false;
    if (k->end == REGION_END_CALL)
        return r->src->usual(r->src->opaque, k->target[0]);
    return k->end == REGION_END_CALLIND && !k->n_targets &&
           r->src->returns(r->src->opaque, k->next);
}

/* Does such a call lie on the loop's usual way? (The other ways may be rare: a loop over finds in a
 * hash table, of which hardly any inserts.) */
static bool calls_usually(const Region *r)
{
    if (!region_comes_back(r))
        return false;
    for (uint32_t b = 0; b < r->n_blocks; b++) {
        if (!r->block[b].frame && is_usual_call(r, &r->block[b]))
            return true;
    }
    return false;
}

static void discover(Region *r, const RegionSource *src, GuestAddr pc, bool strict)
{
    *r = (Region){ .src = src, .n_frames = 1, .strict = strict };
    r->frame[0].callee = pc;
    r->scratch = ir_unit_new(src->arena, src->isa, pc, src->mode);
    r->scan = (LiftContext){ .b = { .unit = r->scratch }, .isa = src->isa,
                             .cpu_model = src->cpu_model, .mode = src->mode };
    region_block_new(r, 0, pc);
    region_scan(r, 0, 0, src->limits.insns);
}

bool region_discover(Region *r, const RegionSource *src, GuestAddr pc)
{
    discover(r, src, pc, false);
    /* One way through a recursive callee returns at once, another leaves the loop; what the loop
     * takes to come in and go out is more than the call is. */
    if (is_loop(r) && inlined_call_out(r))
        discover(r, src, pc, true);
    if (!is_loop(r))
        scan_below(r);
    else
        r->whole = calls_usually(r);
    return r->block[0].n_insns != 0;
}
