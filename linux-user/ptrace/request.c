/* data plane */
/*
 * The ptrace call: requests of the guest's tracer, answered from the tracee's block.
 */
#include <elf.h>
#include <errno.h>
#include <linux/ptrace.h>
#include <string.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "linux-user/mem/map.h"
#include "linux-user/ptrace/tracer.h"
#include "linux-user/seccomp/user-dispatch.h"
#include "linux-user/signal/host-syscall.h"
#include "linux-user/signal/signal.h"
#include "syscall-tables/handlers.h"

#ifndef PTRACE_SET_SYSCALL_INFO
#define PTRACE_SET_SYSCALL_INFO 0x4212
#endif
enum {
    REQUEST_SYSEMU = 31, REQUEST_SYSEMU_SINGLESTEP = 32,
    REQUEST_SET_DISPATCH = 0x4210, REQUEST_GET_DISPATCH = 0x4211, /* newer than some headers */
};
typedef struct Request {
    Thread *t;
    Tracer *tr;
    Tracee *r;
    int op;
    GuestAddr addr, data;
    TraceBlock b; /* its head */
} Request;

/* ---- letting go ---- */

static int mode_of(int op)
{
    switch (op) {
    case PTRACE_SYSCALL: return TRACE_MODE_SYSCALL;
    case PTRACE_SINGLESTEP: return TRACE_MODE_STEP;
    case REQUEST_SYSEMU: return TRACE_MODE_SYSEMU;
    case REQUEST_SYSEMU_SINGLESTEP: return TRACE_MODE_SYSEMU_STEP;
    default: return TRACE_MODE_CONT;
    }
}

/* A signal other than the one that it stopped for comes from the tracer. */
static bool change_signal(Request *q, int sig)
{
    siginfo_t info;
    if (q->b.stop != TRACE_STOP_SIGNAL || !sig || sig == q->b.info.si_signo)
        return true;
    memset(&info, 0, sizeof info);
    info.si_signo = sig;
    info.si_code = SI_USER;
    info.si_pid = (pid_t)host_raw(SYS_getpid);
    info.si_uid = (uid_t)host_raw(SYS_getuid);
    return tracer_write(q->r->tid, BLOCK_AT(q->r, info), &info, sizeof info);
}

static long let_go(Request *q)
{
    Tracee *r = q->r;
    bool detach = q->op == PTRACE_DETACH;
    int sig = (int)q->data;
    if (q->data > SIGNAL_N)
        return -EIO;
    if (r->state == TRACEE_NATIVE) {
        long e = tracer_host(q->op, r->tid, q->addr, q->data);
        if (e == 0)
            r->state = TRACEE_RUNNING;
        if (e == 0 && detach)
            tracer_remove(q->tr, r->tid);
        return e;
    }
    bool step = q->op == PTRACE_SINGLESTEP || q->op == REQUEST_SYSEMU_SINGLESTEP;
    if (step && !q->b.can_step)
        return -EIO;
    r->mode = (uint32_t)mode_of(q->op);
    bool report = r->state == TRACEE_REPORT;
    if (report && !change_signal(q, sig))
        return -ESRCH;
    if (r->block && !r->unsafe && !tracer_give_orders(q->tr, r, sig, 1))
        return -ESRCH;
    if (r->block && detach)
        BLOCK_PUT(r, active, 0);
    else if (r->unsafe || !r->block)
        tracer_roll(r, TRACE_REQUEST_HELLO, 0);
    r->state = TRACEE_RUNNING;
    long e = tracer_host(detach ? PTRACE_DETACH : PTRACE_CONT, r->tid, 0,
                         report ? 0 : (uint64_t)sig);
    if (e == 0 && detach)
        tracer_remove(q->tr, r->tid);
    return e;
}

/* ---- registers ---- */

