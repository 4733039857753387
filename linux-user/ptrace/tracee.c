/* data plane */
/*
 * The tracee: its stops, what it does when the tracer lets it go on, and the requests that reach it
 * between them.
 */
#include <elf.h>
#include <errno.h>
#include <string.h>
#include <ucontext.h>

#include "linux-user/arch/regset.h"
#include "linux-user/core/core.h"
#include "linux-user/mem/map.h"
#include "linux-user/ptrace/ptrace.h"
#include "linux-user/seccomp/user-dispatch.h"
#include "linux-user/signal/host-syscall.h"
#include "linux-user/signal/signal.h"
#include "linux-user/syscalls/dispatch.h"
#include "linux-user/syscalls/sleep.h"
#include "syscall-tables/table.h"
#include "translator/memory/own-pages.h"

enum { AUDIT_ARCH_64_LE = (int)0xc0000000 };
#define REQUEST_BIT(r) (1u << (r))

/* Requests to a thread that doesn't know itself yet: it is being made. */
static __thread struct { pid_t tid; unsigned requests; int sig; siginfo_t info; } early;

/* ---- becoming a tracee ---- */

void trace_begin(Thread *t)
{
    if (!t->trace) {
        t->trace = own_pages_map(sizeof(TraceBlock));
        if (!t->trace)
            return; /* without memory nobody can be told of anything */
    }
    TraceBlock *b = t->trace;
    memset(b, 0, offsetof(TraceBlock, data));
    debug_clear(t);
    b->active = 1;
    b->audit_arch = (uint32_t)AUDIT_ARCH_64_LE | t->process->abi->elf_machine;
    b->can_step = t->process->abi->can_step;
    b->nr = (uint64_t)-1;
}

void trace_thread_free(Thread *t)
{
    own_pages_unmap(t->trace, sizeof(TraceBlock));
    t->trace = NULL;
}

void trace_fork_child(Thread *t)
{
    t->trace_requests = 0;
    if (!t->trace)
        return;
    t->trace->active = t->trace->safe = 0;
    vcpu_set_step(t->vcpu, false);
    debug_clear(t);
}

static void note_request(Thread *t, unsigned requests, const siginfo_t *info)
{
    if (requests & REQUEST_BIT(TRACE_REQUEST_SIGNAL) && info->si_signo == SIGSTOP)
        t->trace_stop_info = *info;
    if (requests & REQUEST_BIT(TRACE_REQUEST_GROUP))
        t->trace_group_sig = info->si_signo;
    __atomic_fetch_or(&t->trace_requests, requests, __ATOMIC_RELAXED);
    atomic_store_explicit(&t->signal_pending, 1, memory_order_relaxed);
}

void trace_thread_start(Thread *t)
{
    if (t->trace_requests) /* from between the Thread's start and here */
        atomic_store_explicit(&t->signal_pending, 1, memory_order_relaxed);
    if (__builtin_expect(early.tid != t->tid, 1))
        return;
    siginfo_t info = early.info;
    unsigned requests = early.requests;
    early.tid = 0;
    early.requests = 0;
    note_request(t, requests, &info);
}

/* ---- stops ---- */

void trace_gather(Thread *t)
{
    TraceBlock *b = t->trace;
    const GuestAbi *abi = t->process->abi;
    uint32_t n = 0, at = 0;
    for (const Regset *r = abi->regsets; r->type; r++) {
        if (n == TRACE_SETS || r->bytes > TRACE_DATA_BYTES - at || !r->get(t, b->data + at))
            continue;
        b->sets[n++] = (TraceSet){r->type, r->bytes, at, r->set != NULL, 0, r->word};
        at = (at + r->bytes + 7) & ~7u;
    }
    b->n_sets = n;
    b->pc = vcpu_pc(t->vcpu);
    b->sp = abi->get_sp(vcpu_cpu(t->vcpu));
    b->mask = t->signals->restore_mask ? t->signals->saved_mask : t->signals->mask;
    const UserDispatch *d = &t->user_dispatch;
    b->dispatch = (TraceDispatch){d->on, d->selector, d->offset, d->len};
    b->resumed = b->deliver = b->mask_dirty = b->dispatch_dirty = 0;
    b->n_changes = 0;
}

