#include "linux-user/gdbstub/inferior.h"

#include <elf.h>
#include <linux/ptrace.h>
#include <string.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "linux-user/ptrace/tracer.h"
#include "linux-user/signal/host-syscall.h"
#include "syscall-tables/handlers.h"

static long trace(Inferior *f, int op, pid_t tid, uint64_t addr, uint64_t data)
{
    const uint64_t args[6] = {(uint64_t)op, (uint64_t)tid, addr, data};
    return sys_ptrace(f->t, args);
}

static pid_t wait_any(Inferior *f, int *status, int flags)
{
    const uint64_t args[6] = {UINT64_MAX, (uintptr_t)status, (uint64_t)(flags | __WALL)};
    return (pid_t)sys_wait4(f->t, args);
}

InferiorThread *inferior_thread(Inferior *f, pid_t tid)
{
    for (size_t i = 0; i < f->n_threads; i++)
        if (f->threads[i].tid == tid)
            return &f->threads[i];
    return NULL;
}

static InferiorThread *add_thread(Inferior *f, pid_t tid)
{
    if (f->n_threads == INFERIOR_THREADS)
        return NULL;
    InferiorThread *th = &f->threads[f->n_threads++];
    *th = (InferiorThread){.tid = tid, .action = 'c'};
    return th;
}

static void remove_thread(Inferior *f, pid_t tid)
{
    InferiorThread *th = inferior_thread(f, tid);
    if (th)
        *th = f->threads[--f->n_threads];
}

static pid_t some_stopped(Inferior *f)
{
    for (size_t i = 0; i < f->n_threads; i++)
        if (f->threads[i].stopped)
            return f->threads[i].tid;
    return 0;
}

/* ---- memory ---- */

static bool poke(Inferior *f, pid_t tid, GuestAddr at, const void *from, size_t n)
{
    for (const uint8_t *p = from; n;) {
        GuestAddr word_at = at & ~UINT64_C(7);
        size_t skip = at - word_at, part = 8 - skip < n ? 8 - skip : n;
        uint64_t word;
        if (trace(f, PTRACE_PEEKDATA, tid, word_at, (uintptr_t)&word) < 0)
            return false;
        memcpy((uint8_t *)&word + skip, p, part);
        if (trace(f, PTRACE_POKEDATA, tid, word_at, word) < 0)
            return false;
        at += part;
        p += part;
        n -= part;
    }
    return true;
}

/* Where a breakpoint and [at, at + n) overlap, of either's bytes. */
static bool overlap(const Inferior *f, const InferiorBreakpoint *b, GuestAddr at, size_t n,
                    size_t *ret_in_range, size_t *ret_in_break, size_t *ret_n)
{
    GuestAddr start = b->at > at ? b->at : at, stop = b->at + f->arch->breakpoint_bytes;
    stop = stop < at + n ? stop : at + n;
    if (start >= stop)
        return false;
    *ret_in_range = start - at;
    *ret_in_break = start - b->at;
    *ret_n = stop - start;
    return true;
}

bool inferior_read(Inferior *f, GuestAddr at, void *to, size_t n)
{
    if (!tracer_read(f->pid, at, to, n))
        return false;
    for (size_t i = 0, a, b, k; i < f->n_breakpoints; i++)
        if (overlap(f, &f->breakpoints[i], at, n, &a, &b, &k))
            memcpy((uint8_t *)to + a, f->breakpoints[i].old + b, k);
    return true;
}

bool inferior_write(Inferior *f, GuestAddr at, const void *from, size_t n)
{
    pid_t tid = some_stopped(f);
    if (!tid || !poke(f, tid, at, from, n))
        return false;
    for (size_t i = 0, a, b, k; i < f->n_breakpoints; i++) {
        InferiorBreakpoint *bp = &f->breakpoints[i];
        if (!overlap(f, bp, at, n, &a, &b, &k))
            continue;
        memcpy(bp->old + b, (const uint8_t *)from + a, k);
        poke(f, tid, bp->at, f->arch->breakpoint, f->arch->breakpoint_bytes);
    }
    return true;
}

bool inferior_break(Inferior *f, GuestAddr at)
{
    pid_t tid = some_stopped(f);
    InferiorBreakpoint b = {.at = at};
    for (size_t i = 0; i < f->n_breakpoints; i++)
        if (f->breakpoints[i].at == at)
            return true;
    if (!tid || f->n_breakpoints == INFERIOR_BREAKPOINTS ||
        !tracer_read(f->pid, at, b.old, f->arch->breakpoint_bytes) ||
        !poke(f, tid, at, f->arch->breakpoint, f->arch->breakpoint_bytes))
        return false;
    f->breakpoints[f->n_breakpoints++] = b;
    return true;
}

