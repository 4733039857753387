/* data plane */
/*
 * Linux's RISC-V (RV64) ABI: registers of system calls and of start-up (Linux, arch/riscv/kernel/
 * process.c, traps.c), hardware capabilities, /proc/cpuinfo.
 */
#include <errno.h>
#include <string.h>

#include "linux-user/abi.h"
#include "linux-user/arch/riscv64/regset.h"
#include "linux-user/arch/riscv64/signal-frame.h"
#include "linux-user/arch/text.h"
#include "linux-user/process.h"
#include "syscall-tables/table.h"
#include "translator/guest/riscv64/cpu.h"

enum { X_SP = 2, X_TP = 4, X_A0 = 10, X_A7 = 17 };

static uint64_t syscall_nr(const void *cpu) { return ((const RiscvCpu *)cpu)->x[X_A7]; }

static void syscall_args(const void *cpu, uint64_t ret_args[6])
{
    memcpy(ret_args, ((const RiscvCpu *)cpu)->x + X_A0, 6 * sizeof *ret_args);
}

static void syscall_result(void *cpu, int64_t result)
{
    ((RiscvCpu *)cpu)->x[X_A0] = (uint64_t)result;
}

static void syscall_restart(void *cpu, int nr, uint64_t arg0)
{
    RiscvCpu *c = cpu;
    c->x[X_A0] = arg0;
    c->x[X_A7] = (uint64_t)(int64_t)nr;
    c->pc -= 4; /* ecall has no compressed form */
}

static void syscall_set_nr(void *cpu, uint64_t nr) { ((RiscvCpu *)cpu)->x[X_A7] = nr; }

static void start(void *cpu, GuestAddr entry, GuestAddr sp)
{
    RiscvCpu *c = cpu;
    c->pc = entry;
    c->x[X_SP] = sp;
}

static GuestAddr get_sp(const void *cpu) { return ((const RiscvCpu *)cpu)->x[X_SP]; }
static GuestAddr get_pc(const void *cpu) { return ((const RiscvCpu *)cpu)->pc; }
static void set_sp(void *cpu, GuestAddr sp) { ((RiscvCpu *)cpu)->x[X_SP] = sp; }
static void set_tls(void *cpu, GuestAddr tls) { ((RiscvCpu *)cpu)->x[X_TP] = tls; }

static uint64_t hwcap(const void *model, unsigned word)
{
    return word == 0 ? riscv_model_hwcap(model) : 0;
}

/* arch/riscv/kernel/cpu.c, c_show(). */
static size_t cpuinfo(const Thread *t, unsigned n, char *buf, size_t size)
{
    Text x = {buf, buf + size};
    char isa[512];
    riscv_model_isa_string(translator_cpu_model(t->process->translator), isa, sizeof isa);
    text_add(&x, "processor\t: ");
    text_add_number(&x, n, 10, 0);
    text_add(&x, "\nhart\t\t: ");
    text_add_number(&x, n, 10, 0);
    text_add(&x, "\nisa\t\t: ");
    text_add(&x, isa);
    text_add(&x,
             "\nmmu\t\t: sv48\nmvendorid\t: 0x0\nmarchid\t\t: 0x0\nmimpid\t\t: 0x0\nhart isa\t: ");
    text_add(&x, isa);
    text_add(&x, "\n\n");
    return (size_t)(x.at - buf);
}

/* arch/riscv: cacheflush.c. fence.i works for every program already. */
static long arch_prctl(Thread *t, const uint64_t *args)
{
    enum { SET_ICACHE_FLUSH_CTX = 71 };
    return (int)args[0] == SET_ICACHE_FLUSH_CTX && args[1] <= 1 && args[2] <= 1 ? 0 : -EINVAL;
}

const GuestAbi abi_riscv64 = {
    .name = "riscv64",
    .uname_machine = "riscv64",
    .compat_machine = "riscv32",
    .elf_machine = 243,
    .word_bytes = 8,
    .page_sizes = 4096,
    .task_size = UINT64_C(1) << 47,
    .syscalls = &syscall_table_riscv64,
    .syscall_nr = syscall_nr,
    .syscall_args = syscall_args,
    .syscall_result = syscall_result,
    .syscall_restart = syscall_restart,
    .syscall_set_nr = syscall_set_nr,
    .regsets = riscv64_regsets,
    .start = start,
    .get_sp = get_sp, .get_pc = get_pc,
    .set_sp = set_sp,
    .set_tls = set_tls,
    .hwcap = hwcap,
    .min_altstack_bytes = 2048,
    .restart_nr = 128,
    .prctl = arch_prctl,
    .vdso = &vdso_riscv64,
    .signal_frame = riscv64_signal_frame,
    .sigreturn = riscv64_sigreturn,
    .cpuinfo = cpuinfo,
};