/* PTRACE_GETREGSET, PTRACE_SETREGSET: addr is the type, data a struct iovec. */
static long regset(Request *q)
{
    struct iovec iov;
    Tracee *r = q->r;
    uint8_t buf[TRACE_DATA_BYTES];
    if (!mem_get(&iov, q->data))
        return -EFAULT;
    for (uint32_t i = 0; i < q->b.n_sets && i < TRACE_SETS; i++) {
        const TraceSet *s = &q->b.sets[i];
        if (s->type != q->addr)
            continue;
        if (iov.iov_len % s->word)
            return -EINVAL;
        size_t n = iov.iov_len < s->bytes ? iov.iov_len : s->bytes;
        GuestAddr at = BLOCK_AT(r, data) + s->offset, base = mem_guest(iov.iov_base);
        if (q->op == PTRACE_GETREGSET) {
            if (!tracer_read(r->tid, at, buf, n))
                return -ESRCH;
            if (!mem_write(base, buf, n))
                return -EFAULT;
        } else {
            const uint8_t dirty = 1;
            if (!s->writable)
                return -EINVAL;
            if (!mem_read(buf, base, n))
                return -EFAULT;
            if (!tracer_write(r->tid, at, buf, n) ||
                !tracer_write(r->tid, BLOCK_AT(r, sets) + i * sizeof *s +
                              offsetof(TraceSet, dirty), &dirty, 1))
                return -ESRCH;
        }
        iov.iov_len = n;
        return mem_put(q->data, iov) ? 0 : -EFAULT;
    }
    return -EINVAL;
}

static long syscall_info(Request *q)
{
    struct ptrace_syscall_info info;
    memset(&info, 0, sizeof info);
    const TraceBlock *b = &q->b;
    size_t n = offsetof(struct ptrace_syscall_info, entry);
    bool report = q->r->state == TRACEE_REPORT;
    info.op = PTRACE_SYSCALL_INFO_NONE;
    info.arch = b->audit_arch;
    info.instruction_pointer = b->pc;
    info.stack_pointer = b->sp;
    if (report && b->stop == TRACE_STOP_SYSCALL_ENTRY) {
        info.op = PTRACE_SYSCALL_INFO_ENTRY;
        info.entry.nr = b->nr;
        memcpy(info.entry.args, b->args, sizeof info.entry.args);
        n = offsetof(struct ptrace_syscall_info, entry) + sizeof info.entry;
    } else if (report && b->stop == TRACE_STOP_SYSCALL_EXIT) {
        info.op = PTRACE_SYSCALL_INFO_EXIT;
        info.exit.rval = b->result;
        info.exit.is_error = b->result < 0 && b->result >= -4095;
        n = offsetof(struct ptrace_syscall_info, exit.is_error) + 1;
    } else if (report && b->stop == TRACE_STOP_SECCOMP) {
        info.op = PTRACE_SYSCALL_INFO_SECCOMP;
        info.seccomp.nr = b->nr;
        memcpy(info.seccomp.args, b->args, sizeof info.seccomp.args);
        info.seccomp.ret_data = (uint32_t)b->message;
        n = offsetof(struct ptrace_syscall_info, seccomp.ret_data) + 4;
    }
    return mem_write(q->data, &info, q->addr < n ? q->addr : n) ? (long)n : -EFAULT;
}

/* ---- the rest ---- */

static long get_siginfo(Request *q)
{
    siginfo_t info;
    const TraceBlock *b = &q->b;
    if (q->r->state == TRACEE_HOST) {
        long e = tracer_host(q->op, q->r->tid, 0, (uintptr_t)&info);
        return e < 0 ? e : mem_put(q->data, info) ? 0 : -EFAULT;
    }
    if (b->stop == TRACE_STOP_SIGNAL)
        return mem_put(q->data, b->info) ? 0 : -EFAULT;
    /* kernel/signal.c, ptrace_do_notify. */
    memset(&info, 0, sizeof info);
    info.si_signo = SIGTRAP;
    info.si_pid = q->r->tid;
    info.si_uid = (uid_t)host_raw(SYS_getuid);
    switch ((TraceStop)b->stop) {
    case TRACE_STOP_INTERRUPT:
        info.si_code = SIGTRAP | PTRACE_EVENT_STOP << 8;
        break;
    case TRACE_STOP_SECCOMP:
        info.si_code = SIGTRAP | PTRACE_EVENT_SECCOMP << 8;
        break;
    case TRACE_STOP_EXEC:
        info.si_code = q->r->options & PTRACE_O_TRACEEXEC ? SIGTRAP | PTRACE_EVENT_EXEC << 8
                                                          : SI_USER;
        break;
    default:
        info.si_code = SIGTRAP | (q->r->options & PTRACE_O_TRACESYSGOOD ? 0x80 : 0);
    }
    return mem_put(q->data, info) ? 0 : -EFAULT;
}

