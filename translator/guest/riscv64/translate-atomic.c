/* data plane */
/*
 * A, Zabha, Zacas. LR notes address and value; SC stores by compare-and-swap when both still hold.
 * Misaligned ones raise an exception (A, "misaligned atomics" not granted).
 */
#include "translator/guest/riscv64/lift.h"
#include "translator/guest/riscv64/rv-decode.h"

static unsigned memory_attr(int size, int aq, int rl)
{
    return (unsigned)size | IR_MEM_ALIGN | (aq ? IR_MEM_ACQUIRE : 0) | (rl ? IR_MEM_RELEASE : 0);
}

static IrType access_type(int size)
{
    return size == 3 ? IR_I64 : IR_I32;
}

static IrRef get_sized(LiftContext *ctx, int r, int size)
{
    return size == 3 ? rv_get(ctx, r) : rv_get_w(ctx, r);
}

/* rd takes what memory held, sign-extended from the access's size. */
static bool put_sized(LiftContext *ctx, int rd, int size, IrRef value)
{
    if (size == 3)
        return rv_put(ctx, rd, value);
    if (size < 2)
        value = ir_emit(&ctx->b, IR_sbfx, IR_I32, 0, (8u << size) << 8, value, 0, 0, 0, 0);
    return rv_put_w(ctx, rd, value);
}

bool rv_lift_LR(LiftContext *ctx, const ArgLR *a)
{
    IrBuilder *b = &ctx->b;
    IrRef address = rv_get(ctx, a->rs1);
    unsigned mem = memory_attr(a->size, a->aq, a->rl) | IR_MEM_SIGNED | IR_MEM_ATOMIC;
    IrRef value = ir_load(b, IR_I64, mem, address, 0);
    ir_put(b, RV_VAR_RESERVED_ADDR, address);
    ir_put(b, RV_VAR_RESERVED_VALUE, value);
    return rv_put(ctx, a->rd, value);
}

/* rd = 0 when it stored, else 1; the reservation is gone in either case. */
bool rv_lift_SC(LiftContext *ctx, const ArgSC *a)
{
    IrBuilder *b = &ctx->b;
    IrRef address = rv_get(ctx, a->rs1);
    IrRef reserved = ir_cmp(b, IR_CMP_EQ, address, ir_get(b, RV_VAR_RESERVED_ADDR));
    IrRef expected = ir_get(b, RV_VAR_RESERVED_VALUE);
    if (a->size == 2)
        expected = ir_op1(b, IR_trunc, IR_I32, expected);
    IrRef stored = ir_emit(b, IR_condcas, IR_I1, 0, memory_attr(a->size, a->aq, a->rl), address,
                           expected, get_sized(ctx, a->rs2, a->size), reserved, 0);
    ir_put(b, RV_VAR_RESERVED_ADDR, rv_const(ctx, RISCV_NO_RESERVATION));
    return rv_put_bool(ctx, a->rd, ir_op1(b, IR_bnot, IR_I1, stored));
}

static bool amo(LiftContext *ctx, IrRmw what, const ArgAmo *a)
{
    IrRef old = ir_emit(&ctx->b, IR_armw, access_type(a->size), what,
                        memory_attr(a->size, a->aq, a->rl), rv_get(ctx, a->rs1),
                        get_sized(ctx, a->rs2, a->size), 0, 0, 0);
    return a->rd ? put_sized(ctx, a->rd, a->size, old) : true;
}

bool rv_lift_AMOSWAP(LiftContext *ctx, const ArgAMOSWAP *a) { return amo(ctx, IR_RMW_XCHG, a); }
bool rv_lift_AMOADD(LiftContext *ctx, const ArgAMOADD *a) { return amo(ctx, IR_RMW_ADD, a); }
bool rv_lift_AMOXOR(LiftContext *ctx, const ArgAMOXOR *a) { return amo(ctx, IR_RMW_XOR, a); }
bool rv_lift_AMOOR(LiftContext *ctx, const ArgAMOOR *a) { return amo(ctx, IR_RMW_OR, a); }
bool rv_lift_AMOAND(LiftContext *ctx, const ArgAMOAND *a) { return amo(ctx, IR_RMW_AND, a); }
bool rv_lift_AMOMIN(LiftContext *ctx, const ArgAMOMIN *a) { return amo(ctx, IR_RMW_SMIN, a); }
bool rv_lift_AMOMAX(LiftContext *ctx, const ArgAMOMAX *a) { return amo(ctx, IR_RMW_SMAX, a); }
bool rv_lift_AMOMINU(LiftContext *ctx, const ArgAMOMINU *a) { return amo(ctx, IR_RMW_UMIN, a); }
bool rv_lift_AMOMAXU(LiftContext *ctx, const ArgAMOMAXU *a) { return amo(ctx, IR_RMW_UMAX, a); }

bool rv_lift_AMOCAS(LiftContext *ctx, const ArgAMOCAS *a)
{
    IrBuilder *b = &ctx->b;
    IrRef address = rv_get(ctx, a->rs1), expected = get_sized(ctx, a->rd, a->size);
    IrRef old = ir_emit(b, IR_acas, access_type(a->size), 0, memory_attr(a->size, a->aq, a->rl),
                        address, expected, get_sized(ctx, a->rs2, a->size), 0, 0);
    return a->rd ? put_sized(ctx, a->rd, a->size, old) : true;
}

/* Pairs of registers, even ones only; the pair x0 reads as 0 and is not written. */
static IrRef get_pair(LiftContext *ctx, int r)
{
    return ir_emit(&ctx->b, IR_pack128, IR_I128, 0, 0, rv_get(ctx, r),
                   rv_get(ctx, r ? r + 1 : 0), 0, 0, 0);
}

bool rv_lift_AMOCAS_Q(LiftContext *ctx, const ArgAMOCAS_Q *a)
{
    IrBuilder *b = &ctx->b;
    if ((a->rd | a->rs2) & 1)
        return false;
    IrRef address = rv_get(ctx, a->rs1), expected = get_pair(ctx, a->rd);
    IrRef old = ir_emit(b, IR_acas, IR_I128, 0, memory_attr(4, a->aq, a->rl), address, expected,
                        get_pair(ctx, a->rs2), 0, 0);
    if (a->rd == 0)
        return true;
    rv_put(ctx, a->rd, ir_op1(b, IR_lo128, IR_I64, old));
    return rv_put(ctx, a->rd + 1, ir_op1(b, IR_hi128, IR_I64, old));
}
