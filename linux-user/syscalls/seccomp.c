/* data plane */
/* seccomp(2), and prctl's way to it: who may install what (kernel/seccomp.c). */
#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>

#include "linux-user/mem/map.h"
#include "linux-user/seccomp/bpf.h"
#include "linux-user/seccomp/seccomp.h"
#include "linux-user/signal/host-syscall.h"
#include "linux-user/syscalls/convert.h"
#include "syscall-tables/handlers.h"

enum {
    FLAG_WAIT_KILLABLE_RECV = 1 << 5,
    KNOWN_FLAGS = SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_LOG |
                  SECCOMP_FILTER_FLAG_SPEC_ALLOW | SECCOMP_FILTER_FLAG_NEW_LISTENER |
                  SECCOMP_FILTER_FLAG_TSYNC_ESRCH | FLAG_WAIT_KILLABLE_RECV,
    /* A number that the host's filter answers with an error that nobody else gives. */
    PROBE_NR = SECCOMP_NOTIFY_BASE + SECCOMP_NOTIFY_N, PROBE_ERROR = 4017,
};

static bool may_filter(void)
{
    struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct data[2] = { { 0 } };

    return host_raw(SYS_prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ||
           (host_raw(SYS_capget, (uintptr_t)&head, (uintptr_t)data) == 0 &&
            data[CAP_TO_INDEX(CAP_SYS_ADMIN)].effective & CAP_TO_MASK(CAP_SYS_ADMIN));
}

/* Allows the emulator everything. With a listener: sends it the calls that the guest's filters
 * want decided. */
static long host_filter(uint64_t flags)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 0, 5),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PROBE_NR, 4, 0),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, PROBE_NR, 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, SECCOMP_NOTIFY_BASE, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | PROBE_ERROR),
    };
    struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    bool listen = flags & SECCOMP_FILTER_FLAG_NEW_LISTENER;
    struct sock_fprog program = {
        .len = listen ? sizeof code / sizeof *code : 1,
        .filter = listen ? code : &allow,
    };

    return host_raw(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags & ~SECCOMP_FILTER_FLAG_LOG,
                    (uintptr_t)&program);
}

static bool is_ancestor(const SeccompFilter *of, const SeccompFilter *f)
{
    for (; of && of != f; of = of->previous)
        ;
    return of == f; /* none is everybody's ancestor */
}

static SeccompFilter *chain_of(const Thread *t)
{
    return atomic_load_explicit(&t->seccomp, memory_order_acquire);
}

/* The first other thread that has gone a way of its own, or 0; threads_lock is held. */
static pid_t find_diverged(Thread *t)
{
    for (Thread *o = t->process->threads; o; o = o->next)
        if (o != t && (o->seccomp_strict || !is_ancestor(chain_of(t), chain_of(o))))
            return o->tid;
    return 0;
}

static long add_for_all(Thread *t, const struct sock_filter *code, unsigned n, uint64_t flags)
{
    Process *p = t->process;
    bool listen = flags & SECCOMP_FILTER_FLAG_NEW_LISTENER;
    long r;

    pthread_mutex_lock(&p->threads_lock);
    r = find_diverged(t);
    if (r == 0)
        r = seccomp_add(t, code, n, listen);
    else if (flags & SECCOMP_FILTER_FLAG_TSYNC_ESRCH)
        r = -ESRCH;
    for (Thread *o = p->threads; r == 0 && o; o = o->next) {
        if (o == t)
            continue;
        SeccompFilter *mine = chain_of(t), *old = chain_of(o);
        atomic_fetch_add_explicit(&mine->refs, 1, memory_order_relaxed);
        atomic_store_explicit(&o->seccomp, mine, memory_order_release);
        /* Its old chain is part of the new one; that it still looks at it does no harm. */
        if (old)
            atomic_fetch_sub_explicit(&old->refs, 1, memory_order_relaxed);
        o->seccomp_on = true;
    }
    pthread_mutex_unlock(&p->threads_lock);
    return r;
}

