/* data plane */
/*
 * System calls of the host made for the guest.
 *
 * host_syscall() leaves no window in which a signal is lost: a signal that comes before the call
 * is entered makes it return -SYSCALL_RESTARTNOINTR (the guest's handler runs first, and then the
 * guest makes the call again), one that interrupts it what the kernel itself decided: the host's
 * handlers all have SA_RESTART, so the kernel tells a call that may be restarted (it winds the pc
 * back onto the instruction, and we return -SYSCALL_RESTARTSYS) from one that may not (-EINTR).
 * So a handler never has to know how its call restarts.
 *
 * host_syscall_raw() is the bare instruction, for calls that don't block or that mustn't be
 * given up half way (because something has been done already).
 */
#ifndef LINUX_USER_SIGNAL_HOST_SYSCALL_H
#define LINUX_USER_SIGNAL_HOST_SYSCALL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>

#include "linux-user/process.h"

long host_syscall_asm(const void *pending, long nr, uint64_t a0, uint64_t a1, uint64_t a2,
                      uint64_t a3, uint64_t a4, uint64_t a5);
long host_syscall_raw_asm(long nr, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                          uint64_t a5);

/* A value, or -errno, or -SYSCALL_RESTARTSYS, -SYSCALL_RESTARTNOINTR (syscalls/dispatch.h). */
static inline long host_syscall(Thread *t, long nr, uint64_t a0, uint64_t a1, uint64_t a2,
                                uint64_t a3, uint64_t a4, uint64_t a5)
{
    return host_syscall_asm(&t->signal_pending, nr, a0, a1, a2, a3, a4, a5);
}

/* A value or -errno. Missing arguments may be anything: pass 0. */
#define host_raw(...)                                                                              \
    HOST_RAW_PICK(__VA_ARGS__, HOST_RAW6, HOST_RAW5, HOST_RAW4, HOST_RAW3, HOST_RAW2, HOST_RAW1,   \
                  HOST_RAW0)(__VA_ARGS__)
#define HOST_RAW_PICK(n, a, b, c, d, e, f, name, ...) name
#define HOST_RAW_ARG(x) ((uint64_t)(x))
#define HOST_RAW0(n) host_syscall_raw_asm(n, 0, 0, 0, 0, 0, 0)
#define HOST_RAW1(n, a) host_syscall_raw_asm(n, HOST_RAW_ARG(a), 0, 0, 0, 0, 0)
#define HOST_RAW2(n, a, b) host_syscall_raw_asm(n, HOST_RAW_ARG(a), HOST_RAW_ARG(b), 0, 0, 0, 0)
#define HOST_RAW3(n, a, b, c)                                                                      \
    host_syscall_raw_asm(n, HOST_RAW_ARG(a), HOST_RAW_ARG(b), HOST_RAW_ARG(c), 0, 0, 0)
#define HOST_RAW4(n, a, b, c, d)                                                                   \
    host_syscall_raw_asm(n, HOST_RAW_ARG(a), HOST_RAW_ARG(b), HOST_RAW_ARG(c), HOST_RAW_ARG(d), 0, \
                         0)
#define HOST_RAW5(n, a, b, c, d, e)                                                                \
    host_syscall_raw_asm(n, HOST_RAW_ARG(a), HOST_RAW_ARG(b), HOST_RAW_ARG(c), HOST_RAW_ARG(d),    \
                         HOST_RAW_ARG(e), 0)
#define HOST_RAW6(n, a, b, c, d, e, f)                                                             \
    host_syscall_raw_asm(n, HOST_RAW_ARG(a), HOST_RAW_ARG(b), HOST_RAW_ARG(c), HOST_RAW_ARG(d),    \
                         HOST_RAW_ARG(e), HOST_RAW_ARG(f))

/* For the host's signal handlers: if the interrupted pc is in host_syscall_asm() before the call
 * was entered, or wound back onto it, makes it return. */
void host_syscall_interrupt(void *ucontext);
/* If the interrupted pc is in a copy to or from guest memory (mem/copy.h), makes the copy fail. */
bool host_copy_fault(void *ucontext);

#endif
