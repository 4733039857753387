/* data plane */
/*
 * Waiting for a time that is relative to the call's beginning, and going on with it by
 * restart_syscall after a stop: natively the kernel does that by itself, but a handler of the
 * emulator's that has run in between makes it give the call up.
 */
#include "linux-user/syscalls/sleep.h"

#include <errno.h>
#include <linux/futex.h>
#include <time.h>

#include "linux-user/mem/map.h"
#include "linux-user/signal/host-syscall.h"
#include "linux-user/syscalls/convert.h"
#include "syscall-tables/handlers.h"

enum { RESTART_NONE, RESTART_SLEEP, RESTART_FUTEX, NSEC = 1000000000 };

static struct timespec time_now(clockid_t clock)
{
    struct timespec ts = {0};
    host_raw(SYS_clock_gettime, clock, (uintptr_t)&ts);
    return ts;
}

static struct timespec time_add(struct timespec a, struct timespec b)
{
    struct timespec c = {a.tv_sec + b.tv_sec, a.tv_nsec + b.tv_nsec};
    if (c.tv_nsec >= NSEC) {
        c.tv_nsec -= NSEC;
        c.tv_sec++;
    }
    return c;
}

/* What is left until then; 0 if it is over. */
static struct timespec time_left(clockid_t clock, struct timespec until)
{
    struct timespec now = time_now(clock);
    struct timespec left = {until.tv_sec - now.tv_sec, until.tv_nsec - now.tv_nsec};
    if (left.tv_nsec < 0) {
        left.tv_nsec += NSEC;
        left.tv_sec--;
    }
    return left.tv_sec < 0 ? (struct timespec){0} : left;
}

static long relative(Thread *t, clockid_t clock, GuestAddr req, GuestAddr rem)
{
    struct timespec left;
    t->restart.kind = RESTART_NONE;
    long r = host_syscall(t, SYS_clock_nanosleep, clock, 0, req, (uintptr_t)&left, 0, 0);
    if (r != -EINTR)
        return r;
    t->restart.kind = RESTART_SLEEP;
    t->restart.clock = clock;
    t->restart.rem = rem;
    t->restart.until = time_add(time_now(clock), left);
    return rem && !mem_put(rem, left) ? -EFAULT : r;
}

long sys_nanosleep(Thread *t, const uint64_t *args)
{
    if (!t->process->abi->syscalls->like_host)
        return convert_call(t, syscall_current(t), args);
    return relative(t, CLOCK_MONOTONIC, args[0], args[1]);
}

long sys_clock_nanosleep(Thread *t, const uint64_t *args)
{
    const SyscallTable *table = t->process->abi->syscalls;
    if (!table->like_host || convert_set_to_host(table, TABLE_SET_TIMER_SET, args[1]) != 0)
        return convert_call(t, syscall_current(t), args);
    return relative(t, (clockid_t)args[0], args[2], args[3]);
}

/* kernel/sys.c, do_no_restart_syscall(): who calls it without a reason gets EINTR. */
long sys_restart_syscall(Thread *t, const uint64_t *args)
{
    int kind = t->restart.kind;
    long r = -EINTR;
    (void)args;
    t->restart.kind = RESTART_NONE;
    if (kind == RESTART_SLEEP) {
        r = host_syscall(t, SYS_clock_nanosleep, t->restart.clock, TIMER_ABSTIME,
                         (uintptr_t)&t->restart.until, 0, 0, 0);
        /* Its own restart rule is the absolute time's. */
        r = syscall_restart_as(r, EINTR);
        if (r == -EINTR && t->restart.rem &&
            !mem_put(t->restart.rem, time_left(t->restart.clock, t->restart.until)))
            return -EFAULT;
    } else if (kind == RESTART_FUTEX) {
        r = host_syscall(t, SYS_futex, t->restart.futex,
                         FUTEX_WAIT_BITSET | (t->restart.op & FUTEX_PRIVATE_FLAG), t->restart.value,
                         (uintptr_t)&t->restart.until, 0, FUTEX_BITSET_MATCH_ANY);
        r = syscall_restart_as(r, EINTR);
    }
    if (r == -EINTR || r == -SYSCALL_RESTARTNOINTR)
        t->restart.kind = (uint8_t)kind;
    return r;
}

void sleep_call_begins(Thread *t, long host_nr)
{
    t->restart.known = host_nr == SYS_futex;
    if (t->restart.known)
        t->restart.start = time_now(CLOCK_MONOTONIC);
}

bool sleep_keep(Thread *t, long host_nr)
{
    const uint64_t *a = t->syscall_args;
    struct timespec ts;
    switch (host_nr) {
    case SYS_nanosleep:
    case SYS_clock_nanosleep:
        return t->restart.kind == RESTART_SLEEP;
    case SYS_restart_syscall:
        return t->restart.kind != RESTART_NONE;
    case SYS_futex:
        if (!t->restart.known || (a[1] & FUTEX_CMD_MASK) != FUTEX_WAIT || !a[3] ||
            !t->process->abi->syscalls->like_host || !mem_get(&ts, a[3]))
            return false;
        t->restart.until = time_add(t->restart.start, ts);
        t->restart.futex = a[0];
        t->restart.op = (int)a[1];
        t->restart.value = (uint32_t)a[2];
        t->restart.kind = RESTART_FUTEX;
        return true;
    default:
        return false;
    }
}
