/*
 * The software floating point against MPFR (values, inexact, overflow, underflow) and against the
 * manuals' rules for NaNs, invalid operations and flushing, which are written out here a second
 * time. Special values and random ones, crossed with all rounding modes, for each operation and
 * width. The seed is printed; SOFTFP_SEED and SOFTFP_ROUNDS change the run.
 */
#include <inttypes.h>
#include <mpfr.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "translator/softfp/fpref.h"

enum { EXACT_BITS = 4400 }; /* any sum or product of two doubles, and an addend */

typedef struct Format { unsigned bits, frac, exp; IrType type; } Format;
static const Format half = { 16, 10, 5, IR_VOID }, single = { 32, 23, 8, IR_F32 },
                    dbl = { 64, 52, 11, IR_F64 };
static const Format *const formats[] = { &half, &single, &dbl };

typedef struct Want { uint64_t bits; uint32_t flags; } Want;

static uint64_t rng_state;
static unsigned long n_checks;
static mpfr_t num[4], exact, scaled;

static uint64_t rnd(void)
{
    rng_state ^= rng_state << 13;
    rng_state ^= rng_state >> 7;
    rng_state ^= rng_state << 17;
    return rng_state * 0x2545f4914f6cdd1dull;
}

/* -- numbers ----------------------------------------------------------------------------------- */
static uint64_t ones(unsigned n) { return n == 64 ? ~0ull : (1ull << n) - 1; }
static int bias(const Format *f) { return (1 << (f->exp - 1)) - 1; }
static uint64_t sign_bit(const Format *f) { return 1ull << (f->bits - 1); }
static uint64_t inf_bits(const Format *f) { return ones(f->exp) << f->frac; }
static uint64_t quiet_bit(const Format *f) { return 1ull << (f->frac - 1); }
static uint64_t default_nan(const Format *f) { return inf_bits(f) | quiet_bit(f); }
static bool is_nan(const Format *f, uint64_t x) { return (x & ~sign_bit(f)) > inf_bits(f); }
static bool is_snan(const Format *f, uint64_t x) { return is_nan(f, x) && !(x & quiet_bit(f)); }
static bool is_inf(const Format *f, uint64_t x) { return (x & ~sign_bit(f)) == inf_bits(f); }
static bool is_zero(const Format *f, uint64_t x) { return !(x & ~sign_bit(f)); }
static bool is_neg(const Format *f, uint64_t x) { return x & sign_bit(f); }

static bool is_denormal(const Format *f, uint64_t x)
{
    return !(x & inf_bits(f)) && !is_zero(f, x);
}

static void to_mpfr(mpfr_t r, const Format *f, uint64_t x)
{
    uint64_t frac = x & ones(f->frac);
    int exp = (int)(x >> f->frac & ones(f->exp));
    mpfr_set_ui_2exp(r, exp ? frac | 1ull << f->frac : frac,
                     (exp ? exp : 1) - bias(f) - (int)f->frac, MPFR_RNDN);
    if (is_neg(f, x))
        mpfr_neg(r, r, MPFR_RNDN);
}

/* A nonzero mpfr as an integer multiple of 2^place, rounded. True: it wasn't exact. */
static bool round_at(mpfr_t r, const mpfr_t x, long place, IrRound round)
{
    mpfr_mul_2si(scaled, x, -place, MPFR_RNDN);
    switch (round) {
    case IR_ROUND_UP: mpfr_ceil(r, scaled); break;
    case IR_ROUND_DOWN: mpfr_floor(r, scaled); break;
    case IR_ROUND_ZERO: case IR_ROUND_ODD: mpfr_trunc(r, scaled); break;
    case IR_ROUND_AWAY: mpfr_round(r, scaled); break;
    default: mpfr_roundeven(r, scaled); break;
    }
    bool inexact = !mpfr_equal_p(r, scaled);
    if (round == IR_ROUND_ODD && inexact) {
        mpfr_div_2ui(scaled, r, 1, MPFR_RNDN);
        if (mpfr_integer_p(scaled)) /* even: one away from zero */
            mpfr_add_si(r, r, mpfr_signbit(exact) ? -1 : 1, MPFR_RNDN);
    }
    mpfr_mul_2si(r, r, place, MPFR_RNDN);
    return inexact;
}

