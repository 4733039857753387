/* data plane */
/*
 * Scalar floating point (Arm ARM DDI 0487 K.a, C7.2; semantics in J1.1, shared/functions/float).
 *
 * ptype in the encoding: 0 single, 1 double, 3 half. Values of half are i32 here with the upper 16
 * bits zero; their operations are helper calls (f_half).
 */
#include "translator/guest/aarch64/simd.h"

#include "translator/guest/aarch64/a64-decode.h"

enum { SINGLE, DOUBLE, RESERVED, HALF };

/* The type of values; IR_VOID when unallocated. */
static IrType fp_type(LiftContext *ctx, int ptype)
{
    switch (ptype) {
    case SINGLE: return IR_F32;
    case DOUBLE: return IR_F64;
    case HALF: return a64_has(ctx, A64_FEAT_FP16) ? IR_I32 : IR_VOID;
    default: return IR_VOID;
    }
}

static unsigned fp_attr(LiftContext *ctx, int ptype)
{
    return f_attr(ctx, ptype == HALF ? 1 : 2 + ptype);
}

static IrRef fp_get(LiftContext *ctx, int ptype, int r)
{
    return ptype == SINGLE ? a64_get_s(ctx, r) : ptype == DOUBLE ? a64_get_d(ctx, r)
                                                                 : a64_get_h(ctx, r);
}

static IrRef fp_op(LiftContext *ctx, int ptype, IrOp op, unsigned attr, IrRef x, IrRef y, IrRef z)
{
    if (ptype == HALF)
        return f_half(ctx, op, IR_I32, 0, attr, x, y, z);
    return ir_emit(&ctx->b, op, ir_type(&ctx->b, x), 0, attr | fp_attr(ctx, ptype), x, y, z, 0, 0);
}

/* Sign operations look at no NaN and no mode. */
static IrRef fp_sign(LiftContext *ctx, int ptype, IrOp op, IrRef x)
{
    if (ptype != HALF)
        return ir_op1(&ctx->b, op, ir_type(&ctx->b, x), x);
    return op == IR_fneg ? ir_op2i(&ctx->b, IR_xor, x, 0x8000)
                         : ir_op2i(&ctx->b, IR_and, x, 0x7fff);
}

/* FMOV, FABS, FNEG */
bool a64_lift_fp_move(LiftContext *ctx, const Argfp_move *a)
{
    if (fp_type(ctx, a->ptype) == IR_VOID)
        return false;
    IrRef x = fp_get(ctx, a->ptype, a->rn);
    a64_put_scalar(ctx, a->rd, a->op == IR_copy ? x : fp_sign(ctx, a->ptype, a->op, x));
    return true;
}

/* FSQRT, FRINTx */
bool a64_lift_fp_op1(LiftContext *ctx, const Argfp_op1 *a)
{
    if (fp_type(ctx, a->ptype) == IR_VOID)
        return false;
    IrRef x = fp_get(ctx, a->ptype, a->rn);
    a64_put_scalar(ctx, a->rd, fp_op(ctx, a->ptype, a->op, a->attr, x, 0, 0));
    return true;
}

bool a64_lift_fp_op2(LiftContext *ctx, const Argfp_op2 *a)
{
    if (fp_type(ctx, a->ptype) == IR_VOID)
        return false;
    IrRef x = fp_get(ctx, a->ptype, a->rn), y = fp_get(ctx, a->ptype, a->rm);
    a64_put_scalar(ctx, a->rd, fp_op(ctx, a->ptype, a->op, 0, x, y, 0));
    return true;
}

/* FNMUL negates the rounded product, a NaN too. */
bool a64_lift_fp_nmul(LiftContext *ctx, const Argfp_nmul *a)
{
    if (fp_type(ctx, a->ptype) == IR_VOID)
        return false;
    IrRef x = fp_get(ctx, a->ptype, a->rn), y = fp_get(ctx, a->ptype, a->rm);
    IrRef r = fp_op(ctx, a->ptype, a->op, 0, x, y, 0);
    a64_put_scalar(ctx, a->rd, fp_sign(ctx, a->ptype, IR_fneg, r));
    return true;
}

