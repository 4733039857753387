/* data plane */
/*
 * Reference of the IR's integer vector operations: each lane as a wide integer, one lane after the
 * other. ops.def defines them.
 */
#include "translator/softfp/vecref.h"

typedef __int128 Wide; /* holds any lane, signed or not, and sums and products of two */

static unsigned lane_bits(unsigned lane)
{
    static const uint8_t bits[] = { 8, 16, 32, 64, 16, 32, 64 };
    return bits[lane];
}

static uint64_t ones(unsigned bits)
{
    return bits >= 64 ? ~0ull : (1ull << bits) - 1;
}

static uint64_t get(V128 x, unsigned bits, unsigned n)
{
    uint64_t half = n * bits < 64 ? x.lo : x.hi;
    return half >> (n * bits & 63) & ones(bits);
}

static void set(V128 *x, unsigned bits, unsigned n, uint64_t value)
{
    uint64_t *half = n * bits < 64 ? &x->lo : &x->hi;
    unsigned shift = n * bits & 63;
    *half = (*half & ~(ones(bits) << shift)) | (value & ones(bits)) << shift;
}

static Wide get_wide(V128 x, unsigned bits, unsigned n, bool is_signed)
{
    uint64_t u = get(x, bits, n);
    return is_signed ? (Wide)((int64_t)(u << (64 - bits)) >> (64 - bits)) : (Wide)u;
}

static uint64_t saturate(Wide x, unsigned bits, bool is_signed)
{
    Wide top = is_signed ? (Wide)(ones(bits) >> 1) : (Wide)ones(bits);
    Wide bottom = is_signed ? -top - 1 : 0;
    return (uint64_t)(x > top ? top : x < bottom ? bottom : x);
}

/* Arm ARM DDI 0487 K.a, C7.2 SSHL, UQRSHL …: amount is the low byte of b's lane. */
static uint64_t shift_lane(unsigned attr, unsigned bits, Wide a, uint64_t b)
{
    int amount = (int8_t)b;
    if (amount >= (int)bits) {
        if (!(attr & IR_V_SAT) || a == 0)
            return 0;
        return saturate(a > 0 ? (Wide)1 << 100 : -((Wide)1 << 100), bits, attr & IR_V_SIGNED);
    }
    if (amount >= 0) {
        Wide r = (Wide)((unsigned __int128)a << amount);
        return attr & IR_V_SAT ? saturate(r, bits, attr & IR_V_SIGNED) : (uint64_t)r;
    }
    unsigned right = amount < -66 ? 66 : (unsigned)-amount; /* the same from there on */
    if (attr & IR_V_ROUND)
        a += (Wide)1 << (right - 1);
    return (uint64_t)(a >> right);
}

static uint64_t shift_imm(IrOp op, unsigned bits, uint64_t u, Wide s, unsigned n)
{
    switch (op) {
    case IR_vshl: return n >= bits ? 0 : u << n;
    case IR_vshru: return n >= bits ? 0 : u >> n;
    default: return (uint64_t)(s >> n);
    }
}

static uint64_t clz_lane(unsigned bits, uint64_t a)
{
    return a ? (uint64_t)__builtin_clzll(a) - (64 - bits) : bits;
}

static uint64_t reverse_bits(uint64_t a, unsigned bits)
{
    uint64_t r = 0;
    for (unsigned n = 0; n < bits; n++)
        r |= (a >> n & 1) << (bits - 1 - n);
    return r;
}

static unsigned __int128 carryless(uint64_t a, uint64_t b)
{
    unsigned __int128 r = 0;
    for (unsigned n = 0; n < 64; n++)
        if (b >> n & 1)
            r ^= (unsigned __int128)a << n;
    return r;
}

static uint64_t doubling_high(unsigned attr, unsigned bits, Wide a, Wide b)
{
    Wide product = 2 * a * b;
    if (attr & IR_V_ROUND)
        product += (Wide)1 << (bits - 1);
    return saturate(product >> bits, bits, true);
}

