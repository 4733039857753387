/* data plane */
/*
 * Making and ending threads and processes of the guest.
 *
 * A thread is a thread of the host in a slot (slot.h). A forked process is made
 * by the library's fork() where it can be (it keeps malloc sound when other threads hold its
 * locks). Processes that share their parent's memory: shared.c.
 */
#include "linux-user/thread/rseq.h"
#include "linux-user/thread/slot.h"
#include "linux-user/thread/thread.h"

#include <errno.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <stdlib.h>
#include <string.h>
#if __GLIBC_PREREQ(2, 34)
#include <sys/single_threaded.h>
#endif
#include <unistd.h>

#include "linux-user/mem/map.h"
#include "linux-user/options.h"
#include "linux-user/seccomp/seccomp.h"
#include "linux-user/ptrace/ptrace.h"
#include "linux-user/signal/host-syscall.h"
#include "linux-user/signal/host.h"
#include "linux-user/signal/signal.h"
#include "linux-user/strace/strace.h"
#include "linux-user/syscalls/dispatch.h"
#include "translator/memory/own-pages.h"
#include "translator/memory/shared-lock.h"

#ifndef CLONE_CLEAR_SIGHAND
#define CLONE_CLEAR_SIGHAND 0x100000000ULL
#endif

enum { THREAD_STACK_BYTES = 256 << 10, GUARD_BYTES = MEM_PAGE };

/* The C library's own hooks around fork, for children that it doesn't make (weak: only when linked
 * statically are they there). */
void __malloc_fork_lock_parent(void) __attribute__((weak));
void __malloc_fork_unlock_parent(void) __attribute__((weak));
void __malloc_fork_unlock_child(void) __attribute__((weak));

Thread *thread_alloc(Process *p, const Thread *from, struct HostSlot *slot)
{
    Thread *t = calloc(1, sizeof *t);
    ThreadSignals *s = calloc(1, sizeof *s);
    if (!t || !s)
        goto fail;
    t->process = p;
    t->slot = slot;
    t->signals = s;
    t->syscall_nr = -1;
    if (!signal_thread_new(t, from))
        goto fail;
    t->vcpu = vcpu_new(p->translator, from ? from->vcpu : NULL);
    if (t->vcpu) {
        if (from) {
            memcpy(t->comm, from->comm, sizeof t->comm);
            seccomp_inherit(t, from);
            t->tagged = from->tagged;
        }
        return t;
    }
    signal_thread_free(t);
fail:
    free(s);
    free(t);
    return NULL;
}

void thread_free(Thread *t)
{
    Vcpu *vcpu = t->vcpu;
    t->vcpu = NULL;
    vcpu_free(vcpu);
    seccomp_drop(t);
    signal_thread_free(t);
    trace_thread_free(t);
    free(t->signals);
    free(t->follow);
    free(t->urings);
    free(t);
}

static void list_add(Process *p, Thread *t)
{
    pthread_mutex_lock(&p->threads_lock);
    t->next = p->threads;
    p->threads = t;
    p->n_threads++;
    pthread_mutex_unlock(&p->threads_lock);
}

/* How many are left. */
static unsigned list_remove(Process *p, Thread *t)
{
    pthread_mutex_lock(&p->threads_lock);
    for (Thread **link = &p->threads; *link; link = &(*link)->next) {
        if (*link == t) {
            *link = t->next;
            p->n_threads--;
            break;
        }
    }
    unsigned left = p->n_threads;
    pthread_mutex_unlock(&p->threads_lock);
    return left;
}

Thread *thread_new_main(Process *p)
{
    Thread *t = thread_alloc(p, NULL, NULL);
    if (!t)
        return NULL;
    t->tid = (pid_t)host_raw(SYS_gettid);
    thread_self = t;
    list_add(p, t);
    return t;
}

/* ---- threads ---- */

static void thread_main(void *arg)
{
    Thread *t = arg;
    thread_self = t;
    shared_lock_self = 0; /* the storage was another's */
    t->tid = (pid_t)host_raw(SYS_gettid);
    if (t->set_child_tid)
        mem_put(t->set_child_tid, (int32_t)t->tid);
    trace_thread_start(t);
    signal_thread_start(t);
    thread_loop(t);
    thread_exit(t);
}

