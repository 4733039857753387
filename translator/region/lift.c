/* data plane */
/*
 * The region's IR. Guest blocks in layout order; one that follows its only predecessor goes on in
 * the same IR block. The direct exits that the lifters emit become br and brc where their targets
 * are in the region.
 */
#include "translator/region/region.h"

typedef struct RegionLift {
    Region *r;
    LiftContext c;
} RegionLift;

static void note_seen(Region *r, GuestAddr start, GuestAddr end)
{
    while (start < end) {
        RegionPage *p = region_page(r, start);
        GuestAddr limit = (start | (REGION_PAGE_BYTES - 1)) + 1, stop = end < limit ? end : limit;
        if (!p) /* the margin of another page: it wasn't to be in the list for itself */
            return;
        if (start < p->seen_start)
            p->seen_start = start;
        if (stop > p->seen_end)
            p->seen_end = stop;
        start = stop;
    }
}

static IrRef emit(RegionLift *l, IrOp op, unsigned attr, IrRef arg, uint64_t imm)
{
    return ir_emit(&l->c.b, op, IR_VOID, 0, attr, arg, 0, 0, 0, (int64_t)imm);
}

static void remove_last(RegionLift *l)
{
    IrUnit *u = l->r->unit;
    ir_remove(u, l->c.b.block, u->block[l->c.b.block].last);
}

/* Does the edge from b to its successor s need a poll, at the start of s? */
static bool leads_back(const Region *r, const RegionBlock *b, int32_t s)
{
    return r->block[s].order <= b->order || r->block[s].pc <= b->branch_pc;
}

static bool polls(const Region *r, uint32_t block)
{
    for (uint32_t n = 0; n < r->n_layout; n++) {
        const RegionBlock *b = &r->block[r->layout[n]];
        for (unsigned k = 0; k < 2; k++)
            if (b->succ[k] == (int32_t)block && leads_back(r, b, b->succ[k]))
                return true;
    }
    return false;
}

static bool is_fork(const RegionBlock *b)
{
    return b->succ[0] >= 0 && b->succ[1] >= 0 && b->succ[0] != b->succ[1];
}

/* -- the plan: which IR block each guest block is in ------------------------------------------- */

/* May b be the rest of the block before it in the layout? */
static bool continues(const Region *r, uint32_t n)
{
    if (n == 0)
        return false;
    const RegionBlock *before = &r->block[r->layout[n - 1]];
    int32_t b = (int32_t)r->layout[n];
    return r->block[b].n_pred == 1 && !is_fork(before) &&
           (before->succ[0] == b || before->succ[1] == b);
}

static void plan_blocks(Region *r)
{
    bool fresh = false; /* block 0 is still to be named */
    if (!r->block[r->layout[0]].n_pred)
        fresh = true;
    for (uint32_t n = 0; n < r->n_layout; n++) {
        RegionBlock *b = &r->block[r->layout[n]];
        if (continues(r, n))
            b->ir_block = r->block[r->layout[n - 1]].ir_block;
        else
            b->ir_block = fresh ? 0 : ir_block_new(r->unit, b->pc);
        fresh = false;
    }
}

/* -- ends of guest blocks ---------------------------------------------------------------------- */

/* On to the successor, in the same block if it is planned so. */
static void go_on(RegionLift *l, const RegionBlock *b, int32_t s)
{
    const RegionBlock *to = &l->r->block[s];
    if (to->order != b->order + 1 || !continues(l->r, (uint32_t)to->order))
        emit(l, IR_br, 0, IR_NONE, to->ir_block);
}

/* The branch's condition; its exits are gone. IR_NONE: there is no branch after all. */
static IrRef take_condition(RegionLift *l, IrRef marker)
{
    IrUnit *u = l->r->unit;
    const IrBlock *block = &u->block[l->c.b.block];
    if (u->insn[block->last].op == IR_exit_jump)
        remove_last(l);
    if (block->last <= marker || u->insn[block->last].op != IR_exit_if)
        return IR_NONE;
    IrRef condition = u->insn[block->last].arg[0];
    remove_last(l);
    return condition;
}

/* IR_NONE: there is no such operation. */
static IrRef inverse(RegionLift *l, IrRef condition)
{
    IrInsn i = l->r->unit->insn[condition];
    if ((i.op != IR_cmp && i.op != IR_cond) || i.type != IR_I1)
        return IR_NONE;
    return ir_emit(&l->c.b, i.op, IR_I1, i.cc ^ 1, i.attr, i.arg[0], i.arg[1], 0, 0, i.imm);
}

/* Leaves the region for `out` unless the condition holds. */
static void leave_unless(RegionLift *l, IrRef condition, GuestAddr out)
{
    IrUnit *u = l->r->unit;
    IrRef not = inverse(l, condition);
    if (not) {
        emit(l, IR_exit_if, 0, not, out);
        return;
    }
    uint32_t on = ir_block_new(u, l->c.pc), cold = ir_block_new(u, out);
    IrBuilder b = { u, cold };
    emit(l, IR_brc, IR_BRC_LIKELY_TRUE, condition, on | (uint64_t)cold << 32);
    ir_emit(&b, IR_exit_jump, IR_VOID, 0, 0, 0, 0, 0, 0, (int64_t)out);
    l->c.b.block = on;
}

static unsigned likely_side(const Region *r, const RegionBlock *b)
{
    bool back0 = leads_back(r, b, b->succ[0]), back1 = leads_back(r, b, b->succ[1]);
    return back0 == back1 ? 0 : back0 ? IR_BRC_LIKELY_TRUE : IR_BRC_LIKELY_FALSE;
}

