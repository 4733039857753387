/* data plane */
/*
 * AArch64's register sets (Linux, arch/arm64/kernel/ptrace.c, include/uapi/asm/ptrace.h).
 */
#include <elf.h>
#include <string.h>

#include "linux-user/arch/aarch64/regset.h"
#include "linux-user/arch/debug.h"
#include "linux-user/process.h"
#include "linux-user/ptrace/block.h"
#include "translator/guest/aarch64/cpu.h"
#include "translator/guest/aarch64/features.h"

#ifndef NT_ARM_PAC_ENABLED_KEYS
#define NT_ARM_PAC_ENABLED_KEYS 0x40a
#endif
#ifndef NT_ARM_TAGGED_ADDR_CTRL
#define NT_ARM_TAGGED_ADDR_CTRL 0x409
#endif

#define PSTATE_NZCV UINT64_C(0xf0000000)

typedef struct GeneralRegs {
    uint64_t x[31], sp, pc, pstate;
} GeneralRegs;

typedef struct FloatRegs {
    V128 v[32];
    uint32_t fpsr, fpcr, pad[2];
} FloatRegs;

_Static_assert(sizeof(GeneralRegs) == 272 && sizeof(FloatRegs) == 528, "the kernel's layouts");

static bool general_get(const Thread *t, void *to)
{
    const Aarch64Cpu *cpu = vcpu_cpu(t->vcpu);
    GeneralRegs r = {.sp = cpu->sp, .pc = cpu->pc,
                     .pstate = (cpu->nzcv & PSTATE_NZCV) | cpu->pstate};
    memcpy(r.x, cpu->x, sizeof r.x);
    memcpy(to, &r, sizeof r);
    return true;
}

static void general_set(Thread *t, const void *from)
{
    Aarch64Cpu *cpu = vcpu_cpu(t->vcpu);
    GeneralRegs r;
    memcpy(&r, from, sizeof r);
    memcpy(cpu->x, r.x, sizeof r.x);
    cpu->sp = r.sp;
    vcpu_set_pc(t->vcpu, r.pc);
    cpu->nzcv = (uint32_t)(r.pstate & PSTATE_NZCV);
    cpu->pstate = (uint32_t)r.pstate & (A64_PSTATE_SSBS | A64_PSTATE_DIT);
    a64_monitor_clear(cpu);
}

static bool float_get(const Thread *t, void *to)
{
    const Aarch64Cpu *cpu = vcpu_cpu(t->vcpu);
    FloatRegs r = {.fpsr = a64_fpsr_read(t->vcpu), .fpcr = a64_fpcr_read(t->vcpu)};
    memcpy(r.v, cpu->v, sizeof r.v);
    memcpy(to, &r, sizeof r);
    return true;
}

static void float_set(Thread *t, const void *from)
{
    FloatRegs r;
    memcpy(&r, from, sizeof r);
    memcpy(((Aarch64Cpu *)vcpu_cpu(t->vcpu))->v, r.v, sizeof r.v);
    a64_fpsr_write(t->vcpu, r.fpsr);
    a64_fpcr_write(t->vcpu, r.fpcr);
}

static bool tls_get(const Thread *t, void *to)
{
    memcpy(to, &((Aarch64Cpu *)vcpu_cpu(t->vcpu))->tpidr, 8);
    return true;
}

static void tls_set(Thread *t, const void *from)
{
    memcpy(&((Aarch64Cpu *)vcpu_cpu(t->vcpu))->tpidr, from, 8);
}

static bool syscall_get(const Thread *t, void *to)
{
    int32_t nr = t->trace ? (int32_t)t->trace->nr : -1;
    memcpy(to, &nr, sizeof nr);
    return true;
}

static void syscall_set(Thread *t, const void *from)
{
    int32_t nr;
    memcpy(&nr, from, sizeof nr);
    if (t->trace)
        t->trace->nr = (uint64_t)(int64_t)nr;
}

static bool has_pauth(const Thread *t)
{
    return a64_model_has(translator_cpu_model(t->process->translator), A64_FEAT_PAUTH);
}

/* Where a pointer's code is: bits 54 to 48 (translator/guest/aarch64/translate-pauth.c). */
static bool pac_mask_get(const Thread *t, void *to)
{
    const uint64_t mask = UINT64_C(0x7f) << 48, masks[2] = {mask, mask};
    memcpy(to, masks, sizeof masks);
    return has_pauth(t);
}

static bool pac_keys_get(const Thread *t, void *to)
{
    const uint64_t enabled = 0xf; /* PR_PAC_AP*KEY, as prctl gives them */
    memcpy(to, &enabled, sizeof enabled);
    return has_pauth(t);
}

static bool tagged_get(const Thread *t, void *to)
{
    const uint64_t control = t->tagged; /* PR_TAGGED_ADDR_ENABLE */
    memcpy(to, &control, sizeof control);
    return true;
}

const Regset aarch64_regsets[] = {
    {NT_PRSTATUS, sizeof(GeneralRegs), 8, true, general_get, general_set},
    {NT_PRFPREG, sizeof(FloatRegs), 4, true, float_get, float_set},
    {NT_ARM_TLS, 8, 8, true, tls_get, tls_set},
    {NT_ARM_HW_BREAK, sizeof(DebugState), 4, true, debug_break_get, debug_break_set},
    {NT_ARM_HW_WATCH, sizeof(DebugState), 4, true, debug_watch_get, debug_watch_set},
    {NT_ARM_SYSTEM_CALL, 4, 4, true, syscall_get, syscall_set},
    {NT_ARM_PAC_MASK, 16, 8, true, pac_mask_get, NULL},
    {NT_ARM_PAC_ENABLED_KEYS, 8, 8, true, pac_keys_get, NULL},
    {NT_ARM_TAGGED_ADDR_CTRL, 8, 8, true, tagged_get, NULL},
    {0},
};
