/* data plane */
#include "linux-user/syscalls/dispatch.h"

#include <errno.h>

#include "linux-user/procfs/reread.h"
#include "linux-user/ptrace/ptrace.h"
#include "linux-user/seccomp/seccomp.h"
#include "linux-user/signal/host-syscall.h"
#include "linux-user/strace/strace.h"
#include "linux-user/syscalls/convert.h"
#include "linux-user/syscalls/tagged.h"
#include "syscall-tables/handlers.h"

#define HANDLER_ROW(name) sys_##name,
static SyscallHandler *const syscall_handlers[] = { SYSCALL_HANDLERS(HANDLER_ROW) };

static const TableCall *call_find(const SyscallTable *table, uint64_t nr)
{
    if (nr < table->n)
        return &table->calls[nr];
    for (const TableRange *r = table->more; r->n; r++)
        if (nr >= r->first_nr && nr - r->first_nr < r->n)
            return &r->calls[nr - r->first_nr];
    return NULL;
}

const TableCall *syscall_current(const Thread *t)
{
    return call_find(t->process->abi->syscalls, (uint32_t)t->syscall_nr);
}

/* Says once a number that a call isn't there. */
static void unimp_once(Thread *t, uint64_t nr, const TableCall *c)
{
    Process *p = t->process;
    unsigned bit = nr < sizeof p->unimp_seen * 8 ? nr : 0;
    uint64_t mask = UINT64_C(1) << bit % 64;

    if (atomic_fetch_or_explicit(&p->unimp_seen[bit / 64], mask, memory_order_relaxed) & mask)
        return;
    if (!c || c->how == TABLE_UNKNOWN)
        log_write("calque: unknown system call %llu of %s\n", (unsigned long long)nr, p->abi->name);
    else
        log_write("calque: system call %s isn't there: %s\n",
                  table_strings + table_protos[c->proto].name, table_strings + c->reason);
}

/*
 * A 32-bit guest's registers as the prototype's arguments: 64-bit values lie in two registers, low
 * or high word first by byte order, from an even one on where the ABI says so; signed values are
 * extended. Arm: Documentation/process/adding-syscalls.rst, AAPCS32 §6.5.
 */
static void gather_words(const SyscallTable *table, const TableCall *c, uint64_t *args)
{
    const TableProto *p = &table_protos[c->proto];
    uint64_t in[6], out[6] = { 0 };
    unsigned slot = 0;

    for (unsigned i = 0; i < 6; i++)
        in[i] = (uint32_t)args[i];
    for (unsigned i = 0; i < p->n_args && slot < 6; i++) {
        unsigned kind = table_args[p->args + i].kind;
        if (c->wide >> i & 1) {
            if (table->pairs_even)
                slot = (slot + 1) & ~1u;
            if (slot + 1 >= 6)
                break;
            out[i] = table->big_endian ? in[slot] << 32 | in[slot + 1]
                                       : in[slot + 1] << 32 | in[slot];
            slot += 2;
        } else {
            bool is_signed = kind == TABLE_SLONG || kind == TABLE_INT || kind == TABLE_FD ||
                             kind == TABLE_ATFD || kind == TABLE_PID;
            out[i] = is_signed ? (uint64_t)(int64_t)(int32_t)in[slot] : in[slot];
            slot++;
        }
    }
    for (unsigned i = 0; i < 6; i++)
        args[i] = out[i];
}

/* A kind of argument that points to something, or may. */
static bool is_pointer(unsigned kind)
{
    return kind == TABLE_ADDR || (kind >= TABLE_PATH && kind <= TABLE_DIRENTS) ||
           kind == TABLE_IOCTLARG || kind == TABLE_FCNTLARG || kind == TABLE_FUTEXARG ||
           kind == TABLE_OPTVAL || kind == TABLE_IPCBUF;
}

/* Under PR_TAGGED_ADDR_ENABLE the top byte of a pointer to user memory doesn't count, but in calls
 * that choose addresses (Documentation/arch/arm64/tagged-address-abi.rst, §3). Those in vectors and
 * messages: tagged.h. */
