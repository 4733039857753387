/* data plane */
/* Signals: dispositions, masks, alternate stacks, sending and waiting. */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "linux-user/mem/map.h"
#include "linux-user/signal/host-syscall.h"
#include "linux-user/signal/signal.h"
#include "linux-user/syscalls/convert.h"
#include "linux-user/syscalls/dispatch.h"
#include "linux-user/syscalls/siginfo.h"
#include "syscall-tables/handlers.h"

enum { SIGSET_BYTES = 8 };

/* The kernel's structure without and with the restorer (asm-generic/signal.h): which one a guest
 * has is whether its ABI has SA_RESTORER. */
typedef struct SigactionPlain {
    uint64_t handler, flags, mask;
} SigactionPlain;
typedef struct SigactionRestorer {
    uint64_t handler, flags, restorer, mask;
} SigactionRestorer;

static const uint64_t known_flags =
    SIGNAL_SA_NOCLDSTOP | SIGNAL_SA_NOCLDWAIT | SIGNAL_SA_SIGINFO | SIGNAL_SA_ONSTACK |
    SIGNAL_SA_RESTART | SIGNAL_SA_NODEFER | SIGNAL_SA_RESETHAND | SIGNAL_SA_EXPOSE_TAGBITS;

static bool action_read(const GuestAbi *abi, GuestAddr at, SignalAction *ret)
{
    if (abi->has_sa_restorer) {
        SigactionRestorer a;
        if (!mem_get(&a, at))
            return false;
        *ret = (SignalAction){a.handler, a.flags & (known_flags | SIGNAL_SA_RESTORER), a.restorer,
                              a.mask};
    } else {
        SigactionPlain a;
        if (!mem_get(&a, at))
            return false;
        *ret = (SignalAction){a.handler, a.flags & known_flags, 0, a.mask};
    }
    return true;
}

static bool action_write(const GuestAbi *abi, GuestAddr at, const SignalAction *a)
{
    if (abi->has_sa_restorer)
        return mem_put(at, ((SigactionRestorer){a->handler, a->flags, a->restorer, a->mask}));
    return mem_put(at, ((SigactionPlain){a->handler, a->flags, a->mask}));
}

long sys_rt_sigaction(Thread *t, const uint64_t *args)
{
    const GuestAbi *abi = t->process->abi;
    SignalAction new, old;
    if (args[3] != SIGSET_BYTES)
        return -EINVAL;
    if (args[1] && !action_read(abi, args[1], &new))
        return -EFAULT;
    /* A signal accepted under the old disposition is delivered by it. */
    if (args[1] && signal_is_pending(t))
        return -SYSCALL_RESTARTNOINTR;
    long r = signal_action(t, (int)args[0], args[1] ? &new : NULL, &old);
    if (r == 0 && args[2] && !action_write(abi, args[2], &old))
        return -EFAULT;
    return r;
}

long sys_rt_sigprocmask(Thread *t, const uint64_t *args)
{
    uint64_t old = t->signals->mask, set;
    if (args[3] != SIGSET_BYTES)
        return -EINVAL;
    if (args[1]) {
        if (!mem_get(&set, args[1]))
            return -EFAULT;
        switch ((int)args[0]) {
        case SIG_BLOCK: set |= old; break;
        case SIG_UNBLOCK: set = old & ~set; break;
        case SIG_SETMASK: break;
        default: return -EINVAL;
        }
        long r = (set & ~SIGNAL_UNBLOCKABLE) == old ? 0 : signal_set_mask(t, set);
        if (r < 0)
            return r;
    }
    return args[2] && !mem_put(args[2], old) ? -EFAULT : 0;
}

/* The emulator's own five, as SignalState.waiters has them. */
static const uint8_t held_order[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};

/* What was sent to the process, and waits at other threads. */
static uint64_t held_for_process(Thread *t)
{
    Process *p = t->process;
    uint64_t set = 0;
    pthread_mutex_lock(&p->threads_lock);
    for (const Thread *other = p->threads; other; other = other->next)
        for (unsigned i = 0; i < sizeof held_order; i++)
            if (other->signals->held_info[i].si_code != SI_TKILL)
                set |= other->signals->held & SIGNAL_BIT(held_order[i]);
    pthread_mutex_unlock(&p->threads_lock);
    return set;
}

