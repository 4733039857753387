/* data plane */
#include "linux-user/procfs/status.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "linux-user/mem/map.h"
#include "linux-user/procfs/other.h"
#include "linux-user/signal/host-syscall.h"
#include "linux-user/signal/signal.h"

#define STACK_SHOWS (UINT64_C(132) << 10) /* what the kernel maps of a stack at first */

uint64_t procfs_mapped_bytes(Process *p)
{
    MemMap *m = p->mem;
    mem_lock(m);
    uint64_t n = m->bytes + mem_page_up(m, STACK_SHOWS);
    mem_unlock(m);
    return n;
}

static uint64_t data_bytes(Process *p)
{
    MemMap *m = p->mem;
    mem_lock(m);
    uint64_t n = m->data_bytes;
    mem_unlock(m);
    return n;
}

void procfs_signal_sets(Process *p, uint64_t host, uint64_t *ret_ignored, uint64_t *ret_caught)
{
    SignalState *s = p->signals;
    *ret_ignored = host & ~SIGNAL_SYNC_MASK;
    *ret_caught = 0;
    pthread_mutex_lock(&s->lock);
    for (int sig = 1; sig <= SIGNAL_N; sig++) {
        uint64_t handler = s->actions[sig].handler;
        if (handler > 1)
            *ret_caught |= SIGNAL_BIT(sig);
        else if (handler == 1)
            *ret_ignored |= SIGNAL_BIT(sig);
    }
    pthread_mutex_unlock(&s->lock);
}

static uint64_t parse_set(const char *s)
{
    uint64_t v = 0;
    for (;; s++) {
        if (*s >= '0' && *s <= '9')
            v = v << 4 | (uint64_t)(*s - '0');
        else if (*s >= 'a' && *s <= 'f')
            v = v << 4 | (uint64_t)(*s - 'a' + 10);
        else
            return v;
    }
}

typedef struct Status {
    Process *p;
    uint64_t ignored, caught;
    OtherThread thread;
} Status;

static void write_padded(ProcOutput *o, uint64_t v, unsigned width)
{
    uint64_t rest = v;
    unsigned digits = 1;
    while (rest /= 10)
        digits++;
    for (; digits < width; digits++)
        output_text(o, " ");
    output_number(o, v, 10, 1);
}

/* The line's value put right; false: it is as the host has it. `value` is behind "NAME:\t". */
static bool write_value(ProcOutput *o, const Status *s, const char *name, size_t n,
                        const char *value)
{
#define IS(text) (n == sizeof text - 1 && !memcmp(name, text, n))
    if (IS("VmPeak") || IS("VmSize") || IS("VmData") || IS("VmExe")) {
        uint64_t bytes = IS("VmData")  ? data_bytes(s->p)
                         : IS("VmExe") ? s->p->code_end - s->p->code_start
                                       : procfs_mapped_bytes(s->p);
        write_padded(o, bytes >> 10, 8);
        output_text(o, " kB\n");
        return true;
    }
    if (IS("Seccomp") || IS("Seccomp_filters")) {
        if (!s->thread.seccomp)
            return false;
        output_number(o, IS("Seccomp") ? (unsigned)s->thread.seccomp : s->thread.filters, 10, 1);
        output_text(o, "\n");
        return true;
    }
    uint64_t set = IS("SigBlk")   ? s->thread.mask
                   : IS("SigIgn") ? s->ignored
                   : IS("SigCgt") ? s->caught
                   : IS("SigPnd") ? parse_set(value) | s->thread.held
                                  : 0;
    if (n != 6 || memcmp(name, "Sig", 3))
        return false;
#undef IS
    output_number(o, set, 16, 16);
    output_text(o, "\n");
    return true;
}

/* Lines about the host's processor. */
static bool is_of_the_hosts(const char *line, size_t n)
{
    return (n >= 4 && !memcmp(line, "x86_", 4)) || (n >= 11 && !memcmp(line, "untag_mask:", 11));
}

static const char *find_line(const char *text, const char *name)
{
    const char *at = strstr(text, name);
    return at ? at + strlen(name) : "";
}

static bool find_thread(Process *p, pid_t pid, pid_t tid, OtherThread *ret)
{
    if (pid)
        return other_thread(pid, p, tid, ret);
    pthread_mutex_lock(&p->threads_lock);
    bool found = other_thread((pid_t)host_raw(SYS_getpid), p, tid, ret);
    pthread_mutex_unlock(&p->threads_lock);
    return found;
}

