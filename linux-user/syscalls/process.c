/* data plane */
/* Processes and threads: making them, ending them, waiting for them,
 * and what they know of themselves. */
#include <errno.h>
#include <linux/sched.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "linux-user/core/core.h"
#include "linux-user/mem/map.h"
#include "linux-user/ptrace/ptrace.h"
#include "linux-user/signal/host-syscall.h"
#include "linux-user/signal/signal.h"
#include "linux-user/syscalls/dispatch.h"
#include "linux-user/thread/thread.h"
#include "linux-user/syscalls/siginfo.h"
#include "syscall-tables/handlers.h"

#ifndef CLONE_CLEAR_SIGHAND
#define CLONE_CLEAR_SIGHAND 0x100000000ULL
#endif
enum { CLONE_ARGS_V0 = 64, CLONE_EXIT_SIGNAL = 0xff, ROBUST_HEAD_BYTES = 24, MAX_PID_LEVELS = 32,
       WAITID_INFO_BYTES = 28 };

long sys_clone(Thread *t, const uint64_t *args)
{
    bool swapped = t->process->abi->clone_ctid_before_tls;
    ThreadClone c = {
        .flags = (uint32_t)args[0] & ~(uint32_t)CLONE_EXIT_SIGNAL,
        .exit_signal = args[0] & CLONE_EXIT_SIGNAL,
        .stack = args[1],
        .parent_tid = args[2],
        .pidfd = args[2],
        .tls = args[swapped ? 4 : 3],
        .child_tid = args[swapped ? 3 : 4],
    };
    if ((c.flags & (CLONE_PIDFD | CLONE_PARENT_SETTID)) == (CLONE_PIDFD | CLONE_PARENT_SETTID))
        return -EINVAL;
    return thread_clone(t, &c);
}

/* Calls of older ABIs. */
long sys_fork(Thread *t, const uint64_t *args)
{
    return thread_clone(t, &(ThreadClone){.exit_signal = SIGCHLD});
}

long sys_vfork(Thread *t, const uint64_t *args)
{
    return thread_clone(t, &(ThreadClone){.flags = CLONE_VM | CLONE_VFORK, .exit_signal = SIGCHLD});
}

/* Bytes of a newer structure than we know must be zero. */
static long read_versioned(void *ret, size_t known, GuestAddr at, uint64_t bytes)
{
    memset(ret, 0, known);
    if (!mem_read(ret, at, bytes < known ? bytes : known))
        return -EFAULT;
    for (uint64_t i = known; i < bytes; i++) {
        uint8_t byte;
        if (!mem_read(&byte, at + i, 1))
            return -EFAULT;
        if (byte)
            return -E2BIG;
    }
    return 0;
}

long sys_clone3(Thread *t, const uint64_t *args)
{
    struct clone_args a;
    if (args[1] > MEM_PAGE)
        return -E2BIG;
    if (args[1] < CLONE_ARGS_V0)
        return -EINVAL;
    long r = read_versioned(&a, sizeof a, args[0], args[1]);
    if (r < 0)
        return r;
    /* kernel/fork.c, clone3_args_valid. */
    if ((a.flags & (CLONE_DETACHED | (CLONE_EXIT_SIGNAL & ~CLONE_NEWTIME))) ||
        (a.exit_signal & ~(uint64_t)CLONE_EXIT_SIGNAL) || a.exit_signal > SIGNAL_N ||
        ((a.flags & (CLONE_THREAD | CLONE_PARENT)) && a.exit_signal) ||
        (a.stack == 0) != (a.stack_size == 0) || a.set_tid_size > MAX_PID_LEVELS ||
        (a.set_tid == 0) != (a.set_tid_size == 0) ||
        (a.flags & (CLONE_SIGHAND | CLONE_CLEAR_SIGHAND)) == (CLONE_SIGHAND | CLONE_CLEAR_SIGHAND))
        return -EINVAL;
    ThreadClone c = {
        .flags = a.flags, .exit_signal = a.exit_signal,
        .stack = a.stack ? a.stack + a.stack_size : 0,
        .parent_tid = a.parent_tid, .child_tid = a.child_tid, .tls = a.tls, .pidfd = a.pidfd,
        .set_tid = a.set_tid, .n_set_tid = a.set_tid_size, .cgroup = (int)a.cgroup,
    };
    return thread_clone(t, &c);
}

/* A signal that has been accepted is delivered before the thread ends: nobody else would get it. */
long sys_exit(Thread *t, const uint64_t *args)
{
    long r = signal_block_all(t);
    if (r < 0)
        return r;
    t->exiting = true;
    t->exit_status = (int)args[0];
    return -SYSCALL_NO_RESULT;
}

long sys_exit_group(Thread *t, const uint64_t *args)
{
    thread_exit_process(t, (int)args[0]);
}

/*
 * Who will be waited for next, without taking it, when it may have left a core file: the kernel
 * didn't write it, so doesn't say so. 0, with nobody's pid if there is nobody, or what the call
 * returns.
 */
static long peek_at_core(Thread *t, uint64_t type, uint64_t id, uint64_t options, siginfo_t *ret)
{
    struct rlimit limit;
    memset(ret, 0, sizeof *ret);
    if (host_raw(SYS_prlimit64, 0, RLIMIT_CORE, 0, (uintptr_t)&limit) < 0 || !limit.rlim_cur)
        return 0;
    long r = host_syscall(t, SYS_waitid, type, id, (uintptr_t)ret, options | WNOWAIT, 0, 0);
    if (r == 0 && ret->si_pid && ret->si_code == CLD_KILLED &&
        core_was_dumped(ret->si_pid, ret->si_status))
        ret->si_code = CLD_DUMPED;
    return r;
}

