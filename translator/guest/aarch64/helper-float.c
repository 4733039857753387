/* data plane */
/*
 * Helpers of floating-point instructions that have no IR operation: half precision, estimates,
 * steps, BF16, FMLAL. Arithmetic is fpref's (translator/softfp); here stand the special
 * cases, as in the manual's shared pseudocode (Arm ARM DDI 0487 K.a, J1.1, shared/functions/float),
 * whose function is named at each.
 *
 * `desc` packs attributes of the IR's operations (simd.h, A64_DESC_…) so that FPCR needn't be read.
 */
#include "translator/guest/aarch64/helpers.h"
#include "translator/guest/aarch64/lanes.h"
#include "translator/guest/aarch64/simd.h"
#include "translator/runtime/vcpu.h"
#include "translator/softfp/fpref.h"

/* Flushing comes with the attributes only: the control's is FPCR.FZ, which half ignores. */
static FpEnv env_begin(Vcpu *v)
{
    return (FpEnv){ .round = (IrRound)(vcpu_fp_control(v) & 7) };
}

/* Sticky flags of helpers are gathered beside the host's own. */
static void env_end(Vcpu *v, const FpEnv *env) { v->fp_sticky |= env->flags; }

/* -- formats ----------------------------------------------------------------------------------- */

typedef struct Format { unsigned bits, fraction, exp; } Format; /* widths */
static const Format formats[] = { [1] = { 16, 10, 5 }, [2] = { 32, 23, 8 }, [3] = { 64, 52, 11 } };

static uint64_t sign_of(unsigned esize) { return 1ull << (formats[esize].bits - 1); }
static uint64_t fraction_mask(unsigned esize) { return (1ull << formats[esize].fraction) - 1; }
static unsigned exp_max(unsigned esize) { return (1u << formats[esize].exp) - 1; }
static unsigned exp_of(unsigned esize, uint64_t x)
{ return x >> formats[esize].fraction & exp_max(esize); }
static uint64_t infinity(unsigned esize)
{
    return (uint64_t)exp_max(esize) << formats[esize].fraction;
}
static bool is_nan(unsigned esize, uint64_t x)
{ return exp_of(esize, x) == exp_max(esize) && x & fraction_mask(esize); }
static bool is_infinity(unsigned esize, uint64_t x)
{ return (x & ~sign_of(esize)) == infinity(esize); }
static bool is_zero(unsigned esize, uint64_t x) { return !(x & ~sign_of(esize)); }

/* An operation of fpref on values of one format. */
static uint64_t fp(IrOp op, unsigned esize, unsigned attr, uint64_t a, uint64_t b, uint64_t c,
                   FpEnv *env)
{
    if (esize == 1)
        return fpref_half(op, IR_I32, 0, attr, 0, a, b, c, env);
    IrType t = esize == 3 ? IR_F64 : IR_F32;
    return fpref_scalar(op, t, t, 0, attr, 0, a, b, c, env);
}

/* FPUnpack's flushing of denormal operands; no IDC for half. */
static uint64_t flush_input(unsigned esize, unsigned attr, uint64_t x, FpEnv *env)
{
    if (!(attr & IR_FP_FLUSH) || exp_of(esize, x) || is_zero(esize, x))
        return x;
    if (esize != 1)
        env->flags |= IR_FPX_DENORMAL;
    return x & sign_of(esize);
}

/* FPProcessNaN: what an addition of a NaN to itself gives. */
static uint64_t process_nan(unsigned esize, unsigned attr, uint64_t x, FpEnv *env)
{
    return fp(IR_fadd, esize, attr, x, x, 0, env);
}

static uint64_t default_nan(unsigned esize)
{
    return infinity(esize) | 1ull << (formats[esize].fraction - 1);
}

/* -- half precision ---------------------------------------------------------------------------- */

static unsigned half_lanes(uint32_t desc)
{
    unsigned length = desc >> A64_DESC_BYTES_SHIFT & 3; /* see half_desc() */
    return length ? 2u << length : 1;
}

