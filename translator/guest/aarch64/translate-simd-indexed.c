/* data plane */
/*
 * Advanced SIMD and scalar by element (Arm ARM DDI 0487 K.a, C7.2).
 *
 * hlm is H:L:M of the encoding. For halves it is the element's number and the second register is
 * one of 0 to 15; for words the number is H:L, for doublewords H, and M is the register's highest
 * bit.
 */
#include "translator/guest/aarch64/simd.h"

#include "translator/guest/aarch64/a64-decode.h"

/* The second operand: its element in every lane. */
static IrRef element(LiftContext *ctx, unsigned esize, int hlm, int rm)
{
    unsigned index = esize == 1 ? hlm : esize == 2 ? hlm >> 1 : hlm >> 2;
    unsigned reg = esize == 1 ? rm : rm | (hlm & 1) << 4;
    return v_op1(ctx, IR_vdupl, IR_LANE_I8 + esize, 0, a64_get_v(ctx, reg), index);
}

/* MUL MLA MLS */
bool a64_lift_v_elt(LiftContext *ctx, const Argv_elt *a)
{
    Shape s;
    if (!v_shape(&s, a->s, a->q, a->size, a->sizes))
        return false;
    IrRef m = element(ctx, s.esize, a->hlm, a->rm);
    IrRef r = v_op2(ctx, a->op, shape_ilane(s), a->attr, a64_get_v(ctx, a->rn), m);
    if (a->acc != IR_nop)
        r = v_op2(ctx, a->acc, shape_ilane(s), 0, a64_get_v(ctx, a->rd), r);
    v_put(ctx, s, a->rd, r);
    return true;
}

/* SMULL SMLAL SMLSL and unsigned */
bool a64_lift_v_elt_long(LiftContext *ctx, const Argv_elt_long *a)
{
    Shape s;
    if (!v_shape_half(&s, a->s, a->q, a->size, a->sizes))
        return false;
    IrRef m = element(ctx, s.esize, a->hlm, a->rm);
    IrRef r = v_op2(ctx, a->op, shape_ilane(s), a->attr | v_high(false, a->q),
                    a64_get_v(ctx, a->rn), m);
    if (a->acc != IR_nop)
        r = v_op2(ctx, a->acc, shape_ilane(shape_wide(s)), 0, a64_get_v(ctx, a->rd), r);
    a64_put_v(ctx, a->rd, r);
    return true;
}

/* SQDMULL SQDMLAL SQDMLSL */
bool a64_lift_v_elt_qdmlal(LiftContext *ctx, const Argv_elt_qdmlal *a)
{
    Shape s;
    if (!v_shape_half(&s, a->s, a->q, a->size, a->sizes))
        return false;
    Shape wide = shape_wide(s);
    IrRef m = element(ctx, s.esize, a->hlm, a->rm);
    IrRef r = v_qdmull(ctx, s, v_high(a->s, a->q), a64_get_v(ctx, a->rn), m);
    if (a->acc != IR_nop)
        r = v_qdmla(ctx, wide, a->op, a->acc, a64_get_v(ctx, a->rd), r);
    v_put(ctx, wide, a->rd, r);
    return true;
}

/* SQDMULH SQRDMULH */
bool a64_lift_v_elt_qdmulh(LiftContext *ctx, const Argv_elt_qdmulh *a)
{
    Shape s;
    if (!v_shape(&s, a->s, a->q, a->size, a->sizes))
        return false;
    IrRef m = element(ctx, s.esize, a->hlm, a->rm);
    v_put(ctx, s, a->rd, v_qdmulh(ctx, s, a->attr, a64_get_v(ctx, a->rn), m));
    return true;
}

/* SQRDMLAH SQRDMLSH */
bool a64_lift_v_elt_rdmla(LiftContext *ctx, const Argv_elt_rdmla *a)
{
    Shape s;
    if (!v_shape(&s, a->s, a->q, a->size, a->sizes))
        return false;
    IrRef m = element(ctx, s.esize, a->hlm, a->rm), d = a64_get_v(ctx, a->rd);
    v_put(ctx, s, a->rd, v_rdmla(ctx, s, a->acc == IR_vsub, d, a64_get_v(ctx, a->rn), m));
    return true;
}