bool a64_lift_fp_fma(LiftContext *ctx, const Argfp_fma *a)
{
    if (fp_type(ctx, a->ptype) == IR_VOID)
        return false;
    IrRef x = fp_get(ctx, a->ptype, a->rn), y = fp_get(ctx, a->ptype, a->rm);
    IrRef z = fp_get(ctx, a->ptype, a->ra);
    a64_put_scalar(ctx, a->rd, fp_op(ctx, a->ptype, IR_fma, a->attr, x, y, z));
    return true;
}

/* -- between formats --------------------------------------------------------------------------- */

static unsigned ahp_attr(LiftContext *ctx)
{
    return a64_fpcr_mode(ctx) & A64_FPCR_AHP ? IR_FP_AHP : 0;
}

bool a64_lift_FCVT(LiftContext *ctx, const ArgFCVT *a)
{
    if (a->ptype == a->opc || a->ptype == RESERVED || a->opc == RESERVED)
        return false;
    IrBuilder *b = &ctx->b;
    IrType to = a->opc == DOUBLE ? IR_F64 : IR_F32;
    IrRef x = fp_get(ctx, a->ptype, a->rn), r;
    if (a->ptype == HALF) /* a half operand is never flushed here (FPUnpackCV) */
        r = ir_emit(b, IR_h2f, to, 0, (f_attr(ctx, 2) & IR_FP_NAN) | ahp_attr(ctx), x, 0, 0, 0, 0);
    else if (a->opc == HALF)
        r = ir_emit(b, IR_f2h, IR_I32, 0, f_attr(ctx, 2) | ahp_attr(ctx), x, 0, 0, 0, 0);
    else
        r = ir_emit(b, IR_fcvt, to, 0, f_attr(ctx, 2), x, 0, 0, 0, 0);
    a64_put_scalar(ctx, a->rd, r);
    return true;
}

bool a64_lift_BFCVT(LiftContext *ctx, const ArgBFCVT *a)
{
    IrRef bits =
        ir_emit(&ctx->b, IR_vget, IR_I32, IR_LANE_I32, 0, a64_get_v(ctx, a->rn), 0, 0, 0, 0);
    a64_put_scalar(ctx, a->rd, a64_call(ctx, A64_HELPER_bfcvt, IR_I32,
                                        a64_i32(ctx, f_attr(ctx, 2)), bits, 0, 0));
    return true;
}

/* FRINT32Z FRINT32X FRINT64Z FRINT64X */
bool a64_lift_fp_rint(LiftContext *ctx, const Argfp_rint *a)
{
    Shape s = { 2 + a->sz, 2 + a->sz };
    unsigned kind = a->bits == 32 ? (a->zero ? A64_EST_RINT32Z : A64_EST_RINT32X)
                                  : (a->zero ? A64_EST_RINT64Z : A64_EST_RINT64X);
    IrRef n = a64_get_v(ctx, a->rn);
    a64_put_v(ctx, a->rd, f_helper(ctx, A64_HELPER_fp_estimate, s, kind, n, n));
    return true;
}

/* -- compares, selection, immediate ------------------------------------------------------------ */

/* NZCV of a comparison; y = IR_NONE: with +0. */
static IrRef fp_compare(LiftContext *ctx, int ptype, bool signaling, IrRef x, IrRef y)
{
    IrBuilder *b = &ctx->b;
    unsigned attr = signaling ? IR_FP_SIGNALING : 0;
    if (y == IR_NONE)
        y = ir_const(b, ir_type(b, x), 0);
    if (ptype == HALF)
        return ir_op1(b, IR_flpack, IR_FLAGS, f_half(ctx, IR_flfcmp, IR_I32, 0, attr, x, y, 0));
    return ir_emit(b, IR_flfcmp, IR_FLAGS, 0, attr | fp_attr(ctx, ptype), x, y, 0, 0, 0);
}

bool a64_lift_FCMP_reg(LiftContext *ctx, const ArgFCMP_reg *a)
{
    if (fp_type(ctx, a->ptype) == IR_VOID)
        return false;
    IrRef x = fp_get(ctx, a->ptype, a->rn), y = fp_get(ctx, a->ptype, a->rm);
    a64_put_flags(ctx, fp_compare(ctx, a->ptype, a->e, x, y));
    return true;
}

bool a64_lift_FCMP_zero(LiftContext *ctx, const ArgFCMP_zero *a)
{
    if (fp_type(ctx, a->ptype) == IR_VOID)
        return false;
    a64_put_flags(ctx, fp_compare(ctx, a->ptype, a->e, fp_get(ctx, a->ptype, a->rn), IR_NONE));
    return true;
}

