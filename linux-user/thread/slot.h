/* data plane */
/*
 * Places for threads of the host that the C library doesn't know of: thread-local storage and a
 * stack, for one after the other. Guest threads run in them, and processes that share memory
 * (shared.c).
 *
 * The library makes such a place: a thread is created which ends at once without telling it, so
 * that its storage and its stack stay. What runs there is made by clone itself, with exactly the
 * guest's flags, at a third of the cost; and its end is the kernel's, which first frees the slot
 * and then clears the word that the guest has asked for: nothing of the thread is left to be seen.
 */
#ifndef LINUX_USER_THREAD_SLOT_H
#define LINUX_USER_THREAD_SLOT_H

#include "linux-user/process.h"

typedef struct HostSlot {
    struct HostSlot *next;
    atomic_int alive;        /* its FUTEX_TID_MASK is 0 when nobody is in it: by the kernel */
    uintptr_t tls;
    char *stack_end;
    void *host_stack;        /* the alternate stack of the thread in it, once it had one */
    Thread *left;            /* to be freed by free_left() when it is free, or NULL */
    void (*free_left)(Thread *t);
    /* A robust list of one futex, `alive` (kernel/futex/core.c, exit_robust_list). */
    struct { void *next; long offset; void *pending; } robust;
    struct { void *next; } robust_node;
} HostSlot;

/* A free one, now taken: whoever is cloned into it has &alive as the word that the kernel clears.
 * NULL: no more threads. */
HostSlot *host_slot_take(Thread *t);
/* Nobody was cloned into it. */
void host_slot_release(HostSlot *slot);
/* Ends the calling thread, which is in the slot; `word` is what CLONE_CHILD_CLEARTID said. */
_Noreturn void host_slot_end(HostSlot *slot, GuestAddr word, int status);

#endif