bool inferior_unbreak(Inferior *f, GuestAddr at)
{
    pid_t tid = some_stopped(f);
    for (size_t i = 0; i < f->n_breakpoints; i++) {
        InferiorBreakpoint b = f->breakpoints[i];
        if (b.at != at)
            continue;
        f->breakpoints[i] = f->breakpoints[--f->n_breakpoints];
        return tid && poke(f, tid, at, b.old, f->arch->breakpoint_bytes);
    }
    return true;
}

/* All of them out of, or into, the memory that tid has. */
static void show_breakpoints(Inferior *f, pid_t tid, bool in)
{
    for (size_t i = 0; i < f->n_breakpoints; i++) {
        const InferiorBreakpoint *b = &f->breakpoints[i];
        poke(f, tid, b->at, in ? f->arch->breakpoint : b->old, f->arch->breakpoint_bytes);
    }
}

/* ---- registers ---- */

static bool regset(Inferior *f, int op, pid_t tid, unsigned type, void *data, size_t *n)
{
    struct iovec iov = {data, *n};
    if (trace(f, op, tid, type, (uintptr_t)&iov) < 0)
        return false;
    *n = iov.iov_len;
    return true;
}

bool inferior_get_registers(Inferior *f, pid_t tid, TargetSets *ret)
{
    ret->general_bytes = ret->float_bytes = TARGET_SET_BYTES;
    size_t mask_bytes = TARGET_MASK_BYTES;
    if (!f->arch->mask_set ||
        !regset(f, PTRACE_GETREGSET, tid, f->arch->mask_set, ret->masks, &mask_bytes))
        memset(ret->masks, 0, sizeof ret->masks);
    return regset(f, PTRACE_GETREGSET, tid, NT_PRSTATUS, ret->general, &ret->general_bytes) &&
           regset(f, PTRACE_GETREGSET, tid, NT_PRFPREG, ret->floats, &ret->float_bytes);
}

bool inferior_set_registers(Inferior *f, pid_t tid, const TargetSets *s)
{
    TargetSets copy = *s;
    return regset(f, PTRACE_SETREGSET, tid, NT_PRSTATUS, copy.general, &copy.general_bytes) &&
           regset(f, PTRACE_SETREGSET, tid, NT_PRFPREG, copy.floats, &copy.float_bytes);
}

bool inferior_get_siginfo(Inferior *f, pid_t tid, siginfo_t *ret)
{
    return trace(f, PTRACE_GETSIGINFO, tid, 0, (uintptr_t)ret) >= 0;
}

/* ---- breakpoints and watchpoints of the hardware ---- */

static void show_debug(Inferior *f, pid_t tid)
{
    for (unsigned i = 0; i < 2; i++) {
        size_t n = sizeof f->debug[i];
        regset(f, PTRACE_SETREGSET, tid, f->arch->debug_sets[i], &f->debug[i], &n);
    }
}

static bool has_debug(const Inferior *f)
{
    bool on = false;
    for (unsigned i = 0; i < DEBUG_SLOTS; i++)
        on |= f->debug[0].slot[i].ctrl || f->debug[1].slot[i].ctrl;
    return on;
}

static uint32_t watch_ctrl(char kind)
{
    static const uint32_t access[] = {0, DEBUG_STORE, DEBUG_LOAD, DEBUG_LOAD | DEBUG_STORE};
    return DEBUG_ON | DEBUG_USER | access[kind - '1'];
}

/* A slot for each aligned eight bytes that [at, at + n) touches, which must be there (in false) or
 * free. False: nothing is changed. */
static bool change_watch(Inferior *f, char kind, GuestAddr at, uint64_t n, bool in)
{
    DebugState s = f->debug[kind != '1'];
    for (GuestAddr end = at + n; at < end;) {
        GuestAddr base = kind == '1' ? at : at & ~UINT64_C(7), next = base + 8;
        uint64_t part = kind == '1' || end < next ? end - at : next - at;
        uint32_t bytes = kind == '1' ? 0xf : ((1u << part) - 1) << (at - base);
        uint32_t ctrl = watch_ctrl(kind) | bytes << DEBUG_BYTES_SHIFT;
        unsigned i = 0;
        while (i < DEBUG_SLOTS &&
               (in ? s.slot[i].ctrl : s.slot[i].ctrl != ctrl || s.slot[i].addr != base))
            i++;
        if (i == DEBUG_SLOTS)
            return false;
        s.slot[i].addr = in ? base : 0;
        s.slot[i].ctrl = in ? ctrl : 0;
        at += part;
    }
    f->debug[kind != '1'] = s;
    for (size_t i = 0; i < f->n_threads; i++)
        if (f->threads[i].stopped)
            show_debug(f, f->threads[i].tid);
    return true;
}

