/* data plane */
/*
 * Code that the guest writes into other processes, or itself, by other means than its own stores:
 * /proc/PID/mem and process_vm_writev. Debuggers set breakpoints so.
 */
#include <fcntl.h>
#include <linux/limits.h>
#include <string.h>
#include <sys/uio.h>

#include "linux-user/arch/text.h"
#include "linux-user/mem/map.h"
#include "linux-user/ptrace/ptrace.h"
#include "linux-user/signal/host-syscall.h"

enum { MAX_VECTORS = 1024 };

/* fd is /proc/PID/mem or /proc/PID/task/TID/mem: PID; else 0. */
static pid_t memory_of(int fd)
{
    char link[32] = "/proc/self/fd/", path[80];
    Text text = {link + strlen(link), link + sizeof link - 1};
    if (fd < 0)
        return 0;
    text_add_number(&text, (unsigned)fd, 10, 1);
    *text.at = 0;
    long n = host_raw(SYS_readlinkat, AT_FDCWD, (uintptr_t)link, (uintptr_t)path, sizeof path);
    if (n < 10 || n == sizeof path || memcmp(path, "/proc/", 6) || memcmp(path + n - 4, "/mem", 4))
        return 0;
    pid_t pid = 0;
    for (const char *p = path + 6; *p >= '0' && *p <= '9'; p++)
        pid = pid * 10 + (*p - '0');
    return pid;
}

static void written(Thread *t, pid_t pid, GuestAddr at, uint64_t n)
{
    if (pid == (pid_t)host_raw(SYS_getpid))
        translator_invalidate(t->process->translator, at, n);
    else
        tracer_memory_written(t, at, n);
}

static void written_by_vectors(Thread *t, const uint64_t *args)
{
    for (uint64_t i = 0; i < args[4] && i < MAX_VECTORS; i++) {
        struct iovec iov;
        if (!mem_get(&iov, args[3] + i * sizeof iov))
            return;
        written(t, (pid_t)args[0], mem_guest(iov.iov_base), iov.iov_len);
    }
}

void tracer_wrote(Thread *t, long host_nr, const uint64_t *args, long n)
{
    long at;
    pid_t pid;
    switch (host_nr) {
    case SYS_process_vm_writev:
        written_by_vectors(t, args);
        return;
    case SYS_pwrite64: case SYS_pwritev:
        if ((pid = memory_of((int)args[0])))
            written(t, pid, args[3], (uint64_t)n);
        return;
    case SYS_write: case SYS_writev:
        if (!(pid = memory_of((int)args[0])))
            return;
        at = host_raw(SYS_lseek, (int)args[0], 0, 1 /* SEEK_CUR */);
        written(t, pid, (GuestAddr)(at - n), (uint64_t)n);
        return;
    default:
        return;
    }
}

void tracer_note_open(Process *p, const char *path, int flags)
{
    size_t n = strlen(path);
    if ((flags & O_ACCMODE) == O_RDONLY || n < 3 || memcmp(path + n - 3, "mem", 3))
        return;
    if (n == 3 || path[n - 4] == '/')
        atomic_store_explicit(&p->writes_memory, true, memory_order_relaxed);
}
