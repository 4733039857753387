/* data plane */
/*
 * Linux's AArch64 ABI: registers of system calls and of start-up (Linux,
 * arch/arm64/kernel/process.c, entry-common.c), hardware capabilities, /proc/cpuinfo.
 */
#include <errno.h>
#include <string.h>

#include "linux-user/abi.h"
#include "linux-user/arch/aarch64/regset.h"
#include "linux-user/arch/aarch64/signal-frame.h"
#include "linux-user/arch/text.h"
#include "linux-user/process.h"
#include "syscall-tables/table.h"
#include "translator/guest/aarch64/cpu.h"
#include "translator/guest/aarch64/features.h"

static uint64_t syscall_nr(const void *cpu) { return (uint32_t)((const Aarch64Cpu *)cpu)->x[8]; }

static void syscall_args(const void *cpu, uint64_t ret_args[6])
{
    memcpy(ret_args, ((const Aarch64Cpu *)cpu)->x, 6 * sizeof *ret_args);
}

static void syscall_result(void *cpu, int64_t result)
{
    ((Aarch64Cpu *)cpu)->x[0] = (uint64_t)result;
}

static void syscall_restart(void *cpu, int nr, uint64_t arg0)
{
    Aarch64Cpu *c = cpu;
    c->x[0] = arg0;
    c->x[8] = (uint32_t)nr;
    c->pc -= 4;
}

static void syscall_set_nr(void *cpu, uint64_t nr) { ((Aarch64Cpu *)cpu)->x[8] = nr; }

static void start(void *cpu, GuestAddr entry, GuestAddr sp)
{
    Aarch64Cpu *c = cpu;
    c->pc = entry;
    c->sp = sp;
    a64_keys_reset(c, (1u << A64_N_KEYS) - 1);
}

static GuestAddr get_sp(const void *cpu) { return ((const Aarch64Cpu *)cpu)->sp; }
static GuestAddr get_pc(const void *cpu) { return ((const Aarch64Cpu *)cpu)->pc; }
static void set_sp(void *cpu, GuestAddr sp) { ((Aarch64Cpu *)cpu)->sp = sp; }
static void set_tls(void *cpu, GuestAddr tls) { ((Aarch64Cpu *)cpu)->tpidr = tls; }

static uint64_t hwcap(const void *model, unsigned word) { return a64_hwcap(model, word); }

/* arch/arm64/kernel/cpuinfo.c, c_show(). */
static size_t cpuinfo(const Thread *t, unsigned n, char *buf, size_t size)
{
    const void *model = translator_cpu_model(t->process->translator);
    uint32_t midr = a64_midr(model);
    Text x = {buf, buf + size};
    text_add(&x, "processor\t: ");
    text_add_number(&x, n, 10, 0);
    text_add(&x, "\nBogoMIPS\t: 100.00\nFeatures\t:");
    for (unsigned i = 0; a64_hwcap_name(model, i); i++) {
        text_add(&x, " ");
        text_add(&x, a64_hwcap_name(model, i));
    }
    text_add(&x, "\nCPU implementer\t: 0x");
    text_add_number(&x, midr >> 24, 16, 2);
    text_add(&x, "\nCPU architecture: 8\nCPU variant\t: 0x");
    text_add_number(&x, midr >> 20 & 15, 16, 0);
    text_add(&x, "\nCPU part\t: 0x");
    text_add_number(&x, midr >> 4 & 0xfff, 16, 3);
    text_add(&x, "\nCPU revision\t: ");
    text_add_number(&x, midr & 15, 10, 0);
    text_add(&x, "\n\n");
    return (size_t)(x.at - buf);
}

/* ESR_EL1 (Arm ARM DDI 0487 K.a, D24.2.40) of the exceptions that leave one in a frame; an address
 * that is not mapped is a translation fault of the last level. */