bool inferior_watch(Inferior *f, char kind, GuestAddr at, uint64_t n)
{
    return change_watch(f, kind, at, n, true);
}

bool inferior_unwatch(Inferior *f, char kind, GuestAddr at, uint64_t n)
{
    return change_watch(f, kind, at, n, false);
}

/* Which of them th has stopped at. */
static void find_watch(Inferior *f, InferiorThread *th)
{
    enum { WIDEST = 64 }; /* bytes of one access */
    siginfo_t info;
    th->at_watch = 0;
    if (th->status >> 8 != SIGTRAP || !has_debug(f) || !inferior_get_siginfo(f, th->tid, &info) ||
        info.si_code != TRAP_HWBKPT)
        return;
    GuestAddr at = (uintptr_t)info.si_addr;
    for (unsigned i = 0; i < DEBUG_SLOTS && !th->at_watch; i++)
        if (f->debug[0].slot[i].ctrl && f->debug[0].slot[i].addr == at)
            th->at_watch = '1';
    for (unsigned i = 0; i < DEBUG_SLOTS && !th->at_watch; i++) {
        uint32_t ctrl = f->debug[1].slot[i].ctrl, bytes = ctrl >> DEBUG_BYTES_SHIFT & 0xff;
        if (!bytes)
            continue;
        GuestAddr start = f->debug[1].slot[i].addr + (unsigned)__builtin_ctz(bytes);
        GuestAddr end = start + (unsigned)__builtin_popcount(bytes);
        if (at >= end || at + WIDEST <= start)
            continue;
        th->at_watch = ctrl & DEBUG_LOAD ? ctrl & DEBUG_STORE ? '4' : '3' : '2';
        th->watch_at = at > start ? at : start;
    }
}

/* ---- running and stopping ---- */

static void go_on(Inferior *f, InferiorThread *th)
{
    th->stopped = false;
    trace(f, th->action == 's' ? PTRACE_SINGLESTEP : PTRACE_CONT, th->tid, 0, (uint64_t)th->sig);
    th->sig = 0;
}

/* At a breakpoint of the debugger's, which it may have taken away when it hears of it. */
static bool is_at_breakpoint(Inferior *f, const InferiorThread *th)
{
    TargetSets s;
    GuestAddr pc;
    if (th->status >> 8 != SIGTRAP || !inferior_get_registers(f, th->tid, &s))
        return false;
    memcpy(&pc, s.general + f->arch->pc_at, sizeof pc);
    for (size_t i = 0; i < f->n_breakpoints; i++)
        if (f->breakpoints[i].at == pc)
            return true;
    return false;
}

void inferior_resume(Inferior *f)
{
    bool pending = false;
    for (size_t i = 0; i < f->n_threads; i++)
        pending |= f->threads[i].status && f->threads[i].action;
    for (size_t i = 0; !pending && i < f->n_threads; i++)
        if (f->threads[i].stopped && f->threads[i].action)
            go_on(f, &f->threads[i]);
}

/* A child of fork runs without us, and without breakpoints. */
static void let_child_go(Inferior *f, pid_t tid, bool shares_memory)
{
    if (!shares_memory)
        show_breakpoints(f, tid, false);
    trace(f, PTRACE_DETACH, tid, 0, 0);
}

static bool is_own_thread(const Inferior *f, pid_t tid)
{
    return host_raw(SYS_tgkill, f->pid, tid, 0) == 0;
}

/* One that has no part in it: the debugger hears nothing, and it goes on. */
static void take_event(Inferior *f, InferiorThread *th, int event)
{
    if (event == PTRACE_EVENT_VFORK)
        show_breakpoints(f, th->tid, false);
    else if (event == PTRACE_EVENT_VFORK_DONE)
        show_breakpoints(f, th->tid, true);
    go_on(f, th);
}

static void take_exec(Inferior *f, pid_t tid)
{
    f->n_threads = 0;
    f->n_breakpoints = 0; /* gone with the old memory */
    memset(f->debug, 0, sizeof f->debug);
    InferiorThread *th = add_thread(f, tid);
    th->stopped = true;
    th->status = SIGTRAP << 8 | 0x7f | PTRACE_EVENT_EXEC << 16;
}

