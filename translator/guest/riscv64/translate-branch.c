/* data plane */
/* RV64I control transfer. */
#include "translator/guest/riscv64/lift.h"
#include "translator/guest/riscv64/rv-decode.h"

/* Unpriv 20240411, §2.5.1: x1 and x5 tell the return-address stack what a jump is. */
static bool is_link(int r)
{
    return r == 1 || r == 5;
}

static void exit_to(LiftContext *ctx, IrOp op, IrRef a0, IrRef a1, GuestAddr target)
{
    ir_emit(&ctx->b, op, IR_VOID, 0, 0, a0, a1, 0, 0, (int64_t)target);
    ctx->ended = true;
}

/* A jump to a known place that leaves the return address in rd. */
static void jump_and_link(LiftContext *ctx, int rd, GuestAddr target)
{
    IrRef back = IR_NONE;
    if (rd) {
        back = rv_codeaddr(ctx, rv_next_pc(ctx));
        rv_put(ctx, rd, back);
    }
    if (is_link(rd))
        exit_to(ctx, IR_exit_call, back, IR_NONE, target);
    else
        exit_to(ctx, IR_exit_jump, IR_NONE, IR_NONE, target);
}

bool rv_lift_JAL(LiftContext *ctx, const ArgJAL *a)
{
    jump_and_link(ctx, a->rd, ctx->pc + (uint64_t)(int64_t)a->imm);
    return true;
}

bool rv_lift_JALR(LiftContext *ctx, const ArgJALR *a)
{
    IrBuilder *b = &ctx->b;
    GuestAddr known;
    if (rv_known_codeaddr(ctx, a->rs1, &known)) {
        jump_and_link(ctx, a->rd, (known + (uint64_t)(int64_t)a->imm) & ~1ull);
        return true;
    }
    IrRef target = rv_get(ctx, a->rs1);
    if (a->imm)
        target = ir_op2i(b, IR_add, target, (uint64_t)(int64_t)a->imm);
    bool returns = is_link(a->rs1) && !is_link(a->rd);
    /* The lowest bit is dropped by the dispatcher (GuestIsa.branch_target). */
    IrRef back = IR_NONE;
    if (a->rd) {
        back = rv_codeaddr(ctx, rv_next_pc(ctx));
        rv_put(ctx, a->rd, back);
    }
    if (returns)
        exit_to(ctx, IR_exit_ret, target, IR_NONE, 0);
    else if (is_link(a->rd) && (!is_link(a->rs1) || a->rs1 == a->rd))
        exit_to(ctx, IR_exit_callind, target, back, 0);
    else /* no hint, or a coroutine's switch: pop, then push */
        exit_to(ctx, IR_exit_ind, target, IR_NONE, 0);
    return true;
}

/* Forward branches are mostly not taken: the unit goes on behind them. A backward one closes a
 * loop, so what follows is another unit. */
static bool branch(LiftContext *ctx, IrCc cc, const ArgB *a)
{
    GuestAddr target = ctx->pc + (uint64_t)(int64_t)a->imm;
    IrRef taken = ir_cmp(&ctx->b, cc, rv_get(ctx, a->rs1), rv_get(ctx, a->rs2));
    ir_emit(&ctx->b, IR_exit_if, IR_VOID, 0, 0, taken, 0, 0, 0, (int64_t)target);
    if (a->imm <= 0)
        exit_to(ctx, IR_exit_jump, IR_NONE, IR_NONE, rv_next_pc(ctx));
    return true;
}

bool rv_lift_BEQ(LiftContext *ctx, const ArgBEQ *a) { return branch(ctx, IR_CMP_EQ, a); }
bool rv_lift_BNE(LiftContext *ctx, const ArgBNE *a) { return branch(ctx, IR_CMP_NE, a); }
bool rv_lift_BLT(LiftContext *ctx, const ArgBLT *a) { return branch(ctx, IR_CMP_SLT, a); }
bool rv_lift_BGE(LiftContext *ctx, const ArgBGE *a) { return branch(ctx, IR_CMP_SGE, a); }
bool rv_lift_BLTU(LiftContext *ctx, const ArgBLTU *a) { return branch(ctx, IR_CMP_ULT, a); }
bool rv_lift_BGEU(LiftContext *ctx, const ArgBGEU *a) { return branch(ctx, IR_CMP_UGE, a); }