static void invalidate_changes(Thread *t)
{
    TraceBlock *b = t->trace;
    if (b->n_changes > TRACE_CHANGES)
        translator_invalidate(t->process->translator, 0, ~UINT64_C(0));
    else
        for (uint32_t i = 0; i < b->n_changes; i++)
            translator_invalidate(t->process->translator, b->changes[i].start,
                                  b->changes[i].bytes);
    b->n_changes = 0;
}

/* What the tracer changed. */
static void apply(Thread *t)
{
    TraceBlock *b = t->trace;
    for (uint32_t i = 0; i < b->n_sets; i++) {
        for (const Regset *r = t->process->abi->regsets; b->sets[i].dirty && r->type; r++)
            if (r->type == b->sets[i].type && r->set)
                r->set(t, b->data + b->sets[i].offset);
        b->sets[i].dirty = 0;
    }
    if (b->mask_dirty) {
        b->mask &= ~SIGNAL_UNBLOCKABLE;
        if (t->signals->restore_mask)
            t->signals->saved_mask = b->mask;
        else
            signal_set_mask_at_stop(t, b->mask);
    }
    if (b->dispatch_dirty) /* request.c has looked at it */
        user_dispatch_set(t, b->dispatch.mode, b->dispatch.offset, b->dispatch.len,
                          b->dispatch.selector);
    invalidate_changes(t);
    if (!b->active) {
        b->mode = TRACE_MODE_CONT;
        debug_clear(t);
    }
    vcpu_set_step(t->vcpu, b->mode == TRACE_MODE_STEP || b->mode == TRACE_MODE_SYSEMU_STEP);
}

static void raise_here(int sig)
{
    host_raw(SYS_tgkill, host_raw(SYS_getpid), host_raw(SYS_gettid), sig);
}

static void stop_here(Thread *t, TraceStop stop)
{
    TraceBlock *b = t->trace;
    trace_gather(t);
    b->stop = stop;
    b->safe = 1;
    host_trace_stop_asm(b);
    b->safe = 0;
    b->stop = TRACE_STOP_NONE;
    if (!b->resumed)
        b->active = 0;
    apply(t);
}

/*
 * A call that is to be restarted is shown as if it already had been wound back, as the kernel does
 * it (arch/arm64/kernel/signal.c, do_signal). If the tracer puts the thread elsewhere, nothing is
 * restarted.
 */
static bool wind_back(Thread *t)
{
    ThreadSignals *s = t->signals;
    const GuestAbi *abi = t->process->abi;
    if (!s->restart)
        return false;
    int nr = s->restart == SYSCALL_RESTART_BLOCK ? abi->restart_nr : t->syscall_nr;
    abi->syscall_restart(vcpu_cpu(t->vcpu), nr, t->syscall_args[0]);
    return true;
}

static void wind_forward(Thread *t, GuestAddr wound_pc)
{
    ThreadSignals *s = t->signals;
    if (vcpu_pc(t->vcpu) == wound_pc) {
        vcpu_set_pc(t->vcpu, wound_pc + 4);
    } else {
        s->restart = 0;
        t->syscall_nr = -1;
    }
}

static void stop_wound_back(Thread *t, TraceStop stop)
{
    bool wound = wind_back(t);
    GuestAddr pc = vcpu_pc(t->vcpu);
    stop_here(t, stop);
    if (wound)
        wind_forward(t, pc);
}

int trace_signal(Thread *t, int sig, siginfo_t *info, bool forced)
{
    TraceBlock *b = t->trace;
    b->sig = sig;
    b->info = *info;
    stop_wound_back(t, TRACE_STOP_SIGNAL);
    if (!b->resumed)
        return sig;
    *info = b->info;
    if (b->deliver && !forced && b->deliver != sig &&
        (t->signals->mask & SIGNAL_BIT(b->deliver))) {
        raise_here(b->deliver); /* it waits until it is let in */
        return 0;
    }
    return b->deliver;
}

/* The kernel stops the thread where it sends itself SIGSTOP; the tracer lets that signal pass. But
 * not if SIGCONT has come: it ends a stop that is still to begin, and SIGSTOP would discard it. */
