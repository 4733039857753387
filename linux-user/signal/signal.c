/* data plane */
/*
 * Delivery of the guest's signals at safe points, and the restart of interrupted calls.
 */
#include "linux-user/signal/signal.h"

#include <errno.h>
#include <string.h>

#include "linux-user/core/core.h"
#include "linux-user/mem/map.h"
#include "linux-user/ptrace/ptrace.h"
#include "linux-user/signal/host-syscall.h"
#include "linux-user/signal/host.h"
#include "linux-user/strace/strace.h"
#include "linux-user/syscalls/dispatch.h"
#include "linux-user/thread/rseq.h"
#include "linux-user/thread/slot.h"
#include "linux-user/thread/thread.h"
#include "translator/memory/own-pages.h"

enum { HOST_STACK_BYTES = 64 << 10, GUEST_SS_ONSTACK = 1, GUEST_SS_DISABLE = 2 };
#define GUEST_SS_AUTODISARM (1u << 31)
#define SIGNAL_BIT_IN(set, sig) (((set) & SIGNAL_BIT(sig)) != 0)

static const uint8_t sync_signals[5] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};

bool signal_init(Process *p)
{
    SignalState *s = p->signals;
    pthread_mutex_init(&s->lock, NULL);
    for (int sig = 1; sig <= SIGNAL_N; sig++) {
        if (SIGNAL_BIT_IN(SIGNAL_SYNC_MASK, sig)) {
            /* An inherited SIG_IGN of these is lost on the host, so it is remembered here. */
            HostSigaction old;
            if (host_signal_get(sig, &old) == 0 && old.handler == HOST_SIG_IGN)
                s->actions[sig].handler = HOST_SIG_IGN;
            if (host_signal_set(sig, &s->actions[sig]) < 0)
                return false;
        }
    }
    signal_core_limit_changed(p);
    return true;
}

void signal_core_limit_changed(Process *p)
{
    SignalState *s = p->signals;
    pthread_mutex_lock(&s->lock);
    for (int sig = 1; sig <= SIGNAL_N; sig++) {
        HostSigaction old;
        if (SIGNAL_BIT_IN(SIGNAL_CORE_MASK, sig) && s->actions[sig].handler == HOST_SIG_DFL &&
            host_signal_get(sig, &old) == 0 && old.handler != HOST_SIG_IGN)
            host_signal_set(sig, &s->actions[sig]);
    }
    pthread_mutex_unlock(&s->lock);
}

static void *host_stack_of(Thread *t)
{
    HostSlot *slot = t->slot;
    if (slot && slot->host_stack)
        return slot->host_stack;
    void *stack = own_pages_map(HOST_STACK_BYTES);
    if (slot)
        slot->host_stack = stack;
    return stack;
}

bool signal_thread_new(Thread *t, const Thread *from)
{
    void *stack = host_stack_of(t);
    if (!stack)
        return false;
    ThreadSignals *s = t->signals;
    s->host_stack = stack;
    s->host_stack_bytes = HOST_STACK_BYTES;
    /* No bytes: none. The flag tells only whether sigreturn's own sigaltstack succeeds: the kernel
     * sets it for threads (sas_ss_reset), not for a new program. */
    s->altstack_flags = from ? GUEST_SS_DISABLE : 0;
    if (from)
        s->mask = from->signals->mask;
    else
        host_raw(SYS_rt_sigprocmask, 0, 0, (uintptr_t)&s->mask, 8);
    return true;
}

static long set_host_mask(Thread *t, uint64_t mask);

void signal_thread_start(Thread *t)
{
    stack_t stack = {.ss_sp = t->signals->host_stack, .ss_size = t->signals->host_stack_bytes};
    host_raw(SYS_sigaltstack, (uintptr_t)&stack, 0);
    signal_unblock(t);
}

void signal_thread_end(Thread *t)
{
    stack_t stack = {.ss_flags = SS_DISABLE};
    host_raw(SYS_sigaltstack, (uintptr_t)&stack, 0);
}

void signal_thread_free(Thread *t)
{
    if (!t->slot)
        own_pages_unmap(t->signals->host_stack, t->signals->host_stack_bytes);
}

