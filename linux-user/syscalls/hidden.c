/* data plane */
#include "linux-user/syscalls/hidden.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/resource.h>

#include "linux-user/signal/host-syscall.h"
#include "syscall-tables/ids.h"

enum { ROOM = 16 }; /* descriptors below the limit that are the emulator's to use */

int hidden_fd_add(Process *p, int fd)
{
    struct rlimit lim = { 1024, 1024 };
    unsigned n = atomic_load_explicit(&p->n_hidden_fds, memory_order_relaxed);

    host_raw(HOST_NR_PRLIMIT64, 0, RLIMIT_NOFILE, 0, &lim);
    if (lim.rlim_cur > 1 << 20)
        lim.rlim_cur = 1 << 20; /* a table that large costs the kernel memory */
    if (lim.rlim_cur > 2 * ROOM) {
        long high = host_raw(HOST_NR_FCNTL, fd, F_DUPFD_CLOEXEC, lim.rlim_cur - ROOM);
        if (high >= 0) {
            host_raw(HOST_NR_CLOSE, fd);
            fd = high;
        }
    }
    if (n < sizeof p->hidden_fds / sizeof *p->hidden_fds) {
        p->hidden_fds[n] = fd;
        /* release: a thread that sees the count sees the number */
        atomic_store_explicit(&p->n_hidden_fds, n + 1, memory_order_release);
    }
    return fd;
}

int hidden_fd_next(const Process *p, unsigned fd)
{
    unsigned n = atomic_load_explicit(&p->n_hidden_fds, memory_order_acquire);
    unsigned best = UINT_MAX;

    for (unsigned i = 0; i < n; i++) {
        unsigned h = p->hidden_fds[i];
        if (h >= fd && h < best)
            best = h;
    }
    return best == UINT_MAX ? -1 : (int)best;
}

bool hidden_fd_has(const Process *p, int fd)
{
    return fd >= 0 && hidden_fd_next(p, fd) == fd;
}
