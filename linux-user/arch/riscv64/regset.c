/* data plane */
/*
 * RISC-V's register sets (Linux, arch/riscv/kernel/ptrace.c, include/uapi/asm/ptrace.h).
 */
#include <elf.h>
#include <string.h>

#include "linux-user/arch/debug.h"
#include "linux-user/arch/riscv64/regset.h"
#include "linux-user/process.h"
#include "translator/guest/riscv64/cpu.h"

typedef struct GeneralRegs {
    uint64_t pc, x1_31[31];
} GeneralRegs;

/* struct __riscv_d_ext_state. */
typedef struct FloatRegs {
    uint64_t f[32];
    uint32_t fcsr, pad;
} FloatRegs;

_Static_assert(sizeof(GeneralRegs) == 256 && sizeof(FloatRegs) == 264, "the kernel's layouts");

static bool general_get(const Thread *t, void *to)
{
    const RiscvCpu *cpu = vcpu_cpu(t->vcpu);
    GeneralRegs r = {.pc = cpu->pc};
    memcpy(r.x1_31, cpu->x + 1, sizeof r.x1_31);
    memcpy(to, &r, sizeof r);
    return true;
}

static void general_set(Thread *t, const void *from)
{
    RiscvCpu *cpu = vcpu_cpu(t->vcpu);
    GeneralRegs r;
    memcpy(&r, from, sizeof r);
    memcpy(cpu->x + 1, r.x1_31, sizeof r.x1_31);
    vcpu_set_pc(t->vcpu, r.pc);
    cpu->reserved_addr = (uint64_t)RISCV_NO_RESERVATION;
}

static bool float_get(const Thread *t, void *to)
{
    const RiscvCpu *cpu = vcpu_cpu(t->vcpu);
    FloatRegs r = {.fcsr = riscv_fcsr(t->vcpu)};
    memcpy(r.f, cpu->f, sizeof r.f);
    memcpy(to, &r, sizeof r);
    return true;
}

static void float_set(Thread *t, const void *from)
{
    FloatRegs r;
    memcpy(&r, from, sizeof r);
    memcpy(((RiscvCpu *)vcpu_cpu(t->vcpu))->f, r.f, sizeof r.f);
    riscv_set_fcsr(t->vcpu, r.fcsr);
}

const Regset riscv64_regsets[] = {
    {NT_PRSTATUS, sizeof(GeneralRegs), 8, true, general_get, general_set},
    {NT_PRFPREG, sizeof(FloatRegs), 8, true, float_get, float_set},
    {DEBUG_SET_BREAK, sizeof(DebugState), 4, false, debug_break_get, debug_break_set},
    {DEBUG_SET_WATCH, sizeof(DebugState), 4, false, debug_watch_get, debug_watch_set},
    {0},
};