void signal_fork_child(Thread *t)
{
    ThreadSignals *s = t->signals;
    s->accepted = 0;
    s->held = 0;
    s->forced = 0;
    atomic_store_explicit(&t->signal_pending, 0, memory_order_relaxed);
    pthread_mutex_init(&t->process->signals->lock, NULL);
}

static void set_pending(Thread *t)
{
    atomic_store_explicit(&t->signal_pending, 1, memory_order_relaxed);
}

/* Every mask that lets something through is set by host_syscall(), which doesn't enter the call
 * when a signal has been accepted: while one waits, the host blocks the others. */
static long set_host_mask(Thread *t, uint64_t mask)
{
    return host_syscall(t, SYS_rt_sigprocmask, SIG_SETMASK, (uintptr_t)&mask, 0, 8, 0, 0);
}

long signal_set_mask(Thread *t, uint64_t mask)
{
    ThreadSignals *s = t->signals;
    mask &= ~SIGNAL_UNBLOCKABLE;
    long r = set_host_mask(t, signal_host_mask(mask));
    if (r < 0)
        return r;
    s->mask = mask;
    if (s->held & ~mask)
        set_pending(t);
    return 0;
}

void signal_set_mask_at_stop(Thread *t, uint64_t mask)
{
    if (signal_set_mask(t, mask) == 0)
        return;
    t->signals->mask = mask & ~SIGNAL_UNBLOCKABLE;
    t->signals->host_mask_stale = true; /* signal_deliver() is due, and does it */
}

long signal_block_all(Thread *t)
{
    return set_host_mask(t, ~SIGNAL_SYNC_MASK);
}

void signal_unblock(Thread *t)
{
    if (set_host_mask(t, signal_host_mask(t->signals->mask)) < 0)
        t->signals->host_mask_stale = true; /* signal_deliver() is due, and does it */
}

long signal_temp_mask(Thread *t, GuestAddr set, uint64_t bytes, uint64_t *storage,
                      const void **ret_host)
{
    ThreadSignals *s = t->signals;
    uint64_t mask;
    if (!set) {
        *ret_host = NULL;
        return 0;
    }
    if (bytes != 8)
        return -EINVAL;
    if (!mem_get(&mask, set))
        return -EFAULT;
    if (signal_is_pending(t))
        return -SYSCALL_RESTARTNOINTR;
    mask &= ~SIGNAL_UNBLOCKABLE;
    s->saved_mask = s->mask;
    s->restore_mask = true;
    s->mask = mask;
    /* A held signal that the new mask lets through is due at once,
     * as if it interrupted the call. */
    if (s->held & ~mask) {
        set_pending(t);
        return -EINTR;
    }
    *storage = signal_host_mask(mask);
    *ret_host = storage;
    return 0;
}

_Noreturn void signal_die(Thread *t, int sig)
{
    signal_die_by(t, &(siginfo_t){.si_signo = sig, .si_code = SI_KERNEL});
}

_Noreturn void signal_die_by(Thread *t, const siginfo_t *info)
{
    int sig = info->si_signo;
    thread_save_translations(t, 0, UINT64_MAX);
    if (log_on(LOG_STRACE))
        strace_end(t, 0, sig);
    HostSigaction host = {.handler = HOST_SIG_DFL};
    trace_dying(t, sig);
    core_dump(t, info);
    host_raw(SYS_rt_sigaction, sig, (uintptr_t)&host, 0, 8);
    pid_t pid = (pid_t)host_raw(SYS_getpid);
    pid_t tid = (pid_t)host_raw(SYS_gettid);
    host_raw(SYS_tgkill, pid, tid, sig);
    host_signal_mask(~SIGNAL_BIT(sig), NULL);
    /* Only if the signal's default isn't to kill. */
    for (;;)
        host_raw(SYS_exit_group, 128 + sig);
}

typedef enum DefaultAction { DEFAULT_KILL, DEFAULT_IGNORE, DEFAULT_STOP } DefaultAction;

static DefaultAction default_action(int sig)
{
    switch (sig) {
    case SIGCHLD: case SIGURG: case SIGWINCH: case SIGCONT:
        return DEFAULT_IGNORE;
    case SIGSTOP: case SIGTSTP: case SIGTTIN: case SIGTTOU:
        return DEFAULT_STOP;
    default:
        return DEFAULT_KILL;
    }
}

