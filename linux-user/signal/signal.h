/* data plane */
/*
 * Signals of the guest.
 *
 * The host keeps the guest's dispositions SIG_DFL and SIG_IGN as they are (so stops, core dumps,
 * ignored signals and exec behave by themselves) and the guest's mask, except for the five signals
 * that the emulator needs for itself (SIGSEGV SIGBUS SIGFPE SIGILL SIGTRAP): these are never
 * blocked and always handled.
 *
 * A signal with a guest handler is accepted by the host's handler: it stores the siginfo in the
 * thread, blocks every other signal on return (so one at most waits, and the kernel keeps the order
 * of the rest), sets thread->signal_pending and kicks the vcpu. signal_deliver(), called by the
 * thread's loop at a safe point, builds the guest's frame and sets the mask that the handler runs
 * with, whereupon the kernel sends the next.
 *
 * A mask on the host always comes from signal_host_mask().
 */
#ifndef LINUX_USER_SIGNAL_SIGNAL_H
#define LINUX_USER_SIGNAL_SIGNAL_H

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "linux-user/process.h"

enum { SIGNAL_N = 64 }; /* 1…64 */
#define SIGNAL_BIT(sig) (UINT64_C(1) << ((sig)-1))
/* The emulator's own: never blocked on the host. */
#define SIGNAL_SYNC_MASK                                                                           \
    (SIGNAL_BIT(SIGSEGV) | SIGNAL_BIT(SIGBUS) | SIGNAL_BIT(SIGFPE) | SIGNAL_BIT(SIGILL) |          \
     SIGNAL_BIT(SIGTRAP))
/* Signals besides these whose default is a core file. */
#define SIGNAL_CORE_MASK                                                                           \
    (SIGNAL_BIT(SIGQUIT) | SIGNAL_BIT(SIGABRT) | SIGNAL_BIT(SIGXCPU) | SIGNAL_BIT(SIGXFSZ) |       \
     SIGNAL_BIT(SIGSYS))
/* And those whose default just ends the process. */
#define SIGNAL_END_MASK                                                                            \
    (SIGNAL_BIT(SIGHUP) | SIGNAL_BIT(SIGINT) | SIGNAL_BIT(SIGPIPE) | SIGNAL_BIT(SIGALRM) |         \
     SIGNAL_BIT(SIGTERM) | SIGNAL_BIT(SIGUSR1) | SIGNAL_BIT(SIGUSR2) | SIGNAL_BIT(SIGSTKFLT) |     \
     SIGNAL_BIT(SIGVTALRM) | SIGNAL_BIT(SIGPROF) | SIGNAL_BIT(SIGIO) | SIGNAL_BIT(SIGPWR))
#define SIGNAL_UNBLOCKABLE (SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP))

/* A process may queue a signal to itself with any si_code. One of the emulator's five whose code
 * says that an instruction raised it goes through the kernel with this mark on its code, so that
 * the host's handler doesn't take it for a fault. */
#define SIGNAL_FORGED_MARK 0xc0de0000u
static inline int signal_forged_mark(int sig, int code)
{
    bool looks_real = sig >= 1 && sig < 32 && (SIGNAL_SYNC_MASK & SIGNAL_BIT(sig)) && code > 0;
    return looks_real ? (int)(SIGNAL_FORGED_MARK | ((unsigned)code & 0xffff)) : code;
}
static inline int signal_forged_unmark(int code)
{
    bool marked = ((unsigned)code & 0xffff0000) == SIGNAL_FORGED_MARK;
    return marked ? (int)((unsigned)code & 0xffff) : code;
}

/* Linux's generic values, which aarch64, riscv and x86 share. */
enum {
    SIGNAL_SA_NOCLDSTOP = 1, SIGNAL_SA_NOCLDWAIT = 2, SIGNAL_SA_SIGINFO = 4,
    SIGNAL_SA_UNSUPPORTED = 0x400, SIGNAL_SA_EXPOSE_TAGBITS = 0x800,
    SIGNAL_SA_RESTORER = 0x04000000, SIGNAL_SA_ONSTACK = 0x08000000,
    SIGNAL_SA_RESTART = 0x10000000, SIGNAL_SA_NODEFER = 0x40000000,
};
#define SIGNAL_SA_RESETHAND UINT64_C(0x80000000)

typedef struct SignalAction {
    GuestAddr handler; /* or 0 SIG_DFL, 1 SIG_IGN */
    uint64_t flags;
    GuestAddr restorer;
    uint64_t mask;
} SignalAction;

typedef struct SignalState {
    pthread_mutex_t lock;
    /* The thread that waits by sigtimedwait for one of the emulator's five, or 0: who gets it
     * blocked passes it on. In the order of signal.c's sync_signals. */
    atomic_int waiters[5];
    bool late;             /* signal_start_sharing() */
    SignalAction actions[SIGNAL_N + 1]; /* by number, under lock */
} SignalState;

