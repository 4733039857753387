/* data plane */
/*
 * What becomes of a stop of the host's: whether the guest's tracer sees it, and as what.
 */
#include "linux-user/ptrace/tracer.h"

#include <elf.h>
#include <errno.h>
#include <linux/ptrace.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <time.h>
#include <sys/wait.h>

#include "linux-user/arch/text.h"
#include "linux-user/mem/map.h"
#include "linux-user/signal/host-syscall.h"
#include "linux-user/signal/signal.h"
#include "linux-user/syscalls/dispatch.h"

enum { STACK_READ_WORDS = 512, MAX_STACK_WORDS = 1 << 20 };
#define STATUS_STOPPED(code) ((int)((unsigned)(code) << 8 | 0x7f))
#define EVENT_OPTION(event) (1u << (event))

long tracer_host(int op, pid_t tid, uint64_t addr, uint64_t data)
{
    return host_raw(SYS_ptrace, op, tid, addr, data);
}

bool tracer_read(pid_t tid, GuestAddr at, void *to, size_t n)
{
    struct iovec local = {to, n}, remote = {mem_host(at), n};
    return host_raw(SYS_process_vm_readv, tid, (uintptr_t)&local, 1, (uintptr_t)&remote, 1, 0) ==
           (long)n;
}

bool tracer_write(pid_t tid, GuestAddr at, const void *from, size_t n)
{
    struct iovec local = {(void *)(uintptr_t)from, n}, remote = {mem_host(at), n};
    return host_raw(SYS_process_vm_writev, tid, (uintptr_t)&local, 1, (uintptr_t)&remote, 1, 0) ==
           (long)n;
}

Tracer *tracer_get(Process *p)
{
    if (p->tracer)
        return p->tracer;
    Tracer *tr = calloc(1, sizeof *tr);
    if (!tr)
        return NULL;
    pthread_mutex_init(&tr->lock, NULL);
    pthread_mutex_lock(&p->threads_lock);
    if (p->tracer)
        free(tr);
    else
        p->tracer = tr;
    pthread_mutex_unlock(&p->threads_lock);
    atomic_store_explicit(&p->writes_memory, true, memory_order_relaxed);
    return p->tracer;
}

Tracee *tracer_find(Tracer *tr, pid_t tid)
{
    for (Tracee *r = tr->tracees; r; r = r->next)
        if (r->tid == tid)
            return r;
    return NULL;
}

Tracee *tracer_add(Tracer *tr, pid_t tid)
{
    Tracee *r = tracer_find(tr, tid);
    if (r)
        return r;
    r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->tid = tid;
    r->changes_seen = tr->n_changes;
    r->next = tr->tracees;
    tr->tracees = r;
    return r;
}

void tracer_remove(Tracer *tr, pid_t tid)
{
    for (Tracee **link = &tr->tracees; *link; link = &(*link)->next) {
        if ((*link)->tid == tid) {
            Tracee *r = *link;
            *link = r->next;
            free(r);
            return;
        }
    }
}

void tracer_fork_child(Process *p)
{
    p->tracer = NULL; /* another thread may have held its lock */
}

void tracer_memory_written(Thread *t, GuestAddr at, uint64_t n)
{
    Tracer *tr = t->process->tracer;
    if (!tr || !n)
        return;
    pthread_mutex_lock(&tr->lock);
    tr->changes[tr->n_changes++ % TRACER_CHANGES] = (TraceChange){at, n};
    pthread_mutex_unlock(&tr->lock);
}

long tracer_set_host_options(Tracee *r)
{
    /* TRACESYSGOOD is for native programs: an emulator isn't stopped by the kernel at calls. */
    const uint32_t passed = PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
                            PTRACE_O_TRACEVFORKDONE | PTRACE_O_TRACEEXIT | PTRACE_O_EXITKILL |
                            PTRACE_O_TRACESYSGOOD;
    long e = tracer_host(PTRACE_SETOPTIONS, r->tid, 0,
                         (r->options & passed) | PTRACE_O_TRACEEXEC);
    r->host_options_set = e == 0;
    return e;
}

static bool go_on(Tracee *r, int sig)
{
    r->state = TRACEE_RUNNING;
    tracer_host(PTRACE_CONT, r->tid, 0, (uint64_t)sig);
    return false;
}

