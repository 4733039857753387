/* data plane */
/*
 * Advanced SIMD three different: widening and narrowing (Arm ARM DDI 0487 K.a, C7.2). Shapes are of
 * the narrow lanes; the vector ones cover 64 bits, of which `q` tells the half.
 */
#include "translator/guest/aarch64/simd.h"

#include "translator/guest/aarch64/a64-decode.h"

static IrRef widen(LiftContext *ctx, Shape s, bool q, unsigned attr, int r)
{
    return v_op1(ctx, IR_vwiden, shape_ilane(s), attr | v_high(false, q), a64_get_v(ctx, r), 0);
}

/* SADDL SSUBL SABDL and unsigned. Absolute differences fit the narrow lanes, unsigned, and what is
 * widened of them serves both halves. */
static IrRef addl(LiftContext *ctx, Shape s, bool q, IrOp op, unsigned attr, int rn, int rm)
{
    if (op == IR_vabd) {
        IrRef d = v_op2(ctx, op, shape_ilane(s), attr, a64_get_v(ctx, rn), a64_get_v(ctx, rm));
        return v_op1(ctx, IR_vwiden, shape_ilane(s), v_high(false, q), d, 0);
    }
    IrRef n = widen(ctx, s, q, attr, rn), m = widen(ctx, s, q, attr, rm);
    return v_op2(ctx, op, shape_ilane(shape_wide(s)), 0, n, m);
}

bool a64_lift_v_addl(LiftContext *ctx, const Argv_addl *a)
{
    Shape s;
    if (!v_shape_half(&s, a->s, a->q, a->size, a->sizes))
        return false;
    a64_put_v(ctx, a->rd, addl(ctx, s, a->q, a->op, a->attr, a->rn, a->rm));
    return true;
}

bool a64_lift_v_addl_acc(LiftContext *ctx, const Argv_addl_acc *a)
{
    Shape s;
    if (!v_shape_half(&s, a->s, a->q, a->size, a->sizes))
        return false;
    IrRef r = addl(ctx, s, a->q, a->op, a->attr, a->rn, a->rm), d = a64_get_v(ctx, a->rd);
    a64_put_v(ctx, a->rd, v_op2(ctx, a->acc, shape_ilane(shape_wide(s)), 0, d, r));
    return true;
}

bool a64_lift_v_addw(LiftContext *ctx, const Argv_addw *a)
{
    Shape s;
    if (!v_shape_half(&s, a->s, a->q, a->size, a->sizes))
        return false;
    IrRef n = a64_get_v(ctx, a->rn), m = widen(ctx, s, a->q, a->attr, a->rm);
    a64_put_v(ctx, a->rd, v_op2(ctx, a->op, shape_ilane(shape_wide(s)), 0, n, m));
    return true;
}

/* ADDHN SUBHN and rounding: the high halves of the sums */
bool a64_lift_v_addhn(LiftContext *ctx, const Argv_addhn *a)
{
    Shape s;
    if (!v_shape_half(&s, a->s, a->q, a->size, a->sizes))
        return false;
    Shape wide = shape_wide(s);
    IrRef r = v_op2(ctx, a->op, shape_ilane(wide), 0, a64_get_v(ctx, a->rn), a64_get_v(ctx, a->rm));
    if (a->attr & IR_V_ROUND)
        r = v_op2(ctx, IR_vadd, shape_ilane(wide), 0, r,
                  v_const(ctx, wide.esize, 1ull << (shape_bits(s) - 1)));
    r = v_op1(ctx, IR_vshru, shape_ilane(wide), 0, r, shape_bits(s));
    v_put_half(ctx, a->q, a->rd, v_op1(ctx, IR_vnarrow, shape_ilane(wide), 0, r, 0));
    return true;
}

bool a64_lift_v_mull(LiftContext *ctx, const Argv_mull *a)
{
    Shape s;
    if (!v_shape_half(&s, a->s, a->q, a->size, a->sizes))
        return false;
    IrRef n = a64_get_v(ctx, a->rn), m = a64_get_v(ctx, a->rm);
    a64_put_v(ctx, a->rd, v_op2(ctx, a->op, shape_ilane(s), a->attr | v_high(false, a->q), n, m));
    return true;
}

bool a64_lift_v_mlal(LiftContext *ctx, const Argv_mlal *a)
{
    Shape s;
    if (!v_shape_half(&s, a->s, a->q, a->size, a->sizes))
        return false;
    IrRef n = a64_get_v(ctx, a->rn), m = a64_get_v(ctx, a->rm), d = a64_get_v(ctx, a->rd);
    IrRef r = v_op2(ctx, a->op, shape_ilane(s), a->attr | v_high(false, a->q), n, m);
    a64_put_v(ctx, a->rd, v_op2(ctx, a->acc, shape_ilane(shape_wide(s)), 0, d, r));
    return true;
}

bool a64_lift_PMULL(LiftContext *ctx, const ArgPMULL *a)
{
    IrRef n = a64_get_v(ctx, a->rn), m = a64_get_v(ctx, a->rm);
    IrLane lane = a->size ? IR_LANE_I64 : IR_LANE_I8;
    a64_put_v(ctx, a->rd, v_op2(ctx, IR_vpmull, lane, v_high(false, a->q), n, m));
    return true;
}

/* Doubling overflows for -1 * -1 only, where the product plus itself wraps. */
IrRef v_qdmull(LiftContext *ctx, Shape s, unsigned high, IrRef n, IrRef m)
{
    Shape wide = shape_wide(s);
    IrRef product = v_op2(ctx, IR_vmull, shape_ilane(s), IR_V_SIGNED | high, n, m);
    IrRef r = v_op2(ctx, IR_vaddsat, shape_ilane(wide), IR_V_SIGNED, product, product);
    IrRef wrapped = v_op2(ctx, IR_vadd, shape_ilane(wide), 0, product, product);
    v_sticky(ctx, wide, v_op2(ctx, IR_vxor, 0, 0, r, wrapped));
    return r;
}

IrRef v_qdmla(LiftContext *ctx, Shape wide, IrOp op, IrOp plain, IrRef acc, IrRef product)
{
    IrRef r = v_op2(ctx, op, shape_ilane(wide), IR_V_SIGNED, acc, product);
    IrRef wrapped = v_op2(ctx, plain, shape_ilane(wide), 0, acc, product);
    v_sticky(ctx, wide, v_op2(ctx, IR_vxor, 0, 0, r, wrapped));
    return r;
}

bool a64_lift_v_qdmull(LiftContext *ctx, const Argv_qdmull *a)
{
    Shape s;
    if (!v_shape_half(&s, a->s, a->q, a->size, a->sizes))
        return false;
    IrRef n = a64_get_v(ctx, a->rn), m = a64_get_v(ctx, a->rm);
    v_put(ctx, shape_wide(s), a->rd, v_qdmull(ctx, s, v_high(a->s, a->q), n, m));
    return true;
}

bool a64_lift_v_qdmlal(LiftContext *ctx, const Argv_qdmlal *a)
{
    Shape s;
    if (!v_shape_half(&s, a->s, a->q, a->size, a->sizes))
        return false;
    IrRef n = a64_get_v(ctx, a->rn), m = a64_get_v(ctx, a->rm), d = a64_get_v(ctx, a->rd);
    IrRef product = v_qdmull(ctx, s, v_high(a->s, a->q), n, m);
    Shape wide = shape_wide(s);
    v_put(ctx, wide, a->rd, v_qdmla(ctx, wide, a->op, a->acc, d, product));
    return true;
}