static uint64_t half_lane(IrOp op, unsigned attr, uint64_t a, uint64_t b, uint64_t c, FpEnv *env)
{
    switch (op) {
    case IR_vfcmpeq:
        return fpref_half(IR_fcmp, IR_I1, IR_FCMP_EQ, attr, 0, a, b, 0, env) ? 0xffff : 0;
    case IR_vfcmpgt:
        return fpref_half(IR_fcmp, IR_I1, IR_FCMP_LT, attr | IR_FP_SIGNALING, 0, b, a, 0, env)
                   ? 0xffff : 0;
    case IR_vfcmpge:
        return fpref_half(IR_fcmp, IR_I1, IR_FCMP_LE, attr | IR_FP_SIGNALING, 0, b, a, 0, env)
                   ? 0xffff : 0;
    case IR_fabs: return a & 0x7fff;
    case IR_fneg: return a ^ 0x8000;
    default: return fpref_half(op, IR_I32, 0, attr, 0, a, b, c, env);
    }
}

void a64_helper_half_vector(Vcpu *v, V128 *ret, uint32_t desc, const V128 *a, const V128 *b,
                            const V128 *c)
{
    FpEnv env = env_begin(v);
    Lanes r = { 0 };
    for (unsigned i = 0; i < half_lanes(desc); i++)
        lane_or(&r, 1, i, half_lane(desc & 0xff, desc >> A64_DESC_ATTR_SHIFT, lane_get(a, 1, i),
                                    lane_get(b, 1, i), lane_get(c, 1, i), &env));
    env_end(v, &env);
    *ret = lanes_join(&r);
}

/* f2i and i2f between halves and integers of 16 bits, b fraction bits */
static uint64_t half_convert(uint32_t desc, uint64_t x, unsigned fbits, FpEnv *env)
{
    unsigned attr = desc >> A64_DESC_ATTR_SHIFT;
    bool is_unsigned = attr & IR_FP_UNSIGNED;
    if ((desc & 0xff) == IR_i2f)
        return fpref_half(IR_i2f, IR_I64, 0, attr, fbits, is_unsigned ? x : (uint64_t)(int16_t)x, 0,
                          0, env);
    /* To 64 bits, and from there to 16: out of range is invalid, and then not inexact. */
    FpEnv tried = *env;
    int64_t r = (int64_t)fpref_half(IR_f2i, IR_I64, 0, attr & ~IR_FP_UNSIGNED, fbits, x, 0, 0,
                                    &tried);
    int64_t min = is_unsigned ? 0 : INT16_MIN, max = is_unsigned ? UINT16_MAX : INT16_MAX;
    if (r < min || r > max) {
        env->flags |= IR_FPX_INVALID;
        return (uint64_t)(r < min ? min : max) & 0xffff;
    }
    env->flags = tried.flags;
    return (uint64_t)r & 0xffff;
}

void a64_helper_half_convert(Vcpu *v, V128 *ret, uint32_t desc, const V128 *a, uint32_t b)
{
    FpEnv env = env_begin(v);
    Lanes r = { 0 };
    for (unsigned i = 0; i < half_lanes(desc); i++)
        lane_or(&r, 1, i, half_convert(desc, lane_get(a, 1, i), b, &env));
    env_end(v, &env);
    *ret = lanes_join(&r);
}

/* NZCV of a comparison, as flfcmp */
static uint64_t half_flags(unsigned attr, uint64_t a, uint64_t b, FpEnv *env)
{
    if (fpref_half(IR_fcmp, IR_I1, IR_FCMP_UN, attr, 0, a, b, 0, env))
        return 0x30000000;
    if (fpref_half(IR_fcmp, IR_I1, IR_FCMP_EQ, attr, 0, a, b, 0, env))
        return 0x60000000;
    return fpref_half(IR_fcmp, IR_I1, IR_FCMP_LT, attr, 0, a, b, 0, env) ? 0x80000000 : 0x20000000;
}

uint64_t a64_helper_half_scalar(Vcpu *v, uint32_t desc, uint64_t a, uint64_t b, uint64_t c)
{
    FpEnv env = env_begin(v);
    IrOp op = desc & 0xff;
    unsigned attr = desc >> A64_DESC_ATTR_SHIFT;
    uint64_t r;
    if (op == IR_flfcmp)
        r = half_flags(attr, a, b, &env);
    else if (op == IR_f2i)
        r = fpref_half(op, desc >> A64_DESC_BYTES_SHIFT & 1 ? IR_I64 : IR_I32, 0, attr, (int64_t)b,
                       a, 0, 0, &env);
    else if (op == IR_i2f)
        r = fpref_half(op, IR_I64, 0, attr, (int64_t)b, a, 0, 0, &env);
    else
        r = fpref_half(op, IR_I32, 0, attr, 0, a, b, c, &env);
    env_end(v, &env);
    return r;
}