/* What has been written since r ran, for it to translate anew. */
static bool tell_changes(Tracer *tr, Tracee *r)
{
    TraceChange list[TRACE_CHANGES];
    uint64_t n = tr->n_changes - r->changes_seen;
    uint32_t told = n <= TRACE_CHANGES ? (uint32_t)n : TRACE_CHANGES + 1;
    r->changes_seen = tr->n_changes;
    if (!n)
        return true;
    if (n <= TRACE_CHANGES) {
        for (uint64_t i = 0; i < n; i++)
            list[i] = tr->changes[(tr->n_changes - n + i) % TRACER_CHANGES];
        if (!tracer_write(r->tid, BLOCK_AT(r, changes), list, n * sizeof *list))
            return false;
    }
    return BLOCK_PUT(r, n_changes, told);
}

bool tracer_give_orders(Tracer *tr, Tracee *r, int sig, int resumed)
{
    return BLOCK_PUT(r, mode, r->mode) && BLOCK_PUT(r, deliver, sig) && tell_changes(tr, r) &&
           BLOCK_PUT(r, resumed, resumed);
}

void tracer_roll(Tracee *r, TraceRequest request, int sig)
{
    if (!r->roll)
        host_raw(SYS_tkill, r->tid, SIGTRAP);
    r->roll = (uint8_t)request;
    r->roll_sig = (uint8_t)sig;
}

/* The signal that r is stopped for becomes a request. */
static bool go_on_with_request(Tracee *r, const siginfo_t *info, TraceRequest request, int sig)
{
    siginfo_t s = *info;
    s.si_errno = TRACE_MAGIC | (int)request << 8 | sig;
    s.si_signo = SIGTRAP;
    if (request != TRACE_REQUEST_SIGNAL)
        s.si_code = SI_USER;
    tracer_host(PTRACE_SETSIGINFO, r->tid, 0, (uintptr_t)&s);
    return go_on(r, SIGTRAP);
}

/* ---- a new program ---- */

/* At the first instruction of an emulator like this one, before it has run: marks its auxiliary
 * vector. */
static bool mark_new_emulator(const Tracee *r, const struct user_regs_struct *regs, bool report)
{
    uint64_t entry = getauxval(AT_ENTRY), words[STACK_READ_WORDS];
    GuestAddr at = regs->rsp + 8;
    unsigned nulls = 0;
    size_t n = 0, i = 0;
    if (regs->rip != entry)
        return false;
    /* argc; argv, NULL; envp, NULL; pairs, AT_NULL. */
    for (size_t total = 0; nulls < 2; total++, at += 8, i++) {
        if (i == n) {
            n = STACK_READ_WORDS;
            while (n && !tracer_read(r->tid, at, words, n * 8))
                n /= 2;
            i = 0;
            if (!n || total > MAX_STACK_WORDS)
                return false;
        }
        nulls += words[i] == 0;
    }
    bool same = false;
    GuestAddr base_at = 0;
    for (uint64_t pair[2]; tracer_read(r->tid, at, pair, 16) && pair[0] != AT_NULL; at += 16) {
        same |= pair[0] == AT_ENTRY && pair[1] == entry;
        if (pair[0] == AT_BASE)
            base_at = at + 8;
    }
    return same && base_at &&
           tracer_host(PTRACE_POKEDATA, r->tid, base_at,
                       TRACE_AUXV_MAGIC | (uint64_t)r->mode << 8 | report) == 0;
}

/* ---- stops ---- */

static bool see(Tracee *r, TraceeState state, int code, int *ret_status)
{
    r->state = state;
    r->unsafe = false;
    *ret_status = STATUS_STOPPED(code);
    return true;
}