static long set_siginfo(Request *q)
{
    siginfo_t info;
    if (!mem_get(&info, q->data))
        return -EFAULT;
    if (q->r->state == TRACEE_HOST)
        return tracer_host(q->op, q->r->tid, 0, (uintptr_t)&info);
    return tracer_write(q->r->tid, BLOCK_AT(q->r, info), &info, sizeof info) ? 0 : -ESRCH;
}

static long event_message(Request *q)
{
    uint64_t message;
    if (q->r->state == TRACEE_HOST) {
        long e = tracer_host(q->op, q->r->tid, 0, (uintptr_t)&message);
        return e < 0 ? e : mem_put(q->data, message) ? 0 : -EFAULT;
    }
    switch ((TraceStop)q->b.stop) {
    case TRACE_STOP_EXEC: message = q->r->message; break;
    case TRACE_STOP_SECCOMP: message = q->b.message; break;
    case TRACE_STOP_SYSCALL_ENTRY: message = 1; break; /* PTRACE_EVENTMSG_SYSCALL_ENTRY */
    case TRACE_STOP_SYSCALL_EXIT: message = 2; break;
    default: message = 0;
    }
    return mem_put(q->data, message) ? 0 : -EFAULT;
}

static long signal_mask(Request *q)
{
    uint64_t mask;
    if (q->addr != sizeof mask)
        return -EINVAL;
    if (q->op == PTRACE_GETSIGMASK)
        return mem_put(q->data, q->b.mask) ? 0 : -EFAULT;
    if (!mem_get(&mask, q->data))
        return -EFAULT;
    return tracer_write(q->r->tid, BLOCK_AT(q->r, mask), &mask, sizeof mask) &&
                   BLOCK_PUT(q->r, mask_dirty, 1)
               ? 0
               : -ESRCH;
}

/* kernel/entry/syscall_user_dispatch.c */
static long dispatch_config(Request *q)
{
    TraceDispatch d;
    UserDispatch unused;
    if (q->addr != sizeof d)
        return -EINVAL;
    if (q->op == REQUEST_GET_DISPATCH)
        return mem_put(q->data, q->b.dispatch) ? 0 : -EFAULT;
    if (!mem_get(&d, q->data))
        return -EFAULT;
    long e = user_dispatch_make(q->t, d.mode, d.offset, d.len, d.selector, &unused);
    if (e < 0)
        return e;
    return tracer_write(q->r->tid, BLOCK_AT(q->r, dispatch), &d, sizeof d) &&
                   BLOCK_PUT(q->r, dispatch_dirty, 1)
               ? 0
               : -ESRCH;
}

static long set_options(Request *q)
{
    /* PTRACE_O_SUSPEND_SECCOMP is for checkpoints only. */
    const uint64_t known = 0xff | PTRACE_O_EXITKILL;
    if (q->data & ~known)
        return -EINVAL;
    q->r->options = (uint32_t)q->data;
    return tracer_set_host_options(q->r);
}

static long poke(Request *q)
{
    long e = tracer_host(q->op, q->r->tid, q->addr, q->data);
    if (e == 0) /* the lock is held */
        q->tr->changes[q->tr->n_changes++ % TRACER_CHANGES] = (TraceChange){q->addr, 8};
    return e;
}