/* Of a guest that traces others the kernel tells more than the guest is to see. */
long sys_wait4(Thread *t, const uint64_t *args)
{
    for (;;) {
        int status = 0;
        pid_t pid = (pid_t)args[0];
        bool poll = pid > 0 && tracer_must_poll(t, pid) && !(args[2] & WNOHANG);
        uint64_t options = args[2] | (poll ? WNOHANG : 0);
        siginfo_t next;
        long r = peek_at_core(t, pid == -1 ? P_ALL : pid > 0 ? P_PID : P_PGID,
                              pid == -1 ? 0 : (uint64_t)(pid < 0 ? -(int64_t)pid : pid),
                              options | WEXITED, &next);
        if (r < 0)
            return r;
        r = host_syscall(t, SYS_wait4, (uint64_t)(next.si_pid ? next.si_pid : pid),
                         (uintptr_t)&status, options | (next.si_pid ? WNOHANG : 0), args[3], 0, 0);
        if (r == 0 && next.si_pid)
            continue; /* another thread was faster */
        if (r == 0 && poll && (r = tracer_pause(t, 0)) == 0)
            continue;
        if (r <= 0)
            return r;
        bool seen = true;
        if (WIFSTOPPED(status))
            seen = tracer_sees(t, (pid_t)r, &status);
        else if (!WIFCONTINUED(status))
            seen = tracer_sees_end(t, (pid_t)r);
        if (!seen)
            continue;
        if (next.si_code == CLD_DUMPED && WIFSIGNALED(status))
            status |= WCOREFLAG;
        return args[1] && !mem_put(args[1], (int32_t)status) ? -EFAULT : r;
    }
}

/* The kernel writes these six words and no more. */
static bool put_waitid(const Thread *t, GuestAddr at, const siginfo_t *info)
{
    const SyscallTable *table = t->process->abi->syscalls;
    uint8_t guest[SIGINFO_BYTES];
    if (table->like_host)
        return mem_write(at, info, WAITID_INFO_BYTES);
    siginfo_to_guest(table, guest, info);
    return mem_write(at, guest, table->word_bytes == 4 ? WAITID_INFO_BYTES - 4
                                                       : WAITID_INFO_BYTES);
}

long sys_waitid(Thread *t, const uint64_t *args)
{
    for (;;) {
        siginfo_t info, next = {0};
        bool poll = args[0] == P_PID && tracer_must_poll(t, (pid_t)args[1]) && !(args[3] & WNOHANG);
        uint64_t options = args[3] | (poll ? WNOHANG : 0);
        memset(&info, 0, sizeof info);
        long r = args[3] & WEXITED ? peek_at_core(t, args[0], args[1], options, &next) : 0;
        if (r < 0)
            return r;
        r = host_syscall(t, SYS_waitid, next.si_pid ? P_PID : args[0],
                         next.si_pid ? (uint64_t)next.si_pid : args[1], (uintptr_t)&info,
                         options | (next.si_pid ? WNOHANG : 0), args[4], 0);
        if (r == 0 && next.si_pid && !info.si_pid)
            continue;
        if (r == 0 && poll && !info.si_pid && (r = tracer_pause(t, 0)) == 0)
            continue;
        if (r < 0)
            return r;
        if (info.si_pid && (info.si_code == CLD_TRAPPED || info.si_code == CLD_STOPPED)) {
            int status = (int)((unsigned)info.si_status << 8 | 0x7f);
            if (!tracer_sees(t, info.si_pid, &status))
                continue;
            info.si_status = status >> 8;
        } else if (info.si_pid && info.si_code != CLD_CONTINUED && !(args[3] & WNOWAIT) &&
                   !tracer_sees_end(t, info.si_pid)) {
            continue;
        }
        if (next.si_code == CLD_DUMPED && info.si_code == CLD_KILLED)
            info.si_code = CLD_DUMPED;
        return args[2] && !put_waitid(t, args[2], &info) ? -EFAULT : r;
    }
}

long sys_set_tid_address(Thread *t, const uint64_t *args)
{
    t->clear_child_tid = args[0];
    return t->tid;
}

/* The kernel walks the list when the whole process dies; a thread's own end is thread_exit()'s. */
long sys_set_robust_list(Thread *t, const uint64_t *args)
{
    if (args[1] != ROBUST_HEAD_BYTES)
        return -EINVAL;
    t->robust_list = args[0];
    t->robust_list_bytes = args[1];
    return host_raw(SYS_set_robust_list, args[0], args[1]);
}

long sys_get_robust_list(Thread *t, const uint64_t *args)
{
    return host_raw(SYS_get_robust_list, (int)args[0], args[1], args[2]);
}

long sys_personality(Thread *t, const uint64_t *args)
{
    uint32_t persona = (uint32_t)args[0], old = t->process->personality;
    if (persona != 0xffffffff) {
        /* The host's too, so that it survives execve. */
        host_raw(SYS_personality, persona);
        t->process->personality = persona;
    }
    return old;
}

long sys_unshare(Thread *t, const uint64_t *args)
{
    /* Memory, handlers and the thread group are shared with nobody when there is one thread. */
    const uint64_t alone = CLONE_VM | CLONE_SIGHAND | CLONE_THREAD;
    if ((args[0] & alone) && t->process->n_threads > 1)
        return -EINVAL;
    return host_raw(SYS_unshare, args[0] & ~alone);
}
