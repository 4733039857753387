/* data plane */
/*
 * Threads and processes of the guest. A guest thread is a host thread, and its tid the host's.
 */
#ifndef LINUX_USER_THREAD_THREAD_H
#define LINUX_USER_THREAD_THREAD_H

#include <stdint.h>

#include "linux-user/process.h"

/* The first thread of a process; it is the calling one. */
Thread *thread_new_main(Process *p);
/* Runs guest code and its system calls, until t->exiting. */
void thread_loop(Thread *t);
bool thread_quick_syscall(void *opaque, Vcpu *v); /* TranslatorCallbacks.syscall */

typedef struct ThreadClone {
    uint64_t flags;      /* CLONE_*, without the exit signal */
    uint64_t exit_signal;
    GuestAddr stack;     /* the new stack pointer; 0: the parent's */
    GuestAddr parent_tid, child_tid, tls, pidfd;
    GuestAddr set_tid;
    uint64_t n_set_tid;
    int cgroup;
} ThreadClone;

/* For this folder: parts of clone. `from`: whose guest state is copied, or NULL. thread_free() is
 * not for the thread itself, or at its very end with its signals blocked. */
Thread *thread_alloc(Process *p, const Thread *from, struct HostSlot *slot);
void thread_free(Thread *t);
void thread_child_registers(Thread *child, const ThreadClone *c);
/* A detached thread of the C library, for t: an error number. */
int thread_create_host(Thread *t, void *(*fn)(void *), void *arg);
/* What CLONE_CHILD_CLEARTID asks for at the end, once. */
void thread_clear_tid(Thread *t);
/* The host's clone, by whichever call can say it. With f the child runs f(arg) on a stack that ends
 * at stack_end, with `tls` (0: the parent's) as its thread pointer, and the kernel clears *dead (if
 * any) at its end; else it is a fork, which returns 0 too. */
long thread_host_clone(const ThreadClone *c, void *stack_end, uintptr_t tls, atomic_int *dead,
                       void (*f)(void *), void *arg);
/* shared.c: CLONE_VM without CLONE_THREAD. */
long thread_clone_shared(Thread *t, const ThreadClone *c);

/* The tid, 0 in a new process, or -errno. */
long thread_clone(Thread *t, const ThreadClone *c);
/* The calling thread is at its end: gives up what the guest can see of it (robust futexes, its tid,
 * its place in the list). */
_Noreturn void thread_exit(Thread *t);
_Noreturn void thread_exit_process(Thread *t, int status);
/* Before the process ends or executes another program. */
void thread_save_translations(Thread *t, GuestAddr start, uint64_t bytes);
void thread_save_last(Thread *t); /* it runs no more guest code */

#endif