/* A tracee in a group stop, anywhere in the emulator, moves to where its registers are complete. */
static bool make_safe(Request *q)
{
    Tracee *r = q->r;
    siginfo_t info;
    int status = 0, sig = 0;
    if (tracer_host(PTRACE_GETSIGINFO, r->tid, 0, (uintptr_t)&info) == 0)
        sig = info.si_signo;
    tracer_roll(r, TRACE_REQUEST_GROUP, sig ? sig : SIGSTOP);
    tracer_host(PTRACE_CONT, r->tid, 0, 0);
    r->state = TRACEE_RUNNING;
    for (;;) {
        memset(&info, 0, sizeof info);
        tracer_serve_others(q->t, q->tr, r->tid);
        long e = host_raw(SYS_waitid, P_PID, r->tid, (uintptr_t)&info,
                          WSTOPPED | WEXITED | WNOWAIT | WNOHANG | __WALL, 0);
        if (e < 0 && e != -EINTR)
            return false;
        if (!info.si_pid) {
            tracer_pause(NULL, 0);
            continue;
        }
        status = (int)((unsigned)info.si_status << 8 | 0x7f);
        if (info.si_code != CLD_TRAPPED)
            return false;
        if (tracer_classify(q->t, q->tr, r, status, &status))
            break;
    }
    /* The guest has waited for this stop already. */
    host_raw(SYS_wait4, r->tid, (uintptr_t)&status, WNOHANG | __WALL, 0);
    return r->state == TRACEE_REPORT && tracer_read(r->tid, r->block, &q->b, TRACE_HEAD_BYTES);
}

/* Only a stop of the kernel's can be listened at. */
static long listen_on(Request *q)
{
    Tracee *r = q->r;
    if (r->state != TRACEE_REPORT)
        return tracer_host(q->op, r->tid, q->addr, q->data);
    if (q->b.stop != TRACE_STOP_IN_GROUP || !r->seized)
        return -EIO;
    r->listen = true;
    r->state = TRACEE_RUNNING;
    return tracer_give_orders(q->tr, r, 0, 3) ? tracer_host(PTRACE_CONT, r->tid, 0, 0) : -ESRCH;
}

/* Of a tracee that the guest knows to be stopped. */
static long request(Request *q)
{
    Tracee *r = q->r;
    switch (q->op) {
    case PTRACE_CONT: case PTRACE_SYSCALL: case PTRACE_SINGLESTEP: case PTRACE_DETACH:
    case REQUEST_SYSEMU: case REQUEST_SYSEMU_SINGLESTEP:
        return let_go(q);
    case PTRACE_PEEKTEXT: case PTRACE_PEEKDATA:
    case PTRACE_PEEKSIGINFO:
        return tracer_host(q->op, r->tid, q->addr, q->data);
    case PTRACE_POKETEXT: case PTRACE_POKEDATA:
        return poke(q);
    case PTRACE_SETOPTIONS:
        return set_options(q);
    case PTRACE_LISTEN:
        return listen_on(q);
    default:
        break;
    }
    if (r->unsafe && !make_safe(q))
        return -ESRCH;
    if (r->state == TRACEE_NATIVE) {
        /* Its registers are those of another machine. */
        if (q->op == PTRACE_GETREGSET || q->op == PTRACE_SETREGSET)
            return -EIO;
        return tracer_host(q->op, r->tid, q->addr, q->data);
    }
    switch (q->op) {
    case PTRACE_GETREGSET: case PTRACE_SETREGSET:
        return regset(q);
    case PTRACE_GETSIGINFO:
        return get_siginfo(q);
    case PTRACE_SETSIGINFO:
        return set_siginfo(q);
    case PTRACE_GETEVENTMSG:
        return event_message(q);
    case PTRACE_GETSIGMASK: case PTRACE_SETSIGMASK:
        return signal_mask(q);
    case REQUEST_GET_DISPATCH: case REQUEST_SET_DISPATCH:
        return dispatch_config(q);
    case PTRACE_GET_SYSCALL_INFO:
        return syscall_info(q);
    default:
        /* Neither AArch64 nor RISC-V has PEEKUSER or the other old requests. */
        if (log_on(LOG_UNIMP))
            log_write("ptrace: request %#x isn't there\n", q->op);
        return -EIO;
    }
}

/* The tracee is in a stop that the guest may make requests in, whether it has waited or not. */
static bool is_stopped(Request *q)
{
    siginfo_t info;
    Tracee *r = q->r;
    if (!r || r->state == TRACEE_RUNNING) {
        memset(&info, 0, sizeof info);
        long e = host_raw(SYS_waitid, P_PID, q->r ? r->tid : 0, (uintptr_t)&info,
                          WSTOPPED | WNOWAIT | WNOHANG | __WALL, 0);
        int status = (int)((unsigned)info.si_status << 8 | 0x7f);
        if (!r || e < 0 || !info.si_pid || !tracer_classify(q->t, q->tr, r, status, &status))
            return false;
    }
    if (r->state == TRACEE_NATIVE || r->unsafe || !r->block)
        return true;
    return tracer_read(r->tid, r->block, &q->b, TRACE_HEAD_BYTES);
}

