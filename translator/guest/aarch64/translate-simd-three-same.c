/* data plane */
/*
 * Advanced SIMD and scalar three same, and the extension group: RDM, DotProd, I8MM, FCMA, FHM, BF16
 * (Arm ARM DDI 0487 K.a, C7.2).
 */
#include "translator/guest/aarch64/simd.h"

#include "translator/guest/aarch64/a64-decode.h"

bool a64_lift_v_op2(LiftContext *ctx, const Argv_op2 *a)
{
    Shape s;
    if (!v_shape(&s, a->s, a->q, a->size, a->sizes))
        return false;
    IrRef n = a64_get_v(ctx, a->rn), m = a64_get_v(ctx, a->rm);
    v_put(ctx, s, a->rd, v_op2(ctx, a->op, shape_ilane(s), a->attr, n, m));
    return true;
}

/* SABA UABA MLA MLS */
bool a64_lift_v_acc(LiftContext *ctx, const Argv_acc *a)
{
    Shape s;
    if (!v_shape(&s, a->s, a->q, a->size, a->sizes))
        return false;
    IrRef n = a64_get_v(ctx, a->rn), m = a64_get_v(ctx, a->rm), d = a64_get_v(ctx, a->rd);
    IrRef r = v_op2(ctx, a->op, shape_ilane(s), a->attr, n, m);
    v_put(ctx, s, a->rd, v_op2(ctx, a->acc, shape_ilane(s), 0, d, r));
    return true;
}

/* SQADD UQADD SQSUB UQSUB: it saturated where the wrapped result differs. */
bool a64_lift_v_sat2(LiftContext *ctx, const Argv_sat2 *a)
{
    Shape s;
    if (!v_shape(&s, a->s, a->q, a->size, a->sizes))
        return false;
    IrRef n = a64_get_v(ctx, a->rn), m = a64_get_v(ctx, a->rm);
    IrRef r = v_op2(ctx, a->op, shape_ilane(s), a->attr, n, m);
    IrRef wrapped = v_op2(ctx, a->acc, shape_ilane(s), 0, n, m);
    v_sticky(ctx, s, v_op2(ctx, IR_vxor, 0, 0, r, wrapped));
    v_put(ctx, s, a->rd, r);
    return true;
}

/* SQSHL UQSHL SQRSHL UQRSHL. No right shift saturates. A left shift did where shifting the result
 * back does not give the operand, or where it shifts a number that isn't 0 by a lane or more. */
bool a64_lift_v_shlsat(LiftContext *ctx, const Argv_shlsat *a)
{
    Shape s;
    if (!v_shape(&s, a->s, a->q, a->size, a->sizes))
        return false;
    IrLane lane = shape_ilane(s);
    unsigned bits = shape_bits(s);
    IrRef n = a64_get_v(ctx, a->rn), m = a64_get_v(ctx, a->rm);
    IrRef r = v_op2(ctx, IR_vshlv, lane, a->attr | IR_V_SAT, n, m);
    IrRef back = v_op2(ctx, IR_vshlv, lane, a->attr & IR_V_SIGNED, r,
                       v_op1(ctx, IR_vneg, IR_LANE_I8, 0, m, 0));
    /* the amount, a signed byte, as a number of the lane's width */
    IrRef amount =
        v_op1(ctx, IR_vshrs, lane, 0, v_op1(ctx, IR_vshl, lane, 0, m, bits - 8), bits - 8);
    IrRef left = v_op2(ctx, IR_vcmpgt, lane, IR_V_SIGNED, amount, v_zero(ctx));
    IrRef all = v_op2(ctx, IR_vcmpge, lane, IR_V_SIGNED, amount, v_const(ctx, s.esize, bits));
    IrRef changed = v_op2(ctx, IR_vand, 0, 0, left, v_op2(ctx, IR_vxor, 0, 0, back, n));
    v_sticky(ctx, s, v_op2(ctx, IR_vor, 0, 0, changed, v_op2(ctx, IR_vand, 0, 0, all, n)));
    v_put(ctx, s, a->rd, r);
    return true;
}

