/* data plane */
/*
 * F, D, Zfh and Zfa. Registers are f64 variables; a narrower value is NaN-boxed in it. Operations
 * on halves are done in f32 (fused ones in f64) and rounded to half: with at least 2p + 2 digits in
 * between, rounding twice is rounding once in every mode, and no flag differs.
 *
 * Every NaN that an operation gives is the positive default NaN. fmt is 0 single, 1 double, 2 half.
 */
#include "translator/guest/riscv64/lift.h"
#include "translator/guest/riscv64/rv-decode.h"

enum { FMT_S, FMT_D, FMT_H };

static const uint64_t half_box = 0xffffffffffff0000;
static const uint32_t half_nan = 0x7e00;

/* Attributes that every operation has. */
enum { FP_ATTR = IR_FP_NAN_DEFAULT | IR_FP_TINY_AFTER };

/* The attribute for the instruction's rounding mode; false for a reserved one, be it in the
 * instruction or in frm (F, "rounding modes"). */
static bool rounding(const LiftContext *ctx, int rm, unsigned *ret_attr)
{
    static const uint8_t rounds[] = {
        IR_ROUND_NEAREST, IR_ROUND_ZERO, IR_ROUND_DOWN, IR_ROUND_UP, IR_ROUND_AWAY,
    };
    if (rm == 7) {
        if (ctx->mode == RV_MODE_FRM_INVALID)
            return false;
        *ret_attr = FP_ATTR | (ctx->mode == RV_MODE_FRM_RMM ? IR_ROUND_AWAY : IR_ROUND_DYN);
        return true;
    }
    if (rm > 4)
        return false;
    bool as_host = rm == 0 && ctx->mode != RV_MODE_FRM_DIRECTED;
    *ret_attr = FP_ATTR | (as_host ? IR_ROUND_DYN : rounds[rm]);
    return true;
}

static IrRef get_raw(LiftContext *ctx, int r)
{
    return ir_get(&ctx->b, RV_VAR_F + (unsigned)r);
}

static bool put_raw(LiftContext *ctx, int r, IrRef value)
{
    ir_put(&ctx->b, RV_VAR_F + (unsigned)r, value);
    return true;
}

static IrRef raw_bits(LiftContext *ctx, int r)
{
    return ir_op1(&ctx->b, IR_f2bits, IR_I64, get_raw(ctx, r));
}

/* The 16 bits of a half (i32), the default NaN if it isn't boxed. */
static IrRef get_half_bits(LiftContext *ctx, int r)
{
    IrBuilder *b = &ctx->b;
    IrRef bits = raw_bits(ctx, r);
    IrRef boxed = ir_cmp(b, IR_CMP_UGE, bits, ir_const(b, IR_I64, half_box));
    IrRef low = ir_op2i(b, IR_and, ir_op1(b, IR_trunc, IR_I32, bits), 0xffff);
    return ir_select(b, boxed, low, ir_const(b, IR_I32, half_nan));
}

static bool put_half_bits(LiftContext *ctx, int r, IrRef half)
{
    IrBuilder *b = &ctx->b;
    IrRef boxed = ir_op2i(b, IR_or, ir_op1(b, IR_zext, IR_I64, half), half_box);
    return put_raw(ctx, r, ir_op1(b, IR_bits2f, IR_F64, boxed));
}

/* A register's value: f32 of a single, f64 of a double, f32 of a half. */
static IrRef get_fp(LiftContext *ctx, int r, int fmt)
{
    IrBuilder *b = &ctx->b;
    if (fmt == FMT_D)
        return get_raw(ctx, r);
    if (fmt == FMT_S)
        return ir_op1(b, IR_funbox, IR_F32, get_raw(ctx, r));
    return ir_emit(b, IR_h2f, IR_F32, 0, FP_ATTR, get_half_bits(ctx, r), 0, 0, 0, 0);
}

/* Writes a result, rounding what was computed for a half. */
static bool put_fp(LiftContext *ctx, int r, int fmt, IrRef value, unsigned attr)
{
    IrBuilder *b = &ctx->b;
    if (fmt == FMT_D)
        return put_raw(ctx, r, value);
    if (fmt == FMT_S)
        return put_raw(ctx, r, ir_op1(b, IR_fbox, IR_F64, value));
    return put_half_bits(ctx, r, ir_emit(b, IR_f2h, IR_I32, 0, attr, value, 0, 0, 0, 0));
}