/* The guest's disposition became the default after the host's handler had accepted the signal. */
static void act_by_default(Thread *t, const siginfo_t *info)
{
    int sig = info->si_signo;
    switch (default_action(sig)) {
    case DEFAULT_KILL:
        signal_die_by(t, info);
    case DEFAULT_STOP:
        if (trace_is_active(t))
            trace_group_stop(t, sig);
        else
            host_raw(SYS_tgkill, host_raw(SYS_getpid), host_raw(SYS_gettid), SIGSTOP);
        break;
    case DEFAULT_IGNORE:
        break;
    }
}

/* Takes what is due next; 0: nothing. A synchronous signal comes first, as in the kernel. */
static int take_next(ThreadSignals *s, siginfo_t *ret_info, bool *ret_forced)
{
    *ret_forced = false;
    if (s->forced) {
        int sig = s->forced;
        *ret_info = s->forced_info;
        *ret_forced = true;
        s->forced = 0;
        return sig;
    }
    uint64_t due = s->held & ~s->mask;
    for (int i = 0; due && i < 5; i++) {
        int sig = sync_signals[i];
        if (due & SIGNAL_BIT(sig)) {
            *ret_info = s->held_info[i];
            __atomic_fetch_and(&s->held, ~SIGNAL_BIT(sig), __ATOMIC_SEQ_CST);
            return sig;
        }
    }
    if (s->accepted) {
        int sig = s->accepted;
        *ret_info = s->accepted_info;
        return sig; /* stays accepted until the mask is right */
    }
    return 0;
}

static SignalAction take_action(Process *p, int sig)
{
    pthread_mutex_lock(&p->signals->lock);
    SignalAction *slot = &p->signals->actions[sig], action = *slot;
    if (action.handler > HOST_SIG_IGN && (action.flags & SIGNAL_SA_RESETHAND)) {
        slot->handler = HOST_SIG_DFL;
        host_signal_set(sig, slot);
    }
    pthread_mutex_unlock(&p->signals->lock);
    return action;
}

static void drop_temp_mask(ThreadSignals *s)
{
    if (s->restore_mask) {
        s->restore_mask = false;
        s->mask = s->saved_mask;
    }
}

/* What becomes of the call that the signal came to, if it is to be restarted: a handler runs. */
static void restart_before_handler(Thread *t, uint64_t sa_flags)
{
    ThreadSignals *s = t->signals;
    const GuestAbi *abi = t->process->abi;
    void *cpu = vcpu_cpu(t->vcpu);
    long restart = s->restart;
    s->restart = 0;
    t->restart.kind = 0;
    switch (restart) {
    case 0:
        return;
    case SYSCALL_RESTARTSYS:
        if (!(sa_flags & SIGNAL_SA_RESTART))
            break;
        /* fallthrough */
    case SYSCALL_RESTARTNOINTR:
        drop_temp_mask(s); /* the call sets it again */
        abi->syscall_restart(cpu, t->syscall_nr, t->syscall_args[0]);
        t->syscall_nr = -1;
        return;
    default:
        break;
    }
    abi->syscall_result(cpu, -EINTR);
    t->syscall_nr = -1;
}

static void restart_without_handler(Thread *t)
{
    ThreadSignals *s = t->signals;
    const GuestAbi *abi = t->process->abi;
    if (!s->restart)
        return;
    int nr = s->restart == SYSCALL_RESTART_BLOCK ? abi->restart_nr : t->syscall_nr;
    s->restart = 0;
    abi->syscall_restart(vcpu_cpu(t->vcpu), nr, t->syscall_args[0]);
    t->syscall_nr = -1;
}

bool signal_on_altstack(const Thread *t, GuestAddr sp)
{
    const ThreadSignals *s = t->signals;
    if ((s->altstack_flags & GUEST_SS_DISABLE) ||
        ((unsigned)s->altstack_flags & GUEST_SS_AUTODISARM))
        return false;
    return sp > s->altstack && sp - s->altstack <= s->altstack_bytes;
}