void procfs_write_status(Process *p, ProcOutput *o, const char *host_path, pid_t pid, pid_t tid)
{
    size_t n, map_bytes;
    char *text = host_file_read(host_path, &n, &map_bytes);
    Status s = {.p = p};
    if (!text) {
        o->error = -ENOENT;
        return;
    }
    const char *stop = text + n;
    find_thread(p, pid, tid, &s.thread);
    procfs_signal_sets(p, parse_set(find_line(text, "\nSigIgn:\t")), &s.ignored, &s.caught);
    for (const char *at = text; at < stop;) {
        const char *end = memchr(at, '\n', (size_t)(stop - at));
        const char *colon = memchr(at, ':', (size_t)(stop - at));
        end = end ? end + 1 : stop;
        size_t head = colon && colon + 2 < end ? (size_t)(colon + 2 - at) : 0;
        if (!is_of_the_hosts(at, (size_t)(end - at))) {
            output_bytes(o, at, head);
            if (!head || !write_value(o, &s, at, (size_t)(colon - at), at + head))
                output_bytes(o, at + head, (size_t)(end - at) - head);
        }
        at = end;
    }
    host_file_free(text, map_bytes);
}

/* fs/proc/base.c, proc_pid_syscall(): "running", or the number (-1: in none), arguments unless it
 * is in none, stack pointer and pc. Who asks about itself is in the call that opens the file. */
void procfs_write_syscall(Process *p, ProcOutput *o, const char *host_path, pid_t pid, pid_t tid)
{
    size_t n, map_bytes;
    char *text = host_file_read(host_path, &n, &map_bytes);
    OtherThread t;
    if (!text) {
        o->error = -ENOENT;
        return;
    }
    if (!strncmp(text, "running", 7) || !find_thread(p, pid, tid, &t)) {
        output_text(o, "running\n");
    } else {
        output_text(o, t.syscall_nr < 0 ? "-1" : "");
        if (t.syscall_nr >= 0)
            output_number(o, (unsigned)t.syscall_nr, 10, 1);
        for (int i = 0; t.syscall_nr >= 0 && i < 6; i++) {
            output_text(o, " 0x");
            output_number(o, t.syscall_args[i], 16, 1);
        }
        output_text(o, " 0x");
        output_number(o, t.sp, 16, 1);
        output_text(o, " 0x");
        output_number(o, t.pc, 16, 1);
        output_text(o, "\n");
    }
    host_file_free(text, map_bytes);
}

void procfs_write_statm(Process *p, ProcOutput *o, const char *host_path)
{
    size_t n, map_bytes;
    char *text = host_file_read(host_path, &n, &map_bytes);
    if (!text) {
        o->error = -ENOENT;
        return;
    }
    /* size resident shared text lib data dt */
    const char *stop = text + n;
    unsigned field = 0;
    for (const char *at = text; at < stop; field++) {
        const char *end = at;
        while (end < stop && *end != ' ' && *end != '\n')
            end++;
        uint64_t value = field == 0   ? procfs_mapped_bytes(p)
                         : field == 3 ? mem_page_up(p->mem, p->code_end - p->code_start)
                         : field == 5 ? data_bytes(p)
                                      : strtoull(at, NULL, 10) * MEM_PAGE;
        output_number(o, value / p->mem->page, 10, 1);
        output_bytes(o, end, end < stop);
        at = end + 1;
    }
    host_file_free(text, map_bytes);
}

/* One value of a column that is 20 wide, and a blank behind. */
static void write_limit(ProcOutput *o, uint64_t v)
{
    unsigned n = 9;
    if (v == RLIM_INFINITY) {
        output_text(o, "unlimited");
    } else {
        uint64_t rest = v;
        for (n = 1; rest /= 10;)
            n++;
        output_number(o, v, 10, 1);
    }
    for (; n < 21; n++)
        output_text(o, " ");
}

void procfs_write_limits(Process *p, ProcOutput *o, const char *host_path)
{
    static const char *const names[] = {"Max address space ", "Max data size "};
    size_t n, map_bytes;
    char *text = host_file_read(host_path, &n, &map_bytes);
    if (!text) {
        o->error = -ENOENT;
        return;
    }
    const char *stop = text + n;
    for (const char *at = text; at < stop;) {
        const char *end = memchr(at, '\n', (size_t)(stop - at));
        int which = -1;
        end = end ? end + 1 : stop;
        for (int i = 0; i < 2; i++)
            if (!strncmp(at, names[i], strlen(names[i])) && end - at > 68)
                which = i;
        if (which >= 0) {
            pthread_mutex_lock(&p->limits_lock);
            uint64_t cur = p->limits[which].cur, max = p->limits[which].max;
            pthread_mutex_unlock(&p->limits_lock);
            output_bytes(o, at, 26); /* fs/proc/base.c: "%-25s %-20s %-20s %-10s" */
            write_limit(o, cur);
            write_limit(o, max);
            output_bytes(o, at + 68, (size_t)(end - at) - 68);
        } else {
            output_bytes(o, at, (size_t)(end - at));
        }
        at = end;
    }
    host_file_free(text, map_bytes);
}
