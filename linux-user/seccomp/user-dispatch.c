/* data plane */
#include "linux-user/seccomp/user-dispatch.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>

#include "linux-user/mem/map.h"
#include "linux-user/seccomp/seccomp.h"
#include "linux-user/signal/signal.h"

/* Newer than the headers that this may be built with. */
enum { MODE_OFF, MODE_EXCLUSIVE, MODE_INCLUSIVE, SELECTOR_ALLOW = 0, SELECTOR_BLOCK = 1,
       SYS_USER_DISPATCH_CODE = 2 };

/* kernel/entry/syscall_user_dispatch.c, task_set_syscall_user_dispatch(). */
long user_dispatch_make(const Thread *t, uint64_t mode, uint64_t offset, uint64_t len,
                        GuestAddr selector, UserDispatch *ret)
{
    switch (mode) {
    case MODE_OFF:
        if (offset || len || selector)
            return -EINVAL;
        break;
    case MODE_EXCLUSIVE:
        if (offset && offset + len <= offset)
            return -EINVAL;
        break;
    case MODE_INCLUSIVE:
        if (!len || offset + len <= offset)
            return -EINVAL;
        /* All but the range. */
        offset += len;
        len = -len;
        break;
    default:
        return -EINVAL;
    }
    if (t->tagged)
        selector &= ~UINT64_C(0) >> 8;
    if (mode != MODE_OFF && selector >= t->process->abi->task_size)
        return -EFAULT;
    *ret = (UserDispatch){mode != MODE_OFF, offset, len, selector};
    return 0;
}

long user_dispatch_set(Thread *t, uint64_t mode, uint64_t offset, uint64_t len, GuestAddr selector)
{
    return user_dispatch_make(t, mode, offset, len, selector, &t->user_dispatch);
}

bool user_dispatch_takes(Thread *t)
{
    const UserDispatch *d = &t->user_dispatch;
    const GuestAbi *abi = t->process->abi;
    GuestAddr pc = vcpu_pc(t->vcpu);
    uint8_t state = SELECTOR_BLOCK;
    siginfo_t info;

    if (pc - d->offset < d->len)
        return false;
    if (d->selector && !mem_get(&state, d->selector))
        signal_die(t, SIGSEGV);
    if (state == SELECTOR_ALLOW)
        return false;
    if (state != SELECTOR_BLOCK)
        signal_die(t, SIGSYS);
    memset(&info, 0, sizeof info);
    info.si_signo = SIGSYS;
    info.si_code = SYS_USER_DISPATCH_CODE;
    info.si_call_addr = mem_host(pc);
    info.si_syscall = (int)abi->syscall_nr(vcpu_cpu(t->vcpu));
    info.si_arch = seccomp_arch(abi);
    signal_force(t, &info);
    return true;
}