long sys_rt_sigpending(Thread *t, const uint64_t *args)
{
    uint64_t pending;
    if (args[1] > SIGSET_BYTES)
        return -EINVAL;
    long r = host_raw(SYS_rt_sigpending, (uintptr_t)&pending, SIGSET_BYTES);
    if (r < 0)
        return r;
    pending = (pending | t->signals->held | held_for_process(t)) & t->signals->mask;
    return mem_write(args[0], &pending, args[1]) ? 0 : -EFAULT;
}

long sys_rt_sigsuspend(Thread *t, const uint64_t *args)
{
    uint64_t storage;
    const void *host;
    if (args[1] != SIGSET_BYTES)
        return -EINVAL;
    if (!args[0])
        return -EFAULT;
    long r = signal_temp_mask(t, args[0], args[1], &storage, &host);
    return r < 0 ? r
                 : host_syscall(t, SYS_rt_sigsuspend, (uintptr_t)host, SIGSET_BYTES, 0, 0, 0, 0);
}

/* The siginfo of one of them that waits at t, not in the kernel; `sent`: one for the process. */
static int take_held(Thread *t, uint64_t set, bool sent, siginfo_t *ret)
{
    ThreadSignals *s = t->signals;
    for (unsigned i = 0; i < sizeof held_order; i++) {
        uint64_t bit = SIGNAL_BIT(held_order[i]);
        if (!(s->held & set & bit) || (sent && s->held_info[i].si_code == SI_TKILL))
            continue;
        *ret = s->held_info[i];
        if (__atomic_fetch_and(&s->held, ~bit, __ATOMIC_SEQ_CST) & bit)
            return held_order[i];
    }
    return 0;
}

/* At t, or for the process at another of its threads. */
static int take_any_held(Thread *t, uint64_t set, siginfo_t *ret)
{
    Process *p = t->process;
    int sig = take_held(t, set, false, ret);
    if (sig || !(set & SIGNAL_SYNC_MASK))
        return sig;
    pthread_mutex_lock(&p->threads_lock);
    for (Thread *other = p->threads; other && !sig; other = other->next)
        if (other != t)
            sig = take_held(other, set, true, ret);
    pthread_mutex_unlock(&p->threads_lock);
    return sig;
}

static void wait_for(Thread *t, uint64_t set, bool begin)
{
    t->signals->waiting = begin ? set & SIGNAL_SYNC_MASK : 0;
    for (unsigned i = 0; i < sizeof held_order; i++) {
        int none = begin ? 0 : t->tid, now = begin ? t->tid : 0;
        if (set & SIGNAL_BIT(held_order[i]))
            atomic_compare_exchange_strong(&t->process->signals->waiters[i], &none, now);
    }
}

static long wait_timed(Thread *t, const uint64_t *args, unsigned layout)
{
    const SyscallTable *table = t->process->abi->syscalls;
    uint64_t set, timeout = args[2];
    siginfo_t info;
    struct timespec ts;
    if (args[3] != SIGSET_BYTES)
        return -EINVAL;
    if (!mem_get(&set, args[0]))
        return -EFAULT;
    if (timeout && !table->layouts[layout].same) {
        if (!convert_get(table, layout, &ts, timeout))
            return -EFAULT;
        timeout = (uintptr_t)&ts;
    }
    set &= ~SIGNAL_UNBLOCKABLE;
    wait_for(t, set, true);
    long r = take_any_held(t, set, &info);
    if (!r) {
        uint64_t host = set & ~SIGNAL_SYNC_MASK;
        r = host_syscall(t, SYS_rt_sigtimedwait, (uintptr_t)&host, (uintptr_t)&info, timeout,
                         SIGSET_BYTES, 0, 0);
        if (r < 0 && (t->signals->held & set))
            r = take_held(t, set, false, &info);
    }
    wait_for(t, set, false);
    info.si_code = r > 0 ? signal_forged_unmark(info.si_code) : 0;
    if (r > 0 && args[1] && !siginfo_put(t, args[1], &info))
        return -EFAULT;
    return r;
}

