/* data plane */
/* The chain of filters: judging, sharing, handing over. */
#include <elf.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <string.h>

#include "linux-user/mem/map.h"
#include "linux-user/ptrace/ptrace.h"
#include "linux-user/seccomp/bpf.h"
#include "linux-user/seccomp/seccomp.h"
#include "linux-user/signal/host-syscall.h"
#include "linux-user/signal/signal.h"
#include "linux-user/syscalls/dispatch.h"
#include "linux-user/thread/thread.h"
#include "syscall-tables/table.h"
#include "translator/memory/own-pages.h"

/* kernel/seccomp.c: at most so many instructions on the way through all filters, each of which
 * counts for four more. */
enum { MAX_INSNS = 32768, COST_OF_A_FILTER = 4, MAX_ERROR = 4095, SYS_SECCOMP_CODE = 1 };

uint32_t seccomp_arch(const GuestAbi *abi)
{
    return abi->elf_machine | (abi->word_bytes == 8 ? __AUDIT_ARCH_64BIT : 0) |
           (abi->big_endian ? 0 : __AUDIT_ARCH_LE);
}

/* ---- life ---- */

static size_t filter_bytes(unsigned n)
{
    return sizeof(SeccompFilter) + n * sizeof(struct sock_filter);
}

static SeccompFilter *chain_of(const Thread *t)
{
    /* acquire: another thread may have set it (TSYNC) */
    return atomic_load_explicit(&t->seccomp, memory_order_acquire);
}

static void filter_ref(SeccompFilter *f)
{
    if (f)
        atomic_fetch_add_explicit(&f->refs, 1, memory_order_relaxed);
}

static void filter_unref(SeccompFilter *f)
{
    /* acq_rel: who frees it sees everything that was done to it */
    while (f && atomic_fetch_sub_explicit(&f->refs, 1, memory_order_acq_rel) == 1) {
        SeccompFilter *previous = f->previous;
        own_pages_unmap(f, filter_bytes(f->n));
        f = previous;
    }
}

void seccomp_inherit(Thread *t, const Thread *from)
{
    SeccompFilter *f = chain_of(from);

    filter_ref(f);
    atomic_store_explicit(&t->seccomp, f, memory_order_relaxed);
    t->seccomp_strict = from->seccomp_strict;
    t->seccomp_on = from->seccomp_on;
}

void seccomp_follow(Thread *t, const Thread *from)
{
    Process *p = t->process;

    pthread_mutex_lock(&p->threads_lock);
    if (chain_of(t) != chain_of(from)) {
        SeccompFilter *old = chain_of(t);
        seccomp_inherit(t, from);
        filter_unref(old);
    }
    pthread_mutex_unlock(&p->threads_lock);
}

void seccomp_drop(Thread *t)
{
    filter_unref(chain_of(t));
    atomic_store_explicit(&t->seccomp, NULL, memory_order_relaxed);
}

