/* data plane */
/*
 * The x86-64 host: registers and their roles, processor features.
 *
 * Contract between units, at every entry and exit: rbp = state pointer, rsp = private return stack,
 * the guest's variables with a home rank are in their home registers (rank n of class GPR in
 * target_gpr_home[n], of class XMM in target_xmm_home[n]), all others in Vcpu.cpu; EFLAGS, the
 * temporaries and the upper halves of YMM registers hold nothing (VEX.128 forms may be mixed with
 * legacy SSE forms only if no upper half is ever dirtied: never use 256-bit forms).
 * The direction flag is clear. MXCSR is the guest's control word.
 */
#ifndef TRANSLATOR_HOST_X86_64_TARGET_H
#define TRANSLATOR_HOST_X86_64_TARGET_H

#include <stddef.h>

#include "translator/regalloc/regalloc.h"
#include "translator/runtime/vcpu.h"

enum {
    RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15,
    XMM0, XMM1, XMM2, XMM3, XMM4, XMM5, XMM6, XMM7, XMM8, XMM9, XMM10, XMM11, XMM12, XMM13, XMM14,
    XMM15,
    BASE_POOL = 0x40, /* as Mem.base: the constant pool */
    BASE_GUEST,       /* an address that is relocated with the guest's code, below 2 GiB */
};
enum { REG_STATE = RBP };

enum { N_GPR_HOMES = 11, N_XMM_HOMES = 11 };
/* rax, rcx, rdx and xmm0 … xmm4 are nobody's home. */
static const Reg target_gpr_home[N_GPR_HOMES] = { RBX, RSI, RDI, R8, R9, R10, R11, R14, R15, R12,
                                                  R13 };
static const Reg target_xmm_home[N_XMM_HOMES] = { XMM5, XMM6, XMM7, XMM8, XMM9, XMM10, XMM11, XMM12,
                                                  XMM13, XMM14, XMM15 };
#define TARGET_GPRS (0xffffu & ~(1u << RSP | 1u << RBP))
#define TARGET_XMMS 0xffff0000u
/* Registers that a C function may change (System V ABI). */
#define TARGET_CALLER_SAVED (1u << RAX | 1u << RCX | 1u << RDX | 1u << RSI | 1u << RDI | \
                             1u << R8 | 1u << R9 | 1u << R10 | 1u << R11 | TARGET_XMMS)

/* rbp points into the Vcpu so that what every loop asks and all of the guest's general registers,
 * with AArch64's flags, are within reach of an 8-bit displacement. */
enum { STATE_BIAS = offsetof(Vcpu, kicked) + 128 };
#define STATE_DISP(offset) ((int32_t)(offset) - STATE_BIAS)
#define STATE(field) STATE_DISP(offsetof(Vcpu, field))
static inline Mem mem_state(size_t vcpu_offset)
{
    return (Mem) { REG_STATE, REG_NONE, 0, 0, STATE_DISP(vcpu_offset) };
}
#define MEM_STATE(field) mem_state(offsetof(Vcpu, field))

typedef struct HostFeatures {
    bool bmi1, bmi2, lzcnt, adx, movbe, pclmul, aes, sha, f16c, fma, avx, avx2, gfni;
    bool avx512vl; /* with F, BW, DQ */
    bool avx512_vbmi, avx512_bitalg, avx512_vpopcntdq, avx_vnni, avx512_vnni;
} HostFeatures;
void host_features_detect(HostFeatures *ret);
/* No more than a level of the System V ABI has: "x86-64-v2", "x86-64-v3". False: no such level. */
bool host_features_limit(HostFeatures *f, const char *level);

#endif