static uint64_t encode(const Format *f, const mpfr_t x, bool negative)
{
    uint64_t sign = negative ? sign_bit(f) : 0;
    if (mpfr_zero_p(x))
        return sign;
    long exp = mpfr_get_exp(x) - 1, least = 1 - bias(f);
    long place = (exp < least ? least : exp) - (long)f->frac;
    mpfr_mul_2si(scaled, x, -place, MPFR_RNDN);
    mpfr_abs(scaled, scaled, MPFR_RNDN);
    uint64_t sig = mpfr_get_uj(scaled, MPFR_RNDN);
    if (!(sig >> f->frac))
        return sign | sig;
    return sign | (uint64_t)(exp + bias(f)) << f->frac | (sig & ones(f->frac));
}

typedef struct Case {
    const Format *f;  /* of the result */
    unsigned attr;
    IrRound round;
    bool flush;
} Case;

/* `exact`, nonzero, as the format's number. IEEE 754-2019 §4.3, §7.4, §7.5. */
static Want rounded(const Case *c)
{
    const Format *f = c->f;
    Want w = { 0, 0 };
    bool negative = mpfr_signbit(exact);
    long exp = mpfr_get_exp(exact) - 1, least = 1 - bias(f);
    if (exp < least && c->flush)
        return (Want){ negative ? sign_bit(f) : 0, IR_FPX_UNDERFLOW };
    bool tiny = exp < least;
    bool inexact = round_at(num[3], exact, (tiny ? least : exp) - (long)f->frac, c->round);
    if (!mpfr_zero_p(num[3]) && mpfr_get_exp(num[3]) - 1 > bias(f)) {
        bool to_inf = c->round == IR_ROUND_NEAREST || c->round == IR_ROUND_AWAY ||
                      (c->round == IR_ROUND_UP && !negative) ||
                      (c->round == IR_ROUND_DOWN && negative);
        w.bits = (negative ? sign_bit(f) : 0) | (to_inf ? inf_bits(f) : inf_bits(f) - 1);
        w.flags = IR_FPX_OVERFLOW | IR_FPX_INEXACT;
        return w;
    }
    w.bits = encode(f, num[3], negative);
    if (inexact) {
        w.flags |= IR_FPX_INEXACT;
        if (tiny && (c->attr & IR_FP_TINY_AFTER)) {
            round_at(num[3], exact, exp - (long)f->frac, c->round);
            tiny = mpfr_get_exp(num[3]) - 1 < least;
        }
        if (tiny)
            w.flags |= IR_FPX_UNDERFLOW;
    }
    return w;
}

/* -- the manuals' rules ------------------------------------------------------------------------ */
static Want invalid(const Format *f) { return (Want){ default_nan(f), IR_FPX_INVALID }; }

/* x holds the operands in order of preference. */
static Want nan_of(const Case *c, const uint64_t *x, unsigned n)
{
    const Format *f = c->f;
    Want w = { default_nan(f), 0 };
    const uint64_t *pick = NULL;
    for (unsigned k = 0; k < n; k++)
        if (is_snan(f, x[k])) {
            w.flags = IR_FPX_INVALID;
            pick = pick && is_snan(f, *pick) ? pick : &x[k];
        } else if (is_nan(f, x[k]) && !pick) {
            pick = &x[k];
        }
    if ((c->attr & IR_FP_NAN) == IR_FP_NAN_ARM)
        w.bits = *pick | quiet_bit(f);
    return w;
}

static uint64_t flush_input(const Case *c, const Format *f, uint64_t x, uint32_t *flags)
{
    if (!c->flush || !is_denormal(f, x))
        return x;
    if (f->bits != 16)
        *flags |= IR_FPX_DENORMAL;
    return x & sign_bit(f);
}

/* Result of an exact zero in a sum. */
static Want sum_zero(const Case *c, bool sign_a, bool sign_b)
{
    bool negative = sign_a == sign_b ? sign_a : c->round == IR_ROUND_DOWN;
    return (Want){ negative ? sign_bit(c->f) : 0, 0 };
}