static void find_constant_calls(const GuestAbi *abi, SeccompFilter *f)
{
    uint32_t data[BPF_DATA_WORDS] = { [BPF_DATA_ARCH] = seccomp_arch(abi) }, action;

    for (unsigned nr = 0; nr < SECCOMP_CACHED_CALLS; nr++) {
        data[BPF_DATA_NR] = nr;
        bool allowed = (!f->previous || (f->previous->allow[nr / 64] >> nr % 64 & 1)) &&
                       bpf_run_constant(f->code, data, &action) &&
                       (action & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ALLOW;
        f->allow[nr / 64] |= (uint64_t)allowed << nr % 64;
    }
}

long seccomp_add(Thread *t, const struct sock_filter *code, unsigned n, bool listens)
{
    SeccompFilter *previous = chain_of(t);
    uint32_t total = n + (previous ? previous->total + COST_OF_A_FILTER : 0);

    if (total > MAX_INSNS)
        return -ENOMEM;
    SeccompFilter *f = own_pages_map(filter_bytes(n));
    if (!f)
        return -ENOMEM;
    f->previous = previous;
    atomic_init(&f->refs, 1);
    f->n = n;
    f->total = total;
    f->listens = listens;
    memcpy(f->code, code, n * sizeof *code);
    find_constant_calls(t->process->abi, f);
    /* release: other threads may get it by TSYNC */
    atomic_store_explicit(&t->seccomp, f, memory_order_release);
    t->seccomp_on = true;
    return 0;
}

/* ---- judging ---- */

/* struct seccomp_data. */
static void fill_data(const Thread *t, uint64_t nr, uint32_t data[BPF_DATA_WORDS])
{
    const GuestAbi *abi = t->process->abi;
    bool big = abi->big_endian;
    uint64_t ip = vcpu_pc(t->vcpu);

    data[BPF_DATA_NR] = nr;
    data[BPF_DATA_ARCH] = seccomp_arch(abi);
    for (unsigned i = 0; i < 7; i++) {
        uint64_t v = i ? t->syscall_args[i - 1] : ip;
        data[2 + 2 * i + big] = v;
        data[3 + 2 * i - big] = v >> 32;
    }
}

/* The strictest action that a filter of the chain gives: the lowest as a signed number, and of
 * equals the newest. */
static uint32_t strictest(const SeccompFilter *f, const uint32_t *data)
{
    uint32_t best = SECCOMP_RET_ALLOW;

    for (; f; f = f->previous) {
        uint32_t r = bpf_run(f->code, data);
        if ((int32_t)(r & SECCOMP_RET_ACTION_FULL) < (int32_t)(best & SECCOMP_RET_ACTION_FULL))
            best = r;
    }
    return best;
}

static void siginfo_seccomp(const Thread *t, uint64_t nr, uint32_t data, siginfo_t *info)
{
    memset(info, 0, sizeof *info);
    info->si_signo = SIGSYS;
    info->si_errno = data;
    info->si_code = SYS_SECCOMP_CODE;
    info->si_call_addr = mem_host(vcpu_pc(t->vcpu));
    info->si_syscall = (int)nr;
    info->si_arch = seccomp_arch(t->process->abi);
}

/* The thread ends; if it is the only one, the process does, by the signal. */
static long kill_thread(Thread *t, int sig)
{
    if (t->process->n_threads <= 1)
        signal_die(t, sig);
    t->exiting = true;
    t->exit_status = sig;
    return -SYSCALL_NO_RESULT;
}

/* What read, write, exit and rt_sigreturn are for, and nothing else. */
static bool strict_allows(const Thread *t)
{
    static const char *const allowed[] = { "read", "write", "exit", "rt_sigreturn" };
    const TableCall *c = syscall_current(t);

    for (unsigned i = 0; c && i < sizeof allowed / sizeof *allowed; i++)
        if (!strcmp(table_strings + table_protos[c->proto].name, allowed[i]))
            return c->how != TABLE_UNKNOWN;
    return false;
}

static bool act(Thread *t, uint64_t nr, uint32_t action, long *ret)
{
    uint32_t data = action & SECCOMP_RET_DATA;
    siginfo_t info;
    bool skip;

    switch (action & SECCOMP_RET_ACTION_FULL) {
    case SECCOMP_RET_ALLOW:
    case SECCOMP_RET_LOG:
        return true;
    case SECCOMP_RET_ERRNO:
        *ret = -(long)(data > MAX_ERROR ? MAX_ERROR : data);
        return false;
    case SECCOMP_RET_TRACE: /* a tracer lets the call be made, changed or not, or gives a result */
        if (trace_seccomp(t, data, &skip)) {
            t->process->abi->syscall_args(vcpu_cpu(t->vcpu), t->syscall_args);
            *ret = -SYSCALL_NO_RESULT;
            return !skip;
        }
        *ret = -ENOSYS;
        return false;
    case SECCOMP_RET_USER_NOTIF:
        return seccomp_notify(t, nr, ret);
    case SECCOMP_RET_TRAP:
        siginfo_seccomp(t, nr, data, &info);
        signal_force(t, &info);
        *ret = -SYSCALL_NO_RESULT;
        return false;
    case SECCOMP_RET_KILL_THREAD:
        *ret = kill_thread(t, SIGSYS);
        return false;
    default:
        signal_die(t, SIGSYS);
    }
}

bool seccomp_judge(Thread *t, uint64_t nr, long *ret)
{
    const SeccompFilter *f = chain_of(t);
    uint32_t data[BPF_DATA_WORDS];

    if (t->seccomp_strict) {
        if (strict_allows(t))
            return true;
        *ret = kill_thread(t, SIGKILL);
        return false;
    }
    if (!f || (nr < SECCOMP_CACHED_CALLS && (f->allow[nr / 64] >> nr % 64 & 1)))
        return true;
    fill_data(t, nr, data);
    uint32_t action = strictest(f, data);
    if (log_on(LOG_SYSCALL) && (action & SECCOMP_RET_ACTION_FULL) != SECCOMP_RET_ALLOW)
        log_write("seccomp: call %llu of %d: action %#x\n", (unsigned long long)nr, t->tid, action);
    return act(t, nr, action, ret);
}

/* ---- over an execve ---- */

/* The file: a number of filters, then each, oldest first, as its head and its code. */
typedef struct SavedHead {
    uint32_t magic, n_filters;
} SavedHead;
typedef struct SavedFilter {
    uint32_t n, listens;
} SavedFilter;
enum { SAVED_MAGIC = 0x63627166 };

static bool write_all(int fd, const void *p, size_t n)
{
    return host_raw(SYS_write, fd, (uintptr_t)p, n) == (long)n;
}

static bool save_chain(int fd, const SeccompFilter *f)
{
    if (!f)
        return true;
    SavedFilter head = { f->n, f->listens };
    return save_chain(fd, f->previous) && write_all(fd, &head, sizeof head) &&
           write_all(fd, f->code, f->n * sizeof *f->code);
}

long seccomp_save(Thread *t)
{
    SavedHead head = { SAVED_MAGIC, 0 };
    const SeccompFilter *chain = chain_of(t);
    long fd = host_raw(SYS_memfd_create, (uintptr_t) "calque-seccomp", 0);

    if (fd < 0)
        return fd;
    for (const SeccompFilter *f = chain; f; f = f->previous)
        head.n_filters++;
    if (!write_all(fd, &head, sizeof head) || !save_chain(fd, chain)) {
        host_raw(SYS_close, fd);
        return -ENOMEM;
    }
    return fd;
}

static bool read_at(int fd, uint64_t *at, void *p, size_t n)
{
    bool ok = host_raw(SYS_pread64, fd, (uintptr_t)p, n, *at) == (long)n;
    *at += n;
    return ok;
}

bool seccomp_restore(Thread *t, int fd)
{
    struct sock_filter code[BPF_MAXINSNS];
    SavedHead head;
    SavedFilter f;
    uint64_t at = 0;
    bool ok = read_at(fd, &at, &head, sizeof head) && head.magic == SAVED_MAGIC;

    for (uint32_t i = 0; ok && i < head.n_filters; i++)
        ok = read_at(fd, &at, &f, sizeof f) && f.n <= BPF_MAXINSNS &&
             read_at(fd, &at, code, f.n * sizeof *code) && bpf_check(code, f.n) &&
             seccomp_add(t, code, f.n, f.listens) == 0;
    host_raw(SYS_close, fd);
    return ok;
}
