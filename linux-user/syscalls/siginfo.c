/* data plane */
#include "linux-user/syscalls/siginfo.h"

#include <string.h>

#include "linux-user/mem/map.h"
#include "linux-user/syscalls/convert.h"

_Static_assert(sizeof(siginfo_t) == SIGINFO_BYTES, "siginfo");

/* kernel/signal.c, siginfo_layout(): which part is behind the head. */
static unsigned part_of(int sig, int code)
{
    if (code > SI_USER && code < 0x80 /* SI_KERNEL */) {
        switch (sig) {
        case SIGILL: case SIGFPE: case SIGSEGV: case SIGBUS: case SIGTRAP:
            return TABLE_STRUCT_SIGINFO_FAULT;
        case SIGCHLD:
            return TABLE_STRUCT_SIGINFO_CHILD;
        case SIGSYS:
            return TABLE_STRUCT_SIGINFO_CALL;
        default:
            /* SIGIO's codes come with the signal that F_SETSIG chose. */
            return code <= POLL_HUP ? TABLE_STRUCT_SIGINFO_POLL : TABLE_STRUCT_SIGINFO_SENT;
        }
    }
    return code == SI_TIMER    ? TABLE_STRUCT_SIGINFO_TIMER
           : code == SI_SIGIO ? TABLE_STRUCT_SIGINFO_POLL
                              : TABLE_STRUCT_SIGINFO_SENT;
}

void siginfo_to_guest(const SyscallTable *table, uint8_t guest[SIGINFO_BYTES],
                      const siginfo_t *host)
{
    memset(guest, 0, SIGINFO_BYTES);
    convert_to_guest(table, part_of(host->si_signo, host->si_code), guest, host);
}

void siginfo_to_host(const SyscallTable *table, siginfo_t *host,
                     const uint8_t guest[SIGINFO_BYTES])
{
    int sig = (int)convert_load(table, guest, 4, true);
    int code = (int)convert_load(table, guest + 8, 4, true);

    memset(host, 0, sizeof *host);
    convert_to_host(table, part_of(sig, code), host, guest);
}

bool siginfo_get(const Thread *t, siginfo_t *ret, GuestAddr at)
{
    const SyscallTable *table = t->process->abi->syscalls;
    uint8_t guest[SIGINFO_BYTES];

    if (table->like_host)
        return mem_get(ret, at);
    if (!mem_read(guest, at, sizeof guest))
        return false;
    siginfo_to_host(table, ret, guest);
    return true;
}

bool siginfo_put(const Thread *t, GuestAddr at, const siginfo_t *info)
{
    const SyscallTable *table = t->process->abi->syscalls;
    uint8_t guest[SIGINFO_BYTES];

    if (table->like_host)
        return mem_write(at, info, sizeof *info);
    siginfo_to_guest(table, guest, info);
    return mem_write(at, guest, sizeof guest);
}
