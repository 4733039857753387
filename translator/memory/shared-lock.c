/* data plane */
/* See shared-lock.h. The word holds all there is, so that whoever waits sees an owner from the
 * moment it has the lock until it hasn't. */
#include "translator/memory/shared-lock.h"

#include <errno.h>
#include <linux/futex.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { MORTALS = 256, NUMBERS = UINT32_MAX >> SHARED_LOCK_NUMBER_SHIFT, MOMENT_NS = 20000000 };

__thread unsigned shared_lock_self;

/* One that has ended isn't here. A slot is taken by its number, then gets `alive`. */
static struct Mortal {
    atomic_uint number;
    const atomic_int *_Atomic alive;
} mortals[MORTALS];
static atomic_uint last_number;

unsigned shared_lock_mortal(const atomic_int *alive)
{
    unsigned number = atomic_fetch_add(&last_number, 1) % NUMBERS + 1;
    for (unsigned n = 0; n < MORTALS; n++) {
        struct Mortal *m = &mortals[(number + n) % MORTALS];
        unsigned none = 0;
        if (!atomic_compare_exchange_strong(&m->number, &none, number))
            continue;
        atomic_store(&m->alive, alive);
        return number;
    }
    return 0;
}

static struct Mortal *find_mortal(unsigned number)
{
    for (unsigned n = 0; n < MORTALS; n++)
        if (atomic_load(&mortals[n].number) == number)
            return &mortals[n];
    return NULL;
}

void shared_lock_mortal_end(unsigned number)
{
    struct Mortal *m = number ? find_mortal(number) : NULL;
    if (!m)
        return;
    atomic_store(&m->alive, NULL);
    atomic_store(&m->number, 0);
}

static bool is_dead(unsigned number)
{
    if (!number)
        return false;
    const struct Mortal *m = find_mortal(number);
    const atomic_int *alive = m ? atomic_load(&m->alive) : NULL;
    return !alive || !atomic_load_explicit(alive, memory_order_acquire);
}

static void futex(atomic_uint *word, int op, unsigned value, const struct timespec *most)
{
    int saved = errno;
    syscall(SYS_futex, word, op | FUTEX_PRIVATE_FLAG, value, most, NULL, 0);
    errno = saved;
}

void shared_wait(atomic_uint *word, unsigned seen, bool briefly)
{
    const struct timespec moment = { 0, MOMENT_NS };
    futex(word, FUTEX_WAIT, seen, briefly ? &moment : NULL);
}

void shared_wake(atomic_uint *word, int waiters)
{
    futex(word, FUTEX_WAKE, (unsigned)waiters, NULL);
}

/* Who has waited marks the lock as waited for when it gets it: there may be others. Nobody tells
 * when a process has been killed, so it is looked at from time to time. */
bool shared_lock_wait(SharedLock *l)
{
    unsigned mine = SHARED_LOCK_HELD | SHARED_LOCK_WAITED_FOR |
                    shared_lock_self << SHARED_LOCK_NUMBER_SHIFT;
    for (;;) {
        unsigned word = atomic_load_explicit(&l->word, memory_order_relaxed);
        unsigned owner = word >> SHARED_LOCK_NUMBER_SHIFT, marked = word | SHARED_LOCK_WAITED_FOR;
        bool dead = word && is_dead(owner);
        if (!word || dead) {
            if (atomic_compare_exchange_strong_explicit(&l->word, &word, mine,
                                                        memory_order_acquire,
                                                        memory_order_relaxed))
                return dead;
        } else if (word == marked ||
                   atomic_compare_exchange_strong_explicit(&l->word, &word, marked,
                                                           memory_order_relaxed,
                                                           memory_order_relaxed)) {
            shared_wait(&l->word, marked, owner);
        }
    }
}