static IrType fp_type(int fmt)
{
    return fmt == FMT_D ? IR_F64 : IR_F32;
}

/* -- loads, stores, moves ------------------------------------------------------------------- */

bool rv_lift_FLOAD(LiftContext *ctx, const ArgFLOAD *a)
{
    IrBuilder *b = &ctx->b;
    IrRef base = rv_get(ctx, a->rs1);
    if (a->fmt == FMT_D)
        return put_raw(ctx, a->rd, ir_load(b, IR_F64, 3, base, a->imm));
    if (a->fmt == FMT_S)
        return put_fp(ctx, a->rd, FMT_S, ir_load(b, IR_F32, 2, base, a->imm), 0);
    return put_half_bits(ctx, a->rd, ir_load(b, IR_I32, 1, base, a->imm));
}

/* Stores take the register's low bits as they are, boxed or not. */
bool rv_lift_FSTORE(LiftContext *ctx, const ArgFSTORE *a)
{
    IrBuilder *b = &ctx->b;
    IrRef base = rv_get(ctx, a->rs1);
    if (a->fmt == FMT_D)
        ir_store(b, 3, base, a->imm, get_raw(ctx, a->rs2));
    else
        ir_store(b, a->fmt == FMT_S ? 2 : 1, base, a->imm,
                 ir_op1(b, IR_trunc, IR_I32, raw_bits(ctx, a->rs2)));
    return true;
}

bool rv_lift_FMV_X(LiftContext *ctx, const ArgFMV_X *a)
{
    IrBuilder *b = &ctx->b;
    IrRef bits = raw_bits(ctx, a->rs1);
    if (a->fmt != FMT_D)
        bits = ir_emit(b, IR_sbfx, IR_I64, 0, (a->fmt == FMT_S ? 32u : 16u) << 8, bits, 0, 0, 0, 0);
    return rv_put(ctx, a->rd, bits);
}

bool rv_lift_FMV_F(LiftContext *ctx, const ArgFMV_F *a)
{
    IrBuilder *b = &ctx->b;
    if (a->fmt == FMT_D)
        return put_raw(ctx, a->rd, ir_op1(b, IR_bits2f, IR_F64, rv_get(ctx, a->rs1)));
    IrRef word = rv_get_w(ctx, a->rs1);
    if (a->fmt == FMT_S)
        return put_fp(ctx, a->rd, FMT_S, ir_op1(b, IR_bits2f, IR_F32, word), 0);
    return put_half_bits(ctx, a->rd, ir_op2i(b, IR_and, word, 0xffff));
}

/* The bits of an operand, the default NaN if it isn't boxed; i64 for a double, else i32. */
static IrRef get_bits(LiftContext *ctx, int r, int fmt)
{
    if (fmt == FMT_H)
        return get_half_bits(ctx, r);
    return ir_op1(&ctx->b, IR_f2bits, fmt == FMT_D ? IR_I64 : IR_I32, get_fp(ctx, r, fmt));
}

static bool put_bits(LiftContext *ctx, int r, int fmt, IrRef bits)
{
    if (fmt == FMT_H)
        return put_half_bits(ctx, r, bits);
    return put_fp(ctx, r, fmt, ir_op1(&ctx->b, IR_bits2f, fp_type(fmt), bits), 0);
}

static uint64_t sign_bit(int fmt)
{
    return fmt == FMT_D ? 1ull << 63 : fmt == FMT_S ? 1ull << 31 : 1ull << 15;
}

static IrRef as_vector(LiftContext *ctx, IrRef x)
{
    return ir_emit(&ctx->b, IR_vfroms, IR_V128, 0, ir_type(&ctx->b, x), x, 0, 0, 0, 0);
}

static IrRef logic(LiftContext *ctx, IrOp op, IrRef x, IrRef y)
{
    return ir_emit(&ctx->b, op, IR_V128, 0, 0, x, y, 0, 0, 0);
}

/* FSGNJN (`negate`) and FSGNJX (`mix`) change the sign that comes from rs2. In vector registers,
 * whence the values mostly come and where they are wanted. */
