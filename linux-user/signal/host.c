/* data plane */
/*
 * The host's handler. It runs on the thread's alternate stack with every signal blocked that can
 * be, in any code of the emulator; it takes no lock and calls nothing that does.
 */
#include <sys/resource.h>
#include <ucontext.h>

#include "linux-user/arch/text.h"
#include "linux-user/ptrace/ptrace.h"
#include "linux-user/signal/host-syscall.h"
#include "linux-user/signal/host.h"

enum { HOST_SA_RESTORER = 0x04000000 };

extern void host_restorer(void);

long host_signal_mask(uint64_t mask, uint64_t *ret_old)
{
    return host_raw(SYS_rt_sigprocmask, SIG_SETMASK, (uintptr_t)&mask, (uintptr_t)ret_old, 8);
}

long host_signal_get(int sig, HostSigaction *ret)
{
    return host_raw(SYS_rt_sigaction, sig, 0, (uintptr_t)ret, 8);
}

static int sync_slot(int sig)
{
    switch (sig) {
    case SIGSEGV: return 0;
    case SIGBUS: return 1;
    case SIGFPE: return 2;
    case SIGILL: return 3;
    case SIGTRAP: return 4;
    default: return -1;
    }
}

/* An instruction raised it. Codes don't tell alone: the exit signal of a child may be any, and then
 * has codes of SIGCHLD; but its address isn't one that the processor has just reported. (Intel SDM
 * vol. 3, 6.15: CR2 for page faults; otherwise Linux gives the instruction's address, or SI_KERNEL
 * where there is none.) Forged codes are marked: signal_forged_mark(). */
static bool is_fault(const siginfo_t *info, const ucontext_t *uc)
{
    if (info->si_code <= 0)
        return false;
    uint64_t addr = (uintptr_t)info->si_addr;
    return info->si_code == SI_KERNEL || addr == (uint64_t)uc->uc_mcontext.gregs[REG_CR2] ||
           addr == (uint64_t)uc->uc_mcontext.gregs[REG_RIP];
}

/* The fault is the emulator's own: let it be seen as what it is. */
static void host_crash(int sig, const siginfo_t *info, const ucontext_t *uc)
{
    char line[128];
    Text t = {line, line + sizeof line};
    text_add(&t, "calque: signal ");
    text_add_number(&t, (unsigned)sig, 10, 1);
    text_add(&t, ", code ");
    text_add_number(&t, (unsigned)info->si_code, 10, 1);
    text_add(&t, ", in the emulator at 0x");
    text_add_number(&t, (uint64_t)uc->uc_mcontext.gregs[REG_RIP], 16, 1);
    text_add(&t, ", address 0x");
    text_add_number(&t, (uintptr_t)info->si_addr, 16, 1);
    text_add(&t, "\n");
    host_raw(SYS_write, log_descriptor(), (uintptr_t)line, t.at - line);
    HostSigaction action = {.handler = HOST_SIG_DFL, .flags = HOST_SA_RESTORER,
                            .restorer = (uintptr_t)host_restorer};
    host_raw(SYS_rt_sigaction, sig, (uintptr_t)&action, 0, 8);
}

static void interrupt_thread(Thread *t, void *ucontext)
{
    atomic_store_explicit(&t->signal_pending, 1, memory_order_relaxed);
    host_syscall_interrupt(ucontext);
    if (t->vcpu)
        vcpu_kick(t->vcpu);
}

/* To the thread that waits for it, if it was sent to the process. */
static bool pass_on(const Thread *t, int slot, int sig, const siginfo_t *info)
{
    int tid = atomic_load_explicit(&t->process->signals->waiters[slot], memory_order_relaxed);
    siginfo_t copy = *info;
    if (!tid || tid == t->tid || info->si_code == SI_TKILL)
        return false;
    /* A code that isn't negative can be sent to oneself only. */
    if (copy.si_code >= 0)
        copy.si_code = (int)(SIGNAL_FORGED_MARK | (unsigned)copy.si_code);
    return host_raw(SYS_rt_tgsigqueueinfo, host_raw(SYS_getpid), tid, sig, (uintptr_t)&copy) == 0;
}

