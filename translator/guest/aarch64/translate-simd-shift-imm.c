/* data plane */
/*
 * Advanced SIMD and scalar shift by immediate (Arm ARM DDI 0487 K.a, C7.2).
 *
 * imm is immh:immb. The highest set bit of immh tells the lane: 8 << esize; a right shift is by
 * 16 << esize less imm, a left shift by imm less 8 << esize.
 */
#include "translator/guest/aarch64/simd.h"

#include "translator/guest/aarch64/a64-decode.h"

static bool shift_esize(int imm, unsigned *ret_esize)
{
    if (imm < 8)
        return false;
    *ret_esize = 31 - __builtin_clz((unsigned)imm >> 3);
    return true;
}

static bool shift_shape(Shape *ret_shape, const ArgVsh *a)
{
    unsigned esize;
    return shift_esize(a->imm, &esize) && v_shape(ret_shape, a->s, a->q, esize, a->sizes);
}

static bool shift_shape_half(Shape *ret_shape, const ArgVsh *a)
{
    unsigned esize;
    return shift_esize(a->imm, &esize) && v_shape_half(ret_shape, a->s, a->q, esize, a->sizes);
}

static unsigned right(Shape s, const ArgVsh *a) { return 2 * shape_bits(s) - a->imm; }
static unsigned left(Shape s, const ArgVsh *a) { return a->imm - shape_bits(s); }

/* SSHR USHR SSRA USRA SRSHR URSHR SRSRA URSRA; op is vadd where it accumulates */
bool a64_lift_v_shr(LiftContext *ctx, const Argv_shr *a)
{
    Shape s;
    if (!shift_shape(&s, a))
        return false;
    IrRef r = v_shift_right(ctx, shape_ilane(s), a->attr, a64_get_v(ctx, a->rn), right(s, a));
    if (a->op == IR_vadd)
        r = v_op2(ctx, IR_vadd, shape_ilane(s), 0, a64_get_v(ctx, a->rd), r);
    v_put(ctx, s, a->rd, r);
    return true;
}

bool a64_lift_v_sri(LiftContext *ctx, const Argv_sri *a)
{
    Shape s;
    if (!shift_shape(&s, a))
        return false;
    unsigned n = right(s, a);
    uint64_t all = UINT64_MAX >> (64 - shape_bits(s));
    IrRef shifted = v_op1(ctx, IR_vshru, shape_ilane(s), 0, a64_get_v(ctx, a->rn), n);
    IrRef keep = v_const(ctx, s.esize, n == 64 ? all : all & ~(all >> n));
    IrRef kept = v_op2(ctx, IR_vand, 0, 0, a64_get_v(ctx, a->rd), keep);
    v_put(ctx, s, a->rd, v_op2(ctx, IR_vor, 0, 0, kept, shifted));
    return true;
}

bool a64_lift_v_sli(LiftContext *ctx, const Argv_sli *a)
{
    Shape s;
    if (!shift_shape(&s, a))
        return false;
    unsigned n = left(s, a);
    IrRef shifted = v_op1(ctx, IR_vshl, shape_ilane(s), 0, a64_get_v(ctx, a->rn), n);
    IrRef kept = v_op2(ctx, IR_vand, 0, 0, a64_get_v(ctx, a->rd),
                       v_const(ctx, s.esize, (1ull << n) - 1));
    v_put(ctx, s, a->rd, v_op2(ctx, IR_vor, 0, 0, kept, shifted));
    return true;
}

bool a64_lift_v_shl(LiftContext *ctx, const Argv_shl *a)
{
    Shape s;
    if (!shift_shape(&s, a))
        return false;
    IrRef n = a64_get_v(ctx, a->rn);
    v_put(ctx, s, a->rd, v_op1(ctx, IR_vshl, shape_ilane(s), 0, n, left(s, a)));
    return true;
}

/* SQSHL UQSHL SQSHLU. It saturated where the result, shifted back, isn't the operand. SQSHLU takes
 * signed numbers to unsigned ones: negative ones become 0 first, and that is saturation. */
bool a64_lift_v_qshl(LiftContext *ctx, const Argv_qshl *a)
{
    Shape s;
    if (!shift_shape(&s, a))
        return false;
    IrLane lane = shape_ilane(s);
    unsigned n = left(s, a), sign = a->attr == V_SS ? IR_V_SIGNED : 0;
    IrRef x = a64_get_v(ctx, a->rn), clipped = x;
    if (a->attr == V_SU)
        clipped = v_op2(ctx, IR_vandn, 0, 0, x,
                        v_op1(ctx, IR_vshrs, lane, 0, x, shape_bits(s) - 1));
    IrRef r = v_op2(ctx, IR_vshlv, lane, sign | IR_V_SAT, clipped, v_const(ctx, s.esize, n));
    IrRef back = v_op1(ctx, sign ? IR_vshrs : IR_vshru, lane, 0, r, n);
    v_sticky(ctx, s, v_op2(ctx, IR_vxor, 0, 0, back, x));
    v_put(ctx, s, a->rd, r);
    return true;
}

/* SHRN RSHRN SQSHRN UQSHRN SQRSHRN UQRSHRN SQSHRUN SQRSHRUN: attr as vnarrowsat's, and rounding */
bool a64_lift_v_shrn(LiftContext *ctx, const Argv_shrn *a)
{
    Shape s;
    if (!shift_shape_half(&s, a))
        return false;
    Shape wide = shape_wide(s);
    unsigned narrow_attr = a->attr & ~IR_V_ROUND;
    IrRef x = v_shift_right(ctx, shape_ilane(wide), a->attr & V_SR, a64_get_v(ctx, a->rn),
                            right(s, a));
    IrRef r = v_op1(ctx, a->op, shape_ilane(wide), narrow_attr, x, 0);
    if (a->op == IR_vnarrowsat) {
        IrRef back = v_op1(ctx, IR_vwiden, shape_ilane(s),
                           narrow_attr & IR_V_SRESULT ? IR_V_SIGNED : 0, r, 0);
        v_sticky(ctx, wide, v_op2(ctx, IR_vxor, 0, 0, back, x));
    }
    if (a->s)
        v_put(ctx, s, a->rd, r);
    else
        v_put_half(ctx, a->q, a->rd, r);
    return true;
}

bool a64_lift_v_shll_imm(LiftContext *ctx, const Argv_shll_imm *a)
{
    Shape s;
    if (!shift_shape_half(&s, a))
        return false;
    unsigned n = left(s, a);
    IrRef r = v_op1(ctx, IR_vwiden, shape_ilane(s), a->attr | v_high(false, a->q),
                    a64_get_v(ctx, a->rn), 0);
    a64_put_v(ctx, a->rd, n ? v_op1(ctx, IR_vshl, shape_ilane(shape_wide(s)), 0, r, n) : r);
    return true;
}

static bool convert_fixed(LiftContext *ctx, const ArgVsh *a)
{
    Shape s;
    if (!shift_shape(&s, a) || (s.esize == 1 && !a64_has(ctx, A64_FEAT_FP16)))
        return false;
    a64_put_v(ctx, a->rd, f_convert(ctx, s, a->op, a->attr, a64_get_v(ctx, a->rn), right(s, a)));
    return true;
}

bool a64_lift_f_from_fix(LiftContext *ctx, const Argf_from_fix *a) { return convert_fixed(ctx, a); }
bool a64_lift_f_to_fix(LiftContext *ctx, const Argf_to_fix *a) { return convert_fixed(ctx, a); }
