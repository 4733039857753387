/* data plane */
/* The IR's floating-point operations over the software floating point: see fpref.h. */
#include "translator/softfp/softfp.h"

static FpOp begin(const FpFormat *f, unsigned attr, const FpEnv *env)
{
    IrRound round = attr & IR_FP_ROUND;
    if (round == IR_ROUND_DYN)
        round = env->round == IR_ROUND_DYN ? IR_ROUND_NEAREST : env->round;
    return (FpOp){ .f = f, .attr = attr, .round = round,
                   .flush = env->flush || (attr & IR_FP_FLUSH) };
}

static const FpFormat *format_of(IrType t)
{
    return t == IR_F32 ? &fp_single : &fp_double;
}

static unsigned int_bits(IrType t)
{
    return t == IR_I32 ? 32 : 64;
}

static bool compare(FpOp *o, unsigned cc, uint64_t a, uint64_t b)
{
    FpOrder r = fp_compare(o, o->attr & IR_FP_SIGNALING, a, b);
    switch (cc) {
    case IR_FCMP_EQ: return r == FP_EQUAL;
    case IR_FCMP_LT: return r == FP_LESS;
    case IR_FCMP_LE: return r == FP_LESS || r == FP_EQUAL;
    default: return r == FP_UNORDERED;
    }
}

/* Arm ARM, FPCompare(). */
static uint64_t compare_flags(FpOp *o, uint64_t a, uint64_t b)
{
    switch (fp_compare(o, o->attr & IR_FP_SIGNALING, a, b)) {
    case FP_LESS: return 8u << 28;
    case FP_EQUAL: return 6u << 28;
    case FP_GREATER: return 2u << 28;
    default: return 3u << 28;
    }
}

/* Operations whose operands and result are all of format o->f. */
static uint64_t run_same(FpOp *o, IrOp op, uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t sign = 1ull << (o->f->bits - 1);
    switch (op) {
    case IR_fadd: case IR_vfadd: return fp_add(o, a, b);
    case IR_fsub: case IR_vfsub: return fp_sub(o, a, b);
    case IR_fmul: case IR_vfmul: return fp_mul(o, a, b);
    case IR_fdiv: case IR_vfdiv: return fp_div(o, a, b);
    case IR_fsqrt: case IR_vfsqrt: return fp_sqrt(o, a);
    case IR_fma: case IR_vfma: return fp_fma(o, a, b, c);
    case IR_fabs: case IR_vfabs: return a & (sign - 1);
    case IR_fneg: case IR_vfneg: return a ^ sign;
    case IR_fmin: case IR_vfmin: return fp_min_max(o, false, a, b);
    case IR_fmax: case IR_vfmax: return fp_min_max(o, true, a, b);
    case IR_fminnm: case IR_vfminnm: return fp_min_max_num(o, false, a, b);
    case IR_fmaxnm: case IR_vfmaxnm: return fp_min_max_num(o, true, a, b);
    case IR_fround: case IR_vfround: return fp_round_to_integral(o, a);
    case IR_flfcmp: return compare_flags(o, a, b);
    default: return 0;
    }
}

static const FpFormat *half_of(unsigned attr)
{
    return attr & IR_FP_AHP ? &fp_alt_half : &fp_half;
}

uint64_t fpref_scalar(IrOp op, IrType type, IrType arg_type, unsigned cc, unsigned attr,
                      int64_t imm, uint64_t a, uint64_t b, uint64_t c, FpEnv *env)
{
    const FpFormat *from = format_of(arg_type);
    FpOp o = begin(from, attr, env);
    uint64_t r;
    switch (op) {
    case IR_fcvt:
        o.f = format_of(type);
        r = fp_convert(&o, from, a);
        break;
    case IR_h2f:
        o.f = format_of(type);
        r = fp_convert(&o, half_of(attr), a & 0xffff);
        break;
    case IR_f2h:
        o.f = half_of(attr);
        r = fp_convert(&o, from, a);
        break;
    case IR_f2i:
        r = fp_to_int(&o, int_bits(type), (unsigned)imm, a);
        break;
    case IR_i2f:
        o.f = format_of(type);
        r = fp_from_int(&o, int_bits(arg_type), (unsigned)imm, a);
        break;
    case IR_fcmp:
        r = compare(&o, cc, a, b);
        break;
    case IR_f2bits: case IR_bits2f:
        r = a;
        break;
    default:
        r = run_same(&o, op, a, b, c);
        break;
    }
    env->flags |= attr & IR_FP_SILENT ? 0 : o.flags;
    return r;
}

