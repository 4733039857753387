/* data plane */
/*
 * Advanced SIMD across lanes and scalar pairwise (Arm ARM DDI 0487 K.a, C7.2).
 */
#include "translator/guest/aarch64/simd.h"

#include "translator/guest/aarch64/a64-decode.h"

/* Lane sizes of the across-lanes group: 4 lanes at least (no 2S, no 2D). */
static bool across_shape(Shape *ret_shape, bool q, unsigned size)
{
    if (size == 3 || (size == 2 && !q))
        return false;
    *ret_shape = (Shape){ size, 3 + q };
    return true;
}

static Shape lane_shape(unsigned esize) { return (Shape){ esize, esize }; }

/* ADDV SMAXV SMINV UMAXV UMINV: fold the vector onto itself by halves;
 * lane 0 is right at the end. */
bool a64_lift_v_across(LiftContext *ctx, const Argv_across *a)
{
    Shape s;
    if (!across_shape(&s, a->q, a->size))
        return false;
    IrRef r = a64_get_v(ctx, a->rn);
    for (unsigned bytes = 1u << (s.bytes - 1); bytes >= 1u << s.esize; bytes >>= 1)
        r = v_op2(ctx, a->op, shape_ilane(s), a->attr, r, v_ext(ctx, r, r, bytes));
    v_put(ctx, lane_shape(s.esize), a->rd, r);
    return true;
}

/* SADDLV UADDLV: pairs into ever wider lanes. The sum fits in twice the lane's width. */
bool a64_lift_v_addlv(LiftContext *ctx, const Argv_addlv *a)
{
    Shape s;
    if (!across_shape(&s, a->q, a->size))
        return false;
    IrRef r = a64_get_v(ctx, a->rn);
    for (unsigned esize = s.esize; esize < 3; esize++)
        r = v_op1(ctx, IR_vpaddl, IR_LANE_I8 + esize, a->attr, r, 0);
    if (a->q)
        r = v_op2(ctx, IR_vadd, IR_LANE_I64, 0, r, v_op1(ctx, IR_vdupl, IR_LANE_I64, 0, r, 1));
    v_put(ctx, lane_shape(s.esize + 1), a->rd, r);
    return true;
}

/* The manual's Reduce(): pairs of neighbours, then pairs of those. */
bool a64_lift_f_across(LiftContext *ctx, const Argf_across *a)
{
    IrRef r = a64_get_v(ctx, a->rn);
    if (!a->q)
        r = v_clip(ctx, (Shape){ a->esize, 3 }, r);
    for (unsigned bytes = 3 + a->q; bytes > (unsigned)a->esize; bytes--) {
        IrLane lane = IR_LANE_I8 + a->esize;
        IrRef even = v_op2(ctx, IR_vuzp1, lane, 0, r, r), odd = v_op2(ctx, IR_vuzp2, lane, 0, r, r);
        /* half of the lanes is left; below 64 bits the others are zeros, which add no flag */
        Shape half = { a->esize, bytes - 1 <= 3 ? 3 : bytes - 1 };
        if (bytes - 1 == (unsigned)a->esize)
            half.bytes = a->esize;
        r = f_op(ctx, half, a->op, 0, even, odd, 0);
    }
    a64_put_v(ctx, a->rd, r);
    return true;
}

bool a64_lift_ADDP_scalar(LiftContext *ctx, const ArgADDP_scalar *a)
{
    IrRef n = a64_get_v(ctx, a->rn);
    IrRef high = v_op1(ctx, IR_vdupl, IR_LANE_I64, 0, n, 1);
    a64_put_vq(ctx, false, a->rd, v_op2(ctx, IR_vadd, IR_LANE_I64, 0, n, high));
    return true;
}

bool a64_lift_f_pair_scalar(LiftContext *ctx, const Argf_pair_scalar *a)
{
    IrRef n = a64_get_v(ctx, a->rn);
    IrRef second = v_op1(ctx, IR_vdupl, IR_LANE_I8 + a->esize, 0, n, 1);
    a64_put_v(ctx, a->rd, f_op(ctx, lane_shape(a->esize), a->op, 0, n, second, 0));
    return true;
}
