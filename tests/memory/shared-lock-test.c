/* Locks whose owner may be gone. A thread that ends with a lock stands for a process that is killed
 * with it. */
#include <glib.h>
#include <pthread.h>
#include <unistd.h>

#include "translator/memory/shared-lock.h"

enum { THREADS = 4, TURNS = 100000, DEATHS = 50 };

static SharedLock lock;
static long count;
static unsigned mended;

static void *count_up(void *arg)
{
    for (int n = 0; n < TURNS; n++) {
        if (shared_lock(&lock))
            mended++;
        count++;
        shared_unlock(&lock);
    }
    return arg;
}

static void *die_with_it(void *arg)
{
    atomic_int *alive = arg;
    shared_lock_self = shared_lock_mortal(alive);
    g_assert_cmpuint(shared_lock_self, !=, 0);
    unsigned number = shared_lock_self;
    if (shared_lock(&lock))
        mended++;
    atomic_store(alive, 0);
    return GUINT_TO_POINTER(number);
}

static unsigned killed(atomic_int *alive)
{
    pthread_t t;
    void *number;
    *alive = 1;
    pthread_create(&t, NULL, die_with_it, alive);
    pthread_join(t, &number);
    return GPOINTER_TO_UINT(number);
}

static void exclude(void)
{
    pthread_t t[THREADS];
    count = 0;
    mended = 0;
    for (int n = 0; n < THREADS; n++)
        pthread_create(&t[n], NULL, count_up, NULL);
    for (int n = 0; n < THREADS; n++)
        pthread_join(t[n], NULL);
    g_assert_cmpint(count, ==, (long)THREADS * TURNS);
    g_assert_cmpuint(mended, ==, 0);
}

static void take_from_dead(void)
{
    atomic_int alive;
    unsigned number = killed(&alive);
    g_assert_true(shared_lock(&lock));
    shared_unlock(&lock);
    g_assert_false(shared_lock(&lock));
    shared_unlock(&lock);
    shared_lock_mortal_end(number);

    number = killed(&alive); /* nobody knows it any more */
    shared_lock_mortal_end(number);
    alive = 1;
    g_assert_true(shared_lock(&lock));
    shared_unlock(&lock);
}

static void *hold(void *arg)
{
    shared_lock_self = shared_lock_mortal(arg);
    shared_lock(&lock);
    atomic_store((atomic_int *)arg, 2);
    usleep(100000);
    count = 7;
    shared_unlock(&lock);
    shared_lock_mortal_end(shared_lock_self);
    return NULL;
}

static void wait_for_living(void)
{
    atomic_int alive = 1;
    pthread_t t;
    count = 0;
    pthread_create(&t, NULL, hold, &alive);
    while (alive != 2)
        usleep(100);
    g_assert_false(shared_lock(&lock));
    g_assert_cmpint(count, ==, 7);
    shared_unlock(&lock);
    pthread_join(t, NULL);
}

/* Deaths while others want it: each is told to one of them, or to the next to die. */
static void die_among_others(void)
{
    static atomic_int alive[DEATHS];
    pthread_t t[THREADS];
    count = 0;
    mended = 0;
    for (int n = 0; n < THREADS; n++)
        pthread_create(&t[n], NULL, count_up, NULL);
    for (int n = 0; n < DEATHS; n++)
        killed(&alive[n]);
    for (int n = 0; n < THREADS; n++)
        pthread_join(t[n], NULL);
    bool last = shared_lock(&lock);
    shared_unlock(&lock);
    g_assert_cmpuint(mended + last, ==, DEATHS);
    g_assert_cmpint(count, ==, (long)THREADS * TURNS);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/shared-lock/exclude", exclude);
    g_test_add_func("/shared-lock/take-from-dead", take_from_dead);
    g_test_add_func("/shared-lock/wait-for-living", wait_for_living);
    g_test_add_func("/shared-lock/die-among-others", die_among_others);
    return g_test_run();
}