static bool inject_sign(LiftContext *ctx, const ArgFcmp *a, bool negate, bool mix)
{
    IrBuilder *b = &ctx->b;
    uint64_t mask = sign_bit(a->fmt);
    if (a->fmt == FMT_H) {
        IrRef x = get_bits(ctx, a->rs1, a->fmt), y = get_bits(ctx, a->rs2, a->fmt);
        y = negate ? ir_op1(b, IR_not, ir_type(b, y), y) : mix ? ir_op2(b, IR_xor, x, y) : y;
        x = ir_op2i(b, IR_and, x, mask - 1);
        return put_bits(ctx, a->rd, a->fmt, ir_op2(b, IR_or, x, ir_op2i(b, IR_and, y, mask)));
    }
    IrType t = fp_type(a->fmt);
    IrRef x = get_fp(ctx, a->rs1, a->fmt), y = get_fp(ctx, a->rs2, a->fmt);
    if (negate)
        y = ir_op1(b, IR_fneg, t, y);
    IrRef signs = ir_vconst(b, mask, 0), r = as_vector(ctx, x);
    y = logic(ctx, IR_vand, as_vector(ctx, y), signs);
    r = mix ? logic(ctx, IR_vxor, r, y)
            : logic(ctx, IR_vor, logic(ctx, IR_vandn, r, signs), y);
    return put_fp(ctx, a->rd, a->fmt, ir_emit(b, IR_vtos, t, 0, 0, r, 0, 0, 0, 0), 0);
}

bool rv_lift_FSGNJ(LiftContext *ctx, const ArgFSGNJ *a)
{
    if (a->rs1 == a->rs2) { /* fmv */
        if (a->fmt == FMT_H)
            return put_half_bits(ctx, a->rd, get_half_bits(ctx, a->rs1));
        return put_fp(ctx, a->rd, a->fmt, get_fp(ctx, a->rs1, a->fmt), 0);
    }
    return inject_sign(ctx, a, false, false);
}

bool rv_lift_FSGNJN(LiftContext *ctx, const ArgFSGNJN *a)
{
    IrBuilder *b = &ctx->b;
    if (a->rs1 == a->rs2 && a->fmt != FMT_H)
        return put_fp(ctx, a->rd, a->fmt,
                      ir_op1(b, IR_fneg, fp_type(a->fmt), get_fp(ctx, a->rs1, a->fmt)), 0);
    return inject_sign(ctx, a, true, false);
}

bool rv_lift_FSGNJX(LiftContext *ctx, const ArgFSGNJX *a)
{
    IrBuilder *b = &ctx->b;
    if (a->rs1 == a->rs2 && a->fmt != FMT_H)
        return put_fp(ctx, a->rd, a->fmt,
                      ir_op1(b, IR_fabs, fp_type(a->fmt), get_fp(ctx, a->rs1, a->fmt)), 0);
    return inject_sign(ctx, a, false, true);
}

/* -- arithmetic -------------------------------------------------------------------------------- */

static bool arithmetic(LiftContext *ctx, IrOp op, const ArgFr *a)
{
    unsigned attr;
    if (!rounding(ctx, a->rm, &attr))
        return false;
    IrRef x = get_fp(ctx, a->rs1, a->fmt), y = get_fp(ctx, a->rs2, a->fmt);
    IrRef result = ir_emit(&ctx->b, op, fp_type(a->fmt), 0, attr, x, y, 0, 0, 0);
    return put_fp(ctx, a->rd, a->fmt, result, attr);
}

bool rv_lift_FADD(LiftContext *ctx, const ArgFADD *a) { return arithmetic(ctx, IR_fadd, a); }
bool rv_lift_FSUB(LiftContext *ctx, const ArgFSUB *a) { return arithmetic(ctx, IR_fsub, a); }
bool rv_lift_FMUL(LiftContext *ctx, const ArgFMUL *a) { return arithmetic(ctx, IR_fmul, a); }
bool rv_lift_FDIV(LiftContext *ctx, const ArgFDIV *a) { return arithmetic(ctx, IR_fdiv, a); }

bool rv_lift_FSQRT(LiftContext *ctx, const ArgFSQRT *a)
{
    unsigned attr;
    if (!rounding(ctx, a->rm, &attr))
        return false;
    IrRef x = get_fp(ctx, a->rs1, a->fmt);
    IrRef result = ir_emit(&ctx->b, IR_fsqrt, fp_type(a->fmt), 0, attr, x, 0, 0, 0, 0);
    return put_fp(ctx, a->rd, a->fmt, result, attr);
}