bool a64_lift_v_cmtst(LiftContext *ctx, const Argv_cmtst *a)
{
    Shape s;
    if (!v_shape(&s, a->s, a->q, a->size, a->sizes))
        return false;
    IrRef both = v_op2(ctx, IR_vand, 0, 0, a64_get_v(ctx, a->rn), a64_get_v(ctx, a->rm));
    IrRef none = v_op2(ctx, IR_vcmpeq, shape_ilane(s), 0, both, v_zero(ctx));
    v_put(ctx, s, a->rd, v_op1(ctx, IR_vnot, 0, 0, none, 0));
    return true;
}

bool a64_lift_v_pair(LiftContext *ctx, const Argv_pair *a)
{
    Shape s;
    IrRef even, odd;
    if (!v_shape(&s, a->s, a->q, a->size, a->sizes))
        return false;
    v_pairs(ctx, s, a64_get_v(ctx, a->rn), a64_get_v(ctx, a->rm), &even, &odd);
    v_put(ctx, s, a->rd, v_op2(ctx, a->op, shape_ilane(s), a->attr, even, odd));
    return true;
}

/* Only -1 * -1 (the most negative numbers) saturates; its result is no proof, since others round
 * to the same. */
IrRef v_qdmulh(LiftContext *ctx, Shape s, unsigned attr, IrRef n, IrRef m)
{
    IrLane lane = shape_ilane(s);
    IrRef min = v_const(ctx, s.esize, 1ull << (shape_bits(s) - 1));
    IrRef both = v_op2(ctx, IR_vand, 0, 0, v_op2(ctx, IR_vcmpeq, lane, 0, n, min),
                       v_op2(ctx, IR_vcmpeq, lane, 0, m, min));
    v_sticky(ctx, s, both);
    return v_op2(ctx, IR_vqdmulh, lane, attr, n, m);
}

bool a64_lift_v_qdmulh(LiftContext *ctx, const Argv_qdmulh *a)
{
    Shape s;
    if (!v_shape(&s, a->s, a->q, a->size, a->sizes))
        return false;
    IrRef n = a64_get_v(ctx, a->rn), m = a64_get_v(ctx, a->rm);
    v_put(ctx, s, a->rd, v_qdmulh(ctx, s, a->attr, n, m));
    return true;
}

bool a64_lift_v_logic(LiftContext *ctx, const Argv_logic *a)
{
    IrRef n = a64_get_v(ctx, a->rn);
    if (a->op == IR_vor && a->rn == a->rm) /* MOV */
        a64_put_vq(ctx, a->q, a->rd, n);
    else
        a64_put_vq(ctx, a->q, a->rd, v_op2(ctx, a->op, 0, 0, n, a64_get_v(ctx, a->rm)));
    return true;
}

bool a64_lift_BSL(LiftContext *ctx, const ArgBSL *a)
{
    IrRef n = a64_get_v(ctx, a->rn), m = a64_get_v(ctx, a->rm), d = a64_get_v(ctx, a->rd);
    a64_put_vq(ctx, a->q, a->rd, v_bsl(ctx, d, n, m));
    return true;
}

bool a64_lift_BIT(LiftContext *ctx, const ArgBIT *a)
{
    IrRef n = a64_get_v(ctx, a->rn), m = a64_get_v(ctx, a->rm), d = a64_get_v(ctx, a->rd);
    a64_put_vq(ctx, a->q, a->rd, v_bsl(ctx, m, n, d));
    return true;
}

bool a64_lift_BIF(LiftContext *ctx, const ArgBIF *a)
{
    IrRef n = a64_get_v(ctx, a->rn), m = a64_get_v(ctx, a->rm), d = a64_get_v(ctx, a->rd);
    a64_put_vq(ctx, a->q, a->rd, v_bsl(ctx, m, d, n));
    return true;
}

