/* data plane */
/*
 * -strace: each call as strace(1) prints it, from the same tables that make the call.
 *
 *   [tid] openat(AT_FDCWD, "/etc/passwd", O_RDONLY|O_CLOEXEC) = 3
 *
 * What a call takes is printed when it is entered, what it gives when it returns; when another
 * thread or process prints in between, the line ends in <unfinished ...> and goes on later with
 * <... NAME resumed>. Which thread's line is unfinished is kept in memory that forked children
 * share, so their lines don't mix with the parent's.
 */
#ifndef LINUX_USER_STRACE_STRACE_H
#define LINUX_USER_STRACE_STRACE_H

#include <signal.h>
#include <stdint.h>

#include "linux-user/process.h"

struct TableCall;

/* Makes the call of thread->syscall_args by run(), and prints it: used when log_on(LOG_STRACE).
 * call is NULL for a number that the table lacks. */
long strace_call(Thread *t, const struct TableCall *call, uint64_t nr,
                 long (*run)(Thread *t, const struct TableCall *call, uint64_t nr));
/* A signal is about to be delivered:  --- SIGCHLD {si_signo=SIGCHLD, …} --- */
void strace_signal(Thread *t, const siginfo_t *info);
/* The process ends:  +++ exited with 1 +++, +++ killed by SIGTERM +++ */
void strace_end(Thread *t, int status, int sig);

#endif