static void group_stop(Thread *t, int sig, unsigned conts)
{
    TraceBlock *b = t->trace;
    uint64_t pending = 0;
    host_raw(SYS_rt_sigpending, (uintptr_t)&pending, sizeof pending);
    if (conts != t->trace_conts || (pending & SIGNAL_BIT(SIGCONT)))
        return;
    bool wound = wind_back(t);
    GuestAddr pc = vcpu_pc(t->vcpu);
    trace_gather(t);
    b->sig = sig;
    b->stop = TRACE_STOP_GROUP;
    b->safe = 1;
    siginfo_t info = {.si_signo = SIGSTOP, .si_errno = TRACE_MAGIC, .si_code = SI_QUEUE};
    info.si_ptr = b;
    host_raw(SYS_rt_tgsigqueueinfo, host_raw(SYS_getpid), host_raw(SYS_gettid), SIGSTOP,
             (uintptr_t)&info);
    b->safe = 0;
    b->stop = TRACE_STOP_NONE;
    apply(t);
    if (wound)
        wind_forward(t, pc);
}

void trace_group_stop(Thread *t, int sig)
{
    group_stop(t, sig, t->trace_conts);
}

void trace_publish(Thread *t)
{
    if (!trace_is_active(t))
        return;
    trace_gather(t);
    t->trace->sig = 0;
    t->trace->stop = TRACE_STOP_HOST;
    t->trace->safe = 1;
}

void trace_dying(Thread *t, int sig)
{
    trace_publish(t);
    if (t->trace)
        t->trace->sig = sig;
}

void trace_unpublish(Thread *t)
{
    if (!t->trace || t->trace->stop != TRACE_STOP_HOST)
        return;
    t->trace->safe = 0;
    t->trace->stop = TRACE_STOP_NONE;
    apply(t);
}

/* ---- requests ---- */

bool trace_host_signal(Thread *t, siginfo_t *info, void *ucontext, int *ret_sig)
{
    greg_t *regs = ((ucontext_t *)ucontext)->uc_mcontext.gregs;
    /* A request made of a signal from the kernel, as alarm()'s, may come there too. */
    bool request_came = (info->si_errno & 0x7fff0000) == TRACE_MAGIC;
    if (!request_came && info->si_code == SI_KERNEL &&
        regs[REG_RIP] == (greg_t)(uintptr_t)host_trace_stop_behind) {
        ((TraceBlock *)regs[REG_RDI])->active = 0; /* the tracer has gone */
        return true;
    }
    if (!request_came)
        return false;
    unsigned request = (unsigned)info->si_errno >> 8 & 0xff;
    int sig = info->si_errno & 0xff;
    siginfo_t real = *info;
    real.si_errno = 0;
    real.si_signo = sig;
    pid_t tid = (pid_t)host_raw(SYS_gettid);
    unsigned requests = REQUEST_BIT(request);
    if (!t || t->tid != tid) {
        if (early.tid != tid)
            early.requests = 0;
        early.tid = tid;
        early.requests |= requests;
        early.info = real;
        return true;
    }
    note_request(t, requests, &real);
    if (sig == SIGCONT)
        t->trace_conts++;
    if (request == TRACE_REQUEST_SIGNAL && sig != SIGSTOP) {
        *info = real;
        *ret_sig = sig;
        return false;
    }
    host_syscall_interrupt(ucontext);
    if (t->vcpu)
        vcpu_kick(t->vcpu);
    return true;
}

static void take_stop_signal(Thread *t)
{
    siginfo_t info = t->trace_stop_info;
    unsigned conts = t->trace_conts;
    t->trace_stop_info.si_signo = 0;
    if (info.si_signo != SIGSTOP)
        return;
    int sig = trace_signal(t, SIGSTOP, &info, false);
    if (sig == SIGSTOP && trace_is_active(t))
        group_stop(t, SIGSTOP, conts);
    else if (sig)
        raise_here(sig);
}

static void stop_in_group(Thread *t)
{
    TraceBlock *b = t->trace;
    b->sig = t->trace_group_sig;
    stop_wound_back(t, TRACE_STOP_IN_GROUP);
    if (b->resumed == 3) /* PTRACE_LISTEN */
        group_stop(t, t->trace_group_sig, t->trace_conts);
}

