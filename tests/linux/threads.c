/* Threads: creation, join, thread-local storage, mutexes, conditions, robust mutexes, cancellation
 * (which uses signal 32), changing ids (33), signals to a thread. */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { N = 8, ROUNDS = 20000 };
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static long plain, turn;
static atomic_long atomic;
static __thread long local;
static pthread_barrier_t barrier;
static volatile int got[N];
static pthread_key_t key;
static atomic_int destroyed;

static void destroy(void *p) { destroyed++; }

static void *work(void *arg)
{
    long me = (long)arg;
    pthread_setspecific(key, (void *)1);
    for (int i = 0; i < ROUNDS; i++) {
        pthread_mutex_lock(&lock);
        plain++;
        pthread_mutex_unlock(&lock);
        atomic++;
        local++;
    }
    pthread_barrier_wait(&barrier);
    pthread_mutex_lock(&lock);
    while (turn != me)
        pthread_cond_wait(&cond, &lock);
    turn++;
    pthread_cond_broadcast(&cond);
    pthread_mutex_unlock(&lock);
    return (void *)local;
}

static void on_signal(int sig)
{
    for (int i = 0; i < N; i++)
        if (got[i] == gettid())
            got[i] = -1;
}

static sem_t ready, done;

static void *wait_signal(void *arg)
{
    int i = (int)(long)arg;
    got[i] = gettid();
    sem_post(&ready);
    while (got[i] != -1)
        usleep(1000);
    return NULL;
}

static pthread_mutex_t robust;
static void *die_with_lock(void *arg)
{
    pthread_mutex_lock(&robust);
    return NULL;
}

static void *sleep_forever(void *arg)
{
    for (;;)
        pause();
}

static void *spin_forever(void *arg)
{
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
    sem_post(&ready);
    for (volatile unsigned i = 0;; i++)
        ;
}

static void *detached(void *arg)
{
    sem_post(&done);
    return NULL;
}

int main(void)
{
    pthread_t t[N];
    setvbuf(stdout, NULL, _IONBF, 0);
    pthread_key_create(&key, destroy);
    pthread_barrier_init(&barrier, NULL, N);
    long sum = 0;
    for (long i = 0; i < N; i++)
        if (pthread_create(&t[i], NULL, work, (void *)i))
            return 1;
    for (int i = 0; i < N; i++) {
        void *r;
        pthread_join(t[i], &r);
        sum += (long)r;
    }
    printf("%ld %ld %ld turn %ld main's local %ld destroyed %d\n", plain, atomic, sum, turn, local,
           destroyed);
    sem_init(&ready, 0, 0);
    sem_init(&done, 0, 0);
    struct sigaction a = {.sa_handler = on_signal};
    sigaction(SIGUSR1, &a, NULL);
    for (long i = 0; i < N; i++)
        pthread_create(&t[i], NULL, wait_signal, (void *)i);
    for (int i = 0; i < N; i++)
        sem_wait(&ready);
    for (int i = 0; i < N; i++)
        pthread_kill(t[i], SIGUSR1);
    for (int i = 0; i < N; i++)
        pthread_join(t[i], NULL);
    printf("each thread got its signal\n");
    /* The C library tells every thread, by a signal that it keeps for itself. */
    for (long i = 0; i < N; i++)
        pthread_create(&t[i], NULL, wait_signal, (void *)i);
    for (int i = 0; i < N; i++)
        sem_wait(&ready);
    printf("setegid %d seteuid %d\n", setegid(getegid()), seteuid(geteuid()));
    for (int i = 0; i < N; i++)
        pthread_kill(t[i], SIGUSR1);
    for (int i = 0; i < N; i++)
        pthread_join(t[i], NULL);
    pthread_mutexattr_t attr;
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&robust, &attr);
    pthread_create(&t[0], NULL, die_with_lock, NULL);
    pthread_join(t[0], NULL);
    printf("robust: %s\n", strerror(pthread_mutex_lock(&robust)));
    printf("consistent: %d\n", pthread_mutex_consistent(&robust));
    pthread_create(&t[0], NULL, sleep_forever, NULL);
    pthread_create(&t[1], NULL, spin_forever, NULL);
    sem_wait(&ready);
    usleep(10000);
    for (int i = 0; i < 2; i++) {
        void *r;
        pthread_cancel(t[i]);
        pthread_join(t[i], &r);
        printf("cancelled %d\n", r == PTHREAD_CANCELED);
    }
    printf("setresuid %d\n", setresuid(-1, geteuid(), -1));
    for (int i = 0; i < 200; i++) {
        pthread_create(&t[0], NULL, detached, NULL);
        pthread_detach(t[0]);
        sem_wait(&done);
    }
    printf("tids differ %d\n", gettid() == getpid());
    struct timespec past = {0, 0};
    pthread_mutex_lock(&lock);
    printf("timed wait: %s\n", strerror(pthread_cond_timedwait(&cond, &lock, &past)));
    return 0;
}
