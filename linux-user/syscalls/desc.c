/* data plane */
/* Descriptors: those that aren't the guest's to close, waiting under another signal mask, fcntl. */
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <string.h>

#include "linux-user/mem/map.h"
#include "linux-user/procfs/reread.h"
#include "linux-user/signal/host-syscall.h"
#include "linux-user/signal/signal.h"
#include "linux-user/syscalls/convert.h"
#include "linux-user/syscalls/hidden.h"
#include "linux-user/syscalls/uring.h"
#include "syscall-tables/handlers.h"

/* What is known of descriptors first to last is so no more. */
static void note_closed(Process *p, unsigned first, unsigned last)
{
    uring_closed(p, first, last);
    procfs_note_closed(p, first, last);
}

long sys_close(Thread *t, const uint64_t *args)
{
    if (hidden_fd_has(t->process, args[0]))
        return -EBADF;
    note_closed(t->process, args[0], args[0]);
    /* The descriptor is gone even if close() is interrupted: never again. */
    return host_raw(HOST_NR_CLOSE, args[0]);
}

/* Around the hidden descriptors; marking them close-on-exec does no harm. */
long sys_close_range(Thread *t, const uint64_t *args)
{
    unsigned first = args[0], last = args[1], flags = args[2];
    int hidden;

    if (first <= last && !(flags & (CLOSE_RANGE_CLOEXEC | CLOSE_RANGE_UNSHARE)))
        note_closed(t->process, first, last);
    if (first > last || flags & CLOSE_RANGE_CLOEXEC)
        return host_raw(HOST_NR_CLOSE_RANGE, first, last, flags);
    while ((hidden = hidden_fd_next(t->process, first)) >= 0 && (unsigned)hidden <= last) {
        if ((unsigned)hidden > first) {
            long ret = host_raw(HOST_NR_CLOSE_RANGE, first, hidden - 1, flags);
            if (ret < 0)
                return ret;
        }
        first = hidden + 1;
    }
    return first <= last ? host_raw(HOST_NR_CLOSE_RANGE, first, last, flags) : 0;
}

long sys_dup3(Thread *t, const uint64_t *args)
{
    uint64_t flags = convert_set_to_host(t->process->abi->syscalls, TABLE_SET_FDFLAGS, args[2]);

    if (hidden_fd_has(t->process, args[0]) || hidden_fd_has(t->process, args[1]))
        return -EBADF;
    long ret = host_syscall(t, HOST_NR_DUP3, args[0], args[1], flags, 0, 0, 0);
    if (ret >= 0)
        note_closed(t->process, args[1], args[1]);
    return ret;
}

long sys_fcntl(Thread *t, const uint64_t *args)
{
    const SyscallTable *table = t->process->abi->syscalls;
    int cmd = convert_set_to_host(table, TABLE_SET_FCNTL, (uint32_t)args[1]);
    unsigned layout = TABLE_STRUCT_FLOCK;
    uint64_t arg = args[2];
    uint8_t host[64];
    long ret;

    switch (cmd) {
    case F_GETFL:
        ret = host_syscall(t, HOST_NR_FCNTL, args[0], cmd, arg, 0, 0, 0);
        return ret < 0 ? ret : (long)convert_set_to_guest(table, TABLE_SET_OPEN, ret);
    case F_SETFL:
        arg = convert_set_to_host(table, TABLE_SET_OPEN, arg);
        break;
    case F_SETOWN_EX:
    case F_GETOWN_EX:
        layout = TABLE_STRUCT_F_OWNER_EX;
        /* fall through */
    case F_GETLK:
    case F_SETLK:
    case F_SETLKW:
    case F_OFD_GETLK:
    case F_OFD_SETLK:
    case F_OFD_SETLKW:
        if (table->layouts[layout].same)
            break;
        if (!convert_get(table, layout, host, arg))
            return -EFAULT;
        ret = host_syscall(t, HOST_NR_FCNTL, args[0], cmd, (uintptr_t)host, 0, 0, 0);
        if (ret >= 0 && (cmd == F_GETLK || cmd == F_OFD_GETLK || cmd == F_GETOWN_EX) &&
            !convert_put(table, layout, arg, host))
            return -EFAULT;
        return ret;
    }
    return host_syscall(t, HOST_NR_FCNTL, args[0], cmd, arg, 0, 0, 0);
}

