/* data plane */
/*
 * What the lifters of floating point and Advanced SIMD share; see simd.h. And the way from an
 * instruction word to its decoder.
 */
#include "translator/guest/aarch64/simd.h"

#include "translator/guest/aarch64/a64-decode.h"

/* Arm ARM DDI 0487 K.a, C4.1: op0 x111. The scalar floating-point group has bit 28 set and bit 30
 * clear; the modified immediate group is the corner immh = 0 of the shifts by immediate. */
bool a64_lift_simd_fp(LiftContext *ctx, uint32_t word)
{
    if ((word >> 28 & 5) == 1)
        return a64_fp_decode(ctx, word);
    if ((word >> 19 & 0x3ff) == 0x1e0 && (word >> 10 & 1))
        return a64_simd_imm_decode(ctx, word);
    return a64_simd_decode(ctx, word);
}

bool a64_lift_ldst_simd(LiftContext *ctx, uint32_t word)
{
    return a64_ldst_simd_decode(ctx, word);
}

bool v_shape(Shape *ret_shape, bool s, bool q, unsigned size, unsigned sizes)
{
    if (!(sizes >> (size + 4 * s) & 1) || (size == 3 && !q && !s))
        return false;
    *ret_shape = (Shape){ size, s ? size : 3u + q };
    return true;
}

bool v_shape_half(Shape *ret_shape, bool s, bool q, unsigned size, unsigned sizes)
{
    return v_shape(ret_shape, s, false, size, sizes);
}

bool f_shape(Shape *ret_shape, bool s, bool q, unsigned esize)
{
    if (esize == 3 && !q && !s)
        return false;
    *ret_shape = (Shape){ esize, s ? esize : 3u + q };
    return true;
}

IrRef v_const(LiftContext *ctx, unsigned esize, uint64_t lane)
{
    static const uint64_t ones[] = {0x0101010101010101, 0x0001000100010001, 0x0000000100000001, 1};
    static const uint64_t mask[] = { 0xff, 0xffff, 0xffffffff, UINT64_MAX };
    uint64_t v = (lane & mask[esize]) * ones[esize];
    return ir_vconst(&ctx->b, v, v);
}

IrRef v_clip(LiftContext *ctx, Shape s, IrRef v)
{
    if (s.bytes == 4)
        return v;
    if (s.bytes == 3)
        return v_op1(ctx, IR_vlow, 0, 0, v, 0);
    return v_op2(ctx, IR_vand, 0, 0, v, ir_vconst(&ctx->b, (1ull << (8 << s.bytes)) - 1, 0));
}

void v_put_half(LiftContext *ctx, bool q, unsigned rd, IrRef low64)
{
    if (q)
        low64 = v_op2(ctx, IR_vzip1, IR_LANE_I64, 0, a64_get_v(ctx, rd), low64);
    a64_put_v(ctx, rd, low64);
}

void v_sticky(LiftContext *ctx, Shape s, IrRef differs)
{
    IrRef qc = ir_get(&ctx->b, A64_VAR_QC);
    ir_put(&ctx->b, A64_VAR_QC, v_op2(ctx, IR_vor, 0, 0, qc, v_clip(ctx, s, differs)));
}

void v_pairs(LiftContext *ctx, Shape s, IrRef n, IrRef m, IrRef *ret_even, IrRef *ret_odd)
{
    IrLane lane = shape_ilane(s);
    if (s.bytes == 3)
        n = m = v_op2(ctx, IR_vzip1, IR_LANE_I64, 0, n, m);
    *ret_even = v_op2(ctx, IR_vuzp1, lane, 0, n, m);
    *ret_odd = v_op2(ctx, IR_vuzp2, lane, 0, n, m);
}