/* -- floating point ---------------------------------------------------------------------------- */

bool a64_lift_f_op2(LiftContext *ctx, const Argf_op2 *a)
{
    Shape s;
    if (!f_shape(&s, a->s, a->q, a->esize))
        return false;
    IrRef n = a64_get_v(ctx, a->rn), m = a64_get_v(ctx, a->rm);
    a64_put_v(ctx, a->rd, f_op(ctx, s, a->op, a->attr, n, m, 0));
    return true;
}

/* FMLA FMLS */
bool a64_lift_f_mla(LiftContext *ctx, const Argf_mla *a)
{
    Shape s;
    if (!f_shape(&s, a->s, a->q, a->esize))
        return false;
    IrRef n = a64_get_v(ctx, a->rn), m = a64_get_v(ctx, a->rm), d = a64_get_v(ctx, a->rd);
    a64_put_v(ctx, a->rd, f_op(ctx, s, IR_fma, a->attr, n, m, d));
    return true;
}

bool a64_lift_f_pair(LiftContext *ctx, const Argf_pair *a)
{
    Shape s;
    IrRef even, odd;
    if (!f_shape(&s, a->s, a->q, a->esize))
        return false;
    v_pairs(ctx, s, a64_get_v(ctx, a->rn), a64_get_v(ctx, a->rm), &even, &odd);
    a64_put_v(ctx, a->rd, f_op(ctx, s, a->op, a->attr, even, odd, 0));
    return true;
}

bool a64_lift_f_abd(LiftContext *ctx, const Argf_abd *a)
{
    Shape s;
    if (!f_shape(&s, a->s, a->q, a->esize))
        return false;
    IrRef n = a64_get_v(ctx, a->rn), m = a64_get_v(ctx, a->rm);
    IrRef r = f_op(ctx, s, IR_fsub, 0, n, m, 0);
    a64_put_v(ctx, a->rd, f_op(ctx, s, IR_fabs, 0, r, 0, 0));
    return true;
}

/* FMULX FRECPS FRSQRTS */
bool a64_lift_f_step(LiftContext *ctx, const Argf_step *a)
{
    Shape s;
    if (!f_shape(&s, a->s, a->q, a->esize))
        return false;
    IrRef n = a64_get_v(ctx, a->rn), m = a64_get_v(ctx, a->rm);
    a64_put_v(ctx, a->rd, f_helper(ctx, A64_HELPER_fp_step, s, a->kind, n, m));
    return true;
}

/* FCMEQ FCMGE FCMGT, and of absolute values FACGE FACGT */
bool a64_lift_f_cmp(LiftContext *ctx, const Argf_cmp *a)
{
    Shape s;
    if (!f_shape(&s, a->s, a->q, a->esize))
        return false;
    IrRef n = a64_get_v(ctx, a->rn), m = a64_get_v(ctx, a->rm);
    if (a->abs) {
        uint64_t magnitude = (1ull << (shape_bits(s) - 1)) - 1;
        n = v_op2(ctx, IR_vand, 0, 0, n, v_const(ctx, s.esize, magnitude));
        m = v_op2(ctx, IR_vand, 0, 0, m, v_const(ctx, s.esize, magnitude));
    }
    a64_put_v(ctx, a->rd, f_compare(ctx, s, a->op, n, m));
    return true;
}

IrRef f_mlal(LiftContext *ctx, bool q, bool neg, bool high, IrRef acc, IrRef n, IrRef m)
{
    uint32_t desc = neg | high << 1 | (uint32_t)q << 2 | (f_attr(ctx, 2) & IR_FP_NAN) << 16
                  | (f_attr(ctx, 2) & IR_FP_FLUSH) << 16 | (f_attr(ctx, 1) & IR_FP_FLUSH ? 8 : 0);
    return a64_call(ctx, A64_HELPER_fmlal, IR_V128, a64_i32(ctx, desc), acc, n, m);
}

