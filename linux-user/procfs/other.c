/* data plane */
#include "linux-user/procfs/other.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#include "linux-user/arch/text.h"
#include "linux-user/ptrace/tracer.h"
#include "linux-user/signal/host-syscall.h"

enum { MAX_RANGES = 1 << 20, TRIES = 3, SETTLE_TRIES = 100 };

static bool copy_string(pid_t pid, GuestAddr at, char *to, size_t size)
{
    /* A page at a time: behind the string may be nothing. */
    for (size_t n = 0; n < size;) {
        size_t part = MEM_PAGE - ((at + n) & (MEM_PAGE - 1));
        if (part > size - n)
            part = size - n;
        if (!tracer_read(pid, at + n, to + n, part))
            return false;
        if (memchr(to + n, 0, part))
            return true;
        n += part;
    }
    return false;
}

/* It may change its table meanwhile: what isn't sorted is read again. */
static bool copy_ranges(pid_t pid, OtherProcess *o)
{
    GuestAddr mem_at = mem_guest(o->process.mem);
    for (int i = 0; i < TRIES; i++) {
        if (!tracer_read(pid, mem_at, &o->mem, sizeof o->mem) || o->mem.n > MAX_RANGES)
            return false;
        GuestAddr at = mem_guest(o->mem.ranges);
        size_t n = o->mem.n, bytes = (n * sizeof(MemRange) + MEM_PAGE) & ~(size_t)(MEM_PAGE - 1);
        long m = host_raw(SYS_mmap, 0, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                          -1, 0);
        if (m < 0 && m >= -4095)
            return false;
        o->range_bytes = bytes;
        o->mem.ranges = (MemRange *)m;
        bool good = tracer_read(pid, at, o->mem.ranges, n * sizeof(MemRange));
        for (size_t j = 0; good && j + 1 < n; j++)
            good = o->mem.ranges[j].end <= o->mem.ranges[j + 1].start;
        if (good)
            return true;
        other_close(o);
    }
    return false;
}

bool other_open(pid_t pid, OtherProcess *o)
{
    o->range_bytes = 0;
    if (tracer_is_native(pid) || !tracer_read(pid, mem_guest(&process_main), &o->process,
                                              sizeof o->process))
        return false;
    const Process *p = &o->process;
    if (!p->abi || !p->mem || !p->exe_path ||
        !copy_string(pid, mem_guest(p->exe_path), o->exe_path, sizeof o->exe_path) ||
        !copy_ranges(pid, o))
        return false;
    o->process.exe_path = o->exe_path;
    o->process.mem = &o->mem;
    pthread_mutex_init(&o->mem.lock, NULL);
    return true;
}

void other_settle(pid_t pid)
{
    struct timespec pause = {.tv_nsec = 1000000};
    bool shown;
    for (int i = 0; i < SETTLE_TRIES && !tracer_is_native(pid) &&
                    tracer_read(pid, mem_guest(&process_main.shown), &shown, sizeof shown) &&
                    !shown; i++)
        host_raw(SYS_nanosleep, (uintptr_t)&pause, 0);
}

void other_close(OtherProcess *o)
{
    if (o->range_bytes)
        host_raw(SYS_munmap, (uintptr_t)o->mem.ranges, o->range_bytes);
    o->range_bytes = 0;
}