static bool see_report(Tracer *tr, Tracee *r, const TraceBlock *b, int *ret_status)
{
    bool good = r->options & PTRACE_O_TRACESYSGOOD;
    int code;
    r->native = false;
    switch ((TraceStop)b->stop) {
    case TRACE_STOP_HELLO:
        return tracer_give_orders(tr, r, 0, 1) && go_on(r, 0);
    case TRACE_STOP_SIGNAL:
        code = b->sig;
        break;
    case TRACE_STOP_IN_GROUP:
        code = b->sig | (r->seized ? PTRACE_EVENT_STOP << 8 : 0);
        break;
    case TRACE_STOP_SYSCALL_ENTRY: case TRACE_STOP_SYSCALL_EXIT:
        code = SIGTRAP | (good ? 0x80 : 0);
        break;
    case TRACE_STOP_EXEC:
        code = r->options & PTRACE_O_TRACEEXEC ? SIGTRAP | PTRACE_EVENT_EXEC << 8 : SIGTRAP;
        break;
    case TRACE_STOP_SECCOMP:
        if (!(r->options & PTRACE_O_TRACESECCOMP)) {
            return tracer_give_orders(tr, r, 0, 2) && go_on(r, 0);
        }
        code = SIGTRAP | PTRACE_EVENT_SECCOMP << 8;
        break;
    case TRACE_STOP_INTERRUPT:
        code = SIGTRAP | PTRACE_EVENT_STOP << 8;
        break;
    default:
        return go_on(r, 0);
    }
    return see(r, TRACEE_REPORT, code, ret_status);
}

/* A stop of the whole thread group, or by PTRACE_INTERRUPT: with its registers complete the guest
 * may see it, else it goes on to where it can stop again. */
static bool see_group_stop(Tracee *r, const TraceBlock *b, int status, int *ret_status)
{
    int sig = status >> 8 & 0xff, event = status >> 16;
    if (r->hidden) {
        tracer_host(PTRACE_DETACH, r->tid, 0, 0);
        return false;
    }
    if (r->native)
        return see(r, TRACEE_NATIVE, status >> 8, ret_status);
    if (b->safe) {
        if (sig != SIGTRAP && b->stop == TRACE_STOP_GROUP)
            sig = b->sig;
        if (r->listen && sig != SIGTRAP) {
            r->listen = false;
            see(r, TRACEE_HOST, sig, ret_status);
            tracer_host(PTRACE_LISTEN, r->tid, 0, 0);
            return false;
        }
        return see(r, TRACEE_HOST, sig | event << 8, ret_status);
    }
    if (sig != SIGTRAP) { /* until somebody asks for its registers */
        see(r, TRACEE_HOST, sig | event << 8, ret_status);
        r->unsafe = true;
        return true;
    }
    tracer_roll(r, TRACE_REQUEST_STOP, 0);
    return go_on(r, 0);
}

/* Who is new: a thread of the guest's has the same tracer's options. */
static void note_child(Tracer *tr, Tracee *r, bool hidden)
{
    uint64_t tid = 0;
    if (tracer_host(PTRACE_GETEVENTMSG, r->tid, 0, (uintptr_t)&tid) < 0)
        return;
    bool known = tracer_find(tr, (pid_t)tid);
    Tracee *child = tracer_add(tr, (pid_t)tid);
    if (!child)
        return;
    child->hidden = hidden;
    if (!known || !child->options) {
        child->options = r->options;
        child->seized = r->seized;
        child->tracer = r->tracer;
        child->host_options_set = true;
    }
}

static bool see_event(Tracer *tr, Tracee *r, const TraceBlock *b,
                      const struct user_regs_struct *regs, int status, int *ret_status)
{
    int event = status >> 16;
    bool asked = r->options & EVENT_OPTION(event);
    if (event == PTRACE_EVENT_EXEC) {
        bool report = asked || !r->seized;
        r->block = 0;
        r->roll = 0;
        tracer_host(PTRACE_GETEVENTMSG, r->tid, 0, (uintptr_t)&r->message);
        if (mark_new_emulator(r, regs, report)) {
            r->native = false;
            r->fresh = true;
            return go_on(r, 0);
        }
        r->native = true;
        if (!asked && r->seized)
            return go_on(r, 0);
        return see(r, TRACEE_NATIVE, asked ? status >> 8 : SIGTRAP, ret_status);
    }
    if (event != PTRACE_EVENT_EXIT && event != PTRACE_EVENT_VFORK_DONE) {
        bool hidden = !r->native && !(b->safe && b->stop == TRACE_STOP_HOST);
        note_child(tr, r, hidden);
        if (hidden)
            return go_on(r, 0);
    }
    if (!asked || r->hidden)
        return go_on(r, 0);
    return see(r, r->native ? TRACEE_NATIVE : TRACEE_HOST, status >> 8, ret_status);
}