long sys_rt_sigtimedwait(Thread *t, const uint64_t *args)
{
    return wait_timed(t, args, TABLE_STRUCT_TIMESPEC);
}

long sys_rt_sigtimedwait_time64(Thread *t, const uint64_t *args)
{
    return wait_timed(t, args, TABLE_STRUCT_TIMESPEC64);
}

/* The guest's siginfo as the kernel is to have it; at 0: none. */
static long queued_info(const Thread *t, GuestAddr at, int sig, siginfo_t *ret,
                        const void **ret_host)
{
    *ret_host = NULL;
    if (!at)
        return 0;
    if (!siginfo_get(t, ret, at))
        return -EFAULT;
    ret->si_code = signal_forged_mark(sig, ret->si_code);
    *ret_host = ret;
    return 0;
}

long sys_rt_sigqueueinfo(Thread *t, const uint64_t *args)
{
    siginfo_t info;
    const void *host;
    long r = queued_info(t, args[2], (int)args[1], &info, &host);
    return r < 0 ? r : host_raw(SYS_rt_sigqueueinfo, args[0], args[1], (uintptr_t)host);
}

long sys_rt_tgsigqueueinfo(Thread *t, const uint64_t *args)
{
    siginfo_t info;
    const void *host;
    long r = queued_info(t, args[3], (int)args[2], &info, &host);
    return r < 0 ? r
                 : host_raw(SYS_rt_tgsigqueueinfo, args[0], args[1], args[2], (uintptr_t)host);
}

long sys_pidfd_send_signal(Thread *t, const uint64_t *args)
{
    siginfo_t info;
    const void *host;
    long r = queued_info(t, args[2], (int)args[1], &info, &host);
    return r < 0 ? r
                 : host_raw(SYS_pidfd_send_signal, args[0], args[1], (uintptr_t)host, args[3]);
}

long sys_kill(Thread *t, const uint64_t *args)
{
    return host_raw(SYS_kill, (int)args[0], (int)args[1]);
}

long sys_tkill(Thread *t, const uint64_t *args)
{
    return host_raw(SYS_tkill, (int)args[0], (int)args[1]);
}

long sys_tgkill(Thread *t, const uint64_t *args)
{
    return host_raw(SYS_tgkill, (int)args[0], (int)args[1], (int)args[2]);
}

long sys_sigaltstack(Thread *t, const uint64_t *args)
{
    struct { uint64_t sp; int32_t flags, pad; uint64_t bytes; } new, old;
    ThreadSignals *s = t->signals;
    GuestAddr sp = t->process->abi->get_sp(vcpu_cpu(t->vcpu));
    memset(&old, 0, sizeof old);
    old.sp = s->altstack;
    old.bytes = s->altstack_bytes;
    old.flags = (int32_t)((unsigned)s->altstack_flags & 1u << 31);
    old.flags |= !s->altstack_bytes ? SS_DISABLE : signal_on_altstack(t, sp) ? SS_ONSTACK : 0;
    if (args[0]) {
        if (!mem_get(&new, args[0]))
            return -EFAULT;
        long r = signal_altstack(t, sp, new.sp, new.bytes, new.flags);
        if (r < 0)
            return r;
    }
    return args[1] && !mem_put(args[1], old) ? -EFAULT : 0;
}

/* The mask goes first: once it has been set nothing can fail to let a signal in that had been
 * accepted under the handler's mask. */
long sys_rt_sigreturn(Thread *t, const uint64_t *args)
{
    const GuestAbi *abi = t->process->abi;
    uint64_t mask;
    if (!abi->sigreturn(t, true, &mask))
        goto bad;
    long r = signal_set_mask(t, mask);
    if (r < 0)
        return r;
    if (abi->sigreturn(t, false, &mask))
        return -SYSCALL_NO_RESULT;
bad:
    signal_force(t, &(siginfo_t){.si_signo = SIGSEGV, .si_code = SI_KERNEL});
    return -SYSCALL_NO_RESULT;
}
