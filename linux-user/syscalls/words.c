/* data plane */
/* Calls that only 32-bit ports have and whose arguments lie otherwise than the host's: the tables
 * do the rest of them (syscall-tables/protos/words.tbl). */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/limits.h>
#include <string.h>
#include <sys/statfs.h>

#include "linux-user/mem/map.h"
#include "linux-user/signal/host-syscall.h"
#include "linux-user/syscalls/convert.h"
#include "syscall-tables/handlers.h"

/* The offset counts units of 4096 bytes. */
long sys_mmap2(Thread *t, const uint64_t *args)
{
    uint64_t copy[6];

    memcpy(copy, args, sizeof copy);
    copy[5] *= 4096;
    return sys_mmap(t, copy);
}

long sys__llseek(Thread *t, const uint64_t *args)
{
    const SyscallTable *table = t->process->abi->syscalls;
    uint8_t raw[8];
    long r = host_syscall(t, HOST_NR_LSEEK, args[0], args[1] << 32 | (uint32_t)args[2], args[4], 0,
                          0, 0);

    if (r < 0)
        return r;
    convert_store(table, raw, 8, (uint64_t)r);
    return mem_write(args[3], raw, 8) ? 0 : -EFAULT;
}

static long statfs_put(Thread *t, long r, uint64_t size, GuestAddr at, const struct statfs *host)
{
    const SyscallTable *table = t->process->abi->syscalls;
    unsigned bytes = table->layouts[TABLE_STRUCT_STATFS64].guest_bytes;

    /* arm takes its size without packing too (fs/statfs.c, arch/arm/kernel/sys_oabi-compat.c). */
    if (size != bytes && size != bytes + 4)
        return -EINVAL;
    if (r < 0)
        return r;
    return convert_put(table, TABLE_STRUCT_STATFS64, at, host) ? 0 : -EFAULT;
}

long sys_statfs64(Thread *t, const uint64_t *args)
{
    struct statfs host;
    char buf[PATH_MAX];
    const char *path = path_lookup(t, AT_FDCWD, args[0], true, buf);
    long r = host_syscall(t, HOST_NR_STATFS, (uintptr_t)path, (uintptr_t)&host, 0, 0, 0, 0);

    return statfs_put(t, r, args[1], args[2], &host);
}

long sys_fstatfs64(Thread *t, const uint64_t *args)
{
    struct statfs host;
    long r = host_syscall(t, HOST_NR_FSTATFS, args[0], (uintptr_t)&host, 0, 0, 0, 0);

    return statfs_put(t, r, args[1], args[2], &host);
}

/* Commands 12 to 14 are those of locks with 64-bit offsets; the rest is fcntl's. */
long sys_fcntl64(Thread *t, const uint64_t *args)
{
    enum { GETLK64 = 12, SETLKW64 = 14 };
    const SyscallTable *table = t->process->abi->syscalls;
    uint32_t cmd = (uint32_t)args[1];
    bool ofd = cmd == F_OFD_GETLK || cmd == F_OFD_SETLK || cmd == F_OFD_SETLKW;
    struct flock lock;

    if (!ofd && (cmd < GETLK64 || cmd > SETLKW64))
        return sys_fcntl(t, args);
    if (!convert_get(table, TABLE_STRUCT_FLOCK64, &lock, args[2]))
        return -EFAULT;
    uint32_t host = ofd ? cmd : cmd - GETLK64 + F_GETLK;
    long r = host_syscall(t, HOST_NR_FCNTL, args[0], host, (uintptr_t)&lock, 0, 0, 0);
    if (r >= 0 && (host == F_GETLK || host == F_OFD_GETLK) &&
        !convert_put(table, TABLE_STRUCT_FLOCK64, args[2], &lock))
        return -EFAULT;
    return r;
}

/* The flag comes first, so that the offsets lie in even registers. */
long sys_arm_fadvise64_64(Thread *t, const uint64_t *args)
{
    return host_syscall(t, HOST_NR_FADVISE64, args[0], args[2], args[3], args[1], 0, 0);
}

long sys_arm_sync_file_range(Thread *t, const uint64_t *args)
{
    return host_syscall(t, HOST_NR_SYNC_FILE_RANGE, args[0], args[2], args[3], args[1], 0, 0);
}

long sys_ugetrlimit(Thread *t, const uint64_t *args) { return sys_getrlimit(t, args); }

long sys_recvmmsg_time64(Thread *t, const uint64_t *args) { return sys_recvmmsg(t, args); }

/* The fourth argument is a time where the operation waits, else a number. */
static long futex(Thread *t, const uint64_t *args, unsigned layout)
{
    const SyscallTable *table = t->process->abi->syscalls;
    unsigned op = args[1] & FUTEX_CMD_MASK;
    bool waits = op == FUTEX_WAIT || op == FUTEX_LOCK_PI || op == FUTEX_LOCK_PI2 ||
                 op == FUTEX_WAIT_BITSET || op == FUTEX_WAIT_REQUEUE_PI;
    struct timespec ts;
    uint64_t fourth = args[3];

    if (waits && args[3]) {
        if (!convert_get(table, layout, &ts, args[3]))
            return -EFAULT;
        fourth = (uintptr_t)&ts;
    }
    return host_syscall(t, HOST_NR_FUTEX, args[0], args[1], args[2], fourth, args[4], args[5]);
}

long sys_futex(Thread *t, const uint64_t *args) { return futex(t, args, TABLE_STRUCT_TIMESPEC); }

long sys_futex_time64(Thread *t, const uint64_t *args)
{
    return futex(t, args, TABLE_STRUCT_TIMESPEC64);
}

/* The guest's sigevent as the host's; NULL stays NULL. -EFAULT. */
static long event_to_host(const SyscallTable *table, GuestAddr at, struct sigevent *storage,
                          const void **ret_host)
{
    *ret_host = at ? storage : NULL;
    return at && !convert_get(table, TABLE_STRUCT_SIGEVENT, storage, at) ? -EFAULT : 0;
}

long sys_timer_create(Thread *t, const uint64_t *args)
{
    const SyscallTable *table = t->process->abi->syscalls;
    struct sigevent event;
    const void *host;
    int32_t id = 0;
    uint8_t word[4];

    long r = event_to_host(table, args[1], &event, &host);
    if (r == 0)
        r = host_syscall(t, HOST_NR_TIMER_CREATE, args[0], (uintptr_t)host, (uintptr_t)&id, 0, 0,
                         0);
    if (r < 0)
        return r;
    convert_store(table, word, sizeof word, (uint32_t)id);
    if (mem_write(args[2], word, sizeof word))
        return r;
    host_raw(HOST_NR_TIMER_DELETE, id);
    return -EFAULT;
}

long sys_mq_notify(Thread *t, const uint64_t *args)
{
    struct sigevent event;
    const void *host;
    long r = event_to_host(t->process->abi->syscalls, args[1], &event, &host);

    return r < 0 ? r : host_syscall(t, HOST_NR_MQ_NOTIFY, args[0], (uintptr_t)host, 0, 0, 0, 0);
}

/* arch/arm/kernel/traps.c */
long sys_arm_cacheflush(Thread *t, const uint64_t *args)
{
    if (args[1] < args[0] || args[2])
        return -EINVAL;
    translator_invalidate(t->process->translator, args[0], args[1] - args[0]);
    return 0;
}

long sys_arm_set_tls(Thread *t, const uint64_t *args)
{
    t->process->abi->set_tls(vcpu_cpu(t->vcpu), args[0]);
    return 0;
}