static bool is_fault(int sig, const siginfo_t *info)
{
    return info->si_code > 0 && (SIGNAL_SYNC_MASK & SIGNAL_BIT(sig));
}

static bool see_signal(Tracer *tr, Tracee *r, TraceBlock *b, const struct user_regs_struct *regs,
                       int sig, const siginfo_t *info, int *ret_status)
{
    if (sig == SIGTRAP && info->si_code == SI_KERNEL && regs->rax == TRACE_STOP_RAX &&
        regs->rip == (uintptr_t)host_trace_stop_behind) {
        r->block = regs->rdi;
        r->fresh = false;
        if (tracer_read(r->tid, r->block, b, TRACE_HEAD_BYTES))
            return see_report(tr, r, b, ret_status);
        return go_on(r, 0);
    }
    if (r->native)
        return see(r, TRACEE_NATIVE, sig, ret_status);
    if (sig == SIGSTOP && info->si_errno == TRACE_MAGIC) {
        r->block = mem_guest(info->si_ptr);
        return go_on(r, sig);
    }
    if (is_fault(sig, info))
        return go_on(r, sig);
    if (sig == SIGTRAP && (info->si_errno & 0x7fff0000) == TRACE_MAGIC)
        return go_on(r, sig);
    if (sig == SIGTRAP && info->si_code == SI_TKILL && r->roll) {
        TraceRequest request = r->roll;
        r->roll = 0;
        return go_on_with_request(r, info, request, r->roll_sig);
    }
    /* After PTRACE_TRACEME, without options, an execve ends so. */
    if (sig == SIGTRAP && info->si_code == SI_USER && mark_new_emulator(r, regs, true)) {
        r->fresh = true;
        return go_on(r, 0);
    }
    /* It may be without handlers yet, and the program's are the default ones. */
    if (r->fresh)
        return go_on(r, sig);
    if (b->safe && b->stop == TRACE_STOP_HOST && sig == b->sig)
        return go_on(r, sig);
    return go_on_with_request(r, info, TRACE_REQUEST_SIGNAL, sig);
}

/* The program that tid runs is another than this emulator. */
bool tracer_is_native(pid_t tid)
{
    char path[32] = "/proc/";
    Text text = {path + strlen(path), path + sizeof path - 1};
    struct stat own, other;
    text_add_number(&text, (unsigned)tid, 10, 1);
    text_add(&text, "/exe");
    *text.at = 0;
    if (host_raw(SYS_stat, (uintptr_t) "/proc/self/exe", (uintptr_t)&own) < 0 ||
        host_raw(SYS_stat, (uintptr_t)path, (uintptr_t)&other) < 0)
        return false; /* no /proc: ours, most likely */
    return own.st_dev != other.st_dev || own.st_ino != other.st_ino;
}

bool tracer_classify(Thread *t, Tracer *tr, Tracee *r, int status, int *ret_status)
{
    struct user_regs_struct regs;
    TraceBlock b; /* its head */
    siginfo_t info;
    int sig = status >> 8 & 0xff, event = status >> 16;
    (void)t;
    pid_t self = (pid_t)host_raw(SYS_gettid);
    if (tracer_host(PTRACE_GETREGS, r->tid, 0, (uintptr_t)&regs) < 0) {
        if (r->tracer == self)
            return go_on(r, 0); /* SIGKILL has ended the stop: its end is what comes next */
        *ret_status = status; /* not ours: stopped by job control, or another thread's */
        return true;
    }
    r->tracer = self;
    if (!r->host_options_set)
        tracer_set_host_options(r);
    memset(&b, 0, sizeof b);
    if (r->block && !tracer_read(r->tid, r->block, &b, TRACE_HEAD_BYTES))
        r->block = 0;
    if (event == PTRACE_EVENT_STOP) {
        r->seized = true;
        return see_group_stop(r, &b, status, ret_status);
    }
    if (event)
        return see_event(tr, r, &b, &regs, status, ret_status);
    long e = tracer_host(PTRACE_GETSIGINFO, r->tid, 0, (uintptr_t)&info);
    if (e < 0)
        return e == -ESRCH ? go_on(r, 0) : see_group_stop(r, &b, status, ret_status);
    if (r->hidden) {
        tracer_host(PTRACE_DETACH, r->tid, 0, sig == SIGSTOP ? 0 : (uint64_t)sig);
        return false;
    }
    return see_signal(tr, r, &b, &regs, sig, &info, ret_status);
}

