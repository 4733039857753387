/* data plane */
/* Zknd, Zkne, Zknh. */
#include "translator/guest/riscv64/lift.h"
#include "translator/guest/riscv64/rv-decode.h"

static IrRef op_mix(LiftContext *ctx, int op, IrRef v)
{
    return op ? ir_vop1(&ctx->b, (IrOp)op, 0, 0, v, 0) : v;
}

/* Half of a round: the first two columns of what becomes of the state rs2:rs1. */
bool rv_lift_AES64(LiftContext *ctx, const ArgAES64 *a)
{
    IrRef state = ir_vop2(&ctx->b, IR_vzip1, IR_LANE_I64, 0, rv_get_vector(ctx, a->rs1),
                          rv_get_vector(ctx, a->rs2));
    IrRef v = ir_vop2(&ctx->b, (IrOp)a->op, 0, 0, state, ir_vconst(&ctx->b, 0, 0));
    return rv_put(ctx, a->rd, rv_half(ctx, op_mix(ctx, a->mix, v), 0));
}

bool rv_lift_AES64IM(LiftContext *ctx, const ArgAES64IM *a)
{
    IrRef v = op_mix(ctx, IR_vaesimc, rv_get_vector(ctx, a->rs1));
    return rv_put(ctx, a->rd, rv_half(ctx, v, 0));
}

/* The S-box of each byte, by a state of four such columns: shifting its rows changes nothing. */
static IrRef sub_word(LiftContext *ctx, IrRef word)
{
    IrBuilder *b = &ctx->b;
    IrRef columns = ir_emit(b, IR_vdup, IR_V128, IR_LANE_I32, 0, word, 0, 0, 0, 0);
    IrRef v = ir_vop2(b, IR_vaese, 0, 0, columns, ir_vconst(b, 0, 0));
    return ir_emit(b, IR_vget, IR_I32, IR_LANE_I32, 0, v, 0, 0, 0, 0);
}

/* Round 10 is for the second S-box of keys of 256 bits: neither a rotation nor a constant. */
bool rv_lift_AES64KS1I(LiftContext *ctx, const ArgAES64KS1I *a)
{
    static const uint8_t round_constant[11] = { 0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80,
                                                0x1b, 0x36, 0 };
    enum { NO_ROTATION = 10 };
    IrBuilder *b = &ctx->b;
    if (a->rnum > NO_ROTATION)
        return false;
    IrRef word = ir_op1(b, IR_trunc, IR_I32, ir_op2i(b, IR_shr, rv_get(ctx, a->rs1), 32));
    if (a->rnum != NO_ROTATION)
        word = ir_op2i(b, IR_ror, word, 8);
    word = ir_op2i(b, IR_xor, sub_word(ctx, word), round_constant[a->rnum]);
    IrRef x = ir_op1(b, IR_zext, IR_I64, word);
    return rv_put(ctx, a->rd, ir_op2(b, IR_or, x, ir_op2i(b, IR_shl, x, 32)));
}

bool rv_lift_AES64KS2(LiftContext *ctx, const ArgAES64KS2 *a)
{
    IrBuilder *b = &ctx->b;
    IrRef x = ir_op2i(b, IR_shr, rv_get(ctx, a->rs1), 32), y = rv_get(ctx, a->rs2);
    IrRef low = ir_op1(b, IR_zext, IR_I64,
                       ir_op1(b, IR_trunc, IR_I32, ir_op2(b, IR_xor, x, y)));
    IrRef high = ir_op2(b, IR_xor, low, ir_op2i(b, IR_shr, y, 32));
    return rv_put(ctx, a->rd, ir_op2(b, IR_or, low, ir_op2i(b, IR_shl, high, 32)));
}

/* Two rotations and a third, or a shift. */
static IrRef sha(LiftContext *ctx, const ArgSha *a, IrRef x)
{
    IrBuilder *b = &ctx->b;
    IrRef r = ir_op2(b, IR_xor, ir_op2i(b, IR_ror, x, (uint64_t)a->first),
                     ir_op2i(b, IR_ror, x, (uint64_t)a->second));
    return ir_op2(b, IR_xor, r, ir_op2i(b, a->shift ? IR_shr : IR_ror, x, (uint64_t)a->third));
}

bool rv_lift_SHA256(LiftContext *ctx, const ArgSHA256 *a)
{
    return rv_put_w(ctx, a->rd, sha(ctx, a, rv_get_w(ctx, a->rs1)));
}

bool rv_lift_SHA512(LiftContext *ctx, const ArgSHA512 *a)
{
    return rv_put(ctx, a->rd, sha(ctx, a, rv_get(ctx, a->rs1)));
}
