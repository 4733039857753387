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