static uint64_t fault_syndrome(int vcpu_exit, int si_code, bool write)
{
    enum { EC_INSN_ABORT = 0x20, EC_PC_ALIGN = 0x22, EC_DATA_ABORT = 0x24, IL = 1 << 25,
           WNR = 1 << 6, TRANSLATION = 7, PERMISSION = 15, ALIGNMENT = 0x21 };
    unsigned status = si_code == SEGV_ACCERR ? PERMISSION : TRANSLATION;
    switch (vcpu_exit) {
    case VCPU_EXIT_FETCH: return (uint64_t)EC_INSN_ABORT << 26 | IL | status;
    case VCPU_EXIT_PCALIGN: return (uint64_t)EC_PC_ALIGN << 26 | IL;
    case VCPU_EXIT_ALIGN: status = ALIGNMENT; break;
    case VCPU_EXIT_FAULT: break;
    default: return 0;
    }
    return (uint64_t)EC_DATA_ABORT << 26 | IL | (write ? WNR : 0) | status;
}

/* arch/arm64/kernel/process.c, set_tagged_addr_ctrl: without MTE there is one bit. */
static long tagged_ctrl(Thread *t, const uint64_t *args, bool set)
{
    enum { ENABLE = 1 };
    if (args[2] || args[3] || args[4] || (set ? args[1] & ~(uint64_t)ENABLE : args[1]))
        return -EINVAL;
    if (!set)
        return t->tagged;
    t->tagged = args[1];
    if (t->tagged)
        atomic_store_explicit(&t->process->tagged, true, memory_order_relaxed);
    return 0;
}

/* arch/arm64: pointer_auth.c. */
static long arch_prctl(Thread *t, const uint64_t *args)
{
    enum { SET_TAGGED_ADDR_CTRL = 55, GET_TAGGED_ADDR_CTRL = 56 };
    enum { PAC_RESET_KEYS = 54, PAC_SET_ENABLED_KEYS = 60, PAC_GET_ENABLED_KEYS = 61 };
    const unsigned all = (1u << A64_N_KEYS) - 1, address_keys = 0xf;
    if ((int)args[0] == SET_TAGGED_ADDR_CTRL || (int)args[0] == GET_TAGGED_ADDR_CTRL)
        return tagged_ctrl(t, args, (int)args[0] == SET_TAGGED_ADDR_CTRL);
    if (!a64_model_has(translator_cpu_model(t->process->translator), A64_FEAT_PAUTH))
        return -EINVAL;
    switch ((int)args[0]) {
    case PAC_RESET_KEYS:
        if (args[2] || args[3] || args[4] || (args[1] & ~(uint64_t)all))
            return -EINVAL;
        a64_keys_reset(vcpu_cpu(t->vcpu), args[1] ? (unsigned)args[1] : all);
        return 0;
    case PAC_GET_ENABLED_KEYS:
        return args[1] || args[2] || args[3] || args[4] ? -EINVAL : (long)address_keys;
    case PAC_SET_ENABLED_KEYS:
        /* Switching a key off isn't there; switching on what is on is. */
        if (args[3] || args[4] || !args[1] || (args[1] & ~(uint64_t)address_keys) ||
            (args[2] & ~args[1]) || args[2] != args[1])
            return -EINVAL;
        return 0;
    default:
        return -EINVAL;
    }
}

const GuestAbi abi_aarch64 = {
    .name = "aarch64",
    .uname_machine = "aarch64",
    .compat_machine = "armv8l",
    .platform = "aarch64",
    .elf_machine = 183,
    .word_bytes = 8,
    .page_sizes = 4096 | 16384 | 65536,
    .task_size = UINT64_C(1) << 48,
    .syscalls = &syscall_table_aarch64,
    .syscall_nr = syscall_nr,
    .syscall_args = syscall_args,
    .syscall_result = syscall_result,
    .syscall_restart = syscall_restart,
    .syscall_set_nr = syscall_set_nr,
    .regsets = aarch64_regsets,
    .can_step = true,
    .watch_before = true,
    .start = start,
    .get_sp = get_sp, .get_pc = get_pc,
    .set_sp = set_sp,
    .set_tls = set_tls,
    .hwcap = hwcap,
    .min_sigstack_bytes = 4720,
    .min_altstack_bytes = 5120,
    .restart_nr = 128,
    .has_sa_restorer = true,
    .prctl = arch_prctl,
    .fault_syndrome = fault_syndrome,
    .vdso = &vdso_aarch64,
    .signal_frame = aarch64_signal_frame,
    .sigreturn = aarch64_sigreturn,
    .cpuinfo = cpuinfo,
};