void trace_take_requests(Thread *t)
{
    unsigned requests;
    while ((requests = __atomic_exchange_n(&t->trace_requests, 0, __ATOMIC_RELAXED))) {
        if (requests & REQUEST_BIT(TRACE_REQUEST_PARK))
            core_park(t);
        bool known = trace_is_active(t);
        if (!known)
            trace_begin(t);
        if (!t->trace)
            return;
        if (!known || (requests & REQUEST_BIT(TRACE_REQUEST_HELLO)))
            stop_wound_back(t, TRACE_STOP_HELLO);
        if (requests & REQUEST_BIT(TRACE_REQUEST_SIGNAL))
            take_stop_signal(t);
        if ((requests & REQUEST_BIT(TRACE_REQUEST_STOP)) && t->trace->active)
            stop_wound_back(t, TRACE_STOP_INTERRUPT);
        if ((requests & REQUEST_BIT(TRACE_REQUEST_GROUP)) && t->trace->active)
            stop_in_group(t);
    }
}

/* ---- steps and calls ---- */

bool trace_is_stepping(const Thread *t)
{
    return trace_is_active(t) && (t->trace->mode == TRACE_MODE_STEP ||
                                  t->trace->mode == TRACE_MODE_SYSEMU_STEP);
}

/* After a signal that was delivered by a step the first stop is at its handler. */
void trace_handler_entered(Thread *t)
{
    siginfo_t info = {.si_signo = SIGTRAP, .si_code = SIGTRAP};
    info.si_pid = (pid_t)host_raw(SYS_getpid);
    info.si_uid = (uid_t)host_raw(SYS_getuid);
    int sig = trace_signal(t, SIGTRAP, &info, true);
    if (sig)
        raise_here(sig);
}

/* A signal that the tracer lets a stop for a call end with comes from the kernel
 * (include/linux/ptrace.h, ptrace_report_syscall); but what could be taken for a fault doesn't. */
static void raise_for_tracer(int sig)
{
    siginfo_t info = {.si_signo = sig, .si_code = SI_KERNEL};
    if (sig <= 0 || sig > 64 || SIGNAL_SYNC_MASK & SIGNAL_BIT(sig) ||
        host_raw(SYS_rt_tgsigqueueinfo, host_raw(SYS_getpid), host_raw(SYS_gettid), sig,
                 (uintptr_t)&info) < 0)
        raise_here(sig);
}

static void stop_for_syscall(Thread *t, TraceStop stop)
{
    stop_here(t, stop);
    if (t->trace->resumed && t->trace->deliver)
        raise_for_tracer(t->trace->deliver);
}

/* The tracer may have changed arguments and number. False: it doesn't want the call. */
static bool syscall_after_stop(Thread *t, uint64_t nr)
{
    const GuestAbi *abi = t->process->abi;
    void *cpu = vcpu_cpu(t->vcpu);
    TraceBlock *b = t->trace;
    if (b->nr == nr)
        b->nr = abi->syscall_nr(cpu);
    abi->syscall_args(cpu, b->args);
    if (b->nr == nr)
        return true;
    if ((int32_t)b->nr == -1)
        return false;
    abi->syscall_set_nr(cpu, b->nr);
    return true;
}

bool trace_syscall_enter(Thread *t)
{
    TraceBlock *b = t->trace;
    const GuestAbi *abi = t->process->abi;
    void *cpu = vcpu_cpu(t->vcpu);
    t->restart.known = false;
    if (!b->active)
        return true;
    uint64_t nr = b->nr = abi->syscall_nr(cpu);
    abi->syscall_args(cpu, b->args);
    t->syscall_nr = (int)nr;
    const TableCall *call = syscall_current(t);
    t->syscall_nr = -1;
    sleep_call_begins(t, call ? call->host_nr : TABLE_NO_HOST_NR);
    if (b->mode == TRACE_MODE_CONT || b->mode == TRACE_MODE_STEP)
        return true;
    bool emulated = b->mode != TRACE_MODE_SYSCALL;
    b->result = -ENOSYS;
    stop_for_syscall(t, TRACE_STOP_SYSCALL_ENTRY);
    if (!b->active)
        return true;
    return syscall_after_stop(t, nr) && !emulated;
}

