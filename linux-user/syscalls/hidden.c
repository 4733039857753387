/* data plane */
#include "linux-user/syscalls/hidden.h"

#include <limits.h>

void hidden_fd_note(Process *p, int fd)
{
    unsigned n = atomic_load_explicit(&p->n_hidden_fds, memory_order_relaxed);

    if (n < sizeof p->hidden_fds / sizeof *p->hidden_fds) {
        p->hidden_fds[n] = fd;
        /* release: a thread that sees the count sees the number */
        atomic_store_explicit(&p->n_hidden_fds, n + 1, memory_order_release);
    }
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