IrRef v_shift_right(LiftContext *ctx, IrLane lane, unsigned attr, IrRef x, unsigned n)
{
    IrOp op = attr & IR_V_SIGNED ? IR_vshrs : IR_vshru;
    IrRef r = v_op1(ctx, op, lane, 0, x, n);
    if (!(attr & IR_V_ROUND))
        return r;
    /* (x + (1 << (n - 1))) >> n without a wider sum: add the last bit that is shifted out. */
    unsigned esize = lane - IR_LANE_I8;
    IrRef last = n > 1 ? v_op1(ctx, IR_vshru, lane, 0, x, n - 1) : x;
    last = v_op2(ctx, IR_vand, 0, 0, last, v_const(ctx, esize, 1));
    return v_op2(ctx, IR_vadd, lane, 0, r, last);
}

/* -- floating point ---------------------------------------------------------------------------- */

unsigned f_attr(const LiftContext *ctx, unsigned esize)
{
    uint32_t fpcr = a64_fpcr_mode(ctx);
    unsigned attr = fpcr & A64_FPCR_DN ? IR_FP_NAN_DEFAULT : IR_FP_NAN_ARM;
    return attr | (fpcr & (esize == 1 ? A64_FPCR_FZ16 : A64_FPCR_FZ) ? IR_FP_FLUSH : 0);
}

static IrOp vector_op(IrOp scalar)
{
    switch (scalar) {
    case IR_fadd: return IR_vfadd;
    case IR_fsub: return IR_vfsub;
    case IR_fmul: return IR_vfmul;
    case IR_fdiv: return IR_vfdiv;
    case IR_fsqrt: return IR_vfsqrt;
    case IR_fma: return IR_vfma;
    case IR_fabs: return IR_vfabs;
    case IR_fneg: return IR_vfneg;
    case IR_fmin: return IR_vfmin;
    case IR_fmax: return IR_vfmax;
    case IR_fminnm: return IR_vfminnm;
    case IR_fmaxnm: return IR_vfmaxnm;
    default: return IR_vfround;
    }
}

static IrRef scalar_of(LiftContext *ctx, Shape s, IrRef v)
{
    if (v == IR_NONE)
        return IR_NONE;
    return ir_emit(&ctx->b, IR_vtos, s.esize == 3 ? IR_F64 : IR_F32, shape_flane(s), 0, v, 0, 0, 0,
                   0);
}

static IrRef vector_of(LiftContext *ctx, IrRef scalar)
{
    IrType t = ir_type(&ctx->b, scalar);
    IrLane lane = t == IR_I32 ? IR_LANE_I32 : t == IR_I64 ? IR_LANE_I64
                : t == IR_F32 ? IR_LANE_F32 : IR_LANE_F64;
    return ir_emit(&ctx->b, IR_vfroms, IR_V128, lane, t, scalar, 0, 0, 0, 0);
}

static IrRef half_desc(LiftContext *ctx, Shape s, IrOp op, unsigned cc, unsigned attr)
{
    /* bytes of a half shape: 1, 3 or 4, in two bits */
    unsigned length = s.bytes == 1 ? 0 : s.bytes - 2;
    return a64_i32(ctx, op | cc << A64_DESC_CC_SHIFT | length << A64_DESC_BYTES_SHIFT
                            | attr << A64_DESC_ATTR_SHIFT);
}

IrRef f_op(LiftContext *ctx, Shape s, IrOp op, unsigned attr, IrRef x, IrRef y, IrRef z)
{
    IrBuilder *b = &ctx->b;
    attr |= f_attr(ctx, s.esize);
    if (s.esize == 1) {
        IrRef none = y == IR_NONE || z == IR_NONE ? v_zero(ctx) : IR_NONE;
        return a64_call(ctx, A64_HELPER_half_vector, IR_V128, half_desc(ctx, s, op, 0, attr), x,
                        y == IR_NONE ? none : y, z == IR_NONE ? none : z);
    }
    if (!shape_scalar(s))
        return ir_emit(b, vector_op(op), IR_V128, shape_flane(s),
                       attr | (s.bytes == 3 ? IR_FP_LOW64 : 0), x, y, z, 0, 0);
    return vector_of(ctx, ir_emit(b, op, s.esize == 3 ? IR_F64 : IR_F32, 0, attr,
                                  scalar_of(ctx, s, x), scalar_of(ctx, s, y), scalar_of(ctx, s, z),
                                  0, 0));
}