static Want want_add(const Case *c, uint64_t a, uint64_t b)
{
    const Format *f = c->f;
    if (is_inf(f, a) && is_inf(f, b) && a != b)
        return invalid(f);
    if (is_inf(f, a) || is_inf(f, b))
        return (Want){ is_inf(f, a) ? a : b, 0 };
    to_mpfr(num[0], f, a);
    to_mpfr(num[1], f, b);
    mpfr_add(exact, num[0], num[1], MPFR_RNDN);
    return mpfr_zero_p(exact) ? sum_zero(c, is_neg(f, a), is_neg(f, b)) : rounded(c);
}

static Want want_mul(const Case *c, uint64_t a, uint64_t b)
{
    const Format *f = c->f;
    uint64_t sign = (a ^ b) & sign_bit(f);
    if ((is_inf(f, a) && is_zero(f, b)) || (is_zero(f, a) && is_inf(f, b)))
        return invalid(f);
    if (is_inf(f, a) || is_inf(f, b))
        return (Want){ sign | inf_bits(f), 0 };
    if (is_zero(f, a) || is_zero(f, b))
        return (Want){ sign, 0 };
    to_mpfr(num[0], f, a);
    to_mpfr(num[1], f, b);
    mpfr_mul(exact, num[0], num[1], MPFR_RNDN);
    return rounded(c);
}

/* Makes `exact` of a quotient or root cut off to 300 bits: what was lost shows in one more bit. */
static void stick(int ternary)
{
    if (!ternary)
        return;
    mpfr_set_ui_2exp(scaled, 1, mpfr_get_exp(exact) - 320, MPFR_RNDN);
    if (mpfr_signbit(exact))
        mpfr_sub(exact, exact, scaled, MPFR_RNDN);
    else
        mpfr_add(exact, exact, scaled, MPFR_RNDN);
}

static Want want_div(const Case *c, uint64_t a, uint64_t b)
{
    const Format *f = c->f;
    uint64_t sign = (a ^ b) & sign_bit(f);
    if ((is_inf(f, a) && is_inf(f, b)) || (is_zero(f, a) && is_zero(f, b)))
        return invalid(f);
    if (is_inf(f, a))
        return (Want){ sign | inf_bits(f), 0 };
    if (is_zero(f, b))
        return (Want){ sign | inf_bits(f), IR_FPX_DIVZERO };
    if (is_inf(f, b) || is_zero(f, a))
        return (Want){ sign, 0 };
    to_mpfr(num[0], f, a);
    to_mpfr(num[1], f, b);
    mpfr_t q;
    mpfr_init2(q, 300);
    int ternary = mpfr_div(q, num[0], num[1], MPFR_RNDZ);
    mpfr_set(exact, q, MPFR_RNDN);
    mpfr_clear(q);
    stick(ternary);
    return rounded(c);
}

static Want want_sqrt(const Case *c, uint64_t a)
{
    const Format *f = c->f;
    if (is_zero(f, a))
        return (Want){ a, 0 };
    if (is_neg(f, a))
        return invalid(f);
    if (is_inf(f, a))
        return (Want){ a, 0 };
    to_mpfr(num[0], f, a);
    mpfr_t q;
    mpfr_init2(q, 300);
    int ternary = mpfr_sqrt(q, num[0], MPFR_RNDZ);
    mpfr_set(exact, q, MPFR_RNDN);
    mpfr_clear(q);
    stick(ternary);
    return rounded(c);
}

