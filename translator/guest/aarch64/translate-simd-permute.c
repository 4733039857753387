/* data plane */
/*
 * Advanced SIMD permute, extract, table lookup, copy (Arm ARM DDI 0487 K.a, C7.2).
 */
#include "translator/guest/aarch64/simd.h"

#include "translator/guest/aarch64/a64-decode.h"

/* UZP ZIP TRN. On 64 bits the operands are joined first, so that one permutation of the whole
 * register gives the result in its lower half: TRN works on pairs and needs no joining. */
bool a64_lift_v_perm(LiftContext *ctx, const Argv_perm *a)
{
    if (a->size == 3 && !a->q)
        return false;
    IrLane lane = IR_LANE_I8 + a->size;
    IrRef n = a64_get_v(ctx, a->rn), m = a64_get_v(ctx, a->rm);
    IrRef r;
    if (a->q || a->op == IR_vzip1 || a->op == IR_vtrn1 || a->op == IR_vtrn2) {
        r = v_op2(ctx, a->op, lane, 0, n, m);
    } else if (a->op == IR_vzip2) { /* the upper half of what ZIP1 makes of the whole */
        r = v_op2(ctx, IR_vzip1, lane, 0, n, m);
        r = v_op1(ctx, IR_vdupl, IR_LANE_I64, 0, r, 1);
    } else {
        r = v_op2(ctx, IR_vzip1, IR_LANE_I64, 0, n, m);
        r = v_op2(ctx, a->op, lane, 0, r, r);
    }
    a64_put_vq(ctx, a->q, a->rd, r);
    return true;
}

bool a64_lift_EXT(LiftContext *ctx, const ArgEXT *a)
{
    if (!a->q && a->imm4 & 8)
        return false;
    IrRef n = a64_get_v(ctx, a->rn), m = a64_get_v(ctx, a->rm);
    if (!a->q)
        n = m = v_op2(ctx, IR_vzip1, IR_LANE_I64, 0, n, m);
    a64_put_vq(ctx, a->q, a->rd, v_ext(ctx, n, m, a->imm4));
    return true;
}

/* TBL and TBX (x): tables of up to 64 bytes are looked up 16 at a time; an index outside of one
 * gives 0, and indices below it wrap to large ones. */
bool a64_lift_TBL(LiftContext *ctx, const ArgTBL *a)
{
    IrRef m = a64_get_v(ctx, a->rm), r = IR_NONE;
    for (int i = 0; i <= a->len; i++) {
        IrRef table = a64_get_v(ctx, (a->rn + i) & 31);
        IrRef index = i ? v_op2(ctx, IR_vsub, IR_LANE_I8, 0, m, v_const(ctx, 0, 16 * i)) : m;
        IrRef found = v_op2(ctx, IR_vtbl, IR_LANE_I8, 0, table, index);
        r = i ? v_op2(ctx, IR_vor, 0, 0, r, found) : found;
    }
    if (a->x) {
        IrRef outside = v_op2(ctx, IR_vcmpge, IR_LANE_I8, 0, m,
                              v_const(ctx, 0, 16 * (a->len + 1)));
        r = v_bsl(ctx, outside, a64_get_v(ctx, a->rd), r);
    }
    a64_put_vq(ctx, a->q, a->rd, r);
    return true;
}

/* imm5: the lowest set bit tells the lane size, what is above it the lane. */
static bool copy_lane(int imm5, unsigned *ret_esize, unsigned *ret_index)
{
    if (!(imm5 & 15))
        return false;
    *ret_esize = __builtin_ctz(imm5);
    *ret_index = imm5 >> (*ret_esize + 1);
    return true;
}

bool a64_lift_DUP_elt(LiftContext *ctx, const ArgDUP_elt *a)
{
    unsigned esize, index;
    if (!copy_lane(a->imm5, &esize, &index) || (esize == 3 && !a->q))
        return false;
    IrRef n = a64_get_v(ctx, a->rn);
    a64_put_vq(ctx, a->q, a->rd, v_op1(ctx, IR_vdupl, IR_LANE_I8 + esize, 0, n, index));
    return true;
}

bool a64_lift_DUP_scalar(LiftContext *ctx, const ArgDUP_scalar *a)
{
    unsigned esize, index;
    if (!copy_lane(a->imm5, &esize, &index))
        return false;
    IrRef n = v_op1(ctx, IR_vdupl, IR_LANE_I8 + esize, 0, a64_get_v(ctx, a->rn), index);
    v_put(ctx, (Shape){ esize, esize }, a->rd, n);
    return true;
}

bool a64_lift_DUP_gen(LiftContext *ctx, const ArgDUP_gen *a)
{
    unsigned esize, index;
    if (!copy_lane(a->imm5, &esize, &index) || (esize == 3 && !a->q))
        return false;
    IrRef n = a64_get_r(ctx, esize == 3, a->rn);
    a64_put_vq(ctx, a->q, a->rd, v_op1(ctx, IR_vdup, IR_LANE_I8 + esize, 0, n, 0));
    return true;
}

bool a64_lift_INS_gen(LiftContext *ctx, const ArgINS_gen *a)
{
    unsigned esize, index;
    if (!copy_lane(a->imm5, &esize, &index))
        return false;
    IrRef d = a64_get_v(ctx, a->rd), n = a64_get_r(ctx, esize == 3, a->rn);
    a64_put_v(ctx, a->rd, ir_emit(&ctx->b, IR_vset, IR_V128, IR_LANE_I8 + esize, 0, d, n, 0, 0,
                                  index));
    return true;
}

bool a64_lift_INS_elt(LiftContext *ctx, const ArgINS_elt *a)
{
    unsigned esize, index;
    if (!copy_lane(a->imm5, &esize, &index))
        return false;
    IrRef d = a64_get_v(ctx, a->rd), n = a64_get_v(ctx, a->rn);
    a64_put_v(ctx, a->rd, ir_emit(&ctx->b, IR_vsetl, IR_V128, IR_LANE_I8 + esize, 0, d, n, 0, 0,
                                  index | (a->imm4 >> esize) << 8));
    return true;
}

bool a64_lift_SMOV(LiftContext *ctx, const ArgSMOV *a)
{
    unsigned esize, index;
    if (!copy_lane(a->imm5, &esize, &index) || esize > 1u + a->q)
        return false;
    a64_put_r(ctx, a->rd, ir_emit(&ctx->b, IR_vget, a->q ? IR_I64 : IR_I32, IR_LANE_I8 + esize,
                                  IR_V_SIGNED, a64_get_v(ctx, a->rn), 0, 0, 0, index));
    return true;
}

/* To X only doublewords, to W only the others */
bool a64_lift_UMOV(LiftContext *ctx, const ArgUMOV *a)
{
    unsigned esize, index;
    if (!copy_lane(a->imm5, &esize, &index) || (esize == 3) != a->q)
        return false;
    a64_put_r(ctx, a->rd, ir_emit(&ctx->b, IR_vget, a->q ? IR_I64 : IR_I32, IR_LANE_I8 + esize, 0,
                                  a64_get_v(ctx, a->rn), 0, 0, 0, index));
    return true;
}