/* A filter of somebody around this process may answer for the kernel: then no supervisor would be
 * asked, and that must not pass for its consent. */
static bool listener_works(void) { return host_raw(PROBE_NR) == -PROBE_ERROR; }

static bool read_code(const SyscallTable *table, struct sock_filter *code, GuestAddr at, unsigned n)
{
    if (table->layouts[TABLE_STRUCT_SOCK_FILTER].same)
        return mem_read(code, at, n * sizeof *code);
    for (unsigned i = 0; i < n; i++)
        if (!convert_get(table, TABLE_STRUCT_SOCK_FILTER, &code[i], at + i * sizeof *code))
            return false;
    return true;
}

long seccomp_set_mode_filter(Thread *t, uint64_t flags, GuestAddr at)
{
    struct sock_filter code[BPF_MAXINSNS];
    struct sock_fprog program;
    bool listen = flags & SECCOMP_FILTER_FLAG_NEW_LISTENER;
    const SyscallTable *table = t->process->abi->syscalls;
    long fd = 0;

    if (flags & ~(uint64_t)KNOWN_FLAGS ||
        (flags & SECCOMP_FILTER_FLAG_TSYNC && listen &&
         !(flags & SECCOMP_FILTER_FLAG_TSYNC_ESRCH)) ||
        (flags & FLAG_WAIT_KILLABLE_RECV && !listen))
        return -EINVAL;
    if (!convert_get(table, TABLE_STRUCT_SOCK_FPROG, &program, at))
        return -EFAULT;
    if (program.len == 0 || program.len > BPF_MAXINSNS)
        return -EINVAL;
    if (!may_filter())
        return -EACCES;
    if (!read_code(table, code, mem_guest(program.filter), program.len))
        return -EFAULT;
    if (!bpf_check(code, program.len) || t->seccomp_strict)
        return -EINVAL;
    if (listen) {
        fd = host_filter(flags);
        if (fd < 0)
            return fd;
        if (!listener_works()) {
            host_raw(SYS_close, fd);
            return -EACCES;
        }
    }
    long r = flags & SECCOMP_FILTER_FLAG_TSYNC
                 ? add_for_all(t, code, program.len, flags)
                 : seccomp_add(t, code, program.len, listen);
    if (r != 0 && listen)
        host_raw(SYS_close, fd);
    else if (r == 0 && !listen)
        host_filter(flags); /* for show; it may be refused by a filter around us */
    return r ? r : fd;
}

long seccomp_set_mode_strict(Thread *t)
{
    if (chain_of(t) || t->seccomp_strict)
        return -EINVAL;
    t->seccomp_strict = true;
    t->seccomp_on = true;
    return 0;
}

static long action_available(GuestAddr at)
{
    uint32_t action;

    if (!mem_get(&action, at))
        return -EFAULT;
    switch (action) {
    case SECCOMP_RET_KILL_PROCESS: case SECCOMP_RET_KILL_THREAD: case SECCOMP_RET_TRAP:
    case SECCOMP_RET_ERRNO: case SECCOMP_RET_USER_NOTIF: case SECCOMP_RET_TRACE:
    case SECCOMP_RET_LOG: case SECCOMP_RET_ALLOW:
        return 0;
    default:
        return -EOPNOTSUPP;
    }
}

long sys_seccomp(Thread *t, const uint64_t *args)
{
    uint32_t flags = (uint32_t)args[1];

    switch ((uint32_t)args[0]) {
    case SECCOMP_SET_MODE_STRICT:
        return flags || args[2] ? -EINVAL : seccomp_set_mode_strict(t);
    case SECCOMP_SET_MODE_FILTER:
        return seccomp_set_mode_filter(t, flags, args[2]);
    case SECCOMP_GET_ACTION_AVAIL:
        return flags ? -EINVAL : action_available(args[2]);
    case SECCOMP_GET_NOTIF_SIZES:
        return flags ? -EINVAL : host_raw(HOST_NR_SECCOMP, args[0], 0, args[2]);
    default:
        return -EINVAL;
    }
}