static IrRef widen_half(LiftContext *ctx, int r)
{
    return ir_emit(&ctx->b, IR_h2f, IR_F64, 0, FP_ATTR, get_half_bits(ctx, r), 0, 0, 0, 0);
}

static bool fused(LiftContext *ctx, unsigned signs, const ArgFr4 *a)
{
    unsigned attr;
    if (!rounding(ctx, a->rm, &attr))
        return false;
    IrRef x, y, z;
    IrType type = a->fmt == FMT_S ? IR_F32 : IR_F64;
    if (a->fmt == FMT_H) {
        x = widen_half(ctx, a->rs1);
        y = widen_half(ctx, a->rs2);
        z = widen_half(ctx, a->rs3);
    } else {
        x = get_fp(ctx, a->rs1, a->fmt);
        y = get_fp(ctx, a->rs2, a->fmt);
        z = get_fp(ctx, a->rs3, a->fmt);
    }
    IrRef result = ir_emit(&ctx->b, IR_fma, type, 0, attr | signs, x, y, z, 0, 0);
    return put_fp(ctx, a->rd, a->fmt, result, attr);
}

bool rv_lift_FMADD(LiftContext *ctx, const ArgFMADD *a) { return fused(ctx, 0, a); }

bool rv_lift_FMSUB(LiftContext *ctx, const ArgFMSUB *a)
{
    return fused(ctx, IR_FP_NEG_ADDEND, a);
}

bool rv_lift_FNMSUB(LiftContext *ctx, const ArgFNMSUB *a)
{
    return fused(ctx, IR_FP_NEG_PRODUCT, a);
}

bool rv_lift_FNMADD(LiftContext *ctx, const ArgFNMADD *a)
{
    return fused(ctx, IR_FP_NEG_PRODUCT | IR_FP_NEG_ADDEND, a);
}

static bool min_max(LiftContext *ctx, IrOp op, const ArgFcmp *a)
{
    unsigned attr = FP_ATTR | IR_FP_MINMAX_RISCV;
    IrRef x = get_fp(ctx, a->rs1, a->fmt), y = get_fp(ctx, a->rs2, a->fmt);
    IrRef result = ir_emit(&ctx->b, op, fp_type(a->fmt), 0, attr, x, y, 0, 0, 0);
    return put_fp(ctx, a->rd, a->fmt, result, FP_ATTR | IR_ROUND_NEAREST);
}

bool rv_lift_FMIN(LiftContext *ctx, const ArgFMIN *a) { return min_max(ctx, IR_fminnm, a); }
bool rv_lift_FMAX(LiftContext *ctx, const ArgFMAX *a) { return min_max(ctx, IR_fmaxnm, a); }
/* Zfa's: a NaN operand gives a NaN. */
bool rv_lift_FMINM(LiftContext *ctx, const ArgFMINM *a) { return min_max(ctx, IR_fmin, a); }
bool rv_lift_FMAXM(LiftContext *ctx, const ArgFMAXM *a) { return min_max(ctx, IR_fmax, a); }

static bool compare(LiftContext *ctx, IrCc cc, unsigned attr, const ArgFcmp *a)
{
    IrRef x = get_fp(ctx, a->rs1, a->fmt), y = get_fp(ctx, a->rs2, a->fmt);
    return rv_put_bool(ctx, a->rd, ir_emit(&ctx->b, IR_fcmp, IR_I1, cc, attr, x, y, 0, 0, 0));
}

bool rv_lift_FEQ(LiftContext *ctx, const ArgFEQ *a)
{
    return compare(ctx, IR_FCMP_EQ, 0, a);
}

bool rv_lift_FLT(LiftContext *ctx, const ArgFLT *a)
{
    return compare(ctx, IR_FCMP_LT, IR_FP_SIGNALING, a);
}

bool rv_lift_FLE(LiftContext *ctx, const ArgFLE *a)
{
    return compare(ctx, IR_FCMP_LE, IR_FP_SIGNALING, a);
}

bool rv_lift_FLTQ(LiftContext *ctx, const ArgFLTQ *a)
{
    return compare(ctx, IR_FCMP_LT, 0, a);
}

bool rv_lift_FLEQ(LiftContext *ctx, const ArgFLEQ *a)
{
    return compare(ctx, IR_FCMP_LE, 0, a);
}

static IrRef at_least(LiftContext *ctx, IrRef x, uint64_t bound)
{
    IrBuilder *b = &ctx->b;
    IrRef is = ir_cmp(b, IR_CMP_UGE, x, ir_const(b, ir_type(b, x), bound));
    return ir_op1(b, IR_b2i, IR_I64, is);
}

