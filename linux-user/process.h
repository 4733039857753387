/*
 * The emulated process and its threads. Everything of the process emulator hangs off Process or
 * Thread; nothing is file-static and mutable.
 */
#ifndef LINUX_USER_PROCESS_H
#define LINUX_USER_PROCESS_H

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "linux-user/abi.h"
#include "linux-user/vdso/vdso.h"
#include "translator/translator.h"

typedef struct Process Process;
typedef struct Thread Thread;
struct MemMap;      /* mem/map.h: the guest's mappings */
struct SignalState; /* signal/signal.h: dispositions; one a process */
struct ThreadSignals;
struct UringRing;     /* syscalls/uring.c */
struct SeccompFilter; /* seccomp/seccomp.h */

struct Options;     /* options.h: what the command line said; constant after start */

struct Process {
    const GuestAbi *abi;
    const struct Options *options;
    Translator *translator;
    struct MemMap *mem;
    struct SignalState *signals;
    GuestAddr stack_top, arg_start, arg_end, env_start, env_end, auxv_start;
    uint32_t auxv_bytes;
    GuestAddr entry, load_bias, interp_base, vdso;
    char *exe_path;                /* resolved path of the guest program: /proc/self/exe */
    char *emulator_path;           /* how to start this emulator again */
    int exe_fd;                    /* an O_PATH descriptor of it, or -1 */
    pthread_mutex_t threads_lock;  /* list of threads, n_threads */
    Thread *threads;
    unsigned n_threads;
    unsigned lock_number;          /* of the first one, if it may be killed alone: shared-lock.h */
    uint32_t personality;
    _Atomic uint64_t unimp_seen[8]; /* by number: said under -d unimp (syscalls/dispatch.c) */
    /* Descriptors of the emulator's own, which the guest can't see (syscalls/hidden.h). */
    int hidden_fds[8];
    atomic_uint n_hidden_fds;
    _Atomic uint64_t ioctls_seen[16]; /* unknown ones by a hash: said under -d unimp */
    struct UringRing *_Atomic urings; /* its rings of io_uring by descriptor, or NULL */
    struct Strace *strace;         /* strace/strace.h, or NULL */
    struct Tracer *tracer;         /* ptrace/tracer.h: whom the threads trace; NULL: nobody ever */
    uint32_t elf_flags;            /* of the program's header, for its core file */
    atomic_bool shown;             /* the kernel shows the guest's name and arguments to others */
    atomic_bool dumping;           /* core/: a thread writes the core file */
    atomic_uint n_proc_files;      /* open ones of /proc that must be made anew (procfs/reread.h) */
    atomic_bool writes_memory;     /* of other processes, by /proc/PID/mem or process_vm_writev */
    pthread_mutex_t limits_lock;   /* of limits[] */
    struct { uint64_t cur, max; } limits[2]; /* RLIMIT_AS, RLIMIT_DATA of the guest */
    GuestAddr start_sp, code_start, code_end;
    uint64_t random_state;         /* of -seed */
    bool has_store;                /* the translator has a translation store */
    bool stack_exec;
    struct HostSlots *_Atomic slots; /* thread/slot.c: of all processes that share this memory */
    uint8_t *rseq_stubs;           /* the newest, for rseq_signature; under threads_lock */
    uint32_t rseq_signature;
    uint8_t mdwe;                  /* PR_SET_MDWE's bits; under mem->change_lock */
    atomic_bool tagged;            /* some thread has had PR_TAGGED_ADDR_ENABLE */
    bool shares_handlers;          /* signals is another Process's too (CLONE_SIGHAND) */
    int leader_status;             /* of the thread group's leader, once it has exited */
};

/* seccomp/user-dispatch.h */
typedef struct UserDispatch {
    bool on;
    uint64_t offset, len;          /* of the code whose calls go through */
    GuestAddr selector;            /* or 0 */
} UserDispatch;

/* A call that was interrupted while it waited (syscalls/sleep.c). */
typedef struct SyscallRestart {
    uint8_t kind;                  /* what restart_syscall goes on with, or 0 */
    bool known;                    /* start is the call's */
    int op;                        /* of a futex */
    uint32_t value;
    clockid_t clock;
    struct timespec start, until;
    GuestAddr rem, futex;
} SyscallRestart;

struct Thread {
    Process *process;
    Vcpu *vcpu;
    pid_t tid;                     /* the host's, which is the guest's */
    struct HostSlot *slot;         /* of all threads but a process's first (thread/slot.h) */
    GuestAddr set_child_tid;       /* of CLONE_CHILD_SETTID, until the thread has started */
    struct ThreadSignals *signals;
    atomic_int signal_pending;     /* work for signal_deliver(); host_syscall() sees it */
    GuestAddr clear_child_tid, robust_list;
    uint64_t robust_list_bytes;
    SyscallRestart restart;
    struct UringRing *urings;      /* that it has registered (syscalls/uring.c), or NULL */
    int syscall_nr;                /* while in one, else -1; for restart and strace */
    uint64_t syscall_args[6];
    bool exiting;                  /* thread_loop() is to return */
    int exit_status;
    bool shares_memory;            /* its process was made with CLONE_VM */
    GuestAddr fault_address;       /* of the last fault, as signal frames show it */
    uint64_t fault_syndrome;
    bool fault_write;              /* the last fault on the host was a store */
    VdsoRandom vdso_random;
    struct SeccompFilter *_Atomic seccomp; /* the newest of its filters, or NULL */
    atomic_bool seccomp_on;        /* its calls are judged */
    bool seccomp_strict;           /* by SECCOMP_SET_MODE_STRICT */
    UserDispatch user_dispatch;
    /* ptrace/: of a thread that has ever been traced, else NULL; requests that wait for a safe
     * point, with the SIGSTOP and the number of a group stop among them. */
    struct TraceBlock *trace;
    unsigned trace_requests;
    int trace_group_sig;
    GuestAddr rseq;                /* its struct rseq, or 0 (thread/rseq.h) */
    uint32_t rseq_bytes, rseq_signature;
    uint8_t *rseq_stubs;
    bool tagged;                   /* PR_TAGGED_ADDR_ENABLE: pointers in calls may be tagged */
    bool parked;                   /* core_park(): its registers are in trace */
    bool asked_to_park;            /* for that */
    unsigned trace_conts;          /* how often SIGCONT came */
    siginfo_t trace_stop_info;
    char *follow;                  /* of procfs_follow(), or NULL */
    Thread *next;
    char comm[16];
};

/* What signal handlers return to. */
static inline GuestAddr vdso_sigreturn(const Process *p)
{
    return p->vdso + p->abi->vdso->sigreturn;
}

extern Process process_main; /* main.c; procfs/other.h tells why it has a fixed address */
extern __thread Thread *thread_self; /* of guest threads */

#endif
