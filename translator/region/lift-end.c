/* data plane */
/*
 * Ends of guest blocks. The direct exits that the lifters emit become br and brc where their
 * targets are in the region; indirect calls whose callees are, indirect jumps to its blocks, and
 * returns to their frames, compare targets. What leaves in a frame of an inlined call carries the
 * frame's number.
 */
#include "translator/region/region.h"

IrRef region_emit(RegionLift *l, IrOp op, unsigned attr, IrRef arg, uint64_t imm)
{
    return ir_emit(&l->c.b, op, IR_VOID, 0, attr, arg, 0, 0, 0, (int64_t)imm);
}

static void remove_last(RegionLift *l)
{
    IrUnit *u = l->r->unit;
    ir_remove(u, l->c.b.block, u->block[l->c.b.block].last);
}

/* Does the edge from b to its successor s need a poll, at the start of s? (Where addresses mean
 * nothing, between frames, a loop has a jump backwards elsewhere.) */
bool region_leads_back(const Region *r, const RegionBlock *b, int32_t s)
{
    return r->block[s].order <= b->order ||
           (r->block[s].frame == b->frame && r->block[s].pc <= b->branch_pc);
}

static bool is_fork(const RegionBlock *b)
{
    if (b->end == REGION_END_CALLIND || b->end == REGION_END_JUMPIND)
        return true;
    return b->succ[0] >= 0 && b->succ[1] >= 0 && b->succ[0] != b->succ[1];
}

/* May b be the rest of the block before it in the layout? */
bool region_continues(const Region *r, uint32_t n)
{
    if (n == 0)
        return false;
    const RegionBlock *before = &r->block[r->layout[n - 1]];
    int32_t b = (int32_t)r->layout[n];
    return r->block[b].n_pred == 1 && !is_fork(before) &&
           (before->succ[0] == b || before->succ[1] == b || before->succ[REGION_BACK] == b);
}

/* On to the successor, in the same block if it is planned so. */
static void go_on(RegionLift *l, const RegionBlock *b, int32_t s)
{
    const RegionBlock *to = &l->r->block[s];
    if (to->order != b->order + 1 || !region_continues(l->r, (uint32_t)to->order))
        region_emit(l, IR_br, 0, IR_NONE, to->ir_block);
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
        region_emit(l, IR_exit_if, 0, not, out);
        return;
    }
    uint32_t on = ir_block_new(u, l->c.pc), cold = ir_block_new(u, out);
    IrBuilder b = { u, cold };
    region_emit(l, IR_brc, IR_BRC_LIKELY_TRUE, condition, on | (uint64_t)cold << 32);
    ir_emit(&b, IR_exit_jump, IR_VOID, 0, 0, 0, 0, 0, 0, (int64_t)out);
    l->c.b.block = on;
}

/* A loop's way back is taken to be likely even if the loop is short: its body is what runs most. */
static unsigned odds(const Region *r, const RegionBlock *b)
{
    bool back0 = region_leads_back(r, b, b->succ[0]), back1 = region_leads_back(r, b, b->succ[1]);
    unsigned seen = r->src->odds(r->src->opaque, b);
    if (back0 == back1)
        return seen;
    return (seen & IR_BRC_MIXED) | (back0 ? IR_BRC_LIKELY_TRUE : IR_BRC_LIKELY_FALSE);
}

static void fork_to(RegionLift *l, const RegionBlock *b, IrRef condition)
{
    uint64_t to[2];
    for (unsigned n = 0; n < 2; n++)
        to[n] = l->r->block[b->succ[n]].ir_block;
    region_emit(l, IR_brc, odds(l->r, b), condition, to[0] | to[1] << 32);
}

static bool end_branch(RegionLift *l, const RegionBlock *b, IrRef marker)
{
    IrRef condition = take_condition(l, marker);
    if (!condition)
        return false;
    if (is_fork(b)) {
        fork_to(l, b, condition);
    } else if (b->succ[0] < 0) {
        region_emit(l, IR_exit_if, 0, condition, b->target[0]);
        if (b->succ[1] < 0)
            region_emit(l, IR_exit_jump, 0, IR_NONE, b->target[1]);
        else
            go_on(l, b, b->succ[1]);
    } else {
        if (b->succ[1] < 0)
            leave_unless(l, condition, b->target[1]);
        go_on(l, b, b->succ[0]);
    }
    return true;
}

/* -- calls and returns ------------------------------------------------------------------------- */

/* Takes a call or return away; false: there is none. */
static bool take_last(RegionLift *l, IrOp op, IrInsn *ret)
{
    const IrUnit *u = l->r->unit;
    *ret = u->insn[u->block[l->c.b.block].last];
    if (ret->op != op)
        return false;
    remove_last(l);
    return true;
}

static void call_and_go_on(RegionLift *l, const RegionBlock *b, IrOp op, const IrInsn *call)
{
    ir_emit(&l->c.b, op, IR_VOID, 0, 0, call->arg[0], call->arg[1], 0, 0, call->imm);
    go_on(l, b, b->succ[REGION_BACK]);
}

static bool end_call(RegionLift *l, const RegionBlock *b)
{
    IrInsn call;
    if (b->succ[0] < 0 && b->succ[REGION_BACK] < 0)
        return l->c.ended;
    if (!take_last(l, IR_exit_call, &call))
        return false;
    if (b->succ[0] >= 0)
        go_on(l, b, b->succ[0]);
    else
        call_and_go_on(l, b, IR_gcall, &call);
    return true;
}

