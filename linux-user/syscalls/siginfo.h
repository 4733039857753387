/* data plane */
/*
 * A siginfo between the guest's layout and the host's, which are the same where word size and byte
 * order are. In guest memory it takes 128 bytes.
 */
#ifndef LINUX_USER_SYSCALLS_SIGINFO_H
#define LINUX_USER_SYSCALLS_SIGINFO_H

#include <signal.h>

#include "linux-user/process.h"
#include "syscall-tables/table.h"

enum { SIGINFO_BYTES = 128 };

void siginfo_to_guest(const SyscallTable *table, uint8_t guest[SIGINFO_BYTES],
                      const siginfo_t *host);
void siginfo_to_host(const SyscallTable *table, siginfo_t *host,
                     const uint8_t guest[SIGINFO_BYTES]);
/* With the guest's side in guest memory. False: EFAULT. */
bool siginfo_get(const Thread *t, siginfo_t *ret, GuestAddr at);
bool siginfo_put(const Thread *t, GuestAddr at, const siginfo_t *info);

#endif