/* -- FMULX, FRECPS, FRSQRTS -------------------------------------------------------------------- */

static uint64_t constant(unsigned esize, unsigned kind) /* 2.0, or 1.5 for RSQRTS */
{
    unsigned bias = exp_max(esize) >> 1, fraction = formats[esize].fraction;
    return kind == A64_STEP_RSQRTS ? (uint64_t)bias << fraction | 1ull << (fraction - 1)
                                   : (uint64_t)(bias + 1) << fraction;
}

/* FPRSqrtStepFused: (3 + a * b) / 2 rounded once, as 1.5 + a * b / 2. Halving the factor whose
 * exponent allows it is exact; if neither does, the product is too small to matter but for its
 * sign. */
static uint64_t rsqrt_step(unsigned esize, unsigned attr, uint64_t a, uint64_t b, FpEnv *env)
{
    uint64_t one = 1ull << formats[esize].fraction;
    if (exp_of(esize, a) > 1 && exp_of(esize, a) < exp_max(esize))
        a -= one;
    else if (exp_of(esize, b) > 1 && exp_of(esize, b) < exp_max(esize))
        b -= one;
    return fp(IR_fma, esize, attr, a, b, constant(esize, A64_STEP_RSQRTS), env);
}

/* FPMulX, FPRecipStepFused, FPRSqrtStepFused */
static uint64_t step_lane(unsigned kind, unsigned esize, unsigned attr, uint64_t a, uint64_t b,
                          FpEnv *env)
{
    if (kind != A64_STEP_MULX)
        a ^= sign_of(esize);
    if (is_nan(esize, a) || is_nan(esize, b))
        return fp(IR_fmul, esize, attr, a, b, 0, env);
    a = flush_input(esize, attr, a, env);
    b = flush_input(esize, attr, b, env);
    if ((is_infinity(esize, a) && is_zero(esize, b)) ||
        (is_zero(esize, a) && is_infinity(esize, b)))
        return constant(esize, kind) | (kind == A64_STEP_MULX ? (a ^ b) & sign_of(esize) : 0);
    if (kind == A64_STEP_MULX)
        return fp(IR_fmul, esize, attr, a, b, 0, env);
    if (is_infinity(esize, a) || is_infinity(esize, b))
        return infinity(esize) | ((a ^ b) & sign_of(esize));
    if (kind == A64_STEP_RECPS)
        return fp(IR_fma, esize, attr, a, b, constant(esize, kind), env);
    return rsqrt_step(esize, attr, a, b, env);
}

void a64_helper_fp_step(Vcpu *v, V128 *ret, uint32_t desc, const V128 *a, const V128 *b)
{
    FpEnv env = env_begin(v);
    unsigned esize = desc >> A64_DESC_ESIZE_SHIFT & 3, bytes = desc >> A64_DESC_LEN_SHIFT & 7;
    Lanes r = { 0 };
    for (unsigned i = 0; i < 1u << (bytes - esize); i++)
        lane_or(&r, esize, i, step_lane(desc & 0xff, esize, desc >> A64_DESC_ATTR_SHIFT,
                                        lane_get(a, esize, i), lane_get(b, esize, i), &env));
    env_end(v, &env);
    *ret = lanes_join(&r);
}

/* -- estimates --------------------------------------------------------------------------------- */

/* RecipEstimate: 256 <= a < 512 to 256 … 511 */
static unsigned recip_estimate(unsigned a)
{
    return ((1u << 19) / (2 * a + 1) + 1) / 2;
}

/* RecipSqrtEstimate: 128 <= a < 512 to 256 … 511 */
static unsigned recip_sqrt_estimate(unsigned a)
{
    a = a < 256 ? a * 2 + 1 : ((a >> 1 << 1) + 1) * 2;
    unsigned b = 512;
    while ((uint64_t)a * (b + 1) * (b + 1) < 1u << 28)
        b++;
    return (b + 1) / 2;
}