IrRef f_compare(LiftContext *ctx, Shape s, IrOp op, IrRef x, IrRef y)
{
    unsigned attr = f_attr(ctx, s.esize);
    if (s.esize == 1) {
        return a64_call(ctx, A64_HELPER_half_vector, IR_V128, half_desc(ctx, s, op, 0, attr), x, y,
                        v_zero(ctx));
    }
    if (s.bytes == 2) { /* the other lane of the 64 bits compares zeros: no flags */
        x = v_clip(ctx, s, x);
        y = v_clip(ctx, s, y);
    }
    IrRef r = v_op2(ctx, op, shape_flane(s), attr | (s.bytes <= 3 ? IR_FP_LOW64 : 0), x, y);
    return s.bytes == 2 ? v_clip(ctx, s, r) : r;
}

IrRef f_convert(LiftContext *ctx, Shape s, IrOp op, unsigned attr, IrRef x, unsigned fbits)
{
    IrBuilder *b = &ctx->b;
    attr |= f_attr(ctx, s.esize);
    if (s.esize == 1)
        return a64_call(ctx, A64_HELPER_half_convert, IR_V128, half_desc(ctx, s, op, 0, attr), x,
                        a64_i32(ctx, fbits), IR_NONE);
    if (!shape_scalar(s))
        return ir_emit(b, op == IR_f2i ? IR_vf2i : IR_vi2f, IR_V128, shape_flane(s),
                       attr | (s.bytes == 3 ? IR_FP_LOW64 : 0), x, 0, 0, 0, fbits);
    bool wide = s.esize == 3;
    IrType ftype = wide ? IR_F64 : IR_F32, itype = wide ? IR_I64 : IR_I32;
    IrRef r;
    if (op == IR_f2i) {
        r = ir_emit(b, IR_f2i, itype, 0, attr, scalar_of(ctx, s, x), 0, 0, 0, fbits);
    } else {
        IrRef bits = ir_emit(b, IR_vget, itype, shape_ilane(s), 0, x, 0, 0, 0, 0);
        r = ir_emit(b, IR_i2f, ftype, 0, attr, bits, 0, 0, 0, fbits);
    }
    return vector_of(ctx, r);
}

IrRef f_helper(LiftContext *ctx, unsigned helper, Shape s, unsigned kind, IrRef x, IrRef y)
{
    uint32_t desc = kind | s.esize << A64_DESC_ESIZE_SHIFT | s.bytes << A64_DESC_LEN_SHIFT
                  | f_attr(ctx, s.esize) << A64_DESC_ATTR_SHIFT;
    return a64_call(ctx, helper, IR_V128, a64_i32(ctx, desc), x, y, IR_NONE);
}

IrRef f_half(LiftContext *ctx, IrOp op, IrType type, unsigned cc, unsigned attr, IrRef x, IrRef y,
             IrRef z)
{
    IrRef zero = a64_i64(ctx, 0);
    IrRef arg[3] = { x, y, z };
    for (int i = 0; i < 3; i++) {
        if (arg[i] == IR_NONE)
            arg[i] = zero;
        else if (ir_type(&ctx->b, arg[i]) == IR_I32)
            arg[i] = a64_zext(ctx, arg[i]);
    }
    uint32_t desc = op | cc << A64_DESC_CC_SHIFT | (type == IR_I64) << A64_DESC_BYTES_SHIFT
                  | (attr | f_attr(ctx, 1)) << A64_DESC_ATTR_SHIFT;
    IrRef r = a64_call(ctx, A64_HELPER_half_scalar, IR_I64, a64_i32(ctx, desc), arg[0], arg[1],
                       arg[2]);
    return type == IR_I64 ? r : a64_trunc(ctx, r);
}
