/* data plane */
#include "linux-user/procfs/other.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>

#include "linux-user/arch/text.h"
#include "linux-user/ptrace/tracer.h"
#include "linux-user/seccomp/seccomp.h"
#include "linux-user/signal/host-syscall.h"
#include "translator/memory/own-pages.h"

enum { MAX_RANGES = 1 << 20, TRIES = 3, SETTLE_TRIES = 100, MAX_THREADS = 1 << 16,
       MAX_FILTERS = 1 << 12 };

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
        size_t n = o->mem.n, gap = o->mem.gap, rest = gap + (o->mem.capacity - n);
        size_t bytes = (n * sizeof(MemRange) + MEM_PAGE) & ~(size_t)(MEM_PAGE - 1);
        o->mem.ranges = own_pages_map(bytes);
        if (!o->mem.ranges)
            return false;
        o->range_bytes = bytes;
        o->mem.capacity = n; /* the copy has no free entries */
        bool good = gap <= n && tracer_read(pid, at, o->mem.ranges, gap * sizeof(MemRange)) &&
                    tracer_read(pid, at + rest * sizeof(MemRange), o->mem.ranges + gap,
                                (n - gap) * sizeof(MemRange));
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
        !tracer_read(pid, mem_guest(p->signals), &o->signals, sizeof o->signals) ||
        !copy_ranges(pid, o))
        return false;
    o->process.exe_path = o->exe_path;
    o->process.mem = &o->mem;
    o->process.signals = &o->signals;
    /* They may have been copied while somebody held them. */
    o->mem.lock = (SharedLock) {0};
    pthread_mutex_init(&o->signals.lock, NULL);
    pthread_mutex_init(&o->process.limits_lock, NULL);
    return true;
}

/* Its memory isn't there yet, or doesn't show the guest yet. */
static bool is_starting(pid_t pid)
{
    bool shown = false;
    struct iovec local = {&shown, sizeof shown}, remote = {&process_main.shown, sizeof shown};
    long r = host_raw(SYS_process_vm_readv, pid, (uintptr_t)&local, 1, (uintptr_t)&remote, 1, 0);
    return (r == -EFAULT || r == sizeof shown) && !shown && !tracer_is_native(pid);
}

void other_settle(pid_t pid)
{
    struct timespec pause = {.tv_nsec = 1000000};
    for (int i = 0; i < SETTLE_TRIES && is_starting(pid); i++)
        host_raw(SYS_nanosleep, (uintptr_t)&pause, 0);
}

void other_image(pid_t pid, OtherImage *ret)
{
    char path[32] = "/proc/";
    Text text = {path + strlen(path), path + sizeof path - 1};
    struct stat st;
    Process p;
    *ret = (OtherImage){0};
    text_add_number(&text, (unsigned)pid, 10, 1);
    text_add(&text, "/exe");
    *text.at = 0;
    if (host_raw(SYS_stat, (uintptr_t)path, (uintptr_t)&st) < 0)
        return;
    ret->device = st.st_dev;
    ret->inode = st.st_ino;
    struct iovec local = {&p, sizeof p}, remote = {&process_main, sizeof p};
    long r = tracer_is_native(pid) ? -EPERM : host_raw(SYS_process_vm_readv, pid, (uintptr_t)&local,
                                                       1, (uintptr_t)&remote, 1, 0);
    ret->is_guest = r == -EFAULT || r == sizeof p;
    if (r != sizeof p)
        return;
    ret->arg_start = p.shown ? p.arg_start : 0;
    ret->exe_path = mem_guest(p.exe_path);
    ret->mem = mem_guest(p.mem);
}

static unsigned count_filters(pid_t pid, const Thread *t)
{
    GuestAddr at = mem_guest(t->seccomp);
    unsigned n = 0;
    SeccompFilter f;
    for (; at && n < MAX_FILTERS && tracer_read(pid, at, &f, offsetof(SeccompFilter, code)); n++)
        at = mem_guest(f.previous);
    return n;
}

/* Its vcpu is laid out as ours are. */
static void copy_registers(pid_t pid, const Process *p, const Thread *t, OtherThread *ret)
{
    union { uint8_t bytes[MEM_PAGE]; max_align_t align; } cpu = {{0}};
    const Vcpu *own = thread_self->vcpu;
    GuestAddr at = mem_guest(t->vcpu) +
                   (mem_guest(vcpu_cpu(thread_self->vcpu)) - mem_guest(own));
    struct iovec local = {&cpu, sizeof cpu}, remote = {mem_host(at), sizeof cpu};
    host_raw(SYS_process_vm_readv, pid, (uintptr_t)&local, 1, (uintptr_t)&remote, 1, 0);
    ret->sp = p->abi->get_sp(&cpu);
    ret->pc = p->abi->get_pc(&cpu);
}

bool other_thread(pid_t pid, const Process *p, pid_t tid, OtherThread *ret)
{
    GuestAddr at = mem_guest(p->threads);
    Thread t;
    ThreadSignals s;
    for (unsigned i = 0; at && i < MAX_THREADS; i++, at = mem_guest(t.next)) {
        if (!tracer_read(pid, at, &t, sizeof t))
            return false;
        if (t.tid != tid)
            continue;
        if (!tracer_read(pid, mem_guest(t.signals), &s, sizeof s))
            return false;
        *ret = (OtherThread){
            .mask = s.mask & ~SIGNAL_UNBLOCKABLE, .held = s.held & s.mask,
            .seccomp = !t.seccomp_on ? 0 : t.seccomp_strict ? 1 : 2,
            .filters = count_filters(pid, &t), .syscall_nr = t.syscall_nr,
        };
        memcpy(ret->syscall_args, t.syscall_args, sizeof ret->syscall_args);
        copy_registers(pid, p, &t, ret);
        return true;
    }
    return false;
}

void other_close(OtherProcess *o)
{
    if (o->range_bytes)
        own_pages_unmap(o->mem.ranges, o->range_bytes);
    o->range_bytes = 0;
}