/* The fraction as 52 bits and the exponent, denormals normalised: the leading one is at bit 52. */
static uint64_t unpack_52(unsigned esize, uint64_t x, int *ret_exp)
{
    uint64_t fraction = (x & fraction_mask(esize)) << (52 - formats[esize].fraction);
    int exp = (int)exp_of(esize, x);
    if (!exp) {
        int shift = __builtin_clzll(fraction) - 11; /* brings the highest bit to bit 52 */
        exp = 1 - shift;
        fraction = fraction << shift & ((1ull << 52) - 1);
    }
    *ret_exp = exp;
    return fraction;
}

/* FPRecipEstimate: 1/x overflows when |x| is below a quarter of the smallest normal number. */
static uint64_t recip_overflow(unsigned esize, bool negative, FpEnv *env)
{
    env->flags |= IR_FPX_OVERFLOW | IR_FPX_INEXACT;
    bool to_infinity = env->round == IR_ROUND_ZERO ? false
                     : env->round == IR_ROUND_UP ? !negative
                     : env->round == IR_ROUND_DOWN ? negative : true;
    return (negative ? sign_of(esize) : 0) | (infinity(esize) - !to_infinity);
}

static uint64_t recip_lane(unsigned esize, unsigned attr, uint64_t x, FpEnv *env)
{
    const Format *f = &formats[esize];
    uint64_t sign = x & sign_of(esize);
    if (is_nan(esize, x))
        return process_nan(esize, attr, x, env);
    x = flush_input(esize, attr, x, env);
    if (is_infinity(esize, x))
        return sign;
    if (is_zero(esize, x)) {
        env->flags |= IR_FPX_DIVZERO;
        return sign | infinity(esize);
    }
    if ((x & ~sign_of(esize)) < 1ull << (f->fraction - 2))
        return recip_overflow(esize, sign, env);
    int max = (int)exp_max(esize), exp;
    if (attr & IR_FP_FLUSH && (int)exp_of(esize, x) >= max - 2) { /* the result is denormal */
        env->flags |= IR_FPX_UNDERFLOW;
        return sign;
    }
    uint64_t fraction = unpack_52(esize, x, &exp);
    int result_exp = max - 2 - exp; /* 29, 253, 2045 less exp */
    fraction = (uint64_t)(recip_estimate(256 | (unsigned)(fraction >> 44)) & 0xff) << 44;
    if (result_exp == 0) {
        fraction = 1ull << 51 | fraction >> 1;
    } else if (result_exp == -1) {
        fraction = 1ull << 50 | fraction >> 2;
        result_exp = 0;
    }
    return sign | (uint64_t)result_exp << f->fraction | fraction >> (52 - f->fraction);
}

/* FPRSqrtEstimate */
static uint64_t rsqrt_lane(unsigned esize, unsigned attr, uint64_t x, FpEnv *env)
{
    const Format *f = &formats[esize];
    if (is_nan(esize, x))
        return process_nan(esize, attr, x, env);
    x = flush_input(esize, attr, x, env);
    if (is_zero(esize, x)) {
        env->flags |= IR_FPX_DIVZERO;
        return x | infinity(esize);
    }
    if (x & sign_of(esize)) {
        env->flags |= IR_FPX_INVALID;
        return default_nan(esize);
    }
    if (is_infinity(esize, x))
        return 0;
    int exp;
    uint64_t fraction = unpack_52(esize, x, &exp);
    unsigned scaled = exp & 1 ? 128 | (unsigned)(fraction >> 45) : 256 | (unsigned)(fraction >> 44);
    int bias = (int)(exp_max(esize) >> 1);
    int result_exp = (3 * bias - 1 - exp) >> 1; /* 44, 380, 3068 less exp, halved */
    uint64_t estimate = recip_sqrt_estimate(scaled) & 0xff;
    return (uint64_t)result_exp << f->fraction | estimate << (f->fraction - 8);
}

/* FPRecpX */
static uint64_t recpx_lane(unsigned esize, unsigned attr, uint64_t x, FpEnv *env)
{
    if (is_nan(esize, x))
        return process_nan(esize, attr, x, env);
    flush_input(esize, attr, x, env); /* for IDC */
    unsigned exp = exp_of(esize, x), max = exp_max(esize);
    exp = exp ? ~exp & max : max - 1;
    return (x & sign_of(esize)) | (uint64_t)exp << formats[esize].fraction;
}