long signal_altstack(Thread *t, GuestAddr sp, GuestAddr base, uint64_t bytes, int flags)
{
    ThreadSignals *s = t->signals;
    unsigned mode = (unsigned)flags & ~GUEST_SS_AUTODISARM;
    if (signal_on_altstack(t, sp))
        return -EPERM;
    if (mode != GUEST_SS_DISABLE && mode != GUEST_SS_ONSTACK && mode != 0)
        return -EINVAL;
    if (mode == GUEST_SS_DISABLE)
        base = bytes = 0;
    else if (bytes < t->process->abi->min_altstack_bytes)
        return -ENOMEM;
    s->altstack = base;
    s->altstack_bytes = bytes;
    s->altstack_flags = flags;
    return 0;
}

/* Enters the guest's handler. False: its stack can't be written. */
static bool enter_handler(Thread *t, int sig, const siginfo_t *info, const SignalAction *action)
{
    ThreadSignals *s = t->signals;
    const GuestAbi *abi = t->process->abi;
    GuestAddr sp = abi->get_sp(vcpu_cpu(t->vcpu));
    bool on_altstack = signal_on_altstack(t, sp);
    if ((action->flags & SIGNAL_SA_ONSTACK) && !on_altstack &&
        !(s->altstack_flags & GUEST_SS_DISABLE) && s->altstack_bytes)
        sp = s->altstack + s->altstack_bytes;
    uint64_t old_mask = s->restore_mask ? s->saved_mask : s->mask;
    if (!abi->signal_frame(t, sig, info, action->handler, action->flags, action->restorer, sp,
                           old_mask))
        return false;
    if ((unsigned)s->altstack_flags & GUEST_SS_AUTODISARM) {
        s->altstack = s->altstack_bytes = 0;
        s->altstack_flags = GUEST_SS_DISABLE;
    }
    s->restore_mask = false;
    s->mask |= action->mask & ~SIGNAL_UNBLOCKABLE;
    if (!(action->flags & SIGNAL_SA_NODEFER))
        s->mask |= SIGNAL_BIT(sig);
    return true;
}

/* One signal. True: a handler was entered. */
static bool deliver_one(Thread *t, int sig, siginfo_t *info, bool forced)
{
    ThreadSignals *s = t->signals;
    if (trace_is_active(t) && !(sig = trace_signal(t, sig, info, forced)))
        return false;
    SignalAction action = take_action(t->process, sig);
    if (log_on(LOG_STRACE))
        strace_signal(t, info);
    bool refused = action.handler == HOST_SIG_IGN || SIGNAL_BIT_IN(s->mask, sig);
    if (forced && refused)
        signal_die_by(t, info);
    if (log_on(LOG_SIGNAL))
        log_write("signal %d code %d to %d at pc %#llx, address %#llx: handler %#llx\n", sig,
                  info->si_code, t->tid, (unsigned long long)vcpu_pc(t->vcpu),
                  (unsigned long long)mem_guest(info->si_addr), (unsigned long long)action.handler);
    if (action.handler == HOST_SIG_IGN)
        return false;
    if (action.handler == HOST_SIG_DFL) {
        /* The init of a PID namespace gets no signal that it has no handler for
         * (kernel/signal.c: SIGNAL_UNKILLABLE); the kernel saw a handler: the emulator's. */
        if (forced || host_raw(SYS_getpid) != 1)
            act_by_default(t, info);
        return false;
    }
    restart_before_handler(t, action.flags);
    rseq_signal(t);
    if (enter_handler(t, sig, info, &action)) {
        if (trace_is_stepping(t))
            trace_handler_entered(t);
        return true;
    }
    /* No room for the frame: SIGSEGV, whose own handler may have a stack. If it was SIGSEGV's, it
     * kills (kernel/signal.c: signal_setup_done, force_sigsegv). */
    if (sig == SIGSEGV)
        signal_die(t, SIGSEGV);
    s->forced_info = (siginfo_t){.si_signo = SIGSEGV, .si_code = SI_KERNEL};
    s->forced = SIGSEGV;
    return false;
}

