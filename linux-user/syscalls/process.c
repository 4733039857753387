/* data plane */
/* Processes and threads: making them, ending them, waiting for them,
 * and what they know of themselves. */
#include <errno.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>

#include "linux-user/mem/map.h"
#include "linux-user/seccomp/seccomp.h"
#include "linux-user/signal/host-syscall.h"
#include "linux-user/signal/signal.h"
#include "linux-user/syscalls/dispatch.h"
#include "linux-user/thread/thread.h"
#include "syscall-tables/handlers.h"

#ifndef CLONE_CLEAR_SIGHAND
#define CLONE_CLEAR_SIGHAND 0x100000000ULL
#endif
enum { CLONE_ARGS_V0 = 64, CLONE_EXIT_SIGNAL = 0xff, ROBUST_HEAD_BYTES = 24, MAX_PID_LEVELS = 32 };

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

long sys_wait4(Thread *t, const uint64_t *args)
{
    return host_syscall(t, SYS_wait4, (uint64_t)(int)args[0], args[1], args[2], args[3], 0, 0);
}

long sys_waitid(Thread *t, const uint64_t *args)
{
    return host_syscall(t, SYS_waitid, args[0], args[1], args[2], args[3], args[4], 0);
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

long sys_ptrace(Thread *t, const uint64_t *args)
{
    if (log_on(LOG_UNIMP))
        log_write("ptrace: request %d isn't there\n", (int)args[0]);
    return -ENOSYS;
}

long sys_unshare(Thread *t, const uint64_t *args)
{
    /* Memory, handlers and the thread group are shared with nobody when there is one thread. */
    const uint64_t alone = CLONE_VM | CLONE_SIGHAND | CLONE_THREAD;
    if ((args[0] & alone) && t->process->n_threads > 1)
        return -EINVAL;
    return host_raw(SYS_unshare, args[0] & ~alone);
}

static long prctl_name(Thread *t, const uint64_t *args)
{
    char name[16] = {0};
    /* The kernel takes 15 bytes and cuts. */
    long n = mem_read_string(name, args[1], sizeof name - 1);
    if (n == -EFAULT)
        return n;
    name[sizeof name - 1] = 0;
    memcpy(t->comm, name, sizeof name);
    return host_raw(SYS_prctl, PR_SET_NAME, (uintptr_t)name);
}

static long prctl_auxv(Thread *t, const uint64_t *args)
{
    const Process *p = t->process;
    uint8_t aux[1024];
    uint64_t n = p->auxv_bytes < sizeof aux ? p->auxv_bytes : sizeof aux;
    if (args[3] || args[4])
        return -EINVAL;
    if (!mem_read(aux, p->auxv_start, n) ||
        !mem_write(args[1], aux, args[2] < n ? args[2] : n))
        return -EFAULT;
    return (long)p->auxv_bytes;
}

long sys_prctl(Thread *t, const uint64_t *args)
{
    enum { GET_AUXV = 0x41555856 };
    long r = -EINVAL;
    switch ((int)args[0]) {
    case PR_SET_NAME:
        return prctl_name(t, args);
    case PR_GET_TID_ADDRESS:
        return mem_put(args[1], (uint64_t)t->clear_child_tid) ? 0 : -EFAULT;
    case GET_AUXV:
        return prctl_auxv(t, args);
    case PR_GET_SECCOMP:
        return t->seccomp_on ? SECCOMP_MODE_FILTER : SECCOMP_MODE_DISABLED;
    case PR_SET_SECCOMP:
        return args[1] == SECCOMP_MODE_STRICT ? seccomp_set_mode_strict(t)
               : args[1] == SECCOMP_MODE_FILTER ? seccomp_set_mode_filter(t, 0, args[2])
                                                : -EINVAL;
    case PR_GET_NAME: case PR_SET_PDEATHSIG: case PR_GET_PDEATHSIG: case PR_SET_DUMPABLE:
    case PR_GET_DUMPABLE: case PR_SET_KEEPCAPS: case PR_GET_KEEPCAPS: case PR_GET_SECUREBITS:
    case PR_SET_SECUREBITS: case PR_CAPBSET_READ: case PR_CAPBSET_DROP: case PR_SET_TIMERSLACK:
    case PR_GET_TIMERSLACK: case PR_SET_CHILD_SUBREAPER: case PR_GET_CHILD_SUBREAPER:
    case PR_SET_NO_NEW_PRIVS: case PR_GET_NO_NEW_PRIVS: case PR_SET_THP_DISABLE:
    case PR_GET_THP_DISABLE: case PR_CAP_AMBIENT: case PR_SET_PTRACER: case PR_SET_VMA:
    case PR_MCE_KILL: case PR_MCE_KILL_GET: case PR_SET_IO_FLUSHER: case PR_GET_IO_FLUSHER:
    case PR_GET_TIMING: case PR_SET_TIMING: case PR_SCHED_CORE:
        return host_raw(SYS_prctl, args[0], args[1], args[2], args[3], args[4]);
    default:
        if (t->process->abi->prctl)
            r = t->process->abi->prctl(t, args);
        if (r == -EINVAL && log_on(LOG_UNIMP))
            log_write("prctl: option %d isn't there\n", (int)args[0]);
        return r;
    }
}