/* Stops of the others that the guest won't see: nobody else may wait for them, and the one that is
 * waited for may need what they hold. */
bool tracer_serve_others(Thread *t, Tracer *tr, pid_t but)
{
    bool any = false;
    for (Tracee *r = tr->tracees, *next; r; r = next) {
        siginfo_t info;
        next = r->next;
        if (r->tid == but || r->state != TRACEE_RUNNING)
            continue;
        any = true;
        memset(&info, 0, sizeof info);
        long e = host_raw(SYS_waitid, P_PID, r->tid, (uintptr_t)&info,
                          WSTOPPED | WNOWAIT | WNOHANG | __WALL, 0);
        int status = (int)((unsigned)info.si_status << 8 | 0x7f);
        if (e == 0 && info.si_pid && tracer_classify(t, tr, r, status, &status))
            r->state = TRACEE_RUNNING; /* until the guest waits for it or asks */
    }
    return any;
}

long tracer_pause(Thread *t, long result)
{
    const struct timespec ms = {0, 500000};
    if (!t) {
        host_raw(SYS_nanosleep, (uintptr_t)&ms, 0);
        return result;
    }
    long r = host_syscall(t, SYS_nanosleep, (uintptr_t)&ms, 0, 0, 0, 0, 0);
    return r == -EINTR ? -SYSCALL_RESTARTSYS : r;
}

bool tracer_must_poll(Thread *t, pid_t pid)
{
    Tracer *tr = t->process->tracer;
    if (!tr)
        return false;
    pthread_mutex_lock(&tr->lock);
    bool any = tracer_serve_others(t, tr, pid);
    pthread_mutex_unlock(&tr->lock);
    return any;
}

/* A tracee that nobody has told of: a child that asked for it, or whose parent's event is still to
 * come; then it has the options that its siblings have. */
static Tracee *find_or_adopt(Tracer *tr, pid_t pid, int status)
{
    Tracee *r = tracer_find(tr, pid);
    if (r)
        return r;
    r = tracer_add(tr, pid);
    if (!r)
        return NULL;
    const uint32_t inherits = PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE;
    int event = status >> 16;
    for (Tracee *other = r->next; other; other = other->next) {
        if ((other->options & inherits) && (event == PTRACE_EVENT_STOP) == other->seized) {
            r->options = other->options;
            break;
        }
    }
    r->native = event != PTRACE_EVENT_EXEC && tracer_is_native(pid);
    return r;
}

bool tracer_sees(Thread *t, pid_t pid, int *status)
{
    struct user_regs_struct regs;
    /* Most stops that are waited for are job control's. */
    if (!t->process->tracer && tracer_host(PTRACE_GETREGS, pid, 0, (uintptr_t)&regs) < 0)
        return true;
    Tracer *tr = tracer_get(t->process);
    if (!tr)
        return true;
    pthread_mutex_lock(&tr->lock);
    bool seen = true;
    bool stopped = tracer_host(PTRACE_GETREGS, pid, 0, (uintptr_t)&regs) >= 0;
    Tracee *r = stopped ? find_or_adopt(tr, pid, *status) : tracer_find(tr, pid);
    if (r)
        seen = tracer_classify(t, tr, r, *status, status);
    pthread_mutex_unlock(&tr->lock);
    return seen;
}

bool tracer_sees_end(Thread *t, pid_t pid)
{
    Tracer *tr = t->process->tracer;
    bool seen = true;
    if (!tr)
        return true;
    pthread_mutex_lock(&tr->lock);
    Tracee *r = tracer_find(tr, pid);
    if (r) {
        seen = !r->hidden;
        tracer_remove(tr, pid);
    }
    pthread_mutex_unlock(&tr->lock);
    return seen;
}
