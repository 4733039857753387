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

typedef struct ThreadClone {
    uint64_t flags;      /* CLONE_*, without the exit signal */
    uint64_t exit_signal;
    GuestAddr stack;     /* the new stack pointer; 0: the parent's */
    GuestAddr parent_tid, child_tid, tls, pidfd;
    GuestAddr set_tid;
    uint64_t n_set_tid;
    int cgroup;
} ThreadClone;

/* The tid, 0 in a new process, or -errno. */
long thread_clone(Thread *t, const ThreadClone *c);
/* The calling thread is at its end: gives up what the guest can see of it (robust futexes, its tid,
 * its place in the list) and, of the leader, never returns. */
void thread_exit(Thread *t);
_Noreturn void thread_exit_process(Thread *t, int status);
/* Before the process ends or executes another program. */
void thread_save_translations(Thread *t);

#endif