/* FPRoundIntN: to an integral number that fits in `bits`, else the most negative and invalid */
static uint64_t round_int_lane(unsigned esize, unsigned attr, unsigned bits, uint64_t x, FpEnv *env)
{
    unsigned bias = exp_max(esize) >> 1;
    uint64_t min = sign_of(esize) | (uint64_t)(bias + bits - 1) << formats[esize].fraction;
    FpEnv tried = *env;
    uint64_t r = fp(IR_fround, esize, attr | IR_FP_EXACT, x, 0, 0, &tried);
    unsigned exp = exp_of(esize, r);
    if (exp == exp_max(esize) || (exp >= bias + bits - 1 && r != min)) {
        env->flags |= IR_FPX_INVALID;
        return min;
    }
    *env = tried;
    return r;
}

static uint64_t estimate_lane(unsigned kind, unsigned esize, unsigned attr, uint64_t x, FpEnv *env)
{
    switch (kind) {
    case A64_EST_RECPE: return recip_lane(esize, attr, x, env);
    case A64_EST_RSQRTE: return rsqrt_lane(esize, attr, x, env);
    case A64_EST_RECPX: return recpx_lane(esize, attr, x, env);
    case A64_EST_URECPE: /* UnsignedRecipEstimate: half and above, as a fraction of 2^32 */
        return x >> 31 ? (uint64_t)recip_estimate((unsigned)(x >> 23)) << 23 : UINT32_MAX;
    case A64_EST_URSQRTE: /* UnsignedRSqrtEstimate */
        return x >> 30 ? (uint64_t)recip_sqrt_estimate((unsigned)(x >> 23)) << 23 : UINT32_MAX;
    case A64_EST_RINT32Z: return round_int_lane(esize, attr | IR_ROUND_ZERO, 32, x, env);
    case A64_EST_RINT32X: return round_int_lane(esize, attr, 32, x, env);
    case A64_EST_RINT64Z: return round_int_lane(esize, attr | IR_ROUND_ZERO, 64, x, env);
    default: return round_int_lane(esize, attr, 64, x, env);
    }
}

/* The second operand is unused: one signature with fp_step. */
void a64_helper_fp_estimate(Vcpu *v, V128 *ret, uint32_t desc, const V128 *a, const V128 *b)
{
    FpEnv env = env_begin(v);
    unsigned esize = desc >> A64_DESC_ESIZE_SHIFT & 3, bytes = desc >> A64_DESC_LEN_SHIFT & 7;
    Lanes r = { 0 };
    for (unsigned i = 0; i < 1u << (bytes - esize); i++)
        lane_or(&r, esize, i, estimate_lane(desc & 0xff, esize, desc >> A64_DESC_ATTR_SHIFT,
                                            lane_get(a, esize, i), &env));
    env_end(v, &env);
    *ret = lanes_join(&r);
}

/* -- widening half to single ------------------------------------------------------------------- */

/* Exact; a NaN keeps its kind, so that what comes after treats it as the half it was. */
static uint64_t half_to_single(uint64_t h, bool flush)
{
    uint64_t sign = (h & 0x8000) << 16, fraction = h & 0x3ff;
    unsigned exp = h >> 10 & 31;
    if (exp == 31)
        return sign | 0x7f800000 | fraction << 13;
    if (!exp) {
        if (!fraction || flush)
            return sign;
        unsigned shift = __builtin_clz((unsigned)fraction) - 21;
        exp = 1 - shift; /* wraps; the sum below is right */
        fraction = fraction << shift & 0x3ff;
    }
    return sign | (uint64_t)(exp + 112) << 23 | fraction << 13;
}

/* FMLAL, FMLSL: FPMulAddH. desc: negate, upper part, q << 2, FZ16 << 3, attributes from 16 */
void a64_helper_fmlal(Vcpu *v, V128 *ret, uint32_t desc, const V128 *a, const V128 *b,
                      const V128 *c)
{
    FpEnv env = env_begin(v);
    unsigned lanes = desc & 4 ? 4 : 2, from = desc & 2 ? lanes : 0;
    Lanes r = { 0 };
    for (unsigned i = 0; i < lanes; i++) {
        uint64_t n = lane_get(b, 1, from + i) ^ (desc & 1 ? 0x8000 : 0);
        uint64_t m = lane_get(c, 1, from + i);
        lane_or(&r, 2, i, fp(IR_fma, 2, desc >> A64_DESC_ATTR_SHIFT, half_to_single(n, desc & 8),
                             half_to_single(m, desc & 8), lane_get(a, 2, i), &env));
    }
    env_end(v, &env);
    *ret = lanes_join(&r);
}

