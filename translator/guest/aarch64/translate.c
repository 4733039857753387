/* data plane */
/*
 * What lifters of every group share; see translate.h.
 */
#include "translator/guest/aarch64/translate.h"

IrRef a64_cond(LiftContext *ctx, unsigned cond)
{
    if (cond >= 14)
        return ir_const(&ctx->b, IR_I1, 1);
    return ir_emit(&ctx->b, IR_cond, IR_I1, cond, 0, a64_get_flags(ctx), 0, 0, 0, 0);
}

void a64_trap(LiftContext *ctx, VcpuExit reason, GuestAddr pc, IrRef payload)
{
    ir_emit(&ctx->b, IR_trap, IR_VOID, 0, reason, payload, 0, 0, 0, (int64_t)pc);
    ctx->ended = true;
}

void a64_end_unit(LiftContext *ctx)
{
    ir_emit(&ctx->b, IR_exit_jump, IR_VOID, 0, 0, 0, 0, 0, 0, (int64_t)(ctx->pc + 4));
    ctx->ended = true;
}