static void fork_to(RegionLift *l, const RegionBlock *b, IrRef condition)
{
    uint64_t to[2];
    for (unsigned n = 0; n < 2; n++)
        to[n] = l->r->block[b->succ[n]].ir_block;
    emit(l, IR_brc, likely_side(l->r, b), condition, to[0] | to[1] << 32);
}

static bool end_branch(RegionLift *l, const RegionBlock *b, IrRef marker)
{
    IrRef condition = take_condition(l, marker);
    if (!condition)
        return false;
    if (is_fork(b)) {
        fork_to(l, b, condition);
    } else if (b->succ[0] < 0) {
        emit(l, IR_exit_if, 0, condition, b->target[0]);
        if (b->succ[1] < 0)
            emit(l, IR_exit_jump, 0, IR_NONE, b->target[1]);
        else
            go_on(l, b, b->succ[1]);
    } else {
        if (b->succ[1] < 0)
            leave_unless(l, condition, b->target[1]);
        go_on(l, b, b->succ[0]);
    }
    return true;
}

/* False: the last instruction isn't what the scan took it for. */
static bool end_block(RegionLift *l, const RegionBlock *b, IrRef marker)
{
    const IrUnit *u = l->r->unit;
    switch (b->end) {
    case REGION_END_BRANCH:
        return end_branch(l, b, marker);
    case REGION_END_JUMP:
        if (u->insn[u->block[l->c.b.block].last].op != IR_exit_jump)
            return false;
        if (b->succ[0] >= 0) {
            remove_last(l);
            go_on(l, b, b->succ[0]);
        }
        return true;
    case REGION_END_RUNS_ON:
        if (l->c.ended)
            return false;
        if (b->succ[0] >= 0)
            go_on(l, b, b->succ[0]);
        else
            emit(l, IR_exit_jump, 0, IR_NONE, b->target[0]);
        return true;
    default:
        return l->c.ended;
    }
}

/* -- the region -------------------------------------------------------------------------------- */

static bool lift_block(RegionLift *l, const RegionBlock *b)
{
    Region *r = l->r;
    IrRef marker = IR_NONE;
    if (!continues(r, (uint32_t)b->order))
        l->c.b.block = b->ir_block;
    if (polls(r, r->layout[b->order]))
        emit(l, IR_poll, 0, IR_NONE, b->pc);
    for (uint32_t n = 0; n < b->n_insns; n++) {
        l->c.pc = r->insn[b->first_insn + n].pc;
        if (r->unit->n_insns > r->src->limits.ir || !region_lift_insn(r, &l->c, &marker) ||
            (l->c.ended && n + 1 < b->n_insns))
            return false;
        r->unit->n_guest_insns++;
        r->unit->flags |= r->src->hint(r->src->opaque, l->c.pc);
        r->unit->code_bytes += l->c.bytes;
        note_seen(r, l->c.pc, l->c.pc + l->c.bytes);
    }
    return end_block(l, b, marker);
}

static bool puts_lazy(const IrUnit *u)
{
    for (IrRef n = 1; n < u->n_insns; n++)
        if (u->insn[n].op == IR_put && u->isa->vars[u->insn[n].imm].flags & IR_VAR_LAZY)
            return true;
    return false;
}

/* IR_EXIT_LAZY_DEAD for the exits to pages that are at hand. */
static void mark_lazy_exits(Region *r)
{
    IrUnit *u = r->unit;
    if (!u->isa->lazy_dead || !puts_lazy(u))
        return;
    for (IrRef n = 1; n < u->n_insns; n++) {
        IrInsn *i = &u->insn[n];
        if (i->op != IR_exit_if && i->op != IR_exit_jump && i->op != IR_exit_call &&
            i->op != IR_poll)
            continue;
        GuestAddr start = (GuestAddr)i->imm & ~(GuestAddr)(REGION_PAGE_BYTES - 1);
        for (unsigned k = 0; k < r->n_pages; k++) {
            RegionPage *p = &r->page[k];
            if (p->start != start || p->seen_start >= p->seen_end)
                continue;
            CodeWindow w = { .code = p->code, .start = start, .seen_start = p->seen_start,
                             .seen_end = p->seen_end,
                             .bytes = p->bytes < REGION_PAGE_BYTES ? p->bytes : REGION_PAGE_BYTES };
            if (!u->isa->lazy_dead(&w, (GuestAddr)i->imm))
                continue;
            i->attr |= IR_EXIT_LAZY_DEAD;
            p->seen_start = w.seen_start;
            p->seen_end = w.seen_end;
        }
    }
}

bool region_lift(Region *r)
{
    const RegionSource *src = r->src;
    const RegionBlock *entry = &r->block[r->layout[0]];
    r->unit = ir_unit_new(src->arena, src->isa, entry->pc, src->mode);
    r->unit->flags = src->flags | IR_UNIT_REGION;
    RegionLift l = { .r = r };
    l.c = (LiftContext){ .b = { .unit = r->unit }, .isa = src->isa, .cpu_model = src->cpu_model,
                         .mode = src->mode };
    plan_blocks(r);
    if (entry->ir_block)
        emit(&l, IR_br, 0, IR_NONE, entry->ir_block);
    for (uint32_t n = 0; n < r->n_layout; n++)
        if (!lift_block(&l, &r->block[r->layout[n]]))
            return false;
    mark_lazy_exits(r);
    return true;
}
