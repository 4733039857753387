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
    const char *platform;      /* AT_PLATFORM, or NULL */
    uint16_t elf_machine;
    uint8_t word_bytes;        /* 4, 8 */
    bool big_endian;
    uint32_t page_bytes;
    GuestAddr task_size;       /* first address beyond user space */
    const struct SyscallTable *syscalls;

    /* linux-user/arch/<isa>/: registers of the system call convention and of start-up. */
    uint64_t (*syscall_nr)(const void *cpu);
    void (*syscall_args)(const void *cpu, uint64_t ret_args[6]);
    void (*syscall_result)(void *cpu, int64_t result);
    /* Puts the pc back onto the instruction and the first argument and number back in place, for a
     * restart. */
    void (*syscall_restart)(void *cpu, int nr, uint64_t arg0);
    void (*start)(void *cpu, GuestAddr entry, GuestAddr sp);
    GuestAddr (*get_sp)(const void *cpu);
    void (*set_sp)(void *cpu, GuestAddr sp);
    void (*set_tls)(void *cpu, GuestAddr tls);
    /* clone's argument order: false = (flags, sp, ptid, tls, ctid) as on aarch64 and riscv. */
    bool clone_ctid_before_tls;
    uint64_t (*hwcap)(const void *cpu_model), (*hwcap2)(const void *cpu_model);
    /* Siginfo is kept in the host's layout, which is that of every 64-bit little-endian Linux; a hook
     * for another guest converts it when it writes the frame. */
    /* Builds the signal frame and sets the registers to enter the handler; false: the stack can't
     * be written (SIGSEGV follows). sigreturn restores from the frame at sp. */
    bool (*signal_frame)(struct Thread *t, int sig, const siginfo_t *info,
                         GuestAddr handler, uint64_t sa_flags, GuestAddr restorer, GuestAddr sp,
                         uint64_t old_mask);
    bool (*sigreturn)(struct Thread *t, uint64_t *ret_mask);
    /* Text of /proc/cpuinfo for n processors; the caller frees it with free(). */
    char *(*cpuinfo)(const struct Process *p, unsigned n);
} GuestAbi;

extern const GuestAbi abi_aarch64, abi_riscv64;

#endif