static Want want_fma(const Case *c, uint64_t a, uint64_t b, uint64_t z)
{
    const Format *f = c->f;
    bool bad = (is_inf(f, a) && is_zero(f, b)) || (is_zero(f, a) && is_inf(f, b));
    if (bad && !is_snan(f, z))
        return invalid(f);
    if (is_nan(f, a) || is_nan(f, b) || is_nan(f, z))
        return nan_of(c, (uint64_t[]){ z, a, b }, 3);
    uint64_t sign = (a ^ b) & sign_bit(f);
    if (is_inf(f, a) || is_inf(f, b)) {
        if (is_inf(f, z) && (z & sign_bit(f)) != sign)
            return invalid(f);
        return (Want){ sign | inf_bits(f), 0 };
    }
    if (is_inf(f, z))
        return (Want){ z, 0 };
    to_mpfr(num[0], f, a);
    to_mpfr(num[1], f, b);
    to_mpfr(num[2], f, z);
    mpfr_fma(exact, num[0], num[1], num[2], MPFR_RNDN);
    return mpfr_zero_p(exact) ? sum_zero(c, sign != 0, is_neg(f, z)) : rounded(c);
}

static int compare(const Format *f, uint64_t a, uint64_t b)
{
    if (is_inf(f, a) || is_inf(f, b)) {
        int x = is_inf(f, a) ? is_neg(f, a) ? -1 : 1 : 0,
            y = is_inf(f, b) ? is_neg(f, b) ? -1 : 1 : 0;
        return x - y;
    }
    to_mpfr(num[0], f, a);
    to_mpfr(num[1], f, b);
    return mpfr_cmp(num[0], num[1]);
}

static Want want_min_max(const Case *c, bool max, bool number, uint64_t a, uint64_t b)
{
    const Format *f = c->f;
    if (is_nan(f, a) != is_nan(f, b) && number) {
        uint64_t nan = is_nan(f, a) ? a : b, other = is_nan(f, a) ? b : a;
        if (!is_snan(f, nan))
            return (Want){ other, 0 };
        if (c->attr & IR_FP_MINMAX_RISCV)
            return (Want){ other, IR_FPX_INVALID };
    }
    if (is_nan(f, a) || is_nan(f, b))
        return nan_of(c, (uint64_t[]){ a, b }, 2);
    int order = compare(f, a, b);
    if (order == 0) /* zeros of both signs, or the same */
        return (Want){ max ? a & b : a | b, 0 };
    return (Want){ (order < 0) == max ? b : a, 0 };
}

static Want want_round(const Case *c, uint64_t a)
{
    const Format *f = c->f;
    if (is_inf(f, a) || is_zero(f, a))
        return (Want){ a, 0 };
    to_mpfr(exact, f, a);
    bool inexact = round_at(num[3], exact, 0, c->round);
    return (Want){ encode(f, num[3], is_neg(f, a)),
                   inexact && (c->attr & IR_FP_EXACT) ? IR_FPX_INEXACT : 0 };
}

static Want want_convert(const Case *c, const Format *from, uint64_t a)
{
    const Format *to = c->f;
    uint64_t sign = is_neg(from, a) ? sign_bit(to) : 0;
    bool ahp = (c->attr & IR_FP_AHP) && to->bits == 16;
    if (ahp && is_nan(from, a))
        return (Want){ sign, IR_FPX_INVALID };
    if (ahp && is_inf(from, a))
        return (Want){ sign | 0x7fff, IR_FPX_INVALID };
    if (is_nan(from, a)) {
        Want w = { default_nan(to), is_snan(from, a) ? IR_FPX_INVALID : 0 };
        uint64_t frac = a & ones(from->frac);
        frac = to->frac > from->frac ? frac << (to->frac - from->frac)
                                     : frac >> (from->frac - to->frac);
        if ((c->attr & IR_FP_NAN) == IR_FP_NAN_ARM)
            w.bits = sign | inf_bits(to) | quiet_bit(to) | frac;
        return w;
    }
    if (is_inf(from, a))
        return (Want){ sign | inf_bits(to), 0 };
    if (is_zero(from, a))
        return (Want){ sign, 0 };
    to_mpfr(exact, from, a);
    if (!ahp)
        return rounded(c);
    /* One binade more than the IEEE half has; beyond it the largest number and invalid. */
    mpfr_set_ui(num[0], 131008 + 32, MPFR_RNDN);
    long exp = mpfr_get_exp(exact) - 1, least = -14;
    bool inexact = round_at(num[3], exact, (exp < least ? least : exp) - 10, c->round);
    if (mpfr_cmp_si(num[3], 131008) > 0 || mpfr_cmp_si(num[3], -131008) < 0)
        return (Want){ sign | 0x7fff, IR_FPX_INVALID };
    uint32_t flags = inexact ? IR_FPX_INEXACT | (exp < least ? IR_FPX_UNDERFLOW : 0) : 0;
    return (Want){ encode(to, num[3], sign != 0), flags };
}

