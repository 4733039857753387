/* data plane */
#ifndef LINUX_USER_SYSCALLS_TAGGED_H
#define LINUX_USER_SYSCALLS_TAGGED_H

#include "linux-user/process.h"

struct TableCall;

/* A call that the host makes as it is, of a thread whose pointers may be tagged; those in args are
 * plain already. True: some pointer behind them, of a vector or a message, has a tag; the call has
 * been made with a copy without, and *ret is its result. */
bool tagged_call(Thread *t, const struct TableCall *c, const uint64_t *args, long *ret);

#endif
