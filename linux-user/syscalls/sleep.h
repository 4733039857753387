/* data plane */
#ifndef LINUX_USER_SYSCALLS_SLEEP_H
#define LINUX_USER_SYSCALLS_SLEEP_H

#include "linux-user/process.h"

/* A thread that is traced is about to make a call: when, for those that wait relative to it. */
void sleep_call_begins(Thread *t, long host_nr);
/* The call of t->syscall_args was interrupted by nothing of the guest's. True: restart_syscall is
 * to go on with it until it would have ended. */
bool sleep_keep(Thread *t, long host_nr);

#endif