/* SIGKILL ends any stop, while what the block said can still be read: then nothing is wrong with
 * the request. */
static long request_or_gone(Request *q)
{
    unsigned long message;
    pid_t tid = q->r->tid;
    long e = request(q);
    if (e == -EIO || e == -EINVAL)
        return tracer_host(PTRACE_GETEVENTMSG, tid, 0, (uintptr_t)&message) == -ESRCH ? -ESRCH : e;
    return e;
}

/* ---- to begin ---- */

static long trace_me(Thread *t)
{
    long e = tracer_host(PTRACE_TRACEME, 0, 0, 0);
    if (e == 0)
        trace_begin(t);
    return e;
}

/* PTRACE_SEIZE doesn't stop the tracee, but it must hear that it is traced: it gets a SIGTRAP, and
 * that stop is answered here. Another stop that comes first is left for the guest to wait for. */
static void say_hello(Thread *t, Tracer *tr, Tracee *r)
{
    siginfo_t info;
    tracer_roll(r, TRACE_REQUEST_HELLO, 0);
    while (!r->block) {
        memset(&info, 0, sizeof info);
        tracer_serve_others(t, tr, r->tid);
        long e = host_raw(SYS_waitid, P_PID, r->tid, (uintptr_t)&info,
                          WSTOPPED | WEXITED | WNOWAIT | WNOHANG | __WALL, 0);
        if (e == 0 && !info.si_pid)
            e = tracer_pause(NULL, -EINTR);
        if (e == -EINTR)
            continue;
        int status = (int)((unsigned)info.si_status << 8 | 0x7f);
        if (e < 0 || info.si_code != CLD_TRAPPED || tracer_classify(t, tr, r, status, &status))
            return;
    }
}

static long begin(Thread *t, Tracer *tr, int op, pid_t tid, uint64_t addr, uint64_t data)
{
    const uint64_t known = 0xff | PTRACE_O_EXITKILL;
    if (op == PTRACE_SEIZE && (addr || (data & ~known)))
        return addr ? -EIO : -EINVAL;
    long e = op == PTRACE_SEIZE ? tracer_host(op, tid, 0, PTRACE_O_TRACEEXEC)
                                : tracer_host(op, tid, addr, data);
    if (e < 0)
        return e;
    Tracee *r = tracer_add(tr, tid);
    if (!r) {
        return -ENOMEM;
    }
    r->block = 0;
    r->state = TRACEE_RUNNING;
    r->host_options_set = false;
    r->tracer = t->tid;
    r->seized = op == PTRACE_SEIZE;
    r->options = r->seized ? (uint32_t)data : 0;
    r->native = tracer_is_native(tid);
    if (r->seized && !r->native)
        say_hello(t, tr, r);
    return 0;
}

long sys_ptrace(Thread *t, const uint64_t *args)
{
    int op = (int)args[0];
    pid_t tid = (pid_t)args[1];
    if (op == PTRACE_TRACEME)
        return trace_me(t);
    Tracer *tr = tracer_get(t->process);
    if (!tr)
        return -ENOMEM;
    long e;
    pthread_mutex_lock(&tr->lock);
    Request q = {.t = t, .tr = tr, .r = tracer_find(tr, tid), .op = op, .addr = args[2],
                 .data = args[3]};
    if (op == PTRACE_ATTACH || op == PTRACE_SEIZE)
        e = begin(t, tr, op, tid, args[2], args[3]);
    else if (op == PTRACE_KILL || op == PTRACE_INTERRUPT || !q.r)
        e = tracer_host(op, tid, args[2], args[3]);
    else
        e = is_stopped(&q) ? request_or_gone(&q) : -ESRCH;
    pthread_mutex_unlock(&tr->lock);
    return e;
}
