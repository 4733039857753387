/*
 * The AArch64 guest's registers, as EL0 sees them (Arm ARM DDI 0487 K.a, B1.2, C5.2).
 *
 * Rules
 *  1. FPCR.RMode and FPCR.FZ live twice: here, and as the control of the host's unit
 *     (vcpu_fp_set_control). Write FPCR only by a64_fpcr_write() or the lifter of MSR FPCR.
 *  2. FPSR is nowhere as a whole: its exception bits are vcpu_fp_flags(), QC is `qc` being
 *     non-zero.
 *  3. `mode` of a unit is FPCR & A64_MODE_FPCR, so that those bits are constants to the lifters.
 *
 * Threads: belongs to the vcpu's thread.
 */
#ifndef TRANSLATOR_GUEST_AARCH64_CPU_H
#define TRANSLATOR_GUEST_AARCH64_CPU_H

#include "translator/ir/ir.h"
#include "translator/translator.h"

/* PSTATE bits that `pstate` keeps, where SPSR has them (C5.2.18). NZCV is a variable of its own. */
enum { A64_PSTATE_SSBS = 1 << 12, A64_PSTATE_DIT = 1 << 24 };

/* FPCR (C5.2.8). Trap enables are RAZ/WI; the FEAT_AFP and SVE bits are RES0. */
enum {
    A64_FPCR_FZ16 = 1 << 19, A64_FPCR_RMODE_SHIFT = 22, A64_FPCR_RMODE = 3 << 22,
    A64_FPCR_FZ = 1 << 24, A64_FPCR_DN = 1 << 25, A64_FPCR_AHP = 1 << 26,
    A64_FPCR_WRITABLE = A64_FPCR_FZ16 | A64_FPCR_RMODE | A64_FPCR_FZ | A64_FPCR_DN | A64_FPCR_AHP,
    A64_MODE_FPCR = A64_FPCR_FZ16 | A64_FPCR_FZ | A64_FPCR_DN | A64_FPCR_AHP,
};
/* FPSR (C5.2.10): bits 0 to 4 are numbered as IR_FPX_* is. */
enum { A64_FPSR_LOW = 31, A64_FPSR_IDC = 1 << 7, A64_FPSR_QC = 1 << 27 };

/* Pointer authentication keys in the order of PR_PAC_AP*KEY. */
enum { A64_KEY_IA, A64_KEY_IB, A64_KEY_DA, A64_KEY_DB, A64_KEY_GA, A64_N_KEYS };

#define A64_NO_MONITOR UINT64_MAX /* misaligned for every exclusive access: never matches */

struct A64Model;
typedef struct Aarch64Cpu {
    uint32_t nzcv;         /* bits 31..28 */
    uint32_t fpcr;
    uint64_t x[31], sp, pc;
    V128 v[32];
    V128 qc;               /* lanes that saturated, or'ed together: FPSR.QC is "not zero" */
    uint64_t tpidr, tpidrro;
    /* Exclusive monitor: address of the last load-exclusive, what it read. */
    uint64_t excl_addr, excl_lo, excl_hi;
    uint32_t pstate;       /* A64_PSTATE_* */
    uint32_t pad;
    uint64_t key[A64_N_KEYS][2]; /* low, high half */
    const struct A64Model *model;
    uint64_t pad2;
} Aarch64Cpu;

/* Numbers of the IR's variables. */
enum {
    A64_VAR_X0 = 0, A64_VAR_X30 = 30, A64_VAR_SP = 31, A64_VAR_NZCV,
    A64_VAR_V0, A64_VAR_V31 = A64_VAR_V0 + 31, A64_VAR_QC,
    A64_VAR_FPCR, A64_VAR_TPIDR, A64_VAR_TPIDRRO, A64_VAR_EXCL_ADDR, A64_VAR_EXCL_LO,
    A64_VAR_EXCL_HI, A64_VAR_PSTATE,
    A64_VAR_KEYS, /* low and high half of each key */
    A64_VAR_PC = A64_VAR_KEYS + 2 * A64_N_KEYS, A64_N_VARS
};

/* FPCR bits that exist in a model, and the control word of the host's unit that they ask for. */
uint32_t a64_fpcr_writable(const struct A64Model *model);
static inline uint32_t a64_fpcr_control(uint32_t fpcr)
{
    /* RMode RN RP RM RZ, in IrRound's order from IR_ROUND_NEAREST on. */
    return ((fpcr & A64_FPCR_RMODE) >> A64_FPCR_RMODE_SHIFT) + IR_ROUND_NEAREST
         + (fpcr & A64_FPCR_FZ ? (uint32_t)IR_FPC_FLUSH : 0);
}

uint32_t a64_fpcr_read(const Vcpu *v);
void a64_fpcr_write(Vcpu *v, uint32_t value);
uint32_t a64_fpsr_read(const Vcpu *v);
void a64_fpsr_write(Vcpu *v, uint32_t value);

/* What an exception return and a context switch do to the exclusive monitor. */
static inline void a64_monitor_clear(Aarch64Cpu *cpu) { cpu->excl_addr = A64_NO_MONITOR; }

/* New random pointer authentication keys, as execve makes; `which` has a bit for each A64_KEY_*. */
void a64_keys_reset(Aarch64Cpu *cpu, unsigned which);

#endif