void thread_child_registers(Thread *child, const ThreadClone *c)
{
    const GuestAbi *abi = child->process->abi;
    void *cpu = vcpu_cpu(child->vcpu);
    if (c->stack)
        abi->set_sp(cpu, c->stack);
    if (c->flags & CLONE_SETTLS)
        abi->set_tls(cpu, c->tls);
    if (c->flags & CLONE_CHILD_CLEARTID)
        child->clear_child_tid = c->child_tid;
    abi->syscall_result(cpu, 0);
}

/* A detached thread of the host, whose stack stays when it has ended. The C library installs a
 * handler of its own for signal 33 (SIGSETXID) when there are no others: the guest's comes back,
 * and meanwhile nothing arrives. */
int thread_create_host(Thread *t, void *(*fn)(void *), void *arg)
{
    enum { SIGSETXID = 33 };
    pthread_attr_t attr;
    pthread_t host;
    uint64_t old_mask;
    char *stack = own_pages_map(GUARD_BYTES + THREAD_STACK_BYTES);
    if (!stack)
        return ENOMEM;
    host_raw(SYS_mprotect, (uintptr_t)stack, GUARD_BYTES, PROT_NONE);
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstack(&attr, stack + GUARD_BYTES, THREAD_STACK_BYTES);
    bool alone = t->process->n_threads == 1;
    HostSigaction action;
    host_signal_mask(~UINT64_C(0), &old_mask);
    if (alone)
        host_signal_get(SIGSETXID, &action);
    int e = pthread_create(&host, &attr, fn, arg);
    if (alone)
        host_raw(SYS_rt_sigaction, SIGSETXID, (uintptr_t)&action, 0, 8);
    host_signal_mask(old_mask, NULL);
    pthread_attr_destroy(&attr);
    if (e) {
        host_raw(SYS_mprotect, (uintptr_t)stack, GUARD_BYTES, PROT_READ | PROT_WRITE);
        own_pages_unmap(stack, GUARD_BYTES + THREAD_STACK_BYTES);
    }
    return e;
}

static long clone_thread(Thread *t, const ThreadClone *c)
{
    ThreadClone host = *c;
    HostSlot *slot = host_slot_take(t);
    Thread *child = slot ? thread_alloc(t->process, t, slot) : NULL;
    long r = -EAGAIN;
    if (child) {
        thread_child_registers(child, c);
        child->set_child_tid = c->flags & CLONE_CHILD_SETTID ? c->child_tid : 0;
        list_add(t->process, child);
        seccomp_follow(child, t);
        host.flags &= ~(uint64_t)(CLONE_SETTLS | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID);
        r = thread_host_clone(&host, slot->stack_end, slot->tls, &slot->alive, thread_main, child);
    }
    if (r < 0 && child) {
        list_remove(t->process, child);
        thread_free(child);
    }
    if (r < 0 && slot)
        host_slot_release(slot);
    return r;
}

/* ---- processes ---- */

static void forked_child(Thread *t, const ThreadClone *c)
{
    Process *p = t->process;
    pthread_mutex_init(&p->threads_lock, NULL);
    for (Thread *other = p->threads, *next; other; other = next) {
        next = other->next;
        if (other == t)
            continue;
        /* translator_fork_child() has freed its vcpu. */
        own_pages_unmap(other->signals->host_stack, other->signals->host_stack_bytes);
        trace_thread_free(other);
        free(other->signals);
        free(other->follow);
        free(other->urings);
        free(other);
    }
    p->threads = t;
    t->next = NULL;
    p->n_threads = 1;
    trace_fork_child(t);
    tracer_fork_child(p);
    t->tid = (pid_t)host_raw(SYS_gettid);
    t->shares_memory = false;
    p->lock_number = shared_lock_self = 0;
    p->slots = NULL;
    t->slot = NULL;
    t->clear_child_tid = 0;
    t->robust_list = 0;
    t->user_dispatch.on = false;
    free(t->urings);
    t->urings = NULL;
    t->vdso_random.left = 0; /* the parent gives them out too */
    signal_fork_child(t);
    trace_thread_start(t);
    if (c->flags & CLONE_CLEAR_SIGHAND)
        signal_clear_handlers(t);
    thread_child_registers(t, c);
    if (c->flags & CLONE_CHILD_SETTID)
        mem_put(c->child_tid, (int32_t)t->tid);
}

