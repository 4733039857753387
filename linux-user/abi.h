/*
 * A guest's Linux ABI as run-time data: word size, byte order, page size, system call numbers,
 * struct layouts (from syscall-tables/), and the hooks of linux-user/arch/<isa>/.
 */
#ifndef LINUX_USER_ABI_H
#define LINUX_USER_ABI_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t GuestAddr;
struct Process;
struct Thread;
struct SyscallTable; /* generated: syscall-tables/gen */

typedef struct GuestAbi {
    const char *name;          /* "aarch64": as the translator names the guest */
    const char *uname_machine; /* "aarch64" */
    const char *compat_machine; /* what uname says under PER_LINUX32 */
    const char *platform;      /* AT_PLATFORM, or NULL */
    uint16_t elf_machine;
    uint8_t word_bytes;        /* 4, 8 */
    bool big_endian;
    uint32_t page_sizes;       /* those that -p may ask for, or'ed; the host's is the default */
    GuestAddr task_size;       /* first address beyond user space */
    const struct SyscallTable *syscalls;

    /* linux-user/arch/<isa>/: registers of the system call convention and of start-up. */
    uint64_t (*syscall_nr)(const void *cpu);
    void (*syscall_args)(const void *cpu, uint64_t ret_args[6]);
    void (*syscall_result)(void *cpu, int64_t result);
    /* Puts the pc back by 4 onto the instruction and the first argument and number back in place,
     * for a restart. */
    void (*syscall_restart)(void *cpu, int nr, uint64_t arg0);
    /* Another number, by ptrace, for the call that is about to be made. */
    void (*syscall_set_nr)(void *cpu, uint64_t nr);
    const struct Regset *regsets; /* arch/regset.h */
    bool can_step;                /* PTRACE_SINGLESTEP is there */
    bool watch_before;            /* watchpoints stop before the access: arch/debug.h */
    void (*start)(void *cpu, GuestAddr entry, GuestAddr sp);
    GuestAddr (*get_sp)(const void *cpu);
    GuestAddr (*get_pc)(const void *cpu);
    void (*set_sp)(void *cpu, GuestAddr sp);
    void (*set_tls)(void *cpu, GuestAddr tls);
    /* clone's argument order: false = (flags, sp, ptid, tls, ctid) as on aarch64 and riscv. */
    bool clone_ctid_before_tls;
    /* AT_HWCAP (word 0) and AT_HWCAP2 (word 1) of the CPU model. */
    uint64_t (*hwcap)(const void *cpu_model, unsigned word);
    uint32_t min_sigstack_bytes; /* AT_MINSIGSTKSZ; 0: the kernel gives none */
    uint32_t min_altstack_bytes; /* MINSIGSTKSZ, what sigaltstack asks for */
    bool has_sa_restorer;        /* struct sigaction has sa_restorer */
    /* The syndrome of an exception as signal frames show it; NULL: the guest's frames have none. */
    uint64_t (*fault_syndrome)(int vcpu_exit, int si_code, bool write);
    /* prctl options of the architecture; NULL: none. */
    long (*prctl)(struct Thread *t, const uint64_t *args);
    int restart_nr;              /* restart_syscall */
    const struct VdsoImage *vdso; /* vdso/vdso.h */
    /* Builds the signal frame and sets the registers to enter the handler; false: the stack can't
     * be written (SIGSEGV follows). Siginfo is in the host's layout, which is that of every 64-bit
     * little-endian Linux; the hook of another guest converts it.
     * sigreturn restores from the frame at sp, and with `peek` only reads the mask.
     * False: SIGSEGV. */
    bool (*signal_frame)(struct Thread *t, int sig, const siginfo_t *info,
                         GuestAddr handler, uint64_t sa_flags, GuestAddr restorer, GuestAddr sp,
                         uint64_t old_mask);
    bool (*sigreturn)(struct Thread *t, bool peek, uint64_t *ret_mask);
    /* Text of /proc/cpuinfo of processor n into buf: its length without NUL. */
    size_t (*cpuinfo)(const struct Thread *t, unsigned n, char *buf, size_t size);
} GuestAbi;

extern const GuestAbi abi_aarch64, abi_riscv64;
extern const struct SyscallTable syscall_table_aarch64, syscall_table_riscv64; /* generated */

#endif