typedef struct ThreadSignals {
    uint64_t mask;         /* the guest's blocked signals */
    uint64_t saved_mask;   /* what mask returns to after sigsuspend, ppoll …, if restore_mask */
    bool restore_mask;
    bool host_mask_stale;  /* the host's is to follow mask at the next signal_deliver() */
    GuestAddr altstack;
    uint64_t altstack_bytes;
    int altstack_flags;    /* SS_AUTODISARM, SS_DISABLE */
    /* Written by the host's handler, taken by signal_deliver(). */
    volatile sig_atomic_t accepted;   /* a signal number or 0 */
    siginfo_t accepted_info;
    volatile uint64_t held;           /* of SIGNAL_SYNC_MASK: sent by kill() while blocked */
    siginfo_t held_info[5];
    volatile uint64_t waiting; /* of SIGNAL_SYNC_MASK: what sigtimedwait waits for */
    volatile sig_atomic_t quiet; /* one was held while blocked: no reason to give up a call */
    /* A synchronous signal of this thread's own guest code, before anything else. */
    int forced;
    siginfo_t forced_info;
    long restart;          /* a restart code of the call just made, or 0 */
    void *host_stack;      /* the host's alternate stack */
    size_t host_stack_bytes;
} ThreadSignals;

/* Start and end of a process's and a thread's signal handling. signal_thread_start() and
 * signal_thread_end() run on the thread. */
bool signal_init(Process *p);
bool signal_thread_new(Thread *t, const Thread *from);
void signal_thread_free(Thread *t); /* what signal_thread_new() got */
void signal_thread_start(Thread *t);
void signal_thread_end(Thread *t);
/* In a forked child: nothing is pending. */
void signal_fork_child(Thread *t);

static inline bool signal_is_pending(const Thread *t)
{
    return atomic_load_explicit(&t->signal_pending, memory_order_relaxed);
}

/* At a safe point, after a system call (whose result is in the registers, or a restart code is in
 * t->signals->restart) or a kick: builds the frames of everything that is due, and decides
 * about a restart. */
void signal_deliver(Thread *t);
/* A synchronous signal: delivered even if blocked or ignored (then it kills). info->si_signo tells
 * which. */
void signal_force(Thread *t, const siginfo_t *info);
void signal_force_fault(Thread *t, int sig, int code, GuestAddr addr);

/* The mask that the host has while the guest's is `mask`. */
static inline uint64_t signal_host_mask(uint64_t mask)
{
    return mask & ~(SIGNAL_SYNC_MASK | SIGNAL_UNBLOCKABLE);
}

/* Sets the guest's mask, on the host too. 0, or -SYSCALL_RESTARTNOINTR with nothing changed: a
 * signal has been accepted under the old mask and must be delivered first. */
long signal_set_mask(Thread *t, uint64_t mask);

/* A tracer sets the mask of a thread in a stop. */
void signal_set_mask_at_stop(Thread *t, uint64_t mask);

/*
 * For calls that take a mask while they wait (ppoll, pselect6, epoll_pwait, rt_sigsuspend,
 * io_pgetevents …): reads the guest's sigset at `set` (bytes must be 8; set 0: no mask, *ret_host
 * is NULL), makes it the guest's mask for the call, and gives the pointer to hand to the host's
 * call. Afterwards nothing is to be done: signal_deliver() or the loop puts the old mask back.
 * 0, or what the call returns then.
 */
long signal_temp_mask(Thread *t, GuestAddr set, uint64_t bytes, uint64_t *storage,
                      const void **ret_host);

/* Everything blocked, on the host only, around what a handler must not interrupt (fork, exec). 0 or
 * -SYSCALL_RESTARTNOINTR as above. */
long signal_block_all(Thread *t);
void signal_unblock(Thread *t); /* back to the thread's own mask */

/* sp is within the guest's alternate stack (false with SS_AUTODISARM: sp may be anywhere). */
bool signal_on_altstack(const Thread *t, GuestAddr sp);

/* sigaltstack with the stack pointer sp: 0 or -errno. */
long signal_altstack(Thread *t, GuestAddr sp, GuestAddr base, uint64_t bytes, int flags);

/* The guest's calls (syscalls/signal.c). */
long signal_action(Thread *t, int sig, const SignalAction *action, SignalAction *ret_old);

/* Around execve: the host has the guest's mask and ignores what the guest ignores, as the new
 * program is to inherit them. In between nothing but host_syscall() may be called. 0 or
 * -SYSCALL_RESTARTNOINTR. */
long signal_exec_prepare(Thread *t);
void signal_exec_failed(Thread *t);
/* In a process that shares its parent's memory, and with it the emulator's locks: from now on it
 * dies of a signal at a safe point, not with a lock held that others wait for. (Of SIGKILL it dies
 * anywhere; signals from 32 on, too.) On its first thread, before that takes signals. */
void signal_start_sharing(Thread *t);
/* CLONE_CLEAR_SIGHAND in the child. */
void signal_clear_handlers(Thread *t);

/* Ends the process as by the default action of sig: never returns. */
_Noreturn void signal_die(Thread *t, int sig);
_Noreturn void signal_die_by(Thread *t, const siginfo_t *info);
/* Signals whose default is a core file have a handler of the host's while RLIMIT_CORE allows one:
 * the guest's is to be written. */
void signal_core_limit_changed(Process *p);

#endif
