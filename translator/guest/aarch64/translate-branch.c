/* data plane */
/*
 * AArch64: branches and exception generation (branch.decode).
 *
 * A register's address is left as it is, tag included: the runtime strips a tagged target where it
 * misses its look-up (GuestIsa.branch_target), so branches cost nothing for it. PSTATE.BTYPE isn't
 * kept, since no page is guarded (PROT_BTI): a BTI is a NOP.
 */
#include "translator/guest/aarch64/pauth.h"
#include "translator/guest/aarch64/translate.h"

static void exit_jump(LiftContext *ctx, GuestAddr target)
{
    ir_emit(&ctx->b, IR_exit_jump, IR_VOID, 0, 0, 0, 0, 0, 0, (int64_t)target);
    ctx->ended = true;
}

static void exit_to(LiftContext *ctx, IrOp op, IrRef target, IrRef link)
{
    ir_emit(&ctx->b, op, IR_VOID, 0, 0, target, link, 0, 0, 0);
    ctx->ended = true;
}

static IrRef put_link(LiftContext *ctx)
{
    IrRef link = a64_codeaddr(ctx, ctx->pc + 4);
    a64_put_x(ctx, 30, link);
    return link;
}

/* Leaves to `target` if the condition holds; the unit goes on behind. */
static void branch_if(LiftContext *ctx, IrRef condition, GuestAddr target)
{
    ir_emit(&ctx->b, IR_exit_if, IR_VOID, 0, 0, condition, 0, 0, 0, (int64_t)target);
}

bool a64_lift_B(LiftContext *ctx, const ArgB *a)
{
    exit_jump(ctx, ctx->pc + (int64_t)a->imm);
    return true;
}

bool a64_lift_BL(LiftContext *ctx, const ArgBL *a)
{
    IrRef link = put_link(ctx);
    ir_emit(&ctx->b, IR_exit_call, IR_VOID, 0, 0, link, 0, 0, 0,
            (int64_t)(ctx->pc + (int64_t)a->imm));
    ctx->ended = true;
    return true;
}

bool a64_lift_B_cond(LiftContext *ctx, const ArgB_cond *a)
{
    GuestAddr target = ctx->pc + (int64_t)a->imm;
    if (a->cond >= 14)
        exit_jump(ctx, target);
    else
        branch_if(ctx, a64_cond(ctx, a->cond), target);
    return true;
}

bool a64_lift_CBZ(LiftContext *ctx, const ArgCBZ *a)
{
    IrRef zero = a64_int(ctx, a->sf, 0), x = a64_get_r(ctx, a->sf, a->rt);
    branch_if(ctx, ir_cmp(&ctx->b, a->nz ? IR_CMP_NE : IR_CMP_EQ, x, zero),
              ctx->pc + (int64_t)a->imm);
    return true;
}

bool a64_lift_TBZ(LiftContext *ctx, const ArgTBZ *a)
{
    bool sf = a->bit >= 32;
    IrRef bit = ir_op2i(&ctx->b, IR_and, a64_get_r(ctx, sf, a->rt), UINT64_C(1) << a->bit);
    branch_if(ctx, ir_cmp(&ctx->b, a->nz ? IR_CMP_NE : IR_CMP_EQ, bit, a64_int(ctx, sf, 0)),
              ctx->pc + (int64_t)a->imm);
    return true;
}

bool a64_lift_BR(LiftContext *ctx, const ArgBR *a)
{
    exit_to(ctx, IR_exit_ind, a64_get_x(ctx, a->rn), IR_NONE);
    return true;
}

bool a64_lift_BLR(LiftContext *ctx, const ArgBLR *a)
{
    IrRef target = a64_get_x(ctx, a->rn); /* before the link: Xn may be X30 */
    exit_to(ctx, IR_exit_callind, target, put_link(ctx));
    return true;
}

bool a64_lift_RET(LiftContext *ctx, const ArgRET *a)
{
    exit_to(ctx, IR_exit_ret, a64_get_x(ctx, a->rn), IR_NONE);
    return true;
}

/* -- authenticated branches -------------------------------------------------------------------- */
static IrRef authenticated_target(LiftContext *ctx, const ArgBrauth *a)
{
    IrRef modifier = a->z ? a64_i64(ctx, 0) : a64_get_xsp(ctx, a->rm);
    return a64_pac(ctx, a64_get_x(ctx, a->rn), modifier, A64_KEY_IA + a->m);
}

bool a64_lift_BRAA(LiftContext *ctx, const ArgBRAA *a)
{
    exit_to(ctx, IR_exit_ind, authenticated_target(ctx, a), IR_NONE);
    return true;
}

bool a64_lift_BLRAA(LiftContext *ctx, const ArgBLRAA *a)
{
    IrRef target = authenticated_target(ctx, a);
    exit_to(ctx, IR_exit_callind, target, put_link(ctx));
    return true;
}

bool a64_lift_RETAA(LiftContext *ctx, const ArgRETAA *a)
{
    IrRef target = a64_pac(ctx, a64_get_x(ctx, 30), a64_get_xsp(ctx, 31), A64_KEY_IA + a->m);
    exit_to(ctx, IR_exit_ret, target, IR_NONE);
    return true;
}

/* -- exception generation ---------------------------------------------------------------------- */
/* Undefined, but where the outside's own code calls out (guest/isa.h). */
bool a64_lift_UDF(LiftContext *ctx, const ArgUDF *a)
{
    if (!ctx->callouts)
        return false;
    IrRef number = a64_i32(ctx, (uint32_t)a->imm);
    a64_put_x(ctx, 0, a64_call(ctx, A64_HELPER_callout, IR_I64, number, a64_get_x(ctx, 0), 0, 0));
    return true;
}

bool a64_lift_SVC(LiftContext *ctx, const ArgSVC *a)
{
    a64_trap(ctx, VCPU_EXIT_SYSCALL, ctx->pc + 4, a64_i64(ctx, (uint32_t)a->imm));
    return true;
}

bool a64_lift_BRK(LiftContext *ctx, const ArgBRK *a)
{
    a64_trap(ctx, VCPU_EXIT_BREAK, ctx->pc, a64_i64(ctx, (uint32_t)a->imm));
    return true;
}