/* F, "FCLASS": bit 0 -inf, 1 negative normal, 2 negative subnormal, 3 -0, 4 to 7 the positive ones
 * in reverse order, 8 signalling NaN, 9 quiet NaN. Of the bits without the sign, twice. */
bool rv_lift_FCLASS(LiftContext *ctx, const ArgFCLASS *a)
{
    IrBuilder *b = &ctx->b;
    IrRef bits = get_bits(ctx, a->rs1, a->fmt);
    unsigned width = a->fmt == FMT_D ? 64 : a->fmt == FMT_S ? 32 : 16;
    unsigned fraction = a->fmt == FMT_D ? 52 : a->fmt == FMT_S ? 23 : 10;
    if (a->fmt == FMT_H)
        bits = ir_op2i(b, IR_shl, bits, 16);
    unsigned low = a->fmt == FMT_H ? 16 : 0; /* halves at the upper end of an i32 */
    uint64_t normal = 1ull << (fraction + 1 + low);
    uint64_t infinity = ((1ull << (width - fraction - 1)) - 1) * normal;
    IrRef size = ir_op2i(b, IR_shl, bits, 1), sign = ir_op2i(b, IR_sar, bits, width + low - 1);
    if (a->fmt != FMT_D)
        sign = ir_op1(b, IR_sext, IR_I64, sign);
    IrRef n = ir_op2(b, IR_add, at_least(ctx, size, 1), at_least(ctx, size, normal));
    n = ir_op2(b, IR_add, n, at_least(ctx, size, infinity));
    n = ir_op2i(b, IR_add, ir_op2(b, IR_xor, n, sign), 4);
    IrRef nan = ir_cmp(b, IR_CMP_UGT, size, ir_const(b, ir_type(b, size), infinity));
    IrRef which = ir_op2i(b, IR_add, at_least(ctx, size, infinity + normal / 2), 8);
    n = ir_emit(b, IR_select, IR_I64, 0, 0, nan, which, n, 0, 0);
    return rv_put(ctx, a->rd, ir_op2(b, IR_shl, rv_const(ctx, 1), n));
}

/* Zfa's table of constants, but for the smallest normal number, infinity and NaN. */
static double immediate_value(int index)
{
    static const double values[32] = {
        -1, 0, 0x1p-16, 0x1p-15, 0x1p-8, 0x1p-7, 0.0625, 0.125, 0.25, 0.3125, 0.375, 0.4375, 0.5,
        0.625, 0.75, 0.875, 1, 1.25, 1.5, 1.75, 2, 2.5, 3, 4, 8, 16, 128, 256, 0x1p15, 0x1p16,
    };
    return values[index];
}

static uint64_t double_bits(double d)
{
    union { double d; uint64_t bits; } u = { .d = d };
    return u.bits;
}

/* The bits of a number of the table in a narrower format, where its fraction and, but for halves'
 * 2^-16 and 2^-15 (subnormal) and 2^16 (infinity), its exponent fit. */
static uint64_t narrow_bits(uint64_t bits, unsigned n_exponent, unsigned n_fraction)
{
    int64_t bias = (1 << (n_exponent - 1)) - 1;
    int64_t exponent = (int64_t)(bits >> 52 & 0x7ff) - 1023 + bias;
    uint64_t fraction = (bits & ((1ull << 52) - 1)) >> (52 - n_fraction);
    uint64_t sign = bits >> 63 << (n_exponent + n_fraction);
    if (exponent <= 0)
        return sign | 1ull << ((int64_t)n_fraction - 1 + exponent);
    if (exponent > 2 * bias)
        return sign | (uint64_t)(2 * bias + 1) << n_fraction;
    return sign | (uint64_t)exponent << n_fraction | fraction;
}

bool rv_lift_FLI(LiftContext *ctx, const ArgFLI *a)
{
    static const struct { uint8_t exponent, fraction; } formats[] = {
        { 8, 23 }, { 11, 52 }, { 5, 10 },
    };
    unsigned n_exponent = formats[a->fmt].exponent, n_fraction = formats[a->fmt].fraction;
    uint64_t bits, infinity = ((1ull << n_exponent) - 1) << n_fraction;
    switch (a->rs1) {
    case 1:
        bits = 1ull << n_fraction;
        break;
    case 30:
        bits = infinity;
        break;
    case 31:
        bits = infinity | 1ull << (n_fraction - 1);
        break;
    default:
        bits = narrow_bits(double_bits(immediate_value(a->rs1)), n_exponent, n_fraction);
        break;
    }
    return put_bits(ctx, a->rd, a->fmt,
                    ir_const(&ctx->b, a->fmt == FMT_D ? IR_I64 : IR_I32, bits));
}