bool a64_lift_f_mlal(LiftContext *ctx, const Argf_mlal *a)
{
    IrRef n = a64_get_v(ctx, a->rn), m = a64_get_v(ctx, a->rm), d = a64_get_v(ctx, a->rd);
    a64_put_v(ctx, a->rd, f_mlal(ctx, a->q, a->neg, a->high, d, n, m));
    return true;
}

/* -- extensions -------------------------------------------------------------------------------- */

IrRef v_rdmla(LiftContext *ctx, Shape s, bool sub, IrRef acc, IrRef n, IrRef m)
{
    IrRef desc = a64_i32(ctx, s.esize | (uint32_t)sub << 2);
    /* Two results of one computation: the lanes, and where they saturated. */
    v_sticky(ctx, s, a64_call(ctx, A64_HELPER_rdmla_sat, IR_V128, desc, acc, n, m));
    return a64_call(ctx, A64_HELPER_rdmla, IR_V128, desc, acc, n, m);
}

bool a64_lift_v_rdmla(LiftContext *ctx, const Argv_rdmla *a)
{
    Shape s;
    if (!v_shape(&s, a->s, a->q, a->size, 0x66))
        return false;
    IrRef n = a64_get_v(ctx, a->rn), m = a64_get_v(ctx, a->rm), d = a64_get_v(ctx, a->rd);
    v_put(ctx, s, a->rd, v_rdmla(ctx, s, a->sub, d, n, m));
    return true;
}

bool a64_lift_v_dot(LiftContext *ctx, const Argv_dot *a)
{
    IrRef n = a64_get_v(ctx, a->rn), m = a64_get_v(ctx, a->rm), d = a64_get_v(ctx, a->rd);
    a64_put_vq(ctx, a->q, a->rd, ir_emit(&ctx->b, IR_vdot, IR_V128, IR_LANE_I8, a->attr, d, n, m, 0,
                                         0));
    return true;
}

/* A 2x2 matrix of i32 += (2x8 of i8) * (2x8 of i8, transposed). Each product of rows is two dots of
 * four bytes: by lanes of the result, n rows 0 0 1 1 and m rows 0 1 0 1, low and high words. */
bool a64_lift_v_mmla(LiftContext *ctx, const Argv_mmla *a)
{
    if (!a->q)
        return false;
    IrRef n = a64_get_v(ctx, a->rn), m = a64_get_v(ctx, a->rm), r = a64_get_v(ctx, a->rd);
    IrRef n_rows[2] = { v_op1(ctx, IR_vdupl, IR_LANE_I64, 0, n, 0),
                        v_op1(ctx, IR_vdupl, IR_LANE_I64, 0, n, 1) };
    for (int half = 0; half < 2; half++) {
        IrOp uzp = half ? IR_vuzp2 : IR_vuzp1;
        IrRef x = v_op2(ctx, uzp, IR_LANE_I32, 0, n_rows[0], n_rows[1]);
        IrRef y = v_op2(ctx, uzp, IR_LANE_I32, 0, m, m);
        r = ir_emit(&ctx->b, IR_vdot, IR_V128, IR_LANE_I8, a->attr, r, x, y, 0, 0);
    }
    a64_put_v(ctx, a->rd, r);
    return true;
}

/* Pairs are (real, imaginary). rot 0: re += n.re * m.re, im += n.re * m.im; 1: re -= n.im * m.im,
 * im += n.im * m.re; 2 and 3 are those negated. The negation is of m's element. */