/* Flags, pidfd, set_tid and cgroup as they are; the rest is done here. */
static long fork_with_flags(const ThreadClone *c)
{
    ThreadClone host = *c;
    host.flags &= ~(uint64_t)(CLONE_SETTLS | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID |
                              CLONE_PARENT_SETTID | CLONE_VM | CLONE_VFORK | CLONE_CLEAR_SIGHAND);
    if (__malloc_fork_lock_parent)
        __malloc_fork_lock_parent();
    long pid = thread_host_clone(&host, NULL, 0, NULL, NULL, NULL);
    if (pid == 0 && __malloc_fork_unlock_child)
        __malloc_fork_unlock_child();
    else if (pid != 0 && __malloc_fork_unlock_parent)
        __malloc_fork_unlock_parent();
    return pid;
}

static bool is_plain_fork(const ThreadClone *c)
{
    const uint64_t ours = CLONE_SETTLS | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID |
                          CLONE_PARENT_SETTID;
    return c->exit_signal == SIGCHLD && !(c->flags & ~ours) && !c->n_set_tid;
}

/* The library's fork() resets locks and lists of threads in the child, on four pages. Without any
 * other thread they are as they should be. */
static pid_t fork_plainly(const Thread *t)
{
#if __GLIBC_PREREQ(2, 34)
    const Process *p = t->process;
    if (__libc_single_threaded && p->n_threads == 1 && !t->shares_memory &&
        !atomic_load_explicit(&p->slots, memory_order_relaxed))
        return _Fork();
#endif
    (void)t;
    return fork();
}

static long clone_process(Thread *t, const ThreadClone *c)
{
    Process *p = t->process;
    mem_fork_prepare(p->mem);
    pthread_mutex_lock(&p->signals->lock);
    pthread_mutex_lock(&p->threads_lock);
    translator_fork_prepare(p->translator);
    /* A child in another PID namespace may have this thread's number there. What the tracer asks of
     * it before forked_child() mustn't be taken for this thread's. */
    pid_t tid = t->tid;
    if (t->trace)
        t->tid = 0;
    long pid = is_plain_fork(c) ? fork_plainly(t) : fork_with_flags(c);
    if (pid == -1 && is_plain_fork(c))
        pid = -errno;
    if (pid != 0 && t->trace) {
        t->tid = tid;
        trace_thread_start(t);
    }
    if (pid == 0) {
        translator_fork_child(p->translator);
        mem_fork_done(p, true);
        forked_child(t, c);
    } else {
        translator_fork_parent(p->translator);
        pthread_mutex_unlock(&p->threads_lock);
        pthread_mutex_unlock(&p->signals->lock);
        mem_fork_done(p, false);
        if (pid > 0 && (c->flags & CLONE_PARENT_SETTID))
            mem_put(c->parent_tid, (int32_t)pid);
    }
    return pid;
}

/* The kernel's rules (kernel/fork.c, copy_process). */
static long check_flags(const ThreadClone *c)
{
    uint64_t f = c->flags;
    if ((f & (CLONE_NEWNS | CLONE_FS)) == (CLONE_NEWNS | CLONE_FS) ||
        (f & (CLONE_NEWUSER | CLONE_FS)) == (CLONE_NEWUSER | CLONE_FS) ||
        ((f & CLONE_THREAD) && !(f & CLONE_SIGHAND)) || ((f & CLONE_SIGHAND) && !(f & CLONE_VM)) ||
        ((f & CLONE_THREAD) && (f & (CLONE_NEWUSER | CLONE_NEWPID | CLONE_PIDFD))))
        return -EINVAL;
    return 0;
}

long thread_clone(Thread *t, const ThreadClone *c)
{
    long r = check_flags(c);
    if (r < 0)
        return r;
    r = signal_block_all(t);
    if (r < 0)
        return r;
    trace_publish(t);
    if (c->flags & CLONE_THREAD)
        r = clone_thread(t, c);
    else if (c->flags & CLONE_VM)
        r = thread_clone_shared(t, c);
    else
        r = clone_process(t, c);
    trace_unpublish(t);
    signal_unblock(t);
    return r;
}

/* ---- the end ---- */

enum { ROBUST_LIMIT = 2048 };

