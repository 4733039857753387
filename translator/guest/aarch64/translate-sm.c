/* data plane */
/*
 * The hash SM3 and the block cipher SM4 (Arm ARM DDI 0487 K.a, C7.2). A round of SM3 needs the one
 * before, so most of it is in scalars.
 */
#include "translator/guest/aarch64/simd.h"

#include "translator/guest/aarch64/a64-decode.h"

static IrRef word(LiftContext *ctx, IrRef v, unsigned n)
{
    return ir_emit(&ctx->b, IR_vget, IR_I32, IR_LANE_I32, 0, v, 0, 0, 0, n);
}

static IrRef with_word(LiftContext *ctx, IrRef v, unsigned n, IrRef x)
{
    return ir_emit(&ctx->b, IR_vset, IR_V128, IR_LANE_I32, 0, v, x, 0, 0, n);
}

static IrRef rotate_left(LiftContext *ctx, IrRef x, unsigned n)
{
    return ir_op2i(&ctx->b, IR_ror, x, 32 - n);
}

static IrRef rotate_words(LiftContext *ctx, IrRef v, unsigned n)
{
    return v_op2(ctx, IR_vor, 0, 0, v_op1(ctx, IR_vshl, IR_LANE_I32, 0, v, n),
                 v_op1(ctx, IR_vshru, IR_LANE_I32, 0, v, 32 - n));
}

static IrRef xor3(LiftContext *ctx, IrRef x, IrRef y, IrRef z)
{
    return ir_op2(&ctx->b, IR_xor, ir_op2(&ctx->b, IR_xor, x, y), z);
}

/* P0 with 9 and 17, P1 with 15 and 23. */
static IrRef permute(LiftContext *ctx, IrRef x, unsigned i, unsigned j)
{
    return xor3(ctx, x, rotate_left(ctx, x, i), rotate_left(ctx, x, j));
}

bool a64_lift_SM3SS1(LiftContext *ctx, const ArgSM3SS1 *a)
{
    IrBuilder *b = &ctx->b;
    IrRef n = word(ctx, a64_get_v(ctx, a->rn), 3), m = word(ctx, a64_get_v(ctx, a->rm), 3);
    IrRef x = word(ctx, a64_get_v(ctx, a->ra), 3);
    IrRef sum = ir_op2(b, IR_add, ir_op2(b, IR_add, rotate_left(ctx, n, 12), m), x);
    a64_put_v(ctx, a->rd, with_word(ctx, v_zero(ctx), 3, rotate_left(ctx, sum, 7)));
    return true;
}

/* SM3TT1A SM3TT1B SM3TT2A SM3TT2B: kind has bit 1 for the second, bit 0 for B. */
bool a64_lift_sm3tt(LiftContext *ctx, const Argsm3tt *a)
{
    IrBuilder *b = &ctx->b;
    bool second = a->kind & 2;
    IrRef d = a64_get_v(ctx, a->rd), ss = word(ctx, a64_get_v(ctx, a->rn), 3);
    IrRef w = word(ctx, a64_get_v(ctx, a->rm), (unsigned)a->imm2);
    IrRef d0 = word(ctx, d, 0), d1 = word(ctx, d, 1), d2 = word(ctx, d, 2), d3 = word(ctx, d, 3);
    IrRef f = !(a->kind & 1) ? xor3(ctx, d3, d2, d1)
              : second       ? hash_choose(b, d3, d2, d1)
                             : hash_majority(b, d3, d2, d1);
    if (!second)
        ss = ir_op2(b, IR_xor, ss, rotate_left(ctx, d3, 12));
    IrRef t = ir_op2(b, IR_add, ir_op2(b, IR_add, f, d0), ir_op2(b, IR_add, ss, w));
    if (second)
        t = permute(ctx, t, 9, 17);
    IrRef r = v_ext(ctx, d, d, 4);
    r = with_word(ctx, r, 1, rotate_left(ctx, d2, second ? 19 : 9));
    a64_put_v(ctx, a->rd, with_word(ctx, r, 3, t));
    return true;
}

/* The highest word needs the lowest one of the result. */
bool a64_lift_SM3PARTW1(LiftContext *ctx, const ArgSM3PARTW1 *a)
{
    IrRef m = rotate_words(ctx, a64_get_v(ctx, a->rm), 15);
    IrRef x = v_op2(ctx, IR_vxor, 0, 0, a64_get_v(ctx, a->rd), a64_get_v(ctx, a->rn));
    IrRef y = v_op2(ctx, IR_vxor, 0, 0, x, v_ext(ctx, m, v_zero(ctx), 4));
    IrRef r = v_op2(ctx, IR_vxor, 0, 0, rotate_words(ctx, y, 15), rotate_words(ctx, y, 23));
    r = v_op2(ctx, IR_vxor, 0, 0, y, r);
    IrRef last = ir_op2(&ctx->b, IR_xor, word(ctx, x, 3), rotate_left(ctx, word(ctx, r, 0), 15));
    a64_put_v(ctx, a->rd, with_word(ctx, r, 3, permute(ctx, last, 15, 23)));
    return true;
}

bool a64_lift_SM3PARTW2(LiftContext *ctx, const ArgSM3PARTW2 *a)
{
    IrRef t = v_op2(ctx, IR_vxor, 0, 0, a64_get_v(ctx, a->rn),
                    rotate_words(ctx, a64_get_v(ctx, a->rm), 7));
    IrRef r = v_op2(ctx, IR_vxor, 0, 0, a64_get_v(ctx, a->rd), t);
    IrRef low = permute(ctx, rotate_left(ctx, word(ctx, t, 0), 15), 15, 23);
    low = ir_op2(&ctx->b, IR_xor, word(ctx, r, 3), low);
    a64_put_v(ctx, a->rd, with_word(ctx, r, 3, low));
    return true;
}

static IrRef sm4(LiftContext *ctx, bool expand, unsigned state, unsigned keys)
{
    return a64_call(ctx, A64_HELPER_sm4, IR_V128, a64_i32(ctx, expand), a64_get_v(ctx, state),
                    a64_get_v(ctx, keys), 0);
}

bool a64_lift_SM4E(LiftContext *ctx, const ArgSM4E *a)
{
    a64_put_v(ctx, a->rd, sm4(ctx, false, a->rd, a->rn));
    return true;
}

bool a64_lift_SM4EKEY(LiftContext *ctx, const ArgSM4EKEY *a)
{
    a64_put_v(ctx, a->rd, sm4(ctx, true, a->rn, a->rm));
    return true;
}