/* Operations that make each lane of the lanes at the same place. */
static uint64_t run_lane(IrOp op, unsigned attr, int64_t imm, unsigned bits, uint64_t ua,
                         uint64_t ub)
{
    bool is_signed = attr & IR_V_SIGNED;
    unsigned s = 64 - bits;
    Wide sa = (int64_t)(ua << s) >> s, sb = (int64_t)(ub << s) >> s;
    Wide a = is_signed ? sa : (Wide)ua, b = is_signed ? sb : (Wide)ub;
    Wide round = attr & IR_V_ROUND ? 1 : 0;
    switch (op) {
    case IR_vadd: return ua + ub;
    case IR_vsub: return ua - ub;
    case IR_vmul: return ua * ub;
    case IR_vneg: return 0 - ua;
    case IR_vabs: return sa < 0 ? 0 - ua : ua;
    case IR_vand: return ua & ub;
    case IR_vor: return ua | ub;
    case IR_vxor: return ua ^ ub;
    case IR_vandn: return ua & ~ub;
    case IR_vorn: return ua | ~ub;
    case IR_vnot: return ~ua;
    case IR_vshl: case IR_vshru: case IR_vshrs:
        return shift_imm(op, bits, ua, sa, (unsigned)imm);
    case IR_vshlv: return shift_lane(attr, bits, a, ub);
    case IR_vaddsat: return saturate(a + b, bits, is_signed);
    case IR_vsubsat: return saturate(a - b, bits, is_signed);
    case IR_vhadd: return (uint64_t)((a + b + round) >> 1);
    case IR_vhsub: return (uint64_t)((a - b + round) >> 1);
    case IR_vabd: return (uint64_t)(a < b ? b - a : a - b);
    case IR_vmin: return (uint64_t)(a < b ? a : b);
    case IR_vmax: return (uint64_t)(a > b ? a : b);
    case IR_vcmpeq: return ua == ub ? ~0ull : 0;
    case IR_vcmpgt: return a > b ? ~0ull : 0;
    case IR_vcmpge: return a >= b ? ~0ull : 0;
    case IR_vqdmulh: return doubling_high(attr, bits, sa, sb);
    case IR_vpmul: return (uint64_t)carryless(ua, ub);
    case IR_vpopcnt: return (uint64_t)__builtin_popcountll(ua);
    case IR_vclz: return clz_lane(bits, ua);
    default: return reverse_bits(ua, bits); /* vrbit */
    }
}

static V128 run_lanes(IrOp op, unsigned attr, int64_t imm, unsigned bits, V128 a, V128 b)
{
    V128 r = { 0, 0 };
    for (unsigned n = 0; n < 128 / bits; n++)
        set(&r, bits, n, run_lane(op, attr, imm, bits, get(a, bits, n), get(b, bits, n)));
    return r;
}

/* vwiden, vmull, vpmull: from lanes of one half to lanes of twice the width. */
static V128 run_widening(IrOp op, unsigned attr, unsigned bits, V128 a, V128 b)
{
    bool is_signed = attr & IR_V_SIGNED;
    unsigned count = 64 / bits, first = attr & IR_V_HIGH ? count : 0;
    V128 r = { 0, 0 };
    for (unsigned n = 0; n < count; n++) {
        Wide x = get_wide(a, bits, first + n, is_signed),
             y = get_wide(b, bits, first + n, is_signed);
        if (op == IR_vpmull)
            x = (Wide)carryless(get(a, bits, first + n), get(b, bits, first + n));
        else if (op == IR_vmull)
            x *= y;
        if (bits == 64)
            r = (V128){ (uint64_t)x, (uint64_t)(x >> 64) };
        else
            set(&r, 2 * bits, n, (uint64_t)x);
    }
    return r;
}

static V128 run_narrowing(IrOp op, unsigned attr, unsigned bits, V128 a)
{
    V128 r = { 0, 0 };
    for (unsigned n = 0; n < 128 / bits; n++) {
        Wide x = get_wide(a, bits, n, attr & IR_V_SIGNED);
        set(&r, bits / 2, n, op == IR_vnarrowsat ? saturate(x, bits / 2, attr & IR_V_SRESULT)
                                                 : (uint64_t)x);
    }
    return r;
}

static V128 run_pairwise_long(unsigned attr, unsigned bits, V128 a)
{
    V128 r = { 0, 0 };
    for (unsigned n = 0; n < 64 / bits; n++)
        set(&r, 2 * bits, n, (uint64_t)(get_wide(a, bits, 2 * n, attr & IR_V_SIGNED) +
                                        get_wide(a, bits, 2 * n + 1, attr & IR_V_SIGNED)));
    return r;
}