/* ---- waiting with a mask ---- */

/*
 * epoll_pwait, whose events x86-64 packs: the kernel writes them into the guest's own array, which
 * is then widened from its end, so that no count of events needs memory of the emulator's.
 */
static long epoll_wait_in_place(Thread *t, const uint64_t *args)
{
    const SyscallTable *table = t->process->abi->syscalls;
    const TableLayout *l = &table->layouts[TABLE_STRUCT_EPOLL_EVENT];
    uint8_t event[32];
    long n = host_syscall(t, syscall_current(t)->host_nr, args[0], args[1], args[2], args[3],
                          args[4], args[5]);

    for (long i = l->same ? 0 : n; i-- > 0;) {
        if (!mem_read(event, args[1] + i * l->host_bytes, l->host_bytes) ||
            !convert_put(table, TABLE_STRUCT_EPOLL_EVENT, args[1] + i * l->guest_bytes, event))
            return -EFAULT;
    }
    return n;
}

static long call_converted(Thread *t, const uint64_t *args)
{
    const SyscallTable *table = t->process->abi->syscalls;
    const TableLayout *l = &table->layouts[TABLE_STRUCT_EPOLL_EVENT];
    const TableCall *call = syscall_current(t);

    if (table->like_host && l->guest_bytes >= l->host_bytes &&
        (call->host_nr == HOST_NR_EPOLL_PWAIT || call->host_nr == HOST_NR_EPOLL_PWAIT2))
        return epoll_wait_in_place(t, args);
    return convert_call(t, call, args);
}

/* The call t is in, with argument i (a sigset and its size in i + 1) as the host's mask. */
static long call_masked(Thread *t, const uint64_t *args, unsigned i)
{
    uint64_t copy[6], storage;
    const void *mask;

    memcpy(copy, args, sizeof copy);
    if (args[i]) {
        long ret = signal_temp_mask(t, args[i], args[i + 1], &storage, &mask);
        if (ret < 0)
            return ret;
        copy[i] = (uintptr_t)mask;
        copy[i + 1] = sizeof storage;
    }
    return call_converted(t, copy);
}

long sys_ppoll(Thread *t, const uint64_t *args) { return call_masked(t, args, 3); }
long sys_ppoll_time64(Thread *t, const uint64_t *args) { return call_masked(t, args, 3); }
long sys_epoll_pwait(Thread *t, const uint64_t *args) { return call_masked(t, args, 4); }
long sys_epoll_pwait2(Thread *t, const uint64_t *args) { return call_masked(t, args, 4); }

/* The same where the argument points to { sigset pointer, size }. */
static long call_masked_by_struct(Thread *t, const uint64_t *args, unsigned i)
{
    const SyscallTable *table = t->process->abi->syscalls;
    unsigned word = table->word_bytes;
    struct { const void *mask; size_t bytes; } host;
    uint64_t copy[6], storage;
    uint8_t guest[16];

    memcpy(copy, args, sizeof copy);
    if (args[i]) {
        if (!mem_read(guest, args[i], 2 * word))
            return -EFAULT;
        GuestAddr set = convert_load(table, guest, word, false);
        if (set) {
            long ret = signal_temp_mask(t, set, convert_load(table, guest + word, word, false),
                                        &storage, &host.mask);
            if (ret < 0)
                return ret;
            host.bytes = sizeof storage;
            copy[i] = (uintptr_t)&host;
        } else {
            copy[i] = 0;
        }
    }
    return convert_call(t, syscall_current(t), copy);
}

/* A set of descriptors is an array of longs: between byte orders it would have to be converted. */
long sys_pselect6(Thread *t, const uint64_t *args)
{
    if (t->process->abi->syscalls->big_endian != (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__))
        return -ENOSYS;
    return call_masked_by_struct(t, args, 5);
}

long sys_pselect6_time64(Thread *t, const uint64_t *args) { return sys_pselect6(t, args); }

long sys_io_pgetevents(Thread *t, const uint64_t *args)
{
    return t->process->abi->syscalls->like_host ? call_masked_by_struct(t, args, 5) : -ENOSYS;
}