static Want want_to_int(const Case *c, const Format *from, unsigned bits, unsigned fraction,
                        uint64_t a)
{
    bool u = c->attr & IR_FP_UNSIGNED;
    uint64_t max = u ? ones(bits) : ones(bits - 1), min = u ? 0 : 1ull << (bits - 1);
    if (is_nan(from, a))
        return (Want){ c->attr & IR_FP_NAN2INT_MAX ? max : 0, IR_FPX_INVALID };
    if (is_inf(from, a))
        return (Want){ is_neg(from, a) ? min : max, IR_FPX_INVALID };
    if (is_zero(from, a))
        return (Want){ 0, 0 };
    to_mpfr(exact, from, a);
    mpfr_mul_2ui(exact, exact, fraction, MPFR_RNDN);
    bool inexact = round_at(num[3], exact, 0, c->round);
    mpfr_set_uj(num[0], max, MPFR_RNDN);
    if (mpfr_cmp(num[3], num[0]) > 0)
        return (Want){ max, IR_FPX_INVALID };
    mpfr_set_uj(num[0], min, MPFR_RNDN);
    mpfr_neg(num[0], num[0], MPFR_RNDN);
    if (mpfr_cmp(num[3], num[0]) < 0)
        return (Want){ min, IR_FPX_INVALID };
    mpfr_abs(num[0], num[3], MPFR_RNDN);
    uint64_t n = mpfr_get_uj(num[0], MPFR_RNDN);
    return (Want){ (mpfr_signbit(num[3]) ? 0 - n : n) & ones(bits), inexact ? IR_FPX_INEXACT : 0 };
}

static Want want_from_int(const Case *c, unsigned bits, unsigned fraction, uint64_t a)
{
    a &= ones(bits);
    if (!a)
        return (Want){ 0, 0 };
    bool negative = !(c->attr & IR_FP_UNSIGNED) && a >> (bits - 1);
    mpfr_set_uj(exact, negative ? (0 - a) & ones(bits) : a, MPFR_RNDN);
    if (negative)
        mpfr_neg(exact, exact, MPFR_RNDN);
    mpfr_div_2ui(exact, exact, fraction, MPFR_RNDN);
    return rounded(c);
}

/* -- the crossing ------------------------------------------------------------------------------ */
static const char *const round_names[] = { "dyn", "nearest", "up", "down", "zero", "away", "odd" };

static void check(const char *name, const Case *c, unsigned from_bits, uint64_t a, uint64_t b,
                  uint64_t z, Want want, uint64_t got, uint32_t flags)
{
    n_checks++;
    if (got == want.bits && flags == want.flags)
        return;
    printf("FAIL %s: %u to %u bits, round %s, attr %#x%s: %#" PRIx64 ", %#" PRIx64 ", %#" PRIx64
           " gives %#" PRIx64 " flags %#x, not %#" PRIx64 " flags %#x\n",
           name, from_bits, c->f->bits, round_names[c->round], c->attr, c->flush ? ", flush" : "",
           a, b, z, got, flags, want.bits, want.flags);
    exit(1);
}

static const struct { IrOp op; unsigned n_args; } arith[] = {
    { IR_fadd, 2 }, { IR_fsub, 2 }, { IR_fmul, 2 }, { IR_fdiv, 2 }, { IR_fsqrt, 1 }, { IR_fma, 3 },
    { IR_fmin, 2 }, { IR_fmax, 2 }, { IR_fminnm, 2 }, { IR_fmaxnm, 2 }, { IR_fround, 1 },
};