/* size 0 half, 2 single, 3 double (L is 0 then) */
static bool float_shape(Shape *ret_shape, bool s, bool q, int size, int hlm)
{
    return (size != 3 || !(hlm & 2)) && f_shape(ret_shape, s, q, size ? size : 1);
}

/* FMUL FMLA FMLS */
bool a64_lift_f_elt(LiftContext *ctx, const Argf_elt *a)
{
    Shape s;
    if (!float_shape(&s, a->s, a->q, a->size, a->hlm))
        return false;
    IrRef n = a64_get_v(ctx, a->rn), m = element(ctx, s.esize, a->hlm, a->rm);
    IrRef d = a->op == IR_fma ? a64_get_v(ctx, a->rd) : IR_NONE;
    a64_put_v(ctx, a->rd, f_op(ctx, s, a->op, a->attr, n, m, d));
    return true;
}

bool a64_lift_f_elt_mulx(LiftContext *ctx, const Argf_elt_mulx *a)
{
    Shape s;
    if (!float_shape(&s, a->s, a->q, a->size, a->hlm))
        return false;
    IrRef n = a64_get_v(ctx, a->rn), m = element(ctx, s.esize, a->hlm, a->rm);
    a64_put_v(ctx, a->rd, f_helper(ctx, A64_HELPER_fp_step, s, A64_STEP_MULX, n, m));
    return true;
}

bool a64_lift_f_elt_mlal(LiftContext *ctx, const Argf_elt_mlal *a)
{
    IrRef n = a64_get_v(ctx, a->rn), m = element(ctx, 1, a->hlm, a->rm);
    a64_put_v(ctx, a->rd, f_mlal(ctx, a->q, a->neg, a->high, a64_get_v(ctx, a->rd), n, m));
    return true;
}

/* The element is a pair: halves by H:L (not above 1 when the vector has 64 bits), singles by H. */
bool a64_lift_FCMLA_elt(LiftContext *ctx, const ArgFCMLA_elt *a)
{
    Shape s;
    bool half = a->size == 1;
    if (half ? !a64_has(ctx, A64_FEAT_FP16) || (a->hlm & 4 && !a->q)
             : a->size != 2 || a->hlm & 2 || !a->q)
        return false;
    if (!f_shape(&s, false, a->q, a->size))
        return false;
    unsigned index = half ? a->hlm >> 1 : a->hlm >> 2;
    IrRef m = v_op1(ctx, IR_vdupl, half ? IR_LANE_I32 : IR_LANE_I64, 0,
                    a64_get_v(ctx, a->rm | (a->hlm & 1) << 4), index);
    IrRef n = a64_get_v(ctx, a->rn), d = a64_get_v(ctx, a->rd);
    a64_put_v(ctx, a->rd, f_complex_mla(ctx, s, a->rot, d, n, m));
    return true;
}

bool a64_lift_v_elt_dot(LiftContext *ctx, const Argv_elt_dot *a)
{
    IrRef n = a64_get_v(ctx, a->rn), m = element(ctx, 2, a->hlm, a->rm);
    IrRef d = a64_get_v(ctx, a->rd);
    a64_put_vq(ctx, a->q, a->rd, ir_emit(&ctx->b, IR_vdot, IR_V128, IR_LANE_I8, a->attr, d, n, m, 0,
                                         0));
    return true;
}

bool a64_lift_bf_elt_dot(LiftContext *ctx, const Argbf_elt_dot *a)
{
    bf_op(ctx, a->q, A64_BF_DOT, a->rd, a64_get_v(ctx, a->rn), element(ctx, 2, a->hlm, a->rm));
    return true;
}

bool a64_lift_bf_elt_mlal(LiftContext *ctx, const Argbf_elt_mlal *a)
{
    bf_op(ctx, true, a->q ? A64_BF_MLALT : A64_BF_MLALB, a->rd, a64_get_v(ctx, a->rn),
          element(ctx, 1, a->hlm, a->rm));
    return true;
}
