/* data plane */
/* ioctl by the tables of syscall-tables/ioctls. */
#include <errno.h>
#include <stdbool.h>

#include "linux-user/ioctl/ioctl.h"
#include "linux-user/mem/map.h"
#include "linux-user/seccomp/seccomp.h"
#include "linux-user/signal/host-syscall.h"
#include "linux-user/syscalls/convert.h"
#include "linux-user/syscalls/hidden.h"
#include "syscall-tables/handlers.h"

const TableIoctl *ioctl_find(const SyscallTable *table, uint32_t nr)
{
    uint32_t lo = 0, hi = table->n_ioctls;

    while (lo < hi) {
        uint32_t mid = (lo + hi) / 2;
        if (table->ioctls[mid].guest < nr)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < table->n_ioctls && table->ioctls[lo].guest == nr ? &table->ioctls[lo] : NULL;
}

/* Numbers that a pointer argument points to, in the other's size and order. */
static bool numbers_move(const SyscallTable *table, const TableIoctl *io, uint8_t *host,
                         GuestAddr guest, bool to_host)
{
    unsigned gn = table_number_bytes(io->kind, table->word_bytes);
    unsigned hn = table_number_bytes(io->kind, sizeof(long));
    uint8_t raw[8];

    for (unsigned i = 0; i < io->count; i++, guest += gn, host += hn) {
        uint64_t v = 0;
        if (to_host) {
            if (!mem_read(raw, guest, gn))
                return false;
            v = convert_load(table, raw, gn, io->kind == TABLE_LONG);
            /* little-endian hosts: the low bytes come first */
            __builtin_memcpy(host, &v, hn);
        } else {
            __builtin_memcpy(&v, host, hn);
            convert_store(table, raw, gn, v);
            if (!mem_write(guest, raw, gn))
                return false;
        }
    }
    return true;
}

static long ioctl_convert(Thread *t, const TableIoctl *io, int fd, uint64_t arg)
{
    const SyscallTable *table = t->process->abi->syscalls;
    uint8_t host[TABLE_STRUCT_BYTES_MAX];
    bool ok = true;

    if (io->dir == TABLE_VALUE)
        return host_syscall(t, HOST_NR_IOCTL, fd, io->host, arg, 0, 0, 0);
    /* What only code could convert (lists behind pointers) is the host's to refuse. */
    if (io->kind != TABLE_STRUCT && (io->kind < TABLE_I8 || io->kind > TABLE_PTR))
        return -ENOTTY;
    if (io->dir != TABLE_OUT)
        ok = io->kind == TABLE_STRUCT ? convert_get(table, io->ref, host, arg)
                                      : numbers_move(table, io, host, arg, true);
    if (!ok)
        return -EFAULT;
    long ret = host_syscall(t, HOST_NR_IOCTL, fd, io->host, (uintptr_t)host, 0, 0, 0);
    if (ret >= 0 && io->dir != TABLE_IN)
        ok = io->kind == TABLE_STRUCT ? convert_put(table, io->ref, arg, host)
                                      : numbers_move(table, io, host, arg, false);
    return ok ? ret : -EFAULT;
}

/* True the first time; one of several thousand may be taken for another. */
static bool first_time(Process *p, uint32_t nr)
{
    uint32_t hash = nr * 2654435761u >> 22;
    uint64_t bit = UINT64_C(1) << hash % 64;

    return !(atomic_fetch_or_explicit(&p->ioctls_seen[hash / 64], bit, memory_order_relaxed) & bit);
}

static const TableRefusal *refusal_find(const SyscallTable *table, uint32_t nr)
{
    const TableRefusal *r = table->refused;

    while (r->type && r->type != (nr >> 8 & 0xff))
        r++;
    return r->type ? r : NULL;
}

static void unimp(Process *p, uint32_t nr, const char *why)
{
    if (log_on(LOG_UNIMP) && first_time(p, nr))
        log_write("calque: ioctl %#x: %s\n", (unsigned)nr, why);
}

long sys_ioctl(Thread *t, const uint64_t *args)
{
    const SyscallTable *table = t->process->abi->syscalls;
    const TableIoctl *io = ioctl_find(table, args[1]);
    long ret;

    if (hidden_fd_has(t->process, args[0]))
        return -EBADF;
    if (seccomp_ioctl(t, args[0], args[1], args[2], &ret))
        return ret;
    const TableRefusal *refused = io ? NULL : refusal_find(table, args[1]);
    if (refused) {
        unimp(t->process, args[1], table_strings + refused->reason);
        return -(long)refused->errno_value;
    }
    if (io && !io->same)
        return ioctl_convert(t, io, args[0], args[2]);
    /* The numbers of ports with asm-generic/ioctl.h are the same, and so are structures of the
     * same word size that were designed for it: what the table doesn't know goes through. */
    if (!io)
        unimp(t->process, args[1], "not in the tables");
    if (!io && !table->like_host)
        return -ENOTTY;
    return host_syscall(t, HOST_NR_IOCTL, args[0], args[1], args[2], 0, 0, 0);
}