static Want want_arith(const Case *c, IrOp op, uint64_t a, uint64_t b, uint64_t z)
{
    const Format *f = c->f;
    uint32_t flags = 0;
    if (op == IR_fma && (c->attr & IR_FP_NEG_PRODUCT))
        a ^= sign_bit(f);
    if (op == IR_fma && (c->attr & IR_FP_NEG_ADDEND))
        z ^= sign_bit(f);
    a = flush_input(c, f, a, &flags);
    if (op != IR_fsqrt && op != IR_fround)
        b = flush_input(c, f, b, &flags);
    if (op == IR_fma)
        z = flush_input(c, f, z, &flags);
    Want w;
    bool one = op == IR_fsqrt || op == IR_fround;
    bool own_nans = op == IR_fma || op == IR_fminnm || op == IR_fmaxnm;
    if (!own_nans && (is_nan(f, a) || (!one && is_nan(f, b))))
        w = nan_of(c, (uint64_t[]){ a, b }, one ? 1 : 2);
    else
        switch (op) {
        case IR_fadd: w = want_add(c, a, b); break;
        case IR_fsub: w = want_add(c, a, b ^ sign_bit(f)); break;
        case IR_fmul: w = want_mul(c, a, b); break;
        case IR_fdiv: w = want_div(c, a, b); break;
        case IR_fsqrt: w = want_sqrt(c, a); break;
        case IR_fma: w = want_fma(c, a, b, z); break;
        case IR_fround: w = want_round(c, a); break;
        default:
            w = want_min_max(c, op == IR_fmax || op == IR_fmaxnm,
                             op == IR_fminnm || op == IR_fmaxnm, a, b);
            break;
        }
    w.flags |= flags;
    return w;
}

static void check_arith(const Case *c, IrOp op, uint64_t a, uint64_t b, uint64_t z)
{
    FpEnv env = { .round = c->round, .flush = c->flush };
    /* Static rounding and dynamic rounding must be the same. */
    unsigned attr = c->attr | (rnd() & 1 ? c->round : IR_ROUND_DYN);
    uint64_t got = c->f->bits == 16
                       ? fpref_half(op, IR_VOID, 0, attr, 0, a, b, z, &env)
                       : fpref_scalar(op, c->f->type, c->f->type, 0, attr, 0, a, b, z, &env);
    check(ir_op_info[op].name, c, c->f->bits, a, b, z, want_arith(c, op, a, b, z), got, env.flags);
}

static void check_compare(const Case *c, uint64_t a, uint64_t b)
{
    static const IrCc ccs[] = { IR_FCMP_EQ, IR_FCMP_LT, IR_FCMP_LE, IR_FCMP_UN };
    const Format *f = c->f;
    uint32_t flags = 0;
    uint64_t x = flush_input(c, f, a, &flags), y = flush_input(c, f, b, &flags);
    bool un = is_nan(f, x) || is_nan(f, y);
    if (is_snan(f, x) || is_snan(f, y) || (un && (c->attr & IR_FP_SIGNALING)))
        flags |= IR_FPX_INVALID;
    int order = un ? 0 : compare(f, x, y);
    const uint64_t want[] = { !un && order == 0, !un && order < 0, !un && order <= 0, un };
    for (unsigned n = 0; n < 4; n++) {
        FpEnv env = { .round = c->round, .flush = c->flush };
        uint64_t got = f->bits == 16 ? fpref_half(IR_fcmp, IR_I1, ccs[n], c->attr, 0, a, b, 0, &env)
                                     : fpref_scalar(IR_fcmp, IR_I1, f->type, ccs[n], c->attr, 0, a,
                                                    b, 0, &env);
        check("fcmp", c, f->bits, a, b, ccs[n], (Want){ want[n], flags }, got, env.flags);
    }
    if (f->bits == 16)
        return;
    FpEnv env = { .round = c->round, .flush = c->flush };
    uint64_t nzcv = un ? 3 : order < 0 ? 8 : order == 0 ? 6 : 2;
    uint64_t got = fpref_scalar(IR_flfcmp, IR_FLAGS, f->type, 0, c->attr, 0, a, b, 0, &env);
    check("flfcmp", c, f->bits, a, b, 0, (Want){ nzcv << 28, flags }, got, env.flags);
}