static IrRef is_address(RegionLift *l, IrRef value, GuestAddr pc)
{
    IrRef known = ir_emit(&l->c.b, IR_codeaddr, IR_I64, 0, 0, 0, 0, 0, 0, (int64_t)pc);
    return ir_cmp(&l->c.b, IR_CMP_EQ, value, known);
}

/* Goes on in a new block if the condition holds, else there is another for what is to be done. */
static uint32_t branch_to_new(RegionLift *l, unsigned attr, IrRef condition, GuestAddr cold_pc)
{
    uint32_t on = ir_block_new(l->r->unit, l->c.pc), cold = ir_block_new(l->r->unit, cold_pc);
    region_emit(l, IR_brc, attr, condition, on | (uint64_t)cold << 32);
    l->c.b.block = on;
    return cold;
}

/* Goes to the region's block if the value is its address. */
static void go_if_address(RegionLift *l, unsigned attr, IrRef value, GuestAddr pc, int32_t block)
{
    IrRef c = is_address(l, value, pc);
    uint32_t next = ir_block_new(l->r->unit, l->c.pc);
    region_emit(l, IR_brc, attr, c, l->r->block[block].ir_block | (uint64_t)next << 32);
    l->c.b.block = next;
}

static bool end_callind(RegionLift *l, const RegionBlock *b)
{
    IrInsn call;
    if (!take_last(l, IR_exit_callind, &call))
        return l->c.ended; /* the target became known */
    for (uint32_t k = 0; k < b->n_targets; k++) {
        if (b->succ[k] < 0 && b->n_targets > 1)
            continue;
        unsigned attr = k + 1 == b->n_targets ? IR_BRC_LIKELY_TRUE : 0;
        if (b->succ[k] < 0) { /* always the same function, which doesn't come in */
            IrRef c = is_address(l, call.arg[0], b->target[k]);
            uint32_t other = branch_to_new(l, attr, c, l->c.pc);
            region_emit(l, IR_exit_call, 0, call.arg[1], b->target[k]);
            l->c.b.block = other;
        } else {
            go_if_address(l, attr, call.arg[0], b->target[k], b->succ[k]);
        }
    }
    if (b->succ[REGION_BACK] >= 0)
        call_and_go_on(l, b, IR_gcallind, &call);
    else
        ir_emit(&l->c.b, IR_exit_callind, IR_VOID, 0, 0, call.arg[0], call.arg[1], 0, 0, 0);
    return true;
}

static bool end_jumpind(RegionLift *l, const RegionBlock *b)
{
    IrInsn jump;
    if (!take_last(l, IR_exit_ind, &jump))
        return l->c.ended; /* the target became known */
    for (uint32_t k = 0; k < b->n_targets; k++)
        if (b->succ[k] >= 0)
            go_if_address(l, 0, jump.arg[0], b->target[k], b->succ[k]);
    ir_emit(&l->c.b, IR_exit_ind, IR_VOID, 0, jump.attr, jump.arg[0], 0, 0, 0, jump.imm);
    return true;
}

/* From an inlined callee. (Where it returns to elsewhere, the frames mean nothing.) */
static bool end_ret(RegionLift *l, const RegionBlock *b)
{
    uint32_t frame = region_ir_frame(l->r, b->frame);
    const IrFrame *f = &l->r->unit->frame[frame];
    IrInsn ret;
    if (!frame)
        return l->c.ended;
    if (take_last(l, IR_exit_ret, &ret)) {
        IrRef c = is_address(l, ret.arg[0], f->ret);
        IrBuilder cold = { l->r->unit, branch_to_new(l, IR_BRC_LIKELY_TRUE, c, l->c.pc) };
        ir_emit(&cold, IR_exit_ind, IR_VOID, 0, 0, ret.arg[0], 0, 0, 0, 0);
    } else if (!take_last(l, IR_exit_jump, &ret) || (GuestAddr)ret.imm != f->ret) {
        return false; /* (a return to a known address is a jump) */
    }
    if (b->succ[0] >= 0)
        go_on(l, b, b->succ[0]);
    else
        region_emit(l, IR_exit_jump, f->outer << IR_EXIT_FRAME_SHIFT, IR_NONE, f->ret);
    return true;
}

/* -- all of them ------------------------------------------------------------------------------- */

/* What leaves, of the instructions from `from` on, does so in the frame. */
static void set_frame(IrUnit *u, IrRef from, uint32_t frame)
{
    for (IrRef r = from; r < u->n_insns; r++)
        switch (u->insn[r].op) {
        case IR_exit_if: case IR_exit_jump: case IR_exit_ind: case IR_exit_call:
        case IR_exit_callind:
            u->insn[r].attr |= frame << IR_EXIT_FRAME_SHIFT;
            break;
        default:
            break;
        }
}

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
            region_emit(l, IR_exit_jump, 0, IR_NONE, b->target[0]);
        return true;
    case REGION_END_CALL:
        return end_call(l, b);
    case REGION_END_CALLIND:
        return end_callind(l, b);
    case REGION_END_JUMPIND:
        return end_jumpind(l, b);
    case REGION_END_RET:
        return end_ret(l, b);
    default:
        return l->c.ended;
    }
}

bool region_end_block(RegionLift *l, const RegionBlock *b, IrRef marker)
{
    if (!end_block(l, b, marker))
        return false;
    if (b->end != REGION_END_RET)
        set_frame(l->r->unit, marker, region_ir_frame(l->r, b->frame));
    return true;
}

