/*
 * The RISC-V (RV64) guest as the rest of Calque sees it: its CPU structure, its models and the
 * floating-point control and status register.
 *
 * Rules
 *  1. x[0] is never written and always 0.
 *  2. A single or half in f[] is NaN-boxed, exactly as the architecture has it.
 *  3. The sticky flags (fflags) are not here: they are the vcpu's (vcpu_fp_flags). frm is here and
 *     in the host's control word at once; riscv_set_fcsr() keeps them together.
 */
#ifndef TRANSLATOR_GUEST_RISCV64_CPU_H
#define TRANSLATOR_GUEST_RISCV64_CPU_H

#include "translator/translator.h"

typedef struct RiscvCpu {
    uint64_t x[32];
    uint64_t f[32];
    uint64_t pc;
    uint64_t reserved_addr;  /* of the last LR; all ones: no reservation (it is never aligned) */
    uint64_t reserved_value; /* what LR loaded, sign-extended */
    uint32_t frm;            /* rounding mode, 0 … 7; 5 and more are invalid */
    uint32_t unused[3];
} RiscvCpu;

enum { RISCV_NO_RESERVATION = -1 };

/* Extensions that a model may have, in the canonical order of their names. The first ones have one
 * letter, which is their bit in hwcap and misa too. */
#define RISCV_EXTENSIONS(X) \
    X(i) X(m) X(a) X(f) X(d) X(c) \
    X(zic64b) X(zicbom) X(zicbop) X(zicboz) X(zicntr) X(zicond) X(zicsr) X(zifencei) \
    X(zihintntl) X(zihintpause) X(zimop) X(zmmul) X(za64rs) X(zaamo) X(zabha) X(zacas) X(zalrsc) \
    X(zawrs) X(zfa) X(zfh) X(zfhmin) X(zca) X(zcb) X(zcd) X(zcmop) X(zba) X(zbb) X(zbc) \
    X(zbkb) X(zbkc) X(zbs) X(zknd) X(zkne) X(zknh) X(zkt)

typedef enum RiscvExtension {
#define X(name) RISCV_EXT_##name,
    RISCV_EXTENSIONS(X)
#undef X
    RISCV_N_EXTENSIONS
} RiscvExtension;

/* A -cpu model: "rv64,zba=false" … */
typedef struct RiscvModel {
    const char *name;
    uint64_t extensions; /* 1 << RiscvExtension */
} RiscvModel;

static inline bool riscv_model_has(const RiscvModel *m, RiscvExtension e)
{
    return m->extensions >> e & 1;
}
/* "rv64imafdc_zicsr_…", as in a device tree and /proc/cpuinfo;
 * at most `size` bytes with the NUL. */
void riscv_model_isa_string(const RiscvModel *m, char *buffer, size_t size);
/* AT_HWCAP: bit n for the letter n. */
uint64_t riscv_model_hwcap(const RiscvModel *m);

enum { RISCV_CBO_BYTES = 64 }; /* cache block of Zicbom and Zicboz */

/* The status register as the architecture defines it: frm in bits 7..5, fflags in 4..0. */
uint32_t riscv_fcsr(Vcpu *v);
void riscv_set_fcsr(Vcpu *v, uint32_t fcsr);

#endif