static V128 run_dot(unsigned attr, V128 acc, V128 a, V128 b)
{
    for (unsigned n = 0; n < 16; n++) {
        Wide product =
            get_wide(a, 8, n, attr & IR_V_SIGNED) * get_wide(b, 8, n, attr & IR_V_SRESULT);
        set(&acc, 32, n / 4, get(acc, 32, n / 4) + (uint64_t)product);
    }
    return acc;
}

/* Which lane of b:a (b's count from 128 / bits on) stands at place n of the result. */
static unsigned permuted(IrOp op, unsigned count, unsigned n)
{
    unsigned odd = op == IR_vzip2 || op == IR_vuzp2 || op == IR_vtrn2;
    switch (op) {
    case IR_vzip1: case IR_vzip2:
        return n / 2 + (odd ? count / 2 : 0) + (n & 1 ? count : 0);
    case IR_vuzp1: case IR_vuzp2:
        return 2 * n + odd;
    default: /* vtrn */
        return (n & ~1u) + odd + (n & 1 ? count : 0);
    }
}

static V128 run_permute(IrOp op, unsigned bits, V128 a, V128 b)
{
    unsigned count = 128 / bits;
    V128 r = { 0, 0 };
    for (unsigned n = 0; n < count; n++) {
        unsigned from = permuted(op, count, n);
        set(&r, bits, n, from < count ? get(a, bits, from) : get(b, bits, from - count));
    }
    return r;
}

/* Operations on bytes wherever lanes are. */
static V128 run_bytes(IrOp op, unsigned bits, int64_t imm, V128 a, V128 b)
{
    V128 r = { 0, 0 };
    unsigned lanes = (unsigned)imm / bits; /* vrev: in a container */
    for (unsigned n = 0; n < 16; n++) {
        unsigned from = n + (unsigned)imm;
        if (op == IR_vext)
            set(&r, 8, n, from < 16 ? get(a, 8, from) : get(b, 8, from - 16));
        else if (op == IR_vtbl)
            set(&r, 8, n, get(b, 8, n) < 16 ? get(a, 8, (unsigned)get(b, 8, n)) : 0);
        else if (n < 128 / bits)
            set(&r, bits, n, get(a, bits, n - n % lanes + (lanes - 1 - n % lanes)));
    }
    return r;
}

static V128 run_bsl(V128 mask, V128 a, V128 b)
{
    return (V128){ (a.lo & mask.lo) | (b.lo & ~mask.lo), (a.hi & mask.hi) | (b.hi & ~mask.hi) };
}

static V128 run_dup(unsigned bits, uint64_t value)
{
    V128 r = { 0, 0 };
    for (unsigned n = 0; n < 128 / bits; n++)
        set(&r, bits, n, value);
    return r;
}

V128 vecref(IrOp op, unsigned cc, unsigned attr, int64_t imm, V128 a, V128 b, V128 c)
{
    unsigned bits = lane_bits(cc);
    Bytes x = { .v = a }, y = { .v = b };
    switch (op) {
    case IR_vlow: return (V128){ a.lo, 0 };
    case IR_vsetl: set(&a, bits, imm & 255, get(b, bits, (unsigned)(imm >> 8))); return a;
    case IR_vdupl: return run_dup(bits, get(a, bits, (unsigned)imm));
    case IR_vbsl: return run_bsl(a, b, c);
    case IR_vwiden: case IR_vmull: case IR_vpmull: return run_widening(op, attr, bits, a, b);
    case IR_vnarrow: case IR_vnarrowsat: return run_narrowing(op, attr, bits, a);
    case IR_vpaddl: return run_pairwise_long(attr, bits, a);
    case IR_vdot: return run_dot(attr, a, b, c);
    case IR_vzip1: case IR_vzip2: case IR_vuzp1: case IR_vuzp2: case IR_vtrn1: case IR_vtrn2:
        return run_permute(op, bits, a, b);
    case IR_vext: case IR_vrev: case IR_vtbl: return run_bytes(op, bits, imm, a, b);
    case IR_vsha1 ... IR_vsha256su1: return vecref_sha(op, imm, a, b, c);
    case IR_vaese: case IR_vaesd: return vecref_aes_sub_shift(x, y, op == IR_vaesd).v;
    case IR_vaesmc: case IR_vaesimc: return vecref_aes_mix_columns(x, op == IR_vaesimc).v;
    default: return run_lanes(op, attr, imm, bits, a, b);
    }
}
