/* data plane */
/*
 * Advanced SIMD and scalar two-register miscellaneous (Arm ARM DDI 0487 K.a, C7.2).
 */
#include "translator/guest/aarch64/simd.h"

#include "translator/guest/aarch64/a64-decode.h"

bool a64_lift_v_op1(LiftContext *ctx, const Argv_op1 *a)
{
    Shape s;
    if (!v_shape(&s, a->s, a->q, a->size, a->sizes))
        return false;
    IrRef n = a64_get_v(ctx, a->rn);
    v_put(ctx, s, a->rd, v_op1(ctx, a->op, shape_ilane(s), a->attr, n, 0));
    return true;
}

/* REV64 REV32 REV16: attr is the container's bits */
bool a64_lift_v_rev(LiftContext *ctx, const Argv_rev *a)
{
    Shape s;
    if (!v_shape(&s, a->s, a->q, a->size, a->sizes))
        return false;
    IrRef n = a64_get_v(ctx, a->rn);
    v_put(ctx, s, a->rd, v_op1(ctx, IR_vrev, shape_ilane(s), 0, n, a->attr));
    return true;
}

bool a64_lift_v_adalp(LiftContext *ctx, const Argv_adalp *a)
{
    Shape s;
    if (!v_shape(&s, a->s, a->q, a->size, a->sizes))
        return false;
    IrRef n = a64_get_v(ctx, a->rn), d = a64_get_v(ctx, a->rd);
    IrRef sums = v_op1(ctx, IR_vpaddl, shape_ilane(s), a->attr, n, 0);
    v_put(ctx, s, a->rd, v_op2(ctx, IR_vadd, shape_ilane(s) + 1, 0, d, sums));
    return true;
}

/* SUQADD USQADD */
bool a64_lift_v_mixedsat(LiftContext *ctx, const Argv_mixedsat *a)
{
    Shape s;
    if (!v_shape(&s, a->s, a->q, a->size, a->sizes))
        return false;
    IrRef n = a64_get_v(ctx, a->rn), d = a64_get_v(ctx, a->rd);
    IrRef desc = a64_i32(ctx, s.esize | (uint32_t)(a->attr == V_S) << 2);
    IrRef r = a64_call(ctx, A64_HELPER_mixed_add, IR_V128, desc, d, n, 0);
    IrRef wrapped = v_op2(ctx, IR_vadd, shape_ilane(s), 0, d, n);
    v_sticky(ctx, s, v_op2(ctx, IR_vxor, 0, 0, r, wrapped));
    v_put(ctx, s, a->rd, r);
    return true;
}

/* Leading bits equal to the sign, the sign itself not counted */
bool a64_lift_v_cls(LiftContext *ctx, const Argv_cls *a)
{
    Shape s;
    if (!v_shape(&s, a->s, a->q, a->size, a->sizes))
        return false;
    IrLane lane = shape_ilane(s);
    IrRef n = a64_get_v(ctx, a->rn);
    IrRef sign = v_op1(ctx, IR_vshrs, lane, 0, n, shape_bits(s) - 1);
    IrRef count = v_op1(ctx, IR_vclz, lane, 0, v_op2(ctx, IR_vxor, 0, 0, n, sign), 0);
    v_put(ctx, s, a->rd, v_op2(ctx, IR_vsub, lane, 0, count, v_const(ctx, s.esize, 1)));
    return true;
}

bool a64_lift_NOT_vec(LiftContext *ctx, const ArgNOT_vec *a)
{
    a64_put_vq(ctx, a->q, a->rd, v_op1(ctx, IR_vnot, 0, 0, a64_get_v(ctx, a->rn), 0));
    return true;
}

bool a64_lift_RBIT_vec(LiftContext *ctx, const ArgRBIT_vec *a)
{
    a64_put_vq(ctx, a->q, a->rd, v_op1(ctx, IR_vrbit, IR_LANE_I8, 0, a64_get_v(ctx, a->rn), 0));
    return true;
}

/* SQABS SQNEG: the most negative number gives itself, which is one above the largest. */
bool a64_lift_v_qabs(LiftContext *ctx, const Argv_qabs *a)
{
    Shape s;
    if (!v_shape(&s, a->s, a->q, a->size, a->sizes))
        return false;
    IrLane lane = shape_ilane(s);
    IrRef n = a64_get_v(ctx, a->rn);
    IrRef is_min = v_op2(ctx, IR_vcmpeq, lane, 0, n,
                         v_const(ctx, s.esize, 1ull << (shape_bits(s) - 1)));
    IrRef r = v_op1(ctx, a->op, lane, 0, n, 0);
    v_sticky(ctx, s, is_min);
    v_put(ctx, s, a->rd, v_op2(ctx, IR_vxor, 0, 0, r, is_min));
    return true;
}

/* attr: the operands change sides (CMLE, CMLT) */
bool a64_lift_v_cmp0(LiftContext *ctx, const Argv_cmp0 *a)
{
    Shape s;
    if (!v_shape(&s, a->s, a->q, a->size, a->sizes))
        return false;
    IrRef n = a64_get_v(ctx, a->rn), zero = v_zero(ctx);
    IrRef r =
        v_op2(ctx, a->op, shape_ilane(s), IR_V_SIGNED, a->attr ? zero : n, a->attr ? n : zero);
    v_put(ctx, s, a->rd, r);
    return true;
}

