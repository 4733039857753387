/*
 * The inside of the software floating point: one generic unpacked form for all formats.
 *
 * A finite number is sig * 2^exp with an integer sig, exact until fp_round(), which is the only
 * place where precision is lost. A nonzero bit 0 of a sig that fp_round() gets may stand for "and
 * something more below" (jamming), as long as more than two bits lie between it and the result's
 * last place.
 */
#ifndef TRANSLATOR_SOFTFP_SOFTFP_H
#define TRANSLATOR_SOFTFP_SOFTFP_H

#include "translator/softfp/fpref.h"

typedef unsigned __int128 U128;
typedef __int128 S128;

typedef struct FpFormat {
    uint8_t bits, frac_bits, exp_bits;
    bool no_specials; /* Arm's alternative half precision: no infinities, no NaNs */
} FpFormat;
extern const FpFormat fp_half, fp_single, fp_double, fp_alt_half;

typedef enum FpKind {
    FP_KIND_ZERO, FP_KIND_FINITE, FP_KIND_INF, FP_KIND_QNAN, FP_KIND_SNAN
} FpKind;

typedef struct FpNum {
    FpKind kind;
    bool sign;
    int exp;
    U128 sig;
    uint64_t bits; /* as it came; NaNs are made of it */
} FpNum;

/* One operation's settings; flags gathers IR_FPX_*. */
typedef struct FpOp {
    const FpFormat *f;
    uint32_t attr;
    IrRound round;
    bool flush;
    uint32_t flags;
} FpOp;

/* pack.c */
FpNum fp_unpack(FpOp *o, const FpFormat *f, uint64_t bits); /* flushes denormals if o->flush */
uint64_t fp_round(FpOp *o, bool sign, U128 sig, int exp); /* to o->f; sig not 0 */
uint64_t fp_inf(const FpOp *o, bool sign);
uint64_t fp_zero(const FpOp *o, bool sign);
uint64_t fp_default_nan(const FpOp *o);
uint64_t fp_invalid(FpOp *o); /* the default NaN, and raises invalid */
bool fp_is_nan(const FpNum *x);
/* The result when at least one of n operands is a NaN, in the guest's order of preference. */
uint64_t fp_pick_nan(FpOp *o, const FpNum *const *x, unsigned n);
U128 fp_shift_jam(U128 sig, unsigned n); /* right, with a sticky bit 0 */
unsigned fp_msb(U128 sig);               /* number of the highest bit set */
/* sig * 2^exp rounded to an integer; *ret_inexact. Magnitudes of 2^127 and more give 2^127. */
U128 fp_round_integer(IrRound round, bool sign, U128 sig, int exp, bool *ret_inexact);

/* arith.c */
uint64_t fp_add(FpOp *o, uint64_t a, uint64_t b);
uint64_t fp_sub(FpOp *o, uint64_t a, uint64_t b);
uint64_t fp_mul(FpOp *o, uint64_t a, uint64_t b);
uint64_t fp_div(FpOp *o, uint64_t a, uint64_t b);
uint64_t fp_sqrt(FpOp *o, uint64_t a);
uint64_t fp_fma(FpOp *o, uint64_t a, uint64_t b, uint64_t c);
uint64_t fp_min_max(FpOp *o, bool max, uint64_t a, uint64_t b);
uint64_t fp_min_max_num(FpOp *o, bool max, uint64_t a, uint64_t b);
typedef enum FpOrder { FP_LESS, FP_EQUAL, FP_GREATER, FP_UNORDERED } FpOrder;
FpOrder fp_compare(FpOp *o, bool signaling, uint64_t a, uint64_t b);

/* convert.c */
uint64_t fp_convert(FpOp *o, const FpFormat *from, uint64_t a); /* to o->f */
uint64_t fp_round_to_integral(FpOp *o, uint64_t a);
uint64_t fp_to_int(FpOp *o, unsigned bits, unsigned fraction_bits, uint64_t a);
uint64_t fp_from_int(FpOp *o, unsigned bits, unsigned fraction_bits, uint64_t a);

#endif