/* The comparison happens only when the condition holds; a compare that doesn't must not raise
 * flags. So the operands become zeros then, which raise none, and the flags are selected. */
bool a64_lift_FCCMP(LiftContext *ctx, const ArgFCCMP *a)
{
    if (fp_type(ctx, a->ptype) == IR_VOID)
        return false;
    IrBuilder *b = &ctx->b;
    IrRef x = fp_get(ctx, a->ptype, a->rn), y = fp_get(ctx, a->ptype, a->rm);
    IrRef cond = a64_cond(ctx, a->cond), zero = ir_const(b, ir_type(b, x), 0);
    IrRef flags = fp_compare(ctx, a->ptype, a->e, ir_select(b, cond, x, zero),
                             ir_select(b, cond, y, zero));
    IrRef other = ir_op1(b, IR_flpack, IR_FLAGS, a64_i32(ctx, (uint32_t)a->nzcv << 28));
    a64_put_flags(ctx, ir_select(b, cond, flags, other));
    return true;
}

bool a64_lift_FCSEL(LiftContext *ctx, const ArgFCSEL *a)
{
    if (fp_type(ctx, a->ptype) == IR_VOID)
        return false;
    IrRef x = fp_get(ctx, a->ptype, a->rn), y = fp_get(ctx, a->ptype, a->rm);
    a64_put_scalar(ctx, a->rd, ir_select(&ctx->b, a64_cond(ctx, a->cond), x, y));
    return true;
}

/* VFPExpandImm: a:NOT(b):b…b:cdefgh:0… with an exponent of 5, 8 or 11 bits */
uint64_t a64_fp_expand_imm(unsigned imm8, unsigned esize)
{
    unsigned exp_bits = esize == 1 ? 5 : esize == 2 ? 8 : 11, bits = 8u << esize;
    uint64_t sign = imm8 >> 7, b = imm8 >> 6 & 1;
    uint64_t exp = (b ^ 1) << (exp_bits - 1) | (b ? ((1ull << (exp_bits - 3)) - 1) << 2 : 0)
                 | (imm8 >> 4 & 3);
    uint64_t fraction = (uint64_t)(imm8 & 15) << (bits - 1 - exp_bits - 4);
    return sign << (bits - 1) | exp << (bits - 1 - exp_bits) | fraction;
}

bool a64_lift_FMOV_imm(LiftContext *ctx, const ArgFMOV_imm *a)
{
    if (fp_type(ctx, a->ptype) == IR_VOID)
        return false;
    unsigned esize = a->ptype == HALF ? 1 : 2 + a->ptype;
    a64_put_v(ctx, a->rd, ir_vconst(&ctx->b, a64_fp_expand_imm(a->imm8, esize), 0));
    return true;
}

/* -- from and to general registers ------------------------------------------------------------- */

static bool to_int(LiftContext *ctx, bool sf, int ptype, int rd, int rn, unsigned attr,
                   unsigned fbits)
{
    if (fp_type(ctx, ptype) == IR_VOID)
        return false;
    IrType itype = sf ? IR_I64 : IR_I32;
    IrRef x = fp_get(ctx, ptype, rn);
    IrRef r = ptype == HALF ? f_half(ctx, IR_f2i, itype, 0, attr, x, a64_i64(ctx, fbits), 0)
                            : ir_emit(&ctx->b, IR_f2i, itype, 0, attr | fp_attr(ctx, ptype), x, 0,
                                      0, 0, fbits);
    a64_put_r(ctx, rd, r);
    return true;
}

static bool from_int(LiftContext *ctx, bool sf, int ptype, int rd, int rn, unsigned attr,
                     unsigned fbits)
{
    IrType type = fp_type(ctx, ptype);
    if (type == IR_VOID)
        return false;
    IrRef x = a64_get_r(ctx, sf, rn), r;
    if (ptype == HALF) { /* always by way of 64 bits */
        if (!sf)
            x = attr & IR_FP_UNSIGNED ? a64_zext(ctx, x) : a64_sext(ctx, x);
        r = f_half(ctx, IR_i2f, IR_I32, 0, attr, x, a64_i64(ctx, fbits), 0);
    } else {
        r = ir_emit(&ctx->b, IR_i2f, type, 0, attr | fp_attr(ctx, ptype), x, 0, 0, 0, fbits);
    }
    a64_put_scalar(ctx, rd, r);
    return true;
}

