/* data plane */
/* Formats, unpacking, rounding, NaNs. IEEE 754-2019 §3.4, §4.3, §7; where guests differ,
 * see below. */
#include "translator/softfp/softfp.h"

const FpFormat fp_half = { 16, 10, 5, false };
const FpFormat fp_single = { 32, 23, 8, false };
const FpFormat fp_double = { 64, 52, 11, false };
const FpFormat fp_alt_half = { 16, 10, 5, true };

static int bias(const FpFormat *f)
{
    return (1 << (f->exp_bits - 1)) - 1;
}

static unsigned exp_max(const FpFormat *f)
{
    return (1u << f->exp_bits) - 1;
}

static uint64_t frac_mask(const FpFormat *f)
{
    return (1ull << f->frac_bits) - 1;
}

static uint64_t assemble(const FpFormat *f, bool sign, unsigned exp, uint64_t frac)
{
    return (uint64_t)sign << (f->bits - 1) | (uint64_t)exp << f->frac_bits | frac;
}

unsigned fp_msb(U128 sig)
{
    uint64_t hi = (uint64_t)(sig >> 64);
    return hi ? 127 - (unsigned)__builtin_clzll(hi) : 63 - (unsigned)__builtin_clzll((uint64_t)sig);
}

U128 fp_shift_jam(U128 sig, unsigned n)
{
    if (n == 0)
        return sig;
    if (n > 127)
        return sig != 0;
    return sig >> n | ((sig & (((U128)1 << n) - 1)) != 0);
}

uint64_t fp_inf(const FpOp *o, bool sign)
{
    return assemble(o->f, sign, exp_max(o->f), 0);
}

uint64_t fp_zero(const FpOp *o, bool sign)
{
    return assemble(o->f, sign, 0, 0);
}

uint64_t fp_default_nan(const FpOp *o)
{
    return assemble(o->f, false, exp_max(o->f), 1ull << (o->f->frac_bits - 1));
}

uint64_t fp_invalid(FpOp *o)
{
    o->flags |= IR_FPX_INVALID;
    return fp_default_nan(o);
}

bool fp_is_nan(const FpNum *x)
{
    return x->kind == FP_KIND_QNAN || x->kind == FP_KIND_SNAN;
}

static FpNum unpack_denormal(FpOp *o, const FpFormat *f, FpNum n, uint64_t frac)
{
    if (frac && o->flush) {
        /* Arm ARM DDI 0487, FPUnpackBase(): IDC is not set for half precision. */
        if (f->bits != 16)
            o->flags |= IR_FPX_DENORMAL;
        n.bits = assemble(f, n.sign, 0, 0);
        frac = 0;
    }
    n.kind = frac ? FP_KIND_FINITE : FP_KIND_ZERO;
    n.sig = frac;
    n.exp = 1 - bias(f) - f->frac_bits;
    return n;
}

FpNum fp_unpack(FpOp *o, const FpFormat *f, uint64_t bits)
{
    uint64_t frac = bits & frac_mask(f);
    unsigned exp = (unsigned)(bits >> f->frac_bits) & exp_max(f);
    FpNum n = { .sign = bits >> (f->bits - 1) & 1, .bits = bits };
    if (exp == 0)
        return unpack_denormal(o, f, n, frac);
    if (exp == exp_max(f) && !f->no_specials) {
        bool quiet = frac >> (f->frac_bits - 1);
        n.kind = frac == 0 ? FP_KIND_INF : quiet ? FP_KIND_QNAN : FP_KIND_SNAN;
        return n;
    }
    n.kind = FP_KIND_FINITE;
    n.sig = frac | 1ull << f->frac_bits;
    n.exp = (int)exp - bias(f) - f->frac_bits;
    return n;
}

uint64_t fp_pick_nan(FpOp *o, const FpNum *const *x, unsigned n)
{
    const FpNum *first = NULL;
    for (unsigned k = 0; k < n; k++)
        if (x[k]->kind == FP_KIND_SNAN) {
            o->flags |= IR_FPX_INVALID;
            first = x[k];
            break;
        }
    for (unsigned k = 0; k < n && !first; k++)
        if (x[k]->kind == FP_KIND_QNAN)
            first = x[k];
    if ((o->attr & IR_FP_NAN) == IR_FP_NAN_DEFAULT)
        return fp_default_nan(o);
    return first->bits | 1ull << (o->f->frac_bits - 1);
}

