/* data plane */
/*
 * Processes that share their parent's memory (CLONE_VM without CLONE_THREAD): vfork and
 * posix_spawn, whose parent waits, and those that run beside it.
 *
 * The emulator's own state is shared as well: one translator, one MemMap, both safe between
 * threads, and their locks work between processes that share memory. What the kernel would copy
 * (dispositions, the list of threads) is in a Process of the child's own, and its Thread is new.
 *
 * A child whose parent waits uses the thread-local storage of the waiting thread, another one that
 * of a slot (slot.h).
 *
 * A child may be killed anywhere. The kernel clears the slot's `alive` when it is gone; only then
 * is its Thread freed, and the translator doesn't wait for its vcpu (vcpu_set_alive), nor for ever
 * for a lock that it had (shared_lock_mortal; the library's own locks, such as malloc's, are
 * lost).
 */
#include <errno.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <stdlib.h>
#include <string.h>

#include "linux-user/mem/map.h"
#include "linux-user/ptrace/ptrace.h"
#include "linux-user/signal/host-syscall.h"
#include "linux-user/signal/signal.h"
#include "linux-user/thread/slot.h"
#include "linux-user/thread/thread.h"
#include "translator/memory/own-pages.h"
#include "translator/memory/shared-lock.h"

#ifndef CLONE_CLEAR_SIGHAND
#define CLONE_CLEAR_SIGHAND 0x100000000ULL
#endif

enum { SHARED_STACK_BYTES = 256 << 10 };

long host_clone_asm(uint64_t flags, void *stack, uintptr_t parent_tid, atomic_int *child_tid,
                    void (*f)(void *), void *arg, uintptr_t tls);
long host_clone3_asm(const struct clone_args *args, size_t bytes, void (*f)(void *), void *arg);

/* What the child needs; it lives in the parent until the child has taken it over. */
typedef struct SharedStart {
    Thread *child;
    ThreadClone clone;
    atomic_int taken;
    bool waits;              /* the parent, in vfork */
} SharedStart;

/* ---- the host's clone ---- */

/* CLONE_NEWTIME is where the older call has the signal. */
static bool needs_clone3(const ThreadClone *c)
{
    return c->flags >> 32 || c->flags & CSIGNAL || c->n_set_tid ||
           (c->flags & (CLONE_PIDFD | CLONE_PARENT_SETTID)) == (CLONE_PIDFD | CLONE_PARENT_SETTID);
}

long thread_host_clone(const ThreadClone *c, void *stack_end, uintptr_t tls, atomic_int *dead,
                       void (*f)(void *), void *arg)
{
    uint64_t flags = c->flags | (tls ? CLONE_SETTLS : 0) | (dead ? CLONE_CHILD_CLEARTID : 0);
    if (!needs_clone3(c)) {
        GuestAddr word = c->flags & CLONE_PIDFD ? c->pidfd : c->parent_tid;
        flags |= c->exit_signal;
        return f ? host_clone_asm(flags, stack_end, word, dead, f, arg, tls)
                 : host_raw(SYS_clone, flags, 0, word, 0, 0);
    }
    struct clone_args args = {
        .flags = flags, .exit_signal = c->exit_signal, .pidfd = c->pidfd,
        .parent_tid = c->parent_tid, .child_tid = (uintptr_t)dead, .tls = tls,
        .set_tid = c->set_tid, .set_tid_size = c->n_set_tid,
        .cgroup = c->flags & CLONE_INTO_CGROUP ? (uint64_t)c->cgroup : 0,
    };
    if (f) {
        args.stack_size = 4096;
        args.stack = (uintptr_t)stack_end - args.stack_size;
        return host_clone3_asm(&args, sizeof args, f, arg);
    }
    return host_raw(SYS_clone3, (uintptr_t)&args, sizeof args);
}

/* ---- the child ---- */

static void shared_main(void *arg)
{
    SharedStart *start = arg;
    Thread *t = start->child;
    ThreadClone c = start->clone;
    if (!start->waits) {
        atomic_store_explicit(&start->taken, 1, memory_order_release);
        host_raw(SYS_futex, (uintptr_t)&start->taken, FUTEX_WAKE, 1, 0, 0, 0);
    }
    thread_self = t;
    shared_lock_self = t->process->lock_number;
    t->tid = (pid_t)host_raw(SYS_gettid);
    if (c.flags & CLONE_CHILD_SETTID)
        mem_put(c.child_tid, (int32_t)t->tid);
    if (c.flags & CLONE_CLEAR_SIGHAND)
        signal_clear_handlers(t);
    signal_start_sharing(t);
    trace_thread_start(t);
    signal_thread_start(t);
    thread_loop(t);
    thread_exit(t);
}

