/* data plane */
/*
 * The guest's limits of memory. See map.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "linux-user/arch/text.h"
#include "linux-user/mem/map.h"
#include "linux-user/signal/host-syscall.h"

/* What a stack that nobody has grown deep counts for: the kernel maps 132 KiB at first. */
#define STACK_COUNTS (UINT64_C(132) << 10)
#define STACK_RESERVE (UINT64_C(1) << 30) /* the most that RLIMIT_STACK can give the first stack */
#define STACK_LEAST (UINT64_C(256) << 10) /* room for the arguments, whatever the limit says */
#define STACK_GUARD (UINT64_C(1) << 20)   /* as the kernel's stack_guard_gap */

static const int resources[2] = {RLIMIT_AS, RLIMIT_DATA};

void mem_limits_start(Process *p)
{
    for (unsigned i = 0; i < 2; i++) {
        struct rlimit host = {RLIM_INFINITY, RLIM_INFINITY}, raised;
        host_raw(SYS_prlimit64, 0, resources[i], 0, (uintptr_t)&host);
        p->limits[i].cur = host.rlim_cur;
        p->limits[i].max = host.rlim_max;
        /* As far as may be: a hard limit needs CAP_SYS_RESOURCE. */
        raised = (struct rlimit){RLIM_INFINITY, RLIM_INFINITY};
        if (host.rlim_cur == RLIM_INFINITY ||
            host_raw(SYS_prlimit64, 0, resources[i], (uintptr_t)&raised, 0) == 0)
            continue;
        raised = (struct rlimit){host.rlim_max, host.rlim_max};
        host_raw(SYS_prlimit64, 0, resources[i], (uintptr_t)&raised, 0);
    }
}

void mem_limits_exec(Process *p, bool failed)
{
    for (unsigned i = 0; i < 2; i++) {
        struct rlimit host;
        if (host_raw(SYS_prlimit64, 0, resources[i], 0, (uintptr_t)&host) < 0)
            continue;
        /* The hard limit stays, or a failed execve couldn't give back the soft one. */
        rlim_t cur = failed || p->limits[i].cur > host.rlim_max ? host.rlim_max : p->limits[i].cur;
        if (cur == host.rlim_cur)
            continue;
        host.rlim_cur = cur;
        host_raw(SYS_prlimit64, 0, resources[i], (uintptr_t)&host, 0);
    }
}

static const char variable[] = "CALQUE_LIMITS=";

bool mem_limits_pass(Process *p, char text[MEM_LIMITS_TEXT])
{
    bool lower = false;
    Text x = {text, text + MEM_LIMITS_TEXT - 1};
    text_add(&x, variable);
    for (unsigned i = 0; i < 2; i++) {
        struct rlimit host = {RLIM_INFINITY, RLIM_INFINITY};
        host_raw(SYS_prlimit64, 0, resources[i], 0, (uintptr_t)&host);
        pthread_mutex_lock(&p->limits_lock);
        uint64_t max = p->limits[i].max;
        pthread_mutex_unlock(&p->limits_lock);
        lower |= max < host.rlim_max;
        text_add_number(&x, max, 16, 1);
        text_add(&x, i ? "" : ",");
    }
    *x.at = 0;
    return lower;
}

void mem_limits_take(Process *p, char **envp)
{
    char **to = envp, *end;
    for (char **e = envp; *e; e++) {
        if (strncmp(*e, variable, sizeof variable - 1)) {
            *to++ = *e;
            continue;
        }
        /* It can but lower them: whoever else has set the variable. */
        end = *e + sizeof variable - 2;
        for (unsigned i = 0; i < 2 && *end; i++) {
            uint64_t max = strtoull(end + 1, &end, 16);
            if (max < p->limits[i].max)
                p->limits[i].max = max;
            if (max < p->limits[i].cur)
                p->limits[i].cur = max;
        }
    }
    *to = NULL;
}

bool mem_limits_allow(Process *p, uint64_t more, bool data)
{
    pthread_mutex_lock(&p->limits_lock);
    uint64_t all = p->limits[0].cur, written = p->limits[1].cur;
    pthread_mutex_unlock(&p->limits_lock);
    if (all == RLIM_INFINITY && written == RLIM_INFINITY)
        return true;
    MemMap *m = p->mem;
    mem_lock(m);
    uint64_t bytes = m->bytes + STACK_COUNTS, data_bytes = m->data_bytes;
    mem_unlock(m);
    if (bytes + more > all || bytes + more < more)
        return false;
    return !data || data_bytes + more <= written;
}