/* -- BF16 -------------------------------------------------------------------------------------- */

/* FPConvertBF: a single to the nearest of those with 7 fraction bits;
 * denormals keep their scale. */
static uint32_t bf_round(unsigned attr, uint32_t x, FpEnv *env)
{
    if (is_nan(2, x)) {
        uint64_t quiet = process_nan(2, attr, x, env);
        return (uint32_t)(quiet >> 16);
    }
    x = (uint32_t)flush_input(2, attr, x, env);
    uint32_t sign = x >> 31, rest = x & 0xffff, r = x >> 16;
    if (!rest)
        return r;
    bool up = env->round == IR_ROUND_UP ? !sign
            : env->round == IR_ROUND_DOWN ? sign
            : env->round == IR_ROUND_ZERO ? false
            : rest > 0x8000 || (rest == 0x8000 && r & 1);
    bool overflow = (r & 0x7fff) == 0x7f7f && up;
    env->flags |= IR_FPX_INEXACT | (overflow ? IR_FPX_OVERFLOW : 0)
                | (!exp_of(2, x) ? IR_FPX_UNDERFLOW : 0);
    return r + up;
}

uint32_t a64_helper_bfcvt(Vcpu *v, uint32_t desc, uint32_t a)
{
    FpEnv env = env_begin(v);
    uint32_t r = bf_round(desc, a, &env);
    env_end(v, &env);
    return r;
}

void a64_helper_bfcvtn(Vcpu *v, V128 *ret, uint32_t desc, const V128 *a)
{
    FpEnv env = env_begin(v);
    Lanes r = { 0 };
    for (unsigned i = 0; i < 4; i++)
        lane_or(&r, 1, i, bf_round(desc, (uint32_t)lane_get(a, 2, i), &env));
    env_end(v, &env);
    *ret = lanes_join(&r);
}

/* BFMul, BFAdd (BFRound): rounding to odd, denormals flushed, default NaN, overflow to infinity,
 * and no sticky flags, whatever FPCR says. */
static uint64_t bf_arith(IrOp op, uint64_t a, uint64_t b)
{
    FpEnv env = { .round = IR_ROUND_ODD };
    uint64_t r = fp(op, 2, IR_ROUND_ODD | IR_FP_NAN_DEFAULT | IR_FP_FLUSH, a, b, 0, &env);
    return env.flags & IR_FPX_OVERFLOW ? (r & sign_of(2)) | infinity(2) : r;
}

static uint64_t bf_lane(const V128 *v, unsigned n) { return lane_get(v, 1, n) << 16; }

/* The sum of two products: n lanes i, i + 1 and m lanes j, j + 1 */
static uint64_t bf_dot(const V128 *n, unsigned i, const V128 *m, unsigned j)
{
    return bf_arith(IR_fadd, bf_arith(IR_fmul, bf_lane(n, i), bf_lane(m, j)),
                    bf_arith(IR_fmul, bf_lane(n, i + 1), bf_lane(m, j + 1)));
}

/* desc: A64_BF_…, q << 4 (of BFDOT) */
void a64_helper_bf16(Vcpu *v, V128 *ret, uint32_t desc, const V128 *a, const V128 *b, const V128 *c)
{
    FpEnv env = env_begin(v);
    unsigned kind = desc & 15, lanes = desc & 16 ? 4 : 2;
    Lanes r = { 0 };
    for (unsigned i = 0; i < lanes; i++) {
        uint64_t sum = lane_get(a, 2, i);
        switch (kind) {
        case A64_BF_DOT:
            sum = bf_arith(IR_fadd, sum, bf_dot(b, 2 * i, c, 2 * i));
            break;
        case A64_BF_MMLA: /* rows of four, two products at a time */
            for (unsigned k = 0; k < 4; k += 2)
                sum = bf_arith(IR_fadd, sum, bf_dot(b, i / 2 * 4 + k, c, i % 2 * 4 + k));
            break;
        default: {
            unsigned at = 2 * i + (kind == A64_BF_MLALT);
            sum = fp(IR_fma, 2, desc >> A64_DESC_ATTR_SHIFT, bf_lane(b, at), bf_lane(c, at), sum,
                     &env);
            break;
        }
        }
        lane_or(&r, 2, i, sum);
    }
    env_end(v, &env);
    *ret = lanes_join(&r);
}