void signal_deliver(Thread *t)
{
    ThreadSignals *s = t->signals;
    if (__builtin_expect(t->trace_requests, 0))
        trace_take_requests(t);
    bool set_mask = s->restore_mask || s->host_mask_stale;
    s->host_mask_stale = false;
    for (;;) {
        siginfo_t info;
        bool forced;
        uint64_t mask = s->mask;
        int sig = take_next(s, &info, &forced);
        if (!sig)
            break;
        deliver_one(t, sig, &info, forced);
        set_mask |= s->host_mask_stale;
        s->host_mask_stale = false;
        if (s->accepted && s->accepted == sig && !forced) {
            s->accepted = 0; /* the host still blocks all */
            set_mask = true;
        }
        set_mask |= mask != s->mask;
    }
    restart_without_handler(t);
    drop_temp_mask(s);
    atomic_store_explicit(&t->signal_pending, 0, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
    if (s->accepted || s->forced || (s->held & ~s->mask) || t->trace_requests)
        set_pending(t);
    else if (set_mask)
        set_host_mask(t, signal_host_mask(s->mask));
}

static void ignore_on_host(SignalState *s, bool for_exec)
{
    for (unsigned i = 0; i < sizeof sync_signals; i++)
        if (s->actions[sync_signals[i]].handler == HOST_SIG_IGN)
            host_signal_ignore(sync_signals[i], for_exec ? NULL : &s->actions[sync_signals[i]]);
}

long signal_exec_prepare(Thread *t)
{
    uint64_t mask = t->signals->mask & ~SIGNAL_UNBLOCKABLE;
    ignore_on_host(t->process->signals, true);
    long r = set_host_mask(t, mask);
    if (r < 0)
        ignore_on_host(t->process->signals, false);
    return r;
}

void signal_exec_failed(Thread *t)
{
    ignore_on_host(t->process->signals, false);
    if (!t->signals->accepted)
        signal_unblock(t);
}

void signal_start_sharing(Thread *t)
{
    SignalState *s = t->process->signals;
    pthread_mutex_lock(&s->lock);
    s->late = true;
    for (int sig = 1; sig < 32; sig++) {
        HostSigaction old;
        if (SIGNAL_BIT_IN(SIGNAL_END_MASK | SIGNAL_CORE_MASK, sig) &&
            s->actions[sig].handler == HOST_SIG_DFL && host_signal_get(sig, &old) == 0 &&
            old.handler == HOST_SIG_DFL)
            host_signal_set(sig, &s->actions[sig]);
    }
    pthread_mutex_unlock(&s->lock);
}

void signal_clear_handlers(Thread *t)
{
    SignalState *s = t->process->signals;
    for (int sig = 1; sig <= SIGNAL_N; sig++) {
        if (s->actions[sig].handler > HOST_SIG_IGN) {
            s->actions[sig] = (SignalAction){0};
            host_signal_set(sig, &s->actions[sig]);
        }
    }
}

void signal_force(Thread *t, const siginfo_t *info)
{
    t->signals->forced_info = *info;
    t->signals->forced = info->si_signo;
    set_pending(t);
}

void signal_force_fault(Thread *t, int sig, int code, GuestAddr addr)
{
    siginfo_t info;
    memset(&info, 0, sizeof info);
    info.si_signo = sig;
    info.si_code = code;
    info.si_addr = mem_host(addr);
    signal_force(t, &info);
}

long signal_action(Thread *t, int sig, const SignalAction *action, SignalAction *ret_old)
{
    SignalState *s = t->process->signals;
    if (sig < 1 || sig > SIGNAL_N || (action && (sig == SIGKILL || sig == SIGSTOP)))
        return -EINVAL;
    pthread_mutex_lock(&s->lock);
    SignalAction *slot = &s->actions[sig];
    if (slot->handler == HOST_SIG_DFL && !SIGNAL_BIT_IN(SIGNAL_SYNC_MASK, sig)) {
        /* Never set here: SIG_IGN may be inherited. */
        HostSigaction host;
        if (host_signal_get(sig, &host) == 0 && host.handler == HOST_SIG_IGN)
            slot->handler = HOST_SIG_IGN;
    }
    SignalAction old = *slot;
    long r = 0;
    if (action) {
        *slot = *action;
        slot->mask &= ~SIGNAL_UNBLOCKABLE;
        r = host_signal_set(sig, slot);
    }
    pthread_mutex_unlock(&s->lock);
    if (ret_old)
        *ret_old = old;
    return r;
}