static void check_conversion(Case c, const Format *from, uint64_t a)
{
    for (unsigned n = 0; n < 3; n++) {
        const Format *to = formats[n];
        if (to == from)
            continue;
        Case k = c;
        k.f = to;
        k.flush = c.flush && to->bits != 16;
        uint32_t flags = 0;
        uint64_t x = a;
        if (from->bits != 16)
            x = flush_input(&c, from, a, &flags);
        Want w = from->bits == 16 && (c.attr & IR_FP_AHP) && (a & 0x7c00) == 0x7c00
                     ? (Want){ 0, 0 } : want_convert(&k, from, x);
        if (from->bits == 16 && (c.attr & IR_FP_AHP) && (a & 0x7c00) == 0x7c00) {
            mpfr_set_ui_2exp(exact, 0x400 | (a & 0x3ff), 16 - 10, MPFR_RNDN);
            w = (Want){ encode(to, exact, a >> 15 & 1), 0 };
        }
        w.flags |= flags;
        FpEnv env = { .round = c.round, .flush = c.flush };
        IrOp op = from->bits == 16 ? IR_h2f : to->bits == 16 ? IR_f2h : IR_fcvt;
        uint64_t got = fpref_scalar(op, to->bits == 16 ? IR_I32 : to->type,
                                    from->bits == 16 ? IR_I32 : from->type, 0, c.attr, 0, a, 0, 0,
                                    &env);
        check(ir_op_info[op].name, &k, from->bits, a, 0, 0, w, got, env.flags);
    }
}

static void check_ints(Case c, const Format *f, uint64_t a)
{
    for (unsigned wide = 0; wide < 2; wide++) {
        unsigned bits = wide ? 64 : 32, fraction = rnd() & 1 ? 0 : rnd() % (bits + 1);
        IrType t = wide ? IR_I64 : IR_I32;
        FpEnv env = { .round = c.round, .flush = c.flush };
        uint32_t flags = 0;
        c.f = f;
        Want w = want_to_int(&c, f, bits, fraction, flush_input(&c, f, a, &flags));
        w.flags |= flags;
        uint64_t got = f->bits == 16
                           ? fpref_half(IR_f2i, t, 0, c.attr, fraction, a, 0, 0, &env)
                           : fpref_scalar(IR_f2i, t, f->type, 0, c.attr, fraction, a, 0, 0, &env);
        check("f2i", &c, f->bits, a, bits, fraction, w, got, env.flags);

        uint64_t n = rnd() >> (rnd() & 63);
        n = (rnd() & 3 ? n : 0 - n) & ones(bits);
        env.flags = 0;
        w = want_from_int(&c, bits, fraction, n);
        got = f->bits == 16 ? fpref_half(IR_i2f, t, 0, c.attr, fraction, n, 0, 0, &env)
                            : fpref_scalar(IR_i2f, f->type, t, 0, c.attr, fraction, n, 0, 0, &env);
        check("i2f", &c, bits, n, bits, fraction, w, got, env.flags);
    }
}

/* -- values ------------------------------------------------------------------------------------ */
enum { N_SPECIAL = 26 };

static void specials(const Format *f, uint64_t *ret)
{
    uint64_t one = (uint64_t)bias(f) << f->frac, least = 1ull << f->frac;
    const uint64_t positive[N_SPECIAL / 2] = {
        0, 1, least - 1, least, least + 1, one, one + 1, one - 1, one + (1ull << f->frac) /* 2 */,
        inf_bits(f) - 1, inf_bits(f), default_nan(f) | 5, inf_bits(f) | 3 /* signalling */,
    };
    for (unsigned n = 0; n < N_SPECIAL / 2; n++) {
        ret[2 * n] = positive[n];
        ret[2 * n + 1] = positive[n] | sign_bit(f);
    }
}