static bool round_to_integral(LiftContext *ctx, const ArgF1 *a, unsigned exact)
{
    unsigned attr;
    if (!rounding(ctx, a->rm, &attr))
        return false;
    IrRef x = get_fp(ctx, a->rs1, a->fmt);
    IrRef result = ir_emit(&ctx->b, IR_fround, fp_type(a->fmt), 0, attr | exact, x, 0, 0, 0, 0);
    return put_fp(ctx, a->rd, a->fmt, result, attr);
}

bool rv_lift_FROUND(LiftContext *ctx, const ArgFROUND *a)
{
    return round_to_integral(ctx, a, 0);
}

bool rv_lift_FROUNDNX(LiftContext *ctx, const ArgFROUNDNX *a)
{
    return round_to_integral(ctx, a, IR_FP_EXACT);
}

/* -- conversions ------------------------------------------------------------------------------- */

/* Words are left sign-extended, unsigned ones too. A NaN gives the largest integer. */
bool rv_lift_FCVT_INT(LiftContext *ctx, const ArgFCVT_INT *a)
{
    unsigned attr;
    if (!rounding(ctx, a->rm, &attr))
        return false;
    attr |= IR_FP_NAN2INT_MAX | (a->uns ? IR_FP_UNSIGNED : 0);
    IrRef result = ir_emit(&ctx->b, IR_f2i, a->wide ? IR_I64 : IR_I32, 0, attr,
                           get_fp(ctx, a->rs1, a->fmt), 0, 0, 0, 0);
    return a->wide ? rv_put(ctx, a->rd, result) : rv_put_w(ctx, a->rd, result);
}

/* To a half by f64: an integer that f64 doesn't hold exactly overflows a half in any case. */
bool rv_lift_FCVT_FP(LiftContext *ctx, const ArgFCVT_FP *a)
{
    unsigned attr;
    if (!rounding(ctx, a->rm, &attr))
        return false;
    unsigned uns = a->uns ? IR_FP_UNSIGNED : 0;
    IrRef integer = a->wide ? rv_get(ctx, a->rs1) : rv_get_w(ctx, a->rs1);
    IrRef value = ir_emit(&ctx->b, IR_i2f, a->fmt == FMT_S ? IR_F32 : IR_F64, 0,
                          attr | uns, integer, 0, 0, 0, 0);
    return put_fp(ctx, a->rd, a->fmt, value, attr);
}

bool rv_lift_FCVT(LiftContext *ctx, const ArgFCVT *a)
{
    unsigned attr;
    if (!rounding(ctx, a->rm, &attr))
        return false;
    IrBuilder *b = &ctx->b;
    IrType type = fp_type(a->fmt);
    if (a->from == FMT_H)
        return put_fp(ctx, a->rd, a->fmt, ir_emit(b, IR_h2f, type, 0, attr,
                                                  get_half_bits(ctx, a->rs1), 0, 0, 0, 0), attr);
    IrRef value = get_fp(ctx, a->rs1, a->from);
    if (a->fmt != FMT_H)
        value = ir_emit(b, IR_fcvt, type, 0, attr, value, 0, 0, 0, 0);
    return put_fp(ctx, a->rd, a->fmt, value, attr);
}

/* The value from C; the flags of fcvt.w.d, which is kept for them. */
bool rv_lift_FCVTMOD(LiftContext *ctx, const ArgFCVTMOD *a)
{
    IrBuilder *b = &ctx->b;
    unsigned attr = FP_ATTR | IR_ROUND_ZERO | IR_FP_NAN2INT_MAX;
    IrRef bits = raw_bits(ctx, a->rs1);
    ir_emit(b, IR_f2i, IR_I32, 0, attr, get_raw(ctx, a->rs1), 0, 0, 0, 0);
    return rv_put(ctx, a->rd, ir_emit(b, IR_call, IR_I64, 0, 0, bits, 0, 0, 0, RV_HELPER_FCVTMOD));
}