static void untag(const TableCall *c, uint64_t *args)
{
    const TableProto *p = &table_protos[c->proto];
    if (c->host_nr == SYS_mmap || c->host_nr == SYS_brk || c->host_nr == SYS_mremap)
        return;
    for (unsigned i = 0; i < p->n_args; i++)
        if (is_pointer(table_args[p->args + i].kind) && !(args[i] >> 55 & 1))
            args[i] &= ~UINT64_C(0) >> 8;
}

static long call_make(Thread *t, const TableCall *c, uint64_t nr)
{
    const uint64_t *a = t->syscall_args;
    long ret;

    switch (c ? (TableHow)c->how : TABLE_UNKNOWN) {
    case TABLE_PASS:
        if (__builtin_expect(t->tagged, 0) && tagged_call(t, c, a, &ret))
            return ret;
        return host_syscall(t, c->host_nr, a[0], a[1], a[2], a[3], a[4], a[5]);
    case TABLE_CONVERT:
        return convert_call(t, c, a);
    case TABLE_OWN:
        return syscall_handlers[c->handler](t, a);
    case TABLE_UNKNOWN:
    case TABLE_REFUSE:
        break;
    }
    if (log_on(LOG_UNIMP))
        unimp_once(t, nr, c);
    return c && c->refuse ? -(long)c->refuse : -ENOSYS;
}

static long call_run(Thread *t, const TableCall *c, uint64_t nr)
{
    uint64_t *a = t->syscall_args;
    long ret;

    if (__builtin_expect(atomic_load_explicit(&t->seccomp_on, memory_order_relaxed), 0) &&
        !seccomp_judge(t, nr, &ret))
        return ret;
    if (!procfs_keeps_files(t->process) || !c)
        return call_make(t, c, nr);
    ret = procfs_before_call(t, c->host_nr, a);
    if (ret < 0)
        return ret;
    int fd = procfs_host_file(c->host_nr, a);
    if (fd < 0)
        return call_make(t, c, nr);
    uint64_t was = a[0];
    a[0] = (unsigned)fd;
    ret = call_make(t, c, nr);
    a[0] = was;
    host_raw(SYS_close, fd);
    return ret;
}

long syscall_plain(Thread *t)
{
    const Process *p = t->process;
    const GuestAbi *abi = p->abi;
    void *cpu = vcpu_cpu(t->vcpu);
    uint64_t nr = abi->syscall_nr(cpu);
    const TableCall *c = call_find(abi->syscalls, nr);

    if (!c || c->how != TABLE_PASS || abi->word_bytes != 8 || log_on(LOG_STRACE) ||
        p->writes_memory || procfs_keeps_files(p) || t->tagged || t->user_dispatch.on ||
        atomic_load_explicit(&t->seccomp_on, memory_order_relaxed))
        return -1;
    abi->syscall_args(cpu, t->syscall_args);
    t->syscall_nr = (int)nr;
    return c->host_nr;
}

long syscall_dispatch(Thread *t)
{
    const GuestAbi *abi = t->process->abi;
    void *cpu = vcpu_cpu(t->vcpu);
    uint64_t nr = abi->syscall_nr(cpu);
    const TableCall *c = call_find(abi->syscalls, nr);
    long ret;

    abi->syscall_args(cpu, t->syscall_args);
    if (abi->word_bytes == 4 && c && c->how != TABLE_UNKNOWN)
        gather_words(abi->syscalls, c, t->syscall_args);
    if (__builtin_expect(t->process->tagged, 0) && t->tagged && c && c->how != TABLE_UNKNOWN)
        untag(c, t->syscall_args);
    t->syscall_nr = nr;
    ret = log_on(LOG_STRACE) ? strace_call(t, c, nr, call_run) : call_run(t, c, nr);
    if (__builtin_expect(t->process->writes_memory, 0) && ret > 0 && c)
        tracer_wrote(t, c->host_nr, t->syscall_args, ret);
    if (__builtin_expect(ret <= -SYSCALL_RESTARTSYS && ret >= -SYSCALL_NO_RESULT, 0)) {
        if (ret != -SYSCALL_NO_RESULT)
            return ret;
    } else {
        abi->syscall_result(cpu, ret);
    }
    t->syscall_nr = -1;
    return ret;
}
