/* data plane */
/*
 * A lock between threads, and between processes that share memory (CLONE_VM), of which one may be
 * killed while it holds it: who waits for it then gets it, and is told. (The library's robust ones
 * know their owners by the thread-local storage, which such processes borrow from others.)
 *
 * A process that may die alone is mortal: it has a number, by which locks know its first thread.
 * Without one a thread's locks die with all who wait for them.
 *
 * Zeros are a lock that is free. Not recursive, not for signal handlers.
 */
#ifndef TRANSLATOR_MEMORY_SHARED_LOCK_H
#define TRANSLATOR_MEMORY_SHARED_LOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/single_threaded.h>

typedef struct SharedLock { atomic_uint word; } SharedLock; /* 0, or the bits below and a number */

enum { SHARED_LOCK_HELD = 1, SHARED_LOCK_WAITED_FOR = 2, SHARED_LOCK_NUMBER_SHIFT = 2 };

extern __thread unsigned shared_lock_self; /* this thread's number, or 0 */

/* *alive is 0 once the process is gone. 0: there are too many, it counts as immortal. The number
 * isn't used again; `end`, when it is gone, lets go of `alive`. */
unsigned shared_lock_mortal(const atomic_int *alive);
void shared_lock_mortal_end(unsigned number);

/* Until somebody changes *word from `seen` and wakes, at once if it is something else; `briefly`:
 * 20 ms at most. It may come back before. errno stays. */
void shared_wait(atomic_uint *word, unsigned seen, bool briefly);
void shared_wake(atomic_uint *word, int waiters);

bool shared_lock_wait(SharedLock *l);

/* True: its owner was killed. What the lock is for may be in any state, and is the caller's now. */
static inline bool shared_lock(SharedLock *l)
{
    unsigned none = 0, mine = SHARED_LOCK_HELD | shared_lock_self << SHARED_LOCK_NUMBER_SHIFT;
    /* (A process that shares memory with one of a single thread has that wait for it, or has been
     * given thread-local storage by another thread.) */
    if (__libc_single_threaded && !atomic_load_explicit(&l->word, memory_order_relaxed)) {
        atomic_store_explicit(&l->word, mine, memory_order_relaxed);
        return false;
    }
    return !atomic_compare_exchange_strong_explicit(&l->word, &none, mine, memory_order_acquire,
                                                    memory_order_relaxed) &&
           shared_lock_wait(l);
}

static inline void shared_unlock(SharedLock *l)
{
    if (__libc_single_threaded) {
        atomic_store_explicit(&l->word, 0, memory_order_release);
        return;
    }
    if (atomic_exchange_explicit(&l->word, 0, memory_order_release) & SHARED_LOCK_WAITED_FOR)
        shared_wake(&l->word, 1);
}

#endif
