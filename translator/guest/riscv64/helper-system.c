/* data plane */
/* C functions that translated code calls, and the status register for the rest of Calque. */
#include <time.h>

#include "translator/guest/riscv64/lift.h"

/* cycle, time and instret all count nanoseconds: a constant rate, as time must have, and never
 * backwards (Zicntr). */
uint64_t riscv_counter(Vcpu *v)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* F, "FCLASS": bit 0 -inf, 1 negative normal, 2 negative subnormal, 3 -0, 4 +0, 5 positive
 * subnormal, 6 positive normal, 7 +inf, 8 signalling NaN, 9 quiet NaN. */
uint64_t riscv_fclass(Vcpu *v, uint64_t bits, uint32_t fmt)
{
    static const struct { uint8_t exponent, fraction; } formats[] = {
        { 8, 23 }, { 11, 52 }, { 5, 10 },
    };
    unsigned n_fraction = formats[fmt].fraction, n_exponent = formats[fmt].exponent;
    uint64_t fraction = bits & ((1ull << n_fraction) - 1);
    uint64_t exponent = bits >> n_fraction & ((1ull << n_exponent) - 1);
    bool negative = bits >> (n_fraction + n_exponent) & 1;
    unsigned kind;
    if (exponent == (1ull << n_exponent) - 1) {
        if (fraction)
            return fraction >> (n_fraction - 1) ? 1 << 9 : 1 << 8;
        kind = 7;
    } else if (exponent) {
        kind = 6;
    } else {
        kind = fraction ? 5 : 4;
    }
    return 1ull << (negative ? 7 - kind : kind);
}

/* Zfa, fcvtmod.w.d: the integer part of a double modulo 2^32, sign-extended; 0 for infinities and
 * NaNs. */
uint64_t riscv_fcvtmod(Vcpu *v, uint64_t bits)
{
    int exponent = (int)(bits >> 52 & 0x7ff) - 1075; /* of the significand's lowest bit */
    uint64_t significand = (bits & ((1ull << 52) - 1)) | 1ull << 52;
    if (exponent >= 32 || exponent <= -53) /* a multiple of 2^32, not a number, or less than 1 */
        return 0;
    uint64_t integer = exponent >= 0 ? significand << exponent : significand >> -exponent;
    if (bits >> 63)
        integer = -integer;
    return (uint64_t)(int64_t)(int32_t)(uint32_t)integer;
}

static uint32_t reverse5(uint32_t x)
{
    return (x & 1) << 4 | (x & 2) << 2 | (x & 4) | (x & 8) >> 2 | (x & 16) >> 4;
}

uint32_t riscv_fcsr(Vcpu *v)
{
    const RiscvCpu *cpu = vcpu_cpu(v);
    return cpu->frm << 5 | reverse5(vcpu_fp_flags(v));
}

void riscv_set_fcsr(Vcpu *v, uint32_t fcsr)
{
    static const uint8_t rounds[8] = {
        IR_ROUND_NEAREST, IR_ROUND_ZERO, IR_ROUND_DOWN, IR_ROUND_UP,
        IR_ROUND_NEAREST, IR_ROUND_NEAREST, IR_ROUND_NEAREST, IR_ROUND_NEAREST,
    };
    RiscvCpu *cpu = vcpu_cpu(v);
    cpu->frm = fcsr >> 5 & 7;
    vcpu_fp_set_control(v, rounds[cpu->frm]);
    vcpu_fp_set_flags(v, reverse5(fcsr));
}