bool a64_lift_fp_to_int(LiftContext *ctx, const Argfp_to_int *a)
{
    return to_int(ctx, a->sf, a->ptype, a->rd, a->rn, a->attr, 0);
}

bool a64_lift_fp_from_int(LiftContext *ctx, const Argfp_from_int *a)
{
    return from_int(ctx, a->sf, a->ptype, a->rd, a->rn, a->attr, 0);
}

/* scale<5> must be 1 for 32-bit registers. */
bool a64_lift_fp_to_fix(LiftContext *ctx, const Argfp_to_fix *a)
{
    if (!a->sf && a->scale < 32)
        return false;
    return to_int(ctx, a->sf, a->ptype, a->rd, a->rn, a->attr, 64 - a->scale);
}

bool a64_lift_fp_from_fix(LiftContext *ctx, const Argfp_from_fix *a)
{
    if (!a->sf && a->scale < 32)
        return false;
    return from_int(ctx, a->sf, a->ptype, a->rd, a->rn, a->attr, 64 - a->scale);
}

bool a64_lift_FJCVTZS(LiftContext *ctx, const ArgFJCVTZS *a)
{
    IrBuilder *b = &ctx->b;
    IrRef d = a64_get_d(ctx, a->rn);
    IrRef r = ir_emit(b, IR_f2i, IR_I32, 0, f_attr(ctx, 3) | IR_ROUND_ZERO | IR_FP_WRAP, d, 0, 0, 0,
                      0);
    a64_put_w(ctx, a->rd, r);
    /* Z: the result is the very number, of which there is no -0 */
    IrRef back = ir_emit(b, IR_i2f, IR_F64, 0, f_attr(ctx, 3), r, 0, 0, 0, 0);
    IrRef same = ir_cmp(b, IR_CMP_EQ, ir_op1(b, IR_f2bits, IR_I64, back),
                        ir_op1(b, IR_f2bits, IR_I64, d));
    IrRef z = ir_op1(b, IR_b2i, IR_I32, same);
    a64_put_flags(ctx, ir_op1(b, IR_flpack, IR_FLAGS, ir_op2i(b, IR_shl, z, 30)));
    return true;
}

bool a64_lift_FMOV_w_s(LiftContext *ctx, const ArgFMOV_w_s *a)
{
    a64_put_w(ctx, a->rd, ir_emit(&ctx->b, IR_vget, IR_I32, IR_LANE_I32, 0, a64_get_v(ctx, a->rn),
                                  0, 0, 0, 0));
    return true;
}

bool a64_lift_FMOV_s_w(LiftContext *ctx, const ArgFMOV_s_w *a)
{
    a64_put_scalar(ctx, a->rd, a64_get_w(ctx, a->rn));
    return true;
}

bool a64_lift_FMOV_x_d(LiftContext *ctx, const ArgFMOV_x_d *a)
{
    a64_put_x(ctx, a->rd, a64_get_half(ctx, a->rn, 0));
    return true;
}

bool a64_lift_FMOV_d_x(LiftContext *ctx, const ArgFMOV_d_x *a)
{
    a64_put_scalar(ctx, a->rd, a64_get_x(ctx, a->rn));
    return true;
}

bool a64_lift_FMOV_x_top(LiftContext *ctx, const ArgFMOV_x_top *a)
{
    a64_put_x(ctx, a->rd, a64_get_half(ctx, a->rn, 1));
    return true;
}

bool a64_lift_FMOV_top_x(LiftContext *ctx, const ArgFMOV_top_x *a)
{
    a64_put_v(ctx, a->rd, ir_emit(&ctx->b, IR_vset, IR_V128, IR_LANE_I64, 0, a64_get_v(ctx, a->rd),
                                  a64_get_x(ctx, a->rn), 0, 0, 1));
    return true;
}

bool a64_lift_FMOV_r_h(LiftContext *ctx, const ArgFMOV_r_h *a)
{
    a64_put_w(ctx, a->rd, a64_get_h(ctx, a->rn));
    return true;
}

bool a64_lift_FMOV_h_r(LiftContext *ctx, const ArgFMOV_h_r *a)
{
    a64_put_scalar(ctx, a->rd, ir_op2i(&ctx->b, IR_and, a64_get_w(ctx, a->rn), 0xffff));
    return true;
}
