/* data plane */
/*
 * ptrace between guest processes; block.h tells how. The first part is called on the tracee's
 * threads, the second on the tracer's.
 */
#ifndef LINUX_USER_PTRACE_PTRACE_H
#define LINUX_USER_PTRACE_PTRACE_H

#include <signal.h>
#include <stdbool.h>

#include "linux-user/process.h"
#include "linux-user/ptrace/block.h"

/* ---- the tracee ---- */

static inline bool trace_is_active(const Thread *t)
{
    return __builtin_expect(t->trace != NULL, 0) && t->trace->active;
}

/* A new thread or process, as soon as its Thread is thread_self and has its tid: takes what its
 * tracer asked for before. */
void trace_thread_start(Thread *t);
/* In a forked child before its tid is set: nobody traces it, unless they say so. */
void trace_fork_child(Thread *t);
void trace_thread_free(Thread *t);
/* The first thread of a program whose start the tracer may have marked (TRACE_AUXV_MAGIC). */
void trace_program_start(Thread *t, uint64_t auxv_base);
/* PTRACE_TRACEME has succeeded. */
void trace_begin(Thread *t);
/* The thread's registers into its block. */
void trace_gather(Thread *t);

/* In the host's handler: a SIGTRAP that is none of the guest's is dealt with. A signal that
 * the tracer passes on becomes *ret_sig (and *info that signal's). */
bool trace_host_signal(Thread *t, siginfo_t *info, void *ucontext, int *ret_sig);

/* At a safe point, before signals are delivered. */
void trace_take_requests(Thread *t);
/* A signal is about to be delivered: what the tracer makes of it; 0: nothing. */
int trace_signal(Thread *t, int sig, siginfo_t *info, bool forced);
/* Stops with the thread group, by default action of sig. */
void trace_group_stop(Thread *t, int sig);
/* A handler has been entered, or an instruction been executed, while single-stepping. */
bool trace_is_stepping(const Thread *t);
void trace_handler_entered(Thread *t);

/* Around syscall_dispatch(), when t->trace. False: the call is not to be made. */
bool trace_syscall_enter(Thread *t);
long trace_syscall_exit(Thread *t, long result);
/* A call was interrupted, and the thread is traced or has been asked something: the result, or
 * a restart code. */
long trace_interrupted(Thread *t);
/* A seccomp filter said SECCOMP_RET_TRACE with `data`. False: nobody traces who asked for that.
 * True: somebody does, and *ret_skip: the call is not to be made. */
bool trace_seccomp(Thread *t, uint32_t data, bool *ret_skip);

/* Around calls of the host that the kernel may stop in with an event (clone, exit). */
void trace_publish(Thread *t);
void trace_unpublish(Thread *t);
/* The thread is about to kill itself by sig, which the tracer has seen already. */
void trace_dying(Thread *t, int sig);

/* ---- the tracer ---- */

/* The wait status of pid, which is WIFSTOPPED, may be a stop that the guest doesn't see: false, and
 * the process goes on. Else *status is the guest's. */
bool tracer_sees(Thread *t, pid_t pid, int *status);
/* Before the guest waits for pid alone: true, somebody else is traced too, whose stops must be
 * looked after meanwhile. Then the wait is WNOHANG, and tracer_pause() between two: 0 or what the
 * call returns. */
bool tracer_must_poll(Thread *t, pid_t pid);
long tracer_pause(Thread *t, long result);
/* pid has ended. False: it was no thread of the guest's. */
bool tracer_sees_end(Thread *t, pid_t pid);
/* The guest has written n bytes at `at` of another process, which may be code. */
void tracer_memory_written(Thread *t, GuestAddr at, uint64_t n);
/* While Process.writes_memory: a call of the host's number that gave n > 0 may have done so. */
void tracer_wrote(Thread *t, long host_nr, const uint64_t *args, long n);
/* Sets Process.writes_memory if path may be some /proc/PID/mem, open for writing. */
void tracer_note_open(Process *p, const char *path, int flags);
/* In a forked child: nobody is traced by it. */
void tracer_fork_child(Process *p);

#endif