uint64_t fpref_half(IrOp op, IrType type, unsigned cc, unsigned attr, int64_t imm, uint64_t a,
                    uint64_t b, uint64_t c, FpEnv *env)
{
    FpOp o = begin(&fp_half, attr, env);
    uint64_t r;
    switch (op) {
    case IR_f2i:
        r = fp_to_int(&o, int_bits(type), (unsigned)imm, a & 0xffff);
        break;
    case IR_i2f: /* `type` is the integer's here */
        r = fp_from_int(&o, int_bits(type), (unsigned)imm, a);
        break;
    case IR_fcmp:
        r = compare(&o, cc, a & 0xffff, b & 0xffff);
        break;
    default:
        r = run_same(&o, op, a & 0xffff, b & 0xffff, c & 0xffff);
        break;
    }
    env->flags |= o.flags;
    return r;
}

/* -- vectors ----------------------------------------------------------------------------------- */

static const FpFormat *lane_format(unsigned lane)
{
    return lane == IR_LANE_F16 ? &fp_half : lane == IR_LANE_F32 ? &fp_single : &fp_double;
}

static uint64_t get(V128 x, unsigned bits, unsigned n)
{
    uint64_t half = n * bits < 64 ? x.lo : x.hi;
    return bits == 64 ? half : half >> (n * bits & 63) & ((1ull << bits) - 1);
}

static void set(V128 *x, unsigned bits, unsigned n, uint64_t value)
{
    *(n * bits < 64 ? &x->lo : &x->hi) |= value << (n * bits & 63);
}

static uint64_t run_lane(FpOp *o, IrOp op, int64_t imm, uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t ones = o->f->bits == 64 ? ~0ull : (1ull << o->f->bits) - 1;
    FpOrder r;
    switch (op) {
    case IR_vfcmpeq:
        return fp_compare(o, false, a, b) == FP_EQUAL ? ones : 0;
    case IR_vfcmpgt:
        return fp_compare(o, true, a, b) == FP_GREATER ? ones : 0;
    case IR_vfcmpge:
        r = fp_compare(o, true, a, b);
        return r == FP_GREATER || r == FP_EQUAL ? ones : 0;
    case IR_vf2i:
        return fp_to_int(o, o->f->bits, (unsigned)imm, a);
    case IR_vi2f:
        return fp_from_int(o, o->f->bits, (unsigned)imm, a);
    default:
        return run_same(o, op, a, b, c);
    }
}

static V128 widen(FpOp *o, unsigned lane, V128 a)
{
    const FpFormat *from = lane == IR_LANE_F16 ? half_of(o->attr) : &fp_single;
    o->f = lane == IR_LANE_F16 ? &fp_single : &fp_double;
    unsigned n = 64 / from->bits, first = o->attr & IR_FP_HIGH ? n : 0;
    V128 r = { 0, 0 };
    for (unsigned k = 0; k < n; k++)
        set(&r, o->f->bits, k, fp_convert(o, from, get(a, from->bits, first + k)));
    return r;
}

static V128 narrow(FpOp *o, unsigned lane, V128 a)
{
    const FpFormat *from = lane_format(lane);
    o->f = lane == IR_LANE_F32 ? half_of(o->attr) : &fp_single;
    V128 r = { 0, 0 };
    for (unsigned k = 0; k < 128u / from->bits; k++)
        set(&r, o->f->bits, k, fp_convert(o, from, get(a, from->bits, k)));
    return r;
}

V128 fpref_vector(IrOp op, unsigned cc, unsigned attr, int64_t imm, V128 a, V128 b, V128 c,
                  FpEnv *env)
{
    FpOp o = begin(lane_format(cc), attr, env);
    V128 r = { 0, 0 };
    if (op == IR_vfcvtl) {
        r = widen(&o, cc, a);
    } else if (op == IR_vfcvtn) {
        r = narrow(&o, cc, a);
    } else {
        unsigned bits = o.f->bits, n = (attr & IR_FP_LOW64 ? 64 : 128) / bits;
        for (unsigned k = 0; k < n; k++)
            set(&r, bits, k, run_lane(&o, op, imm, get(a, bits, k), get(b, bits, k),
                                      get(c, bits, k)));
    }
    env->flags |= o.flags;
    return r;
}