bool trace_seccomp(Thread *t, uint32_t data, bool *ret_skip)
{
    TraceBlock *b = t->trace;
    *ret_skip = false;
    if (!trace_is_active(t))
        return false;
    uint64_t nr = b->nr;
    b->message = data;
    stop_for_syscall(t, TRACE_STOP_SECCOMP);
    if (b->resumed == 2) { /* the tracer didn't ask for these: as if there was none */
        b->active = 1;
        return false;
    }
    *ret_skip = b->active && !syscall_after_stop(t, nr);
    return true;
}

/* Calls that the kernel makes again after a stop or an ignored signal, but gives EINTR when a
 * handler of the host's has run in between, as ours does for each signal of a tracee. */
static bool is_restarted_without_handler(const TableCall *c)
{
    switch (c ? c->host_nr : TABLE_NO_HOST_NR) {
    case SYS_poll: case SYS_ppoll: case SYS_select: case SYS_pselect6: case SYS_nanosleep:
    case SYS_clock_nanosleep: case SYS_futex: case SYS_rt_sigsuspend: case SYS_pause:
    case SYS_msgrcv: case SYS_msgsnd:
        return true;
    default:
        return false;
    }
}

long trace_interrupted(Thread *t)
{
    t->syscall_nr = (int)t->process->abi->syscall_nr(vcpu_cpu(t->vcpu));
    const TableCall *c = syscall_current(t);
    if (c && sleep_keep(t, c->host_nr))
        return -SYSCALL_RESTART_BLOCK;
    if (is_restarted_without_handler(c))
        return -SYSCALL_RESTARTNOHAND;
    t->syscall_nr = -1;
    return -EINTR;
}

long trace_syscall_exit(Thread *t, long result)
{
    TraceBlock *b = t->trace;
    const GuestAbi *abi = t->process->abi;
    void *cpu = vcpu_cpu(t->vcpu);
    if (t->exiting || !trace_is_active(t))
        return result;
    if (result != -SYSCALL_NO_RESULT) {
        b->result = result;
        abi->syscall_result(cpu, result); /* a restart writes the registers anew */
    } else {
        uint64_t args[6];
        abi->syscall_args(cpu, args);
        b->result = (int64_t)args[0];
    }
    if (b->mode == TRACE_MODE_SYSCALL)
        stop_for_syscall(t, TRACE_STOP_SYSCALL_EXIT);
    else if (trace_is_stepping(t))
        signal_force_fault(t, SIGTRAP, TRAP_TRACE, vcpu_pc(t->vcpu));
    b->nr = (uint64_t)-1;
    return result;
}

/* execve's number, for the stop at its end, which is the new program's first. */
static uint64_t exec_number(const GuestAbi *abi)
{
    for (uint32_t i = 0; i < abi->syscalls->n; i++)
        if (abi->syscalls->calls[i].how == TABLE_OWN &&
            abi->syscalls->calls[i].host_nr == SYS_execve)
            return i;
    return (uint64_t)-1;
}

void trace_program_start(Thread *t, uint64_t auxv_base)
{
    if ((auxv_base & ~UINT64_C(0xffffffff)) != TRACE_AUXV_MAGIC)
        return;
    trace_begin(t);
    TraceBlock *b = t->trace;
    if (!b)
        return;
    b->mode = auxv_base >> 8 & 0xff;
    b->nr = exec_number(t->process->abi);
    stop_for_syscall(t, auxv_base & 1 ? TRACE_STOP_EXEC : TRACE_STOP_HELLO);
    if (b->active && b->mode == TRACE_MODE_SYSCALL)
        stop_for_syscall(t, TRACE_STOP_SYSCALL_EXIT);
    else if (trace_is_stepping(t))
        signal_force_fault(t, SIGTRAP, TRAP_TRACE, vcpu_pc(t->vcpu));
    b->nr = (uint64_t)-1;
    vcpu_set_step(t->vcpu, trace_is_stepping(t));
}