/* Cuts n bits off; rest: 0 nothing, 1 below half, 2 half, 3 above. */
static U128 cut(U128 sig, unsigned n, unsigned *ret_rest)
{
    if (n == 0) {
        *ret_rest = 0;
        return sig;
    }
    if (n > 127) {
        *ret_rest = sig != 0;
        return 0;
    }
    U128 rest = sig & (((U128)1 << n) - 1), half = (U128)1 << (n - 1);
    *ret_rest = rest == 0 ? 0 : rest < half ? 1 : rest == half ? 2 : 3;
    return sig >> n;
}

static U128 round_up_if(IrRound round, bool sign, U128 sig, unsigned rest)
{
    switch (round) {
    case IR_ROUND_UP: return sig + (rest && !sign);
    case IR_ROUND_DOWN: return sig + (rest && sign);
    case IR_ROUND_ZERO: return sig;
    case IR_ROUND_AWAY: return sig + (rest >= 2);
    case IR_ROUND_ODD: return sig | (rest != 0);
    default: return sig + (rest == 3 || (rest == 2 && (sig & 1)));
    }
}

U128 fp_round_integer(IrRound round, bool sign, U128 sig, int exp, bool *ret_inexact)
{
    *ret_inexact = false;
    if (exp >= 0) {
        if (sig && (exp > 126 || fp_msb(sig) + (unsigned)exp > 126))
            return (U128)1 << 127;
        return sig << exp;
    }
    unsigned rest;
    sig = cut(sig, (unsigned)-exp, &rest);
    *ret_inexact = rest != 0;
    return round_up_if(round, sign, sig, rest);
}

static uint64_t overflow(FpOp *o, bool sign)
{
    const FpFormat *f = o->f;
    if (f->no_specials) { /* Arm ARM, FPRoundBase(): invalid only, the largest number */
        o->flags |= IR_FPX_INVALID;
        return assemble(f, sign, exp_max(f), frac_mask(f));
    }
    o->flags |= IR_FPX_OVERFLOW | IR_FPX_INEXACT;
    bool to_inf = o->round == IR_ROUND_NEAREST || o->round == IR_ROUND_AWAY ||
                  o->round == (sign ? IR_ROUND_DOWN : IR_ROUND_UP);
    return to_inf ? fp_inf(o, sign) : assemble(f, sign, exp_max(f) - 1, frac_mask(f));
}

/* Is the number, rounded as if its exponent had no lower bound, below the least normal one? */
static bool tiny_after_rounding(const FpOp *o, bool sign, U128 sig, int exp)
{
    const FpFormat *f = o->f;
    int msb = (int)fp_msb(sig), drop = msb - f->frac_bits;
    if (exp + msb < -bias(f) || drop <= 0) /* below half of it, or nothing to round */
        return true;
    unsigned rest;
    U128 kept = cut(sig, (unsigned)drop, &rest);
    return round_up_if(o->round, sign, kept, rest) >> (f->frac_bits + 1) == 0;
}

uint64_t fp_round(FpOp *o, bool sign, U128 sig, int exp)
{
    const FpFormat *f = o->f;
    int least = 1 - bias(f);                    /* exponent of the least normal number */
    int top = exp + (int)fp_msb(sig);           /* exponent of this one */
    bool tiny = top < least;
    if (tiny && o->flush) {
        o->flags |= IR_FPX_UNDERFLOW;
        return fp_zero(o, sign);
    }
    int place = (tiny ? least : top) - f->frac_bits; /* of the result's last bit */
    unsigned rest = 0;
    U128 kept = place > exp ? cut(sig, (unsigned)(place - exp), &rest) : sig << (exp - place);
    kept = round_up_if(o->round, sign, kept, rest);
    if (kept >> (f->frac_bits + 1)) {
        kept >>= 1;
        place++;
    }
    /* With the hidden bit clear it is a denormal number, exponent field 0. */
    bool normal = kept >> f->frac_bits & 1;
    int biased = normal ? place + f->frac_bits + bias(f) : 0;
    if (biased > (int)exp_max(f) - !f->no_specials)
        return overflow(o, sign);
    if (rest) {
        o->flags |= IR_FPX_INEXACT;
        if (tiny && (!(o->attr & IR_FP_TINY_AFTER) || tiny_after_rounding(o, sign, sig, exp)))
            o->flags |= IR_FPX_UNDERFLOW;
    }
    return assemble(f, sign, (unsigned)biased, (uint64_t)kept & frac_mask(f));
}
