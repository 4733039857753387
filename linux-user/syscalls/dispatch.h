/*
 * System calls: from the guest's registers to a handler and back.
 *
 * Contract with the cpu loop (thread/): on VCPU_EXIT_SYSCALL it calls syscall_dispatch(), which
 * sets thread->syscall_nr and syscall_args, runs the call and
 *   - writes the result into the guest's registers, or
 *   - returns a restart code (-SYSCALL_RESTART*) and writes nothing. Then signal delivery decides,
 *     as Linux does: if a handler runs, the result is -EINTR (RESTARTNOHAND, RESTART_BLOCK, and
 *     RESTARTSYS without SA_RESTART); else the call is made again by abi->syscall_restart(), with
 *     the same number, or for RESTART_BLOCK with abi->syscalls->nr_restart;
 *   - returns -SYSCALL_NO_RESULT when the registers are already what they must be (sigreturn,
 *     execve of the same thread): nothing is written.
 * thread->syscall_nr is -1 again after the call, except when a restart code is returned: then
 * signal delivery sets it to -1 once it has decided.
 *
 * Rules for handlers (sys_NAME, one a call, in the file of their subject; the call's row in
 * syscall-tables/protos says `| own`):
 *  1. They return the value or -errno (never set errno), or one of the codes below.
 *  2. Guest pointers go to the kernel as they are where layouts agree; otherwise only the copying
 *     functions of mem/ touch guest memory, and a fault is -EFAULT.
 *  3. A call that may block goes through host_syscall() (signal/host-syscall.h), so that no signal
 *     is lost between the check and the call. It gives -SYSCALL_RESTARTSYS when interrupted; a
 *     handler with another restart rule maps it by syscall_restart_as().
 *  4. No allocation by GLib, no stdio: after a fork of a threaded guest nothing but this works.
 */
#ifndef LINUX_USER_SYSCALLS_DISPATCH_H
#define LINUX_USER_SYSCALLS_DISPATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "linux-user/process.h"

typedef long SyscallHandler(Thread *t, const uint64_t *args);

/* Linux's own internal codes (include/linux/errno.h): no errno a program sees has these values. */
enum {
    SYSCALL_RESTARTSYS = 512,    /* restart unless a handler without SA_RESTART runs */
    SYSCALL_RESTARTNOINTR = 513, /* always restart */
    SYSCALL_RESTARTNOHAND = 514, /* restart only if no handler runs */
    SYSCALL_RESTART_BLOCK = 516, /* the same, by restart_syscall (thread->restart) */
    SYSCALL_NO_RESULT = 600,
};

long syscall_dispatch(Thread *t);
/* The host's number of the call that the guest's registers ask for, if it is the host's as it is
 * and nobody looks on; then thread->syscall_nr and syscall_args are set. Else -1. */
long syscall_plain(Thread *t);
/* The row of the call that t is in. */
const struct TableCall *syscall_current(const Thread *t);

static inline bool syscall_is_restart(long ret)
{
    return ret >= -SYSCALL_RESTART_BLOCK && ret <= -SYSCALL_RESTARTSYS;
}

/* The result of an interrupted host call under another restart rule. */
static inline long syscall_restart_as(long ret, int code)
{
    return ret == -SYSCALL_RESTARTSYS ? -code : ret;
}

#endif
