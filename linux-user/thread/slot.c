/* data plane */
/* See slot.h. */
#include "linux-user/thread/slot.h"

#include <linux/futex.h>
#include <linux/sched.h>
#include <linux/wait.h>
#include <stdlib.h>

#include "linux-user/ptrace/ptrace.h"
#include "linux-user/signal/host-syscall.h"
#include "linux-user/thread/thread.h"
#include "translator/memory/own-pages.h"

enum { DONOR_FRAME_BYTES = 1024 };

typedef struct HostSlots {
    pthread_mutex_t lock;
    HostSlot *slots;
} HostSlots;

static bool is_free(const HostSlot *slot)
{
    return !(atomic_load_explicit(&slot->alive, memory_order_acquire) & FUTEX_TID_MASK);
}

/* Ends without the library's knowledge; the kernel says when by clearing slot->alive. */
static void *donor_main(void *arg)
{
    HostSlot *slot = arg;
    slot->tls = (uintptr_t)__builtin_thread_pointer();
    slot->stack_end = (char *)__builtin_frame_address(0) - DONOR_FRAME_BYTES;
    host_raw(SYS_set_tid_address, (uintptr_t)&slot->alive);
    host_raw(SYS_exit, 0);
    __builtin_unreachable();
}

/* False: no more threads. */
static bool get_donation(Thread *t, HostSlot *slot)
{
    slot->alive = 1;
    if (thread_create_host(t, donor_main, slot))
        return false;
    /* Not FUTEX_PRIVATE: the kernel wakes the shared kind when it clears the word of a thread. */
    while (!is_free(slot))
        host_raw(SYS_futex, (uintptr_t)&slot->alive, FUTEX_WAIT, 1, 0, 0, 0);
    return true;
}

typedef struct Donation {
    Thread *t;
    HostSlot *slot;
    bool ok;
} Donation;

static void donation_main(void *arg)
{
    Donation *d = arg;
    d->ok = get_donation(d->t, d->slot);
    for (;;)
        host_raw(SYS_exit_group, 0);
}

/* For a traced thread, whose tracer would see the donor: it's a thread of a process in the same
 * memory instead, which nobody traces. */
static bool get_donation_untraced(Thread *t, HostSlot *slot)
{
    enum { STACK_BYTES = 64 << 10 };
    /* Not CLONE_VFORK, whose end a tracer is told: this thread waits by itself, and lends its
     * thread-local storage meanwhile. */
    const ThreadClone c = {.flags = CLONE_VM | CLONE_UNTRACED};
    Donation d = {t, slot, false};
    atomic_int alive = 1;
    char *stack = own_pages_map(STACK_BYTES);
    if (!stack)
        return false;
    long pid = thread_host_clone(&c, stack + STACK_BYTES, 0, &alive, donation_main, &d);
    while (pid > 0 && atomic_load_explicit(&alive, memory_order_acquire))
        host_raw(SYS_futex, (uintptr_t)&alive, FUTEX_WAIT, 1, 0, 0, 0);
    if (pid > 0)
        host_raw(SYS_wait4, pid, 0, __WCLONE, 0);
    own_pages_unmap(stack, STACK_BYTES);
    return pid > 0 && d.ok;
}

static HostSlot *slot_new(Thread *t)
{
    HostSlot *slot = calloc(1, sizeof *slot);
    if (!slot)
        return NULL;
    if (!(trace_is_active(t) ? get_donation_untraced(t, slot) : get_donation(t, slot))) {
        free(slot);
        return NULL;
    }
    return slot;
}

static HostSlots *slots_of(Process *p)
{
    HostSlots *all = atomic_load_explicit(&p->slots, memory_order_acquire), *none = NULL;
    if (all)
        return all;
    all = calloc(1, sizeof *all);
    if (!all)
        return NULL;
    pthread_mutex_init(&all->lock, NULL);
    if (atomic_compare_exchange_strong(&p->slots, &none, all))
        return all;
    free(all);
    return none;
}

HostSlot *host_slot_take(Thread *t)
{
    HostSlots *all = slots_of(t->process);
    if (!all)
        return NULL;
    pthread_mutex_lock(&all->lock);
    HostSlot **link = &all->slots, *slot;
    while ((slot = *link) && !is_free(slot))
        link = &slot->next;
    if (slot)
        *link = slot->next;
    else
        slot = slot_new(t);
    if (slot && slot->left) { /* while the slot says that it is gone */
        slot->free_left(slot->left);
        slot->left = NULL;
    }
    if (slot) {
        /* To the end: those that are free gather in front. */
        while (*link)
            link = &(*link)->next;
        *link = slot;
        slot->next = NULL;
        atomic_store_explicit(&slot->alive, 1, memory_order_relaxed);
    }
    pthread_mutex_unlock(&all->lock);
    return slot;
}

void host_slot_release(HostSlot *slot)
{
    atomic_store_explicit(&slot->alive, 0, memory_order_release);
}

_Noreturn void host_slot_end(HostSlot *slot, GuestAddr word, int status)
{
    if (word) {
        /* The kernel's word is the guest's now; the slot is freed as a lock whose owner has died,
         * which comes first (kernel/fork.c, mm_release). */
        atomic_store_explicit(&slot->alive, (int)host_raw(SYS_gettid), memory_order_relaxed);
        slot->robust_node.next = &slot->robust;
        slot->robust.next = &slot->robust_node;
        slot->robust.offset = (char *)&slot->alive - (char *)&slot->robust_node;
        slot->robust.pending = NULL;
        host_raw(SYS_set_robust_list, (uintptr_t)&slot->robust, sizeof slot->robust);
        host_raw(SYS_set_tid_address, word);
    }
    for (;;)
        host_raw(SYS_exit, status);
}
