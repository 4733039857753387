/* data plane */
/* Arithmetic and comparison. Where results depend on the guest, Arm ARM DDI 0487 K.a, J1.3 (shared
 * pseudocode, FPAdd … FPCompare) and RISC-V Unpriv 20240411, §21, §22. */
#include "translator/softfp/softfp.h"

enum { NORM_BIT = 125 }; /* leaves room for a carry */


/* The sum of two finite numbers (sig 0 is zero), neither with more than 106 bits. */
static uint64_t add_finite(FpOp *o, FpNum a, FpNum b)
{
    if (a.sig == 0 && b.sig == 0)
        return fp_zero(o, a.sign == b.sign ? a.sign : o->round == IR_ROUND_DOWN);
    if (a.sig == 0)
        return fp_round(o, b.sign, b.sig, b.exp);
    if (b.sig == 0)
        return fp_round(o, a.sign, a.sig, a.exp);
    unsigned na = NORM_BIT - fp_msb(a.sig), nb = NORM_BIT - fp_msb(b.sig);
    a.sig <<= na;
    a.exp -= (int)na;
    b.sig <<= nb;
    b.exp -= (int)nb;
    if (a.exp < b.exp || (a.exp == b.exp && a.sig < b.sig)) {
        FpNum t = a;
        a = b;
        b = t;
    }
    b.sig = fp_shift_jam(b.sig, (unsigned)(a.exp - b.exp));
    if (a.sign == b.sign)
        return fp_round(o, a.sign, a.sig + b.sig, a.exp);
    if (a.sig == b.sig)
        return fp_zero(o, o->round == IR_ROUND_DOWN);
    return fp_round(o, a.sign, a.sig - b.sig, a.exp);
}

static uint64_t add(FpOp *o, FpNum a, FpNum b, bool subtract)
{
    if (fp_is_nan(&a) || fp_is_nan(&b))
        return fp_pick_nan(o, (const FpNum *[]){ &a, &b }, 2);
    if (subtract)
        b.sign = !b.sign;
    if (a.kind == FP_KIND_INF && b.kind == FP_KIND_INF && a.sign != b.sign)
        return fp_invalid(o);
    if (a.kind == FP_KIND_INF)
        return fp_inf(o, a.sign);
    if (b.kind == FP_KIND_INF)
        return fp_inf(o, b.sign);
    return add_finite(o, a, b);
}

uint64_t fp_add(FpOp *o, uint64_t a, uint64_t b)
{
    FpNum x = fp_unpack(o, o->f, a);
    return add(o, x, fp_unpack(o, o->f, b), false);
}

uint64_t fp_sub(FpOp *o, uint64_t a, uint64_t b)
{
    FpNum x = fp_unpack(o, o->f, a);
    return add(o, x, fp_unpack(o, o->f, b), true);
}

uint64_t fp_mul(FpOp *o, uint64_t a, uint64_t b)
{
    FpNum x = fp_unpack(o, o->f, a), y = fp_unpack(o, o->f, b);
    bool sign = x.sign != y.sign;
    if (fp_is_nan(&x) || fp_is_nan(&y))
        return fp_pick_nan(o, (const FpNum *[]){ &x, &y }, 2);
    if (x.kind == FP_KIND_INF || y.kind == FP_KIND_INF)
        return x.kind == FP_KIND_ZERO || y.kind == FP_KIND_ZERO ? fp_invalid(o) : fp_inf(o, sign);
    if (x.kind == FP_KIND_ZERO || y.kind == FP_KIND_ZERO)
        return fp_zero(o, sign);
    return fp_round(o, sign, x.sig * y.sig, x.exp + y.exp);
}

uint64_t fp_div(FpOp *o, uint64_t a, uint64_t b)
{
    FpNum x = fp_unpack(o, o->f, a), y = fp_unpack(o, o->f, b);
    bool sign = x.sign != y.sign;
    if (fp_is_nan(&x) || fp_is_nan(&y))
        return fp_pick_nan(o, (const FpNum *[]){ &x, &y }, 2);
    if (x.kind == y.kind && x.kind != FP_KIND_FINITE)
        return fp_invalid(o); /* 0 / 0, inf / inf */
    if (x.kind == FP_KIND_INF)
        return fp_inf(o, sign);
    if (y.kind == FP_KIND_INF || x.kind == FP_KIND_ZERO)
        return fp_zero(o, sign);
    if (y.kind == FP_KIND_ZERO) {
        o->flags |= IR_FPX_DIVZERO;
        return fp_inf(o, sign);
    }
    unsigned up = NORM_BIT - fp_msb(x.sig); /* a quotient of at least 72 bits */
    x.sig <<= up;
    U128 q = x.sig / y.sig;
    return fp_round(o, sign, q | (x.sig % y.sig != 0), x.exp - (int)up - y.exp);
}

/* The integer square root; *ret_exact. One bit of the root a step. */
static uint64_t integer_sqrt(U128 x, bool *ret_exact)
{
    U128 root = 0, rest = x;
    for (U128 bit = (U128)1 << 126; bit; bit >>= 2) {
        U128 trial = root + bit;
        root >>= 1;
        if (rest >= trial) {
            rest -= trial;
            root += bit;
        }
    }
    *ret_exact = rest == 0;
    return (uint64_t)root;
}