/* One futex of the robust list (kernel/futex: handle_futex_death). */
static void robust_death(Thread *t, GuestAddr at, bool pi, bool pending)
{
    uint32_t value;
    if ((at & 3) || !mem_get(&value, at))
        return;
    if (pending && !pi && !value) {
        host_raw(SYS_futex, at, FUTEX_WAKE, 1, 0, 0, 0);
        return;
    }
    while ((value & FUTEX_TID_MASK) == (uint32_t)t->tid) {
        uint32_t expected = value, died = (value & FUTEX_WAITERS) | FUTEX_OWNER_DIED;
        if (!mem_word_cas(at, &expected, died))
            return;
        if (expected == value) {
            if (!pi && (value & FUTEX_WAITERS))
                host_raw(SYS_futex, at, FUTEX_WAKE, 1, 0, 0, 0);
            return;
        }
        value = expected;
    }
}

/* The kernel would do it when the host's thread ends, but that is after clear_child_tid. */
static void robust_exit(Thread *t)
{
    struct { uint64_t next; int64_t offset; uint64_t pending; } head;
    if (!t->robust_list || !mem_get(&head, t->robust_list))
        return;
    GuestAddr entry = head.next;
    for (int i = 0; i < ROBUST_LIMIT && (entry & ~UINT64_C(1)) != t->robust_list; i++) {
        GuestAddr node = entry & ~UINT64_C(1);
        bool pi = entry & 1;
        if (!mem_get(&entry, node))
            break;
        if (node != (head.pending & ~UINT64_C(1)))
            robust_death(t, node + (uint64_t)head.offset, pi, false);
    }
    if (head.pending & ~UINT64_C(1))
        robust_death(t, (head.pending & ~UINT64_C(1)) + (uint64_t)head.offset, head.pending & 1,
                     true);
    host_raw(SYS_set_robust_list, 0, t->robust_list_bytes);
}

static void print_stats(const Process *p)
{
    if (p->options->stats)
        translator_stats_print(p->translator);
}

void thread_clear_tid(Thread *t)
{
    GuestAddr at = t->clear_child_tid;
    t->clear_child_tid = 0;
    if (at && mem_put(at, (int32_t)0))
        host_raw(SYS_futex, at, FUTEX_WAKE, 1, 0, 0, 0);
}

/* A process in its parent's memory has its translations, who will save them. */
void thread_save_translations(Thread *t, GuestAddr start, uint64_t bytes)
{
    if (t->process->has_store && !t->shares_memory)
        translator_save(t->process->translator, t->vcpu, start, bytes);
}

void thread_save_last(Thread *t)
{
    if (t->process->has_store && !t->shares_memory)
        translator_save_last(t->process->translator, t->vcpu);
}

/* Of a thread that isn't the process's first. What can be seen of its end is the kernel's to do, in
 * its order: for a tracer the event, then the word that says so, then the status. */
static _Noreturn void end_thread(Thread *t)
{
    int status = t->exit_status;
    GuestAddr word = t->clear_child_tid;
    HostSlot *slot = t->slot;
    thread_self = NULL;
    thread_free(t);
    host_slot_end(slot, word, status);
}

_Noreturn void thread_exit(Thread *t)
{
    Process *p = t->process;
    trace_publish(t);
    bool leader = !t->slot;
    rseq_end(t);
    robust_exit(t);
    pthread_mutex_lock(&p->threads_lock);
    if (leader)
        p->leader_status = t->exit_status;
    pthread_mutex_unlock(&p->threads_lock);
    if (list_remove(p, t) == 0) {
        /* As mm_release() in the kernel: nobody is left to see it otherwise. */
        if (t->shares_memory)
            thread_clear_tid(t);
        if (log_on(LOG_STRACE))
            strace_end(t, p->leader_status, 0);
        print_stats(p);
        thread_save_last(t);
        /* The emulator may have threads of its own that would keep the process. */
        host_raw(SYS_exit_group, p->leader_status);
    }
    signal_thread_end(t);
    if (!leader)
        end_thread(t);
    thread_clear_tid(t);
    /* The leader's host thread stays a zombie until the others end, as a kernel's does. */
    for (;;)
        host_raw(SYS_exit, t->exit_status);
}

_Noreturn void thread_exit_process(Thread *t, int status)
{
    rseq_end(t);
    thread_save_last(t);
    trace_publish(t);
    if (log_on(LOG_STRACE))
        strace_end(t, status & 0xff, 0);
    print_stats(t->process);
    for (;;)
        host_raw(SYS_exit_group, status);
}
