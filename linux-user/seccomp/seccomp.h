/* data plane */
/*
 * Seccomp of the guest: its filters judge its own calls, by the numbers and the architecture that
 * it knows, before anything of the emulator is reached.
 *
 * The filters are a chain, newest first, that forked processes copy and threads share; they go into
 * the next program of an execve by a memory file that the emulator passes to itself. A native
 * program can't be executed under them: it would have to be judged by numbers they don't know.
 *
 * For every filter the host's kernel gets one that allows everything: so /proc shows the mode,
 * no_new_privs spreads with TSYNC, and a listener for SECCOMP_RET_USER_NOTIF is a real one (see
 * seccomp_notify()).
 */
#ifndef LINUX_USER_SECCOMP_SECCOMP_H
#define LINUX_USER_SECCOMP_SECCOMP_H

#include <linux/filter.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "linux-user/process.h"

enum { SECCOMP_CACHED_CALLS = 512 };

typedef struct SeccompFilter {
    struct SeccompFilter *previous;
    atomic_uint refs;
    uint32_t n, total;    /* instructions: its own; with what the kernel counts for all before */
    bool listens;         /* has a listener */
    /* Calls that this filter and all before it allow, whatever their arguments are. */
    uint64_t allow[SECCOMP_CACHED_CALLS / 64];
    struct sock_filter code[];
} SeccompFilter;

/* Judges the call of t->syscall_args: true, it may run; false: *ret is what it gives. */
bool seccomp_judge(Thread *t, uint64_t nr, long *ret);

/* Of a new thread or process: shares what `from` has. At a thread's end: drops it. */
void seccomp_inherit(Thread *t, const Thread *from);
void seccomp_drop(Thread *t);
/* Of a new thread that is in the list, while its maker `from` waits: what a third thread gave
 * `from` by SECCOMP_FILTER_FLAG_TSYNC in between. */
void seccomp_follow(Thread *t, const Thread *from);

/* Adds a checked program to t's filters. -ENOMEM if there are too many instructions. */
long seccomp_add(Thread *t, const struct sock_filter *code, unsigned n, bool listens);

/* The calling thread's filters in a memory file that an execve passes on; or -errno. */
long seccomp_save(Thread *t);
/* They are t's from now on; closes fd. False: it isn't such a file. */
bool seccomp_restore(Thread *t, int fd);

/* The calls of the guest (syscalls/seccomp.c). */
long seccomp_set_mode_filter(Thread *t, uint64_t flags, GuestAddr program);
long seccomp_set_mode_strict(Thread *t);

/*
 * A call that a supervisor decides about: the emulator makes a call of the host whose number is
 * the guest's plus SECCOMP_NOTIFY_BASE, which the host's filter sends to the listener and no kernel
 * has.
 * The supervisor's emulator takes the base away again (ioctl/seccomp.c). False: *ret is the result;
 * true: the guest's call is to be made.
 */
enum { SECCOMP_NOTIFY_BASE = 0x10000000, SECCOMP_NOTIFY_N = 0x10000 };
/* What a supervisor's answer -ENOSYS is sent as: a plain one means that the call is to go on. */
#define SECCOMP_NOTIFY_ENOSYS INT64_C(0x63616c7175650026)
bool seccomp_notify(Thread *t, uint64_t nr, long *ret);
/* The listener's ioctls, with the guest's numbers; true: it was one of them. */
bool seccomp_ioctl(Thread *t, int fd, uint32_t request, GuestAddr arg, long *ret);

/* AUDIT_ARCH_… of a guest. */
uint32_t seccomp_arch(const GuestAbi *abi);

#endif