/* A signal that somebody sent. */
static void accept_signal(Thread *t, int sig, const siginfo_t *info, void *ucontext)
{
    ThreadSignals *s = t->signals;
    int slot = sync_slot(sig);
    if (slot >= 0) {
        /* Never blocked on the host, so the guest's mask is kept here. As in Linux a second
         * standard signal is lost while the first waits. */
        bool blocked = s->mask & SIGNAL_BIT(sig) && !(s->waiting & SIGNAL_BIT(sig));
        if ((blocked && pass_on(t, slot, sig, info)) || s->held & SIGNAL_BIT(sig))
            return;
        s->held_info[slot] = *info;
        s->held_info[slot].si_code = signal_forged_unmark(info->si_code);
        s->held |= SIGNAL_BIT(sig);
        s->quiet = 1;
        if (blocked)
            return;
    } else {
        s->accepted_info = *info;
        s->accepted_info.si_signo = sig;
        s->accepted = sig;
        *(uint64_t *)&((ucontext_t *)ucontext)->uc_sigmask = ~SIGNAL_SYNC_MASK;
    }
    interrupt_thread(t, ucontext);
}

/* The kernel raised it because it can't use the thread's struct rseq, which the guest has unmapped
 * or spoilt: it comes wherever the thread lost the processor. What an instruction did with an
 * address that isn't canonical looks alike but for the number of the exception, which the kernel
 * leaves behind by the thread's last one. (Intel SDM vol. 3, 6.15: 12 #SS, 13 #GP.) */
static bool is_refused_rseq(const Thread *t, const siginfo_t *info, const ucontext_t *uc,
                            bool explained)
{
    greg_t trap = uc->uc_mcontext.gregs[REG_TRAPNO];
    return t && t->rseq && info->si_signo == SIGSEGV && info->si_code == SI_KERNEL &&
           (!explained || (trap != 12 && trap != 13));
}

/* Blocked, so that it kills: the kernel would fail likewise to give it to a handler. */
static void refuse_rseq(Thread *t, const siginfo_t *info, void *ucontext)
{
    t->signals->mask |= SIGNAL_BIT(SIGSEGV);
    t->signals->forced_info = *info;
    t->signals->forced = SIGSEGV;
    interrupt_thread(t, ucontext);
}

static void host_handler(int sig, siginfo_t *info, void *ucontext)
{
    Thread *t = thread_self;
    if (sig == SIGTRAP && trace_host_signal(t, info, ucontext, &sig))
        return;
    if (is_refused_rseq(t, info, ucontext, true)) {
        refuse_rseq(t, info, ucontext);
        return;
    }
    if (sync_slot(sig) >= 0 && is_fault(info, ucontext)) {
        if ((sig == SIGSEGV || sig == SIGBUS) && host_copy_fault(ucontext))
            return;
        if (t)
            t->fault_write = ((ucontext_t *)ucontext)->uc_mcontext.gregs[REG_ERR] & 2;
        if (t && t->vcpu && vcpu_host_signal(t->vcpu, sig, info, ucontext))
            return;
        if (is_refused_rseq(t, info, ucontext, false))
            refuse_rseq(t, info, ucontext);
        else
            host_crash(sig, info, ucontext);
        return;
    }
    if (t)
        accept_signal(t, sig, info, ucontext);
}

void host_signal_ignore(int sig, const SignalAction *back)
{
    HostSigaction ignore = {.handler = HOST_SIG_IGN};
    if (back)
        host_signal_set(sig, back);
    else
        host_raw(SYS_rt_sigaction, sig, (uintptr_t)&ignore, 0, 8);
}

static bool dumps_core(int sig)
{
    struct rlimit limit;
    return (SIGNAL_BIT(sig) & SIGNAL_CORE_MASK) &&
           host_raw(SYS_prlimit64, 0, RLIMIT_CORE, 0, (uintptr_t)&limit) == 0 && limit.rlim_cur;
}

static bool dies_late(int sig)
{
    const Thread *t = thread_self;
    return t && t->process->signals->late &&
           (SIGNAL_BIT(sig) & (SIGNAL_END_MASK | SIGNAL_CORE_MASK));
}

long host_signal_set(int sig, const SignalAction *action)
{
    if (sig == SIGKILL || sig == SIGSTOP)
        return 0;
    HostSigaction host = {.flags = HOST_SA_RESTORER, .restorer = (uintptr_t)host_restorer};
    uint64_t handler = action ? action->handler : HOST_SIG_DFL;
    if (action)
        host.flags |= action->flags & (SIGNAL_SA_NOCLDSTOP | SIGNAL_SA_NOCLDWAIT);
    bool deadly = handler == HOST_SIG_DFL && (dies_late(sig) || dumps_core(sig));
    if (handler <= HOST_SIG_IGN && sync_slot(sig) < 0 && !deadly) {
        host.handler = handler;
    } else {
        host.handler = (uintptr_t)host_handler;
        host.flags |= SA_SIGINFO | SA_ONSTACK | SA_RESTART;
        /* The five may interrupt the handler of another signal only by a bug of ours. */
        host.mask = ~SIGNAL_SYNC_MASK;
    }
    return host_raw(SYS_rt_sigaction, sig, (uintptr_t)&host, 0, 8);
}
