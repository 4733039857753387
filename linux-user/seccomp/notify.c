/* data plane */
/* SECCOMP_RET_USER_NOTIF, on both sides. */
#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>

#include "linux-user/mem/map.h"
#include "linux-user/seccomp/seccomp.h"
#include "linux-user/signal/host-syscall.h"

bool seccomp_notify(Thread *t, uint64_t nr, long *ret)
{
    const uint64_t *a = t->syscall_args;
    bool listened = false;

    for (const SeccompFilter *f = atomic_load_explicit(&t->seccomp, memory_order_acquire); f;
         f = f->previous)
        listened |= f->listens;
    *ret = -ENOSYS; /* as the kernel's when nobody listens */
    if (!listened || nr >= SECCOMP_NOTIFY_N)
        return false;
    *ret = host_syscall(t, SECCOMP_NOTIFY_BASE + (long)nr, a[0], a[1], a[2], a[3], a[4], a[5]);
    if (*ret == SECCOMP_NOTIFY_ENOSYS) {
        *ret = -ENOSYS;
        return false;
    }
    /* SECCOMP_USER_NOTIF_FLAG_CONTINUE: the kernel went on, and has no such call. */
    return *ret == -ENOSYS;
}

static long receive(Thread *t, int fd, GuestAddr arg)
{
    struct seccomp_notif n;
    long r = host_syscall(t, SYS_ioctl, fd, SECCOMP_IOCTL_NOTIF_RECV, arg, 0, 0, 0);

    if (r < 0)
        return r;
    if (!mem_get(&n, arg))
        return -EFAULT;
    uint32_t nr = (uint32_t)n.data.nr - SECCOMP_NOTIFY_BASE;
    if (n.data.arch == AUDIT_ARCH_X86_64 && nr < SECCOMP_NOTIFY_N) {
        n.data.nr = (int)nr;
        n.data.arch = seccomp_arch(t->process->abi);
        n.data.instruction_pointer = 0; /* the emulator's own would mislead */
        if (!mem_put(arg, n))
            return -EFAULT;
    }
    return r;
}

static long answer(Thread *t, int fd, GuestAddr arg)
{
    struct seccomp_notif_resp resp;

    if (!mem_get(&resp, arg))
        return -EFAULT;
    if (resp.error == -ENOSYS && !resp.flags) {
        resp.error = 0;
        resp.val = SECCOMP_NOTIFY_ENOSYS;
    }
    return host_syscall(t, SYS_ioctl, fd, SECCOMP_IOCTL_NOTIF_SEND, (uintptr_t)&resp, 0, 0, 0);
}

bool seccomp_ioctl(Thread *t, int fd, uint32_t request, GuestAddr arg, long *ret)
{
    switch (request) {
    case SECCOMP_IOCTL_NOTIF_RECV: *ret = receive(t, fd, arg); return true;
    case SECCOMP_IOCTL_NOTIF_SEND: *ret = answer(t, fd, arg); return true;
    default: return false;
    }
}
