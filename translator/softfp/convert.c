/* data plane */
/* Conversions between formats, to and from integers, and to integral values. */
#include "translator/softfp/softfp.h"

/* Arm ARM, FPConvertNaN(): sign and the leading bits of the payload are kept, quieted. */
static uint64_t convert_nan(FpOp *o, const FpFormat *from, const FpNum *x)
{
    if (x->kind == FP_KIND_SNAN)
        o->flags |= IR_FPX_INVALID;
    if ((o->attr & IR_FP_NAN) == IR_FP_NAN_DEFAULT)
        return fp_default_nan(o);
    uint64_t frac = x->bits << (64 - from->frac_bits); /* left-aligned */
    return fp_inf(o, x->sign) | 1ull << (o->f->frac_bits - 1) | frac >> (64 - o->f->frac_bits);
}

/* Arm ARM, FPConvert(): what the alternative half format has no code for. */
static uint64_t convert_special_to_alt_half(FpOp *o, const FpNum *x)
{
    o->flags |= IR_FPX_INVALID;
    return fp_is_nan(x) ? fp_zero(o, x->sign) : fp_zero(o, x->sign) | 0x7fff;
}

static uint64_t convert(FpOp *o, const FpFormat *from, const FpNum *x)
{
    if (o->f->no_specials && (fp_is_nan(x) || x->kind == FP_KIND_INF))
        return convert_special_to_alt_half(o, x);
    if (fp_is_nan(x))
        return convert_nan(o, from, x);
    if (x->kind == FP_KIND_INF)
        return fp_inf(o, x->sign);
    if (x->kind == FP_KIND_ZERO)
        return fp_zero(o, x->sign);
    return fp_round(o, x->sign, x->sig, x->exp);
}

uint64_t fp_convert(FpOp *o, const FpFormat *from, uint64_t a)
{
    /* Arm ARM, FPUnpackCV() and FPRoundCV(): flush-to-zero leaves the half side alone. */
    bool flush = o->flush;
    o->flush = flush && from->bits != 16;
    FpNum x = fp_unpack(o, from, a);
    o->flush = flush && o->f->bits != 16;
    uint64_t r = convert(o, from, &x);
    o->flush = flush;
    return r;
}

uint64_t fp_round_to_integral(FpOp *o, uint64_t a)
{
    FpNum x = fp_unpack(o, o->f, a);
    if (fp_is_nan(&x))
        return fp_pick_nan(o, (const FpNum *[]){ &x }, 1);
    if (x.kind != FP_KIND_FINITE || x.exp >= 0)
        return x.bits;
    bool inexact;
    U128 n = fp_round_integer(o->round, x.sign, x.sig, x.exp, &inexact);
    if (inexact && (o->attr & IR_FP_EXACT))
        o->flags |= IR_FPX_INEXACT;
    return n ? fp_round(o, x.sign, n, 0) : fp_zero(o, x.sign); /* exact */
}

/* The result for -n or n, which isn't in range. */
static uint64_t out_of_range(FpOp *o, unsigned bits, bool negative, U128 n)
{
    uint64_t top = 1ull << (bits - 1), all = top | (top - 1);
    o->flags |= IR_FPX_INVALID;
    if (o->attr & IR_FP_WRAP)
        return (uint32_t)(negative ? -n : n);
    if (o->attr & IR_FP_UNSIGNED)
        return negative ? 0 : all;
    return negative ? top : all >> 1;
}

uint64_t fp_to_int(FpOp *o, unsigned bits, unsigned fraction_bits, uint64_t a)
{
    FpNum x = fp_unpack(o, o->f, a);
    if (fp_is_nan(&x)) {
        o->flags |= IR_FPX_INVALID;
        return o->attr & IR_FP_NAN2INT_MAX ? out_of_range(o, bits, false, 0) : 0;
    }
    if (x.kind == FP_KIND_INF)
        return out_of_range(o, bits, x.sign, 0);
    if (x.kind == FP_KIND_ZERO)
        return 0;
    bool inexact;
    U128 n = fp_round_integer(o->round, x.sign, x.sig, x.exp + (int)fraction_bits, &inexact);
    U128 limit = (U128)1 << (o->attr & IR_FP_UNSIGNED ? bits : bits - 1);
    bool fits = !x.sign ? n < limit : o->attr & IR_FP_UNSIGNED ? n == 0 : n <= limit;
    if (!fits)
        return out_of_range(o, bits, x.sign, n);
    if (inexact)
        o->flags |= IR_FPX_INEXACT;
    uint64_t r = x.sign ? 0 - (uint64_t)n : (uint64_t)n;
    return bits == 64 ? r : r & ((1ull << bits) - 1);
}

uint64_t fp_from_int(FpOp *o, unsigned bits, unsigned fraction_bits, uint64_t a)
{
    a <<= 64 - bits;
    bool sign = !(o->attr & IR_FP_UNSIGNED) && a >> 63;
    a >>= 64 - bits;
    if (sign)
        a = (0 - a) & ((bits == 64 ? 0 : 1ull << bits) - 1);
    if (!a)
        return fp_zero(o, false);
    return fp_round(o, sign, a, -(int)fraction_bits);
}