/* stopping: threads that come to PTRACE_EVENT_STOP stay there. */
static void take_stop(Inferior *f, pid_t tid, int status, bool stopping)
{
    int event = status >> 16, sig = status >> 8 & 0xff;
    InferiorThread *th = inferior_thread(f, tid);
    if (!th && event == PTRACE_EVENT_STOP && !is_own_thread(f, tid)) {
        let_child_go(f, tid, f->vfork_child);
        f->vfork_child = false;
        return;
    }
    bool is_new = !th;
    if (is_new && !(th = add_thread(f, tid)))
        return;
    th->stopped = true;
    if (is_new && has_debug(f))
        show_debug(f, tid);
    if (event == PTRACE_EVENT_EXEC) {
        take_exec(f, tid);
    } else if (event == PTRACE_EVENT_STOP && sig != SIGTRAP) {
        trace(f, PTRACE_LISTEN, tid, 0, 0); /* job control */
    } else if (event == PTRACE_EVENT_STOP) {
        if (!stopping)
            go_on(f, th);
    } else if (event) {
        f->vfork_child |= event == PTRACE_EVENT_VFORK;
        take_event(f, th, event);
    } else {
        th->status = status;
        th->at_breakpoint = is_at_breakpoint(f, th);
        find_watch(f, th);
    }
}

static void take(Inferior *f, pid_t tid, int status, bool stopping)
{
    if (WIFSTOPPED(status)) {
        take_stop(f, tid, status, stopping);
        return;
    }
    remove_thread(f, tid);
    if (tid == f->pid) {
        f->ended = true;
        f->end = status;
    }
}

bool inferior_poll(Inferior *f, InferiorThread **ret_thread)
{
    int status;
    pid_t tid;
    while (!f->ended && (tid = wait_any(f, &status, WNOHANG)) > 0)
        take(f, tid, status, false);
    *ret_thread = NULL;
    if (f->ended)
        return true;
    for (size_t i = 0; i < f->n_threads && !*ret_thread; i++)
        if (f->threads[i].status && f->threads[i].action)
            *ret_thread = &f->threads[i];
    return *ret_thread != NULL;
}

void inferior_stop_all(Inferior *f)
{
    for (size_t i = 0; i < f->n_threads; i++)
        if (!f->threads[i].stopped)
            trace(f, PTRACE_INTERRUPT, f->threads[i].tid, 0, 0);
    for (;;) {
        size_t running = 0;
        int status;
        for (size_t i = 0; i < f->n_threads; i++)
            running += !f->threads[i].stopped;
        pid_t tid = f->ended || !running ? 0 : wait_any(f, &status, 0);
        if (tid <= 0)
            return;
        take(f, tid, status, true);
    }
}

void inferior_detach(Inferior *f)
{
    pid_t tid = some_stopped(f);
    if (tid)
        show_breakpoints(f, tid, false);
    f->n_breakpoints = 0;
    memset(f->debug, 0, sizeof f->debug);
    for (size_t i = 0; i < f->n_threads; i++)
        trace(f, PTRACE_DETACH, f->threads[i].tid, 0, 0);
    f->n_threads = 0;
}

void inferior_kill(Inferior *f)
{
    int status;
    pid_t tid;
    host_raw(SYS_kill, f->pid, SIGKILL);
    while (!f->ended && (tid = wait_any(f, &status, 0)) > 0)
        take(f, tid, status, true);
}

bool inferior_begin(Inferior *f, Process *p, pid_t pid)
{
    const uint32_t options = PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
                             PTRACE_O_TRACEVFORKDONE | PTRACE_O_TRACEEXEC;
    Tracer *tr = tracer_get(p);
    /* The child isn't at its program yet, and can't be told: it knows. */
    if (!tr || tracer_host(PTRACE_SEIZE, pid, 0, options | PTRACE_O_EXITKILL) < 0)
        return false;
    Tracee *r = tracer_add(tr, pid);
    if (!r)
        return false;
    r->options = options | PTRACE_O_EXITKILL;
    r->seized = r->host_options_set = true;
    f->pid = pid;
    add_thread(f, pid);
    return true;
}

bool inferior_wait_start(Inferior *f)
{
    int status;
    pid_t tid;
    while ((tid = wait_any(f, &status, 0)) > 0) {
        take(f, tid, status, true);
        InferiorThread *th = inferior_thread(f, f->pid);
        if (f->ended || !th)
            return false;
        if (th->stopped && th->status)
            return true;
    }
    return false;
}