/* XTN SQXTN UQXTN SQXTUN: it saturated where the result, widened again, isn't the operand. */
bool a64_lift_v_xtn(LiftContext *ctx, const Argv_xtn *a)
{
    Shape s;
    if (!v_shape_half(&s, a->s, a->q, a->size, a->sizes))
        return false;
    Shape wide = shape_wide(s);
    IrRef n = a64_get_v(ctx, a->rn);
    IrRef r = v_op1(ctx, a->op, shape_ilane(wide), a->attr, n, 0);
    if (a->op == IR_vnarrowsat) {
        IrRef back = v_op1(ctx, IR_vwiden, shape_ilane(s),
                           a->attr & IR_V_SRESULT ? IR_V_SIGNED : 0, r, 0);
        v_sticky(ctx, wide, v_op2(ctx, IR_vxor, 0, 0, back, n));
    }
    if (a->s)
        v_put(ctx, s, a->rd, r);
    else
        v_put_half(ctx, a->q, a->rd, r);
    return true;
}

bool a64_lift_v_shll(LiftContext *ctx, const Argv_shll *a)
{
    Shape s;
    if (!v_shape_half(&s, a->s, a->q, a->size, a->sizes))
        return false;
    IrRef n = v_op1(ctx, IR_vwiden, shape_ilane(s), v_high(false, a->q), a64_get_v(ctx, a->rn), 0);
    a64_put_v(ctx, a->rd, v_op1(ctx, IR_vshl, shape_ilane(shape_wide(s)), 0, n, shape_bits(s)));
    return true;
}

/* -- floating point ---------------------------------------------------------------------------- */

bool a64_lift_f_op1(LiftContext *ctx, const Argf_op1 *a)
{
    Shape s;
    if (!f_shape(&s, a->s, a->q, a->esize))
        return false;
    a64_put_v(ctx, a->rd, f_op(ctx, s, a->op, a->attr, a64_get_v(ctx, a->rn), 0, 0));
    return true;
}

bool a64_lift_f_to_int(LiftContext *ctx, const Argf_to_int *a)
{
    Shape s;
    if (!f_shape(&s, a->s, a->q, a->esize))
        return false;
    a64_put_v(ctx, a->rd, f_convert(ctx, s, a->op, a->attr, a64_get_v(ctx, a->rn), 0));
    return true;
}

bool a64_lift_f_from_int(LiftContext *ctx, const Argf_from_int *a)
{
    Shape s;
    if (!f_shape(&s, a->s, a->q, a->esize))
        return false;
    a64_put_v(ctx, a->rd, f_convert(ctx, s, a->op, a->attr, a64_get_v(ctx, a->rn), 0));
    return true;
}

bool a64_lift_f_cmp0(LiftContext *ctx, const Argf_cmp0 *a)
{
    Shape s;
    if (!f_shape(&s, a->s, a->q, a->esize))
        return false;
    IrRef n = a64_get_v(ctx, a->rn), zero = v_zero(ctx);
    a64_put_v(ctx, a->rd, f_compare(ctx, s, a->op, a->attr ? zero : n, a->attr ? n : zero));
    return true;
}

/* FRECPE FRSQRTE FRECPX URECPE URSQRTE FRINT32x FRINT64x */
bool a64_lift_f_est(LiftContext *ctx, const Argf_est *a)
{
    Shape s;
    if (!f_shape(&s, a->s, a->q, a->esize))
        return false;
    IrRef n = a64_get_v(ctx, a->rn);
    a64_put_v(ctx, a->rd, f_helper(ctx, A64_HELPER_fp_estimate, s, a->kind, n, n));
    return true;
}

static unsigned convert_attr(LiftContext *ctx, bool half)
{
    return f_attr(ctx, 2) | (half && a64_fpcr_mode(ctx) & A64_FPCR_AHP ? IR_FP_AHP : 0);
}

/* sz: 0 halves and singles, 1 singles and doubles */
bool a64_lift_FCVTN(LiftContext *ctx, const ArgFCVTN *a)
{
    IrLane from = a->sz ? IR_LANE_F64 : IR_LANE_F32;
    IrRef n = a64_get_v(ctx, a->rn);
    v_put_half(ctx, a->q, a->rd, v_op1(ctx, IR_vfcvtn, from, convert_attr(ctx, !a->sz), n, 0));
    return true;
}

bool a64_lift_FCVTL(LiftContext *ctx, const ArgFCVTL *a)
{
    IrLane from = a->sz ? IR_LANE_F32 : IR_LANE_F16;
    unsigned attr = convert_attr(ctx, !a->sz);
    IrRef n = a64_get_v(ctx, a->rn);
    a64_put_v(ctx, a->rd, v_op1(ctx, IR_vfcvtl, from, attr | (a->q ? IR_FP_HIGH : 0), n, 0));
    return true;
}

/* Rounds to odd, so that a later rounding to half gives the right result. */
bool a64_lift_FCVTXN(LiftContext *ctx, const ArgFCVTXN *a)
{
    unsigned attr = f_attr(ctx, 3) | IR_ROUND_ODD;
    if (a->s) {
        if (!a->q)
            return false;
        a64_put_scalar(ctx, a->rd, ir_emit(&ctx->b, IR_fcvt, IR_F32, 0, attr,
                                           a64_get_d(ctx, a->rn), 0, 0, 0, 0));
        return true;
    }
    IrRef n = a64_get_v(ctx, a->rn);
    v_put_half(ctx, a->q, a->rd, v_op1(ctx, IR_vfcvtn, IR_LANE_F64, attr, n, 0));
    return true;
}

bool a64_lift_BFCVTN(LiftContext *ctx, const ArgBFCVTN *a)
{
    IrRef desc = a64_i32(ctx, f_attr(ctx, 2));
    v_put_half(ctx, a->q, a->rd, a64_call(ctx, A64_HELPER_bfcvtn, IR_V128, desc,
                                          a64_get_v(ctx, a->rn), 0, 0));
    return true;
}