/* A Process that shares memory with t's: its own dispositions unless they are shared too. */
static Process *process_sharing_memory(Thread *t, const ThreadClone *c)
{
    Process *p = malloc(sizeof *p);
    SignalState *signals = t->process->signals;
    if (!p)
        return NULL;
    memcpy(p, t->process, sizeof *p);
    pthread_mutex_init(&p->threads_lock, NULL);
    pthread_mutex_init(&p->limits_lock, NULL);
    p->shares_handlers = c->flags & CLONE_SIGHAND;
    if (!p->shares_handlers) {
        p->signals = calloc(1, sizeof *p->signals);
        if (!p->signals) {
            free(p);
            return NULL;
        }
        pthread_mutex_lock(&signals->lock);
        memcpy(p->signals->actions, signals->actions, sizeof signals->actions);
        pthread_mutex_unlock(&signals->lock);
        pthread_mutex_init(&p->signals->lock, NULL);
    }
    return p;
}

static void process_free(Process *p)
{
    if (!p->shares_handlers)
        free(p->signals);
    free(p);
}

/* Its Process and first thread, with the state of t. *alive is the thread's. */
static Thread *child_new(Thread *t, const ThreadClone *c, const atomic_int *alive)
{
    Process *p = process_sharing_memory(t, c);
    if (!p)
        return NULL;
    Thread *child = thread_alloc(p, t, NULL);
    if (!child) {
        process_free(p);
        return NULL;
    }
    child->shares_memory = true;
    if (c->flags & CLONE_VFORK) {
        child->signals->altstack = t->signals->altstack;
        child->signals->altstack_bytes = t->signals->altstack_bytes;
        child->signals->altstack_flags = t->signals->altstack_flags;
    }
    p->threads = child;
    p->n_threads = 1;
    p->lock_number = shared_lock_mortal(alive);
    vcpu_set_alive(child->vcpu, alive);
    thread_child_registers(child, c);
    return child;
}

/* The child is gone, or was never made. If its first thread ended before others of its, they go on
 * with the Process. */
static void child_free(Thread *child)
{
    Process *p = child->process;
    bool in_use = p->n_threads > (p->threads == child);
    shared_lock_mortal_end(p->lock_number);
    p->lock_number = 0;
    thread_free(child);
    if (!in_use)
        process_free(p);
}

/* ---- a parent that waits ---- */

static long clone_waiting(Thread *t, const ThreadClone *c, const ThreadClone *host)
{
    Thread *self = thread_self;
    unsigned number = shared_lock_self;
    SharedStart start = {.clone = *c, .waits = true};
    atomic_int alive = 1;
    char *stack = own_pages_map(SHARED_STACK_BYTES);
    if (!stack)
        return -ENOMEM;
    long r = -ENOMEM;
    start.child = child_new(t, c, &alive);
    if (start.child) {
        r = thread_host_clone(host, stack + SHARED_STACK_BYTES, 0, &alive, shared_main,
                              &start);
        atomic_store_explicit(&alive, 0, memory_order_release);
        thread_self = self;
        shared_lock_self = number;
        /* Perhaps it was killed, or is another program now: the kernel would have cleared it. */
        if (r >= 0)
            thread_clear_tid(start.child);
        child_free(start.child);
    }
    own_pages_unmap(stack, SHARED_STACK_BYTES);
    return r;
}

/* ---- a parent that runs on ---- */

static long clone_beside(Thread *t, const ThreadClone *c, const ThreadClone *host)
{
    HostSlot *slot = host_slot_take(t);
    SharedStart start = {.clone = *c};
    if (!slot)
        return -EAGAIN;
    long r = -ENOMEM;
    start.child = child_new(t, c, &slot->alive);
    if (start.child)
        r = thread_host_clone(host, slot->stack_end, slot->tls, &slot->alive, shared_main, &start);
    if (r >= 0) {
        slot->left = start.child;
        slot->free_left = child_free;
    } else {
        if (start.child)
            child_free(start.child);
        host_slot_release(slot);
        return r;
    }
    /* If it is killed at once nobody takes what is on this stack. */
    while (!atomic_load_explicit(&start.taken, memory_order_acquire) &&
           atomic_load_explicit(&slot->alive, memory_order_acquire)) {
        struct { int64_t s, ns; } moment = {0, 10000000};
        host_raw(SYS_futex, (uintptr_t)&start.taken, FUTEX_WAIT, 0, (uintptr_t)&moment, 0, 0);
    }
    return r;
}

long thread_clone_shared(Thread *t, const ThreadClone *c)
{
    ThreadClone host = *c;
    host.flags &= ~(uint64_t)(CLONE_SETTLS | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID |
                              CLONE_CLEAR_SIGHAND);
    return c->flags & CLONE_VFORK ? clone_waiting(t, c, &host) : clone_beside(t, c, &host);
}