IrRef f_complex_mla(LiftContext *ctx, Shape s, unsigned rot, IrRef acc, IrRef n, IrRef m)
{
    IrLane lane = shape_ilane(s);
    uint64_t sign = 1ull << (shape_bits(s) - 1);
    IrRef x = v_op2(ctx, rot & 1 ? IR_vtrn2 : IR_vtrn1, lane, 0, n, n);
    IrRef y = m;
    if (rot & 1) {
        IrRef re = v_op2(ctx, IR_vtrn1, lane, 0, m, m), im = v_op2(ctx, IR_vtrn2, lane, 0, m, m);
        y = v_op2(ctx, IR_vtrn1, lane, 0, im, re);
    }
    bool neg_re = rot == 1 || rot == 2, neg_im = rot == 2 || rot == 3;
    if (neg_re || neg_im) {
        IrRef even = neg_re ? v_const(ctx, s.esize, sign) : v_zero(ctx);
        IrRef odd = neg_im ? v_const(ctx, s.esize, sign) : v_zero(ctx);
        y = v_op2(ctx, IR_vxor, 0, 0, y, v_op2(ctx, IR_vtrn1, lane, 0, even, odd));
    }
    return f_op(ctx, s, IR_fma, 0, x, y, acc);
}

bool a64_lift_FCMLA_vec(LiftContext *ctx, const ArgFCMLA_vec *a)
{
    Shape s;
    if (!a->size || (a->size == 1 && !a64_has(ctx, A64_FEAT_FP16))
        || !f_shape(&s, false, a->q, a->size))
        return false;
    IrRef n = a64_get_v(ctx, a->rn), m = a64_get_v(ctx, a->rm), d = a64_get_v(ctx, a->rd);
    a64_put_v(ctx, a->rd, f_complex_mla(ctx, s, a->rot, d, n, m));
    return true;
}

/* n + m * i (rot 0) or n - m * i (rot 1) */
bool a64_lift_FCADD(LiftContext *ctx, const ArgFCADD *a)
{
    Shape s;
    if (!a->size || (a->size == 1 && !a64_has(ctx, A64_FEAT_FP16))
        || !f_shape(&s, false, a->q, a->size))
        return false;
    IrLane lane = shape_ilane(s);
    IrRef n = a64_get_v(ctx, a->rn), m = a64_get_v(ctx, a->rm);
    IrRef re = v_op2(ctx, IR_vtrn1, lane, 0, m, m), im = v_op2(ctx, IR_vtrn2, lane, 0, m, m);
    IrRef sign = v_const(ctx, s.esize, 1ull << (shape_bits(s) - 1));
    if (a->rot)
        re = v_op2(ctx, IR_vxor, 0, 0, re, sign);
    else
        im = v_op2(ctx, IR_vxor, 0, 0, im, sign);
    IrRef y = v_op2(ctx, IR_vtrn1, lane, 0, im, re);
    a64_put_v(ctx, a->rd, f_op(ctx, s, IR_fadd, 0, n, y, 0));
    return true;
}

/* -- BF16 -------------------------------------------------------------------------------------- */

void bf_op(LiftContext *ctx, bool q, unsigned kind, unsigned rd, IrRef n, IrRef m)
{
    IrRef desc = a64_i32(ctx, kind | (uint32_t)q << 4 | f_attr(ctx, 2) << A64_DESC_ATTR_SHIFT);
    a64_put_v(ctx, rd, a64_call(ctx, A64_HELPER_bf16, IR_V128, desc, a64_get_v(ctx, rd), n, m));
}

bool a64_lift_bf_dot(LiftContext *ctx, const Argbf_dot *a)
{
    bf_op(ctx, a->q, A64_BF_DOT, a->rd, a64_get_v(ctx, a->rn), a64_get_v(ctx, a->rm));
    return true;
}

bool a64_lift_bf_mlal(LiftContext *ctx, const Argbf_mlal *a)
{
    bf_op(ctx, true, a->q ? A64_BF_MLALT : A64_BF_MLALB, a->rd, a64_get_v(ctx, a->rn),
          a64_get_v(ctx, a->rm));
    return true;
}

bool a64_lift_bf_mmla(LiftContext *ctx, const Argbf_mmla *a)
{
    bf_op(ctx, true, A64_BF_MMLA, a->rd, a64_get_v(ctx, a->rn), a64_get_v(ctx, a->rm));
    return true;
}
