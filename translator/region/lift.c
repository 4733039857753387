/* data plane */
/*
 * The region's IR. Guest blocks in layout order; one that follows its only predecessor goes on in
 * the same IR block. lift-end.c connects them.
 */
#include "translator/region/region.h"

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

static bool polls(const Region *r, uint32_t block)
{
    for (uint32_t n = 0; n < r->n_layout; n++) {
        const RegionBlock *b = &r->block[r->layout[n]];
        for (unsigned k = 0; k < REGION_SUCCS; k++)
            if (b->succ[k] == (int32_t)block && region_leads_back(r, b, b->succ[k]))
                return true;
    }
    return false;
}

/* -- the plan: which IR block each guest block is in ------------------------------------------- */

static void plan_blocks(Region *r)
{
    bool fresh = false; /* block 0 is still to be named */
    if (!r->block[r->layout[0]].n_pred)
        fresh = true;
    for (uint32_t n = 0; n < r->n_layout; n++) {
        RegionBlock *b = &r->block[r->layout[n]];
        if (region_continues(r, n))
            b->ir_block = r->block[r->layout[n - 1]].ir_block;
        else
            b->ir_block = fresh ? 0 : ir_block_new(r->unit, b->pc);
        fresh = false;
    }
}

/* -- the region -------------------------------------------------------------------------------- */

static bool lift_block(RegionLift *l, const RegionBlock *b)
{
    Region *r = l->r;
    IrRef marker = IR_NONE;
    if (!region_continues(r, (uint32_t)b->order))
        l->c.b.block = b->ir_block;
    if (polls(r, r->layout[b->order]))
        region_emit(l, IR_poll, 0, IR_NONE, b->pc);
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
    return region_end_block(l, b, marker);
}

static bool puts_lazy(const IrUnit *u)
{
    for (IrRef n = 1; n < u->n_insns; n++)
        if (u->insn[n].op == IR_put && u->isa->vars[u->insn[n].imm].flags & IR_VAR_LAZY)
            return true;
    return false;
}

/* Are the lazy variables overwritten unread from there on? Only known of pages at hand. */
static bool lazy_dead_at(Region *r, GuestAddr pc)
{
    GuestAddr start = pc & ~(GuestAddr)(REGION_PAGE_BYTES - 1);
    for (unsigned k = 0; k < r->n_pages; k++) {
        RegionPage *p = &r->page[k];
        if (p->start != start || p->seen_start >= p->seen_end)
            continue;
        CodeWindow w = { .code = p->code, .start = start, .seen_start = p->seen_start,
                         .seen_end = p->seen_end,
                         .bytes = p->bytes < REGION_PAGE_BYTES ? p->bytes : REGION_PAGE_BYTES };
        if (!r->unit->isa->lazy_dead(&w, pc))
            return false;
        p->seen_start = w.seen_start;
        p->seen_end = w.seen_end;
        return true;
    }
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
        if ((i->op == IR_exit_if || i->op == IR_exit_jump || i->op == IR_exit_call ||
             i->op == IR_poll || i->op == IR_gcall) && lazy_dead_at(r, (GuestAddr)i->imm))
            i->attr |= IR_EXIT_LAZY_DEAD;
    }
}

/* Of a region that begins with a function, or with a loop in one: what it calls is the function
 * itself, as far as can be told. What stands shortly before a function is called by it, too: behind
 * the end of another one a loop is in another function. */
static bool calls_itself(Region *r, GuestAddr target)
{
    enum { NEAR = 1024 };
    GuestAddr pc = r->unit->pc;
    if (target >= pc || pc - target >= NEAR)
        return target == pc;
    return r->loop || r->whole || (region_comes_back(r) && !region_returns(r, target, pc));
}

/* Functions that call themselves: calls that don't want the flags back, and returns that count on
 * having been called so. */
static void mark_recursion(Region *r)
{
    IrUnit *u = r->unit;
    bool any = false;
    for (IrRef n = 1; u->isa->lazy_dead && n < u->n_insns; n++) {
        IrInsn *i = &u->insn[n];
        const IrInsn *ret = &u->insn[i->arg[0]];
        if ((i->op != IR_exit_call && i->op != IR_gcall) ||
            !calls_itself(r, (GuestAddr)i->imm) || i->attr >> IR_EXIT_FRAME_SHIFT ||
            (ret->op != IR_codeaddr && ret->op != IR_const) || !lazy_dead_at(r, ret->imm))
            continue;
        i->attr |= IR_EXIT_EXPECTED;
        any = true;
    }
    for (IrRef n = 1; any && n < u->n_insns; n++)
        if (u->insn[n].op == IR_exit_ret)
            u->insn[n].attr |= IR_EXIT_EXPECTED;
}

bool region_lift(Region *r)
{
    const RegionSource *src = r->src;
    const RegionBlock *entry = &r->block[r->layout[0]];
    r->unit = ir_unit_new(src->arena, src->isa, entry->pc, src->mode);
    r->unit->flags = src->flags | IR_UNIT_REGION;
    r->unit->n_frames = r->n_frames;
    r->unit->frame = arena_alloc(src->arena, r->n_frames * sizeof *r->unit->frame);
    for (uint32_t n = 1; n < r->n_frames; n++)
        r->unit->frame[n] = (IrFrame){ r->frame[n].ret, region_ir_frame(r, r->frame[n].outer) };
    RegionLift l = { .r = r };
    l.c = (LiftContext){ .b = { .unit = r->unit }, .isa = src->isa, .cpu_model = src->cpu_model,
                         .mode = src->mode };
    plan_blocks(r);
    if (entry->ir_block)
        region_emit(&l, IR_br, 0, IR_NONE, entry->ir_block);
    for (uint32_t n = 0; n < r->n_layout; n++)
        if (!lift_block(&l, &r->block[r->layout[n]]))
            return false;
    mark_lazy_exits(r);
    mark_recursion(r);
    return true;
}