/* ---- the first stack ---- */

static uint64_t stack_bytes(uint64_t limit, uint64_t page)
{
    uint64_t bytes = limit > STACK_RESERVE ? STACK_RESERVE : limit;
    return (bytes < STACK_LEAST ? STACK_LEAST : bytes) & -page;
}

static long map_stack(MemMap *m, uint64_t bytes)
{
    long at = mem_places(m) ? mem_place(m, 0, bytes, m->page) : 0;
    if (at < 0)
        return at;
    return host_raw(SYS_mmap, at, bytes, PROT_NONE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK | (at ? MAP_FIXED : 0),
                    -1, 0);
}

bool mem_stack_reserve(Process *p, uint64_t bytes, int prot, GuestAddr *ret_top)
{
    MemMap *m = p->mem;
    const uint64_t all = STACK_RESERVE + STACK_GUARD;
    long r = map_stack(m, all);
    if (r < 0 && r >= -4095) {
        /* Little address space: only what is asked for, then. */
        bytes = stack_bytes(bytes, m->page);
        r = map_stack(m, bytes + STACK_GUARD);
        if (r < 0 && r >= -4095)
            return false;
        m->stack_floor = (GuestAddr)r + STACK_GUARD;
        m->stack_top = m->stack_floor + bytes;
    } else {
        m->stack_floor = (GuestAddr)r + STACK_GUARD;
        m->stack_top = (GuestAddr)r + all;
    }
    m->stack_start = m->stack_top - stack_bytes(bytes, m->page);
    if (m->stack_start < m->stack_floor)
        m->stack_start = m->stack_floor;
    uint64_t n = m->stack_top - m->stack_start;
    if (host_raw(SYS_mprotect, m->stack_start, n, mem_host_prot(prot)) < 0)
        return false;
    mem_note_mapped(m, m->stack_start, n, prot, MEM_STACK, false);
    *ret_top = m->stack_top;
    return true;
}

/* The lowest page of the stack that has been touched; by mincore() when it isn't there, too. */
static GuestAddr stack_used(const MemMap *m)
{
    enum { STEP = 64 };
    unsigned char there[STEP];
    const uint64_t piece = (uint64_t)STEP * MEM_PAGE;
    for (GuestAddr at = m->stack_start; at < m->stack_top; at += piece) {
        uint64_t n = m->stack_top - at < piece ? m->stack_top - at : piece;
        if (host_raw(SYS_mincore, at, n, (uintptr_t)there) < 0)
            return m->stack_start;
        for (uint64_t i = 0; i < n / MEM_PAGE; i++)
            if (there[i] & 1)
                return at + i * MEM_PAGE;
    }
    return m->stack_top;
}

/* The limit decides how far the stack may grow; what it has grown to stays. */
void mem_stack_limit(Process *p, uint64_t limit)
{
    MemMap *m = p->mem;
    mem_change_begin(m);
    GuestAddr start = m->stack_top - stack_bytes(limit, m->page);
    MemRange r;
    if (start < m->stack_floor)
        start = m->stack_floor;
    if (start > m->stack_start) {
        GuestAddr used = mem_page_down(m, stack_used(m));
        if (used < start)
            start = used;
    }
    /* Unless the program has done something to the stack's lower part by itself. */
    bool whole = mem_find(m, m->stack_start, &r) && r.start == m->stack_start &&
                 r.kind == MEM_STACK;
    if (whole && start < m->stack_start &&
        host_raw(SYS_mprotect, start, m->stack_start - start, mem_host_prot(r.prot)) == 0) {
        mem_note_mapped(m, start, m->stack_start - start, r.prot, MEM_STACK, false);
        m->stack_start = start;
    } else if (whole && start > m->stack_start && start <= r.end) {
        mem_note_unmapped(p, m->stack_start, start - m->stack_start);
        host_raw(SYS_mprotect, m->stack_start, start - m->stack_start, PROT_NONE);
        m->stack_start = start;
    }
    mem_change_end(m);
}
