/* data plane */
/*
 * The loop of a guest thread: guest code, system calls, exceptions, signals.
 */
#include <errno.h>
#include <signal.h>

#include "linux-user/arch/debug.h"
#include "linux-user/mem/map.h"
#include "linux-user/ptrace/ptrace.h"
#include "linux-user/seccomp/user-dispatch.h"
#include "linux-user/signal/host-syscall.h"
#include "linux-user/signal/signal.h"
#include "linux-user/syscalls/dispatch.h"
#include "linux-user/thread/thread.h"

__thread Thread *thread_self;

/* Instructions that can't be fetched: the kernel tells apart nothing there, no permission, and a
 * page behind the file's end. */
static void force_fetch_fault(Thread *t, GuestAddr addr)
{
    MemMap *m = t->process->mem;
    uint8_t byte;
    t->fault_address = addr;
    if (!mem_check(m, addr, 1, 0))
        signal_force_fault(t, SIGSEGV, SEGV_MAPERR, addr);
    else if (!mem_check(m, addr, 1, PROT_EXEC) || mem_read(&byte, addr, 1))
        signal_force_fault(t, SIGSEGV, SEGV_ACCERR, addr);
    else
        signal_force_fault(t, SIGBUS, BUS_ADRERR, addr);
}

static void force_access_fault(Thread *t, const VcpuExitInfo *info)
{
    int code = info->host_code;
    t->fault_address = info->addr;
    /* A non-canonical address has no code of its own on the host; and what belongs to the emulator
     * is to the guest as if nothing was there. */
    if (info->host_signal == SIGSEGV &&
        (code == SI_KERNEL || !mem_check(t->process->mem, info->addr, 1, 0)))
        code = SEGV_MAPERR;
    signal_force_fault(t, info->host_signal, code, info->addr);
}

/* An exception of the guest's code becomes a signal. */
static void take_exception(Thread *t, VcpuExit exit, const VcpuExitInfo *info)
{
    GuestAddr pc = vcpu_pc(t->vcpu);
    if (exit == VCPU_EXIT_FAULT && info->host_signal == SIGBUS &&
        mem_fill_shared_end(t->process, info->addr))
        return;
    /* A signal that came before the instruction goes first; the instruction then runs again. */
    if (signal_block_all(t) < 0)
        return;
    switch (exit) {
    case VCPU_EXIT_BREAK:
        signal_force_fault(t, SIGTRAP, TRAP_BRKPT, pc);
        break;
    case VCPU_EXIT_UNDEF:
        signal_force_fault(t, SIGILL, ILL_ILLOPC, pc);
        break;
    case VCPU_EXIT_FETCH:
        force_fetch_fault(t, info->addr);
        break;
    case VCPU_EXIT_PCALIGN:
        t->fault_address = pc;
        signal_force_fault(t, SIGBUS, BUS_ADRALN, pc);
        break;
    case VCPU_EXIT_FAULT:
        force_access_fault(t, info);
        break;
    case VCPU_EXIT_WATCH:
        signal_force_fault(t, SIGTRAP, 4 /* TRAP_HWBKPT */, info->payload);
        break;
    case VCPU_EXIT_ALIGN:
        t->fault_address = info->addr;
        signal_force_fault(t, SIGBUS, BUS_ADRALN, info->addr);
        break;
    default:
        break;
    }
    const GuestAbi *abi = t->process->abi;
    if (abi->fault_syndrome && exit != VCPU_EXIT_BREAK) {
        t->fault_syndrome = abi->fault_syndrome((int)exit, t->signals->forced_info.si_code,
                                                t->fault_write);
        if (!t->fault_syndrome)
            t->fault_address = 0;
    }
    signal_deliver(t);
    signal_unblock(t);
}

/* The tracer asked for one instruction. */
static void take_step(Thread *t)
{
    if (trace_is_stepping(t))
        signal_force_fault(t, SIGTRAP, TRAP_TRACE, vcpu_pc(t->vcpu));
    else
        vcpu_set_step(t->vcpu, false);
}

static void end_syscall(Thread *t, long r)
{
    if (__builtin_expect(r == -EINTR, 0) &&
        (t->trace_requests || trace_is_active(t) || t->signals->quiet)) {
        t->signals->quiet = 0;
        r = trace_interrupted(t);
    }
    if (__builtin_expect(t->trace != NULL, 0))
        r = trace_syscall_exit(t, r);
    if (syscall_is_restart(r))
        t->signals->restart = -r;
    else if (!t->signals->restore_mask)
        return;
    /* signal_deliver() decides about the restart and puts the mask back. */
    atomic_store_explicit(&t->signal_pending, 1, memory_order_relaxed);
}

static void take_syscall(Thread *t)
{
    long r = -SYSCALL_NO_RESULT;
    if (__builtin_expect(t->user_dispatch.on, 0) && user_dispatch_takes(t))
        return;
    if (__builtin_expect(t->trace == NULL, 1) || trace_syscall_enter(t))
        r = syscall_dispatch(t);
    end_syscall(t, r);
}

/* Calls that are the host's own, without leaving translated code. Few functions deep: the host's
 * kernel empties the processor's stack of return addresses, so each return from here costs more
 * than the function. */
bool thread_quick_syscall(void *opaque, Vcpu *v)
{
    Thread *t = thread_self;
    const uint64_t *a = t->syscall_args;
    long nr = t->trace ? -1 : syscall_plain(t);
    (void)opaque;
    if (nr < 0)
        return false;
    long r = host_syscall(t, nr, a[0], a[1], a[2], a[3], a[4], a[5]);
    if (!syscall_is_restart(r)) {
        t->process->abi->syscall_result(vcpu_cpu(v), r);
        t->syscall_nr = -1;
    }
    if (__builtin_expect(r == -EINTR || syscall_is_restart(r) || t->trace, 0))
        end_syscall(t, r);
    if (signal_is_pending(t))
        vcpu_kick(v);
    return true;
}

void thread_loop(Thread *t)
{
    while (!t->exiting) {
        VcpuExitInfo info;
        while (signal_is_pending(t))
            signal_deliver(t);
        VcpuExit exit = vcpu_run(t->vcpu, &info);
        if (__builtin_expect(exit == VCPU_EXIT_SYSCALL, 1))
            take_syscall(t);
        else if (exit == VCPU_EXIT_STEP)
            take_step(t);
        else if (exit != VCPU_EXIT_KICK && (exit != VCPU_EXIT_WATCH || debug_take_watch(t)))
            take_exception(t, exit, &info);
    }
}