uint64_t fp_sqrt(FpOp *o, uint64_t a)
{
    FpNum x = fp_unpack(o, o->f, a);
    if (fp_is_nan(&x))
        return fp_pick_nan(o, (const FpNum *[]){ &x }, 1);
    if (x.kind == FP_KIND_ZERO)
        return fp_zero(o, x.sign);
    if (x.sign)
        return fp_invalid(o);
    if (x.kind == FP_KIND_INF)
        return fp_inf(o, false);
    unsigned up = NORM_BIT - fp_msb(x.sig);
    up -= (unsigned)(x.exp - (int)up) & 1; /* an even exponent */
    bool exact;
    uint64_t root = integer_sqrt(x.sig << up, &exact);
    return fp_round(o, false, (U128)root << 1 | !exact, (x.exp - (int)up) / 2 - 1);
}

uint64_t fp_fma(FpOp *o, uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t sign_bit = 1ull << (o->f->bits - 1);
    FpNum z = fp_unpack(o, o->f, o->attr & IR_FP_NEG_ADDEND ? c ^ sign_bit : c);
    FpNum x = fp_unpack(o, o->f, o->attr & IR_FP_NEG_PRODUCT ? a ^ sign_bit : a);
    FpNum y = fp_unpack(o, o->f, b);
    bool zero_by_inf = (x.kind == FP_KIND_INF && y.kind == FP_KIND_ZERO) ||
                       (x.kind == FP_KIND_ZERO && y.kind == FP_KIND_INF);
    /* Arm ARM, FPMulAdd(): a quiet addend gives way to the invalid product; RISC-V Unpriv §21.6
     * raises invalid there too. */
    if (zero_by_inf && z.kind != FP_KIND_SNAN)
        return fp_invalid(o);
    if (fp_is_nan(&x) || fp_is_nan(&y) || fp_is_nan(&z))
        return fp_pick_nan(o, (const FpNum *[]){ &z, &x, &y }, 3);
    bool sign = x.sign != y.sign;
    if (x.kind == FP_KIND_INF || y.kind == FP_KIND_INF)
        return z.kind == FP_KIND_INF && z.sign != sign ? fp_invalid(o) : fp_inf(o, sign);
    if (z.kind == FP_KIND_INF)
        return fp_inf(o, z.sign);
    FpNum product = { .sign = sign, .sig = x.sig * y.sig, .exp = x.exp + y.exp };
    return add_finite(o, product, z);
}

/* Which is less, both not NaN; zeros are equal. */
static FpOrder order(const FpNum *a, const FpNum *b)
{
    bool za = a->kind == FP_KIND_ZERO, zb = b->kind == FP_KIND_ZERO;
    if (za && zb)
        return FP_EQUAL;
    if (za || zb || a->sign != b->sign) {
        bool negative = za ? !b->sign : a->sign;
        return negative ? FP_LESS : FP_GREATER;
    }
    /* Formats are made so that magnitudes compare as integers. */
    if (a->bits == b->bits)
        return FP_EQUAL;
    return (a->bits < b->bits) != a->sign ? FP_LESS : FP_GREATER;
}

static uint64_t min_max(FpOp *o, bool max, const FpNum *a, const FpNum *b)
{
    if (fp_is_nan(a) || fp_is_nan(b))
        return fp_pick_nan(o, (const FpNum *[]){ a, b }, 2);
    FpOrder r = order(a, b);
    if (r == FP_EQUAL && a->kind == FP_KIND_ZERO) /* -0 is less than +0 */
        return fp_zero(o, max ? a->sign && b->sign : a->sign || b->sign);
    return (r == FP_LESS) != max ? a->bits : b->bits;
}

uint64_t fp_min_max(FpOp *o, bool max, uint64_t a, uint64_t b)
{
    FpNum x = fp_unpack(o, o->f, a), y = fp_unpack(o, o->f, b);
    return min_max(o, max, &x, &y);
}

uint64_t fp_min_max_num(FpOp *o, bool max, uint64_t a, uint64_t b)
{
    FpNum x = fp_unpack(o, o->f, a), y = fp_unpack(o, o->f, b);
    bool nx = fp_is_nan(&x), ny = fp_is_nan(&y);
    if (nx != ny) {
        const FpNum *nan = nx ? &x : &y, *number = nx ? &y : &x;
        /* RISC-V Unpriv §21.6: a signalling NaN raises invalid and still loses. */
        bool loses = nan->kind == FP_KIND_QNAN || (o->attr & IR_FP_MINMAX_RISCV);
        if (nan->kind == FP_KIND_SNAN)
            o->flags |= IR_FPX_INVALID;
        if (loses)
            return number->bits;
    }
    return min_max(o, max, &x, &y);
}

FpOrder fp_compare(FpOp *o, bool signaling, uint64_t a, uint64_t b)
{
    FpNum x = fp_unpack(o, o->f, a), y = fp_unpack(o, o->f, b);
    if (fp_is_nan(&x) || fp_is_nan(&y)) {
        if (signaling || x.kind == FP_KIND_SNAN || y.kind == FP_KIND_SNAN)
            o->flags |= IR_FPX_INVALID;
        return FP_UNORDERED;
    }
    return order(&x, &y);
}