/* Any bits; short significands; and exponents near each other, near the ends, near 1. */
static uint64_t random_value(const Format *f, uint64_t near)
{
    uint64_t x = rnd() & ones(f->bits);
    switch (rnd() & 7) {
    case 0: return x;
    case 1: return x & ~ones(f->frac - 3);
    case 2: return (x & ~inf_bits(f)) | (near & inf_bits(f));
    case 3: return (x & ~inf_bits(f)) | (rnd() & 3) << f->frac;
    case 4: return (x & ~inf_bits(f)) | (ones(f->exp) - 1 - (rnd() & 3)) << f->frac;
    case 5: return near ^ (rnd() & 3) ^ (rnd() & 1 ? sign_bit(f) : 0);
    default:
        return (x & ~inf_bits(f)) | ((uint64_t)bias(f) - 20 + rnd() % 80) % ones(f->exp) << f->frac;
    }
}

static unsigned random_attr(void)
{
    static const unsigned bits[] = {
        IR_FP_NAN_DEFAULT, IR_FP_NEG_PRODUCT, IR_FP_NEG_ADDEND, IR_FP_EXACT, IR_FP_UNSIGNED,
        IR_FP_SIGNALING, IR_FP_NAN2INT_MAX, IR_FP_MINMAX_RISCV, IR_FP_AHP, IR_FP_TINY_AFTER,
    };
    uint64_t r = rnd();
    unsigned attr = 0;
    for (unsigned n = 0; n < sizeof bits / sizeof *bits; n++)
        attr |= r >> n & 1 ? bits[n] : 0;
    if (attr & IR_FP_TINY_AFTER) /* the guest that has one hasn't the other */
        attr &= ~IR_FP_AHP;
    return attr;
}

static void check_all(const Format *f, IrRound round, uint64_t a, uint64_t b, uint64_t z)
{
    Case c = { .f = f, .attr = random_attr(), .round = round, .flush = (rnd() & 3) == 0 };
    for (unsigned n = 0; n < sizeof arith / sizeof *arith; n++)
        check_arith(&c, arith[n].op, a, b, z);
    check_compare(&c, a, b);
    check_conversion(c, f, a);
    check_ints(c, f, a);
}

int main(void)
{
    const char *seed = getenv("SOFTFP_SEED"), *rounds = getenv("SOFTFP_ROUNDS");
    rng_state = seed ? strtoull(seed, NULL, 0) : 0x1234567887654321ull;
    unsigned long n_random = rounds ? strtoul(rounds, NULL, 0) : 4000;
    printf("seed %#" PRIx64 "\n", rng_state);
    for (unsigned n = 0; n < 4; n++)
        mpfr_init2(num[n], EXACT_BITS);
    mpfr_inits2(EXACT_BITS, exact, scaled, (mpfr_ptr)NULL);
    for (unsigned k = 0; k < 3; k++) {
        const Format *f = formats[k];
        uint64_t special[N_SPECIAL];
        specials(f, special);
        for (IrRound round = IR_ROUND_NEAREST; round <= IR_ROUND_ODD; round++) {
            for (unsigned i = 0; i < N_SPECIAL; i++)
                for (unsigned j = 0; j < N_SPECIAL; j++)
                    check_all(f, round, special[i], special[j], special[rnd() % N_SPECIAL]);
            for (unsigned long n = 0; n < n_random; n++) {
                uint64_t a = random_value(f, special[rnd() % N_SPECIAL]);
                uint64_t b = random_value(f, rnd() & 3 ? a : special[rnd() % N_SPECIAL]);
                check_all(f, round, a, b, random_value(f, rnd() & 1 ? a : b));
            }
        }
        /* Every triple of special values for fma. */
        for (unsigned n = 0; n < N_SPECIAL * N_SPECIAL * N_SPECIAL; n++) {
            Case c = { .f = f, .attr = random_attr(), .round = (IrRound)(1 + rnd() % 6) };
            check_arith(&c, IR_fma, special[n % N_SPECIAL], special[n / N_SPECIAL % N_SPECIAL],
                        special[n / N_SPECIAL / N_SPECIAL]);
        }
    }
    printf("%lu checks\n", n_checks);
    for (unsigned n = 0; n < 4; n++)
        mpfr_clear(num[n]);
    mpfr_clears(exact, scaled, (mpfr_ptr)NULL);
    mpfr_free_cache();
    return 0;
}
