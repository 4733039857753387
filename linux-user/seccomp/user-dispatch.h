/* data plane */
/*
 * Syscall user dispatch (Documentation/admin-guide/syscall-user-dispatch.rst): a thread's calls
 * from outside of a range of its code become SIGSYS while a byte of its memory says so. It is
 * judged before tracers and filters see the call. New threads and processes begin without it.
 */
#ifndef LINUX_USER_SECCOMP_USER_DISPATCH_H
#define LINUX_USER_SECCOMP_USER_DISPATCH_H

#include "linux-user/process.h"

/* prctl(PR_SET_SYSCALL_USER_DISPATCH, mode, offset, len, selector). */
long user_dispatch_set(Thread *t, uint64_t mode, uint64_t offset, uint64_t len, GuestAddr selector);
/* The same without effect, for a thread like this one; *ret: what it would be. */
long user_dispatch_make(const Thread *t, uint64_t mode, uint64_t offset, uint64_t len,
                        GuestAddr selector, UserDispatch *ret);
/* The call that the registers ask for is not to be made: a signal is due. */
bool user_dispatch_takes(Thread *t);

#endif
